//! What will be run: variants, sessions, batch sizes, load modes and the schedule. Data only.
//!
//! Nothing here measures, prints or touches a file. Read [`Plan`] first.

mod input;
mod provider;
mod session;

pub use input::{ElementType, InputRequest, ValueRange};
pub use provider::{Binding, CPU_PROVIDER, ProviderSpec, provider_identifier, provider_short_name};
pub use session::{ExecutionMode, GraphOptimization, RuntimeChoice, SessionOptions, SessionSpec};

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Nanos, Ratio};

/// Everything that a run was asked to do, after words became typed values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The model files that are compared, in the order in which reports show them.
    pub variants: Vec<Variant>,
    /// Index into `variants` of the one that the others are compared with.
    pub baseline: usize,
    /// The sessions that are measured: each is one variant under one runtime, execution provider, binding and set of
    /// options. The first one of the baseline variant is what the others are compared with.
    pub sessions: Vec<SessionSpec>,
    /// Batch sizes, ascending and distinct.
    pub batch_sizes: Vec<u64>,
    /// Whether the list of batch sizes ends early where more of them would tell nothing.
    pub sweep_end: SweepEnd,
    /// How requests arrive; every batch size is measured under every one of them.
    pub load_modes: Vec<LoadMode>,
    /// Sizes of open dimensions that are swept; every batch size is measured at every one of them. One, with nothing in
    /// it, where none is swept.
    #[serde(default = "unswept")]
    pub shapes: Vec<Shape>,
    /// Where inputs come from.
    pub inputs: InputRequest,
    /// What the outputs are scored as.
    pub task: Task,
    /// How time is spent.
    pub schedule: Schedule,
}

/// One model file of a family that shares inputs and outputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Variant {
    /// Short and distinct: the file's name without what all variants' names share.
    pub name: String,
    /// The model file.
    pub path: PathBuf,
}

/// Sizes that a sweep gives to dimensions that the models leave open, by their symbols.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shape {
    /// Size of each swept dimension.
    pub dims: BTreeMap<String, u64>,
}

/// The shapes of a plan that sweeps none.
#[must_use]
pub fn unswept() -> Vec<Shape> {
    vec![Shape::default()]
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

/// How requests reach a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoadMode {
    /// `concurrency` threads share one session; each sends its next request when the last is done.
    Closed {
        /// Requests in flight at any time.
        concurrency: u64,
    },
}

impl LoadMode {
    /// Requests in flight at any time.
    #[must_use]
    pub fn concurrency(self) -> u64 {
        let LoadMode::Closed { concurrency } = self;
        concurrency
    }
}

/// What kind of prediction the model makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// The first floating-point output holds one score per class.
    #[default]
    Classification,
    /// The first floating-point output holds the predicted numbers.
    Regression,
}

/// How the run spends its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Schedule {
    /// Seed of every random choice: the order of sessions and synthesized inputs.
    pub seed: u64,
    /// Wall time of the whole run, from its start to the written report; absent: as long as the rounds take.
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
    /// As many CPUs as a session has threads, the same for all, away from the parent's where there is room.
    #[default]
    Auto,
    /// Workers run wherever the kernel puts them.
    None,
    /// These CPUs.
    Cpus(Vec<u64>),
}

/// One row of the grid that is measured: a session under one batch size and load mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct CellKey {
    /// Index into [`Plan::sessions`].
    pub session: usize,
    /// Index into [`Plan::shapes`].
    #[serde(default, skip_serializing_if = "is_first")]
    pub shape: usize,
    /// Samples per inference.
    pub batch_size: u64,
    /// How requests arrive.
    pub load_mode: LoadMode,
}

fn is_first(index: &usize) -> bool {
    *index == 0
}

impl Plan {
    /// The grid in the order of sessions, then shapes, then batch sizes, then load modes.
    pub fn cells(&self) -> impl Iterator<Item = CellKey> + '_ {
        (0..self.sessions.len()).flat_map(move |session| {
            (0..self.shapes.len()).flat_map(move |shape| {
                self.batch_sizes.iter().flat_map(move |&batch_size| {
                    self.load_modes.iter().map(move |&load_mode| CellKey { session, shape, batch_size, load_mode })
                })
            })
        })
    }

    /// Index of the first session of the baseline variant.
    #[must_use]
    pub fn baseline_session(&self) -> Option<usize> {
        self.sessions.iter().position(|session| session.variant == self.baseline)
    }

    /// The variant that a session runs.
    #[must_use]
    pub fn variant_of(&self, session: usize) -> &Variant {
        &self.variants[self.sessions[session].variant]
    }
}
