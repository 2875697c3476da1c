//! How a session is served: requests in batches, and loading before requests arrive.

use std::collections::BTreeMap;

use super::weighed::{Gain, advice, factor};
use crate::analysis::decide::commands::compare_with_baseline;
use crate::analysis::figures::centre;
use crate::analysis::{
    Action, Advice, Against, Caveat, Estimate, Facts, Interval, Level, Measured, Pick,
};
use crate::metric::Metric;
use crate::plan::CellKey;

/// In nanoseconds: a tenth of a second is about the longest that feels immediate (Miller 1968;
/// Nielsen 1993).
const NOTICED_NS: f64 = 100e6;

/// Instead of single predictions, within the same session.
pub(super) fn batch(facts: &Facts<'_>, pick: &Pick) -> Option<Advice> {
    let large = pick.key;
    let from = smallest(facts, large)?;
    let small = CellKey {
        batch_size: from,
        ..large
    };
    let gain = batch_gain(facts, large, small);
    if gain.interval().is_none_or(|interval| interval.low <= 1.0) {
        return None;
    }
    let gain = Gain {
        metric: Metric::Throughput,
        factor: gain,
        against: Against::BatchSize(from),
        verdict: None,
    };
    let action = Action::Batch { key: large, from };
    let record = facts.index.record;
    let (large_cell, small_cell) = (facts.cell(large)?, facts.cell(small)?);
    let is_rising = pick.caveats.contains(&Caveat::StillRising);
    Some(Advice {
        memory_factor: factor(large_cell, small_cell, Metric::PeakMemory),
        latency_factor: factor(large_cell, small_cell, Metric::LatencyP50),
        caveats: is_rising
            .then_some(Caveat::StillRising)
            .into_iter()
            .collect(),
        command: compare_with_baseline(record, large, &[from, large.batch_size]).words(),
        ..advice(record, action, gain, Level::Medium, Level::Medium)
    })
}

/// The smallest batch size of a cell's curve.
fn smallest(facts: &Facts<'_>, key: CellKey) -> Option<u64> {
    let curve = facts.curves.iter().find(|curve| {
        (curve.session, curve.shape, curve.load_mode) == (key.session, key.shape, key.load_mode)
    })?;
    Some(curve.points.first()?.batch_size)
}

/// Of throughput, launch by launch.
fn batch_gain(facts: &Facts<'_>, large: CellKey, small: CellKey) -> Estimate {
    let small = of_launches(facts, small);
    let ratios: Vec<f64> = of_launches(facts, large)
        .into_iter()
        .filter_map(|(launch, large)| Some(large.rate() / small.get(&launch)?.rate()))
        .filter(|ratio| ratio.is_finite())
        .collect();
    centre(&ratios, "no launch measured both batch sizes")
}

/// Predictions, and the seconds that they took.
#[derive(Default)]
struct Done {
    predictions: f64,
    elapsed_secs: f64,
}

impl Done {
    fn rate(&self) -> f64 {
        self.predictions / self.elapsed_secs
    }
}

fn of_launches(facts: &Facts<'_>, key: CellKey) -> BTreeMap<u64, Done> {
    let mut launches: BTreeMap<u64, Done> = BTreeMap::new();
    for block in facts.index.blocks(key) {
        let done = launches.entry(block.launch).or_default();
        done.predictions += block.predictions();
        done.elapsed_secs += block.elapsed_ns.as_secs_f64();
    }
    launches
}

/// Where the first prediction would otherwise take long enough to be noticed.
pub(super) fn load_before_traffic(facts: &Facts<'_>, pick: &Pick) -> Option<Advice> {
    let first = facts.sessions[pick.key.session]
        .figure(Metric::TimeToFirstPrediction)?
        .measured()?;
    let later = facts
        .cell(pick.key)?
        .value(Metric::LatencyP50)
        .filter(|&later| later > 0.0)?;
    if first.interval.map_or(first.value, |interval| interval.low) < NOTICED_NS {
        return None;
    }
    let factor = over(first, later);
    let gain = Gain {
        metric: Metric::TimeToFirstPrediction,
        factor: Estimate::Measured(factor),
        against: Against::Loaded,
        verdict: None,
    };
    let action = Action::LoadBeforeTraffic { key: pick.key };
    Some(advice(
        facts.index.record,
        action,
        gain,
        Level::Medium,
        Level::Low,
    ))
}

fn over(measured: &Measured, divisor: f64) -> Measured {
    Measured {
        value: measured.value / divisor,
        interval: measured.interval.map(|ends| part(ends, divisor)),
        range: measured.range.map(|ends| part(ends, divisor)),
        ..measured.clone()
    }
}

fn part(ends: Interval, divisor: f64) -> Interval {
    Interval {
        low: ends.low / divisor,
        high: ends.high / divisor,
    }
}
