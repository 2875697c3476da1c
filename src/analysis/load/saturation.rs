//! From which rate on less is completed than comes.

use super::over_rounds::{per_round, ratio};
use super::point::{LoadPoint, SaturationSign};
use super::pool::{Loaded, Read};
use super::queue;
use super::types::Saturation;
use crate::analysis::figures::Estimate;
use crate::observed::Observed;
use crate::plan::Arrivals;
use crate::record::LoadStage;
use crate::units::{Nanos, PerSecond};

/// Completed over offered requests below which they fall behind: what throughput may differ by
/// without being called different.
const KEPT_UP: f64 = 0.98;
/// The same of every round, where there are too few rounds for an interval.
const KEPT_UP_OF_FEW: f64 = 0.9;
/// Share of the offered rate by which a queue grows that is not only busy.
const GROWTH: f64 = 0.01;
/// The same of every round, where there are too few rounds for an interval.
const GROWTH_OF_FEW: f64 = 0.1;

/// What shows that more comes than is completed; `None` where nothing does.
pub(super) fn sign(loaded: Loaded<'_>, rounds: &[Vec<&Read<'_>>]) -> Option<SaturationSign> {
    if matches!(loaded.plan.arrivals, Arrivals::Users { .. }) {
        return None;
    }
    let achieved_ratio = achieved(loaded, rounds);
    if is_behind(&achieved_ratio, &achieved_of_rounds(loaded, rounds)) {
        return Some(SaturationSign::Behind { achieved_ratio });
    }
    let slope_per_sec = queue::slope(rounds);
    grows(&slope_per_sec, rounds).then_some(SaturationSign::QueueGrows { slope_per_sec })
}

fn is_behind(ratio: &Estimate, of_rounds: &[f64]) -> bool {
    match ratio.interval() {
        Some(interval) => interval.high < KEPT_UP,
        None => !of_rounds.is_empty() && of_rounds.iter().all(|&one| one < KEPT_UP_OF_FEW),
    }
}

fn grows(slope: &Estimate, rounds: &[Vec<&Read<'_>>]) -> bool {
    let offered = rounds
        .iter()
        .flatten()
        .map(|read| read.segment.offer.mean_rate().0)
        .fold(0.0, f64::max);
    match slope.interval() {
        Some(interval) => interval.low > GROWTH * offered,
        None => slope
            .value()
            .is_some_and(|slope| slope > GROWTH_OF_FEW * offered),
    }
}

fn achieved(loaded: Loaded<'_>, rounds: &[Vec<&Read<'_>>]) -> Estimate {
    ratio(
        rounds,
        |read| read.counts.completed as f64 * arriving(read),
        |read| read.counts.offered as f64 * serving(loaded, read),
    )
}

fn achieved_of_rounds(loaded: Loaded<'_>, rounds: &[Vec<&Read<'_>>]) -> Vec<f64> {
    per_round(
        rounds,
        |read| read.counts.completed as f64 * arriving(read),
        |read| read.counts.offered as f64 * serving(loaded, read),
    )
}

fn arriving(read: &Read<'_>) -> f64 {
    read.segment.offer.whole_length().as_secs_f64()
}

/// Seconds until the last request was answered, less what the last one takes whatever comes: its
/// batch may wait, and is then run.
fn serving(loaded: Loaded<'_>, read: &Read<'_>) -> f64 {
    let delay = loaded.plan.servings[read.segment.key.serving]
        .batcher
        .as_ref()
        .map_or(Nanos(0), |batcher| batcher.max_delay_ns);
    let last = read.times.service.max().unwrap_or_default() + delay;
    read.elapsed.since(last).as_secs_f64().max(arriving(read))
}

/// Over the points of a candidate.
pub(super) fn of_points(loaded: Loaded<'_>, points: &[LoadPoint]) -> Observed<Saturation> {
    if matches!(loaded.plan.arrivals, Arrivals::Users { .. }) {
        return Err("virtual users wait for their answers, so that nothing falls behind".into());
    }
    let mut points: Vec<&LoadPoint> = points
        .iter()
        .filter(|point| is_of_one_rate(point.stage) && point.is_valid())
        .collect();
    points.sort_by(|one, other| one.asked.0.total_cmp(&other.asked.0));
    let highest = points.last().ok_or("no rate was measured that counts")?;
    let kept_up = points.iter().rposition(|point| point.saturated.is_none());
    let first = kept_up.map_or(0, |place| place + 1);
    Ok(
        match points
            .get(first)
            .and_then(|point| Some((point, point.saturated.as_ref()?)))
        {
            Some((point, sign)) => Saturation::From {
                rate_per_sec: point.asked,
                kept_up_per_sec: kept_up.map(|place| points[place].asked),
                sign: sign.clone(),
            },
            None => Saturation::No {
                up_to_per_sec: PerSecond(highest.asked.0),
            },
        },
    )
}

fn is_of_one_rate(stage: LoadStage) -> bool {
    match stage {
        LoadStage::Asked | LoadStage::Bracket | LoadStage::Edge | LoadStage::Before => true,
        LoadStage::Ramp | LoadStage::Soak => false,
    }
}
