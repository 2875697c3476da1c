//! Agreement of a session's outputs with those of a reference.

use super::AccuracyError;
use super::classification::first_highest;
use super::numbers::{classes, describe, integers, is_float, numbers, per_sample};
use crate::inputs::{Tensor, TensorData};
use crate::record::Agreement;

/// Compares the outputs of one session with a reference's, batch by batch.
///
/// Numbers of any type are compared as `f64`, so a float16 output can be held against a float32 one. An output whose
/// first dimension is not the samples counts as one sample a batch. For strings there is nothing but equality.
#[derive(Debug, Default)]
pub struct AgreementScorer {
    outputs: Vec<Sums>,
}

/// What agreement of one output is computed from.
#[derive(Debug)]
struct Sums {
    output: String,
    reference_output: Option<String>,
    samples_count: u64,
    /// `None` once a batch had neither scores of classes nor values to be equal.
    top1_agreeing_count: Option<u64>,
    cosine_sum: f64,
    cosine_count: u64,
    cosine_min: f64,
    max_absolute_error: Option<f64>,
    squared_error_sum: f64,
    squared_reference_sum: f64,
    compared_count: u64,
    not_finite_count: u64,
}

impl AgreementScorer {
    /// Starts comparing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one batch of `samples_count` samples of an output and of the reference's output that it is held against.
    ///
    /// # Errors
    /// The shapes differ, or one side is strings and the other is not.
    pub fn add(&mut self, samples_count: usize, ours: &Tensor, reference: &Tensor) -> Result<(), AccuracyError> {
        let strings = |tensor: &Tensor| matches!(tensor.data, TensorData::String(_));
        if ours.data.shape() != reference.data.shape() || strings(ours) != strings(reference) {
            let output = ours.name.clone();
            let (ours, reference) = (describe(&ours.data), describe(&reference.data));
            return Err(AccuracyError::NotComparable { output, ours, reference });
        }
        let index = self.outputs.iter().position(|sums| sums.output == ours.name).unwrap_or_else(|| {
            self.outputs.push(Sums::none_yet(ours, reference));
            self.outputs.len() - 1
        });
        self.outputs[index].add(samples_count, &ours.data, &reference.data);
        Ok(())
    }

    /// The agreement of each output, in the order in which they first came.
    #[must_use]
    pub fn finish(self) -> Vec<Agreement> {
        self.outputs.into_iter().map(Sums::finish).collect()
    }
}

impl Sums {
    fn none_yet(ours: &Tensor, reference: &Tensor) -> Self {
        Sums {
            output: ours.name.clone(),
            reference_output: (ours.name != reference.name).then(|| reference.name.clone()),
            samples_count: 0,
            top1_agreeing_count: Some(0),
            cosine_sum: 0.0,
            cosine_count: 0,
            cosine_min: f64::INFINITY,
            max_absolute_error: None,
            squared_error_sum: 0.0,
            squared_reference_sum: 0.0,
            compared_count: 0,
            not_finite_count: 0,
        }
    }

    fn add(&mut self, samples_count: usize, ours: &TensorData, reference: &TensorData) {
        let batch = if per_sample(ours, samples_count).is_some() { samples_count } else { 1 };
        self.samples_count += batch as u64;
        let agreeing = agreeing_count(batch, ours, reference);
        self.top1_agreeing_count = self.top1_agreeing_count.zip(agreeing).map(|(sum, batch)| sum + batch);
        if let (Some(ours), Some(reference)) = (numbers(ours), numbers(reference)) {
            let elements = (ours.len() / batch.max(1)).max(1);
            for (ours, reference) in ours.chunks_exact(elements).zip(reference.chunks_exact(elements)) {
                self.add_sample(ours, reference);
            }
        }
    }

    fn add_sample(&mut self, ours: &[f64], reference: &[f64]) {
        let (mut product, mut our_square, mut reference_square) = (0.0, 0.0, 0.0);
        let mut finite = true;
        for (&our, &reference) in ours.iter().zip(reference) {
            if !(our.is_finite() && reference.is_finite()) {
                finite = false;
                self.not_finite_count += 1;
                continue;
            }
            let error = our - reference;
            self.max_absolute_error = Some(self.max_absolute_error.unwrap_or(0.0).max(error.abs()));
            self.squared_error_sum += error * error;
            self.squared_reference_sum += reference * reference;
            self.compared_count += 1;
            product += our * reference;
            our_square += our * our;
            reference_square += reference * reference;
        }
        let cosine = product / (our_square.sqrt() * reference_square.sqrt());
        if finite && cosine.is_finite() {
            // Rounding may leave a hair beyond 1.
            let cosine = cosine.clamp(-1.0, 1.0);
            self.cosine_sum += cosine;
            self.cosine_count += 1;
            self.cosine_min = self.cosine_min.min(cosine);
        }
    }

