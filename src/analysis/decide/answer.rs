//! What to ship: the choice for either goal, and who was left out.

use super::enough;
use crate::analysis::{
    AGREEMENT_FLOOR, AccuracyFindings, AccuracyVerdict, Answer, Basis, BatchCurve, Caveat,
    CellFindings, Change, Choice, Estimate, Facts, Interval, Pick, Rejection, RejectionReason,
    Rival, SATURATION_SHARE, SessionFindings, ShapeAnswer, Support, Verdict,
};
use crate::metric::Metric;
use crate::plan::CellKey;

pub(in crate::analysis) fn answer(facts: &Facts<'_>) -> Answer {
    let single = facts.single();
    let mut rejected: Vec<Rejection> = (0..facts.sessions.len())
        .filter_map(|session| {
            Some(Rejection {
                session,
                reason: facts.rejection(session)?,
            })
        })
        .collect();
    let inconclusive = single.iter().filter(|cell| facts.usable(cell.key.session));
    let inconclusive = inconclusive
        .filter(|cell| p50(cell).is_some_and(|p50| p50.verdict == Verdict::Inconclusive));
    rejected.extend(inconclusive.map(|cell| Rejection {
        session: cell.key.session,
        reason: RejectionReason::Inconclusive,
    }));
    let shapes = facts.measured_shapes();
    let (first, others) = shapes
        .split_first()
        .map_or((0, &[][..]), |(&first, others)| (first, others));
    let ShapeAnswer {
        latency,
        throughput,
        ..
    } = at_shape(facts, first);
    let other_shapes = others.iter().map(|&shape| at_shape(facts, shape)).collect();
    let record = facts.index.record;
    let (enough_budget_ns, not_reached) = (enough::budget(record), enough::not_reached(record));
    Answer {
        latency,
        throughput,
        rejected,
        enough_budget_ns,
        not_reached,
        other_shapes,
    }
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

/// The shortest single prediction: the fastest of those that are faster than the baseline, else the baseline.
fn latency(facts: &Facts<'_>, single: &[&CellFindings]) -> Choice {
    let is_usable =
        |cell: &&CellFindings| facts.usable(cell.key.session) && cell.decisive_median().is_some();
    let usable: Vec<&CellFindings> = single.iter().copied().filter(is_usable).collect();
    let faster: Vec<(&CellFindings, &Change)> = usable
        .iter()
        .filter_map(|&cell| Some((cell, p50(cell)?)))
        .filter(|(_, change)| change.verdict == Verdict::Faster)
        .collect();
    let best = faster
        .iter()
        .min_by(|one, other| order(&one.1.ratio, &other.1.ratio));
    if let Some((cell, change)) = best {
        let others = faster.iter().filter(|(other, _)| other.key != cell.key);
        let tied = others.filter(|(_, other)| overlap(&change.ratio, &other.ratio));
        let ties = tied.map(|(cell, _)| cell.key).collect();
        return Choice::Ship(pick(facts, cell, Basis::BeatsBaseline, ties));
    }
    if let Some(&baseline) = usable
        .iter()
        .find(|cell| facts.is_baseline(cell.key.session))
    {
        let same = usable
            .iter()
            .filter(|cell| p50(cell).is_some_and(|p50| p50.verdict == Verdict::Same));
        let ties = same.map(|cell| cell.key).collect();
        let basis = if facts.sessions.len() == 1 {
            Basis::OnlyUsable
        } else {
            Basis::NothingBetter
        };
        return Choice::Ship(pick(facts, baseline, basis, ties));
    }
    without_baseline(facts, &usable)
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
    let is_comparable = |curve: &&BatchCurve| curve.shape == shape && facts.usable(curve.session);
    let curves: Vec<&BatchCurve> = facts.curves.iter().filter(is_comparable).collect();
    let mut shown: Vec<&CellFindings> = curves
        .iter()
        .filter_map(|curve| facts.cell(curve.key(curve.shown()?)))
        .collect();
    shown.sort_by(|one, other| rate(other).total_cmp(&rate(one)));
    let baseline_usable = shown.iter().any(|cell| facts.is_baseline(cell.key.session));
    let found = shown
        .iter()
        .find_map(|&cell| Some((cell, throughput_basis(facts, cell, baseline_usable)?)));
    let Some((cell, basis)) = found else {
        return none(nothing_usable(facts));
    };
    let rival = rival(facts, cell, &curves);
    let mut ties = throughput_ties(facts, cell, &shown);
    ties.retain(|tie| {
        rival
            .as_ref()
            .is_none_or(|rival| rival.key.session != tie.session)
    });
    Choice::Ship(Pick {
        rival,
        ..pick(facts, cell, basis, ties)
    })
}

fn rate(cell: &CellFindings) -> f64 {
    cell.value(Metric::Throughput).unwrap_or_default()
}

/// The most throughput of all that were measured, where the chosen cell neither has nor nearly has it.
fn rival(facts: &Facts<'_>, chosen: &CellFindings, curves: &[&BatchCurve]) -> Option<Rival> {
    let best = curves
        .iter()
        .filter_map(|curve| facts.cell(curve.key(curve.enough)));
    let best = best.max_by(|one, other| rate(one).total_cmp(&rate(other)))?;
    let is_settled = best.support() == Some(Support::Interval);
    let more = || enough::budget_at(facts.index.record, best.key.shape, &[best.key.batch_size]);
    let enough_budget_ns = if is_settled { None } else { more() };
    let is_better = best.key != chosen.key && rate(chosen) < SATURATION_SHARE * rate(best);
    is_better.then_some(Rival {
        key: best.key,
        enough_budget_ns,
    })
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

/// Where intervals at the best batch sizes overlap, and no comparison of blocks that took turns tells them apart.
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

/// Whether two cells of one place, of which one is the baseline's, took turns and differ in throughput.
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
    let session = cell.key.session;
    let mut caveats = Vec::new();
    if !facts.is_baseline(session) {
        caveats.extend(accuracy_caveat(facts, &facts.sessions[session]));
        if cell
            .comparison
            .as_ref()
            .is_some_and(|comparison| comparison.worse_tail)
        {
            caveats.push(Caveat::WorseTail);
        }
    }
    let curve = facts
        .curves
        .iter()
        .find(|curve| curve.key(curve.enough) == cell.key);
    if curve.is_some_and(|curve| !curve.saturated && curve.points.len() > 1) {
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

/// On enough of the samples, or, where the largest element has no meaning, in the direction or in every element.
fn agrees(accuracy: &AccuracyFindings) -> bool {
    accuracy.agreement.iter().all(|output| {
        let value =
            |metric| crate::analysis::find(&output.figures, metric).and_then(Estimate::value);
        let share = value(Metric::Top1Agreement).or(value(Metric::CosineSimilarity));
        share.is_some_and(|share| share >= AGREEMENT_FLOOR)
            || value(Metric::MaxAbsoluteError) == Some(0.0)
    })
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
    let value = |estimate: &Estimate| estimate.value().unwrap_or(f64::INFINITY);
    value(one).total_cmp(&value(other))
}

/// Without an interval, nothing is told apart.
fn overlap(one: &Estimate, other: &Estimate) -> bool {
    match (one.interval(), other.interval()) {
        (Some(one), Some(other)) => Interval::overlaps(one, other),
        _ => true,
    }
}
