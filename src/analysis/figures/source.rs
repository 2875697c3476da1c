//! Where each metric comes from. This is the one place with an arm for every metric: its figures,
//! and its changes between cells, launches and runs, are made of what stands here, so that a metric
//! that nobody computes does not compile.

use super::agreement;
use super::energy::{self, GpuFigure};
use super::estimate::Estimate;
use super::measurement::{Measurement, OfLaunch};
use super::over_launches::{
    OfSeveral, largest, mean_latency, median, median_of_blocks, predictions_per_sec,
};

use super::scores::ScoreOf;
use crate::metric::Metric;
use crate::record::{Agreement, BlockRecord, LaunchCell, LaunchRecord};
use crate::stats::{Buckets, Quantile};
use crate::units::{Bytes, Nanos};

pub(in crate::analysis) enum Source {
    Session(OfSession),
    /// It is a cell's; of those that are sizes, a session has that of its largest cell.
    Cell(OfCell),
    /// It is of a session that is served while requests arrive by themselves, and made elsewhere.
    Load(OfLoad),
}

#[derive(Clone, Copy)]
pub(in crate::analysis) enum OfLoad {
    /// Of the response, at one rate.
    Response(Quantile),
    ErrorRate,
    Goodput,
    Capacity,
    Recovery,
    MemoryGrowth,
}

pub(in crate::analysis) enum OfSession {
    Launches(fn(&LaunchRecord) -> Option<f64>),
    Files,
    Failures,
    Scores(ScoreOf),
    /// With the seed of resampling.
    Agreement(fn(&Agreement, u64) -> Estimate),
}

