//! A run from its beginning to its end.

use std::collections::BTreeSet;
use std::path::Path;

use super::before::{self, Prepared, rehearse, settle};

use super::beside::profile;
use super::block::Meter;
use super::energy::{EnergyWatch, rest};
use super::rounds::bindings;

use super::schedule;
use super::system::{Interruption, Watch, require_files, survive_file_size_limit};
use super::time::Time;
use super::{
    Course, Extent, Job, Launch, Launcher, Observer, Progress, Ran, Result, Run, RunError,
};
use crate::plan::{InputRequest, PageCache};
use crate::protocol::Tried;
use crate::record::{EndReason, Event, Failure, FailureKind, ModelSummary, RunInfo};
use crate::sample::{OwnProcesses, Sampler, process};
use crate::store::StoreError;

/// Runs a job to its end, or until it is interrupted or cannot be written down.
///
/// # Errors
/// [`RunError::NoVariant`], [`RunError::Runtime`] or [`RunError::Interrupted`] before anything is
/// written; [`RunError::Store`] if the folder cannot be written before the first measurement. A
/// session that fails is no error: it is in the record.
pub fn run(job: Job, observer: &mut dyn Observer) -> Result<Ran, RunError> {
    survive_file_size_limit()?;
    require_files()?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(drive(job, observer))
}

/// Tries the inputs of a job's first variant out that can be, or takes what an earlier run found,
/// and measures nothing.
///
/// # Errors
/// As [`run`] before anything is written; a session that cannot be created is one.
pub fn try_inputs(job: Job, observer: &mut dyn Observer) -> Result<Tried, RunError> {
    require_files()?;
    let found = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(find_inputs(job, observer))?;
    found.map(|found| found.tried).ok_or_else(|| {
        let failure = Failure::of(
            FailureKind::SessionLoad,
            "no session of the model could be created",
        );
        RunError::NoVariant {
            failures: vec![failure.hinted("`onnxprof profile` says why")],
        }
    })
}

async fn find_inputs(mut job: Job, observer: &mut dyn Observer) -> Result<Option<settle::Found>> {
    let mut launcher = Launcher::new(job.worker.clone(), &job.folder, OwnProcesses::default());
    let prepared = before::prepare(&mut job, &mut launcher, observer).await?;
    settle::find(&mut job, &prepared.descriptions, &launcher, observer).await
}

/// An earlier run's findings of a model file with these inputs and without a sweep, whatever its
/// library and options.
#[must_use]
pub fn known_inputs(
    path: &Path,
    model: &ModelSummary,
    sha256: &str,
    inputs: &InputRequest,
) -> Option<Tried> {
    settle::known(path, model, sha256, inputs)
}

async fn drive(mut job: Job, observer: &mut dyn Observer) -> Result<Ran> {
    let mut interruption = Interruption::listen()?;
    let ready = interruption.unless(make_ready(&mut job, observer)).await?;
    let mut course = std::mem::take(&mut job.course);
    let (mut run, watch) = begin(job, ready, observer).await?;
    match until_interrupted(&mut run, &mut course, &mut interruption).await {
        Ok(reason) => {
            run.observer.observe(&Progress::Ended(reason));
            finish(run, &watch, reason)
        }
        Err(RunError::Store(error)) => {
            // Where the record fits although the journal did not, it holds more.
            let _ = run.journal.finish();
            Ok(into_ran(run, Some(error)))
        }
        Err(error) => Err(error),
    }
}

struct Ready {
    launcher: Launcher,
    sampler: Sampler,
    energy: EnergyWatch,
    prepared: Prepared,
    /// A launch that inputs were tried out in, if there was one.
    launch: Option<Launch>,
}

async fn make_ready(job: &mut Job, observer: &mut dyn Observer) -> Result<Ready> {
    let own = OwnProcesses::default();
    let mut launcher = Launcher::new(job.worker.clone(), &job.folder, own.clone());
    let mut prepared = before::prepare(job, &mut launcher, observer).await?;
    let sampler = Sampler::new(&launcher.roots);
    let mut energy = EnergyWatch::begin(&job.plan, &launcher.roots, own);
    // Before anything of the run computes on a GPU.
    energy
        .look_at_idle(
            &sampler,
            rest::patience(job.extent, job.plan.schedule.budget_ns),
        )
        .await;
    let launch = settle::settle(job, &mut prepared.descriptions, &launcher, observer).await?;
    before::settle_plan(job, &prepared.descriptions)?;
    let launch = rehearse::labels(job, &mut prepared, launch, &launcher).await?;
    Ok(Ready {
        launcher,
        sampler,
        energy,
        prepared,
        launch,
    })
}

