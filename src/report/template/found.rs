//! Value that a run gives to a field, or why it gives none.

use crate::analysis::{CellFindings, SessionFindings};
use crate::metric::Metric;
use crate::report::words;
use crate::text::Plain;

pub(super) const NO_TRAINING: &str = "an inference profile";
pub(super) const NOTHING_RECOMMENDED: &str = "nothing could be recommended";
pub(super) const NO_BASELINE: &str = "the run has no baseline session";

pub(super) type Found = Result<String, Absent>;

pub(super) const NOT_GIVEN: Found = Err(Absent::NotGiven);
pub(super) const NO_DATABASE: Found =
    Err(Absent::DoesNotApply("a model's inference uses no database"));
pub(super) const NO_NETWORK: Found = Err(Absent::DoesNotApply(
    "inference was measured on one machine, without a network",
));

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Absent {
    #[error("not measured: {0}")]
    NotMeasured(Plain),
    #[error("does not apply: {0}")]
    DoesNotApply(&'static str),
    /// By people, who alone know it.
    #[error("not given")]
    NotGiven,
}

pub(super) fn not_measured(reason: impl Into<Plain>) -> Found {
    Err(Absent::NotMeasured(reason.into()))
}

/// All `parts`, or that nothing was measured because there is none.
pub(super) fn all(parts: impl Iterator<Item = String>, none: &str) -> Found {
    match words::joined(parts, "; ") {
        all if all.is_empty() => not_measured(none),
        all => Ok(all),
    }
}

pub(super) fn or_why(found: Found) -> String {
    found.unwrap_or_else(|absent| absent.to_string())
}

pub(super) fn of_cell(cell: Option<&CellFindings>, metric: Metric) -> Found {
    match cell.and_then(|cell| cell.figure(metric)) {
        Some(estimate) => words::figure(metric, estimate).map_err(Absent::NotMeasured),
        None => not_measured("the baseline has no such cell"),
    }
}

pub(super) fn of_session(session: &SessionFindings, metric: Metric) -> Found {
    match session.figure(metric) {
        Some(estimate) => words::figure(metric, estimate).map_err(Absent::NotMeasured),
        None => not_measured("not asked for"),
    }
}
