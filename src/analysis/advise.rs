//! What to do, ranked by the conservative end of the measured gain.

use super::choose::{Facts, caveats};
use super::conclusions::{Action, Advice, Answer, Caveat, Level, Pick, Priority};
use super::estimate::{Counted, Estimate, Interval, Measured};
use super::findings::{CellFindings, Verdict};
use super::over_launches::centre;
use super::reproduce;
use crate::plan::CellKey;
use crate::record::{BlockRecord, Metric};

/// A file must be smaller by this factor for its size alone to be a reason to ship it.
const SIZE_FACTOR_WORTH_IT: f64 = 1.1;

/// Ranks what the run's evidence supports.
pub(super) fn advice(facts: &Facts<'_>, answer: &Answer) -> Vec<Advice> {
    let mut advice: Vec<Advice> = Vec::new();
    for cell in facts.single() {
        advice.extend(ship_for_latency(facts, cell).or_else(|| ship_for_size(facts, cell)));
    }
    if let Some(pick) = answer.throughput.pick() {
        let known =
            advice.iter().any(|known| matches!(known.action, Action::Ship { key } if key.session == pick.key.session));
        if !known {
            advice.extend(ship_for_throughput(facts, pick));
        }
        advice.extend(batch(facts, pick));
    }
    advice.sort_by(|one, other| rank(one).cmp(&rank(other)).then(conservative(other).total_cmp(&conservative(one))));
    advice
}

/// Size does not weigh against time: advice for size alone comes last.
fn rank(advice: &Advice) -> u8 {
    u8::from(advice.metric == Metric::FileSize)
}

/// The end of the gain's interval that promises less; without an interval nothing is promised.
fn conservative(advice: &Advice) -> f64 {
    advice.gain.interval().map_or(1.0, |interval| interval.low)
}

fn priority(gain: &Estimate) -> Priority {
    match gain.interval().map_or(1.0, |interval| interval.low) {
        low if low >= 1.5 => Priority::High,
        low if low >= 1.1 => Priority::Medium,
        _ => Priority::Low,
    }
}

fn ship_for_latency(facts: &Facts<'_>, cell: &CellFindings) -> Option<Advice> {
    let change = &cell.comparison.as_ref()?.p50;
    if change.verdict != Verdict::Faster || facts.rejection(cell.key.session).is_some() {
        return None;
    }
    Some(ship(facts, cell, reciprocal(&change.ratio), Metric::LatencyP50))
}

fn ship_for_throughput(facts: &Facts<'_>, pick: &Pick) -> Option<Advice> {
    let cell = facts.cell(pick.key)?;
    let gain = cell.comparison.as_ref()?.throughput.ratio.clone();
    Some(ship(facts, cell, gain, Metric::Throughput))
}

/// A session that is as fast as the baseline and has the smaller file.
fn ship_for_size(facts: &Facts<'_>, cell: &CellFindings) -> Option<Advice> {
    let same = cell.comparison.as_ref()?.p50.verdict == Verdict::Same;
    let factor = size_factor(facts, cell.key.session)?;
    if !same || factor < SIZE_FACTOR_WORTH_IT || facts.rejection(cell.key.session).is_some() {
        return None;
    }
    Some(ship(facts, cell, Estimate::exact(factor, 1, Counted::Files), Metric::FileSize))
}

/// File size of the baseline / file size of `session`.
pub(super) fn size_factor(facts: &Facts<'_>, session: usize) -> Option<f64> {
    let size = |session: usize| facts.sessions[session].figure(Metric::FileSize)?.value();
    Some(size(facts.index.baseline?)? / size(session)?)
}

