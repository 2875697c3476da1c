//! Labels and targets that outputs are scored against.

use std::ops::Range;

use super::{AccuracyError, Result};
use crate::inputs::{ClassNames, Labels};
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
#[derive(Debug)]
pub(super) struct Targets {
    pub(super) per_sample: usize,
    /// Elements of all samples, one sample after the other.
    values: Vec<f64>,
}

impl Targets {
    /// Numbers of any shape whose first dimension is the samples, which have elements.
    pub(super) fn new(labels: &Labels) -> Result<Self> {
        Targets::read(labels).ok_or_else(|| AccuracyError::BadTargets(labels.shape().to_vec()))
    }

    fn read(labels: &Labels) -> Option<Self> {
        let per_sample: usize = labels.shape().get(1..)?.iter().product();
        let values = labels.numbers().filter(|_| per_sample > 0)?;
        Some(Targets {
            per_sample,
            values: values.into_iter().collect(),
        })
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
    use crate::accuracy::testing::{float, shaped};
    use crate::inputs::TensorData;

    #[test]
    fn targets_keep_their_elements_per_sample() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let labels = Labels::new(float("t", &[2, 3], &values).data);
        let targets = Targets::new(&labels).unwrap();
        assert_eq!((targets.per_sample, targets.samples_count()), (3, 2));
        assert_eq!(targets.values, values.map(f64::from));
    }

    #[test]
    fn targets_without_elements_or_numbers_are_refused() {
        for data in [
            float("t", &[], &[1.0]).data,
            float("t", &[2, 0], &[]).data,
            TensorData::String(shaped(&[1], vec!["one".to_owned()])),
        ] {
            assert!(Targets::new(&Labels::new(data)).is_err());
        }
    }
}
