//! Start of a run, its guide if it is a search, and its outcome.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use super::WorkerCommand;
use crate::plan::{CellKey, Plan, RuntimeChoice, SessionSpec};
use crate::protocol::Described;
use crate::record::{
    Decision, EndReason, Failure, Heat, Host, LoadKey, LoadStage, LostWorker, Offer, RunInfo,
    RunRecord,
};
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
    /// What says how the run goes on.
    pub course: Course,
    /// The record of a run that is taken up again in its folder; absent for a new one.
    pub resumed: Option<Box<RunRecord>>,
    /// Workers that were lost before the run; there are none when it is handed over.
    pub lost_workers: Vec<LostWorker>,
}

/// What says how a run goes on.
#[derive(Debug, Default)]
pub enum Course {
    /// The plan, as it stands, until its figures are as narrow as it asks for.
    #[default]
    Planned,
    /// The plan, as it stands, until something is decided.
    Until(Box<dyn Goal>),
    /// A search, which its guide leads.
    Search(Box<dyn Guide>),
    /// Requests that arrive by themselves, after rounds without load, as its guide leads.
    Load(Box<dyn LoadGuide>),
}

/// Says what is not decided yet of what a run is made for.
pub trait Goal: Debug {
    /// The cells that are to be measured further; the run ends when there are none.
    fn undecided(&self, record: &RunRecord) -> BTreeSet<CellKey>;
}

/// How much of a plan is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// The rounds alone: nothing is scored, and nothing is profiled.
    Rounds,
    /// The rounds and the scores of outputs: nothing is profiled.
    Scored,
    /// Just enough to tell what the whole will take: nothing is scored, and it ends after this much
    /// time at the latest.
    Probe(Duration),
}

/// A runtime of the plan.
#[derive(Clone, Debug)]
pub struct FoundRuntime {
    /// The runtime.
    pub choice: RuntimeChoice,
    /// How it was found, for the record.
    pub found_by: String,
    /// The release that it is in the user's cache, such as `cpu@1.31.1`; absent elsewhere.
    pub release: Option<String>,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ran {
    /// The folder, still locked.
    pub folder: RunFolder,
    /// Everything that was found.
    pub record: RunRecord,
    /// Why not all of the record is on disk, or why the run was ended before its time: a full disk,
    /// for one.
    pub unwritten: Option<StoreError>,
}

pub(super) type Description = Result<Described, Failure>;

/// The next step of a search.
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// Takes sessions and cells into the plan.
    Admit {
        /// Sessions that the plan does not have.
        sessions: Vec<SessionSpec>,
        /// Cells of these and others.
        cells: Vec<CellKey>,
    },
    /// Scores the outputs of a session.
    Score(usize),
    /// Begins a heat.
    Begin(Heat),
    /// Measures one more round of the open heat.
    Round {
        /// The configurations that take turns.
        cells: Vec<CellKey>,
        /// How often.
        alternations: u64,
    },
    /// Writes down what was decided, and the best configuration if the heat ends.
    Look {
        /// The decision.
        decisions: Vec<Decision>,
        /// The best configuration, if the heat ends.
        champion: Option<CellKey>,
    },
    /// Ends the search.
    End(EndReason),
}

/// How much of the time is spent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Share of the budget that is spent, 0 to 1; 0 without a budget.
    pub spent_ratio: f64,
    /// Time that is left; without a budget, more than anything takes.
    pub left: Duration,
    /// Whether no more may be measured.
    pub is_over: bool,
}

/// Says how a search goes on, from its record alone, so that it can be taken up again from there.
pub trait Guide: Debug {
    /// The next step. It is asked again after each.
    fn next(&mut self, record: &RunRecord, clock: Clock) -> Move;
}

/// The next step under load.
#[derive(Clone, Debug, PartialEq)]
pub enum LoadMove {
    /// Serves requests.
    Segment(NextSegment),
    /// Ends the run.
    End {
        /// Why.
        reason: EndReason,
        /// What the user should know of that, if anything.
        note: Option<String>,
    },
}

/// A segment that is to be measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NextSegment {
    /// What is loaded.
    pub key: LoadKey,
    /// Its round: processes of a candidate serve all of its segments of a round, and end with it.
    pub round: u64,
    /// What it is for.
    pub stage: LoadStage,
    /// The requests that come.
    pub offer: Offer,
}

/// Says how a run under load goes on, from its record alone.
pub trait LoadGuide: Debug {
    /// The next step. It is asked again after each.
    fn next(&mut self, record: &RunRecord, clock: Clock) -> LoadMove;
}
