//! Tensors as numbers, and as samples.

use crate::inputs::TensorData;

/// Elements as `f64`, row by row; `None` for strings. Booleans are 0 and 1, integers beyond 2^53 are rounded.
pub(super) fn numbers(data: &TensorData) -> Option<Vec<f64>> {
    (!matches!(data, TensorData::String(_))).then(|| data.first_f64(usize::MAX))
}

/// Elements as integers, row by row; `None` unless all of them are whole numbers.
pub(super) fn integers(data: &TensorData) -> Option<Vec<i128>> {
    match data {
        TensorData::Int64(array) => Some(array.iter().map(|&element| i128::from(element)).collect()),
        TensorData::Uint64(array) => Some(array.iter().map(|&element| i128::from(element)).collect()),
        // Every other integer type is exact as f64, and so is every whole float within its range.
        other => numbers(other)?.iter().map(|number| (number.fract() == 0.0).then_some(*number as i128)).collect(),
    }
}

pub(super) fn is_float(data: &TensorData) -> bool {
    data.element_type().is_float()
}

/// Whether the elements are integers (booleans are not).
pub(super) fn is_integer(data: &TensorData) -> bool {
    !is_float(data) && !matches!(data, TensorData::Bool(_) | TensorData::String(_))
}

/// Elements per sample, if the first dimension counts the samples of the batch.
pub(super) fn per_sample(data: &TensorData, samples_count: usize) -> Option<usize> {
    let (&first, rest) = data.shape().split_first()?;
    (first == samples_count).then(|| rest.iter().product())
}

/// Classes, if each sample holds one score for each of them: of the dimensions after the first, exactly one is longer
/// than 1 (so that `[N, 1000, 1, 1]` counts).
pub(super) fn classes(data: &TensorData, samples_count: usize) -> Option<usize> {
    let elements = per_sample(data, samples_count)?;
    let longer = data.shape()[1..].iter().filter(|&&size| size != 1).count();
    (is_float(data) && longer == 1 && elements >= 2).then_some(elements)
}

/// Type and shape in words, such as `float [8, 10]`.
pub(super) fn describe(data: &TensorData) -> String {
    format!("{} {:?}", format!("{:?}", data.element_type()).to_lowercase(), data.shape())
}