pub(in crate::analysis) enum OfCell {
    Blocks(OfBlocks),
    /// The percentile of all latencies at that quantile.
    Tail(Quantile),
    /// The ratio of such a percentile to the baseline's.
    TailToBaseline(Quantile),
    Launches(OfLaunch, fn(&Measurement<'_>, OfLaunch) -> Estimate),
    /// How a launch has it of the driver, and how several are joined.
    Gpu(GpuFigure, fn(&[f64], &str) -> Estimate),
    /// No change of it is judged.
    Whole(fn(&Measurement<'_>) -> Estimate),
}

#[derive(Clone, Copy)]
pub(in crate::analysis) struct OfBlocks {
    /// Of one block, for ratios between neighbours.
    pub(in crate::analysis) of_block: fn(&BlockRecord) -> f64,
    /// Of several blocks, such as all of one launch.
    pub(in crate::analysis) of_blocks: OfSeveral,
    pub(super) figure: fn(&Measurement<'_>, OfSeveral) -> Estimate,
}

const MEDIAN: OfBlocks = OfBlocks {
    of_block: |block| block.median_ns.as_f64(),
    of_blocks: |blocks| median_of_blocks(blocks, |block| block.median_ns),
    figure: |cell, value| cell.median(value),
};

const P10: OfBlocks = OfBlocks {
    of_block: |block| block.p10_ns.as_f64(),
    of_blocks: |blocks| median_of_blocks(blocks, |block| block.p10_ns),
    figure: |cell, value| cell.median_of_launches(value),
};

/// Blocks keep their mean to the nanosecond, finer than a histogram does.
const MEAN: OfBlocks = OfBlocks {
    of_block: |block| block.mean_ns.as_f64(),
    of_blocks: mean_latency,
    figure: |cell, value| cell.pooled(value),
};

const THROUGHPUT: OfBlocks = OfBlocks {
    of_block: |block| predictions_per_sec(&[block]).unwrap_or(f64::NAN),
    of_blocks: predictions_per_sec,
    figure: |cell, value| cell.pooled(value),
};

const CPU_ENERGY: OfBlocks = OfBlocks {
    of_block: |block| energy::of_cpu(&[block]).unwrap_or(f64::NAN),
    of_blocks: energy::of_cpu,
    figure: |cell, _| energy::cpu(cell),
};

const MIN: OfCell = OfCell::Launches(
    |_, cell| extreme(cell, Buckets::min),
    |cell, _| cell.extreme(Buckets::min),
);

const MAX: OfCell = OfCell::Launches(
    |_, cell| extreme(cell, Buckets::max),
    |cell, _| cell.extreme(Buckets::max),
);

#[expect(clippy::too_many_lines, reason = "a line for each metric")]
pub(in crate::analysis) fn source(metric: Metric) -> Source {
    match metric {
        Metric::RuntimeStart => launches(|launch| launch.runtime_start_ns.map(Nanos::as_f64)),
        Metric::SessionLoad => launches(|launch| launch.session_load_ns.map(Nanos::as_f64)),
        Metric::FirstRun => launches(|launch| launch.first_run_ns.map(Nanos::as_f64)),
        Metric::TimeToFirstPrediction => launches(time_to_first_prediction),
        Metric::ModelMemory => launches(model_memory),
        Metric::FileSize => Source::Session(OfSession::Files),
        Metric::FailedLaunches => Source::Session(OfSession::Failures),
        Metric::LatencyP50 => blocks(MEDIAN),
        Metric::LatencyP10 => blocks(P10),
        Metric::LatencyMean => blocks(MEAN),
        Metric::Throughput => blocks(THROUGHPUT),
        Metric::CpuEnergy => blocks(CPU_ENERGY),
        Metric::LatencyP50RatioToBaseline => {
            to_baseline(MEDIAN, |cell, _| cell.ratio(|found| &found.p50))
        }
        Metric::LatencyP10RatioToBaseline => {
            to_baseline(P10, |cell, _| cell.ratio(|found| &found.p10))
        }
        Metric::ThroughputRatioToBaseline => {
            to_baseline(THROUGHPUT, |cell, _| cell.ratio(|found| &found.throughput))
        }
        Metric::LatencyP99RatioToBaseline => Source::Cell(OfCell::TailToBaseline(Quantile::P99)),
        Metric::LatencyP90 => tail(Quantile::P90),
        Metric::LatencyP95 => tail(Quantile::P95),
        Metric::LatencyP99 => tail(Quantile::P99),
        Metric::LatencyP999 => tail(Quantile::P999),
        Metric::LatencyMin => Source::Cell(MIN),
        Metric::LatencyMax => Source::Cell(MAX),
        Metric::BatchFirstRun => in_cells(
            |_, cell| Some(cell.first_run_ns.as_f64()),
            |cell, value| cell.median_of_values(value),
        ),
        Metric::PeakMemory => in_cells(
            |_, cell| cell.peak_memory_bytes.map(Bytes::as_f64),
            |cell, value| cell.peak(value),
        ),
        Metric::PeakMemoryAboveLoad => {
            in_cells(peak_memory_above_load, |cell, value| cell.peak(value))
        }
        Metric::ArenaPeak => in_cells(arena_peak, |cell, value| cell.arena_peak(value)),
        Metric::GpuMemoryPeak => in_cells(
            |_, cell| energy::gpu_memory(cell),
            |cell, _| energy::gpu_memory_peak(cell),
        ),
        Metric::GpuUtilization => gpu(
            |used, _| used.utilization_mean_ratio.clone().map(|ratio| ratio.0),
            median,
        ),
        Metric::GpuUtilizationPeak => gpu(
            |used, _| used.utilization_peak_ratio.clone().map(|ratio| ratio.0),
            largest,
        ),
        Metric::GpuPower => gpu(
            |used, _| used.power_mean_watts.clone().map(|power| power.0),
            median,
        ),
        Metric::GpuEnergy => gpu(energy::gpu_per_prediction, median),
        Metric::GpuEnergyAboveIdle => whole(energy::gpu_above_idle),
        Metric::CpuEnergyAboveIdle => whole(energy::cpu_above_idle),
        Metric::CpuUtilization => whole(|cell| cell.cpu_utilization()),
        Metric::CpuUtilizationPeak => whole(|cell| cell.cpu_utilization_peak()),
        Metric::DisturbedBlocks => whole(|cell| cell.disturbed()),
        Metric::AccuracyTop1 => scores(ScoreOf::TOP1),
        Metric::AccuracyTop5 => scores(ScoreOf::TOP5),
        Metric::AccuracyMacroF1 => scores(ScoreOf::MACRO_F1),
        Metric::AccuracyExactMatch => scores(ScoreOf::EXACT_MATCH),
        Metric::AccuracyMicroF1 => scores(ScoreOf::MICRO_F1),
        Metric::TokenAccuracy => scores(ScoreOf::TOKENS),
        Metric::PixelAccuracy => scores(ScoreOf::PIXELS),
        Metric::MeanIou => scores(ScoreOf::MEAN_IOU),
        Metric::MeanAbsoluteError => scores(ScoreOf::MEAN_ABSOLUTE_ERROR),
        Metric::RootMeanSquareError => scores(ScoreOf::ROOT_MEAN_SQUARE_ERROR),
        Metric::Top1Agreement => agreement(agreement::top1),
        Metric::CosineSimilarity => agreement(agreement::cosine_similarity),
        Metric::MaxAbsoluteError => agreement(agreement::max_absolute_error),
        Metric::RelativeError => agreement(agreement::relative_error),
        Metric::ResponseP50 => response(Quantile::P50),
        Metric::ResponseP90 => response(Quantile::P90),
        Metric::ResponseP95 => response(Quantile::P95),
        Metric::ResponseP99 => response(Quantile::P99),
        Metric::ResponseP999 => response(Quantile::P999),
        Metric::ErrorRate => Source::Load(OfLoad::ErrorRate),
        Metric::Goodput => Source::Load(OfLoad::Goodput),
        Metric::RateAtSlo => Source::Load(OfLoad::Capacity),
        Metric::RecoveryTime => Source::Load(OfLoad::Recovery),
        Metric::MemoryGrowth => Source::Load(OfLoad::MemoryGrowth),
    }
}

pub(in crate::analysis) fn quantile(metric: Metric) -> Option<Quantile> {
    if let Source::Cell(OfCell::Tail(quantile)) = source(metric) {
        Some(quantile)
    } else {
        None
    }
}

fn launches(value: fn(&LaunchRecord) -> Option<f64>) -> Source {
    Source::Session(OfSession::Launches(value))
}

fn scores(score: ScoreOf) -> Source {
    Source::Session(OfSession::Scores(score))
}

fn agreement(figure: fn(&Agreement, u64) -> Estimate) -> Source {
    Source::Session(OfSession::Agreement(figure))
}

fn blocks(blocks: OfBlocks) -> Source {
    Source::Cell(OfCell::Blocks(blocks))
}

/// A ratio to the baseline, which is that of the metric that `blocks` are of.
fn in_cells(value: OfLaunch, figure: fn(&Measurement<'_>, OfLaunch) -> Estimate) -> Source {
    Source::Cell(OfCell::Launches(value, figure))
}

fn whole(figure: fn(&Measurement<'_>) -> Estimate) -> Source {
    Source::Cell(OfCell::Whole(figure))
}

fn to_baseline(blocks: OfBlocks, figure: fn(&Measurement<'_>, OfSeveral) -> Estimate) -> Source {
    Source::Cell(OfCell::Blocks(OfBlocks { figure, ..blocks }))
}

fn tail(quantile: Quantile) -> Source {
    Source::Cell(OfCell::Tail(quantile))
}

fn response(quantile: Quantile) -> Source {
    Source::Load(OfLoad::Response(quantile))
}

fn gpu(figure: GpuFigure, centre: fn(&[f64], &str) -> Estimate) -> Source {
    Source::Cell(OfCell::Gpu(figure, centre))
}

fn time_to_first_prediction(launch: &LaunchRecord) -> Option<f64> {
    Some((launch.runtime_start_ns? + launch.session_load_ns? + launch.first_run_ns?).as_f64())
}

fn model_memory(launch: &LaunchRecord) -> Option<f64> {
    Some(launch.after_load_memory_bytes?.as_f64() - launch.before_load_memory_bytes?.as_f64())
}

fn peak_memory_above_load(launch: &LaunchRecord, cell: &LaunchCell) -> Option<f64> {
    Some(cell.peak_memory_bytes?.as_f64() - launch.before_load_memory_bytes?.as_f64())
}

fn arena_peak(_: &LaunchRecord, cell: &LaunchCell) -> Option<f64> {
    Some(cell.arena.as_ref().ok()?.peak_in_use_bytes.as_f64())
}

/// `None` where the record does not keep the latencies.
fn extreme(cell: &LaunchCell, of: fn(&Buckets) -> Option<Nanos>) -> Option<f64> {
    Some(of(&Buckets::decode(cell.latency_histogram.as_ref()?).ok()?)?.as_f64())
}
