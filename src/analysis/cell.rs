//! Figures of one cell.

use std::collections::HashSet;

use super::compare;
use super::energy::{self, OF_CPU, OF_GPU};
use super::figures::{CellFindings, Comparison, LatencyModes, SpeedStates};
use super::figures::{Counted, Estimate, Figure, Interval, Measured};
use super::index::Index;
use super::over_launches::{largest, mean_latency, median, median_of_blocks, per_launch, pooled, predictions_per_sec};
use super::percentiles::{self, Percentiles};
use crate::metric::Metric;
use crate::plan::CellKey;
use crate::record::{BlockRecord, LaunchCell, LaunchRecord, Outcome, TRIED_OUT_BEFORE};
use crate::stats::{self, Buckets, Percentile, Quantile, SteadyClass, Unbounded};
use crate::units::{Nanos, Ratio};

/// Figures of every cell, in the order in which reports list them.
const METRICS: [Metric; 20] = [
    Metric::LatencyMean,
    Metric::LatencyMin,
    Metric::LatencyMax,
    Metric::LatencyP10,
    Metric::LatencyP50,
    Metric::LatencyP90,
    Metric::LatencyP95,
    Metric::LatencyP99,
    Metric::LatencyP999,
    Metric::Throughput,
    Metric::CpuUtilization,
    Metric::CpuUtilizationPeak,
    Metric::DisturbedBlocks,
    Metric::BatchFirstRun,
    Metric::PeakMemory,
    Metric::PeakMemoryAboveLoad,
    Metric::ArenaPeak,
    Metric::LatencyP50RatioToBaseline,
    Metric::LatencyP10RatioToBaseline,
    Metric::ThroughputRatioToBaseline,
];

/// The figures of a cell: those of energy where the run looked for it, those of a GPU where the session ran on one.
fn metrics(index: &Index<'_>, key: CellKey) -> impl Iterator<Item = Metric> {
    let of_cpu = index.record.monitoring.is_some();
    let of_gpu = index.record.plan.sessions[key.session].nvidia_device().is_some();
    let of_cpu = OF_CPU.into_iter().filter(move |_| of_cpu);
    METRICS.into_iter().chain(of_cpu).chain(OF_GPU.into_iter().filter(move |_| of_gpu))
}

/// Why a cell of the plan has no record.
const NOT_REACHED: &str = "the run ended before this cell was measured";

/// Why a figure of blocks is absent.
const NO_BLOCKS: &str = "no timed block was recorded";

/// Why a figure of whole launches is absent.
const NO_END: &str = "no launch came to the end of the cell";

/// Cells from which on they are worth more than one thread: fewer take some milliseconds.
const MANY: usize = 256;

/// What was found in every cell of the plan, in its order.
pub(super) fn all(index: &Index<'_>) -> Vec<CellFindings> {
    let keys: Vec<CellKey> = index.record.plan.cells().collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let each = |keys: &[CellKey]| keys.iter().map(|&key| findings(index, key)).collect::<Vec<_>>();
    if keys.len() < MANY || threads == 1 {
        return each(&keys);
    }
    let each = &each;
    std::thread::scope(|scope| {
        let parts = keys.chunks(keys.len().div_ceil(threads));
        let spawn = |part| (part, std::thread::Builder::new().spawn_scoped(scope, move || each(part)));
        let parts: Vec<_> = parts.map(spawn).collect();
        let found = parts.into_iter().map(|(part, spawned)| match spawned {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // The system gives no more threads.
            Err(_) => each(part),
        });
        found.flatten().collect()
    })
}

/// A cell whose latencies have been decoded.
struct Measurement<'a> {
    index: &'a Index<'a>,
    key: CellKey,
    latencies: Buckets,
    blocks: &'a [&'a BlockRecord],
    comparison: Option<Comparison>,
}

/// What was found in a cell.
fn findings(index: &Index<'_>, key: CellKey) -> CellFindings {
    match latencies(index, key) {
        Ok(latencies) => measured(index, key, latencies),
        Err(outcome) => unmeasured(index, key, outcome),
    }
}

/// The latencies of a cell, or how it ended without any.
fn latencies(index: &Index<'_>, key: CellKey) -> Result<Buckets, Outcome> {
    let not_reached = || Outcome::Skipped { reason: NOT_REACHED.into() };
    let cell = index.cell(key).ok_or_else(not_reached)?;
    if !cell.outcome.is_ok() {
        return Err(cell.outcome.clone());
    }
    let text = cell.latency_histogram.as_ref().ok_or_else(not_reached)?;
    match Buckets::decode(text) {
        Ok(latencies) if !latencies.is_empty() => Ok(latencies),
        Ok(_) => Err(not_reached()),
        Err(error) => Err(Outcome::Skipped { reason: format!("its latencies cannot be read: {error}").into() }),
    }
}

