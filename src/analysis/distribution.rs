//! The distribution of a cell's latencies, point by point.

use crate::plan::CellKey;
use crate::record::RunRecord;
use crate::stats::Buckets;
use crate::units::{Nanos, Ratio};

/// Shares of the inferences at which the distribution is read off: every hundredth, and the tail more closely.
fn shares() -> impl Iterator<Item = f64> {
    (0..=99).map(|percent| f64::from(percent) / 100.0).chain([0.995, 0.999, 0.9999, 1.0])
}

/// A point of an empirical distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DistributionPoint {
    /// A latency that was measured.
    pub latency_ns: Nanos,
    /// Share of the inferences that took no longer.
    pub share: Ratio,
}

/// The empirical distribution of a cell's timed latencies at up to 104 ranks, ascending, from the smallest latency to
/// the largest; `None` if none can be read.
#[must_use]
pub fn distribution(record: &RunRecord, key: CellKey) -> Option<Vec<DistributionPoint>> {
    let latencies = Buckets::decode(record.cell(key)?.latency_histogram.as_ref()?).ok()?;
    let count = latencies.count();
    let mut ranks: Vec<u64> =
        shares().map(|share| ((share * count as f64).ceil() as u64).clamp(1, count.max(1))).collect();
    ranks.dedup();
    let point = |rank| {
        Some(DistributionPoint { latency_ns: latencies.at_rank(rank)?, share: Ratio(rank as f64 / count as f64) })
    };
    ranks.into_iter().map(point).collect()
}
