//! Where the gain of a setting comes from, in a sentence.

use crate::analysis::{Estimate, GainCause, GainSplit, GainStep, StepBasis, Unsplit};
use crate::report::words::{Source, joined, listed, number};

/// `In throughput, int8 at batch 32 is 5.1x (4.8 to 5.4) as good as fp32 at batch 1: variant 2.1x (2.0 to
/// 2.2), batch size 2.4x (2.2 to 2.6; not in turns).`; `None` where the run has no such gain.
pub(in crate::report) fn gain_by_cause(source: Source<'_>) -> Option<String> {
    let split = source.findings.decisions.split.as_ref()?;
    Some(format!(
        "In {}, {} is {} as good as {}: {}.",
        split.metric.label(),
        source.place(split.to),
        factor(&split.factor, "")?,
        source.place(split.from),
        parts(source, split)
    ))
}

/// `variant 2.1x (2.0 to 2.2), batch size 2.4x (2.2 to 2.6; not in turns)`.
fn parts(source: Source<'_>, split: &GainSplit) -> String {
    joined(split.steps.iter().filter_map(|one| step(source, one)), ", ")
}

fn step(source: Source<'_>, step: &GainStep) -> Option<String> {
    let causes = step.causes.iter().map(|&cause| name(cause));
    let together = if step.causes.len() > 1 {
        " together"
    } else {
        ""
    };
    let reasons = step.unsplit.iter().map(|one| unsplit(source, one));
    let why = match joined(reasons, ", ") {
        none if none.is_empty() => none,
        reasons => format!(" ({reasons})"),
    };
    Some(format!(
        "{}{together} {}{why}",
        listed(causes),
        factor(&step.factor, basis(step.basis))?
    ))
}

fn name(cause: GainCause) -> &'static str {
    match cause {
        GainCause::Variant => "variant",
        GainCause::Batch => "batch size",
        GainCause::Threads => "threads",
        GainCause::Options => "session options",
    }
}

fn basis(basis: StepBasis) -> &'static str {
    match basis {
        StepBasis::InTurns => "",
        StepBasis::ByWayOfOthers => "by way of others",
        StepBasis::NotInTurns => "not in turns",
    }
}

/// `2.1x (2.0 to 2.2; not in turns)`; `None` where it was not measured.
fn factor(estimate: &Estimate, remark: &str) -> Option<String> {
    let measured = estimate.measured()?;
    let shown = number::times(measured.value, measured.interval);
    Some(match (remark, shown.strip_suffix(')')) {
        ("", _) => shown,
        (remark, Some(open)) => format!("{open}; {remark})"),
        (remark, None) => format!("{shown} ({remark})"),
    })
}

fn unsplit(source: Source<'_>, one: &Unsplit) -> String {
    match one.cell {
        None => "the run has no setting between them".into(),
        Some(cell) if one.is_measured => {
            format!("{} took no turns with them", source.place(cell))
        }
        Some(cell) => format!("{} was not measured", source.place(cell)),
    }
}
