//! Scores of a session's outputs against labels or targets.

use super::classification::ClassScorer;
use super::numbers::is_float;
use super::regression::ErrorScorer;
use super::{AccuracyError, Truth, health};
use crate::inputs::Tensor;
use crate::record::{OutputHealth, Scores};

/// Scores the outputs of one session, batch by batch, and counts what is not a number in them.
///
/// Which output is scored is settled by the first batch of `N` samples:
/// - against classes: the first floating-point output with one score per class, at least two (`[N, C]`, and the same
///   with dimensions of 1); else the first integer output with one value per sample, which is the predicted class.
///   A single score per sample is refused, because it may be a probability or a logit.
/// - against targets: the first floating-point output with `N` as its first dimension.
#[derive(Debug)]
pub struct Scorer {
    against: Option<Against>,
    next_sample: usize,
    health: Vec<OutputHealth>,
}

#[derive(Debug)]
enum Against {
    Classes(ClassScorer),
    Targets(ErrorScorer),
}

impl Scorer {
    /// Starts scoring. Without labels or targets, outputs are only checked for what is not a number.
    #[must_use]
    pub fn new(truth: Option<Truth>) -> Self {
        let against = truth.map(|truth| match truth {
            Truth::Classes(labels) => Against::Classes(ClassScorer::new(labels)),
            Truth::Targets(targets) => Against::Targets(ErrorScorer::new(targets)),
        });
        Scorer { against, next_sample: 0, health: Vec::new() }
    }

    /// Adds the outputs for the samples from `first_sample` on, `samples_count` of them. Batches come in order; the
    /// last may be smaller.
    ///
    /// # Errors
    /// Outputs that cannot be scored, labels that do not fit them or are too few, batches out of order. What is not a
    /// number has been counted even then.
    pub fn add(&mut self, outputs: &[Tensor], first_sample: usize, samples_count: usize) -> Result<(), AccuracyError> {
        self.count_not_finite(outputs, samples_count);
        if first_sample != self.next_sample {
            return Err(AccuracyError::OutOfOrder { expected: self.next_sample, got: first_sample });
        }
        self.next_sample += samples_count;
        let samples = first_sample..self.next_sample;
        match &mut self.against {
            Some(Against::Classes(scorer)) => scorer.add(outputs, samples),
            Some(Against::Targets(scorer)) => scorer.add(outputs, samples),
            None => Ok(()),
        }
    }

    /// The scores, if there were labels or targets and at least one batch, and the health of every floating-point
    /// output.
    #[must_use]
    pub fn finish(self) -> (Option<Scores>, Vec<OutputHealth>) {
        let scores = match self.against {
            Some(Against::Classes(scorer)) => scorer.finish(),
            Some(Against::Targets(scorer)) => scorer.finish(),
            None => None,
        };
        (scores, self.health)
    }

    fn count_not_finite(&mut self, outputs: &[Tensor], samples_count: usize) {
        for tensor in outputs.iter().filter(|tensor| is_float(&tensor.data)) {
            let index = self.health.iter().position(|health| health.name == tensor.name).unwrap_or_else(|| {
                self.health.push(health::none_yet(&tensor.name));
                self.health.len() - 1
            });
            health::add(&mut self.health[index], tensor, samples_count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::testing::{float, int64, tensor};
    use crate::inputs::TensorData;
    use half::f16;
    use ndarray::{ArrayD, IxDyn};

    #[test]
    fn unlabelled_outputs_are_checked_and_not_scored() {
        let mut scorer = Scorer::new(None);
        let rows = [1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, 1.0];
        scorer.add(&[float("scores", &[3, 2], &rows), int64("ids", &[3], &[1, 2, 3])], 0, 3).unwrap();
        scorer.add(&[float("scores", &[1, 2], &[f32::NAN, 0.0])], 3, 1).unwrap();
        let (scores, health) = scorer.finish();
        assert_eq!(scores, None);
        let [health] = health.as_slice() else { panic!("{health:?}") };
        assert_eq!((health.name.as_str(), health.elements_count), ("scores", 8));
        assert_eq!((health.nan_count, health.infinite_count, health.affected_samples_count), (2, 2, 3));
    }

    #[test]
    fn half_precision_overflow_is_seen() {
        let halves = ArrayD::from_shape_vec(IxDyn(&[1, 2]), vec![f16::from_f32(70_000.0), f16::NAN]).unwrap();
        let mut scorer = Scorer::new(None);
        scorer.add(&[tensor("half", TensorData::Float16(halves))], 0, 1).unwrap();
        let health = &scorer.finish().1[0];
        assert_eq!((health.nan_count, health.infinite_count, health.affected_samples_count), (1, 1, 1));
    }

    #[test]
    fn output_without_samples_affects_the_whole_batch() {
        let mut scorer = Scorer::new(None);
        scorer.add(&[float("loss", &[], &[f32::NAN])], 0, 4).unwrap();
        assert_eq!(scorer.finish().1[0].affected_samples_count, 4);
    }

    #[test]
    fn batch_out_of_order_is_an_error() {
        let mut scorer = Scorer::new(None);
        scorer.add(&[], 0, 4).unwrap();
        assert_eq!(scorer.add(&[], 8, 4), Err(AccuracyError::OutOfOrder { expected: 4, got: 8 }));
    }

    #[test]
    fn what_is_not_a_number_is_counted_even_if_nothing_can_be_scored() {
        let mut scorer = Scorer::new(Some(Truth::Classes(vec![0, 1])));
        scorer.add(&[float("boxes", &[2, 3, 4], &[f32::NAN; 24])], 0, 2).unwrap_err();
        assert_eq!(scorer.finish().1[0].nan_count, 24);
    }
}
