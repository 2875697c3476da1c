//! A search for the best session options: what it optimizes, what it must keep, and where it looks.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CellKey, ExecutionMode, GraphOptimization};
use crate::check::Slo;
use crate::units::Ratio;

/// A search over the sessions and batch sizes of a plan, of which only those are measured that it
/// comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TuningPlan {
    /// Quantity that is made as good as possible.
    pub objective: Objective,
    /// Limits that every configuration must keep, as written: `latency_p99<=20ms`.
    #[schemars(with = "Vec<String>")]
    pub slo: Vec<Slo>,
    /// How far the top-1 accuracy may fall below the baseline's, as a share: 0.005 is half a point;
    /// absent: any fall is allowed.
    pub max_accuracy_drop_ratio: Option<Ratio>,
    /// Settings that are tried.
    pub space: Space,
    /// Sessions that the search begins with, one for each variant, runtime, execution provider and
    /// binding: the first of the plan.
    pub base_sessions_count: usize,
    /// Cells that the search has come to; the others of the grid are no part of the run.
    pub cells: BTreeSet<CellKey>,
}

/// Quantity that a search makes as good as possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Most predictions per second.
    Throughput,
    /// Shortest median latency of an inference.
    Latency,
    /// Least peak memory of the process.
    Memory,
    /// Least energy per prediction.
    Energy,
}

/// The values that each option may take; the first of each is the default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Space {
    /// Samples per inference.
    pub batch_sizes: Vec<u64>,
    /// Threads that run one operator.
    pub intra_threads: Vec<u64>,
    /// Graph optimization levels.
    pub graph_optimizations: Vec<GraphOptimization>,
    /// Execution modes, each with the threads that run independent operators.
    pub executions: Vec<Execution>,
    /// Whether idle threads spin; absent: the library's default, which is that they do.
    pub spinning: Vec<Option<bool>>,
    /// Whether memory comes from an arena; absent: the library's default, which is that it does.
    pub memory_arena: Vec<Option<bool>>,
    /// Whether memory is planned ahead for inputs of one shape; absent: the library's default,
    /// which is that it is.
    pub memory_pattern: Vec<Option<bool>>,
}

/// An execution mode with its threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Execution {
    /// Whether independent operators may run at once.
    pub mode: ExecutionMode,
    /// Threads that run them.
    pub inter_threads: u64,
}
