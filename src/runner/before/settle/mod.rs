//! Before the first measurement: one worker tries the model out, and what runs there is fed to
//! every variant.
//!
//! The baseline is tried, and where it cannot be, the next variant. What is found is kept for later
//! runs. A worker that took long to load serves the first launch. Read [`settle`] first.

mod adopt;
mod identity;

use std::path::Path;
use std::time::{Duration, Instant};

use identity::Sought;

use crate::memory;
use crate::plan::{InputRequest, PageCache, Plan, unswept};
use crate::protocol::{ProbeRequest, Request, Response, Tried, UsualShapes};
use crate::record::{BatchAxis, BatchProof, Failure, FailureKind, LostWorker, ModelSummary};
use crate::runner::kept::{keep, kept};
use crate::runner::launch::{self, Launch, LaunchSetup};
use crate::runner::names::INPUTS_LOG;
use crate::runner::patience::telling;
use crate::runner::{Description, Job, Launcher, Observer, Progress, Result, RunError};
use crate::units::{Bytes, Nanos};

/// Share of the budget that trying out may take beside one load and one inference.
const BUDGET_SHARE: f64 = 0.05;
/// It may take so long in any case.
const LEAST: Duration = Duration::from_secs(3);
/// A worker that took longer than this to load and to run once serves the first launch.
const LONG_START: Duration = Duration::from_secs(1);
/// A proof that does not end in time is given up after this much more.
const PATIENCE: Duration = Duration::from_secs(2);
/// A first inference is waited for this long also where less is left of the budget.
const LONGEST_INFERENCE: Duration = Duration::from_secs(30);
/// Share of the free memory that inputs and outputs of a trial may take.
const MEMORY_SHARE: f64 = 0.5;

pub(in crate::runner) struct Found {
    variant: usize,
    pub tried: Tried,
    launch: Option<Launch>,
}

/// Returns the launch that inputs were found in, unless an earlier run found them.
pub(in crate::runner) async fn settle(
    job: &mut Job,
    descriptions: &mut [Description],
    launcher: &Launcher,
    observer: &mut dyn Observer,
) -> Result<Option<Launch>> {
    let Some(found) = find(job, descriptions, launcher, observer).await? else {
        return Ok(None);
    };
    adopt::adopt(job, descriptions, found.variant, &found.tried);
    Ok(found.launch)
}

/// Tries inputs on the first variant that can be tried; `None` if none can, which launches will
/// tell the cause of.
pub(in crate::runner) async fn find(
    job: &mut Job,
    descriptions: &[Description],
    launcher: &Launcher,
    observer: &mut dyn Observer,
) -> Result<Option<Found>> {
    let mut failures = Vec::new();
    for (variant, session) in candidates(&job.plan) {
        let Ok(described) = &descriptions[variant] else {
            continue;
        };
        let file = identity::file(job, described, session);
        if let Some(mut tried) = file.as_deref().and_then(kept::<Tried>) {
            tried.probe.is_kept = true;
            return Ok(Some(Found {
                variant,
                tried,
                launch: None,
            }));
        }
        observer.observe(&Progress::Trying {
            variant: job.plan.variants[variant].name.exact(),
        });
        let what = format!(
            "inputs of {} are being tried out",
            job.plan.variant_of(session).name.exact()
        );
        match telling(
            observer,
            &what,
            launcher.timeout(),
            try_out(job, launcher, session),
        )
        .await
        {
            Ok((tried, launch, unproved)) => {
                // One that did not come to an end in its time was given up, and is not lost.
                if let Some(failure) =
                    unproved.filter(|failure| failure.kind != FailureKind::TimedOut)
                {
                    lose(job, session, &failure);
                }
                if let Some(file) = file.filter(|_| is_worth_keeping(&tried)) {
                    keep(&file, &tried);
                }
                return Ok(Some(Found {
                    variant,
                    tried,
                    launch: Some(launch),
                }));
            }
            Err(failure) => {
                lose(job, session, &failure);
                failures.push(failure);
            }
        }
    }
    note_failures(job, failures)?;
    Ok(None)
}

/// An error where inputs are to blame. A session that cannot be created says so again when it is
/// launched.
fn note_failures(job: &mut Job, failures: Vec<Failure>) -> Result<()> {
    let (unfed, others): (Vec<_>, Vec<_>) = failures
        .into_iter()
        .partition(|failure| matches!(failure.kind, FailureKind::BadInput | FailureKind::Usage));
    if !unfed.is_empty() {
        return Err(RunError::NoVariant { failures: unfed });
    }
    if let Some(failure) = others
        .iter()
        .find(|failure| failure.kind != FailureKind::SessionLoad)
    {
        let message = failure.message.exact();
        job.notes
            .push(format!("inputs were not tried out: {message}"));
    }
    Ok(())
}

pub(in crate::runner) fn lose(job: &mut Job, session: usize, failure: &Failure) {
    if failure.kind.is_loss() {
        job.lost_workers.push(LostWorker {
            session,
            failure: failure.clone(),
        });
    }
}

/// The newest findings of an earlier run with these inputs and no sweep, whatever its library and
/// options.
pub(in crate::runner) fn known(
    path: &Path,
    model: &ModelSummary,
    sha256: &str,
    inputs: &InputRequest,
) -> Option<Tried> {
    let sought = Sought {
        inputs,
        shapes: &unswept(),
        usual: UsualShapes::Taken,
    };
    let mut tried: Tried = kept(&identity::newest(path, model, sha256, &sought)?)?;
    tried.probe.is_kept = true;
    Some(tried)
}

