//! How a model is quantized, read from its graph.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::ElementType;

/// How a model is quantized, read from its graph: what it asks of a runtime, not what a runtime
/// makes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quantization {
    /// How quantized values are written down.
    pub format: QuantizationFormat,
    /// Element type of most of the quantized weights; of the weights of matrix nodes in a
    /// half-precision model; absent without either.
    pub weights: Option<ElementType>,
    /// Element type of most of the quantized activations; absent where they are not quantized, or
    /// the graph does not tell.
    pub activations: Option<ElementType>,
    /// Granularity of a weight's scales; absent without quantized weights.
    pub granularity: Option<Granularity>,
    /// Whether the zero points of all weights are 0, or the middle of an unsigned type's range.
    /// Absent without quantized weights, and where the graph does not tell.
    pub weights_symmetric: Option<bool>,
    /// The same for activations; absent as well where they are quantized as the model runs.
    pub activations_symmetric: Option<bool>,
    /// Convolutions, matrix products, attention and recurrent layers that compute with quantized
    /// weights, or are meant to once their quantize and dequantize nodes are fused into them; of a
    /// half-precision model those in it.
    pub reduced_matrix_nodes_count: u64,
    /// Those that stay in float or double.
    pub full_precision_matrix_nodes_count: u64,
    /// Pairs of a quantize and a dequantize node behind it.
    pub qdq_pairs_count: u64,
}

/// How quantized values are written down in a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuantizationFormat {
    /// Quantize and dequantize nodes around operators on floating point, which a runtime is to
    /// fuse.
    Qdq,
    /// Operators that take and give integers.
    QOperator,
    /// Activations are quantized as the model runs.
    Dynamic,
    /// Weights alone are quantized; they are dequantized where they are used, or within the
    /// operator.
    WeightOnly,
    /// Nothing is quantized; matrix nodes compute in float16 or bfloat16.
    Float16,
    /// Nothing is quantized.
    None,
}

/// Granularity of a quantized weight's scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// A whole weight.
    PerTensor,
    /// A channel of a weight.
    PerChannel,
    /// A block of elements.
    PerBlock,
    /// Some weights this and some that.
    Mixed,
}
