//! The plan of a run: variants, sessions, batch sizes, load modes and the schedule. Data only.
//!
//! Nothing here measures, prints or touches a file. Read [`Plan`] first.

mod command;
mod flag;
mod input;
mod judging;
mod load;
mod named;
mod scenario;
mod session;
mod shape;
mod tuning;
mod value;

use std::collections::BTreeMap;

pub use command::Command;
pub use flag::Flag;
pub use input::{ElementType, InputRequest, ScoredSamples, Task, ValueRange};
pub use judging::{Judging, Tolerance};
pub use load::{Arrivals, Batcher, Fall, LoadPlan, Offer, Price, Question, Serving, Share};
pub use named::Named;
pub use scenario::{Scenario, ScenarioRules};
pub use session::{
    Binding, ExecutionMode, FloatRounding, GraphOptimization, ModelServer, ProviderSpec,
    RuntimeChoice, SERVER_PROVIDER, SessionOptions, SessionSpec,
};
pub use shape::{CellKey, LoadMode, Shape, Workload, unswept};
pub use tuning::{Execution, Objective, Space, TuningPlan};

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Plain;
use crate::units::{Nanos, Ratio};

/// Share of the budget that everything beside the rounds may take: scoring, profiles of operators,
/// denormal numbers, the machine's peaks and idle gaps.
pub const BESIDE_SHARE: f64 = 0.25;
/// Cells beyond which no run comes to its end: more are neither begun with nor looked at in a
/// record.
pub const MOST_CELLS: u64 = 1_000_000;

/// Everything that a run was asked to do, after words became typed values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The model files that are compared, in the order in which reports show them.
    pub variants: Vec<Variant>,
    /// Index into `variants` of the one that the others are compared with.
    pub baseline: usize,
    /// The sessions that are measured: each is one variant under one runtime, execution provider,
    /// binding and set of options. The first one of the baseline variant is what the others are
    /// compared with.
    pub sessions: Vec<SessionSpec>,
    /// Batch sizes, ascending and distinct.
    pub batch_sizes: Vec<u64>,
    /// Whether the list of batch sizes ends early where more of them would tell nothing.
    pub sweep_end: SweepEnd,
    /// How requests arrive; every batch size is measured under every one of them.
    pub load_modes: Vec<LoadMode>,
    /// Sizes of open dimensions that are swept; every batch size is measured at every one of them.
    /// One, with nothing in it, where none is swept.
    #[serde(default = "unswept")]
    pub shapes: Vec<Shape>,
    /// Idle gaps after which the latency is measured, ascending; empty where none was asked for,
    /// and in records before version 1.3.
    #[serde(default)]
    pub idle_gaps_ns: Vec<Nanos>,
    /// Latency within which the best batch size is looked for; absent where none was given, and in
    /// records before version 1.3.
    #[serde(default)]
    pub latency_limit_ns: Option<Nanos>,
    /// Where inputs come from.
    pub inputs: InputRequest,
    /// Kind of prediction that the outputs are scored as.
    pub task: Task,
    /// On how many samples they are; as many as fit in records before version 1.4.
    #[serde(default)]
    pub scored_samples: ScoredSamples,
    /// What decides between variants; as if nothing was asked for in records before version 1.4.
    #[serde(default, skip_serializing_if = "Judging::is_default")]
    pub judging: Judging,
    /// How time is spent.
    pub schedule: Schedule,
    /// Shorter words of the command line for its files; empty in older records.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub named: Named,
    /// The search over sessions and batch sizes, where the run is one; absent in records before
    /// version 1.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuning: Option<TuningPlan>,
    /// How requests arrive and are served, where the run is one under load; absent in records before
    /// version 1.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadPlan>,
}

/// One model file of a family that shares inputs and outputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Variant {
    /// Short and distinct: the file's name without what all variants' names share.
    pub name: Plain,
    /// The model file.
    pub path: PathBuf,
}

/// Whether a sweep over batch sizes may end before its list does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SweepEnd {
    /// Every batch size was named by the user and is measured.
    Listed,
    /// The sweep ends where throughput has saturated or memory would not suffice.
    Saturation,
}

/// How the run spends its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Schedule {
    /// Seed of every random choice: the order of sessions and synthesized inputs.
    pub seed: u64,
    /// Wall time of the whole run, from its start to the written report; absent: as long as the
    /// rounds take.
    pub budget_ns: Option<Nanos>,
    /// Rounds asked for; absent: until the target is reached or the budget is spent.
    pub rounds_count: Option<u64>,
    /// Alternations per batch size and round; absent: chosen so that enough rounds fit the budget.
    pub alternations_count: Option<u64>,
    /// Length of a timed block.
    pub block_ns: Nanos,
    /// The run may end when every ratio to the baseline has a 95% half-width within this.
    pub target_half_width_ratio: Ratio,
    /// A worker that does not answer a command within this time is killed.
    pub timeout_ns: Nanos,
    /// State of the page cache before each launch.
    pub page_cache: PageCache,
    /// On which CPUs workers run.
    pub pin: Pin,
}

