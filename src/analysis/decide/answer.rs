//! The session to ship: the choice for either goal, and who was left out.

use super::enough;
use crate::analysis::{
    Answer, Basis, BatchCurve, Caveat, CellFindings, Choice, Estimate, Facts, JudgedBy,
    OutputsStanding, Pick, Rejection, RejectionReason, Rival, SATURATION_SHARE, SessionFindings,
    ShapeAnswer, Support, Verdict,
};
use crate::metric::Metric;
use crate::plan::CellKey;
use crate::units::Nanos;

pub(in crate::analysis) fn answer(facts: &Facts<'_>) -> Answer {
    let mut shapes = facts.measured_shapes().into_iter();
    let first = at_shape(facts, shapes.next().unwrap_or(0));
    let record = facts.index.record;
    Answer {
        latency: first.latency,
        throughput: first.throughput,
        rejected: rejected(facts),
        enough_budget_ns: enough::budget(record),
        not_reached: enough::not_reached(record),
        other_shapes: shapes.map(|shape| at_shape(facts, shape)).collect(),
    }
}

/// Those that must not be shipped, then those of which it is open whether they are better.
fn rejected(facts: &Facts<'_>) -> Vec<Rejection> {
    let unusable = (0..facts.sessions.len()).filter_map(|session| {
        Some(Rejection {
            session,
            reason: facts.rejection(session)?,
        })
    });
    let single = facts.single();
    let inconclusive = single
        .iter()
        .filter(|cell| is_p50(cell, Verdict::Inconclusive) && facts.usable(cell.key.session))
        .map(|cell| Rejection {
            session: cell.key.session,
            reason: RejectionReason::Inconclusive,
        });
    unusable.chain(inconclusive).collect()
}

/// A shorter sequence has more throughput than a longer one, which makes it no better choice.
fn at_shape(facts: &Facts<'_>, shape: usize) -> ShapeAnswer {
    ShapeAnswer {
        shape,
        latency: latency(facts, &facts.single_at(shape)),
        throughput: throughput(facts, shape),
    }
}

fn is_p50(cell: &CellFindings, verdict: Verdict) -> bool {
    cell.comparison
        .as_ref()
        .is_some_and(|comparison| comparison.p50.verdict == verdict)
}

fn none(reason: &str) -> Choice {
    Choice::None {
        reason: reason.into(),
    }
}

/// The shortest single prediction: the fastest of those that are faster than the baseline, else the
/// baseline.
fn latency(facts: &Facts<'_>, single: &[&CellFindings]) -> Choice {
    let usable: Vec<&CellFindings> = single
        .iter()
        .copied()
        .filter(|cell| {
            facts.usable(cell.key.session) && cell.support() > Some(Support::FewInferences)
        })
        .collect();
    fastest(facts, &usable)
        .or_else(|| baseline(facts, &usable))
        .map_or_else(|| without_baseline(facts, &usable), Choice::Ship)
}

/// Of those that are faster than the baseline.
fn fastest(facts: &Facts<'_>, usable: &[&CellFindings]) -> Option<Pick> {
    let ratios: Vec<(&CellFindings, &Estimate)> = usable
        .iter()
        .filter(|cell| is_p50(cell, Verdict::Faster))
        .filter_map(|&cell| Some((cell, &cell.comparison.as_ref()?.p50.ratio)))
        .collect();
    let (cell, ties) = lowest(&ratios)?;
    Some(pick(facts, cell, Basis::BeatsBaseline, ties))
}

