//! Why each session takes the time that it takes: from the reference's median to its own, operator by operator.
//!
//! Times of operators come from profiled launches, medians from timed ones. What of the difference no operator accounts
//! for is a step of its own, so that the steps always add up. Read [`Explanation`] first.

mod clauses;
mod explanation;
mod instructions;
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
use crate::analysis::figures::change::{judge, median_change};
use crate::metric::Metric;
use crate::observed::Observed;
use crate::plan::CellKey;
use crate::record::{Contrast, Pairs, RunRecord};
use crate::stats::END_ERROR;
use crate::text::Plain;
use side::Side;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Pair {
    session: usize,
    reference: usize,
}

/// Explanations of every session against the baseline's, and of every further session of another variant against that
/// variant's first one: between runtimes or execution providers, the model stays the same. There is one for each batch
/// size and shape at which both were profiled, the smallest first, or one that says why there is none.
pub(super) fn explanations(
    facts: &Facts<'_>,
    denormals: &[DenormalFindings],
    rooflines: &[Roofline],
) -> Vec<Explanation> {
    let mut pairs: Vec<Pair> = Vec::new();
    let Some(baseline) = facts.index.baseline else {
        return Vec::new();
    };
    let sessions = &facts.index.record.plan.sessions;
    for session in facts
        .sessions
        .iter()
        .filter(|session| session.outcome.is_ok() && session.session != baseline)
    {
        pairs.push(Pair {
            session: session.session,
            reference: baseline,
        });
    }
    for (session, spec) in sessions.iter().enumerate() {
        let first = sessions
            .iter()
            .position(|other| other.variant == spec.variant);
        let is_further = first.is_some_and(|first| first != session && first != baseline);
        if let Some(first) = first.filter(|_| is_further && facts.sessions[session].outcome.is_ok())
        {
            pairs.push(Pair {
                session,
                reference: first,
            });
        }
    }
    let mut found: Vec<Explanation> = pairs
        .iter()
        .flat_map(|&pair| of_pair(facts, pair))
        .collect();
    judge_within_variants(&mut found, baseline);
    let mut told: Option<Pair> = None;
    for explanation in &mut found {
        let pair = Pair {
            session: explanation.session,
            reference: explanation.reference,
        };
        // Denormals were looked for at the smallest batch size alone.
        let own = denormals
            .iter()
            .find(|denormals| denormals.session == explanation.session && told != Some(pair));
        explanation.clauses = clauses::clauses(facts, explanation, own, rooflines);
        told = Some(pair);
    }
    found
}

/// Comparisons within a variant are a family of their own; those with the baseline have been judged.
fn judge_within_variants(found: &mut [Explanation], baseline: usize) {
    let within = found
        .iter_mut()
        .filter(|explanation| explanation.reference != baseline);
    let mut changes: Vec<&mut Change> = within
        .filter_map(|explanation| Some(&mut explanation.latency.as_mut()?.change))
        .collect();
    judge(Metric::LatencyP50RatioToBaseline, &mut changes, END_ERROR);
}

fn of_pair(facts: &Facts<'_>, pair: Pair) -> Vec<Explanation> {
    let common = common_cells(facts, pair);
    let with_steps = |latency: &LatencyStep| {
        let sides = sides(facts, pair, latency).ok()?;
        let mut explanation = Explanation {
            latency: Some(latency.clone()),
            ..without_steps(facts, pair)
        };
        waterfall::fill(&mut explanation, &sides);
        Some(explanation)
    };
    let profiled: Vec<Explanation> = common.iter().filter_map(with_steps).collect();
    if !profiled.is_empty() {
        return profiled;
    }
    let reason = match common.first() {
        None => "no batch size was measured with both in turn".into(),
        Some(latency) => sides(facts, pair, latency).err().unwrap_or_default(),
    };
    let latency = common.into_iter().next();
    vec![Explanation {
        latency,
        steps_absent_reason: Some(reason),
        ..without_steps(facts, pair)
    }]
}

fn without_steps(facts: &Facts<'_>, Pair { session, reference }: Pair) -> Explanation {
    let record = facts.index.record;
    let model = record.variants[record.plan.sessions[session].variant]
        .model
        .as_ref();
    let quantization = model.and_then(|model| model.quantization.clone());
    let instructions = instructions::instructions(record, session, quantization.as_ref());
    Explanation {
        session,
        reference,
        quantization,
        instructions,
        ..Explanation::default()
    }
}

/// The cells measured in turn with the reference's under the plan's first load mode, by shape and batch size.
fn common_cells(facts: &Facts<'_>, Pair { session, reference }: Pair) -> Vec<LatencyStep> {
    let mode = facts.index.record.plan.load_modes.first();
    let is_meant = |cell: &&CellFindings| {
        cell.key.session == session && mode == Some(&cell.key.load_mode) && cell.outcome.is_ok()
    };
    let mut cells: Vec<&CellFindings> = facts.cells.iter().filter(is_meant).collect();
    cells.sort_by_key(|cell| (cell.key.shape, cell.key.batch_size));
    let step = |cell: &&CellFindings| {
        let key = CellKey {
            session: reference,
            ..cell.key
        };
        let median =
            |key: CellKey| Some(facts.cell(key)?.value(Metric::LatencyP50)?.round() as i64);
        Some(LatencyStep {
            shape: cell.key.shape,
            batch_size: cell.key.batch_size,
            reference_ns: median(key)?,
            session_ns: median(cell.key)?,
            change: change(facts, cell, key)?,
        })
    };
    cells.iter().filter_map(step).collect()
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

fn sides<'a>(facts: &Facts<'a>, pair: Pair, latency: &LatencyStep) -> Observed<[Side<'a>; 2]> {
    let record = facts.index.record;
    let reference = Side::new(record, pair.reference, latency, latency.reference_ns)?;
    Ok([
        reference,
        Side::new(record, pair.session, latency, latency.session_ns)?,
    ])
}

const DENORMALS_FLUSHED: &str = "session.set_denormal_as_zero=1";

pub(super) fn denormals(record: &RunRecord) -> Vec<DenormalFindings> {
    let contrasts = record
        .contrasts
        .iter()
        .filter(|contrast| contrast.option == DENORMALS_FLUSHED);
    let mut found: Vec<DenormalFindings> = contrasts.map(contrasted).collect();
    // Those that one pair of launches sufficed for cannot have a verdict, and take no part in the others'.
    let is_judged = |change: &&mut Change| change.ratio.interval().is_some();
    let changes = found.iter_mut().filter_map(|found| found.change.as_mut());
    let mut changes: Vec<&mut Change> = changes.filter(is_judged).collect();
    judge(Metric::LatencyP50RatioToBaseline, &mut changes, END_ERROR);
    found
}

fn contrasted(contrast: &Contrast) -> DenormalFindings {
    let found = contrast.found.as_ref();
    let change = found.map_err(Plain::clone).and_then(|found| {
        let change = Change::paired(Metric::LatencyP50RatioToBaseline, &found.log_ratios);
        change.ok_or_else(|| "no pair of blocks gave a ratio".into())
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