/// State of the operating system's cache of the model's files when a session is created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PageCache {
    /// The files have been read before.
    #[default]
    Warm,
    /// The files are dropped from the cache before each launch.
    Cold,
}

/// CPU affinity of the workers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pin {
    /// As many CPUs as a session has threads, the same for all, away from the parent's where there
    /// is room.
    #[default]
    Auto,
    /// The same CPUs, of which each thread of a session has one for itself where there are as many
    /// and one request is in flight. Not in records before version 1.4.
    Each,
    /// Workers run wherever the kernel puts them.
    None,
    /// These CPUs.
    Cpus(Vec<u64>),
}

impl Schedule {
    /// Length of a block where none is named.
    pub const BLOCK: Nanos = Nanos(30_000_000);
    /// Time for an answer where none is named.
    pub const TIMEOUT: Nanos = Nanos(120_000_000_000);
    /// Half-width that is looked for where none is named.
    pub const TARGET: Ratio = Ratio(0.02);
}

impl Plan {
    /// The grid in the order of sessions, then shapes, then batch sizes, then load modes; of a
    /// search, those cells of it that it has come to.
    pub fn cells(&self) -> impl Iterator<Item = CellKey> + '_ {
        let tuning = self.tuning.as_ref();
        (0..self.sessions.len())
            .flat_map(move |session| self.workloads().map(move |workload| workload.of(session)))
            .filter(move |key| tuning.is_none_or(|tuning| tuning.cells.contains(key)))
    }

    /// Cells of the whole grid, for a search those included that it does not come to.
    #[must_use]
    pub fn grid_count(&self) -> u64 {
        [
            self.sessions.len(),
            self.shapes.len(),
            self.batch_sizes.len(),
            self.load_modes.len(),
        ]
        .map(|count| count as u64)
        .into_iter()
        .fold(1, u64::saturating_mul)
    }

    /// Where each session is measured, in the order of shapes, then batch sizes, then load modes.
    pub fn workloads(&self) -> impl Iterator<Item = Workload> + '_ {
        (0..self.shapes.len()).flat_map(move |shape| {
            self.batch_sizes.iter().flat_map(move |&batch_size| {
                self.load_modes.iter().map(move |&load| Workload {
                    shape,
                    batch_size,
                    load,
                })
            })
        })
    }

    /// Words that follow the batch size in the name of a cell: `, seq 64`; empty where no dimension
    /// is swept.
    #[must_use]
    pub fn shape_words(&self, shape: usize) -> String {
        match self.shapes.get(shape) {
            Some(shape) if !shape.dims.is_empty() => format!(", {shape}"),
            _ => String::new(),
        }
    }

    /// A load mode in words, where it is to be told: where there are several, or one other than a
    /// single request at a time.
    #[must_use]
    pub fn load_words(&self, load: LoadMode) -> Option<String> {
        (self.load_modes.len() > 1 || load != LoadMode::SINGLE).then(|| load.to_string())
    }

    /// Whether a dimension is swept.
    #[must_use]
    pub fn is_swept(&self) -> bool {
        self.shapes.iter().any(|shape| !shape.dims.is_empty())
    }

    /// The shape of `other` that a shape of this plan is the same as: the one with the same swept
    /// sizes, or else with the same sizes altogether, however they were given.
    #[must_use]
    pub fn same_shape(&self, shape: usize, other: &Plan) -> Option<usize> {
        let own = self.shapes.get(shape)?;
        let mut others = other.shapes.iter();
        others
            .clone()
            .position(|shape| shape == own)
            .or_else(|| others.position(|shape| other.sizes(shape) == self.sizes(own)))
    }

    /// Sizes of all dimensions by name, as they are fixed and swept.
    fn sizes(&self, shape: &Shape) -> BTreeMap<Plain, u64> {
        let mut sizes = self.inputs.dims.clone();
        sizes.extend(shape.dims.clone());
        sizes
    }

    /// Index of the first session of the baseline variant.
    #[must_use]
    pub fn baseline_session(&self) -> Option<usize> {
        self.sessions
            .iter()
            .position(|session| session.variant == self.baseline)
    }

    /// Quantity that decides between sessions: a search's own, or what was asked to be judged by.
    #[must_use]
    pub fn objective(&self) -> Objective {
        self.tuning
            .as_ref()
            .map_or(self.judging.objective, |tuning| tuning.objective)
    }

    /// How far a score may surely fall below the baseline's, as a share.
    #[must_use]
    pub fn max_accuracy_drop(&self) -> Ratio {
        self.tuning
            .as_ref()
            .and_then(|tuning| tuning.max_accuracy_drop_ratio)
            .unwrap_or(self.judging.max_accuracy_drop_ratio)
    }

    /// The variant that a session runs.
    #[must_use]
    pub fn variant_of(&self, session: usize) -> &Variant {
        &self.variants[self.sessions[session].variant]
    }
}
