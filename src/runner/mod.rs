//! The parent side of a run: rounds of launches, blocks in turn, a watchdog, and everything that finishes written down.
//!
//! It never loads a model and sleeps while a worker measures. Whoever shows progress is an [`Observer`]. Read [`run`]
//! first.

mod before;
mod beside;
mod cells;
mod earlier;
mod energy;
mod fitness;
mod interruption;
mod kept;
mod launch;
mod launcher;
mod limits;
mod names;
mod patience;
mod progress;
mod rounds;
mod search;
mod time;
mod worker_process;

pub use before::runtimes::FoundRuntime;
pub use beside::budget::Diagnosing;
pub use earlier::{earlier_runs, remember_run};
pub use progress::{Observer, Progress};
pub use rounds::pace::{Expected, FirstRounds, expected, first_rounds};
pub use rounds::stop::look_rounds;
pub use search::guide::{Clock, Guide, Move};
pub use worker_process::WorkerCommand;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::inputs::InputPlan;
use crate::observed::Observed;
use crate::plan::{InputRequest, PageCache, Pin, Plan, Shape};
use crate::protocol::Tried;
use crate::record::{
    EndReason, Event, Failure, FailureKind, Host, LostWorker, ModelSummary, ProbeRecord, RunInfo, RunRecord,
};
use crate::sample::{OwnProcesses, Roots, Sampler, affinity, process};
use crate::store::{RunFolder, StoreError};
use crate::units::Nanos;
use before::{Beginning, choose_sessions, first_record, open_journal, prepare, rehearse, settle, settle_plan};
use interruption::Interruption;
use launcher::Launcher;
use limits::{LEAST_FILES, require_files, survive_file_size_limit};
use rounds::bindings;
use rounds::round::Run;
use time::Time;

/// Everything that a run starts from.
#[derive(Debug)]
pub struct Job {
    /// What to run.
    pub plan: Plan,
    /// Where to write.
    pub folder: RunFolder,
    /// What is known of the run before it begins.
    pub info: RunInfo,
    /// The machine.
    pub host: Host,
    /// The runtimes of the plan.
    pub runtimes: Vec<FoundRuntime>,
    /// What is to be said about the options that were taken, for the record.
    pub notes: Vec<String>,
    /// How to start workers.
    pub worker: WorkerCommand,
    /// When the budget began to run.
    pub started: Instant,
    /// How much of the plan is measured.
    pub extent: Extent,
    /// What says how a search goes on; absent for a plan that is measured as it stands.
    pub guide: Option<Box<dyn Guide>>,
    /// The record of a run that is taken up again in its folder; absent for a new one.
    pub resumed: Option<Box<RunRecord>>,
    /// Workers that were lost before the run; there are none when it is handed over.
    pub lost_workers: Vec<LostWorker>,
}

