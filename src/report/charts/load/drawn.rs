//! What charts of runs under load have in common.

use crate::report::charts::{Form, PointView, SeriesView};
use crate::report::words::load::Load;

/// Candidates that a chart shows: more lines would not differ by colour and mark.
pub(super) const MOST: usize = 8;
/// Candidates that have charts of their own.
pub(super) const MOST_ALONE: usize = 4;
/// Number of the colour of a limit.
pub(super) const LIMIT_COLOR: usize = 6;

/// A straight line from one end to the other, without marks.
pub(super) fn straight(name: String, from: PointView, to: PointView) -> SeriesView {
    SeriesView {
        name: Some(name),
        color: LIMIT_COLOR,
        form: Form::Steps,
        points: vec![from, to],
    }
}

pub(super) fn place(x: f64, y: f64, label: &str) -> PointView {
    PointView {
        x,
        y,
        label: label.to_owned(),
        ..PointView::default()
    }
}

/// Why charts leave candidates out, as a sentence after another one.
pub(super) fn left_out(load: Load<'_>, most: usize) -> String {
    match load.candidates().len().saturating_sub(most) {
        0 => String::new(),
        more => format!(" {more} more are in the tables only."),
    }
}