fn ship(facts: &Facts<'_>, cell: &CellFindings, gain: Estimate, metric: Metric) -> Advice {
    let session = cell.key.session;
    let caveats = caveats(facts, cell);
    let baseline = facts.index.baseline.and_then(|session| facts.cell(CellKey { session, ..cell.key }));
    Advice {
        action: Action::Ship { key: cell.key },
        priority: priority(&gain),
        gain,
        metric,
        accuracy: facts.sessions[session].accuracy.change.clone(),
        memory_factor: baseline.and_then(|baseline| factor(cell, baseline, Metric::PeakMemory)),
        latency_factor: baseline.and_then(|baseline| factor(cell, baseline, Metric::LatencyP50)),
        effort: Level::Low,
        risk: risk(&caveats),
        caveats,
        command: reproduce::command(facts.index.record, session, &[cell.key.batch_size]),
    }
}

/// Batches of the recommended size instead of single predictions, within the same session.
fn batch(facts: &Facts<'_>, pick: &Pick) -> Option<Advice> {
    let curve =
        facts.curves.iter().find(|curve| curve.session == pick.key.session && curve.load_mode == pick.key.load_mode)?;
    let from = curve.points.first()?.batch_size;
    let (large, small) = (pick.key, CellKey { batch_size: from, ..pick.key });
    let gain = batch_gain(facts, large, small);
    if gain.interval().is_none_or(|interval| interval.low <= 1.0) {
        return None;
    }
    let (large_cell, small_cell) = (facts.cell(large)?, facts.cell(small)?);
    Some(Advice {
        action: Action::Batch { key: large, from },
        priority: priority(&gain),
        gain,
        metric: Metric::Throughput,
        accuracy: None,
        memory_factor: factor(large_cell, small_cell, Metric::PeakMemory),
        latency_factor: factor(large_cell, small_cell, Metric::LatencyP50),
        effort: Level::Medium,
        risk: Level::Medium,
        caveats: pick.caveats.iter().copied().filter(|&caveat| caveat == Caveat::StillRising).collect(),
        command: reproduce::command(facts.index.record, pick.key.session, &[from, pick.key.batch_size]),
    })
}

/// Throughput of one batch size over that of another, launch by launch.
fn batch_gain(facts: &Facts<'_>, large: CellKey, small: CellKey) -> Estimate {
    let rates = |key: CellKey| {
        let mut rates: std::collections::BTreeMap<u64, (f64, f64)> = std::collections::BTreeMap::new();
        for block in facts.index.blocks(key) {
            let sums = rates.entry(block.launch).or_default();
            sums.0 += predictions(block);
            sums.1 += block.elapsed_ns.as_secs_f64();
        }
        rates
    };
    let small = rates(small);
    let ratio = |(launch, large): (u64, (f64, f64))| {
        let small = small.get(&launch)?;
        Some((large.0 / large.1) / (small.0 / small.1)).filter(|ratio| ratio.is_finite())
    };
    centre(&rates(large).into_iter().filter_map(ratio).collect::<Vec<_>>(), "no launch measured both batch sizes")
}

fn predictions(block: &BlockRecord) -> f64 {
    (block.inferences_count * block.key.batch_size) as f64
}

fn factor(with: &CellFindings, without: &CellFindings, metric: Metric) -> Option<f64> {
    Some(with.value(metric)? / without.value(metric)?)
}

/// High where nothing or too little is known of the outputs; medium where they only agree with a reference, where they
/// got a little worse, or the tail did; low where labels showed no significant fall.
fn risk(caveats: &[Caveat]) -> Level {
    let has = |caveat| caveats.contains(&caveat);
    if has(Caveat::AccuracyNotMeasured) || has(Caveat::LowAgreement) {
        Level::High
    } else if [Caveat::AgreementOnly, Caveat::AccuracyFellLittle, Caveat::WorseTail, Caveat::Incomplete]
        .into_iter()
        .any(has)
    {
        Level::Medium
    } else {
        Level::Low
    }
}

/// `1/x` of an estimate of a positive `x`.
fn reciprocal(estimate: &Estimate) -> Estimate {
    match estimate.measured() {
        Some(measured) => Estimate::Measured(Measured {
            value: 1.0 / measured.value,
            interval: measured.interval.map(Interval::reciprocal),
            range: None,
            ..measured.clone()
        }),
        None => estimate.clone(),
    }
}
