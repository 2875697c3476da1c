//! Operators that compute place by place: outputs are as large as inputs, or as what those
//! broadcast to.

use super::{Call, Dims, Expr, Known, Side, number, owned};

pub(super) fn dims(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    match call.node.operator.as_str() {
        "Abs" | "Acos" | "Acosh" | "Asin" | "Asinh" | "Atan" | "Atanh" | "Bernoulli"
        | "BiasAdd" | "BiasGelu" | "BiasSoftmax" | "BiasSplitGelu" | "BitwiseNot" | "Cast"
        | "CastLike" | "Ceil" | "Celu" | "Clip" | "Cos" | "Cosh" | "CumProd" | "CumSum"
        | "DequantizeBFP" | "DequantizeLinear" | "Elu" | "Erf" | "Exp" | "FastGelu" | "Floor"
        | "Gelu" | "HardSigmoid" | "HardSwish" | "Hardmax" | "Identity" | "Inverse" | "IsInf"
        | "IsNaN" | "LRN" | "LeakyRelu" | "Log" | "LogSoftmax" | "Lower" | "LpNormalization"
        | "MVN" | "Mish" | "Neg" | "NegateMask" | "Not" | "ParametricSoftplus"
        | "QLinearLeakyRelu" | "QLinearSigmoid" | "QLinearSoftmax" | "QOrderedGelu"
        | "QuantizeLinear" | "QuickGelu" | "RandomNormalLike" | "RandomUniformLike"
        | "Reciprocal" | "Relu" | "ReverseSequence" | "RotaryEmbedding" | "Round" | "Rsqrt"
        | "ScaledTanh" | "Scatter" | "ScatterElements" | "ScatterND" | "Selu" | "Shrink"
        | "Sigmoid" | "Sign" | "Sin" | "Sinh" | "Softmax" | "Softplus" | "Softsign" | "Sqrt"
        | "Swish" | "Tan" | "Tanh" | "TensorScatter" | "ThresholdedRelu" | "Trilu" | "Upper" => {
            Some(vec![owned(call.dims(0))])
        }
        "GemmaRotaryEmbedding" | "MeanVarianceNormalization" => Some(vec![owned(call.dims(0))]),
        "Add" | "Affine" | "And" | "BitShift" | "BitwiseAnd" | "BitwiseLeft" | "BitwiseOr"
        | "BitwiseXor" | "Div" | "Equal" | "Greater" | "GreaterOrEqual" | "Less"
        | "LessOrEqual" | "Max" | "Mean" | "Min" | "Mod" | "Mul" | "Or" | "PRelu" | "Pow"
        | "Scale" | "StringConcat" | "Sub" | "Sum" | "Where" | "Xor" => Some(vec![all_broadcast(
            call,
            known,
            &(0..call.inputs.len()).collect::<Vec<_>>(),
        )]),
        // Scales and zero points of both operands stand between them.
        "QLinearAdd" | "QLinearMul" => Some(vec![all_broadcast(call, known, &[0, 3])]),
        _ => like_first(call, known),
    }
}

/// Operators whose first output is as large as their first input, and that demand something or have
/// other outputs.
fn like_first(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let same = owned(call.dims(0));
    Some(match call.node.operator.as_str() {
        "Dropout" | "BiasDropout" => vec![same.clone(), same],
        "DynamicQuantizeLinear" => vec![same, Some(Vec::new()), Some(Vec::new())],
        "BatchNormalization" | "InstanceNormalization" => {
            channels(call, known, 1);
            vec![same]
        }
        "LayerNormalization" | "RMSNormalization" | "SimplifiedLayerNormalization" => {
            scaled(call, known, 1);
            let mean = same.clone().and_then(|mut dims| {
                let axis = call.axis(call.integer("axis", -1), dims.len())?;
                dims.iter_mut()
                    .skip(axis)
                    .for_each(|size| *size = number(1));
                Some(dims)
            });
            vec![same, mean.clone(), mean]
        }
        "SkipLayerNormalization" | "SkipSimplifiedLayerNormalization" => {
            scaled(call, known, 2);
            vec![same.clone(), None, None, same]
        }
        "GroupNormalization" => {
            grouped(call, known);
            vec![same]
        }
        "GroupNorm" | "SkipGroupNorm" => {
            let is_last = call.integer("channels_last", 1) == 1;
            let last = same.as_ref().map_or(1, |dims| dims.len().saturating_sub(1));
            channels(call, known, if is_last { last } else { 1 });
            vec![same.clone(), same]
        }
        _ => return None,
    })
}

/// Stored scales of a normalization are as many as the features of what it normalizes, on one axis
/// or several.
fn scaled(call: &Call<'_>, known: &mut Known, scale: usize) {
    let (true, Some(dims), Some(scales)) = (call.is_stored(scale), call.dims(0), call.dims(scale))
    else {
        return;
    };
    let Some(first) = dims.len().checked_sub(scales.len()) else {
        return;
    };
    for (size, stored) in dims[first..].iter().zip(scales) {
        // One number on an axis of several is for all.
        if let Some(count) = stored
            .number()
            .filter(|&count| count > 1 || scales.len() == 1)
        {
            known.equal(size, &number(count), || {
                format!("{} scales {count} features", call.words())
            });
        }
    }
}

/// Stored scales of a normalization are as many as the channels on that axis.
fn channels(call: &Call<'_>, known: &mut Known, axis: usize) {
    let (true, Some(dims), Some([stored])) = (call.is_stored(1), call.dims(0), call.dims(1)) else {
        return;
    };
    if let (Some(channels), Some(count)) = (dims.get(axis), stored.number()) {
        known.equal(channels, &number(count), || {
            format!("{} scales {count} channels", call.words())
        });
    }
}

/// Groups have a scale each in operator set 18, and channels since operator set 21; both part the
/// channels.
fn grouped(call: &Call<'_>, known: &mut Known) {
    let groups = call.integer("num_groups", 1);
    match (call.dims(0), call.dims(1)) {
        (_, Some([stored])) if *stored != number(groups) => channels(call, known, 1),
        (Some([_, channels, ..]), _) => {
            known.multiple(channels, groups, || {
                format!("{} parts channels by {groups}", call.words())
            });
        }
        _ => {}
    }
}

/// The sizes that inputs broadcast to. In operator sets before 7, the second was laid along an axis
/// of the first.
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
                let (one, other) = (
                    Side {
                        dims: &all,
                        is_stored: all_stored,
                    },
                    Side { dims, is_stored },
                );
                (
                    known.broadcast(&one, &other, &|| call.words()),
                    all_stored && is_stored,
                )
            }
        });
    }
    whole.map(|(dims, _)| dims)
}
