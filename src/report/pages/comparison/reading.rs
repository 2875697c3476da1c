//! What became of a figure.

use crate::analysis::comparison::{Delta, Row, RowOutcome};
use crate::analysis::{AccuracyChange, Change};

pub(super) fn change(row: &Row) -> Option<&Change> {
    match &row.outcome {
        RowOutcome::Compared {
            delta: Delta::Ratio { change, .. },
        } => Some(change),
        _ => None,
    }
}

pub(super) fn score(row: &Row) -> Option<&AccuracyChange> {
    match &row.outcome {
        RowOutcome::Compared {
            delta: Delta::Score { change, .. },
        } => Some(change),
        _ => None,
    }
}
