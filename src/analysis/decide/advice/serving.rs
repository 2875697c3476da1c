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

/// In nanoseconds: a tenth of a second is about the longest that feels immediate (Miller 1968; Nielsen 1993).
const NOTICED_NS: f64 = 100e6;

/// Instead of single predictions, within the same session.
pub(super) fn batch(facts: &Facts<'_>, pick: &Pick) -> Option<Advice> {
    let curve = facts.curves.iter().find(|curve| {
        (curve.session, curve.shape, curve.load_mode)
            == (pick.key.session, pick.key.shape, pick.key.load_mode)
    })?;
    let from = curve.points.first()?.batch_size;
    let (large, small) = (
        pick.key,
        CellKey {
            batch_size: from,
            ..pick.key
        },
    );
    let gain = batch_gain(facts, large, small);
    let record = facts.index.record;
    if gain.interval().is_none_or(|interval| interval.low <= 1.0) {
        return None;
    }
    let (large_cell, small_cell) = (facts.cell(large)?, facts.cell(small)?);
    let gain = Gain {
        metric: Metric::Throughput,
        factor: gain,
        against: Against::BatchSize(from),
        verdict: None,
    };
    Some(Advice {
        memory_factor: factor(large_cell, small_cell, Metric::PeakMemory),
        latency_factor: factor(large_cell, small_cell, Metric::LatencyP50),
        caveats: pick
            .caveats
            .iter()
            .copied()
            .filter(|&caveat| caveat == Caveat::StillRising)
            .collect(),
        command: compare_with_baseline(record, large, &[from, large.batch_size]).words(),
        ..advice(
            record,
            Action::Batch { key: large, from },
            gain,
            Level::Medium,
            Level::Medium,
        )
    })
}

/// Of throughput, launch by launch.
fn batch_gain(facts: &Facts<'_>, large: CellKey, small: CellKey) -> Estimate {
    let rates = |key: CellKey| {
        let mut rates: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
        for block in facts.index.blocks(key) {
            let sums = rates.entry(block.launch).or_default();
            sums.0 += block.predictions();
            sums.1 += block.elapsed_ns.as_secs_f64();
        }
        rates
    };
    let small = rates(small);
    let ratio = |(launch, large): (u64, (f64, f64))| {
        let small = small.get(&launch)?;
        Some((large.0 / large.1) / (small.0 / small.1)).filter(|ratio| ratio.is_finite())
    };
    centre(
        &rates(large)
            .into_iter()
            .filter_map(ratio)
            .collect::<Vec<_>>(),
        "no launch measured both batch sizes",
    )
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
    let over = |interval: Interval| Interval {
        low: interval.low / later,
        high: interval.high / later,
    };
    let factor = Estimate::Measured(Measured {
        value: first.value / later,
        interval: first.interval.map(over),
        range: first.range.map(over),
        ..first.clone()
    });
    let gain = Gain {
        metric: Metric::TimeToFirstPrediction,
        factor,
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
