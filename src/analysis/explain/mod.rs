//! Why each session takes the time that it takes: from the reference's median to its own, operator
//! by operator.
//!
//! Times of operators come from profiled launches, medians from timed ones. What of the difference
//! no operator accounts for is a step of its own, so that the steps always add up. Read
//! [`Explanation`] first.

mod clauses;
mod explanation;
mod instructions;
mod same_file;
mod side;
mod waterfall;

pub use clauses::CLAUSE_SHARE;
pub use explanation::{
    AddedNodes, Clause, DenormalFindings, Explanation, FusionChange, Instructions, LatencyStep,
    OperatorChange, ProfileBasis, ReducedArithmetic, Step, StepKind,
};

use super::decide::facts::Facts;
use super::figures::{CellFindings, Change};
use super::operators::Roofline;
use crate::analysis::Estimate;
use crate::analysis::figures::change::{judge, judge_bounded, median_change};
use crate::metric::Metric;
use crate::observed::Observed;
use crate::plan::CellKey;
use crate::record::{Contrast, Pairs, RunRecord};
use crate::stats::END_ERROR;
use crate::text::Plain;
use side::{Both, Side};

#[derive(Clone, Copy)]
struct Pair {
    session: usize,
    reference: usize,
}

/// Explanations of every session against the baseline's, and of every further session of another
/// variant against that variant's first one: between runtimes or execution providers, the model
/// stays the same. There is one for each batch size and shape at which both were profiled, the
/// smallest first, or one that says why there is none.
pub(super) fn explanations(
    facts: &Facts<'_>,
    denormals: &[DenormalFindings],
    rooflines: &[Roofline],
) -> Vec<Explanation> {
    let Some(baseline) = facts.index.baseline else {
        return Vec::new();
    };
    let mut found: Vec<Explanation> = pairs(facts, baseline)
        .into_iter()
        .flat_map(|pair| of_pair(facts, pair))
        .collect();
    judge_within_variants(&mut found, baseline);
    for of_pair in found
        .chunk_by_mut(|one, other| (one.session, one.reference) == (other.session, other.reference))
    {
        // Denormals were looked for at the smallest batch size alone.
        let mut denormals = denormals
            .iter()
            .find(|denormals| denormals.session == of_pair[0].session);
        for explanation in of_pair {
            explanation.clauses = clauses::clauses(facts, explanation, denormals.take(), rooflines);
        }
    }
    found
}

/// Every session with the baseline's, and every further one of a variant with the variant's first,
/// unless that is the baseline.
fn pairs(facts: &Facts<'_>, baseline: usize) -> Vec<Pair> {
    let specs = &facts.index.record.plan.sessions;
    let measured = facts.sessions.iter().filter(|found| found.outcome.is_ok());
    let measured = measured.map(|found| found.session);
    let with_baseline = measured.clone().map(|session| (session, baseline));
    let within_variants = measured.filter_map(|session| {
        let variant = specs[session].variant;
        let first = specs.iter().position(|spec| spec.variant == variant)?;
        (first != baseline).then_some((session, first))
    });
    with_baseline
        .chain(within_variants)
        .filter(|(session, reference)| session != reference)
        .map(|(session, reference)| Pair { session, reference })
        .collect()
}

/// Comparisons within a variant are a family of their own; those with the baseline have been
/// judged.
fn judge_within_variants(found: &mut [Explanation], baseline: usize) {
    judge(
        Metric::LatencyP50RatioToBaseline,
        found
            .iter_mut()
            .filter(|explanation| explanation.reference != baseline)
            .filter_map(|explanation| Some(&mut explanation.latency.as_mut()?.change)),
        END_ERROR,
    );
}

fn of_pair(facts: &Facts<'_>, pair: Pair) -> Vec<Explanation> {
    let common = common_cells(facts, pair);
    let tried: Vec<Observed<Explanation>> = common
        .iter()
        .map(|latency| with_steps(facts, pair, latency))
        .collect();
    if tried.iter().any(Result::is_ok) {
        return tried.into_iter().flatten().collect();
    }
    let reason = match tried.into_iter().next() {
        Some(Err(reason)) => reason,
        _ => not_compared(facts, pair),
    };
    vec![Explanation {
        latency: common.into_iter().next(),
        steps_absent_reason: Some(reason),
        ..without_steps(facts, pair)
    }]
}

/// Why there is no batch size at which both have a median and took turns.
fn not_compared(facts: &Facts<'_>, Pair { session, reference }: Pair) -> Plain {
    cells_of(facts, session)
        .into_iter()
        .find_map(|cell| absent_median(facts, cell, reference))
        .map_or_else(
            || "no batch size was measured with both in turn".into(),
            |reason| format!("their blocks took turns, but a median latency {reason}").into(),
        )
}

