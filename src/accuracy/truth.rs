//! Labels and targets that outputs are scored against.

use std::ops::Range;

use super::{AccuracyError, numbers};
use crate::inputs::{ClassNames, Labels, TensorData};
use crate::plan::Task;

/// Labels that outputs are scored against, sample by sample. What they are to the outputs is
/// settled by the first batch.
#[derive(Clone, Debug)]
pub struct Truth {
    /// The labels.
    pub labels: Labels,
    /// The classes that the model's file names.
    pub names: ClassNames,
    /// The kind of labels that was asked for.
    pub task: Task,
}

/// The numbers to predict, sample by sample; each sample has at least one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Targets {
    pub(super) per_sample: usize,
    /// Elements of all samples, one sample after the other.
    values: Vec<f64>,
}

impl Targets {
    /// Numbers of any shape whose first dimension is the samples, which have elements.
    pub(super) fn new(data: &TensorData) -> Result<Self, AccuracyError> {
        Targets::read(data).ok_or_else(|| AccuracyError::BadTargets(data.shape().to_vec()))
    }

    fn read(data: &TensorData) -> Option<Self> {
        let per_sample: usize = data.shape().get(1..)?.iter().product();
        let values = numbers(data).filter(|_| per_sample > 0)?;
        Some(Targets { per_sample, values })
    }

    pub(super) fn samples_count(&self) -> usize {
        self.values.len() / self.per_sample
    }

    /// The elements of these samples, one sample after the other; `None` if there are not so many.
    pub(super) fn of(&self, samples: Range<usize>) -> Option<&[f64]> {
        self.values
            .get(samples.start * self.per_sample..samples.end * self.per_sample)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::testing::shaped;

    #[test]
    fn targets_keep_their_elements_per_sample() {
        let data = TensorData::Float(shaped(&[2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        let targets = Targets::new(&data).unwrap();
        assert_eq!(
            targets,
            Targets {
                per_sample: 3,
                values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
            }
        );
        assert_eq!(targets.samples_count(), 2);
    }

    #[test]
    fn targets_without_elements_are_refused() {
        for data in [
            TensorData::Float(shaped(&[], vec![1.0])),
            TensorData::Float(shaped(&[2, 0], vec![])),
            TensorData::String(shaped(&[1], vec!["1".to_owned()])),
        ] {
            assert!(Targets::new(&data).is_err());
        }
    }
}
