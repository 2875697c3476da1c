//! Tensors as numbers, and as samples.

use crate::inputs::TensorData;

/// Elements as `f64`, row by row; `None` for strings. Booleans are 0 and 1.
///
/// Integers beyond 2^53 are rounded.
pub(super) fn numbers(data: &TensorData) -> Option<Vec<f64>> {
    Some(match data {
        TensorData::Float(array) => array.iter().map(|&element| f64::from(element)).collect(),
        TensorData::Double(array) => array.iter().copied().collect(),
        TensorData::Float16(array) => array.iter().map(|element| element.to_f64()).collect(),
        TensorData::Bfloat16(array) => array.iter().map(|element| element.to_f64()).collect(),
        TensorData::Int8(array) => array.iter().map(|&element| f64::from(element)).collect(),
        TensorData::Int16(array) => array.iter().map(|&element| f64::from(element)).collect(),
        TensorData::Int32(array) => array.iter().map(|&element| f64::from(element)).collect(),
        TensorData::Int64(array) => array.iter().map(|&element| element as f64).collect(),
        TensorData::Uint8(array) => array.iter().map(|&element| f64::from(element)).collect(),
        TensorData::Uint16(array) => array.iter().map(|&element| f64::from(element)).collect(),
        TensorData::Uint32(array) => array.iter().map(|&element| f64::from(element)).collect(),
        TensorData::Uint64(array) => array.iter().map(|&element| element as f64).collect(),
        TensorData::Bool(array) => array.iter().map(|&element| f64::from(u8::from(element))).collect(),
        TensorData::String(_) => return None,
    })
}

/// Elements as integers, row by row; `None` unless all of them are whole numbers.
pub(super) fn integers(data: &TensorData) -> Option<Vec<i128>> {
    match data {
        TensorData::Int64(array) => Some(array.iter().map(|&element| i128::from(element)).collect()),
        TensorData::Uint64(array) => Some(array.iter().map(|&element| i128::from(element)).collect()),
        // Every other integer type is exact as f64, and so is every whole float within its range.
        other => numbers(other)?.into_iter().map(whole).collect(),
    }
}

fn whole(number: f64) -> Option<i128> {
    (number.fract() == 0.0).then_some(number as i128)
}

/// Whether the elements are floating-point numbers.
pub(super) fn is_float(data: &TensorData) -> bool {
    matches!(data, TensorData::Float(_) | TensorData::Double(_) | TensorData::Float16(_) | TensorData::Bfloat16(_))
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
