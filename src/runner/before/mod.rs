//! Before the first measurement of a run: it reads models and runtimes, settles the plan, and opens
//! the journal.

mod describe;
pub(super) mod rehearse;
mod runtimes;
pub(super) mod settle;

use std::path::Path;
use std::time::Duration;

use crate::plan::{CellKey, LoadPlan, Pin, Plan, Serving, SessionSpec, TuningPlan};
use crate::record::{
    CellRecord, DatasetInfo, Event, Host, NOT_REACHED, Outcome, RunInfo, RunRecord, RuntimeInfo,
    SCHEMA_VERSION, Statistics, Tuning,
};
use crate::runner::rounds::stop;
use crate::runner::{Description, Job, Launcher, Observer, Progress, Result, RunError};
use crate::sample::{Roots, affinity};
use crate::store::{Journal, RunFolder};
use crate::text::Plain;

pub(super) fn settle_plan(job: &mut Job, descriptions: &[Description]) -> Result<()> {
    job.notes.extend(
        describe::fit_batch_sizes(&mut job.plan, descriptions).filter(|_| job.resumed.is_none()),
    );
    if let Some(load) = &job.plan.load {
        require_batches(load, &job.plan, descriptions)?;
    }
    if let Some(tuning) = &mut job.plan.tuning {
        require_labels(tuning, descriptions)?;
        if job.resumed.is_none() {
            tuning.base_sessions_count = job.plan.sessions.len();
        }
    }
    Ok(())
}

/// Makes sure that models take the batches that batchers form.
fn require_batches(load: &LoadPlan, plan: &Plan, descriptions: &[Description]) -> Result<()> {
    let batched = load
        .servings
        .iter()
        .filter(|serving| serving.batcher.is_some());
    let Some(most) = batched.map(Serving::max_batch).max() else {
        return Ok(());
    };
    for (variant, description) in plan.variants.iter().zip(descriptions) {
        let Ok(described) = description else { continue };
        if let Err(reason) = described.inputs.supports_batch(most) {
            return Err(RunError::NoBatch {
                variant: variant.name.exact().to_owned(),
                reason,
            });
        }
    }
    Ok(())
}

/// Begins the journal of a run, or takes up an old one; returns it with the time that was spent
/// before.
pub(super) fn open_journal(
    folder: RunFolder,
    record: RunRecord,
    resumed: Option<Box<RunRecord>>,
    runtimes: Vec<RuntimeInfo>,
) -> Result<(Journal, Duration)> {
    let (mut journal, before) = match resumed {
        None => (Journal::begin(folder, record)?, Duration::ZERO),
        Some(old) => resume(folder, *old, record, &runtimes)?,
    };
    for runtime in runtimes {
        let record = journal.record();

        if record
            .plan
            .sessions
            .iter()
            .any(|session| *session.runtime.path() == runtime.path)
            && record
                .runtimes
                .iter()
                .all(|known| known.path != runtime.path)
        {
            journal.append(Event::Runtime(runtime))?;
        }
    }
    Ok((journal, before))
}

fn resume(
    folder: RunFolder,
    mut old: RunRecord,
    fresh: RunRecord,
    runtimes: &[RuntimeInfo],
) -> Result<(Journal, Duration)> {
    require_same_files(&old, &fresh)?;
    require_same_libraries(&old.runtimes, runtimes)?;
    let elapsed = old.spent();
    old.plan.schedule.budget_ns = fresh.plan.schedule.budget_ns.map(|budget| elapsed + budget);
    let mut journal = Journal::resume(folder, old)?;
    journal.append(Event::Resumed {
        elapsed_ns: elapsed,
    })?;
    for lost in fresh.lost_workers {
        journal.append(Event::Lost(lost))?;
    }
    Ok((journal, elapsed.into()))
}

fn require_same_files(old: &RunRecord, fresh: &RunRecord) -> Result<()> {
    for (variant, (before, now)) in old
        .plan
        .variants
        .iter()
        .zip(old.variants.iter().zip(&fresh.variants))
    {
        if before.sha256 != now.sha256 {
            return Err(another("file", &variant.path));
        }
    }
    Ok(())
}

fn require_same_libraries(old: &[RuntimeInfo], fresh: &[RuntimeInfo]) -> Result<()> {
    for before in old {
        if !fresh.iter().any(|now| is_same_library(now, before)) {
            return Err(another("library", &before.path));
        }
    }
    Ok(())
}

fn another(kind: &str, path: &Path) -> RunError {
    let path = path.display();
    RunError::Changed(format!("`{path}` is another {kind} than before"))
}

fn is_same_library(one: &RuntimeInfo, other: &RuntimeInfo) -> bool {
    one.path == other.path && one.version == other.version && one.build_info == other.build_info
}

/// A limit on the fall of accuracy takes labels to hold it against.
fn require_labels(tuning: &TuningPlan, descriptions: &[Description]) -> Result<()> {
    let described = descriptions.iter().flatten();
    let mut datasets = described.filter_map(|described| described.dataset.as_ref());
    if tuning.max_accuracy_drop_ratio.is_some() && !datasets.any(DatasetInfo::has_labels) {
        return Err(RunError::Unlabelled);
    }
    Ok(())
}

pub(super) struct Prepared {
    pub descriptions: Vec<Description>,
    pub runtimes: Vec<RuntimeInfo>,
}

