//! Agreement of a session's outputs with those of a reference.

use std::ops::Range;

use super::differences::{agreeing_count, errors, whole_errors};
use super::kind::Signs;
use super::numbers::{describe, is_float, numbers, per_sample};
use super::rows::Rows;
use super::surroundings::Surroundings;
use super::unlike::Unlike;
use crate::inputs::{Tensor, TensorData};
use crate::record::{Agreement, NotComparable, OutputKind};

/// Compares the outputs of one session with a reference's, batch by batch.
///
/// Numbers of any type are compared as `f64`, so a float16 output can be held against a float32 one. An output whose
/// first dimension is not the samples counts as one sample a batch. For strings there is nothing but equality. An output
/// that comes in another shape than its reference, even once, is not comparable: a part of the samples would flatter it.
///
/// What is not finite is compared as ONNX's own tests compare it (`numpy.testing.assert_allclose` with `equal_nan`): NaN
/// agrees with NaN, and an infinity with the one of its sign. Where one of them meets anything else, the output has no
/// error and no cosine: those of the other elements would flatter it.
#[derive(Debug, Default)]
pub struct AgreementScorer {
    around: Surroundings,
    outputs: Vec<Sums>,
    unlike: Vec<Unlike>,
}

/// What agreement of one output is computed from.
#[derive(Debug)]
struct Sums {
    output: String,
    reference_output: Option<String>,
    samples_count: u64,
    /// Samples that came, also where several came together and count as one.
    seen_count: u64,
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
    /// Shape of a sample of the reference.
    shape: Vec<usize>,
    signs: Signs,
    /// Rows of floating-point samples that are tables.
    rows: Option<Rows>,
    is_float: bool,
}

impl AgreementScorer {
    /// Starts comparing outputs of a model with these surroundings.
    #[must_use]
    pub fn new(around: Surroundings) -> Self {
        AgreementScorer { around, ..Self::default() }
    }

    /// Adds one batch of an output and of the reference's output that it is held against; `samples` are their places.
    pub fn add(&mut self, samples: Range<u64>, ours: &Tensor, reference: &Tensor) {
        let strings = |tensor: &Tensor| matches!(tensor.data, TensorData::String(_));
        if ours.data.shape() != reference.data.shape() || strings(ours) != strings(reference) {
            let reason = format!("it is {} where the reference is {}", describe(&ours.data), describe(&reference.data));
            self.unlike(&ours.name, samples, reason);
            return;
        }
        let index = self.outputs.iter().position(|sums| sums.output == ours.name).unwrap_or_else(|| {
            self.outputs.push(Sums::none_yet(ours, reference, &self.around));
            self.outputs.len() - 1
        });
        self.outputs[index].add((samples.end - samples.start) as usize, &ours.data, &reference.data);
    }

    /// Leaves an output out, because these samples of it cannot be compared for this reason, a fragment of a sentence; that
    /// of the first ones stands, and how many there are is counted.
    pub fn unlike(&mut self, output: &str, samples: Range<u64>, reason: String) {
        match self.unlike.iter_mut().find(|unlike| unlike.output == output) {
            Some(unlike) => unlike.add(&samples),
            None => self.unlike.push(Unlike::in_samples(output, samples, reason)),
        }
    }

    /// Leaves an output out for a reason that holds whatever the samples are.
    pub fn leave_out(&mut self, output: &str, reason: &str) {
        if self.unlike.iter().all(|unlike| unlike.output != output) {
            self.unlike.push(Unlike::in_all(output, reason));
        }
    }

    /// The agreement of each output, in the order in which they first came, and the outputs that are not comparable.
    #[must_use]
    pub fn finish(self) -> (Vec<Agreement>, Vec<NotComparable>) {
        let AgreementScorer { around, outputs, unlike } = self;
        let alike = |output: &str| outputs.iter().find(|sums| sums.output == output).map_or(0, |sums| sums.seen_count);
        let reasons: Vec<NotComparable> =
            unlike.iter().map(|unlike| unlike.not_comparable(alike(&unlike.output))).collect();
        let is_compared = |sums: &Sums| unlike.iter().all(|unlike| unlike.output != sums.output);
        (outputs.into_iter().filter(is_compared).map(|sums| sums.finish(&around)).collect(), reasons)
    }
}

