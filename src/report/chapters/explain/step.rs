//! Steps in words.

use std::ptr;

use crate::analysis::{Explanation, Interval, StepKind};
use crate::metric::Unit;
use crate::report::words::{Source, number};

/// Mark of a change that the profiler cannot tell from none.
pub(super) const UNRESOLVED: &str = " ~";

pub(in crate::report) fn step_label(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Matrix => "Matrix work",
        StepKind::FullPrecision => "Matrix work left in full precision",
        StepKind::Conversion => "Conversions",
        StepKind::Fusion => "Fusions made or undone",
        StepKind::Compiled => "Compiled subgraphs",
        StepKind::Other => "Other operators",
        StepKind::Rest => "Between operators",
    }
}

pub(super) fn time(ns: i64) -> String {
    number::value(Unit::Ns, ns as f64, None)
}

/// `+120 µs (40 to 200)`, with a mark where that is not sure.
pub(in crate::report) fn change_words(change_ns: i64, bounds: Option<Interval>) -> String {
    let is_sure = bounds.is_some_and(|bounds| bounds.low > 0.0 || bounds.high < 0.0);
    let mark = if is_sure || change_ns == 0 {
        ""
    } else {
        UNRESOLVED
    };
    number::signed(Unit::Ns, change_ns as f64, bounds) + mark
}

/// ` at batch 64, seq 16`; empty where no batch size was measured with both.
pub(in crate::report) fn place(source: Source<'_>, explanation: &Explanation) -> String {
    let Some(at) = &explanation.latency else {
        return String::new();
    };
    format!(
        " at batch {}{}",
        at.batch_size,
        source.record.plan.shape_words(at.shape)
    )
}

pub(super) fn pair(explanation: &Explanation) -> (usize, usize) {
    (explanation.session, explanation.reference)
}

/// Of the reference, and of the session.
pub(in crate::report) fn names(source: Source<'_>, explanation: &Explanation) -> [String; 2] {
    [explanation.reference, explanation.session].map(|session| source.name(session))
}

/// The explanation of the same pair that names parts, where `leading` leaves all of them open.
pub(in crate::report) fn clearer<'a>(
    source: Source<'a>,
    leading: &Explanation,
) -> Option<&'a Explanation> {
    let explanations = source.findings.causes.explanations.iter();
    explanations
        .filter(|_| leading.is_open())
        .filter(|other| pair(other) == pair(leading))
        .find(|other| other.names_parts())
}

/// Whether an explanation is the first of its pair of sessions: the one at the smallest batch size.
pub(in crate::report) fn is_leading(source: Source<'_>, explanation: &Explanation) -> bool {
    source
        .findings
        .causes
        .explanations
        .iter()
        .find(|other| pair(other) == pair(explanation))
        .is_some_and(|first| ptr::eq(first, explanation))
}
