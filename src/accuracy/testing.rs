//! Tensors for tests.

use ndarray::{ArrayD, IxDyn};

use crate::inputs::{Tensor, TensorData};

pub(super) fn shaped<T>(shape: &[usize], values: Vec<T>) -> ArrayD<T> {
    ArrayD::from_shape_vec(IxDyn(shape), values).unwrap()
}

pub(super) fn tensor(name: &str, data: TensorData) -> Tensor {
    Tensor {
        name: name.to_owned(),
        data,
    }
}

pub(super) fn float(name: &str, shape: &[usize], values: &[f32]) -> Tensor {
    tensor(name, TensorData::Float(shaped(shape, values.to_vec())))
}

pub(super) fn int64(name: &str, shape: &[usize], values: &[i64]) -> Tensor {
    tensor(name, TensorData::Int64(shaped(shape, values.to_vec())))
}
