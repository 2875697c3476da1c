//! Scores of a session's outputs against labels or targets.

use super::form::{self, Against};
use super::{AccuracyError, Batch, Result, Truth, is_float, numbers};
use crate::inputs::Tensor;
use crate::record::{OutputHealth, Scores};

/// Scores the outputs of one session, batch by batch, and counts what is not a number in them.
///
/// Which output is scored, and what the labels are to it, is settled by the first batch.
#[derive(Debug, Default)]
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
            ..Scorer::default()
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
    ) -> Result<()> {
        let samples = first_sample..first_sample + samples_count;
        let batch = Batch { outputs, samples };
        self.count_not_finite(&batch);
        if first_sample != self.next_sample {
            return Err(AccuracyError::OutOfOrder {
                expected: self.next_sample,
                got: first_sample,
            });
        }
        self.next_sample = batch.samples.end;
        if let Some(truth) = self.truth.take() {
            let labels = truth.labels.clone();
            let against = form::against(truth, &batch)?;
            self.labels_as = against.in_words(&labels);
            self.against = Some(against);
        }
        match &mut self.against {
            Some(Against::Classes(scorer)) => scorer.add(&batch),
            Some(Against::Several(scorer)) => scorer.add(&batch),
            Some(Against::Elements(scorer)) => scorer.add(&batch),
            Some(Against::Targets(scorer)) => scorer.add(&batch),
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

    fn count_not_finite(&mut self, batch: &Batch<'_>) {
        for output in batch.outputs.iter().filter(|output| is_float(&output.data)) {
            let mut known = self.health.iter();
            let place = known.position(|health| health.name == output.name);
            let place = place.unwrap_or_else(|| {
                self.health.push(OutputHealth {
                    name: output.name.as_str().into(),
                    ..OutputHealth::default()
                });
                self.health.len() - 1
            });
            count_in(&mut self.health[place], output, batch);
        }
    }
}

fn count_in(health: &mut OutputHealth, output: &Tensor, batch: &Batch<'_>) {
    let elements = numbers(&output.data);
    health.elements_count += elements.len() as u64;
    health.nan_count += elements.iter().filter(|element| element.is_nan()).count() as u64;
    let infinite = elements.iter().filter(|element| element.is_infinite());
    health.infinite_count += infinite.count() as u64;
    // An output that is not split by samples counts for all of them.
    let (size, samples_count) = match batch.per_sample(output) {
        Some(per_sample) => (per_sample, 1),
        None => (elements.len(), batch.samples.len()),
    };
    let affected = elements
        .chunks_exact(size.max(1))
        .filter(|sample| sample.iter().any(|element| !element.is_finite()));
    health.affected_samples_count += (affected.count() * samples_count) as u64;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::testing::{float, int64, shaped, tensor};
    use crate::inputs::{ClassNames, Labels, TensorData};
    use crate::plan::Task;
    use half::f16;

    /// The health of the only floating-point output after batches of so many samples, which come
    /// without labels.
    fn health(batches: &[&[Tensor]], samples_count: usize) -> OutputHealth {
        let mut scorer = Scorer::new(None);
        for (batch, outputs) in batches.iter().enumerate() {
            scorer
                .add(outputs, batch * samples_count, samples_count)
                .unwrap();
        }
        let (scores, mut health) = scorer.finish();
        assert_eq!((scores, health.len()), (None, 1));
        health.remove(0)
    }

    fn counts(health: &OutputHealth) -> [u64; 4] {
        [
            health.elements_count,
            health.nan_count,
            health.infinite_count,
            health.affected_samples_count,
        ]
    }

    #[test]
    fn unlabelled_outputs_are_checked_and_not_scored() {
        let rows = [1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, 1.0];
        let first = [
            float("scores", &[3, 2], &rows),
            int64("ids", &[3], &[1, 2, 3]),
        ];
        let second = [float(
            "scores",
            &[3, 2],
            &[f32::NAN, 0.0, 0.0, 0.0, 0.0, 0.0],
        )];
        let found = health(&[&first, &second], 3);
        assert_eq!(found.name, "scores");
        assert_eq!(counts(&found), [12, 2, 2, 3]);
    }

    #[test]
    fn half_precision_overflow_is_seen() {
        let halves = shaped(&[1, 2], vec![f16::from_f32(70_000.0), f16::NAN]);
        let output = tensor("half", TensorData::Float16(halves));
        assert_eq!(counts(&health(&[&[output]], 1)), [2, 1, 1, 1]);
    }

    #[test]
    fn output_without_samples_affects_the_whole_batch() {
        let loss = float("loss", &[], &[f32::NAN]);
        assert_eq!(counts(&health(&[&[loss]], 4)), [1, 1, 0, 4]);
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
