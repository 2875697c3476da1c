//! What a metric is taken from: blocks, or one value a launch.

use super::side::Side;
use crate::analysis::energy::{self, OF_GPU, cpu_energy};
use crate::analysis::over_launches::{mean_latency, median_of_blocks, per_launch, predictions_per_sec};
use crate::analysis::percentiles::quantile;
use crate::metric::Metric;
use crate::observed::Observed;
use crate::record::{BlockRecord, LaunchCell, LaunchRecord};
use crate::stats::{Buckets, Quantile};
use crate::units::Nanos;

/// A figure of timed blocks.
pub(super) struct OfBlocks {
    /// Of one block, for ratios between neighbours.
    pub(super) of_block: fn(&BlockRecord) -> f64,
    /// Of all blocks of one launch, for ratios between runs.
    of_launch: fn(&[&BlockRecord]) -> Option<f64>,
}

/// How a metric is read off the blocks; `None` for a metric that is taken from elsewhere.
pub(super) fn of_blocks(metric: Metric) -> Option<OfBlocks> {
    let found = match metric {
        Metric::LatencyP50 | Metric::LatencyP50RatioToBaseline => OfBlocks {
            of_block: |block| block.median_ns.as_f64(),
            of_launch: |blocks| median_of_blocks(blocks, |block| block.median_ns),
        },
        Metric::LatencyP10 | Metric::LatencyP10RatioToBaseline => OfBlocks {
            of_block: |block| block.p10_ns.as_f64(),
            of_launch: |blocks| median_of_blocks(blocks, |block| block.p10_ns),
        },
        Metric::LatencyMean => OfBlocks { of_block: |block| block.mean_ns.as_f64(), of_launch: mean_latency },
        Metric::Throughput | Metric::ThroughputRatioToBaseline => OfBlocks {
            of_block: |block| predictions_per_sec(&[block]).unwrap_or(f64::NAN),
            of_launch: predictions_per_sec,
        },
        Metric::CpuEnergy => {
            OfBlocks { of_block: |block| cpu_energy(&[block]).unwrap_or(f64::NAN), of_launch: cpu_energy }
        }
        _ => return None,
    };
    Some(found)
}

impl OfBlocks {
    /// One value a launch.
    pub(super) fn per_launch(&self, blocks: &[&BlockRecord]) -> Vec<f64> {
        per_launch(blocks, self.of_launch)
    }
}

/// A value of one launch, and the round of the launch.
pub(super) type OfRound = (u64, f64);

/// One value for each launch that has one.
///
/// # Errors
/// Why there is none, as a lowercase fragment.
pub(super) fn of_launches(metric: Metric, side: Side<'_>) -> Observed<Vec<OfRound>> {
    if let Some(quantile) = quantile(metric) {
        return percentiles(quantile, side);
    }
    let launches = side.run.index.launches(side.session).iter();
    let values: Vec<OfRound> = match side.at {
        Some(_) => side
            .launch_cells()
            .filter_map(|(launch, cell)| Some((launch.round, of_cell(metric, launch, cell)?)))
            .collect(),
        None => launches.filter_map(|launch| Some((launch.round, of_launch(metric, launch)?))).collect(),
    };
    if values.is_empty() {
        Err(side.why_nothing("no launch came so far, or the system does not tell"))
    } else {
        Ok(values)
    }
}

/// Whether a change of a metric is judged by one value a launch.
pub(super) fn is_of_launches(metric: Metric) -> bool {
    use Metric::{ArenaPeak, BatchFirstRun, FirstRun, LatencyMax, LatencyMin, ModelMemory, PeakMemory};
    use Metric::{PeakMemoryAboveLoad, RuntimeStart, SessionLoad, TimeToFirstPrediction};
    let of_launch = [RuntimeStart, SessionLoad, FirstRun, TimeToFirstPrediction, ModelMemory];
    let of_cell = [BatchFirstRun, PeakMemory, PeakMemoryAboveLoad, ArenaPeak, LatencyMin, LatencyMax];
    let of_gpu = OF_GPU.contains(&metric) && metric != Metric::GpuEnergyAboveIdle;
    quantile(metric).is_some() || of_launch.contains(&metric) || of_cell.contains(&metric) || of_gpu
}

fn of_launch(metric: Metric, launch: &LaunchRecord) -> Option<f64> {
    let time = match metric {
        Metric::RuntimeStart => launch.runtime_start_ns,
        Metric::SessionLoad => launch.session_load_ns,
        Metric::FirstRun => launch.first_run_ns,
        Metric::TimeToFirstPrediction => {
            Some(launch.runtime_start_ns? + launch.session_load_ns? + launch.first_run_ns?)
        }
        Metric::ModelMemory => {
            return Some(launch.after_load_memory_bytes?.as_f64() - launch.before_load_memory_bytes?.as_f64());
        }
        // The most of all cells stands for a launch.
        metric => {
            return launch.cells.iter().filter_map(|cell| of_cell(metric, launch, cell)).reduce(f64::max);
        }
    };
    time.map(Nanos::as_f64)
}

fn of_cell(metric: Metric, launch: &LaunchRecord, cell: &LaunchCell) -> Option<f64> {
    match metric {
        Metric::BatchFirstRun => Some(cell.first_run_ns.as_f64()),
        Metric::PeakMemory => Some(cell.peak_memory_bytes?.as_f64()),
        Metric::PeakMemoryAboveLoad => {
            Some(cell.peak_memory_bytes?.as_f64() - launch.before_load_memory_bytes?.as_f64())
        }
        Metric::ArenaPeak => Some(cell.arena.as_ref().ok()?.peak_in_use_bytes.as_f64()),
        Metric::LatencyMin => Some(latencies(cell)?.min()?.as_f64()),
        Metric::LatencyMax => Some(latencies(cell)?.max()?.as_f64()),
        metric => energy::of_launch(metric, cell),
    }
}

/// Latencies of a cell in one launch; `None` where the record does not keep them.
fn latencies(cell: &LaunchCell) -> Option<Buckets> {
    Buckets::decode(cell.latency_histogram.as_ref()?).ok()
}

/// A percentile of every launch. All of them must have inferences enough: the slow ones have fewest, so to leave those
/// out would flatter.
fn percentiles(quantile: Quantile, side: Side<'_>) -> Observed<Vec<OfRound>> {
    let of_launch = |(launch, cell): (&LaunchRecord, &LaunchCell)| {
        let text = cell.latency_histogram.as_ref().ok_or("the record does not keep the latencies of each launch")?;
        let number = launch.launch;
        let latencies =
            Buckets::decode(text).map_err(|error| format!("latencies of launch {number} cannot be read: {error}"))?;
        let (needs, has) = (quantile.needs(), latencies.count());
        let value = latencies.nearest_rank(quantile).filter(|_| has >= needs);
        let value =
            value.ok_or_else(|| format!("in each launch it needs {needs} inferences, launch {number} has {has}"))?;
        Ok((launch.round, value.as_f64()))
    };
    let timed = |launch: u64| side.blocks().iter().any(|block| block.launch == launch);
    let cells = side.launch_cells().filter(|(launch, _)| timed(launch.launch));
    let values: Vec<OfRound> = cells.map(of_launch).collect::<Observed<_>>()?;
    if values.is_empty() { Err(side.why_nothing("no launch measured it")) } else { Ok(values) }
}