/// Why a cell that took turns with the reference's is without a median, or that one is.
fn absent_median<'a>(
    facts: &'a Facts<'_>,
    cell: &'a CellFindings,
    reference: usize,
) -> Option<&'a Plain> {
    let key = CellKey {
        session: reference,
        ..cell.key
    };
    let other = facts.cell(key)?;
    change(facts, cell, key)?;
    [cell, other]
        .into_iter()
        .filter_map(|cell| cell.figure(Metric::LatencyP50))
        .find_map(Estimate::absent_reason)
}

/// An error where either side was not profiled, or both are the same.
fn with_steps(facts: &Facts<'_>, pair: Pair, latency: &LatencyStep) -> Observed<Explanation> {
    let record = facts.index.record;
    if same_file::run_alike(record, pair.session, pair.reference) {
        return Err("both are the same file, run in the same way".into());
    }
    let sides = Both {
        before: Side::new(record, pair.reference, latency, latency.reference_ns)?,
        after: Side::new(record, pair.session, latency, latency.session_ns)?,
    };
    let mut explanation = Explanation {
        latency: Some(latency.clone()),
        ..without_steps(facts, pair)
    };
    waterfall::fill(&mut explanation, &sides);
    Ok(explanation)
}

fn without_steps(facts: &Facts<'_>, Pair { session, reference }: Pair) -> Explanation {
    let record = facts.index.record;
    let model = record.variant_of(session).model.as_ref();
    let quantization = model.and_then(|model| model.quantization.clone());
    Explanation {
        session,
        reference,
        is_same_file: same_file::run_alike(record, session, reference),
        instructions: instructions::instructions(record, session, quantization.as_ref()),
        quantization,
        ..Explanation::default()
    }
}

/// The cells measured in turn with the reference's, by shape and batch size.
fn common_cells(facts: &Facts<'_>, Pair { session, reference }: Pair) -> Vec<LatencyStep> {
    cells_of(facts, session)
        .into_iter()
        .filter_map(|cell| latency_step(facts, cell, reference))
        .collect()
}

/// Measured cells of a session under the plan's first load mode, by shape and batch size.
fn cells_of<'a>(facts: &'a Facts<'_>, session: usize) -> Vec<&'a CellFindings> {
    let mode = facts.index.record.plan.load_modes.first();
    let mut cells: Vec<&CellFindings> = facts
        .cells
        .iter()
        .filter(|cell| {
            cell.key.session == session && mode == Some(&cell.key.load_mode) && cell.outcome.is_ok()
        })
        .collect();
    cells.sort_by_key(|cell| (cell.key.shape, cell.key.batch_size));
    cells
}

fn latency_step(facts: &Facts<'_>, cell: &CellFindings, reference: usize) -> Option<LatencyStep> {
    let key = CellKey {
        session: reference,
        ..cell.key
    };
    Some(LatencyStep {
        shape: cell.key.shape,
        batch_size: cell.key.batch_size,
        reference_ns: median_ns(facts, key)?,
        session_ns: median_ns(facts, cell.key)?,
        change: change(facts, cell, key)?,
    })
}

fn median_ns(facts: &Facts<'_>, key: CellKey) -> Option<i64> {
    Some(facts.cell(key)?.value(Metric::LatencyP50)?.round() as i64)
}

fn change(facts: &Facts<'_>, cell: &CellFindings, reference: CellKey) -> Option<Change> {
    match &cell.comparison {
        Some(comparison) if comparison.baseline == reference => Some(comparison.p50.clone()),
        _ => median_change(&Pairs::new(
            facts.index.blocks(cell.key),
            facts.index.blocks(reference),
        )),
    }
}

const DENORMALS_FLUSHED: &str = "session.set_denormal_as_zero=1";

pub(super) fn denormals(record: &RunRecord) -> Vec<DenormalFindings> {
    let mut found: Vec<DenormalFindings> = record
        .contrasts
        .iter()
        .filter(|contrast| contrast.option == DENORMALS_FLUSHED)
        .map(contrasted)
        .collect();
    // Those that one pair of launches sufficed for cannot have a verdict, and take no part in the
    // others'.
    judge_bounded(found.iter_mut().filter_map(|found| found.change.as_mut()));
    found
}

fn contrasted(contrast: &Contrast) -> DenormalFindings {
    let found = contrast.found.as_ref();
    let change = found.map_err(Plain::clone).and_then(|found| {
        Change::paired(Metric::LatencyP50RatioToBaseline, &found.log_ratios)
            .ok_or_else(|| "no pair of blocks gave a ratio".into())
    });
    DenormalFindings {
        session: contrast.session,
        batch_size: contrast.batch_size,
        flushed_ns: found.ok().map(|found| found.changed_ns.0.cast_signed()),
        unchanged_ns: found.ok().map(|found| found.unchanged_ns.0.cast_signed()),
        absent_reason: change.as_ref().err().cloned(),
        change: change.ok(),
    }
}
