//! Where the nodes of a session ran.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Plain;
use crate::units::{Nanos, Ratio};

/// Where the nodes of a session ran that asked for another execution provider than the CPU's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlacementRecord {
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions).
    pub session: usize,
    /// The finding.
    pub placement: Placement,
}

/// Where nodes ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Placement {
    /// How the nodes are known.
    pub source: PlacementSource,
    /// Nodes by execution provider, the one that has most first.
    pub providers: Vec<ProviderNodes>,
    /// Nodes that ONNX Runtime added to copy tensors between devices; absent if the session was not profiled.
    pub copies: Option<Vec<CopyNodes>>,
    /// Inferences behind the times; absent if the session was not profiled.
    pub profiled_inferences_count: Option<u64>,
}

/// How it is known on which execution provider a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlacementSource {
    /// ONNX Runtime's own account of the graph after its basic optimizations (1.24 and newer).
    Assignment,
    /// ONNX Runtime's profiler: nodes as they ran, those of a compiled subgraph as one.
    Profile,
}

/// Nodes that ran on one execution provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderNodes {
    /// ONNX Runtime's identifier of the execution provider.
    pub execution_provider: Plain,
    /// Nodes.
    pub nodes_count: u64,
    /// Nodes by operator; operators of other domains carry theirs (`com.microsoft.Attention`).
    pub operators: BTreeMap<Plain, u64>,
    /// Time in nodes for one inference, by ONNX Runtime's profiler, which counts whole microseconds on the host: on a
    /// GPU it is the time to hand the work over. Absent if the session was not profiled.
    pub time_ns: Option<Nanos>,
    /// Share of the time in nodes; absent if the session was not profiled.
    pub time_ratio: Option<Ratio>,
}

/// Nodes that copy tensors between devices in one direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CopyNodes {
    /// ONNX Runtime's operator: `MemcpyFromHost` or `MemcpyToHost`.
    pub operator: Plain,
    /// Nodes.
    pub nodes_count: u64,
    /// Time in them for one inference, as in [`ProviderNodes::time_ns`].
    pub time_ns: Nanos,
}

impl Placement {
    /// Nodes on all execution providers.
    #[must_use]
    pub fn nodes_count(&self) -> u64 {
        self.providers.iter().map(|provider| provider.nodes_count).sum()
    }
}
