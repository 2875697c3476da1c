//! Agreement of an output with that of a reference.

use super::scores::{NO_SAMPLES, over_samples_or, proportion};
use super::{Counted, Estimate, over_samples};
use crate::record::Agreement;
use crate::stats::Proportion;

/// Of samples, or of rows where each holds scores of classes.
pub(super) fn top1(agreement: &Agreement, seed: u64) -> Estimate {
    if !agreement.top1_by_row.is_empty() {
        return over_samples_or(
            over_samples::element_share(&agreement.top1_by_row, seed),
            NO_SAMPLES,
        );
    }
    let Some(agreeing) = agreement.top1_agreeing_count else {
        return Estimate::absent("the output holds no scores of classes");
    };
    proportion(
        Proportion::new(agreeing, agreement.samples_count),
        NO_SAMPLES,
    )
}

pub(super) fn cosine_similarity(agreement: &Agreement, _: u64) -> Estimate {
    of_numbers(
        agreement,
        agreement.cosine_similarity_mean,
        "an output is zero or not finite",
    )
}

pub(super) fn max_absolute_error(agreement: &Agreement, _: u64) -> Estimate {
    of_numbers(
        agreement,
        agreement.max_absolute_error,
        "there is no finite difference to tell",
    )
}

pub(super) fn relative_error(agreement: &Agreement, _: u64) -> Estimate {
    of_numbers(
        agreement,
        agreement.relative_error,
        "the reference is zero, or there is no finite difference to tell",
    )
}

/// Absent where an output is not finite where its reference is, or the other way round.
fn of_numbers(agreement: &Agreement, value: Option<f64>, otherwise: &str) -> Estimate {
    match (agreement.not_finite_count, value) {
        (0, Some(value)) => Estimate::exact(value, agreement.samples_count, Counted::Samples),
        (0, None) => Estimate::absent(otherwise),
        (count, _) => Estimate::absent(format!(
            "of {count} elements one side or both are NaN or infinite"
        )),
    }
}

/// Whether an output differs from its reference, and no number says by how much.
pub(super) fn differs_beyond_numbers(agreement: &Agreement) -> bool {
    let disagrees = agreement
        .top1_agreeing_count
        .is_some_and(|agreeing| agreeing < agreement.samples_count);
    agreement.not_finite_count > 0 || (disagrees && agreement.max_absolute_error.is_none())
}