fn unmeasured(index: &Index<'_>, key: CellKey, outcome: Outcome) -> CellFindings {
    let reason = outcome.reason().cloned().unwrap_or_else(|| NOT_REACHED.into());
    let absent = |metric| Figure { metric, estimate: Estimate::absent(reason.clone()) };
    CellFindings {
        key,
        figures: metrics(index, key).map(absent).collect(),
        outcome,
        blocks_count: 0,
        launches_count: 0,
        comparison: None,
        speed_states: None,
        unsteady_launches_count: 0,
        steady: None,
        modes: None,
    }
}

fn measured(index: &Index<'_>, key: CellKey, latencies: Buckets) -> CellFindings {
    let blocks = index.blocks(key);
    let comparison = compare::to_baseline(index, key);
    let cell = Measurement { index, key, latencies, blocks, comparison };
    let percentiles = Percentiles::of(&cell.latencies, &percentiles::of_launches(index, key));
    let figures = metrics(index, key).map(|metric| Figure { metric, estimate: cell.figure(metric, &percentiles) });
    CellFindings {
        key,
        outcome: Outcome::Ok,
        blocks_count: blocks.len() as u64,
        launches_count: blocks.iter().map(|block| block.launch).collect::<HashSet<_>>().len() as u64,
        figures: figures.collect(),
        speed_states: speed_states(blocks),
        unsteady_launches_count: index.launch_cells(key).iter().filter(|(_, cell)| !cell.warmup.steady).count() as u64,
        steady: steady(blocks),
        modes: modes(&cell.latencies),
        comparison: cell.comparison,
    }
}

