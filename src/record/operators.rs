//! Nodes of a session as ONNX Runtime's profiler has them, from a launch of its own, and where they
//! ran.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observed::Observed;
use crate::text::Plain;
use crate::units::{Bytes, Nanos, Ratio};

/// The operators of one session at one batch size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OperatorProfile {
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions).
    pub session: usize,
    /// Index into [`Plan::shapes`](crate::plan::Plan::shapes).
    #[serde(default)]
    pub shape: usize,
    /// Samples per inference.
    pub batch_size: u64,
    /// The finding, or why there is none, as a lowercase fragment.
    pub profile: Observed<Profiled>,
}

/// A trace of ONNX Runtime's profiler over all inferences but the first, which prepares what the
/// others find ready.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Profiled {
    /// Inferences behind the nodes' times.
    pub inferences_count: u64,
    /// Inferences that do not count although they are not the first, because they took more than
    /// 5/4 of the lower quartile: something else had their CPUs, or the session's threads were
    /// still asleep.
    pub disturbed_inferences_count: u64,
    /// Wall time of an inference with the profiler on: the median of the trace's `model_run`
    /// events.
    pub inference_ns: Nanos,
    /// The mean of those that count. The nodes' times are means of the same inferences, and add up
    /// to this at most, unless nodes run side by side.
    pub mean_inference_ns: Nanos,
    /// Wall time of an inference of the same model in the same process without the profiler, taking
    /// turns with the profiled ones: median. Absent if the trace was not made by this run.
    pub unprofiled_ns: Option<Nanos>,
    /// Wall time with the profiler / without it: medians of neighbouring stretches of inferences,
    /// one quotient for each pair. Empty if the trace was not made by this run.
    pub distortion_ratios: Vec<f64>,
    /// Whether the trace came to its end: one that was cut off is read as far as it goes.
    pub complete: bool,
    /// Events that could not be read, and are left out.
    pub unreadable_events_count: u64,
    /// The trace's file within the run folder, as the profiler wrote it (Chrome's trace format);
    /// absent if it was not kept.
    pub trace_file: Option<Plain>,
    /// Nodes of the graph as it ran, in the order of their first run.
    pub nodes: Vec<NodeProfile>,
    /// Kernels and copies of a device in the same inferences. Absent where the trace has none, which
    /// only the profiler of an execution provider adds (CUDA's through CUPTI), and in records before
    /// version 1.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceProfile>,
}

/// Kernels and copies of a device in one inference, by the device's own clock: means over those that
/// count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceProfile {
    /// Kernels and copies over all inferences that count.
    pub events_count: u64,
    /// Time in kernels, and in copies from the device to itself.
    pub compute_ns: Nanos,
    /// Time in copies from the host to the device.
    pub to_device_ns: Nanos,
    /// Time in copies from the device to the host.
    pub to_host_ns: Nanos,
    /// The part of these three that the trace names no node for, such as copies of the model's own
    /// inputs and outputs.
    pub outside_nodes_ns: Nanos,
    /// From the begin of the first kernel or copy to the end of the last.
    pub span_ns: Nanos,
    /// The part of that span in which at least one kernel or copy ran.
    pub busy_ns: Nanos,
}

/// Kernels and copies that a node had the device run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceTime {
    /// Their time on the device for one inference, mean. The profiler cuts off what is beyond whole
    /// microseconds of each.
    pub time_ns: Nanos,
    /// How many there are over all inferences that count.
    pub events_count: u64,
}

/// One node of the graph as it ran, after optimization.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NodeProfile {
    /// Name; empty if the node has none. ONNX Runtime calls a node without one after its operator
    /// and index.
    pub name: Plain,
    /// Index of the node within its graph or subgraph; absent where the trace does not tell.
    pub node_index: Option<u64>,
    /// Operator, such as `FusedConv`, without its domain.
    pub operator: Plain,
    /// ONNX Runtime's identifier of the execution provider.
    pub execution_provider: Plain,
    /// Runs of the node over all inferences that count: more than one an inference inside a loop.
    pub calls_count: u64,
    /// Time of the host in the node for one inference, mean, without that of nodes which ran inside
    /// it on the same thread: a loop's body counts where it belongs, and only once. Of a node that
    /// hands work over to a device it is the time to do so. The profiler counts whole microseconds,
    /// and cuts off what is beyond, so that short nodes count up to a microsecond a call too little.
    pub time_ns: Nanos,
    /// Its time on a device; absent where the trace has no kernel and no copy of it, and in records
    /// before version 1.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceTime>,
    /// Types and shapes of the inputs of its last run, weights included; absent where the trace
    /// does not tell. The profiler leaves out inputs that are no tensors, and weights that a kernel
    /// packed for itself when the session was created, as for `Gemm` and `MatMul`: a run on the CPU
    /// adds those from a second trace or, of nodes that have their name in the file, from there; a
    /// lone trace lacks them.
    pub inputs: Option<Vec<TensorShape>>,
    /// Types and shapes of the outputs of its last run; absent where the trace does not tell.
    pub outputs: Option<Vec<TensorShape>>,
    /// Bytes of the inputs that were computed, of one call.
    pub activation_bytes: Option<Bytes>,
    /// Bytes of the inputs that are weights, of one call; like [`inputs`](Self::inputs) without
    /// those that were packed.
    pub parameter_bytes: Option<Bytes>,
    /// Bytes of the outputs, of one call.
    pub output_bytes: Option<Bytes>,
    /// Most bytes in use in the arena up to its last run; absent where the trace does not tell.
    pub arena_peak_bytes: Option<Bytes>,
}

/// Type and shape of a tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TensorShape {
    /// ONNX Runtime's name of the element type, such as `float`, `uint8` or `float16`.
    pub element_type: Plain,
    /// Sizes of the dimensions.
    pub dims: Vec<u64>,
}

impl TensorShape {
    /// Number of elements.
    #[must_use]
    pub fn elements_count(&self) -> u64 {
        self.dims
            .iter()
            .fold(1, |product: u64, &size| product.saturating_mul(size))
    }
}

impl NodeProfile {
    /// Bytes that one call reads and writes at least: inputs, weights and outputs, each once.
    #[must_use]
    pub fn bytes(&self) -> Option<Bytes> {
        [
            self.activation_bytes,
            self.parameter_bytes,
            self.output_bytes,
        ]
        .into_iter()
        .sum()
    }
}

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
    /// Nodes that ONNX Runtime added to copy tensors between devices; absent if the session was not
    /// profiled.
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderNodes {
    /// ONNX Runtime's identifier of the execution provider.
    pub execution_provider: Plain,
    /// Nodes.
    pub nodes_count: u64,
    /// Nodes by operator; operators of other domains carry theirs (`com.microsoft.Attention`).
    pub operators: BTreeMap<Plain, u64>,
    /// Time in nodes for one inference, by ONNX Runtime's profiler, which counts whole microseconds
    /// on the host: on a GPU it is the time to hand the work over. Absent if the session was not
    /// profiled.
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
        self.providers
            .iter()
            .map(|provider| provider.nodes_count)
            .sum()
    }
}
