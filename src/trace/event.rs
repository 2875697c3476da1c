//! One event of a trace.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::record::{NodeProfile, TensorShape};
use crate::units::{Bytes, Nanos};

const KERNEL: &str = "_kernel_time";
/// Category of what ran on a device.
const DEVICE: &str = "Kernel";
/// An inference leaves it when it is done.
const INFERENCE: &str = "model_run";

#[derive(Debug, Deserialize)]
pub(super) struct Event<'t> {
    #[serde(borrow, default, rename = "cat")]
    category: Cow<'t, str>,
    #[serde(borrow, default)]
    name: Cow<'t, str>,
    /// When it began, since the start of the profiler.
    #[serde(default, rename = "ts", deserialize_with = "micros")]
    pub start: Nanos,
    #[serde(default, rename = "dur", deserialize_with = "micros")]
    pub length: Nanos,
    #[serde(default, rename = "tid")]
    pub thread: i64,
    #[serde(borrow, default)]
    args: Arguments<'t>,
}

#[derive(Debug, Default, Deserialize)]
struct Arguments<'t> {
    #[serde(borrow)]
    op_name: Option<Cow<'t, str>>,
    #[serde(borrow)]
    provider: Option<Cow<'t, str>>,
    #[serde(borrow)]
    node_index: Option<Cow<'t, str>>,
    /// The event that a kernel or copy belongs to: by ONNX Runtime's own merging, and by example for
    /// plug-ins.
    #[serde(borrow)]
    parent_name: Option<Cow<'t, str>>,
    /// The same, and what that event says of its node, by the plug-in for CUDA.
    #[serde(borrow)]
    ort_event_name: Option<Cow<'t, str>>,
    #[serde(borrow)]
    ort_op_name: Option<Cow<'t, str>>,
    #[serde(borrow)]
    ort_node_index: Option<Cow<'t, str>>,
    /// Direction of a copy, by ROCm.
    #[serde(borrow)]
    kind: Option<Cow<'t, str>>,
}

pub(super) enum Subject<'e> {
    Node(NodeName<'e>),
    /// A node ran, and nothing says on which execution provider: the first versions of ONNX Runtime
    /// did not.
    Unplaced,
    Inference,
    Device(DeviceEvent<'e>),
    Other,
}

/// A kernel or copy, with what it says of the node that had the device run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DeviceEvent<'e> {
    pub work: DeviceWork,
    pub parent: Parent<'e>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeviceWork {
    /// A kernel, or a copy from the device to itself.
    Compute,
    ToDevice,
    ToHost,
}

/// Whose a kernel or copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parent<'e> {
    /// The node of this name; the rest where it is told.
    Named {
        name: &'e str,
        operator: Option<&'e str>,
        node_index: Option<u64>,
    },
    /// The node of this operator that stands before it.
    Before { operator: &'e str },
    /// No node's, as far as it says.
    Unknown,
}

/// Facts that are the same for all runs of one node, and, as far as a trace tells, for those of no
/// other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NodeName<'e> {
    pub name: &'e str,
    pub node_index: Option<u64>,
    pub operator: &'e str,
    pub execution_provider: &'e str,
}

impl Event<'_> {
    pub(super) fn subject(&self) -> Subject<'_> {
        if self.category == DEVICE {
            return Subject::Device(self.device_event());
        }
        if self.name == INFERENCE {
            return Subject::Inference;
        }
        let args = &self.args;
        match (
            self.name.strip_suffix(KERNEL),
            &args.op_name,
            &args.provider,
        ) {
            (Some(name), Some(operator), Some(execution_provider)) => Subject::Node(NodeName {
                name,
                node_index: index(args.node_index.as_deref()),
                operator,
                execution_provider,
            }),
            (Some(_), Some(_), None) => Subject::Unplaced,
            _ => Subject::Other,
        }
    }

    fn device_event(&self) -> DeviceEvent<'_> {
        DeviceEvent {
            work: work(&self.name, self.args.kind.as_deref()),
            parent: self.args.parent(),
        }
    }
}

impl Arguments<'_> {
    fn parent(&self) -> Parent<'_> {
        let operator = self.ort_op_name.as_deref().or(self.op_name.as_deref());
        let operator = operator.filter(|operator| !operator.is_empty());
        let event = self
            .ort_event_name
            .as_deref()
            .or(self.parent_name.as_deref());
        match (event, operator) {
            (Some(event), operator) => {
                event
                    .strip_suffix(KERNEL)
                    .map_or(Parent::Unknown, |name| Parent::Named {
                        name,
                        operator,
                        node_index: index(self.ort_node_index.as_deref()),
                    })
            }
            (None, Some(operator)) => Parent::Before { operator },
            (None, None) => Parent::Unknown,
        }
    }
}

fn index(told: Option<&str>) -> Option<u64> {
    told?.parse().ok()
}

/// By the names that CUPTI's records are given, and by the kind of HIP's copies.
fn work(name: &str, kind: Option<&str>) -> DeviceWork {
    match (name, kind) {
        ("MemcpyHostToDevice" | "MemcpyHostToDeviceArray", _) => DeviceWork::ToDevice,
        ("MemcpyDeviceToHost" | "MemcpyDeviceArrayToHost", _) => DeviceWork::ToHost,
        (name, Some("H2D")) if name.starts_with(HIP_COPY) => DeviceWork::ToDevice,
        (name, Some("D2H")) if name.starts_with(HIP_COPY) => DeviceWork::ToHost,
        _ => DeviceWork::Compute,
    }
}

const HIP_COPY: &str = "hipMemcpy";

/// Microseconds, whole in ONNX Runtime's own traces.
fn micros<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Nanos, D::Error> {
    f64::deserialize(deserializer).map(|micros| Nanos((micros * 1000.0).round() as u64))
}

/// Adds to a node what the event of its last run says of sizes and shapes.
pub(super) fn describe(node: &mut NodeProfile, event: &[u8]) {
    let event: Value = serde_json::from_slice(event).unwrap_or_default();
    let size = |key: &str| size(&event["args"][key]).map(Bytes);
    node.activation_bytes = size("activation_size");
    node.parameter_bytes = size("parameter_size");
    node.output_bytes = size("output_size");
    node.arena_peak_bytes = size("mem_in_use_peak");
    node.inputs = shapes(&event["args"]["input_type_shape"]);
    node.outputs = shapes(&event["args"]["output_type_shape"]);
}

/// A number, which ONNX Runtime writes as a text.
fn size(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Shapes such as `[{"float":[1,16,8,8]},{"int64":[]}]`.
fn shapes(value: &Value) -> Option<Vec<TensorShape>> {
    value.as_array()?.iter().map(shape).collect()
}

fn shape(value: &Value) -> Option<TensorShape> {
    let (element_type, dims) = value.as_object()?.iter().next()?;
    let dims = dims
        .as_array()?
        .iter()
        .map(Value::as_u64)
        .collect::<Option<_>>()?;
    Some(TensorShape {
        element_type: element_type.as_str().into(),
        dims,
    })
}
