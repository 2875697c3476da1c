//! Agreement of a session's outputs with those of a reference.

use std::ops::Range;

use super::rows::Rows;
use super::unlike::Unlike;
use super::{
    Signs, Surroundings, agreeing_count, describe, errors, is_float, numbers, per_sample,
    whole_errors,
};
use crate::inputs::{Tensor, TensorData};
use crate::record::{Agreement, NotComparable, OutputKind};
use crate::text::Plain;

/// Compares the outputs of one session with a reference's, batch by batch.
///
/// Numbers of any type are compared as `f64`, so a float16 output can be held against a float32
/// one. An output whose first dimension is not the samples counts as one sample a batch. For
/// strings there is nothing but equality. An output that comes in another shape than its reference,
/// even once, is not comparable: a part of the samples would flatter it.
///
/// Values that are not finite are compared as in ONNX's own tests (`numpy.testing.assert_allclose`
/// with `equal_nan`): NaN agrees with NaN, and an infinity with the one of its sign. Where one of
/// them meets anything else, the output has no error and no cosine: those of the other elements
/// would flatter it.
#[derive(Debug, Default)]
pub struct AgreementScorer {
    around: Surroundings,
    outputs: Vec<Sums>,
    unlike: Vec<Unlike>,
}

#[derive(Debug, Default)]
struct Sums {
    output: String,
    reference_output: Option<String>,
    samples_count: u64,
    /// Samples that came, also where several came together and count as one.
    seen_count: u64,
    /// `None` once a batch had neither scores of classes nor values to be equal.
    top1_agreeing_count: Option<u64>,
    cosine: Cosine,
    errors: Errors,
    /// Shape of a sample of the reference.
    shape: Vec<usize>,
    signs: Signs,
    /// Rows of floating-point samples that are tables.
    rows: Option<Rows>,
    is_float: bool,
}

/// Samples from which on a 1st percentile is no single sample's: ten beyond it.
const SAMPLES_OF_PERCENTILE: usize = 1_000;

/// The cosine of each sample that has one.
#[derive(Debug, Default)]
struct Cosine(Vec<f64>);

impl Cosine {
    fn add(&mut self, cosine: f64) {
        if !cosine.is_finite() {
            return;
        }
        // Rounding may leave a hair beyond 1.
        self.0.push(cosine.clamp(-1.0, 1.0));
    }

    fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    fn min(&self) -> Option<f64> {
        self.0.iter().copied().reduce(f64::min)
    }

    /// By nearest rank.
    fn first_percentile(mut self) -> Option<f64> {
        if self.0.len() < SAMPLES_OF_PERCENTILE {
            return None;
        }
        let rank = self.0.len().div_ceil(100) - 1;
        let (_, cosine, _) = self.0.select_nth_unstable_by(rank, f64::total_cmp);
        Some(*cosine)
    }
}

#[derive(Debug, Default)]
struct Errors {
    max_absolute: Option<f64>,
    squared_sum: f64,
    squared_reference_sum: f64,
    not_finite_count: u64,
}

impl Errors {
    /// Root of the squared errors over that of the squared reference; absent where the reference
    /// has none, or nothing was compared.
    fn relative(&self) -> Option<f64> {
        self.max_absolute?;
        let relative = match self.squared_sum {
            // Nothing differs from a reference of zeros either.
            0.0 => 0.0,
            sum => (sum / self.squared_reference_sum).sqrt(),
        };
        Some(relative).filter(|relative| relative.is_finite())
    }
}

impl AgreementScorer {
    /// Starts comparing outputs of a model with these surroundings.
    #[must_use]
    pub fn new(around: Surroundings) -> Self {
        AgreementScorer {
            around,
            ..Self::default()
        }
    }

    /// Adds one batch of an output and of the reference's output that it is held against; `samples`
    /// are their places.
    pub fn add(&mut self, samples: Range<u64>, ours: &Tensor, reference: &Tensor) {
        if !are_alike(&ours.data, &reference.data) {
            let reason = format!(
                "it is {} where the reference is {}",
                describe(&ours.data),
                describe(&reference.data)
            );
            self.unlike(&ours.name, samples, reason);
            return;
        }
        let samples_count = (samples.end - samples.start) as usize;
        self.sums(ours, reference)
            .add(samples_count, &ours.data, &reference.data);
    }

    /// The sums of an output, which begin with its first batch.
    fn sums(&mut self, ours: &Tensor, reference: &Tensor) -> &mut Sums {
        let mut known = self.outputs.iter();
        let place = known.position(|sums| sums.output == ours.name);
        let place = place.unwrap_or_else(|| {
            self.outputs
                .push(Sums::none_yet(ours, reference, &self.around));
            self.outputs.len() - 1
        });
        &mut self.outputs[place]
    }

    /// Leaves an output out, since these samples of it cannot be compared, for a reason that is a
    /// fragment of a sentence; that of the first ones stands, and how many there are is counted.
    pub fn unlike(&mut self, output: &str, samples: Range<u64>, reason: String) {
        let mut known = self.unlike.iter_mut();
        match known.find(|unlike| unlike.output == output) {
            Some(unlike) => unlike.add(&samples),
            None => self.unlike.push(Unlike::new(output, Some(samples), reason)),
        }
    }

    /// Leaves an output out for a reason that holds whatever the samples are.
    pub fn leave_out(&mut self, output: &str, reason: &str) {
        if self.unlike.iter().all(|unlike| unlike.output != output) {
            self.unlike
                .push(Unlike::new(output, None, reason.to_owned()));
        }
    }