    fn finish(self) -> Agreement {
        let has_cosine = self.cosine_count > 0;
        let relative_error = (self.squared_error_sum / self.squared_reference_sum).sqrt();
        Agreement {
            output: self.output,
            reference_output: self.reference_output,
            samples_count: self.samples_count,
            top1_agreeing_count: self.top1_agreeing_count,
            cosine_similarity_mean: has_cosine.then(|| self.cosine_sum / self.cosine_count as f64),
            cosine_similarity_min: has_cosine.then_some(self.cosine_min),
            max_absolute_error: self.max_absolute_error.filter(|error| error.is_finite()),
            relative_error: (self.compared_count > 0 && relative_error.is_finite()).then_some(relative_error),
            not_finite_count: self.not_finite_count,
        }
    }
}

/// Samples that agree: in the class with the highest score, or in every value where values are not floating-point.
/// `None` for floating-point outputs that hold no scores of classes.
fn agreeing_count(batch: usize, ours: &TensorData, reference: &TensorData) -> Option<u64> {
    if let (TensorData::String(ours), TensorData::String(reference)) = (ours, reference) {
        let (ours, reference): (Vec<_>, Vec<_>) = (ours.iter().collect(), reference.iter().collect());
        return Some(count_agreeing(batch, &ours, &reference, |ours, reference| ours == reference));
    }
    if !is_float(ours) && !is_float(reference) {
        let (ours, reference) = (integers(ours)?, integers(reference)?);
        return Some(count_agreeing(batch, &ours, &reference, |ours, reference| ours == reference));
    }
    if classes(ours, batch).is_none() || classes(reference, batch).is_none() {
        return None;
    }
    let agree = |ours: &[f64], reference: &[f64]| {
        let numbers = ours.iter().chain(reference).all(|score| !score.is_nan());
        numbers && first_highest(ours) == first_highest(reference)
    };
    Some(count_agreeing(batch, &numbers(ours)?, &numbers(reference)?, agree))
}