/// Reads the variants and opens the runtimes, and chooses the CPUs that workers run on from then
/// on.
pub(super) async fn prepare(
    job: &mut Job,
    launcher: &mut Launcher,
    observer: &mut dyn Observer,
) -> Result<Prepared> {
    let descriptions = describe::describe_all(&job.plan, launcher, observer).await;
    if descriptions.iter().all(Result::is_err) {
        return Err(RunError::NoVariant {
            failures: descriptions.into_iter().filter_map(Result::err).collect(),
        });
    }
    let runtimes = runtimes::open_all(&job.plan, &job.runtimes, launcher)
        .await
        .map_err(RunError::Runtime)?;
    for (variant, description) in job.plan.variants.iter().zip(&descriptions) {
        if let Err(failure) = description {
            observer.observe(&Progress::Failed {
                session: variant.name.exact(),
                place: None,
                failure,
            });
        }
    }
    // What cannot be measured at all is left out.
    job.notes
        .extend(runtimes::leave_out_unoffered(&mut job.plan, &runtimes));
    job.notes.extend(describe::replace_unreadable_baseline(
        &mut job.plan,
        &descriptions,
    ));
    launcher.cpus = worker_cpus(&job.plan, &job.host, &launcher.roots);
    launcher.spreads_threads = spreads_threads(&job.plan);
    Ok(Prepared {
        descriptions,
        runtimes,
    })
}

/// Threads of the largest pool of a session, planned or searched.
fn largest_pool(plan: &Plan) -> u64 {
    plan.sessions
        .iter()
        .map(|spec| &spec.options.intra_threads)
        .chain(
            plan.tuning
                .iter()
                .flat_map(|tuning| &tuning.space.intra_threads),
        )
        .max()
        .copied()
        .unwrap_or(1)
}

fn worker_cpus(plan: &Plan, host: &Host, roots: &Roots) -> Option<Vec<u64>> {
    match &plan.schedule.pin {
        Pin::None => None,
        Pin::Cpus(cpus) => Some(cpus.clone()),
        Pin::Auto | Pin::Each => {
            let most = plan
                .load_modes
                .iter()
                .map(|mode| mode.threads_count())
                .max()
                .map_or(1, |most| largest_pool(plan) + most - 1)
                .max(served_at_once(plan));
            let placement = affinity::choose_cpus(
                most.min(host.usable_cpus_count),
                &host.affinity_cpus,
                &affinity::Topology::read(roots),
            );
            // A parent that stays where it was costs a little precision, nothing else.
            let _ = affinity::set_own_affinity(&placement.parent);
            Some(placement.worker)
        }
    }
}

/// Threads that compute at once where sessions are served, the one that sends requests included; 0
/// without load.
fn served_at_once(plan: &Plan) -> u64 {
    let servings = plan.load.iter().flat_map(|load| &load.servings);
    let most = servings.map(|serving| serving.threads(largest_pool(plan)) + serving.processes);
    most.max().unwrap_or_default()
}

/// Whether threads of a session have a CPU each: not where a worker starts threads of its own for
/// requests.
fn spreads_threads(plan: &Plan) -> bool {
    plan.schedule.pin == Pin::Each
        && plan.load.is_none()
        && plan.load_modes.iter().all(|mode| mode.threads_count() <= 1)
}

fn not_reached(key: CellKey) -> CellRecord {
    CellRecord::new(key, Outcome::skipped(NOT_REACHED))
}

/// The job's notes and those on inputs, each once.
fn notes(job: &Job, descriptions: &[Description]) -> Vec<String> {
    let mut notes = job.notes.clone();
    let described = descriptions.iter().flatten();
    let inputs = described
        .flat_map(|described| described.shapes.iter().flatten().chain([&described.inputs]));
    for note in inputs.flat_map(|inputs| &inputs.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    if job
        .plan
        .sessions
        .first()
        .is_some_and(SessionSpec::is_scripted)
    {
        notes.push("latencies come from a script: nothing was executed".into());
    }
    notes
}

pub(super) fn first_record(job: &Job, descriptions: &[Description]) -> RunRecord {
    let plan = &job.plan;
    let mut described = descriptions.iter().flatten();
    RunRecord {
        schema_version: SCHEMA_VERSION,
        run: RunInfo {
            harness_cost_ns: described
                .clone()
                .map(|described| described.harness_cost_ns)
                .min(),
            ..job.info.clone()
        },
        host: job.host.clone(),
        plan: plan.clone(),
        runtimes: Vec::new(),
        variants: descriptions.iter().map(describe::variant_record).collect(),
        dataset: described.find_map(|described| described.dataset.clone()),
        launches: Vec::new(),
        cells: plan.cells().map(not_reached).collect(),
        blocks: Vec::new(),
        accuracy: Vec::new(),
        notes: notes(job, descriptions)
            .into_iter()
            .map(Plain::from)
            .collect(),
        statistics: Some(Statistics::in_use(stop::look_rounds(plan))),
        fitness: None,
        conditions: None,
        placements: Vec::new(),
        monitoring: None,
        operators: Vec::new(),
        peaks: Vec::new(),
        contrasts: Vec::new(),
        idle_gaps: Vec::new(),
        lost_workers: job.lost_workers.clone(),
        tuning: plan.tuning.as_ref().map(|_| Tuning::default()),
        load: None,
    }
}