/// The cell of the lowest estimate, and those whose estimates overlap with it.
fn lowest<'a>(
    measured: &[(&'a CellFindings, &Estimate)],
) -> Option<(&'a CellFindings, Vec<CellKey>)> {
    let (cell, lowest) = measured
        .iter()
        .min_by(|one, other| value_or_worst(one.1).total_cmp(&value_or_worst(other.1)))?;
    let ties = measured
        .iter()
        .filter(|(other, estimate)| other.key != cell.key && overlap(lowest, estimate))
        .map(|(other, _)| other.key)
        .collect();
    Some((cell, ties))
}

/// `None` where it is not usable.
fn baseline(facts: &Facts<'_>, usable: &[&CellFindings]) -> Option<Pick> {
    let baseline = usable
        .iter()
        .find(|cell| facts.is_baseline(cell.key.session))?;
    let same = usable.iter().filter(|cell| is_p50(cell, Verdict::Same));
    let basis = if facts.sessions.len() == 1 {
        Basis::OnlyUsable
    } else {
        Basis::NothingBetter
    };
    Some(pick(
        facts,
        baseline,
        basis,
        same.map(|cell| cell.key).collect(),
    ))
}

fn without_baseline(facts: &Facts<'_>, usable: &[&CellFindings]) -> Choice {
    let measured: Vec<(&CellFindings, &Estimate)> = usable
        .iter()
        .filter_map(|&cell| Some((cell, cell.figure(Metric::LatencyP50)?)))
        .collect();
    let Some((cell, ties)) = lowest(&measured) else {
        return none(nothing_usable(facts));
    };
    let basis = if measured.len() == 1 {
        Basis::OnlyUsable
    } else {
        Basis::BestWithoutBaseline
    };
    Choice::Ship(pick(facts, cell, basis, ties))
}

/// Each session counts at the smallest batch size that is shown to be enough for it.
fn throughput(facts: &Facts<'_>, shape: usize) -> Choice {
    let curves: Vec<&BatchCurve> = facts
        .curves
        .iter()
        .filter(|curve| curve.shape == shape && facts.usable(curve.session))
        .collect();
    let mut shown: Vec<&CellFindings> = curves
        .iter()
        .filter_map(|curve| facts.cell(curve.key(curve.shown()?)))
        .collect();
    shown.sort_by(|one, other| rate(other).total_cmp(&rate(one)));
    let Some((cell, basis)) = most_shown(facts, &shown) else {
        return none(nothing_usable(facts));
    };
    let rival = rival(facts, cell, &curves);
    let rival_session = rival.as_ref().map(|rival| rival.key.session);
    let mut ties = throughput_ties(cell, &shown);
    ties.retain(|tie| rival_session != Some(tie.session));
    Choice::Ship(Pick {
        rival,
        ..pick(facts, cell, basis, ties)
    })
}

/// The first one that may be chosen of those with the most throughput first.
fn most_shown<'a>(
    facts: &Facts<'_>,
    shown: &[&'a CellFindings],
) -> Option<(&'a CellFindings, Basis)> {
    let baseline_usable = shown.iter().any(|cell| facts.is_baseline(cell.key.session));
    shown.iter().find_map(|&cell| {
        let throughput = cell
            .comparison
            .as_ref()
            .map(|found| found.throughput.verdict);
        let basis = if facts.sessions.len() == 1 {
            Basis::OnlyUsable
        } else if facts.is_baseline(cell.key.session) {
            Basis::NothingBetter
        } else if !baseline_usable {
            Basis::BestWithoutBaseline
        } else if throughput == Some(Verdict::Faster) {
            Basis::BeatsBaseline
        } else {
            return None;
        };
        Some((cell, basis))
    })
}

fn rate(cell: &CellFindings) -> f64 {
    cell.value(Metric::Throughput).unwrap_or_default()
}

/// The most throughput of all that were measured, where the chosen cell neither has nor nearly has
/// it.
fn rival(facts: &Facts<'_>, chosen: &CellFindings, curves: &[&BatchCurve]) -> Option<Rival> {
    let best = curves
        .iter()
        .filter_map(|curve| facts.cell(curve.key(curve.enough)))
        .max_by(|one, other| rate(one).total_cmp(&rate(other)))?;
    let is_better = best.key != chosen.key && rate(chosen) < SATURATION_SHARE * rate(best);
    is_better.then(|| Rival {
        key: best.key,
        enough_budget_ns: budget_to_settle(facts, best),
    })
}

/// `None` where it has an interval, too.
fn budget_to_settle(facts: &Facts<'_>, cell: &CellFindings) -> Option<Nanos> {
    if cell.support() == Some(Support::Interval) {
        return None;
    }
    enough::budget_at(facts.index.record, cell.key.shape, &[cell.key.batch_size])
}

/// Where intervals at the best batch sizes overlap, and no comparison of blocks that took turns
/// tells them apart.
fn throughput_ties(chosen: &CellFindings, shown: &[&CellFindings]) -> Vec<CellKey> {
    let estimate = chosen.figure(Metric::Throughput);
    shown
        .iter()
        .filter(|cell| cell.key.session != chosen.key.session && !are_told_apart(chosen, cell))
        .filter(|cell| {
            estimate
                .zip(cell.figure(Metric::Throughput))
                .is_some_and(|(one, other)| overlap(one, other))
        })
        .map(|cell| cell.key)
        .collect()
}

/// Whether two cells of one place, of which one is the baseline's, took turns and differ in
/// throughput.
fn are_told_apart(one: &CellFindings, other: &CellFindings) -> bool {
    [(one, other), (other, one)].iter().any(|(cell, against)| {
        cell.comparison.as_ref().is_some_and(|comparison| {
            comparison.baseline == against.key
                && matches!(
                    comparison.throughput.verdict,
                    Verdict::Faster | Verdict::Slower
                )
        })
    })
}

fn pick(facts: &Facts<'_>, cell: &CellFindings, basis: Basis, ties: Vec<CellKey>) -> Pick {
    Pick {
        key: cell.key,
        basis,
        ties,
        rival: None,
        caveats: caveats(facts, cell),
    }
}

pub(super) fn caveats(facts: &Facts<'_>, cell: &CellFindings) -> Vec<Caveat> {
    let comparison = cell.comparison.as_ref();
    [
        accuracy_caveat(facts, &facts.sessions[cell.key.session]),
        comparison.and_then(|found| found.worse_tail.then_some(Caveat::WorseTail)),
        is_still_rising(facts, cell.key).then_some(Caveat::StillRising),
        (cell.support() != Some(Support::Interval)).then_some(Caveat::NoInterval),
        (!facts.index.record.is_complete()).then_some(Caveat::Incomplete),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn is_still_rising(facts: &Facts<'_>, key: CellKey) -> bool {
    facts
        .curves
        .iter()
        .find(|curve| curve.key(curve.enough) == key)
        .is_some_and(|curve| !curve.saturated && curve.points.len() > 1)
}

fn accuracy_caveat(facts: &Facts<'_>, session: &SessionFindings) -> Option<Caveat> {
    if session.is_baseline {
        return None;
    }
    let outputs = &facts.outputs[session.session];
    let is_open = outputs.standing == OutputsStanding::Open;
    match &outputs.by {
        JudgedBy::Identity => None,
        JudgedBy::Score(_) if is_open => Some(Caveat::AccuracyOpen),
        JudgedBy::Score(held) => held
            .interval
            .is_some_and(|loss| loss.low > 0.0)
            .then_some(Caveat::AccuracyFellLittle),
        JudgedBy::Agreement(_) if is_open => Some(Caveat::AgreementOpen),
        JudgedBy::Agreement(_) => Some(Caveat::AgreementOnly),
        JudgedBy::NotFinite(_) | JudgedBy::DiffersBeyondNumbers(_) | JudgedBy::Nothing => {
            Some(Caveat::AccuracyNotMeasured)
        }
    }
}

fn nothing_usable(facts: &Facts<'_>) -> &'static str {
    let measured = facts.sessions.iter().any(|session| session.outcome.is_ok());
    if (0..facts.sessions.len()).any(|session| facts.usable(session)) {
        "too few inferences were completed for a verdict"
    } else if measured {
        "every session that could be measured has outputs that are not finite, or a score that fell"
    } else {
        "no session could be measured"
    }
}

fn value_or_worst(estimate: &Estimate) -> f64 {
    estimate.value().unwrap_or(f64::INFINITY)
}

/// Without an interval, nothing is told apart.
fn overlap(one: &Estimate, other: &Estimate) -> bool {
    one.interval()
        .zip(other.interval())
        .is_none_or(|(one, other)| one.overlaps(other))
}
