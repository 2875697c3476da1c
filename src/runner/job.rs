//! What a run starts from, and what comes of it.

use std::time::{Duration, Instant};

use super::{Guide, WorkerCommand};
use crate::plan::{Plan, RuntimeChoice};
use crate::protocol::Described;
use crate::record::{Failure, Host, LostWorker, RunInfo, RunRecord};
use crate::store::{RunFolder, StoreError};

/// Everything that a run starts from.
#[derive(Debug)]
pub struct Job {
    /// The plan.
    pub plan: Plan,
    /// Where to write.
    pub folder: RunFolder,
    /// Name, command and start of the run.
    pub info: RunInfo,
    /// The machine.
    pub host: Host,
    /// The runtimes of the plan.
    pub runtimes: Vec<FoundRuntime>,
    /// Remarks on the options that were taken, for the record.
    pub notes: Vec<String>,
    /// How to start workers.
    pub worker: WorkerCommand,
    /// When the budget began to run.
    pub started: Instant,
    /// How much of the plan is measured.
    pub extent: Extent,
    /// Decides how a search goes on; absent for a plan that is measured as it stands.
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

/// A runtime of the plan.
#[derive(Clone, Debug)]
pub struct FoundRuntime {
    /// The runtime.
    pub choice: RuntimeChoice,
    /// How it was found, for the record.
    pub found_by: String,
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

pub(super) type Description = Result<Described, Failure>;
