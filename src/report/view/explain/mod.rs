//! Why each session takes the time that it takes, against the baseline.

mod sentence;
mod tables;

use super::Section;
use super::number;
use super::quantization::quantization;
use super::words::{self, Source};
use crate::analysis::{DenormalFindings, Explanation, Instructions, ReducedArithmetic, StepKind, Verdict};
use crate::record::Unit;
use sentence::sentence;

/// One sentence for each session that there is something to say about; none for records without operator profiles.
pub(super) fn sentences(source: Source<'_>) -> Vec<String> {
    let explained = told(source).map(|explanation| sentence(source, explanation));
    explained.chain(denormals_of_others(source)).collect()
}

/// A section for each session, with the steps and the operators behind them.
pub(super) fn sections(source: Source<'_>) -> Vec<Section> {
    let section = |explanation: &Explanation| Section {
        title: format!("Why: {} against {}", source.name(explanation.session), source.name(explanation.reference)),
        lines: lines(source, explanation),
        tables: tables::tables(source, explanation),
    };
    let mut sections: Vec<Section> = told(source).map(section).collect();
    let denormals: Vec<String> = source.findings.denormals.iter().map(|found| denormal_line(source, found)).collect();
    if !denormals.is_empty() {
        let title = "Denormal numbers".into();
        sections.push(Section { title, lines: denormals, tables: Vec::new() });
    }
    sections
}

/// What a step is called.
#[must_use]
pub fn step_label(kind: StepKind) -> &'static str {
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

/// Explanations that say more than that nothing is known.
fn told(source: Source<'_>) -> impl Iterator<Item = &'_ Explanation> {
    let is_profiled = !source.record.operators.is_empty();
    let explanations = source.findings.explanations.iter();
    explanations.filter(move |explanation| is_profiled || !explanation.clauses.is_empty())
}

fn lines(source: Source<'_>, explanation: &Explanation) -> Vec<String> {
    let mut lines = vec![sentence(source, explanation)];
    let schemes = [explanation.reference, explanation.session].map(|session| (session, scheme(source, session)));
    if schemes[0].1 != schemes[1].1 {
        let told = schemes
            .into_iter()
            .filter_map(|(session, scheme)| Some(format!("Quantization of {}: {}.", source.name(session), scheme?)));
        lines.extend(told);
    }
    lines.extend(explanation.instructions.as_ref().map(instructions));
    lines
}

fn scheme(source: Source<'_>, session: usize) -> Option<String> {
    let variant = source.record.plan.sessions[session].variant;
    Some(quantization(source.record.variants[variant].model.as_ref()?.quantization.as_ref()?))
}

fn instructions(found: &Instructions) -> String {
    let arithmetic = match found.arithmetic {
        ReducedArithmetic::Int8 => "sums of 8-bit products",
        ReducedArithmetic::Float16 => "half-precision arithmetic",
    };
    let wanted = found.wanted.join(", ");
    match found.present.as_slice() {
        [] => format!("Instructions for {arithmetic}: any of {wanted} would do; this CPU has none of them."),
        present => {
            format!("Instructions for {arithmetic}: any of {wanted} would do; this CPU has {}.", present.join(", "))
        }
    }
}

/// Sessions that have no sentence of their own, as the baseline's, and are slow from denormal numbers.
fn denormals_of_others(source: Source<'_>) -> Vec<String> {
    let has_sentence = |session: usize| told(source).any(|explanation| explanation.session == session);
    let slow = source.findings.denormals.iter().filter(|found| {
        found.change.as_ref().is_some_and(|change| change.verdict == Verdict::Faster) && !has_sentence(found.session)
    });
    slow.map(|found| denormal_line(source, found)).collect()
}

fn denormal_line(source: Source<'_>, found: &DenormalFindings) -> String {
    let name = source.name(found.session);
    let at = format!("at batch {}", found.batch_size);
    let (Some(change), Some(flushed_ns), Some(unchanged_ns)) = (&found.change, found.flushed_ns, found.unchanged_ns)
    else {
        let reason = found.absent_reason.as_deref().unwrap_or("no reason recorded");
        return format!("{name} with denormal numbers flushed to zero was {}.", words::not_measured(reason));
    };
    let (flushed, unchanged) = (time(flushed_ns), time(unchanged_ns));
    let change_words = words::latency_change(change);
    match change.verdict {
        Verdict::Faster => format!(
            "{name} is slow from denormal numbers: with them flushed to zero it is {change_words} {at} ({flushed} instead \
             of {unchanged})."
        ),
        _ => format!(
            "{name} takes {flushed} {at} with denormal numbers flushed to zero and {unchanged} without: no gain was shown."
        ),
    }
}

/// A time with three digits.
fn time(ns: i64) -> String {
    if ns == 0 { "0 ns".into() } else { number::value(Unit::Ns, ns as f64, None) }
}
