//! How a session is served: requests in batches, and loading before requests arrive.

use super::weighed::{Gain, advice, factor};
use crate::analysis::decide::commands::compare_with_baseline;
use crate::analysis::figures::centre;
use crate::analysis::scaling::throughput_ratios;
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
    let small = smallest(facts, large)?;
    let from = small.batch_size;
    let gain = centre(
        &throughput_ratios(facts.index, small, large),
        "no launch measured both batch sizes",
    );
    if gain.interval().is_none_or(|interval| interval.low <= 1.0) {
        return None;
    }
    let gain = Gain {
        metric: Metric::Throughput,
        factor: gain,
        against: Against::BatchSize(from),
        verdict: None,
    };
    let record = facts.index.record;
    let action = Action::Batch { key: large, from };
    let (large_cell, small_cell) = (facts.cell(large)?, facts.cell(small)?);
    Some(Advice {
        memory_factor: factor(large_cell, small_cell, Metric::PeakMemory),
        latency_factor: factor(large_cell, small_cell, Metric::LatencyP50),
        caveats: pick
            .caveats
            .iter()
            .filter(|&&caveat| caveat == Caveat::StillRising)
            .copied()
            .collect(),
        command: compare_with_baseline(record, large, &[from, large.batch_size]).words(),
        ..advice(record, action, gain, Level::Medium, Level::Medium)
    })
}

/// The smallest batch size of a cell's curve.
fn smallest(facts: &Facts<'_>, key: CellKey) -> Option<CellKey> {
    let curve = facts
        .curves
        .iter()
        .find(|curve| curve.key(key.batch_size) == key)?;
    Some(curve.key(curve.points.first()?.batch_size))
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
    let gain = Gain {
        metric: Metric::TimeToFirstPrediction,
        factor: Estimate::Measured(over(first.clone(), later)),
        against: Against::Loaded,
        verdict: None,
    };
    Some(advice(
        facts.index.record,
        Action::LoadBeforeTraffic { key: pick.key },
        gain,
        Level::Medium,
        Level::Low,
    ))
}

fn over(measured: Measured, divisor: f64) -> Measured {
    Measured {
        value: measured.value / divisor,
        interval: measured.interval.map(|ends| part(ends, divisor)),
        range: measured.range.map(|ends| part(ends, divisor)),
        ..measured
    }
}

fn part(ends: Interval, divisor: f64) -> Interval {
    Interval {
        low: ends.low / divisor,
        high: ends.high / divisor,
    }
}
