//! One value a launch, and what they say together.

use super::estimate::{Counted, Estimate, Interval, Measured};
use crate::record::BlockRecord;
use crate::stats;
use crate::units::Nanos;

/// Launches that a distribution over launches should rest on; with fewer, the figure says so.
pub(super) const LAUNCHES_WANTED: u64 = 5;

/// Hodges-Lehmann with the signed-rank interval, and the range.
pub(in crate::analysis) fn centre(values: &[f64], absent: &str) -> Estimate {
    match stats::over_launches(values) {
        Some(found) => Estimate::Measured(Measured {
            range: range(values),
            ..Measured::over_launches(&found)
        }),
        None => Estimate::absent(absent),
    }
}

/// With the signed-rank interval and the range.
pub(in crate::analysis) fn median(values: &[f64], absent: &str) -> Estimate {
    match (stats::median(values), centre(values, absent)) {
        (Some(median), Estimate::Measured(found)) => around(median, found),
        (_, absent) => absent,
    }
}

/// Without an interval.
pub(in crate::analysis) fn largest(values: &[f64], absent: &str) -> Estimate {
    let Some(value) = values.iter().copied().reduce(f64::max) else {
        return Estimate::absent(absent);
    };
    Estimate::Measured(Measured {
        range: range(values),
        ..Measured::exact(value, values.len() as u64, Counted::Launches)
    })
}

/// `value`, a figure over all launches at once, with the interval of `values`, one a launch. Where
/// the two disagree, as they may when the machine has several speeds, the interval is widened to
/// hold the value.
pub(super) fn pooled(value: f64, values: &[f64]) -> Estimate {
    match centre(values, "") {
        Estimate::Measured(found) => around(value, found),
        Estimate::Absent { .. } => Estimate::exact(value, values.len() as u64, Counted::Launches),
    }
}

fn around(value: f64, found: Measured) -> Estimate {
    Estimate::Measured(Measured {
        value,
        interval: found.interval.map(|ends| Interval {
            low: ends.low.min(value),
            high: ends.high.max(value),
        }),
        ..found
    })
}

fn range(values: &[f64]) -> Option<Interval> {
    (values.len() > 1).then_some(Interval {
        low: values.iter().copied().reduce(f64::min)?,
        high: values.iter().copied().reduce(f64::max)?,
    })
}

pub(super) type OfSeveral = fn(&[&BlockRecord]) -> Option<f64>;

/// In the order in which the launches began.
pub(in crate::analysis) fn per_launch<T>(
    blocks: &[&BlockRecord],
    figure: impl Fn(&[&BlockRecord]) -> Option<T>,
) -> Vec<T> {
    let mut ordered = blocks.to_vec();
    ordered.sort_by_key(|block| block.launch);
    ordered
        .chunk_by(|one, other| one.launch == other.launch)
        .filter_map(figure)
        .collect()
}

pub(in crate::analysis) fn median_of_blocks(
    blocks: &[&BlockRecord],
    figure: fn(&BlockRecord) -> Nanos,
) -> Option<f64> {
    median_of(blocks.iter().map(|block| figure(block).as_f64()))
}

pub(in crate::analysis) fn median_of(values: impl Iterator<Item = f64>) -> Option<f64> {
    stats::median(&values.collect::<Vec<_>>())
}

/// Over all inferences of the blocks, in nanoseconds.
pub(super) fn mean_latency(blocks: &[&BlockRecord]) -> Option<f64> {
    let count: f64 = blocks
        .iter()
        .map(|block| block.inferences_count as f64)
        .sum();
    let total: f64 = blocks
        .iter()
        .map(|block| block.mean_ns.as_f64() * block.inferences_count as f64)
        .sum();
    (count > 0.0).then(|| total / count)
}

pub(in crate::analysis) fn predictions_per_sec(blocks: &[&BlockRecord]) -> Option<f64> {
    let elapsed: f64 = blocks
        .iter()
        .map(|block| block.elapsed_ns.as_secs_f64())
        .sum();
    (elapsed > 0.0).then(|| blocks.iter().map(|block| block.predictions()).sum::<f64>() / elapsed)
}