impl Sums {
    fn none_yet(ours: &Tensor, reference: &Tensor, around: &Surroundings) -> Self {
        let is_float = is_float(&ours.data) || is_float(&reference.data);
        let shape: Vec<usize> = reference.data.shape().iter().skip(1).copied().collect();
        Sums {
            output: ours.name.clone(),
            reference_output: (ours.name != reference.name).then(|| reference.name.clone()),
            samples_count: 0,
            seen_count: 0,
            top1_agreeing_count: Some(0),
            cosine_sum: 0.0,
            cosine_count: 0,
            cosine_min: f64::INFINITY,
            max_absolute_error: None,
            squared_error_sum: 0.0,
            squared_reference_sum: 0.0,
            compared_count: 0,
            not_finite_count: 0,
            rows: Rows::of(&shape, around).filter(|_| is_float),
            shape,
            signs: Signs::default(),
            is_float,
        }
    }

    fn add(&mut self, samples_count: usize, ours: &TensorData, reference: &TensorData) {
        let is_split = per_sample(ours, samples_count).is_some();
        let batch = if is_split { samples_count } else { 1 };
        if !is_split {
            self.shape = reference.shape().to_vec();
            self.rows = None;
        }
        self.samples_count += batch as u64;
        self.seen_count += samples_count as u64;
        let agreeing = agreeing_count(batch, ours, reference);
        self.top1_agreeing_count = self.top1_agreeing_count.zip(agreeing).map(|(sum, batch)| sum + batch);
        let exact = if self.is_float { None } else { whole_errors(ours, reference) };
        if let (Some(ours), Some(reference)) = (numbers(ours), numbers(reference)) {
            let errors = exact.unwrap_or_else(|| errors(&ours, &reference));
            let elements = (ours.len() / batch.max(1)).max(1);
            let samples = ours.chunks_exact(elements).zip(reference.chunks_exact(elements));
            for ((ours, reference), errors) in samples.zip(errors.chunks_exact(elements)) {
                self.add_sample(ours, reference, errors);
                if self.is_float {
                    self.signs.add(reference);
                    self.rows.iter_mut().for_each(|rows| rows.add(ours, reference));
                }
            }
        }
    }

    fn add_sample(&mut self, ours: &[f64], reference: &[f64], errors: &[Option<f64>]) {
        let (mut product, mut our_square, mut reference_square) = (0.0, 0.0, 0.0);
        for ((&our, &reference), &error) in ours.iter().zip(reference).zip(errors) {
            let Some(error) = error else {
                self.not_finite_count += 1;
                continue;
            };
            self.max_absolute_error = Some(self.max_absolute_error.unwrap_or(0.0).max(error));
            self.compared_count += 1;
            if our.is_finite() {
                self.squared_error_sum += error * error;
                self.squared_reference_sum += reference * reference;
                product += our * reference;
                our_square += our * our;
                reference_square += reference * reference;
            }
        }
        let cosine = product / (our_square.sqrt() * reference_square.sqrt());
        if cosine.is_finite() {
            // Rounding may leave a hair beyond 1.
            let cosine = cosine.clamp(-1.0, 1.0);
            self.cosine_sum += cosine;
            self.cosine_count += 1;
            self.cosine_min = self.cosine_min.min(cosine);
        }
    }

    /// What the output holds, and whether it is in rows that it holds scores of classes.
    fn kind(&self, around: &Surroundings) -> OutputKind {
        if !self.is_float {
            return OutputKind::Values;
        }
        let rows = self.rows.as_ref();
        if rows.is_some_and(|rows| rows.hold_classes(&self.output, around)) {
            return OutputKind::Classes;
        }
        let is_along = rows.is_some_and(|rows| rows.are_of_sequence(around));
        match self.signs.kind(&self.shape) {
            OutputKind::Image if !around.is_picture(&self.output, &self.shape) => OutputKind::Numbers,
            OutputKind::Classes | OutputKind::Signal if is_along => OutputKind::Numbers,
            OutputKind::Signal if around.gives_scores(&self.output) && !self.signs.is_smooth() => OutputKind::Classes,
            OutputKind::Classes if Surroundings::names_inner(&self.output) => OutputKind::Vector,
            kind => kind,
        }
    }

