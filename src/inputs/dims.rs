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
        let fixed = |size| Placed {
            size: Some(size),
            rows: 1,
            source: SizeSource::Fixed,
        };
        let place = |axis| InputAxis {
            input: info.name.clone(),
            axis,
        };
        let placed = |(axis, dim): (usize, &Dim)| match (self.places.get(&place(axis)), dim) {
            (Some(placed), _) => placed.clone(),
            (None, &Dim::Fixed(size)) => fixed(size),
            (None, _) => Placed {
                source: SizeSource::MadeUp,
                ..fixed(1)
            },
        };
        dims_of(info).iter().enumerate().map(placed).collect()
    }

    pub fn set(&self, fed: &mut FedInput, info: &TensorInfo) {
        let placed = self.of(info);
        let grows = placed
            .iter()
            .enumerate()
            .filter(|(_, placed)| placed.size.is_none() && placed.rows != 1);
        fed.rows_per_sample = grows.map(|(axis, placed)| (axis, placed.rows)).collect();
        fed.dims = placed.iter().map(|placed| placed.size).collect();
        fed.sources = placed.into_iter().map(|placed| placed.source).collect();
    }
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
    let axis = |fed: &FedInput| {
        let axis = batch.axes.get(&fed.name).map(|&axis| axis as usize);
        // Rows of products are no samples.
        axis.filter(|axis| !fed.rows_per_sample.contains_key(axis))
    };
    fed.iter()
        .map(|fed| SampleAxis {
            input: &fed.name,
            axis: axis(fed),
        })
        .collect()
}
