//! Operators that compute place by place: outputs are as large as inputs, or as what those broadcast to.

use super::super::known::{Known, Side};
use super::super::value::{Call, Dims};
use super::{number, owned};
use crate::onnx::shapes::Expr;

/// Operators whose first output is as large as their first input.
const LIKE_FIRST: [&str; 99] = [
    "Abs",
    "Acos",
    "Acosh",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "BatchNormalization",
    "Bernoulli",
    "BiasAdd",
    "BiasDropout",
    "BiasGelu",
    "BiasSoftmax",
    "BiasSplitGelu",
    "BitwiseNot",
    "Cast",
    "CastLike",
    "Ceil",
    "Celu",
    "Clip",
    "Cos",
    "Cosh",
    "CumProd",
    "CumSum",
    "DequantizeBFP",
    "DequantizeLinear",
    "Dropout",
    "DynamicQuantizeLinear",
    "Elu",
    "Erf",
    "Exp",
    "FastGelu",
    "Floor",
    "Gelu",
    "GemmaRotaryEmbedding",
    "GroupNorm",
    "GroupNormalization",
    "HardSigmoid",
    "HardSwish",
    "Hardmax",
    "Identity",
    "InstanceNormalization",
    "Inverse",
    "IsInf",
    "IsNaN",
    "LRN",
    "LayerNormalization",
    "LeakyRelu",
    "Log",
    "LogSoftmax",
    "LpNormalization",
    "MVN",
    "MeanVarianceNormalization",
    "Mish",
    "Neg",
    "NegateMask",
    "Not",
    "ParametricSoftplus",
    "QLinearLeakyRelu",
    "QLinearSigmoid",
    "QLinearSoftmax",
    "QOrderedGelu",
    "QuantizeLinear",
    "QuickGelu",
    "RMSNormalization",
    "RandomNormalLike",
    "RandomUniformLike",
    "Reciprocal",
    "Relu",
    "ReverseSequence",
    "RotaryEmbedding",
    "Round",
    "Rsqrt",
    "ScaledTanh",
    "Scatter",
    "ScatterElements",
    "ScatterND",
    "Selu",
    "Shrink",
    "Sigmoid",
    "Sign",
    "SimplifiedLayerNormalization",
    "Sin",
    "Sinh",
    "SkipGroupNorm",
    "SkipLayerNormalization",
    "SkipSimplifiedLayerNormalization",
    "Softmax",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Swish",
    "Tan",
    "Tanh",
    "TensorScatter",
    "ThresholdedRelu",
    "Trilu",
    "Upper",
    "Lower",
];

/// Operators whose output is what all their inputs broadcast to.
const BROADCAST: [&str; 28] = [
    "Add",
    "And",
    "BitShift",
    "BitwiseAnd",
    "BitwiseOr",
    "BitwiseXor",
    "Div",
    "Equal",
    "Greater",
    "GreaterOrEqual",
    "Less",
    "LessOrEqual",
    "Max",
    "Mean",
    "Min",
    "Mod",
    "Mul",
    "Or",
    "PRelu",
    "Pow",
    "Sub",
    "Sum",
    "Where",
    "Xor",
    "BitwiseLeft",
    "Affine",
    "StringConcat",
    "Scale",
];

pub(super) fn dims(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let operator = call.node.operator.as_str();
    if LIKE_FIRST.contains(&operator) {
        return Some(like_first(call, known));
    }
    if BROADCAST.contains(&operator) {
        return Some(vec![all_broadcast(call, known, &(0..call.inputs.len()).collect::<Vec<_>>())]);
    }
    match operator {
        // Scales and zero points of both operands stand between them.
        "QLinearAdd" | "QLinearMul" => Some(vec![all_broadcast(call, known, &[0, 3])]),
        _ => None,
    }
}

fn like_first(call: &Call<'_>, known: &mut Known) -> Vec<Dims> {
    let same = owned(call.dims(0));
    match call.node.operator.as_str() {
        "Dropout" | "BiasDropout" => vec![same.clone(), same],
        "DynamicQuantizeLinear" => vec![same, Some(Vec::new()), Some(Vec::new())],
        "BatchNormalization" => {
            channels(call, known);
            vec![same]
        }
        "LayerNormalization" | "RMSNormalization" | "SimplifiedLayerNormalization" => {
            let axis = call.integer("axis", -1);
            scaled(call, known, 1);
            let mean = same.as_ref().and_then(|dims| {
                let axis = call.axis(axis, dims.len())?;
                Some(
                    dims.iter()
                        .enumerate()
                        .map(|(at, size)| if at < axis { size.clone() } else { number(1) })
                        .collect(),
                )
            });
            vec![same, mean.clone(), mean]
        }
        "SkipLayerNormalization" | "SkipSimplifiedLayerNormalization" => {
            scaled(call, known, 2);
            vec![same.clone(), None, None, same]
        }
        "SkipGroupNorm" => vec![same.clone(), same],
        _ => vec![same],
    }
}

/// Stored scales of a normalization are as many as the features of what it normalizes.
fn scaled(call: &Call<'_>, known: &mut Known, scale: usize) {
    let (Some([.., features]), Some([stored])) = (call.dims(0), call.dims(scale)) else { return };
    let features = features.clone();
    if let (true, Some(count)) = (call.is_stored(scale), stored.number()) {
        known.equal(&features, &number(count), || format!("{} scales {count} features", call.words()));
    }
}

fn channels(call: &Call<'_>, known: &mut Known) {
    let (Some([_, channels, ..]), Some([stored])) = (call.dims(0), call.dims(1)) else { return };
    let channels = channels.clone();
    if let (true, Some(count)) = (call.is_stored(1), stored.number()) {
        known.equal(&channels, &number(count), || format!("{} scales {count} channels", call.words()));
    }
}

/// What those inputs broadcast to. In operator sets before 7, the second was laid along an axis of the first.
fn all_broadcast(call: &Call<'_>, known: &mut Known, inputs: &[usize]) -> Dims {
    if call.node.attribute("broadcast").is_some() {
        return owned(call.dims(0));
    }
    let mut whole: Option<(Vec<Expr>, bool)> = None;
    for &index in inputs {
        let dims = call.dims(index)?;
        let is_stored = call.is_stored(index);
        whole = Some(match whole {
            None => (dims.to_vec(), is_stored),
            Some((all, all_stored)) => {
                let (one, other) = (Side { dims: &all, is_stored: all_stored }, Side { dims, is_stored });
                (known.broadcast(&one, &other, &|| call.words()), all_stored && is_stored)
            }
        });
    }
    whole.map(|(dims, _)| dims)
}