    fn finish(mut self, around: &Surroundings) -> Agreement {
        let is_whole = self.not_finite_count == 0;
        let has_cosine = is_whole && self.cosine_count > 0;
        // Nothing differs from a reference of zeros either.
        let relative_error = match self.squared_error_sum {
            0.0 => 0.0,
            sum => (sum / self.squared_reference_sum).sqrt(),
        };
        let has_relative = is_whole && self.compared_count > 0 && relative_error.is_finite();
        let kind = self.kind(around);
        let rows = self.rows.take().filter(|_| kind == OutputKind::Classes);
        let top1_by_row = rows.map(Rows::agreeing).unwrap_or_default();
        let has_noise = matches!(kind, OutputKind::Signal | OutputKind::Image) && relative_error > 0.0;
        let has_top1 = matches!(kind, OutputKind::Classes | OutputKind::Values) && top1_by_row.is_empty();
        Agreement {
            output: self.output,
            reference_output: self.reference_output,
            samples_count: self.samples_count,
            top1_agreeing_count: self.top1_agreeing_count.filter(|_| has_top1),
            top1_by_row,
            cosine_similarity_mean: has_cosine.then(|| self.cosine_sum / self.cosine_count as f64),
            cosine_similarity_min: has_cosine.then_some(self.cosine_min),
            max_absolute_error: self.max_absolute_error.filter(|error| is_whole && error.is_finite()),
            relative_error: has_relative.then_some(relative_error),
            not_finite_count: self.not_finite_count,
            kind: Some(kind),
            signal_to_noise_db: (has_noise && has_relative).then(|| -20.0 * relative_error.log10()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::testing::{float, int64, tensor};
    use half::f16;
    use ndarray::{ArrayD, IxDyn};

    fn compare(shape: &[usize], ours: &[f32], reference: &[f32]) -> Agreement {
        let mut scorer = AgreementScorer::default();
        let (ours, reference) = (float("y", shape, ours), float("y", shape, reference));
        scorer.add(0..shape[0] as u64, &ours, &reference);
        scorer.finish().0.remove(0)
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
    fn what_is_not_finite_on_one_side_is_counted_and_leaves_no_error() {
        const INF: f32 = f32::INFINITY;
        for (ours, reference, count) in [
            ([f32::NAN, 1.0, 2.0, 1.0], [0.0, 1.0, 2.0, INF], 2),
            ([0.0, 1.0, 2.0, 1.0], [0.0, f32::NAN, 2.0, 1.0], 1),
            ([INF, 1.0, 2.0, 1.0], [-INF, 1.0, 2.0, 1.0], 1),
            ([INF, 1.0, 2.0, 1.0], [f32::NAN, 1.0, 2.0, 1.0], 1),
            ([f32::NAN; 4], [1.0; 4], 4),
        ] {
            let agreement = compare(&[2, 2], &ours, &reference);
            assert_eq!(agreement.not_finite_count, count, "{ours:?}");
            assert_eq!((agreement.max_absolute_error, agreement.relative_error), (None, None), "{ours:?}");
            assert_eq!((agreement.cosine_similarity_mean, agreement.cosine_similarity_min), (None, None), "{ours:?}");
            assert!(agreement.top1_agreeing_count < Some(2), "{agreement:?}");
        }
    }

    #[test]
    fn what_is_not_finite_agrees_with_the_same() {
        let values = [f32::NAN, 1.0, f32::INFINITY, 2.0, f32::NEG_INFINITY, f32::NAN];
        let agreement = compare(&[2, 3], &values, &values);
        assert_eq!((agreement.not_finite_count, agreement.top1_agreeing_count), (0, Some(2)));
        assert_eq!((agreement.max_absolute_error, agreement.relative_error), (Some(0.0), Some(0.0)));
        assert!((agreement.cosine_similarity_min.unwrap() - 1.0).abs() < 1e-12);
        let off = compare(&[2, 3], &[f32::NAN, 1.5, f32::INFINITY, 2.0, f32::NEG_INFINITY, f32::NAN], &values);
        assert_eq!((off.not_finite_count, off.max_absolute_error), (0, Some(0.5)));
        let nothing_else = compare(&[1, 2], &[f32::NAN; 2], &[f32::NAN; 2]);
        assert_eq!((nothing_else.top1_agreeing_count, nothing_else.max_absolute_error), (Some(1), Some(0.0)));
    }

    #[test]
    fn sample_that_disagrees_is_never_without_an_error() {
        let values = [0.0, -0.0, 1.0, f32::MIN_POSITIVE / 2.0, f32::MAX, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        for ours in values {
            for reference in values {
                let agreement = compare(&[1, 2], &[ours, 0.5], &[reference, 0.5]);
                let disagrees = agreement.top1_agreeing_count == Some(0);
                assert!(!disagrees || agreement.max_absolute_error != Some(0.0), "{ours} for {reference}");
            }
        }
    }

    #[test]
    fn zero_reference_has_no_relative_error_and_no_cosine() {
        let agreement = compare(&[1, 2], &[1.0, 0.0], &[0.0, 0.0]);
        assert_eq!((agreement.relative_error, agreement.cosine_similarity_mean), (None, None));
        assert_eq!(agreement.max_absolute_error, Some(1.0));
        assert_eq!(compare(&[1, 2], &[0.0; 2], &[0.0; 2]).relative_error, Some(0.0));
    }

    #[test]
    fn other_float_outputs_have_no_top1() {
        assert_eq!(compare(&[2, 2, 2], &[1.0; 8], &[1.0; 8]).top1_agreeing_count, None);
        assert_eq!(compare(&[2], &[1.0; 2], &[1.0; 2]).top1_agreeing_count, None);
    }

    #[test]
    fn batches_add_up_with_a_smaller_last_one() {
        let mut scorer = AgreementScorer::default();
        for (samples, ours) in [(0..2, &[1.0, 0.0, 0.0, 1.0][..]), (2..3, &[1.0, 0.0])] {
            let count = (samples.end - samples.start) as usize;
            let reference = float("y", &[count, 2], &[1.0, 0.0].repeat(count));
            scorer.add(samples, &float("y", &[count, 2], ours), &reference);
        }
        let agreement = scorer.finish().0.remove(0);
        assert_eq!((agreement.samples_count, agreement.top1_agreeing_count), (3, Some(2)));
    }

    #[test]
    fn half_precision_is_compared_with_single() {
        let halves = [0.1, 0.9].map(f16::from_f32).to_vec();
        let halves = TensorData::Float16(ArrayD::from_shape_vec(IxDyn(&[1, 2]), halves).unwrap());
        let mut scorer = AgreementScorer::default();
        scorer.add(0..1, &tensor("y", halves), &float("y", &[1, 2], &[0.1, 0.9]));
        let agreement = scorer.finish().0.remove(0);
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
        let mut scorer = AgreementScorer::default();
        scorer.add(0..2, &words(["a", "b"]), &words(["a", "c"]));
        scorer.add(0..2, &int64("id", &[2], &[i64::MAX, 2]), &int64("id", &[2], &[i64::MAX - 1, 2]));
        let [word, id] = scorer.finish().0.try_into().unwrap();
        assert_eq!((word.top1_agreeing_count, word.samples_count), (Some(1), 2));
        assert_eq!((word.cosine_similarity_mean, word.max_absolute_error), (None, None));
        assert_eq!((id.top1_agreeing_count, id.max_absolute_error), (Some(1), Some(1.0)));
    }

    #[test]
    fn output_without_samples_counts_once_a_batch() {
        let mut scorer = AgreementScorer::default();
        scorer.add(0..8, &float("loss", &[], &[2.0]), &float("loss", &[], &[1.0]));
        let agreement = scorer.finish().0.remove(0);
        assert_eq!((agreement.samples_count, agreement.max_absolute_error), (1, Some(1.0)));
    }

    #[test]
    fn other_shape_even_once_is_not_comparable() {
        let mut scorer = AgreementScorer::default();
        for (sample, width) in [(0, 2), (1, 3)] {
            let reference = float("boxes", &[1, width], &[0.0, 1.0, 2.0][..width]);
            scorer.add(sample..sample + 1, &float("boxes", &[1, 2], &[0.0, 1.0]), &reference);
            scorer.add(sample..sample + 1, &float("loss", &[1, 1], &[1.0]), &float("loss", &[1, 1], &[1.0]));
        }
        let (compared, unlike) = scorer.finish();
        assert_eq!(compared.iter().map(|one| one.output.as_str()).collect::<Vec<_>>(), ["loss"]);
        let reason =
            "it is float [1, 2] where the reference is float [1, 3] in sample 2; 1 of 2 samples is unlike the \
                      reference's"
                .to_owned();
        assert_eq!(unlike, [NotComparable { output: "boxes".into(), reason }]);
    }

    #[test]
    fn sound_has_noise_and_no_classes() {
        let wave: Vec<f32> = (0..200).map(|index| (index as f32 / 6.0).sin()).collect();
        let noisy: Vec<f32> = wave.iter().map(|value| value * 1.01).collect();
        let agreement = compare(&[1, 1, 200], &noisy, &wave);
        assert_eq!((agreement.kind, agreement.top1_agreeing_count), (Some(OutputKind::Signal), None));
        // A hundredth of the amplitude is 40 dB below it.
        assert!((agreement.signal_to_noise_db.unwrap() - 40.0).abs() < 0.01);
        assert_eq!(compare(&[1, 1, 200], &wave, &wave).signal_to_noise_db, None);
    }
}
