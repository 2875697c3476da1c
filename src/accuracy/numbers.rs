//! Tensors as numbers and as samples, and how two of one shape differ: by element, and in the class
//! that they name.

use crate::inputs::TensorData;

/// Elements as `f64`, row by row; none for strings. Booleans are 0 and 1, integers beyond 2^53 are
/// rounded.
pub(super) fn numbers(data: &TensorData) -> Vec<f64> {
    match data {
        TensorData::String(_) => Vec::new(),
        data => data.first_f64(usize::MAX),
    }
}

/// Elements as integers, row by row; `None` unless all of them are whole numbers.
pub(super) fn integers(data: &TensorData) -> Option<Vec<i128>> {
    match data {
        TensorData::Int64(array) => Some(array.iter().copied().map(i128::from).collect()),
        TensorData::Uint64(array) => Some(array.iter().copied().map(i128::from).collect()),
        // Every other integer type is exact as f64, and so is every whole float within its range.
        other => numbers(other)
            .into_iter()
            .map(|number| (number.fract() == 0.0).then_some(number as i128))
            .collect(),
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

/// Classes, if a sample has a score for each: one dimension behind the first is not 1 (`[N, 1000,
/// 1, 1]`).
pub(super) fn classes(data: &TensorData, samples_count: usize) -> Option<usize> {
    let elements = per_sample(data, samples_count)?;
    let longer = data.shape()[1..].iter().filter(|&&size| size != 1).count();
    (is_float(data) && longer == 1 && elements >= 2).then_some(elements)
}

/// Type and shape in words, such as `float [8, 10]`.
pub(super) fn describe(data: &TensorData) -> String {
    format!(
        "{} {:?}",
        format!("{:?}", data.element_type()).to_lowercase(),
        data.shape()
    )
}

/// Absolute differences: 0 of two NaN or like infinities, `None` of one of these and anything else.
pub(super) fn errors(ours: &[f64], reference: &[f64]) -> Vec<Option<f64>> {
    ours.iter()
        .zip(reference)
        .map(|(&our, &reference)| match our - reference {
            _ if our == reference || (our.is_nan() && reference.is_nan()) => Some(0.0),
            _ if !our.is_finite() || !reference.is_finite() => None,
            difference => Some(difference.abs()),
        })
        .collect()
}

/// The same of whole numbers, of which the largest are rounded as `f64`, so that unlike ones would
/// be the same.
pub(super) fn whole_errors(ours: &TensorData, reference: &TensorData) -> Option<Vec<Option<f64>>> {
    let reference = integers(reference)?;
    let pairs = integers(ours)?.into_iter().zip(reference);
    Some(
        pairs
            .map(|(our, reference)| Some(our.abs_diff(reference) as f64))
            .collect(),
    )
}

/// Samples that agree: in the class with the highest score, or in every value where values are not
/// floating-point. `None` for floating-point outputs that hold no scores of classes.
pub(super) fn agreeing_count(
    batch: usize,
    ours: &TensorData,
    reference: &TensorData,
) -> Option<u64> {
    Some(match (ours, reference) {
        (TensorData::String(ours), TensorData::String(reference)) => {
            let [ours, reference] = [ours, reference].map(|words| words.iter().collect::<Vec<_>>());
            count_agreeing(batch, &ours, &reference, PartialEq::eq)
        }
        _ if is_float(ours) || is_float(reference) => {
            classes(ours, batch).and(classes(reference, batch))?;
            count_agreeing(batch, &numbers(ours), &numbers(reference), agree_in_class)
        }
        _ => count_agreeing(
            batch,
            &integers(ours)?,
            &integers(reference)?,
            PartialEq::eq,
        ),
    })
}

/// Whether the highest score is at the same place, and NaN where the reference has it.
pub(super) fn agree_in_class(ours: &[f64], reference: &[f64]) -> bool {
    highest(ours) == highest(reference)
        && ours
            .iter()
            .zip(reference)
            .all(|(our, reference)| our.is_nan() == reference.is_nan())
}

/// The place of the highest score that is a number, the first of equals, as ONNX `ArgMax` has it.
fn highest(scores: &[f64]) -> Option<usize> {
    (0..scores.len())
        .filter(|&place| !scores[place].is_nan())
        .reduce(|best, next| {
            if scores[next] > scores[best] {
                next
            } else {
                best
            }
        })
}

/// The class of the highest score, the first of equals; absent where a score is not a number.
pub(super) fn best(scores: impl Iterator<Item = f64>) -> Option<u64> {
    let mut best = (0, f64::NEG_INFINITY);
    for (class, score) in scores.enumerate() {
        if score.is_nan() {
            return None;
        }
        if score > best.1 {
            best = (class as u64, score);
        }
    }
    Some(best.0)
}

fn count_agreeing<T>(
    batch: usize,
    ours: &[T],
    reference: &[T],
    agree: impl Fn(&[T], &[T]) -> bool,
) -> u64 {
    let elements = (ours.len() / batch.max(1)).max(1);
    let reference = reference.chunks_exact(elements);
    let pairs = ours.chunks_exact(elements).zip(reference);
    pairs
        .filter(|(ours, reference)| agree(ours, reference))
        .count() as u64
}
