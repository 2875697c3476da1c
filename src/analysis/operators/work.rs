//! How much a node computes, from the shapes that it ran on.
//!
//! A multiplication and the addition that follows it are two operations, as in the roofline model
//! (Williams, Waterman and Patterson 2009, "Roofline: an insightful visual performance model for
//! multicore architectures"). Where a weight's shape stands in for attributes that a trace does not
//! hold, each formula says so. Biases and fused activations are not counted: one operation an
//! output element, against twice the length of an inner product.

use serde::Serialize;

use crate::observed::Observed;
use crate::record::{NodeProfile, TensorShape, without_domain};

/// Kinds of numbers that are computed with, each of which has a peak of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arithmetic {
    /// Floating point of 32 bits.
    Float,
    /// Floating point of other widths, which has no measured peak.
    OtherFloat,
    /// Whole numbers: products of quantized matrices.
    Integer,
}

/// Work of one call of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Work {
    /// Operations; 0 of a node that only moves data.
    pub operations_count: u64,
    /// Kind of numbers that they compute with.
    pub arithmetic: Arithmetic,
}

/// Operations for each element of the output; absent for an operator that more decides, or that is
/// not known.
fn steps(operator: &str) -> Option<u64> {
    Some(match operator {
        // Data is moved, or shapes are looked at.
        "CastLike"
        | "Concat"
        | "Constant"
        | "ConstantOfShape"
        | "DepthToSpace"
        | "Expand"
        | "Flatten"
        | "Gather"
        | "GatherElements"
        | "GatherND"
        | "Identity"
        | "MemcpyFromHost"
        | "MemcpyToHost"
        | "Pad"
        | "Range"
        | "ReorderInput"
        | "ReorderOutput"
        | "Reshape"
        | "ScatterElements"
        | "ScatterND"
        | "Shape"
        | "Slice"
        | "SpaceToDepth"
        | "Split"
        | "Squeeze"
        | "Transpose"
        | "Unsqueeze"
        | "InsertedPrecisionFreeCast" => 0,
        // Transcendental functions count as one operation.
        "Abs" | "Add" | "BiasGelu" | "Cast" | "Ceil" | "Clip" | "Div" | "Elu" | "Equal" | "Erf"
        | "Exp" | "FastGelu" | "Floor" | "Gelu" | "Greater" | "HardSigmoid" | "HardSwish"
        | "LeakyRelu" | "Less" | "Log" | "Max" | "Min" | "Mul" | "Neg" | "PRelu" | "Pow"
        | "QuickGelu" | "Reciprocal" | "Relu" | "Round" | "Sigmoid" | "Softplus" | "Sqrt"
        | "Sub" | "Tanh" | "Where" => 1,
        // Scale and shift, or scale and round.
        "BatchNormalization" | "DequantizeLinear" | "QuantizeLinear" => 2,
        // Compare, exponentiate, sum, divide.
        "LogSoftmax" | "Softmax" => 4,
        "DynamicQuantizeLinear" | "QLinearAdd" | "QLinearMul" => 4,
        // Subtract the mean, square, sum, divide and scale.
        "GroupNormalization" | "InstanceNormalization" | "LayerNormalization" => 5,
        "RMSNormalization" | "SimplifiedLayerNormalization" => 4,
        "SkipSimplifiedLayerNormalization" => 5,
        "SkipLayerNormalization" => 6,
        "EmbedLayerNormalization" => 7,
        _ => return None,
    })
}

/// Work of one call of a node.
///
/// # Errors
/// Why that is not known, as a lowercase fragment: there is no formula, or the trace lacks a shape
/// that it needs.
pub fn work(node: &NodeProfile) -> Observed<Work> {
    let shapes = Shapes {
        inputs: node
            .inputs
            .as_deref()
            .ok_or("the trace does not tell its inputs' shapes")?,
        output: node
            .outputs
            .as_deref()
            .and_then(<[_]>::first)
            .ok_or("the trace does not tell its output's shape")?,
    };
    let operator = without_domain(node.operator.exact());
    Ok(Work {
        operations_count: shapes.operations(operator)?,
        arithmetic: shapes.arithmetic(operator),
    })
}

struct Shapes<'n> {
    inputs: &'n [TensorShape],
    output: &'n TensorShape,
}