/// Variants with the session that each is tried in: the baseline first. Scripts run nothing.
fn candidates(plan: &Plan) -> Vec<(usize, usize)> {
    let mut variants: Vec<usize> = (0..plan.variants.len()).collect();
    variants.sort_by_key(|&variant| variant != plan.baseline);
    variants
        .into_iter()
        .filter_map(|variant| Some((variant, real_session_of(plan, variant)?)))
        .collect()
}

fn real_session_of(plan: &Plan, variant: usize) -> Option<usize> {
    plan.sessions
        .iter()
        .position(|spec| spec.variant == variant && !spec.is_scripted())
}

/// Whether a search came to its end; one that did not may end the next time.
fn is_worth_keeping(tried: &Tried) -> bool {
    !tried.is_cut_short && tried.plans.iter().all(Result::is_ok)
}

/// The launch, if its worker is worth being used again; else it ends.
pub(in crate::runner) async fn warm(plan: &Plan, launch: Option<Launch>) -> Option<Launch> {
    let mut launch = launch?;
    let taken = [launch.record.session_load_ns, launch.record.first_run_ns]
        .into_iter()
        .flatten();
    let is_long = taken.map(Duration::from).sum::<Duration>() > LONG_START;
    if is_long && launch.worker.is_alive() && may_serve(plan, launch.record.session) {
        launch.record.is_probed = true;
        return Some(launch);
    }
    launch.worker.end().await;
    None
}

/// Whether a launch before the run may be used in it, rather than one more being made.
pub(super) fn may_serve(plan: &Plan, session: usize) -> bool {
    !plan.sessions[session].is_accelerated() && plan.schedule.page_cache == PageCache::Warm
}

pub(in crate::runner) async fn start(
    job: &Job,
    launcher: &Launcher,
    session: usize,
) -> Result<Launch, Failure> {
    let spec = &job.plan.sessions[session];
    let setup = LaunchSetup {
        model: &job.plan.variant_of(session).path,
        spec,
        patience: launcher.patience(),
    };
    let record = launch::blank(0, 0, session, Nanos::from(job.started.elapsed()));
    // What a runtime says of inputs that it refuses is not of the run.
    let log = launcher
        .log(INPUTS_LOG)
        .map_err(|error| Failure::new(FailureKind::Runtime, &error, None))?;
    Launch::start(launcher, &setup, log, record)
        .await
        .map_err(|(_, failure)| failure)
}

/// Time that trying out may take beside one load and one inference.
fn limit(plan: &Plan) -> Duration {
    let budget = plan.schedule.budget_ns.map(Duration::from);
    budget
        .map(|budget| budget.mul_f64(BUDGET_SHARE))
        .unwrap_or_default()
        .max(LEAST)
}

/// How long the first inferences are waited for.
fn patience(job: &Job) -> Duration {
    let Some(budget) = job.plan.schedule.budget_ns else {
        return Duration::MAX;
    };
    Duration::from(budget)
        .saturating_sub(job.started.elapsed())
        .max(LONGEST_INFERENCE)
}

fn probe_request(plan: &Plan, session: usize, limit: Duration) -> ProbeRequest {
    ProbeRequest {
        model: plan.variant_of(session).path.clone(),
        inputs: plan.inputs.clone(),
        shapes: plan.shapes.clone(),
        usual: identity::usual(plan),
        limit_ns: Nanos::from(limit),
        memory_bytes: room(),
        float_rounding: plan.sessions[session].float_rounding(),
    }
}

async fn try_out(
    job: &Job,
    launcher: &Launcher,
    session: usize,
) -> Result<(Tried, Launch, Option<Failure>), Failure> {
    let mut launch = start(job, launcher, session).await?;
    let began = Instant::now();
    let limit = limit(&job.plan);
    let request = probe_request(&job.plan, session, limit);
    let tried = ask(
        &mut launch,
        patience(job),
        &Request::Probe(Box::new(request)),
        "try inputs out",
    )
    .await?;
    launch.record.first_run_ns = tried.first_run_ns;
    let inference = Duration::from(tried.probe.inference_ns.unwrap_or_default());
    let left = (limit + inference * tried.plans.len() as u32).saturating_sub(began.elapsed());
    let request = Request::Prove {
        limit_ns: Nanos::from(left),
    };
    let proved = ask(
        &mut launch,
        left + PATIENCE + inference,
        &request,
        "prove the batch",
    )
    .await;
    Ok(match proved {
        Ok(proved) => (proved, launch, None),
        Err(failure) => (not_proved(tried, &failure), launch, Some(failure)),
    })
}

/// Memory that inputs and outputs of a trial may take; absent where no bound is known.
pub(in crate::runner) fn room() -> Option<Bytes> {
    memory::free().map(|free| Bytes((free.as_f64() * MEMORY_SHARE) as u64))
}

async fn ask(
    launch: &mut Launch,
    limit: Duration,
    request: &Request,
    doing: &str,
) -> Result<Tried, Failure> {
    match launch.worker.ask_within(limit, request, doing).await? {
        Response::Tried(tried) => Ok(*tried),
        other => Err(launch.worker.unexpected(&other).await),
    }
}

fn not_proved(mut tried: Tried, failure: &Failure) -> Tried {
    tried.is_cut_short = true;
    let reason = failure.message.exact();
    for plan in tried
        .plans
        .iter_mut()
        .flatten()
        .chain(tried.inputs.as_deref_mut())
        .filter(|plan| !plan.batch_axis.axes.is_empty())
    {
        let proof = BatchProof::NotProved {
            reason: reason.to_owned().into(),
        };
        plan.batch_axis = BatchAxis {
            proof,
            ..plan.batch_axis.clone()
        };
    }
    tried
}
