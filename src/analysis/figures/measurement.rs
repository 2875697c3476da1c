//! A cell that was measured, and what its figures are made of.

use super::change::{Change, Comparison};
use super::estimate::{Counted, Estimate, Interval, Measured};
use super::index::Index;
use super::over_launches::{OfSeveral, largest, median, median_of_blocks, per_launch, pooled};
use super::{percentiles, tails, to_baseline};
use crate::plan::CellKey;
use crate::record::{BlockRecord, LaunchCell, LaunchRecord, TRIED_OUT_BEFORE};
use crate::stats::{self, Buckets, LaunchLatencies, Percentile, Quantile, Unbounded};
use crate::text::Plain;
use crate::units::Nanos;

const NO_BLOCKS: &str = "no timed block was recorded";

const NO_END: &str = "no launch came to the end of the cell";

const NO_CPUS: &str = "which CPUs the process could use is not known";

/// Ascending, so that their bounds are made to ascend.
const TAILS: [Quantile; 4] = [Quantile::P90, Quantile::P95, Quantile::P99, Quantile::P999];

pub(super) type OfLaunch = fn(&LaunchRecord, &LaunchCell) -> Option<f64>;

/// A cell whose latencies have been decoded.
pub(in crate::analysis) struct Measurement<'a> {
    pub(super) index: &'a Index<'a>,
    pub(super) key: CellKey,
    pub(super) latencies: Buckets,
    launches: Vec<LaunchLatencies>,
    /// At [`TAILS`].
    tails: [Result<Percentile, Unbounded>; TAILS.len()],
    pub(super) blocks: &'a [&'a BlockRecord],
    pub(super) comparison: Option<Comparison>,
}

impl<'a> Measurement<'a> {
    pub(super) fn new(index: &'a Index<'a>, key: CellKey, latencies: Buckets) -> Self {
        let launches = tails::of_launches(index, key);
        let comparison = to_baseline::compare(index, key, &launches);
        let launches = launches.unwrap_or_default();
        Measurement {
            index,
            key,
            tails: latencies.percentiles(TAILS, &launches),
            latencies,
            launches,
            blocks: index.blocks(key),
            comparison,
        }
    }
}

