//! Steps in words.

use std::ptr;

use crate::analysis::{Explanation, StepKind};
use crate::metric::Unit;
use crate::report::words::{Source, number};

/// Mark of a change that the profiler cannot tell from none.
pub(in crate::report) const UNRESOLVED: &str = " ~";

pub(in crate::report) fn step_label(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Matrix => "Matrix work",
        StepKind::FullPrecision => "Matrix work left in full precision",
        StepKind::Conversion => "Conversions",
        StepKind::Fusion => "Fusions lost or gained",
        StepKind::Compiled => "Compiled subgraphs",
        StepKind::Other => "Other operators",
        StepKind::Rest => "Rest: outside of nodes",
    }
}

pub(super) fn time(ns: i64) -> String {
    number::value(Unit::Ns, ns as f64, None)
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
