//! Sizes of all dimensions of a model's inputs, once they are decided.

use std::collections::BTreeMap;

use crate::onnx::InputAxis;
use crate::record::{BatchAxis, Dim, FedInput, SizeSource, TensorInfo};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    /// Its size; absent where it grows with the batch.
    pub size: Option<u64>,
    /// Its size for one sample, where it grows with the batch.
    pub rows: u64,
    pub source: SizeSource,
}

impl Placed {
    fn alone(size: u64, source: SizeSource) -> Placed {
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
        self.of(info)
            .into_iter()
            .map(|placed| placed.size)
            .collect()
    }

    pub fn of(&self, info: &TensorInfo) -> Vec<Placed> {
        let dims = dims_of(info).iter().enumerate();
        dims.map(|(axis, dim)| self.placed(info.name.exact(), axis, dim))
            .collect()
    }

    fn placed(&self, input: &str, axis: usize, dim: &Dim) -> Placed {
        let input = input.to_owned();
        match (self.places.get(&InputAxis { input, axis }), dim) {
            (Some(placed), _) => placed.clone(),
            (None, &Dim::Fixed(size)) => Placed::alone(size, SizeSource::Fixed),
            (None, _) => Placed::alone(1, SizeSource::MadeUp),
        }
    }

    pub fn set(&self, fed: &mut FedInput, info: &TensorInfo) {
        let placed = self.of(info);
        fed.rows_per_sample = rows_per_sample(&placed);
        fed.dims = placed.iter().map(|placed| placed.size).collect();
        fed.sources = placed.into_iter().map(|placed| placed.source).collect();
    }
}

/// Rows of a sample along the axes that grow with the batch, where they are not one.
pub(super) fn rows_per_sample(placed: &[Placed]) -> BTreeMap<usize, u64> {
    placed
        .iter()
        .enumerate()
        .filter(|(_, placed)| placed.size.is_none() && placed.rows != 1)
        .map(|(axis, placed)| (axis, placed.rows))
        .collect()
}

/// Dimensions of a tensor; none where their number is not known.
pub(super) fn dims_of(info: &TensorInfo) -> &[Dim] {
    info.value_type
        .as_tensor()
        .and_then(|(_, dims)| dims)
        .unwrap_or_default()
}

/// The first axis along which an input's samples lie, if they lie along one.
#[derive(Clone, Copy)]
pub(super) struct SampleAxis<'f> {
    pub input: &'f str,
    pub axis: Option<usize>,
}

pub(super) fn sample_axes<'f>(fed: &'f [FedInput], batch: &BatchAxis) -> Vec<SampleAxis<'f>> {
    fed.iter()
        .map(|fed| SampleAxis {
            input: fed.name.exact(),
            axis: sample_axis(fed, batch),
        })
        .collect()
}

fn sample_axis(fed: &FedInput, batch: &BatchAxis) -> Option<usize> {
    let axis = batch.axes.get(&fed.name).map(|&axis| axis as usize);
    // Rows of products are no samples.
    axis.filter(|axis| !fed.rows_per_sample.contains_key(axis))
}
