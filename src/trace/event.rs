//! One event of a trace.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::record::{NodeProfile, TensorShape};
use crate::units::{Bytes, Nanos};

const KERNEL: &str = "_kernel_time";
/// An inference leaves it when it is done.
const INFERENCE: &str = "model_run";

#[derive(Debug, Deserialize)]
pub(super) struct Event<'t> {
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
}

pub(super) enum Subject<'e> {
    Node(NodeName<'e>),
    /// A node ran, and nothing says on which execution provider: the first versions of ONNX Runtime
    /// did not.
    Unplaced,
    Inference,
    Other,
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
                node_index: args
                    .node_index
                    .as_deref()
                    .and_then(|index| index.parse().ok()),
                operator,
                execution_provider,
            }),
            (Some(_), Some(_), None) => Subject::Unplaced,
            _ => Subject::Other,
        }
    }
}

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
