//! What a run does before its first measurement: it reads models and runtimes, settles the plan, and opens the journal.

pub(in crate::runner) mod describe;
pub(in crate::runner) mod rehearse;
pub(in crate::runner) mod runtimes;
pub(in crate::runner) mod settle;

use std::time::Duration;

use crate::plan::{Plan, RuntimeChoice, TuningPlan};
use crate::record::{
    CellRecord, DatasetInfo, Event, Host, LostWorker, NOT_REACHED, Outcome, RunInfo, RunRecord, RuntimeInfo,
    SCHEMA_VERSION, Statistics, Tuning,
};
use crate::runner::before::describe::Description;
use crate::runner::launcher::Launcher;
use crate::runner::rounds::stop;
use crate::runner::search::guide;
use crate::runner::{Job, Observer, Progress, RunError};
use crate::store::{Journal, RunFolder};

/// Leaves out of the plan what cannot be measured at all.
pub(in crate::runner) fn choose_sessions(job: &mut Job, prepared: &Prepared) {
    let Prepared { descriptions, runtimes } = prepared;
    job.notes.extend(runtimes::leave_out_unoffered(&mut job.plan, runtimes));
    job.notes.extend(describe::replace_unreadable_baseline(&mut job.plan, descriptions));
}

/// Fits the plan to what models turned out to be.
pub(in crate::runner) fn settle_plan(job: &mut Job, prepared: &Prepared) -> Result<(), RunError> {
    let Prepared { descriptions, .. } = prepared;
    let said = describe::fit_batch_sizes(&mut job.plan, descriptions);
    job.notes.extend(said.filter(|_| job.resumed.is_none()));
    if let Some(tuning) = &mut job.plan.tuning {
        require_labels(tuning, descriptions)?;
        if job.resumed.is_none() {
            tuning.base_sessions_count = job.plan.sessions.len();
        }
    }
    Ok(())
}

/// Begins the journal of a run, or takes up an old one; returns it with the time that was spent before.
pub(in crate::runner) fn open_journal(
    folder: RunFolder,
    record: RunRecord,
    resumed: Option<Box<RunRecord>>,
    runtimes: Vec<RuntimeInfo>,
) -> Result<(Journal, Duration), RunError> {
    let (mut journal, before) = match resumed {
        None => (Journal::begin(folder, record)?, Duration::ZERO),
        Some(old) => {
            let (mut journal, before) = guide::resume(folder, *old, &record, &runtimes)?;
            record.lost_workers.into_iter().try_for_each(|lost| journal.append(Event::Lost(lost)))?;
            (journal, before)
        }
    };
    for runtime in runtimes {
        let record = journal.record();
        let is_used = record.plan.sessions.iter().any(|session| *session.runtime.path() == runtime.path);
        if is_used && !record.runtimes.iter().any(|known| known.path == runtime.path) {
            journal.append(Event::Runtime(runtime))?;
        }
    }
    Ok((journal, before))
}

/// A limit on the fall of accuracy takes labels to hold it against.
fn require_labels(tuning: &TuningPlan, descriptions: &[Description]) -> Result<(), RunError> {
    let datasets = || descriptions.iter().flatten().filter_map(|described| described.dataset.as_ref());
    let is_labelled = datasets().any(DatasetInfo::has_labels);
    if tuning.max_accuracy_drop_ratio.is_some() && !is_labelled { Err(RunError::Unlabelled) } else { Ok(()) }
}

/// What is known before the first measurement.
pub(in crate::runner) struct Prepared {
    pub descriptions: Vec<Description>,
    pub runtimes: Vec<RuntimeInfo>,
}

/// Reads the variants, and makes sure that there is something to measure and something to measure it with.
pub(in crate::runner) async fn prepare(
    job: &Job,
    launcher: &Launcher,
    observer: &mut dyn Observer,
) -> Result<Prepared, RunError> {
    let descriptions = describe::describe_all(&job.plan, launcher, observer).await;
    if descriptions.iter().all(Result::is_err) {
        return Err(RunError::NoVariant { failures: descriptions.into_iter().filter_map(Result::err).collect() });
    }
    let runtimes = runtimes::open_all(&job.plan, &job.runtimes, launcher).await.map_err(RunError::Runtime)?;
    for (variant, description) in job.plan.variants.iter().zip(&descriptions) {
        if let Err(failure) = description {
            observer.observe(&Progress::Failed { session: &variant.name, place: None, failure });
        }
    }
    Ok(Prepared { descriptions, runtimes })
}

/// What the record holds from the beginning.
pub(in crate::runner) struct Beginning {
    pub info: RunInfo,
    pub host: Host,
    pub notes: Vec<String>,
    pub lost_workers: Vec<LostWorker>,
}

/// The record as it stands before the first measurement.
pub(in crate::runner) fn first_record(plan: &Plan, beginning: Beginning, descriptions: &[Description]) -> RunRecord {
    let Beginning { info, host, mut notes, lost_workers } = beginning;
    let cell = |key| CellRecord {
        key,
        outcome: Outcome::Skipped { reason: NOT_REACHED.into() },
        latency_histogram: None,
        warmup_histogram: None,
        settled_after_rounds: None,
    };
    let described = descriptions.iter().flatten();
    let inputs = described.clone().flat_map(|described| described.shapes.iter().flatten().chain([&described.inputs]));
    for note in inputs.flat_map(|inputs| &inputs.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    if matches!(plan.sessions.first().map(|session| &session.runtime), Some(RuntimeChoice::Script(_))) {
        notes.push("latencies come from a script: nothing was executed".into());
    }
    RunRecord {
        schema_version: SCHEMA_VERSION,
        run: RunInfo { harness_cost_ns: described.clone().map(|described| described.harness_cost_ns).min(), ..info },
        host,
        plan: plan.clone(),
        runtimes: Vec::new(),
        variants: descriptions.iter().map(describe::variant_record).collect(),
        dataset: described.clone().find_map(|described| described.dataset.clone()),
        launches: Vec::new(),
        cells: plan.cells().map(cell).collect(),
        blocks: Vec::new(),
        accuracy: Vec::new(),
        notes,
        statistics: Some(Statistics::in_use(stop::look_rounds(plan))),
        fitness: None,
        conditions: None,
        placements: Vec::new(),
        monitoring: None,
        operators: Vec::new(),
        peaks: Vec::new(),
        contrasts: Vec::new(),
        idle_gaps: Vec::new(),
        lost_workers,
        tuning: plan.tuning.as_ref().map(|_| Tuning::default()),
    }
}