fn count_agreeing<T>(batch: usize, ours: &[T], reference: &[T], agree: impl Fn(&[T], &[T]) -> bool) -> u64 {
    let elements = (ours.len() / batch.max(1)).max(1);
    let pairs = ours.chunks_exact(elements).zip(reference.chunks_exact(elements));
    pairs.filter(|(ours, reference)| agree(ours, reference)).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::testing::{float, int64, tensor};
    use half::f16;
    use ndarray::{ArrayD, IxDyn};

    fn compare(shape: &[usize], ours: &[f32], reference: &[f32]) -> Agreement {
        let mut scorer = AgreementScorer::new();
        let (ours, reference) = (float("y", shape, ours), float("y", shape, reference));
        scorer.add(shape[0], &ours, &reference).unwrap();
        scorer.finish().remove(0)
    }

    #[test]
    fn equal_outputs_agree_fully() {
        let values = [1.0, 2.0, -3.0, 0.5];
        let agreement = compare(&[2, 2], &values, &values);
        assert_eq!(agreement.top1_agreeing_count, Some(2));
        assert_eq!((agreement.max_absolute_error, agreement.relative_error), (Some(0.0), Some(0.0)));
        assert!((agreement.cosine_similarity_min.unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn differences_are_measured_by_hand_computed_figures() {
        // Samples (3, 4) against (4, 3): cosine 24/25. Samples (1, 0) against (1, 0): cosine 1.
        let agreement = compare(&[2, 2], &[3.0, 4.0, 1.0, 0.0], &[4.0, 3.0, 1.0, 0.0]);
        assert_eq!(agreement.samples_count, 2);
        assert_eq!(agreement.top1_agreeing_count, Some(1));
        assert!((agreement.cosine_similarity_mean.unwrap() - 0.98).abs() < 1e-12);
        assert!((agreement.cosine_similarity_min.unwrap() - 0.96).abs() < 1e-12);
        assert_eq!(agreement.max_absolute_error, Some(1.0));
        // Squared differences 1 + 1, squares of the reference 16 + 9 + 1.
        assert!((agreement.relative_error.unwrap() - (2.0_f64 / 26.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn what_is_not_finite_is_left_out_and_counted() {
        let agreement = compare(&[2, 2], &[f32::NAN, 1.0, 2.0, 1.0], &[0.0, 1.5, 2.0, f32::INFINITY]);
        assert_eq!(agreement.not_finite_count, 2);
        assert_eq!(agreement.max_absolute_error, Some(0.5));
        assert_eq!((agreement.cosine_similarity_mean, agreement.cosine_similarity_min), (None, None));
        assert_eq!(agreement.top1_agreeing_count, Some(0));
    }

    #[test]
    fn nothing_finite_has_no_errors() {
        let agreement = compare(&[1, 2], &[f32::NAN; 2], &[1.0; 2]);
        assert_eq!((agreement.max_absolute_error, agreement.relative_error), (None, None));
    }

    #[test]
    fn zero_reference_has_no_relative_error_and_no_cosine() {
        let agreement = compare(&[1, 2], &[1.0, 0.0], &[0.0, 0.0]);
        assert_eq!((agreement.relative_error, agreement.cosine_similarity_mean), (None, None));
        assert_eq!(agreement.max_absolute_error, Some(1.0));
    }

    #[test]
    fn other_float_outputs_have_no_top1() {
        assert_eq!(compare(&[2, 2, 2], &[1.0; 8], &[1.0; 8]).top1_agreeing_count, None);
        assert_eq!(compare(&[2], &[1.0; 2], &[1.0; 2]).top1_agreeing_count, None);
    }

    #[test]
    fn batches_add_up_with_a_smaller_last_one() {
        let mut scorer = AgreementScorer::new();
        for (count, ours) in [(2, &[1.0, 0.0, 0.0, 1.0][..]), (1, &[1.0, 0.0])] {
            let reference = float("y", &[count, 2], &[1.0, 0.0].repeat(count));
            scorer.add(count, &float("y", &[count, 2], ours), &reference).unwrap();
        }
        let agreement = scorer.finish().remove(0);
        assert_eq!((agreement.samples_count, agreement.top1_agreeing_count), (3, Some(2)));
    }

    #[test]
    fn half_precision_is_compared_with_single() {
        let halves = [0.1, 0.9].map(f16::from_f32).to_vec();
        let halves = TensorData::Float16(ArrayD::from_shape_vec(IxDyn(&[1, 2]), halves).unwrap());
        let mut scorer = AgreementScorer::new();
        scorer.add(1, &tensor("y", halves), &float("y", &[1, 2], &[0.1, 0.9])).unwrap();
        let agreement = scorer.finish().remove(0);
        assert_eq!(agreement.top1_agreeing_count, Some(1));
        let error = agreement.max_absolute_error.unwrap();
        assert!(error > 0.0 && error < 5e-4, "{error}");
    }

    #[test]
    fn integers_and_strings_agree_where_they_are_equal() {
        let words = |words: [&str; 2]| {
            let words = ArrayD::from_shape_vec(IxDyn(&[2]), words.map(str::to_owned).to_vec()).unwrap();
            tensor("word", TensorData::String(words))
        };
        let mut scorer = AgreementScorer::new();
        scorer.add(2, &words(["a", "b"]), &words(["a", "c"])).unwrap();
        scorer.add(2, &int64("id", &[2], &[i64::MAX, 2]), &int64("id", &[2], &[i64::MAX - 1, 2])).unwrap();
        let [word, id] = scorer.finish().try_into().unwrap();
        assert_eq!((word.top1_agreeing_count, word.samples_count), (Some(1), 2));
        assert_eq!((word.cosine_similarity_mean, word.max_absolute_error), (None, None));
        assert_eq!(id.top1_agreeing_count, Some(1));
    }

    #[test]
    fn output_without_samples_counts_once_a_batch() {
        let mut scorer = AgreementScorer::new();
        scorer.add(8, &float("loss", &[], &[2.0]), &float("loss", &[], &[1.0])).unwrap();
        let agreement = scorer.finish().remove(0);
        assert_eq!((agreement.samples_count, agreement.max_absolute_error), (1, Some(1.0)));
    }

    #[test]
    fn other_shape_or_kind_cannot_be_compared() {
        let mut scorer = AgreementScorer::new();
        let error = scorer.add(1, &float("y", &[1, 2], &[0.0; 2]), &float("y", &[1, 3], &[0.0; 3])).unwrap_err();
        assert_eq!(error.to_string(), "output `y` is float [1, 2], its reference is float [1, 3]");
    }
}