    /// The agreement of each output, in the order in which they first came, and the outputs that
    /// are not comparable.
    #[must_use]
    pub fn finish(self) -> (Vec<Agreement>, Vec<NotComparable>) {
        let mut left_out = Vec::new();
        for unlike in &self.unlike {
            let mut outputs = self.outputs.iter();
            let alike = outputs.find(|sums| sums.output == unlike.output);
            left_out.push(unlike.not_comparable(alike.map_or(0, |sums| sums.seen_count)));
        }
        let mut compared = self.outputs;
        compared.retain(|sums| left_out.iter().all(|left| left.output != sums.output));
        let compared = compared.into_iter().map(|sums| sums.finish(&self.around));
        (compared.collect(), left_out)
    }
}

/// Whether two outputs have one shape, and both are strings or neither is.
fn are_alike(ours: &TensorData, reference: &TensorData) -> bool {
    ours.shape() == reference.shape() && is_text(ours) == is_text(reference)
}

fn is_text(data: &TensorData) -> bool {
    matches!(data, TensorData::String(_))
}

impl Sums {
    fn none_yet(ours: &Tensor, reference: &Tensor, around: &Surroundings) -> Self {
        let is_float = is_float(&ours.data) || is_float(&reference.data);
        let shape: Vec<usize> = reference.data.shape().iter().skip(1).copied().collect();
        Sums {
            output: ours.name.clone(),
            reference_output: (ours.name != reference.name).then(|| reference.name.clone()),
            top1_agreeing_count: Some(0),
            rows: Rows::of(&shape, around).filter(|_| is_float),
            shape,
            is_float,
            ..Sums::default()
        }
    }

    fn add(&mut self, samples_count: usize, ours: &TensorData, reference: &TensorData) {
        let mut batch = samples_count;
        if per_sample(ours, samples_count).is_none() {
            batch = 1;
            self.shape = reference.shape().to_vec();
            self.rows = None;
        }
        self.samples_count += batch as u64;
        self.seen_count += samples_count as u64;
        let agreeing = agreeing_count(batch, ours, reference).zip(self.top1_agreeing_count);
        self.top1_agreeing_count = agreeing.map(|(batch, sum)| batch + sum);
        let exact = match self.is_float {
            true => None,
            false => whole_errors(ours, reference),
        };
        let [ours, reference] = [ours, reference].map(numbers);
        let errors = exact.unwrap_or_else(|| errors(&ours, &reference));
        let elements = (ours.len() / batch.max(1)).max(1);
        let samples = ours
            .chunks_exact(elements)
            .zip(reference.chunks_exact(elements));
        for ((ours, reference), errors) in samples.zip(errors.chunks_exact(elements)) {
            self.add_errors(ours, reference, errors);
            if self.is_float {
                self.signs.add(reference);
            }
            if let Some(rows) = &mut self.rows {
                rows.add(ours, reference);
            }
        }
    }

    /// Errors of a sample, and its cosine.
    fn add_errors(&mut self, ours: &[f64], reference: &[f64], errors: &[Option<f64>]) {
        let (mut product, mut our_square, mut reference_square) = (0.0, 0.0, 0.0);
        for ((&our, &reference), &error) in ours.iter().zip(reference).zip(errors) {
            let Some(error) = error else {
                self.errors.not_finite_count += 1;
                continue;
            };
            self.errors.max_absolute = Some(self.errors.max_absolute.unwrap_or(0.0).max(error));
            if our.is_finite() {
                self.errors.squared_sum += error * error;
                self.errors.squared_reference_sum += reference * reference;
                product += our * reference;
                our_square += our * our;
                reference_square += reference * reference;
            }
        }
        self.cosine
            .add(product / (our_square.sqrt() * reference_square.sqrt()));
    }

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
            OutputKind::Image if !around.is_picture(&self.output, &self.shape) => {
                OutputKind::Numbers
            }
            OutputKind::Classes | OutputKind::Signal if is_along => OutputKind::Numbers,
            OutputKind::Signal if around.gives_scores(&self.output) && !self.signs.is_smooth() => {
                OutputKind::Classes
            }
            OutputKind::Classes if Surroundings::names_inner(&self.output) => OutputKind::Vector,
            kind => kind,
        }
    }

    fn finish(mut self, around: &Surroundings) -> Agreement {
        let kind = self.kind(around);
        let rows = self.rows.take().filter(|_| kind == OutputKind::Classes);
        let top1_by_row = rows.map(Rows::agreeing).unwrap_or_default();
        let has_top1 =
            matches!(kind, OutputKind::Classes | OutputKind::Values) && top1_by_row.is_empty();
        let Sums { cosine, errors, .. } = self;
        let is_whole = errors.not_finite_count == 0;
        let cosine_similarity_min = cosine.min().filter(|_| is_whole);
        let relative_error = errors.relative().filter(|_| is_whole);
        let noise = relative_error
            .filter(|&error| matches!(kind, OutputKind::Signal | OutputKind::Image) && error > 0.0);
        Agreement {
            output: self.output.into(),
            reference_output: self.reference_output.map(Plain::from),
            samples_count: self.samples_count,
            top1_agreeing_count: self.top1_agreeing_count.filter(|_| has_top1),
            top1_by_row,
            cosine_similarity_mean: cosine_similarity_min.map(|_| cosine.mean()),
            cosine_similarity_min,
            cosine_similarity_p1: cosine.first_percentile().filter(|_| is_whole),
            max_absolute_error: errors
                .max_absolute
                .filter(|error| is_whole && error.is_finite()),
            relative_error,
            not_finite_count: errors.not_finite_count,
            kind: Some(kind),
            signal_to_noise_db: noise.map(|error| -20.0 * error.log10()),
        }
    }
}

#[cfg(test)]
mod tests;
