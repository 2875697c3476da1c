//! What outputs are scored against.

use std::ops::Range;

use super::AccuracyError;
use super::numbers::{integers, numbers};
use crate::inputs::TensorData;

/// What outputs are scored against, sample by sample.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// The class of each sample, counted from 0.
    Classes(Vec<i64>),
    /// The numbers to predict.
    Targets(Targets),
}

/// The numbers to predict, sample by sample; each sample has at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Targets {
    per_sample: usize,
    /// Elements of all samples, one sample after the other.
    values: Vec<f64>,
}

impl Truth {
    /// Reads class labels: `[N]` or `[N, 1]` of integers, booleans, or floats that are whole numbers.
    ///
    /// # Errors
    /// Another type or shape, or labels below 0.
    pub fn classes(data: &TensorData) -> Result<Self, AccuracyError> {
        let bad = |problem: String| AccuracyError::BadLabels { shape: data.shape().to_vec(), problem };
        if data.shape().is_empty() || data.shape()[1..].iter().any(|&size| size != 1) {
            return Err(bad("expected [N] or [N, 1]".to_owned()));
        }
        let labels = integers(data).ok_or_else(|| bad("they are not whole numbers".to_owned()))?;
        let class = |label: i128| i64::try_from(label).ok().filter(|&label| label >= 0);
        let classes = labels.into_iter().map(|label| class(label).ok_or_else(|| bad(format!("{label} is no class"))));
        Ok(Truth::Classes(classes.collect::<Result<_, _>>()?))
    }

    /// Reads numeric targets: numbers of any shape whose first dimension is the samples.
    ///
    /// # Errors
    /// As [`Targets::new`].
    pub fn targets(data: &TensorData) -> Result<Self, AccuracyError> {
        Targets::new(data).map(Truth::Targets)
    }

    /// Samples that there is a label or target for.
    #[must_use]
    pub fn samples_count(&self) -> usize {
        match self {
            Truth::Classes(labels) => labels.len(),
            Truth::Targets(targets) => targets.samples_count(),
        }
    }
}

impl Targets {
    /// Reads targets: numbers of any shape whose first dimension is the samples.
    ///
    /// # Errors
    /// A scalar, samples without elements, or strings.
    pub fn new(data: &TensorData) -> Result<Self, AccuracyError> {
        let bad = || AccuracyError::BadTargets { shape: data.shape().to_vec() };
        let per_sample = data.shape().get(1..).ok_or_else(bad)?.iter().product();
        if per_sample == 0 {
            return Err(bad());
        }
        Ok(Targets { per_sample, values: numbers(data).ok_or_else(bad)? })
    }

    /// Samples that there is a target for.
    #[must_use]
    pub fn samples_count(&self) -> usize {
        self.values.len() / self.per_sample
    }

    /// Elements of one sample, at least 1.
    #[must_use]
    pub fn per_sample(&self) -> usize {
        self.per_sample
    }

    /// The elements of these samples, one sample after the other; `None` if there are not so many.
    pub(super) fn of(&self, samples: Range<usize>) -> Option<&[f64]> {
        self.values.get(samples.start * self.per_sample..samples.end * self.per_sample)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{ArrayD, IxDyn};

    fn shaped<T>(shape: &[usize], values: Vec<T>) -> ArrayD<T> {
        ArrayD::from_shape_vec(IxDyn(shape), values).unwrap()
    }

    #[test]
    fn whole_numbers_of_any_type_are_labels() {
        let labels = Ok(Truth::Classes(vec![0, 2, 1]));
        for data in [
            TensorData::Int64(shaped(&[3], vec![0, 2, 1])),
            TensorData::Uint8(shaped(&[3, 1], vec![0, 2, 1])),
            TensorData::Float(shaped(&[3], vec![0.0, 2.0, 1.0])),
            TensorData::Uint64(shaped(&[3], vec![0, 2, 1])),
        ] {
            assert_eq!(Truth::classes(&data), labels);
        }
    }

    #[test]
    fn other_labels_are_refused() {
        for data in [
            TensorData::Float(shaped(&[2], vec![0.5, 1.0])),
            TensorData::Float(shaped(&[2], vec![f32::NAN, 1.0])),
            TensorData::Int64(shaped(&[2], vec![-1, 1])),
            TensorData::Uint64(shaped(&[1], vec![u64::MAX])),
            TensorData::Int64(shaped(&[2, 2], vec![0, 1, 1, 0])),
            TensorData::Int64(shaped(&[], vec![0])),
            TensorData::String(shaped(&[1], vec!["cat".to_owned()])),
        ] {
            let error = Truth::classes(&data).unwrap_err();
            assert!(matches!(error, AccuracyError::BadLabels { .. }) && error.hint().is_some(), "{error}");
        }
    }

    #[test]
    fn targets_keep_their_elements_per_sample() {
        let data = TensorData::Float(shaped(&[2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        let truth = Truth::targets(&data).unwrap();
        assert_eq!(truth, Truth::Targets(Targets { per_sample: 3, values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] }));
        assert_eq!(truth.samples_count(), 2);
    }

    #[test]
    fn targets_without_elements_are_refused() {
        for data in [
            TensorData::Float(shaped(&[], vec![1.0])),
            TensorData::Float(shaped(&[2, 0], vec![])),
            TensorData::String(shaped(&[1], vec!["1".to_owned()])),
        ] {
            assert!(Truth::targets(&data).is_err());
        }
    }
}
