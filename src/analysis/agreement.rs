//! Agreement of outputs with a reference, and where it is worst.

use super::accuracy::{NO_SAMPLES, figure, proportion};
use super::figures::OutputAgreement;
use super::figures::{Counted, Estimate, Figure};
use super::summary;
use crate::metric::{Direction, Metric};
use crate::record::Agreement;
use crate::stats::Proportion;

/// Agreement of one output.
pub(super) fn output_agreement(agreement: &Agreement, seed: u64) -> OutputAgreement {
    let exact = |value: Option<f64>, reason: &str| match value {
        Some(value) => Estimate::exact(value, agreement.samples_count, Counted::Samples),
        None => Estimate::absent(reason),
    };
    let is_whole = agreement.not_finite_count == 0;
    let of_numbers = |value: Option<f64>, reason: &str| match is_whole {
        true => exact(value, reason),
        false => Estimate::absent(not_the_same(agreement)),
    };
    let figures = [
        (Metric::Top1Agreement, top1_agreement(agreement, seed)),
        (Metric::CosineSimilarity, of_numbers(agreement.cosine_similarity_mean, "an output is zero or not finite")),
        (Metric::MaxAbsoluteError, of_numbers(agreement.max_absolute_error, NO_NUMBERS)),
        (
            Metric::RelativeError,
            of_numbers(agreement.relative_error, "the reference is zero, or there is no finite difference to tell"),
        ),
    ];
    OutputAgreement {
        output: agreement.output.clone(),
        reference_output: agreement.reference_output.clone(),
        kind: agreement.kind,
        signal_to_noise_db: agreement.signal_to_noise_db,
        rows_count: agreement.top1_by_row.iter().map(|sample| sample.elements_count).sum(),
        figures: figures.into_iter().map(|(metric, estimate)| Figure { metric, estimate }).collect(),
    }
}

/// Why there is no error of an output.
const NO_NUMBERS: &str = "there is no finite difference to tell";

/// Why there is no error of an output that is not finite where its reference is, or the other way round.
fn not_the_same(agreement: &Agreement) -> String {
    format!("of {} elements one side or both are NaN or infinite", agreement.not_finite_count)
}

/// Whether an output differs from its reference, and no number says by how much.
pub(super) fn differs_beyond_numbers(agreement: &Agreement) -> bool {
    let disagrees = agreement.top1_agreeing_count.is_some_and(|agreeing| agreeing < agreement.samples_count);
    agreement.not_finite_count > 0 || (disagrees && agreement.max_absolute_error.is_none())
}

fn top1_agreement(agreement: &Agreement, seed: u64) -> Estimate {
    if !agreement.top1_by_row.is_empty() {
        return figure(summary::row_agreement(&agreement.top1_by_row, seed), NO_SAMPLES);
    }
    let Some(agreeing) = agreement.top1_agreeing_count else {
        return Estimate::absent("the output holds no scores of classes");
    };
    proportion(Proportion::new(agreeing, agreement.samples_count), NO_SAMPLES)
}

/// Each figure of agreement at the output where it is worst: where one differs by more than numbers say, they say nothing.
pub(super) fn worst(agreement: &[OutputAgreement], beyond_numbers: Option<usize>) -> Vec<Figure> {
    let metrics = [Metric::Top1Agreement, Metric::CosineSimilarity, Metric::MaxAbsoluteError, Metric::RelativeError];
    let worst_of = |metric: Metric| {
        let estimates = || agreement.iter().filter_map(|output| super::find(&output.figures, metric));
        let worse = |one: &&Estimate, other: &&Estimate| {
            let key = |estimate: &Estimate| match metric.direction() {
                Direction::Higher => -estimate.value().unwrap_or(f64::INFINITY),
                _ => estimate.value().unwrap_or(f64::NEG_INFINITY),
            };
            key(one).total_cmp(&key(other))
        };
        let is_error = metric != Metric::Top1Agreement;
        let beyond =
            beyond_numbers.filter(|_| is_error).and_then(|place| super::find(&agreement[place].figures, metric));
        let estimate = beyond.or(estimates().max_by(worse))?.clone();
        Some(Figure { metric, estimate })
    };
    metrics.into_iter().filter_map(worst_of).collect()
}