/// How much of a plan is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// The rounds alone: nothing is scored, and nothing is profiled.
    Rounds,
    /// Just enough to tell what the whole will take: nothing is scored, and it ends after this much time at the latest.
    Probe(Duration),
}

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The run folder could not be written; what was written before is there.
    #[error("failed to write down the run")]
    Store(#[from] StoreError),
    /// No variant could even be read.
    #[error("no model can be measured")]
    NoVariant {
        /// Why not, one for each variant.
        failures: Vec<Failure>,
    },
    /// A runtime cannot be used, or lacks the execution provider.
    #[error("the runtime cannot be used: {}", .0.message)]
    Runtime(Failure),
    /// The user or the system asked this process to end before the first measurement.
    #[error("interrupted before anything was measured")]
    Interrupted,
    /// A search cannot be taken up again, because what it measured is not what there is now.
    #[error("the search cannot be taken up again: {0}")]
    Changed(String),
    /// A fall of accuracy is limited, and there is nothing to measure an accuracy with.
    #[error("`--max-accuracy-drop` needs labels, and the data has none")]
    Unlabelled,
    /// A fall of accuracy is limited, and labels are numbers to predict.
    #[error("`--max-accuracy-drop` is of a share of right answers, and the labels are numbers to predict")]
    NoShare,
    /// Labels fit no output in a form that is known.
    #[error("outputs cannot be scored: {}", .0.message)]
    Labels(Failure),
    /// The system does not let this process open as many files as it takes.
    #[error("at most {limit} files may be open at once, and {LEAST_FILES} are needed")]
    Files {
        /// How many it lets be open.
        limit: u64,
    },
    /// The system refused what a parent needs.
    #[error("failed to set up the run")]
    System(#[from] std::io::Error),
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ran {
    /// The folder, still locked.
    pub folder: RunFolder,
    /// Everything that was found.
    pub record: RunRecord,
    /// Why not all of the record is on disk, or why the run was ended before its time: a full disk, for one.
    pub unwritten: Option<StoreError>,
}

/// Runs a job to its end, or until it is interrupted or cannot be written down.
///
/// # Errors
/// [`RunError::NoVariant`], [`RunError::Runtime`] or [`RunError::Interrupted`] before anything is written;
/// [`RunError::Store`] if the folder cannot be written before the first measurement. A session that fails is no error: it
/// is in the record.
pub fn run(job: Job, observer: &mut dyn Observer) -> Result<Ran, RunError> {
    survive_file_size_limit()?;
    require_files()?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(drive(job, observer))
}

/// What a model is fed, found out by running it.
#[derive(Clone, Debug)]
pub struct TriedInputs {
    /// Shapes that inputs were looked for.
    pub shapes: Vec<Shape>,
    /// Inputs of every shape, or why the model does not take it.
    pub plans: Vec<Observed<InputPlan>>,
    /// What else running it showed.
    pub probe: ProbeRecord,
}

impl From<Tried> for TriedInputs {
    fn from(tried: Tried) -> Self {
        let Tried { shapes, plans, probe, .. } = tried;
        TriedInputs { shapes, plans, probe }
    }
}

/// Tries the inputs of a job's first variant out that can be, or takes what an earlier run found, and measures nothing.
///
/// # Errors
/// As [`run`] before anything is written; a session that cannot be created is one.
pub fn try_inputs(job: Job, observer: &mut dyn Observer) -> Result<TriedInputs, RunError> {
    require_files()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(find_inputs(job, observer))?;
    found.map(|found| found.tried.into()).ok_or_else(|| {
        let message = "no session of the model could be created".into();
        let hint = Some("`onnxprof profile` says why".into());
        RunError::NoVariant { failures: vec![Failure { kind: FailureKind::SessionLoad, message, hint }] }
    })
}

async fn find_inputs(mut job: Job, observer: &mut dyn Observer) -> Result<Option<settle::Found>, RunError> {
    let mut launcher = Launcher::new(job.worker.clone(), &job.folder, OwnProcesses::default());
    let prepared = prepare(&job, &launcher, observer).await?;
    choose_sessions(&mut job, &prepared);
    launcher.restrict(place(&job.plan, &job.host, &launcher.roots));
    settle::find(&mut job, &prepared.descriptions, &launcher, observer).await
}

/// What an earlier run found of a model file with these inputs and without a sweep, whatever its library and options.
#[must_use]
pub fn known_inputs(path: &Path, model: &ModelSummary, sha256: &str, inputs: &InputRequest) -> Option<TriedInputs> {
    settle::known(path, model, sha256, inputs).map(TriedInputs::from)
}

async fn drive(mut job: Job, observer: &mut dyn Observer) -> Result<Ran, RunError> {
    let mut interruption = Interruption::listen()?;
    let own = OwnProcesses::default();
    let mut launcher = Launcher::new(job.worker.clone(), &job.folder, own.clone());
    let mut prepared = interruption.unless(prepare(&job, &launcher, observer)).await?;
    choose_sessions(&mut job, &prepared);
    launcher.restrict(place(&job.plan, &job.host, &launcher.roots));
    let sampler = Sampler::new(&launcher.roots);
    let energy = energy::EnergyWatch::begin(&job.plan, &launcher.roots, own);
    let energy = interruption.unless(at_rest(energy, &job, &sampler)).await?;
    let launch = settle::settle(&mut job, &mut prepared.descriptions, &launcher, observer);
    let launch = interruption.unless(launch).await?;
    settle_plan(&mut job, &prepared)?;
    let launch = interruption.unless(rehearse::labels(&mut job, &mut prepared, launch, &launcher)).await?;
    let warm = settle::warm(&job.plan, launch).await;
    let time = time(&job);
    let watch = fitness::Watch::begin(&launcher.roots, launcher.cpus(), &job.host);
    let beginning = Beginning { info: job.info, host: job.host, notes: job.notes, lost_workers: job.lost_workers };
    let record = first_record(&job.plan, beginning, &prepared.descriptions);
    record.notes.iter().for_each(|note| observer.observe(&Progress::Note(note)));
    let (journal, before) = open_journal(job.folder, record, job.resumed, prepared.runtimes)?;
    launcher.number_after(journal.record());
    let mut run = Run {
        time,
        beside_until: None,
        rounds_done: 0,
        has_swept: false,
        extent: job.extent,
        warm,
        next_round: journal.record().blocks.iter().map(|block| block.round + 1).max().unwrap_or(0),
        plan: journal.record().plan.clone(),
        bound_anew: bindings::known(journal.record()),
        journal,
        descriptions: prepared.descriptions,
        watch,
        energy,
        launcher,
        started: job.started,
        before,
        closed: BTreeSet::new(),
        resting: BTreeSet::new(),
        sampler,
        blocks_count: 0,
        disturbed_count: 0,
        sampling_costs: Vec::new(),
        observer,
    };
    match until_interrupted(&mut run, job.guide, &mut interruption).await {
        Ok(reason) => {
            run.observer.observe(&Progress::Ended(reason));
            run.finish(reason)
        }
        Err(RunError::Store(error)) => Ok(run.break_off(error)),
        Err(error) => Err(error),
    }
}

/// What watches GPUs and energy, once it has seen what they take before anything of the run computes on them.
async fn at_rest(
    mut watch: energy::EnergyWatch,
    job: &Job,
    sampler: &Sampler,
) -> Result<energy::EnergyWatch, RunError> {
    watch.look_at_idle(sampler, energy::patience(&job.extent, job.plan.schedule.budget_ns)).await;
    Ok(watch)
}

/// Measures until there is a reason to end, or an interruption comes.
async fn until_interrupted(
    run: &mut Run<'_>,
    mut guide: Option<Box<dyn Guide>>,
    interruption: &mut Interruption,
) -> Result<EndReason, RunError> {
    let measured = async {
        match &mut guide {
            Some(guide) => run.search(guide.as_mut()).await,
            None => run.measure().await,
        }
    };
    tokio::select! {
        reason = measured => reason,
        () = interruption.comes() => {
            if run.extent == Extent::Whole && guide.is_none() {
                run.leave_unprofiled()?;
            }
            Ok(EndReason::Interrupted)
        }
    }
}

/// The time that a job may take.
fn time(job: &Job) -> Time {
    match (job.extent, job.plan.schedule.budget_ns) {
        (Extent::Probe(limit), _) => Time::of_probe(job.started + limit),
        (Extent::Whole | Extent::Rounds, budget) => {
            Time::of_budget(budget.map(|budget| job.started + Duration::from(budget)))
        }
    }
}

/// Chooses CPUs for the workers, and moves the parent away from them where there is room.
fn place(plan: &Plan, host: &Host, roots: &Roots) -> Option<Vec<u64>> {
    match &plan.schedule.pin {
        Pin::None => None,
        Pin::Cpus(cpus) => Some(cpus.clone()),
        Pin::Auto => {
            let threads = |concurrency: u64| {
                let planned = plan.sessions.iter().map(|session| session.options.intra_threads);
                let tried = plan.tuning.iter().flat_map(|tuning| tuning.space.intra_threads.iter().copied());
                let pool = planned.chain(tried).max().unwrap_or(1);
                pool + concurrency - 1
            };
            let most = plan.load_modes.iter().map(|mode| threads(mode.concurrency())).max().unwrap_or(1);
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

impl Run<'_> {
    /// Writes the end of the run down, as far as that can be: the record has all of it in any case.
    fn finish(mut self, reason: EndReason) -> Result<Ran, RunError> {
        for noted in [self.check_page_cache(), self.judge_machine().map_err(RunError::from), self.note_monitoring()] {
            match noted {
                // Whatever the journal lacks is in the record, which is written as a whole below.
                Ok(()) | Err(RunError::Store(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.sampling_costs.sort_unstable();
        let info = RunInfo {
            elapsed_ns: Some(self.elapsed()),
            ended_by: Some(reason),
            sampling_cost_ns: self.sampling_costs.get(self.sampling_costs.len() / 2).copied(),
            parent_peak_memory_bytes: process::own_peak_memory(&self.launcher.roots).ok(),
            ..self.journal.record().run.clone()
        };
        let _ = self.journal.append(Event::Ended(info));
        let unwritten = self.journal.finish().err();
        Ok(self.into_ran(unwritten))
    }

    /// Ends a run that cannot be written down any further, with all that it found until then.
    fn break_off(mut self, error: StoreError) -> Ran {
        // Where the record fits although the journal did not, it holds more.
        let _ = self.journal.finish();
        self.into_ran(Some(error))
    }

    fn into_ran(self, unwritten: Option<StoreError>) -> Ran {
        let (folder, record) = self.journal.into_parts();
        folder.clear_leftovers();
        Ran { folder, record, unwritten }
    }

    /// Says so where the kernel kept the models in the page cache although they were to be dropped.
    fn check_page_cache(&mut self) -> Result<(), RunError> {
        let launches = || self.journal.record().launches.iter().filter(|launch| launch.session_load_ns.is_some());
        let read_nothing = launches().any(|launch| launch.load_storage_read_bytes.is_none_or(|bytes| bytes.0 == 0));
        if self.plan.schedule.page_cache == PageCache::Cold && read_nothing {
            self.note("loads are not cold: the kernel kept models in the page cache, or does not tell".into())?;
        }
        Ok(())
    }

    /// Wall time since the start of the run.
    fn elapsed(&self) -> Nanos {
        Nanos::from(self.before + self.started.elapsed())
    }
}
