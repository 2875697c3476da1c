//! The session to ship: the choice for either goal, and who was left out.

use super::enough;
use crate::analysis::{
    AGREEMENT_FLOOR, AccuracyFindings, AccuracyVerdict, Answer, Basis, BatchCurve, Caveat,
    CellFindings, Change, Choice, Estimate, Facts, Interval, OutputAgreement, Pick, Rejection,
    RejectionReason, Rival, SATURATION_SHARE, SessionFindings, ShapeAnswer, Support, Verdict, find,
};
use crate::metric::Metric;
use crate::plan::CellKey;
use crate::units::Nanos;

pub(in crate::analysis) fn answer(facts: &Facts<'_>) -> Answer {
    let shapes = facts.measured_shapes();
    let (first, others) = shapes
        .split_first()
        .map_or((0, &[][..]), |(&first, others)| (first, others));
    let ShapeAnswer {
        latency,
        throughput,
        ..
    } = at_shape(facts, first);
    let record = facts.index.record;
    Answer {
        latency,
        throughput,
        rejected: rejected(facts),
        enough_budget_ns: enough::budget(record),
        not_reached: enough::not_reached(record),
        other_shapes: others.iter().map(|&shape| at_shape(facts, shape)).collect(),
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
        .filter(|cell| facts.usable(cell.key.session))
        .filter(|cell| p50(cell).is_some_and(|p50| p50.verdict == Verdict::Inconclusive))
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

fn p50(cell: &CellFindings) -> Option<&Change> {
    cell.comparison.as_ref().map(|comparison| &comparison.p50)
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
        .filter(|cell| facts.usable(cell.key.session) && cell.decisive_median().is_some())
        .collect();
    let pick = fastest(facts, &usable).or_else(|| baseline(facts, &usable));
    pick.map_or_else(|| without_baseline(facts, &usable), Choice::Ship)
}

/// Of those that are faster than the baseline.
fn fastest(facts: &Facts<'_>, usable: &[&CellFindings]) -> Option<Pick> {
    let faster: Vec<(&CellFindings, &Change)> = usable
        .iter()
        .filter_map(|&cell| Some((cell, p50(cell)?)))
        .filter(|(_, change)| change.verdict == Verdict::Faster)
        .collect();
    let (cell, change) = faster
        .iter()
        .min_by(|one, other| order(&one.1.ratio, &other.1.ratio))?;
    let others = faster.iter().filter(|(other, _)| other.key != cell.key);
    let tied = others.filter(|(_, other)| overlap(&change.ratio, &other.ratio));
    let ties = tied.map(|(cell, _)| cell.key).collect();
    Some(pick(facts, cell, Basis::BeatsBaseline, ties))
}

/// `None` where it is not usable.
fn baseline(facts: &Facts<'_>, usable: &[&CellFindings]) -> Option<Pick> {
    let baseline = usable
        .iter()
        .find(|cell| facts.is_baseline(cell.key.session))?;
    let same = usable
        .iter()
        .filter(|cell| p50(cell).is_some_and(|p50| p50.verdict == Verdict::Same));
    let ties = same.map(|cell| cell.key).collect();
    let basis = if facts.sessions.len() == 1 {
        Basis::OnlyUsable
    } else {
        Basis::NothingBetter
    };
    Some(pick(facts, baseline, basis, ties))
}

fn without_baseline(facts: &Facts<'_>, usable: &[&CellFindings]) -> Choice {
    let measured: Vec<(&CellFindings, &Estimate)> = usable
        .iter()
        .filter_map(|&cell| Some((cell, cell.figure(Metric::LatencyP50)?)))
        .collect();
    let Some((cell, shortest)) = measured.iter().min_by(|one, other| order(one.1, other.1)) else {
        return none(nothing_usable(facts));
    };
    let others = measured.iter().filter(|(other, _)| other.key != cell.key);
    let ties = others
        .filter(|(_, p50)| overlap(shortest, p50))
        .map(|(cell, _)| cell.key)
        .collect();
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
    let mut ties = throughput_ties(facts, cell, &shown);
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
    shown
        .iter()
        .find_map(|&cell| Some((cell, throughput_basis(facts, cell, baseline_usable)?)))
}

fn rate(cell: &CellFindings) -> f64 {
    cell.value(Metric::Throughput).unwrap_or_default()
}

/// The most throughput of all that were measured, where the chosen cell neither has nor nearly has
/// it.
fn rival(facts: &Facts<'_>, chosen: &CellFindings, curves: &[&BatchCurve]) -> Option<Rival> {
    let best = curves
        .iter()
        .filter_map(|curve| facts.cell(curve.key(curve.enough)));
    let best = best.max_by(|one, other| rate(one).total_cmp(&rate(other)))?;
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

fn throughput_basis(
    facts: &Facts<'_>,
    cell: &CellFindings,
    baseline_usable: bool,
) -> Option<Basis> {
    if facts.sessions.len() == 1 {
        return Some(Basis::OnlyUsable);
    }
    if facts.is_baseline(cell.key.session) {
        return Some(Basis::NothingBetter);
    }
    if !baseline_usable {
        return Some(Basis::BestWithoutBaseline);
    }
    let beats = cell
        .comparison
        .as_ref()
        .is_some_and(|comparison| comparison.throughput.verdict == Verdict::Faster);
    beats.then_some(Basis::BeatsBaseline)
}

/// Where intervals at the best batch sizes overlap, and no comparison of blocks that took turns
/// tells them apart.
fn throughput_ties(
    facts: &Facts<'_>,
    chosen: &CellFindings,
    shown: &[&CellFindings],
) -> Vec<CellKey> {
    let Some(estimate) = chosen.figure(Metric::Throughput) else {
        return Vec::new();
    };
    let others = shown
        .iter()
        .filter(|cell| cell.key.session != chosen.key.session);
    let others = others.filter(|cell| !is_told_from(facts, chosen, cell));
    let tied = others.filter(|cell| {
        cell.figure(Metric::Throughput)
            .is_some_and(|other| overlap(estimate, other))
    });
    tied.map(|cell| cell.key).collect()
}

/// Whether two cells of one place, of which one is the baseline's, took turns and differ in
/// throughput.
fn is_told_from(facts: &Facts<'_>, one: &CellFindings, other: &CellFindings) -> bool {
    let (compared, against) = if facts.is_baseline(one.key.session) {
        (other, one)
    } else {
        (one, other)
    };
    let is_pair = facts.is_baseline(against.key.session)
        && CellKey {
            session: against.key.session,
            ..compared.key
        } == against.key;
    let verdict = compared
        .comparison
        .as_ref()
        .map(|comparison| comparison.throughput.verdict);
    is_pair && matches!(verdict, Some(Verdict::Faster | Verdict::Slower))
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

pub(in crate::analysis) fn caveats(facts: &Facts<'_>, cell: &CellFindings) -> Vec<Caveat> {
    let mut caveats = Vec::new();
    if !facts.is_baseline(cell.key.session) {
        caveats.extend(accuracy_caveat(facts, &facts.sessions[cell.key.session]));
        if cell
            .comparison
            .as_ref()
            .is_some_and(|comparison| comparison.worse_tail)
        {
            caveats.push(Caveat::WorseTail);
        }
    }
    if is_still_rising(facts, cell.key) {
        caveats.push(Caveat::StillRising);
    }
    if cell
        .figure(Metric::LatencyP50)
        .is_none_or(|p50| p50.interval().is_none())
    {
        caveats.push(Caveat::NoInterval);
    }
    if !facts.index.record.is_complete() {
        caveats.push(Caveat::Incomplete);
    }
    caveats
}

fn is_still_rising(facts: &Facts<'_>, key: CellKey) -> bool {
    let curve = facts
        .curves
        .iter()
        .find(|curve| curve.key(curve.enough) == key);
    curve.is_some_and(|curve| !curve.saturated && curve.points.len() > 1)
}

fn accuracy_caveat(facts: &Facts<'_>, session: &SessionFindings) -> Option<Caveat> {
    let accuracy = &session.accuracy;
    if let Some(change) = &accuracy.change {
        let fell = facts.loss(change).is_some_and(|loss| loss > 0.0);
        return match change.verdict {
            AccuracyVerdict::Worse => Some(Caveat::AccuracyFellLittle),
            AccuracyVerdict::NotSignificant | AccuracyVerdict::Untested if fell => {
                Some(Caveat::AccuracyNotSignificant)
            }
            _ => None,
        };
    }
    if session.is_scored() {
        return None;
    }
    if accuracy.agreement.is_empty() {
        return Some(Caveat::AccuracyNotMeasured);
    }
    Some(if agrees(accuracy) {
        Caveat::AgreementOnly
    } else {
        Caveat::LowAgreement
    })
}

/// On enough of the samples, or, where the largest element has no meaning, in the direction or in
/// every element.
fn agrees(accuracy: &AccuracyFindings) -> bool {
    accuracy.agreement.iter().all(|output| {
        let share = value(output, Metric::Top1Agreement)
            .or_else(|| value(output, Metric::CosineSimilarity));
        share.is_some_and(|share| share >= AGREEMENT_FLOOR)
            || value(output, Metric::MaxAbsoluteError) == Some(0.0)
    })
}

fn value(output: &OutputAgreement, metric: Metric) -> Option<f64> {
    find(&output.figures, metric).and_then(Estimate::value)
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

fn order(one: &Estimate, other: &Estimate) -> std::cmp::Ordering {
    value_or_worst(one).total_cmp(&value_or_worst(other))
}

fn value_or_worst(estimate: &Estimate) -> f64 {
    estimate.value().unwrap_or(f64::INFINITY)
}

/// Without an interval, nothing is told apart.
fn overlap(one: &Estimate, other: &Estimate) -> bool {
    match (one.interval(), other.interval()) {
        (Some(one), Some(other)) => Interval::overlaps(one, other),
        _ => true,
    }
}
