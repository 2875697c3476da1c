//! How much a node computes, from the shapes that it ran on.
//!
//! A multiplication and the addition that follows it are two operations, as in the roofline model
//! (Williams, Waterman and Patterson 2009, "Roofline: an insightful visual performance model for
//! multicore architectures"). Where a weight's shape stands in for attributes that a trace does not
//! hold, each formula says so. Biases and fused activations are not counted: one operation an
//! output element, against twice the length of an inner product.

use serde::Serialize;

use super::formula::Formula;
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

/// Work of one call of a node.
///
/// # Errors
/// Why that is not known, as a lowercase fragment: there is no formula, or the trace lacks a shape
/// that it needs.
pub fn work(node: &NodeProfile) -> Observed<Work> {
    let shapes = Shapes::of(node)?;
    let operator = without_domain(node.operator.exact());
    Ok(Work {
        operations_count: shapes.operations(operator)?,
        arithmetic: shapes.arithmetic(operator),
    })
}

/// Shapes of what a node reads, and of its first output.
pub(super) struct Shapes<'n> {
    pub(super) inputs: &'n [TensorShape],
    pub(super) output: &'n TensorShape,
}

impl<'n> Shapes<'n> {
    pub(super) fn of(node: &'n NodeProfile) -> Observed<Self> {
        Ok(Shapes {
            inputs: node
                .inputs
                .as_deref()
                .ok_or("the trace does not tell its inputs' shapes")?,
            output: node
                .outputs
                .as_deref()
                .and_then(<[_]>::first)
                .ok_or("the trace does not tell its output's shape")?,
        })
    }

    pub(super) fn operations(&self, operator: &str) -> Observed<u64> {
        let formula =
            Formula::of(operator).ok_or_else(|| format!("there is no formula for `{operator}`"))?;
        match formula {
            Formula::Convolution => self.convolution(),
            Formula::TransposedConvolution => self.transposed_convolution(),
            Formula::Product => self.product(),
            Formula::FlatProduct => self.flat_product(),
            Formula::Attention => self.attention(),
            Formula::MultiHeadAttention => self.multi_head_attention(),
            Formula::Recurrence => self.recurrence(),
            Formula::PerInput => Ok(self.input(0)?.elements_count()),
            Formula::PerOutput(steps) => Ok(times(&[steps, self.output.elements_count()])),
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

    pub(super) fn input(&self, index: usize) -> Observed<&TensorShape> {
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
        Ok(times(&[2, self.output.elements_count(), self.inner()?]))
    }

    pub(super) fn inner(&self) -> Observed<u64> {
        let inner = self.input(0)?.dims.last().copied();
        inner.ok_or_else(|| "its first input is a scalar".into())
    }

    fn flat_product(&self) -> Observed<u64> {
        Ok(times(&[
            2,
            self.output.elements_count(),
            self.flat_inner()?,
        ]))
    }

    /// The first matrix may be transposed: the inner length is what its elements leave for each row
    /// of the output.
    pub(super) fn flat_inner(&self) -> Observed<u64> {
        let first = self.input(0)?;
        let columns = self.output.dims.last().copied().unwrap_or(1).max(1);
        let rows = (self.output.elements_count() / columns).max(1);
        if batch(first) != batch(self.output) || !first.elements_count().is_multiple_of(rows) {
            return Err("its first input is broadcast".into());
        }
        Ok(first.elements_count() / rows)
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

/// A weight that a kernel packed for itself is not in a trace.
pub(super) const NO_WEIGHT: &str = "the trace does not tell its weight's shape";

/// All dimensions but those of the matrix.
fn batch(shape: &TensorShape) -> &[u64] {
    &shape.dims[..shape.dims.len().saturating_sub(2)]
}

/// A product of sizes, which a trace may say anything of.
pub(super) fn times(factors: &[u64]) -> u64 {
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
