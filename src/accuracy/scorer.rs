//! Scores of a session's outputs against labels or targets.

use super::form::{self, Against};
use super::{AccuracyError, Truth, is_float, numbers, per_sample};
use crate::inputs::Tensor;
use crate::record::{OutputHealth, Scores};

/// Scores the outputs of one session, batch by batch, and counts what is not a number in them.
///
/// Which output is scored, and what the labels are to it, is settled by the first batch.
#[derive(Debug)]
pub struct Scorer {
    truth: Option<Truth>,
    against: Option<Against>,
    labels_as: Option<String>,
    next_sample: usize,
    health: Vec<OutputHealth>,
}

impl Scorer {
    /// Starts scoring. Without labels, outputs are only checked for what is not a number.
    #[must_use]
    pub fn new(truth: Option<Truth>) -> Self {
        Scorer {
            truth,
            against: None,
            labels_as: None,
            next_sample: 0,
            health: Vec::new(),
        }
    }

    /// Adds the outputs for the samples from `first_sample` on, `samples_count` of them. Batches
    /// come in order; the last may be smaller. Where they cannot be scored, what is not a number
    /// has been counted even then.
    pub fn add(
        &mut self,
        outputs: &[Tensor],
        first_sample: usize,
        samples_count: usize,
    ) -> Result<(), AccuracyError> {
        self.count_not_finite(outputs, samples_count);
        if first_sample != self.next_sample {
            return Err(AccuracyError::OutOfOrder {
                expected: self.next_sample,
                got: first_sample,
            });
        }
        self.next_sample += samples_count;
        if let Some(truth) = self.truth.take() {
            let labels = truth.labels.clone();
            let against = form::against(truth, outputs, samples_count)?;
            self.labels_as = against.in_words(&labels);
            self.against = Some(against);
        }
        let samples = first_sample..self.next_sample;
        match &mut self.against {
            Some(Against::Classes(scorer)) => scorer.add(outputs, samples),
            Some(Against::Several(scorer)) => scorer.add(outputs, samples),
            Some(Against::Elements(scorer)) => scorer.add(outputs, samples),
            Some(Against::Targets(scorer)) => scorer.add(outputs, samples),
            None => Ok(()),
        }
    }

    /// How the labels were taken, where that is not plain from them.
    #[must_use]
    pub fn labels_as(&self) -> Option<&str> {
        self.labels_as.as_deref()
    }

    /// The scores, if there were labels and at least one batch, and the health of every
    /// floating-point output.
    #[must_use]
    pub fn finish(self) -> (Option<Scores>, Vec<OutputHealth>) {
        let scores = self.against.and_then(|against| match against {
            Against::Classes(scorer) => Some(Scores::Classification(scorer.scores)),
            Against::Several(scorer) => Some(Scores::SeveralClasses(scorer.scores)),
            Against::Elements(scorer) => Some(Scores::Elements(scorer.scores)),
            Against::Targets(scorer) => scorer.finish(),
        });
        (scores, self.health)
    }

    fn count_not_finite(&mut self, outputs: &[Tensor], samples_count: usize) {
        for tensor in outputs.iter().filter(|tensor| is_float(&tensor.data)) {
            let index = self
                .health
                .iter()
                .position(|health| health.name == tensor.name)
                .unwrap_or_else(|| {
                    self.health.push(none_yet(&tensor.name));
                    self.health.len() - 1
                });
            count_in(&mut self.health[index], tensor, samples_count);
        }
    }
}

fn none_yet(name: &str) -> OutputHealth {
    let name = name.to_owned();
    OutputHealth {
        name: name.into(),
        elements_count: 0,
        nan_count: 0,
        infinite_count: 0,
        affected_samples_count: 0,
    }
}

fn are_finite(elements: &[f64]) -> bool {
    elements.iter().all(|element| element.is_finite())
}

fn count_in(health: &mut OutputHealth, tensor: &Tensor, samples_count: usize) {
    let elements = numbers(&tensor.data).unwrap_or_default();
    health.elements_count += elements.len() as u64;
    health.nan_count += elements.iter().filter(|element| element.is_nan()).count() as u64;
    health.infinite_count += elements
        .iter()
        .filter(|element| element.is_infinite())
        .count() as u64;
    health.affected_samples_count += match per_sample(&tensor.data, samples_count) {
        Some(0) => 0,
        Some(per_sample) => {
            let samples = elements.chunks_exact(per_sample);
            samples.filter(|sample| !are_finite(sample)).count() as u64
        }
        None if are_finite(&elements) => 0,
        None => samples_count as u64,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::testing::{float, int64, shaped, tensor};
    use crate::inputs::{ClassNames, Labels, TensorData};
    use crate::plan::Task;
    use half::f16;

    #[test]
    fn unlabelled_outputs_are_checked_and_not_scored() {
        let mut scorer = Scorer::new(None);
        let rows = [1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, 1.0];
        scorer
            .add(
                &[
                    float("scores", &[3, 2], &rows),
                    int64("ids", &[3], &[1, 2, 3]),
                ],
                0,
                3,
            )
            .unwrap();
        scorer
            .add(&[float("scores", &[1, 2], &[f32::NAN, 0.0])], 3, 1)
            .unwrap();
        let (scores, health) = scorer.finish();
        assert_eq!(scores, None);
        let [health] = health.as_slice() else {
            panic!("{health:?}")
        };
        assert_eq!((health.name.exact(), health.elements_count), ("scores", 8));
        assert_eq!(
            (
                health.nan_count,
                health.infinite_count,
                health.affected_samples_count
            ),
            (2, 2, 3)
        );
    }

    #[test]
    fn half_precision_overflow_is_seen() {
        let halves = shaped(&[1, 2], vec![f16::from_f32(70_000.0), f16::NAN]);
        let mut scorer = Scorer::new(None);
        scorer
            .add(&[tensor("half", TensorData::Float16(halves))], 0, 1)
            .unwrap();
        let health = &scorer.finish().1[0];
        assert_eq!(
            (
                health.nan_count,
                health.infinite_count,
                health.affected_samples_count
            ),
            (1, 1, 1)
        );
    }

    #[test]
    fn output_without_samples_affects_the_whole_batch() {
        let mut scorer = Scorer::new(None);
        scorer
            .add(&[float("loss", &[], &[f32::NAN])], 0, 4)
            .unwrap();
        assert_eq!(scorer.finish().1[0].affected_samples_count, 4);
    }

    #[test]
    fn batch_out_of_order_is_an_error() {
        let mut scorer = Scorer::new(None);
        scorer.add(&[], 0, 4).unwrap();
        assert_eq!(
            scorer.add(&[], 8, 4),
            Err(AccuracyError::OutOfOrder {
                expected: 4,
                got: 8
            })
        );
    }

    #[test]
    fn what_is_not_a_number_is_counted_even_if_nothing_can_be_scored() {
        let labels = Labels::new(int64("labels", &[2], &[0, 1]).data);
        let truth = Truth {
            labels,
            names: ClassNames::default(),
            task: Task::Classification,
        };
        let mut scorer = Scorer::new(Some(truth));
        scorer
            .add(&[float("boxes", &[2, 3, 4], &[f32::NAN; 24])], 0, 2)
            .unwrap_err();
        assert_eq!(scorer.finish().1[0].nan_count, 24);
    }
}