impl Measurement<'_> {
    pub(super) fn pooled(&self, value: OfSeveral) -> Estimate {
        self.pooled_or(value, NO_BLOCKS)
    }

    /// Of all blocks, with an interval over launches.
    pub(super) fn pooled_or(
        &self,
        value: impl Fn(&[&BlockRecord]) -> Option<f64>,
        absent: &str,
    ) -> Estimate {
        match value(self.blocks) {
            Some(all) => pooled(all, &per_launch(self.blocks, value)),
            None => Estimate::absent(absent),
        }
    }

    pub(super) fn median_of_launches(&self, value: OfSeveral) -> Estimate {
        median(&per_launch(self.blocks, value), NO_BLOCKS)
    }

    /// Of all latencies, with the interval over launches, each of which gives the median of its
    /// blocks' medians.
    pub(super) fn median(&self, of_blocks: OfSeveral) -> Estimate {
        match self.percentile(Quantile::P50) {
            Ok(percentile) => pooled(percentile.value, &per_launch(self.blocks, of_blocks)),
            Err(unbounded) => self.median_of_few(&unbounded),
        }
    }

    /// The median of fewer inferences than bound one: it stands with their number, and decides
    /// nothing.
    fn percentile(&self, quantile: Quantile) -> Result<Percentile, Unbounded> {
        let [found] = self.latencies.percentiles([quantile], &self.launches);
        found
    }

    fn median_of_few(&self, unbounded: &Unbounded) -> Estimate {
        let Some(median) = self.latencies.nearest_rank(Quantile::P50) else {
            return percentiles::absent(unbounded);
        };
        let range = self
            .latencies
            .min()
            .zip(self.latencies.max())
            .filter(|(least, most)| least < most);
        Estimate::Measured(Measured {
            range: range.map(|(least, most)| Interval::between(least.as_f64(), most.as_f64())),
            remark: Some(format!("no interval: {}", unbounded.too_few).into()),
            ..Measured::exact(median.as_f64(), self.latencies.count(), Counted::Inferences)
        })
    }

    /// Bounded by the interval of the median as well, which is of another kind.
    pub(super) fn tail(&self, quantile: Quantile) -> Estimate {
        let found = TAILS
            .into_iter()
            .position(|tail| tail == quantile)
            .map_or_else(|| self.percentile(quantile), |place| self.tails[place]);
        let median = self.median(|blocks| median_of_blocks(blocks, |block| block.median_ns));
        percentiles::tail(
            &median
                .interval()
                .map_or(found, |interval| stats::above(found, interval)),
            self.latencies
                .nearest_rank(Quantile::P50)
                .map(Nanos::as_f64),
        )
    }

    pub(super) fn extreme(&self, of: fn(&Buckets) -> Option<Nanos>) -> Estimate {
        match of(&self.latencies) {
            Some(latency) => Estimate::exact(
                latency.as_f64(),
                self.latencies.count(),
                Counted::Inferences,
            ),
            None => Estimate::absent("no latency was recorded"),
        }
    }

    pub(super) fn ratio(&self, change: fn(&Comparison) -> &Change) -> Estimate {
        match &self.comparison {
            Some(comparison) => change(comparison).ratio.clone(),
            None => Estimate::absent(to_baseline::why_not(self.index, self.key)),
        }
    }

    pub(super) fn p99_ratio(&self) -> Estimate {
        match self.comparison.as_ref().map(|found| &found.p99) {
            Some(Ok(change)) => change.ratio.clone(),
            Some(Err(reason)) => Estimate::absent(reason),
            None => Estimate::absent(to_baseline::why_not(self.index, self.key)),
        }
    }

    fn values(&self, value: OfLaunch) -> Vec<f64> {
        self.index
            .launch_cells(self.key)
            .iter()
            .filter_map(|(launch, cell)| value(launch, cell))
            .collect()
    }

    pub(super) fn median_of_values(&self, value: OfLaunch) -> Estimate {
        median(&self.values(value), NO_END)
    }

    pub(super) fn peak(&self, value: OfLaunch) -> Estimate {
        largest(&self.values(value), self.why_no_memory())
    }

    fn why_no_memory(&self) -> &'static str {
        match () {
            () if self.ended().next().is_none() => NO_END,
            () if self.ended().all(|launch| launch.is_probed) => TRIED_OUT_BEFORE,
            () => "the system does not tell",
        }
    }

    /// Launches that ended well.
    fn ended(&self) -> impl Iterator<Item = &LaunchRecord> {
        self.index
            .launch_cells(self.key)
            .iter()
            .map(|(launch, _)| *launch)
            .filter(|launch| launch.outcome.is_ok())
    }

    pub(super) fn arena_peak(&self, value: OfLaunch) -> Estimate {
        let reason = self
            .index
            .launch_cells(self.key)
            .iter()
            .find_map(|(_, cell)| cell.arena.as_ref().err());
        largest(&self.values(value), reason.map_or(NO_END, Plain::exact))
    }

    /// CPU time / (elapsed x CPUs) of `blocks`: no more than all CPUs, though CPU time is read just
    /// outside of a block, and is of more than it.
    fn utilization(&self, blocks: &[&BlockRecord]) -> Option<f64> {
        let mut used = 0.0;
        let mut offered = 0.0;
        for block in blocks {
            used += block.cpu_time_ns.as_f64();
            offered += block.span().as_f64() * self.index.cpus(block.launch)? as f64;
        }
        (offered > 0.0).then(|| (used / offered).min(1.0))
    }

    pub(super) fn cpu_utilization(&self) -> Estimate {
        self.pooled_or(|blocks| self.utilization(blocks), NO_CPUS)
    }

    pub(super) fn cpu_utilization_peak(&self) -> Estimate {
        match self
            .blocks
            .iter()
            .filter_map(|&block| self.utilization(&[block]))
            .reduce(f64::max)
        {
            Some(value) => Estimate::exact(value, self.blocks.len() as u64, Counted::Blocks),
            None => Estimate::absent(NO_CPUS),
        }
    }

    pub(super) fn disturbed(&self) -> Estimate {
        Estimate::exact(
            self.blocks
                .iter()
                .filter(|block| !block.disturbances.is_empty())
                .count() as f64,
            self.blocks.len() as u64,
            Counted::Blocks,
        )
    }
}