async fn begin(job: Job, ready: Ready, observer: &mut dyn Observer) -> Result<(Run<'_>, Watch)> {
    let Ready {
        mut launcher,
        sampler,
        energy,
        prepared,
        launch,
    } = ready;
    let warm = settle::warm(&job.plan, launch).await;
    let mut time = Time::of(&job);
    let watch = Watch::begin(&launcher.roots, launcher.cpus.as_deref(), &job.host);
    let record = before::first_record(&job, &prepared.descriptions);
    for note in &record.notes {
        observer.observe(&Progress::Note(note.exact()));
    }
    let (journal, before) =
        before::open_journal(job.folder, record, job.resumed, prepared.runtimes)?;
    time.before = before;
    launcher.number_after(journal.record());
    let run = Run {
        bound_anew: bindings::known(journal.record()),
        journal,
        descriptions: prepared.descriptions,
        launcher,
        energy,
        meter: Meter::new(sampler),
        time,
        extent: job.extent,
        warm,
        closed: BTreeSet::new(),
        resting: BTreeSet::new(),
        observer,
    };
    Ok((run, watch))
}

async fn until_interrupted(
    run: &mut Run<'_>,
    course: &mut Course,
    interruption: &mut Interruption,
) -> Result<EndReason> {
    let is_profiled = run.extent == Extent::Whole && !matches!(course, Course::Search(_));
    let measured = async {
        match course {
            Course::Search(guide) => schedule::search(run, guide.as_mut()).await,
            Course::Load(guide) => schedule::under_load(run, guide.as_mut()).await,
            Course::Until(goal) => schedule::measure(run, Some(goal.as_ref())).await,
            Course::Planned => schedule::measure(run, None).await,
        }
    };
    tokio::select! {
        reason = measured => reason,
        () = interruption.comes() => {
            if is_profiled {
                profile::leave_rest(run)?;
            }
            Ok(EndReason::Interrupted)
        }
    }
}

/// Writes the end of the run down, as far as that can be: the record has all of it in any case.
fn finish(mut run: Run<'_>, watch: &Watch, reason: EndReason) -> Result<Ran> {
    for noted in [
        check_page_cache(&mut run),
        judge_machine(&mut run, watch),
        run.note_monitoring(),
    ] {
        match noted {
            // Whatever the journal lacks is in the record, which is written as a whole below.
            Ok(()) | Err(RunError::Store(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let info = RunInfo {
        elapsed_ns: Some(run.elapsed()),
        ended_by: Some(reason),
        sampling_cost_ns: run.meter.cost(),
        parent_peak_memory_bytes: process::own_peak_memory(&run.launcher.roots).ok(),
        ..run.record().run.clone()
    };
    let _ = run.append(Event::Ended(info));
    let unwritten = run.journal.finish().err();
    Ok(into_ran(run, unwritten))
}

fn into_ran(run: Run<'_>, unwritten: Option<StoreError>) -> Ran {
    let (folder, record) = run.journal.into_parts();
    folder.clear_leftovers();
    Ran {
        folder,
        record,
        unwritten,
    }
}

fn judge_machine(run: &mut Run<'_>, watch: &Watch) -> Result<()> {
    run.append(watch.judge(&run.launcher.roots, run.record(), run.energy.conditions()))
}

fn check_page_cache(run: &mut Run<'_>) -> Result<()> {
    let mut loads = run
        .record()
        .launches
        .iter()
        .filter(|launch| launch.session_load_ns.is_some());
    let read_nothing = loads.any(|launch| {
        launch
            .load_storage_read_bytes
            .is_none_or(|bytes| bytes.0 == 0)
    });
    if run.plan().schedule.page_cache == PageCache::Cold && read_nothing {
        let note = "loads are not cold: the kernel kept models in the page cache, or does not tell";
        run.note(note.into())?;
    }
    Ok(())
}
