//! Sizes of all dimensions of a model's inputs, once they are decided.

use std::collections::BTreeMap;

use crate::onnx::InputAxis;
use crate::record::{BatchAxis, Dim, FedInput, SizeSource, TensorInfo};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    /// Its size; absent where it grows with the batch.
    pub size: Option<u64>,
    /// Its size for one sample, where it grows with the batch; else 1.
    pub rows: u64,
    pub source: SizeSource,
}

impl Placed {
    pub fn alone(size: u64, source: SizeSource) -> Placed {
        Placed {
            size: Some(size),
            rows: 1,
            source,
        }
    }
}

/// Sizes of open dimensions, and of fixed ones along which the batch lies.
#[derive(Clone, Debug, Default)]
pub(super) struct Dims {
    pub places: BTreeMap<InputAxis, Placed>,
}

impl Dims {
    /// Sizes of all dimensions of an input; absent where the batch size stands.
    pub fn shape(&self, info: &TensorInfo) -> Vec<Option<u64>> {
        self.of(info).iter().map(|placed| placed.size).collect()
    }

    pub fn of(&self, info: &TensorInfo) -> Vec<Placed> {
        dims_of(info)
            .iter()
            .enumerate()
            .map(|(axis, dim)| self.placed(info.name.exact(), axis, dim))
            .collect()
    }

    fn placed(&self, input: &str, axis: usize, dim: &Dim) -> Placed {
        self.places
            .get(&InputAxis {
                input: input.to_owned(),
                axis,
            })
            .cloned()
            .unwrap_or_else(|| match dim {
                Dim::Fixed(size) => Placed::alone(*size, SizeSource::Fixed),
                _ => Placed::alone(1, SizeSource::MadeUp),
            })
    }
}

/// Rows of a sample along the axes that grow with the batch, where they are not one.
pub(super) fn rows_per_sample(placed: &[Placed]) -> BTreeMap<usize, u64> {
    placed
        .iter()
        .map(|placed| placed.rows)
        .enumerate()
        .filter(|&(_, rows)| rows != 1)
        .collect()
}

pub(super) fn input_of<'i>(inputs: &'i [TensorInfo], name: &str) -> Option<&'i TensorInfo> {
    inputs.iter().find(|info| info.name == name)
}

/// Whether it is no tensor whose number of dimensions is not known.
pub(super) fn has_rank(info: &TensorInfo) -> bool {
    !matches!(info.value_type.as_tensor(), Some((_, None)))
}

/// Dimensions of a tensor; none where their number is not known.
pub(super) fn dims_of(info: &TensorInfo) -> &[Dim] {
    info.value_type
        .as_tensor()
        .and_then(|(_, dims)| dims)
        .unwrap_or_default()
}

/// The first axis along which an input's samples lie, if they lie along one.
pub(super) fn sample_axis(fed: &FedInput, batch: &BatchAxis) -> Option<usize> {
    let axis = batch.axes.get(&fed.name).map(|&axis| axis as usize);
    // Rows of products are no samples.
    axis.filter(|axis| !fed.rows_per_sample.contains_key(axis))
}
