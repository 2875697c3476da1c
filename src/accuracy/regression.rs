//! Errors of predicted numbers.

use std::ops::Range;

use super::{AccuracyError, Targets, is_float, no_output, numbers, per_sample, too_few_labels};
use crate::inputs::Tensor;
use crate::record::Scores;

#[derive(Debug)]
pub(super) struct ErrorScorer {
    targets: Targets,
    /// Absent where the first batch decides it.
    pub(super) output: Option<String>,
    absolute_errors: Vec<Option<f64>>,
    squared_errors: Vec<Option<f64>>,
}

impl ErrorScorer {
    /// Scores the output of that name; where none is named, the first floating-point one.
    pub(super) fn new(targets: Targets, output: Option<String>) -> Self {
        ErrorScorer {
            targets,
            output,
            absolute_errors: Vec::new(),
            squared_errors: Vec::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        outputs: &[Tensor],
        samples: Range<usize>,
    ) -> Result<(), AccuracyError> {
        let target_count = self.targets.per_sample;
        let targets = self
            .targets
            .of(samples.clone())
            .ok_or_else(|| too_few_labels(self.targets.samples_count(), &samples))?;
        let output = find(outputs, self.output.as_deref(), samples.len())?;
        let predicted_count = per_sample(&output.data, samples.len()).unwrap_or_default();
        if predicted_count != target_count {
            let output = output.name.clone();
            return Err(AccuracyError::ElementsDiffer {
                output,
                predicted_count,
                target_count,
            });
        }
        self.output = Some(output.name.clone());
        let predicted = numbers(&output.data).unwrap_or_default();
        for (predicted, target) in predicted
            .chunks_exact(target_count)
            .zip(targets.chunks_exact(target_count))
        {
            self.absolute_errors
                .push(mean_error(predicted, target, f64::abs));
            self.squared_errors
                .push(mean_error(predicted, target, |error| error * error));
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Option<Scores> {
        let (absolute_errors, squared_errors) = (self.absolute_errors, self.squared_errors);
        self.output.map(|_| Scores::Regression {
            absolute_errors,
            squared_errors,
        })
    }
}

/// The output of that name, or the first floating-point one whose first dimension is the samples.
fn find<'a>(
    outputs: &'a [Tensor],
    chosen: Option<&str>,
    samples_count: usize,
) -> Result<&'a Tensor, AccuracyError> {
    let mut candidates = outputs.iter().filter(|output| {
        is_float(&output.data) && per_sample(&output.data, samples_count).is_some()
    });
    candidates
        .find(|output| chosen.is_none_or(|name| output.name == name))
        .ok_or_else(|| no_output("numbers", outputs))
}

/// The mean of `cost(predicted - target)` over a sample's elements; `None` if it is not finite.
fn mean_error(predicted: &[f64], target: &[f64], cost: impl Fn(f64) -> f64) -> Option<f64> {
    let sum: f64 = predicted
        .iter()
        .zip(target)
        .map(|(predicted, target)| cost(predicted - target))
        .sum();
    let mean = sum / predicted.len() as f64;
    mean.is_finite().then_some(mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::testing::{float, int64};

    fn against(per_sample: usize, targets: &[f32]) -> ErrorScorer {
        let targets = float(
            "targets",
            &[targets.len() / per_sample, per_sample],
            targets,
        );
        ErrorScorer::new(Targets::new(&targets.data).unwrap(), None)
    }

    fn errors(scorer: ErrorScorer) -> (Vec<Option<f64>>, Vec<Option<f64>>) {
        match scorer.finish() {
            Some(Scores::Regression {
                absolute_errors,
                squared_errors,
            }) => (absolute_errors, squared_errors),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn errors_are_means_over_each_samples_elements() {
        let mut scorer = against(2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        scorer
            .add(&[float("y", &[2, 2], &[1.0, 4.0, 3.0, 4.0])], 0..2)
            .unwrap();
        scorer
            .add(&[float("y", &[1, 2], &[4.0, 9.0])], 2..3)
            .unwrap();
        let (absolute, squared) = errors(scorer);
        assert_eq!(absolute, [Some(1.0), Some(0.0), Some(2.0)]);
        assert_eq!(squared, [Some(2.0), Some(0.0), Some(5.0)]);
    }

    #[test]
    fn column_is_compared_with_a_vector_of_targets() {
        let mut scorer = against(1, &[1.0, 2.0]);
        scorer
            .add(
                &[int64("id", &[2], &[7, 7]), float("y", &[2, 1], &[1.5, 2.0])],
                0..2,
            )
            .unwrap();
        assert_eq!(errors(scorer).0, [Some(0.5), Some(0.0)]);
    }

    #[test]
    fn sample_that_is_not_finite_has_no_error() {
        let mut scorer = against(1, &[1.0, 2.0, 3.0]);
        scorer
            .add(&[float("y", &[3], &[f32::NAN, f32::INFINITY, 3.0])], 0..3)
            .unwrap();
        assert_eq!(
            errors(scorer),
            (vec![None, None, Some(0.0)], vec![None, None, Some(0.0)])
        );
    }

    #[test]
    fn targets_of_another_size_are_an_error() {
        let mut scorer = against(3, &[0.0; 6]);
        let error = scorer
            .add(&[float("y", &[2, 2], &[0.0; 4])], 0..2)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "output `y` has 2 elements per sample, targets have 3"
        );
    }

    #[test]
    fn integers_alone_are_no_predicted_numbers() {
        let error = against(1, &[0.0])
            .add(&[int64("id", &[1], &[1])], 0..1)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "no output can be scored as numbers; the model has `id` (int64 [1])"
        );
    }
}
