//! Value that a run gives to a field, or why it gives none.

use crate::analysis::{CellFindings, SessionFindings};
use crate::metric::Metric;
use crate::report::words;
use crate::text::Plain;

pub(super) const NO_TRAINING: &str = "an inference profile";
pub(super) const NOTHING_RECOMMENDED: &str = "nothing could be recommended";
pub(super) const NO_BASELINE: &str = "the run has no baseline session";

/// Words for a figure, or why there is none.
pub(super) type Text = Result<String, Absent>;

/// Value of a field, or why it has none.
pub(super) type Found = Result<Told, Absent>;

/// Value of a field: one line, or those of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) lines: Vec<String>,
    pub(super) kind: Kind,
}

/// How a value stands beside one that people gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It was measured.
    Measured,
    /// It is a fact of the run, or follows from one.
    Stated,
    /// It holds what people gave.
    Whole,
}

pub(super) const NOT_GIVEN: Found = Err(Absent::NotGiven);
pub(super) const NO_DATABASE: Found = Err(Absent::DoesNotApply(DATABASE));
pub(super) const NO_NETWORK: Found = Err(Absent::DoesNotApply(
    "inference was measured on one machine, without a network",
));

pub(super) const DATABASE: &str = "a model's inference uses no database";

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

impl Absent {
    pub(super) fn because(reason: impl Into<Plain>) -> Self {
        Absent::NotMeasured(reason.into())
    }
}

pub(super) fn measured(text: impl Into<String>) -> Found {
    told(Kind::Measured, vec![text.into()])
}

pub(super) fn stated(text: impl Into<String>) -> Found {
    told(Kind::Stated, vec![text.into()])
}

pub(super) fn told(kind: Kind, lines: Vec<String>) -> Found {
    Ok(Told { lines, kind })
}

pub(super) fn figure(text: Text) -> Found {
    measured(text?)
}

pub(super) fn not_measured<T>(reason: impl Into<Plain>) -> Result<T, Absent> {
    Err(Absent::because(reason))
}

/// All `lines` as measurements, or that nothing was measured because there is none.
pub(super) fn all(lines: impl IntoIterator<Item = String>, none: &str) -> Found {
    some(Kind::Measured, lines, none)
}

/// All `lines`, or that nothing was measured because there is none.
pub(super) fn some(kind: Kind, lines: impl IntoIterator<Item = String>, none: &str) -> Found {
    match lines.into_iter().collect::<Vec<String>>() {
        lines if lines.is_empty() => not_measured(none),
        lines => told(kind, lines),
    }
}

pub(super) fn or_why(text: Text) -> String {
    text.unwrap_or_else(|absent| absent.to_string())
}

pub(super) fn of_cell(cell: Option<&CellFindings>, metric: Metric) -> Text {
    match cell.and_then(|cell| cell.figure(metric)) {
        Some(estimate) => words::figure(metric, estimate).map_err(Absent::NotMeasured),
        None => not_measured("the baseline has no such cell"),
    }
}

pub(super) fn of_session(session: &SessionFindings, metric: Metric) -> Text {
    match session.figure(metric) {
        Some(estimate) => words::figure(metric, estimate).map_err(Absent::NotMeasured),
        None => not_measured("not asked for"),
    }
}