impl Shapes<'_> {
    fn operations(&self, operator: &str) -> Observed<u64> {
        match operator {
            "Conv" | "FusedConv" | "NhwcConv" | "NhwcFusedConv" | "ConvInteger" | "QLinearConv" => {
                self.convolution()
            }
            "ConvTranspose" | "QLinearConvTranspose" => self.transposed_convolution(),
            "MatMul"
            | "MatMulInteger"
            | "MatMulInteger16"
            | "MatMulIntegerToFloat"
            | "DynamicQuantizeMatMul"
            | "QLinearMatMul"
            | "MatMulNBits"
            | "MatMulBnb4" => self.product(),
            "Gemm" | "FusedGemm" | "QGemm" | "GemmFloat8" | "FusedMatMul" | "TransposeMatMul" => {
                self.flat_product()
            }
            "Attention" | "QAttention" => self.attention(),
            "MultiHeadAttention" => self.multi_head_attention(),
            "LSTM" | "GRU" | "RNN" | "DynamicQuantizeLSTM" => self.recurrence(),
            // Pooling and reductions visit every input element once.
            "ArgMax"
            | "ArgMin"
            | "AveragePool"
            | "GlobalAveragePool"
            | "GlobalMaxPool"
            | "MaxPool"
            | "NhwcMaxPool"
            | "QLinearAveragePool"
            | "ReduceMax"
            | "ReduceMean"
            | "ReduceMin"
            | "ReduceProd"
            | "ReduceSum"
            | "QLinearGlobalAveragePool" => Ok(self.input(0)?.elements_count()),
            name => {
                let steps =
                    steps(name).ok_or_else(|| format!("there is no formula for `{name}`"))?;
                Ok(times(&[steps, self.output.elements_count()]))
            }
        }
    }

    /// Whole numbers where the first input is quantized, or becomes so inside the operator.
    fn arithmetic(&self, operator: &str) -> Arithmetic {
        match self.inputs.first() {
            Some(input)
                if matches!(operator, "DynamicQuantizeMatMul" | "DynamicQuantizeLSTM")
                    || input.element_type.contains("int") =>
            {
                Arithmetic::Integer
            }
            Some(input) if input.element_type != "float" => Arithmetic::OtherFloat,
            _ => Arithmetic::Float,
        }
    }

    fn input(&self, index: usize) -> Observed<&TensorShape> {
        self.inputs
            .get(index)
            .ok_or_else(|| format!("the trace does not tell the shape of its input {index}").into())
    }

    /// The weight of a convolution: the first input after the data that has as many dimensions and
    /// begins with `channels`, which stand second or, in other layouts, last in the tensor given.
    /// Scales, zero points and biases, which stand between them or after, have at most one
    /// dimension; what is added to the output begins with the batch.
    fn kernel(&self, channels_of: &TensorShape) -> Observed<&TensorShape> {
        let rank = self.input(0)?.dims.len();
        let channels = [channels_of.dims.get(1), channels_of.dims.last()];
        self.inputs
            .iter()
            .skip(1)
            .find(|input| {
                input.dims.len() == rank && rank > 2 && channels.contains(&input.dims.first())
            })
            .ok_or_else(|| NO_WEIGHT.into())
    }

    /// Twice the output elements, times the products that make up each: weight elements / output
    /// channels, which come first in the weight. Groups are in it, because a weight holds only the
    /// input channels of its group.
    fn convolution(&self) -> Observed<u64> {
        Ok(times(&[
            2,
            self.output.elements_count(),
            per_channel(self.kernel(self.output)?)?,
        ]))
    }

    /// Every input element is multiplied with what the weight holds for its channel; input channels
    /// come first.
    fn transposed_convolution(&self) -> Observed<u64> {
        Ok(times(&[
            2,
            self.input(0)?.elements_count(),
            per_channel(self.kernel(self.input(0)?)?)?,
        ]))
    }

    /// Twice the output elements, times the last dimension of the first matrix, however either is
    /// broadcast.
    fn product(&self) -> Observed<u64> {
        let inner = self
            .input(0)?
            .dims
            .last()
            .copied()
            .ok_or("its first input is a scalar")?;
        Ok(times(&[2, self.output.elements_count(), inner]))
    }

    /// The first matrix may be transposed: the inner length is what its elements leave for each row
    /// of the output.
    fn flat_product(&self) -> Observed<u64> {
        let first = self.input(0)?;

        let columns = self.output.dims.last().copied().unwrap_or(1).max(1);
        let rows = (self.output.elements_count() / columns).max(1);
        if batch(first) != batch(self.output) || !first.elements_count().is_multiple_of(rows) {
            return Err("its first input is broadcast".into());
        }
        Ok(times(&[
            2,
            self.output.elements_count(),
            first.elements_count() / rows,
        ]))
    }

    /// ONNX Runtime's own reads a weight of two dimensions second, the standard's reads keys of
    /// three or four.
    fn attention(&self) -> Observed<u64> {
        if self.input(1)?.dims.len() == 2 {
            self.packed_attention()
        } else {
            self.standard_attention()
        }
    }

    /// Every element of the queries is multiplied with one of every key, and every element of the
    /// output is a sum over every value: queries (batch, length, width) or (batch, heads, length,
    /// width), keys alike. Keys kept from before come last, beside their values, with four
    /// dimensions.
    fn standard_attention(&self) -> Observed<u64> {
        let (queries, keys) = (self.input(0)?, self.input(1)?);
        let length = keys.dims[keys
            .dims
            .len()
            .checked_sub(2)
            .ok_or("its keys have no positions")?]
        .saturating_add(self.kept_keys());
        Ok(times(&[
            2,
            length,
            queries
                .elements_count()
                .saturating_add(self.output.elements_count()),
        ]))
    }

    /// Positions of keys kept from before.
    fn kept_keys(&self) -> u64 {
        if let Some([.., keys, values]) = self.inputs.get(3..)
            && keys.dims.len() == 4
            && values.dims.starts_with(&keys.dims[..3])
        {
            keys.dims[2]
        } else {
            0
        }
    }

    /// Projection onto queries, keys and values, and for every pair of positions a product and a
    /// weighted sum over the hidden size: input (batch, length, width), weight (width, 3 x hidden).
    fn packed_attention(&self) -> Observed<u64> {
        let [batch, length, width] = three(self.input(0)?)?;
        let hidden = self.output.dims.last().copied().unwrap_or(0);
        let projected = self.input(1)?;
        if projected.dims.first() != Some(&width) {
            return Err(NO_WEIGHT.into());
        }
        Ok(times(&[2, batch, length, projected.elements_count()])
            .saturating_add(times(&[4, batch, length, length, hidden])))
    }

    /// For every query and key a product and a weighted sum over the hidden size: queries (batch,
    /// length, hidden), keys (batch, other length, hidden).
    fn multi_head_attention(&self) -> Observed<u64> {
        let [batch, length, hidden] = three(self.input(0)?)?;
        let others = three(self.input(1)?)?[1];
        Ok(times(&[4, batch, length, others, hidden]))
    }

    /// Every step multiplies input (length, batch, width) and state with their weights (directions,
    /// ...).
    fn recurrence(&self) -> Observed<u64> {
        let [length, batch, width] = three(self.input(0)?)?;
        let weights = self
            .inputs
            .iter()
            .skip(1)
            .filter(|input| input.dims.len() == 3)
            .take(2);
        match weights.collect::<Vec<_>>().as_slice() {
            // States, which are there without packed weights, hold the batch instead of the input's
            // width.
            [input, state]
                if input.dims[1..].contains(&width) && input.dims[0] == state.dims[0] =>
            {
                Ok(times(&[
                    2,
                    length,
                    batch,
                    input
                        .elements_count()
                        .saturating_add(state.elements_count()),
                ]))
            }
            _ => Err(NO_WEIGHT.into()),
        }
    }
}

const NO_WEIGHT: &str = "the trace does not tell its weight's shape";

/// All dimensions but those of the matrix.
fn batch(shape: &TensorShape) -> &[u64] {
    &shape.dims[..shape.dims.len().saturating_sub(2)]
}

/// A product of sizes, which a trace may say anything of.
fn times(factors: &[u64]) -> u64 {
    factors
        .iter()
        .fold(1, |product, &factor| product.saturating_mul(factor))
}

/// Elements of a weight for each of its first dimension.
fn per_channel(kernel: &TensorShape) -> Observed<u64> {
    match kernel.dims.first() {
        Some(&channels) if channels > 0 => Ok(kernel.elements_count() / channels),
        _ => Err("its weight is empty".into()),
    }
}

fn three(shape: &TensorShape) -> Observed<[u64; 3]> {
    let dims = shape.dims.as_slice();
    dims.try_into()
        .map_err(|_| format!("an input has {} dimensions instead of 3", dims.len()).into())
}

#[cfg(test)]
mod tests;