impl Measurement<'_> {
    fn figure(&self, metric: Metric, percentiles: &Percentiles) -> Estimate {
        match metric {
            Metric::LatencyMean => self.mean(),
            Metric::LatencyMin => self.extreme(self.latencies.min().map(|latency| latency.as_f64())),
            Metric::LatencyMax => self.extreme(self.latencies.max().map(|latency| latency.as_f64())),
            Metric::LatencyP10 => {
                let of_launches = per_launch(self.blocks, |blocks| median_of_blocks(blocks, |block| block.p10_ns));
                median(&of_launches, NO_BLOCKS)
            }
            Metric::LatencyP50 => self.p50(&percentiles.p50),
            Metric::LatencyP90 => self.tail(&percentiles.p90),
            Metric::LatencyP95 => self.tail(&percentiles.p95),
            Metric::LatencyP99 => self.tail(&percentiles.p99),
            Metric::LatencyP999 => self.tail(&percentiles.p999),
            Metric::Throughput => self.throughput(),
            Metric::CpuUtilization => self.cpu_utilization(),
            Metric::CpuUtilizationPeak => self.cpu_utilization_peak(),
            Metric::DisturbedBlocks => self.disturbed(),
            Metric::BatchFirstRun => {
                let values = self.over_launches(|_, cell| Some(cell.first_run_ns.as_f64()));
                median(&values, NO_END)
            }
            Metric::PeakMemory => {
                let values = self.over_launches(|_, cell| Some(cell.peak_memory_bytes?.as_f64()));
                largest(&values, self.why_no_memory())
            }
            Metric::PeakMemoryAboveLoad => {
                let values = self.over_launches(|launch, cell| {
                    Some(cell.peak_memory_bytes?.as_f64() - launch.before_load_memory_bytes?.as_f64())
                });
                largest(&values, self.why_no_memory())
            }
            Metric::ArenaPeak => self.arena_peak(),
            metric if OF_GPU.contains(&metric) => energy::of_gpu(self.index, self.key, metric),
            metric if OF_CPU.contains(&metric) => energy::of_cpu(self.index, self.blocks, metric),
            metric => self.ratio(metric),
        }
    }

    fn why_no_memory(&self) -> &'static str {
        let ended = || self.index.launch_cells(self.key).iter().filter(|(launch, _)| launch.outcome.is_ok());
        match () {
            () if ended().next().is_none() => NO_END,
            () if ended().all(|(launch, _)| launch.is_probed) => TRIED_OUT_BEFORE,
            () => "the system does not tell",
        }
    }

    fn over_launches(&self, value: impl Fn(&LaunchRecord, &LaunchCell) -> Option<f64>) -> Vec<f64> {
        self.index.launch_cells(self.key).iter().filter_map(|(launch, cell)| value(launch, cell)).collect()
    }

    /// The mean over all blocks, which keep theirs to the nanosecond, finer than the histogram does.
    fn mean(&self) -> Estimate {
        match mean_latency(self.blocks) {
            Some(value) => pooled(value, &per_launch(self.blocks, mean_latency)),
            None => Estimate::absent(NO_BLOCKS),
        }
    }

    fn extreme(&self, value: Option<f64>) -> Estimate {
        match value {
            Some(value) => Estimate::exact(value, self.latencies.count(), Counted::Inferences),
            None => Estimate::absent(NOT_REACHED),
        }
    }

    /// The median of all latencies with its interval over launches, each of which gives the median of its blocks'
    /// medians.
    fn p50(&self, percentile: &Result<Percentile, Unbounded>) -> Estimate {
        let medians = per_launch(self.blocks, |blocks| median_of_blocks(blocks, |block| block.median_ns));
        match percentile {
            Ok(percentile) => pooled(percentile.value, &medians),
            Err(unbounded) => self.median_of_few(unbounded),
        }
    }

    /// The median of fewer inferences than bound one: it stands with their number, and decides nothing.
    fn median_of_few(&self, unbounded: &Unbounded) -> Estimate {
        let Some(median) = self.latencies.nearest_rank(Quantile::P50) else { return percentiles::absent(unbounded) };
        let range = self.latencies.min().zip(self.latencies.max()).filter(|(least, most)| least < most);
        Estimate::Measured(Measured {
            value: median.as_f64(),
            interval: None,
            range: range.map(|(least, most)| Interval::between(least.as_f64(), most.as_f64())),
            n: self.latencies.count(),
            n_of: Counted::Inferences,
            bounds: None,
            remark: Some(format!("no interval: {}", unbounded.too_few).into()),
        })
    }

    fn tail(&self, percentile: &Result<Percentile, Unbounded>) -> Estimate {
        percentiles::tail(percentile, self.latencies.nearest_rank(Quantile::P50).map(Nanos::as_f64))
    }

    fn throughput(&self) -> Estimate {
        match predictions_per_sec(self.blocks) {
            Some(value) => pooled(value, &per_launch(self.blocks, predictions_per_sec)),
            None => Estimate::absent(NO_BLOCKS),
        }
    }

    /// CPU time / (elapsed x CPUs) of `blocks`.
    fn utilization(&self, blocks: &[&BlockRecord]) -> Option<f64> {
        let mut used = 0.0;
        let mut offered = 0.0;
        for block in blocks {
            used += block.cpu_time_ns.as_f64();
            offered += block.span().as_f64() * self.index.cpus(block.launch)? as f64;
        }
        (offered > 0.0).then(|| used / offered)
    }

    fn cpu_utilization(&self) -> Estimate {
        match self.utilization(self.blocks) {
            Some(value) => pooled(value, &per_launch(self.blocks, |blocks| self.utilization(blocks))),
            None => Estimate::absent("which CPUs the worker could use is not known"),
        }
    }

    fn cpu_utilization_peak(&self) -> Estimate {
        let peak = self.blocks.iter().filter_map(|&block| self.utilization(&[block])).reduce(f64::max);
        match peak {
            Some(value) => Estimate::exact(value, self.blocks.len() as u64, Counted::Blocks),
            None => Estimate::absent("which CPUs the worker could use is not known"),
        }
    }

    fn disturbed(&self) -> Estimate {
        let count = self.blocks.iter().filter(|block| !block.disturbances.is_empty()).count();
        Estimate::exact(count as f64, self.blocks.len() as u64, Counted::Blocks)
    }

    fn arena_peak(&self) -> Estimate {
        let cells = self.index.launch_cells(self.key);
        let peak = |(_, cell): &(_, &LaunchCell)| Some(cell.arena.as_ref().ok()?.peak_in_use_bytes.as_f64());
        let reason = cells.iter().find_map(|(_, cell)| cell.arena.as_ref().err());
        largest(&cells.iter().filter_map(peak).collect::<Vec<_>>(), reason.map_or(NO_END, |r| r.exact()))
    }

    fn ratio(&self, metric: Metric) -> Estimate {
        let Some(comparison) = &self.comparison else {
            return Estimate::absent(compare::why_not(self.index, self.key));
        };
        match metric {
            Metric::LatencyP10RatioToBaseline => comparison.p10.ratio.clone(),
            Metric::ThroughputRatioToBaseline => comparison.throughput.ratio.clone(),
            _ => comparison.p50.ratio.clone(),
        }
    }
}

fn speed_states(blocks: &[&BlockRecord]) -> Option<SpeedStates> {
    let medians: Vec<f64> = blocks.iter().map(|block| block.median_ns.as_f64()).collect();
    let found = stats::speed_states(&medians)?;
    Some(SpeedStates { slow_to_fast_ratio: Ratio(found.slow_over_fast), slow_share_ratio: Ratio(found.slow_share) })
}

fn modes(latencies: &Buckets) -> Option<LatencyModes> {
    let found = stats::latency_modes(latencies)?;
    Some(LatencyModes { fast_ns: found.fast_ns, slow_ns: found.slow_ns, slow_share_ratio: Ratio(found.slow_share) })
}

fn steady(blocks: &[&BlockRecord]) -> Option<SteadyClass> {
    let medians = |blocks: &[&BlockRecord]| Some(blocks.iter().map(|block| block.median_ns.as_f64()).collect());
    stats::steady_class(&per_launch(blocks, medians))
}
