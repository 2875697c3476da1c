//! Errors of predicted numbers.

use super::{AccuracyError, Batch, Result, Targets, numbers};
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

    pub(super) fn add(&mut self, batch: &Batch<'_>) -> Result<()> {
        let target_count = self.targets.per_sample;
        let Some(targets) = self.targets.of(batch.samples.clone()) else {
            return Err(batch.too_few_labels(self.targets.samples_count()));
        };
        let output = batch.number_output(self.output.as_deref())?;
        let predicted_count = batch.per_sample(output).unwrap_or_default();
        if predicted_count != target_count {
            return Err(AccuracyError::ElementsDiffer {
                output: output.name.clone(),
                predicted_count,
                target_count,
            });
        }
        self.output = Some(output.name.clone());
        let predicted = numbers(&output.data);
        let targets = targets.chunks_exact(target_count);
        for (predicted, target) in predicted.chunks_exact(target_count).zip(targets) {
            let absolute = mean_error(predicted, target, f64::abs);
            let squared = mean_error(predicted, target, |error| error * error);
            self.absolute_errors.push(absolute);
            self.squared_errors.push(squared);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Option<Scores> {
        self.output.map(|_| Scores::Regression {
            absolute_errors: self.absolute_errors,
            squared_errors: self.squared_errors,
        })
    }
}

/// The mean of `cost(predicted - target)` over a sample's elements; `None` if it is not finite.
fn mean_error(predicted: &[f64], target: &[f64], cost: impl Fn(f64) -> f64) -> Option<f64> {
    let errors = predicted.iter().zip(target);
    let sum: f64 = errors
        .map(|(predicted, target)| cost(predicted - target))
        .sum();
    Some(sum / predicted.len() as f64).filter(|mean| mean.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::testing::{float, int64};
    use crate::inputs::Labels;
    use crate::inputs::Tensor;

    fn against(per_sample: usize, targets: &[f32]) -> ErrorScorer {
        let shape = [targets.len() / per_sample, per_sample];
        let labels = Labels::new(float("targets", &shape, targets).data);
        ErrorScorer::new(Targets::new(&labels).unwrap(), None)
    }

    /// Adds batches one after the other.
    fn add(scorer: &mut ErrorScorer, batches: &[&[Tensor]]) -> Result<()> {
        let mut next = 0;
        for &outputs in batches {
            let samples = next..next + outputs[0].data.shape()[0];
            next = samples.end;
            scorer.add(&Batch { outputs, samples })?;
        }
        Ok(())
    }

    fn errors(mut scorer: ErrorScorer, batches: &[&[Tensor]]) -> [Vec<Option<f64>>; 2] {
        add(&mut scorer, batches).unwrap();
        match scorer.finish() {
            Some(Scores::Regression {
                absolute_errors,
                squared_errors,
            }) => [absolute_errors, squared_errors],
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn errors_are_means_over_each_samples_elements() {
        let first = float("y", &[2, 2], &[1.0, 4.0, 3.0, 4.0]);
        let second = float("y", &[1, 2], &[4.0, 9.0]);
        let scorer = against(2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let [absolute, squared] = errors(scorer, &[&[first], &[second]]);
        assert_eq!(absolute, [Some(1.0), Some(0.0), Some(2.0)]);
        assert_eq!(squared, [Some(2.0), Some(0.0), Some(5.0)]);
    }

    #[test]
    fn column_is_compared_with_a_vector_of_targets() {
        let outputs = [int64("id", &[2], &[7, 7]), float("y", &[2, 1], &[1.5, 2.0])];
        let [absolute, _] = errors(against(1, &[1.0, 2.0]), &[&outputs]);
        assert_eq!(absolute, [Some(0.5), Some(0.0)]);
    }

    #[test]
    fn sample_that_is_not_finite_has_no_error() {
        let outputs = [float("y", &[3], &[f32::NAN, f32::INFINITY, 3.0])];
        let found = errors(against(1, &[1.0, 2.0, 3.0]), &[&outputs]);
        assert_eq!(found, [[None, None, Some(0.0)]; 2]);
    }

    #[test]
    fn outputs_that_are_no_such_numbers_are_an_error() {
        for (mut scorer, output, message) in [
            (
                against(3, &[0.0; 6]),
                float("y", &[2, 2], &[0.0; 4]),
                "output `y` has 2 elements per sample, targets have 3",
            ),
            (
                against(1, &[0.0]),
                int64("id", &[1], &[1]),
                "no output can be scored as numbers; the model has `id` (int64 [1])",
            ),
        ] {
            let error = add(&mut scorer, &[&[output]]).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
