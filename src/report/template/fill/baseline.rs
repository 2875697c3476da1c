//! The baseline as it performs today.

use super::{
    Found, Metric, NO_BASELINE, NO_NETWORK, NO_TRAINING, Source, gpu_cost, not_measured, number,
    of_cell, of_session, or_why, words,
};
use crate::analysis::{self, BatchCurve, CellFindings, Estimate, SessionFindings};
use crate::metric::Unit;
use crate::report::template::keys::{
    Inference, Resources, ResponseTimes, Throughputs, TrainingPerformance,
};
use crate::units::{Bytes, Nanos};

pub(super) fn single(source: Source<'_>) -> Option<&CellFindings> {
    let baseline = source.baseline()?.session;
    source
        .single()
        .into_iter()
        .find(|cell| cell.key.session == baseline)
}

pub(super) fn response_time(field: ResponseTimes, source: Source<'_>) -> Found {
    let metric = match field {
        ResponseTimes::Average => Metric::LatencyMean,
        ResponseTimes::Percentile95 => Metric::LatencyP95,
        ResponseTimes::Percentile99 => Metric::LatencyP99,
        ResponseTimes::SlowestEndpoint => return slowest(source),
    };
    of_cell(single(source), metric)
}

/// A model has no endpoints; its variants are what can be slow.
fn slowest(source: Source<'_>) -> Found {
    let Some(cell) = analysis::slowest(&source.single()) else {
        return not_measured("no variant could be measured");
    };
    let median = or_why(of_cell(Some(cell), Metric::LatencyP50));
    Ok(format!(
        "{}, the slowest variant: median {median}",
        source.name(cell.key.session)
    ))
}

pub(super) fn throughput(field: Throughputs, source: Source<'_>) -> Found {
    let cell = single(source);
    match field {
        Throughputs::RequestsPerSecond => of_cell(cell, Metric::Throughput),
        Throughputs::TransactionsPerMinute => per_minute(cell),
        Throughputs::PeakLoadCapacity | Throughputs::SustainedLoadCapacity => not_measured(
            "the load was closed: so many requests in flight, each sent when the last was done",
        ),
    }
}

fn per_minute(cell: Option<&CellFindings>) -> Found {
    let rate = cell.and_then(|cell| cell.figure(Metric::Throughput)?.measured());
    let Some(rate) = rate else {
        return of_cell(cell, Metric::Throughput);
    };
    let shown = number::value(Unit::PerSec, rate.value * 60.0, None);
    let n = words::counted(rate);
    Ok(format!(
        "{} predictions per minute, one after another, n = {n}",
        shown.trim_end_matches("/s")
    ))
}

pub(super) fn resource(field: Resources, source: Source<'_>) -> Found {
    match field {
        Resources::CpuUsage => Ok(cpu(source, single(source))),
        Resources::MemoryUsage => Ok(format!(
            "model memory {}; peak {}",
            or_why(of_baseline(source, Metric::ModelMemory)),
            or_why(of_baseline(source, Metric::PeakMemory))
        )),
        Resources::DiskIo => disk(source),
        Resources::NetworkIo => NO_NETWORK,
    }
}

pub(super) fn of_baseline(source: Source<'_>, metric: Metric) -> Found {
    match source.baseline() {
        Some(baseline) => of_session(baseline, metric),
        None => not_measured("not asked for"),
    }
}

/// Reads of the baseline's launches: timed blocks are not observed.
fn disk(source: Source<'_>) -> Found {
    let Some(baseline) = source.baseline() else {
        return not_measured(NO_BASELINE);
    };
    let launches = source.record.launches.iter();
    let loads = launches.filter(|launch| launch.session == baseline.session);
    let reads: Vec<(Bytes, Nanos)> = loads
        .filter_map(|launch| Some((launch.load_storage_read_bytes?, launch.session_load_ns?)))
        .collect();
    let Some((most, took)) = reads.iter().max() else {
        return not_measured("the system does not tell what was read");
    };
    let launches = match reads.len() {
        1 => "1 launch".into(),
        n => format!("{n} launches"),
    };
    let read = match most {
        Bytes(0) => format!("nothing read from storage in {launches}"),
        _ => format!(
            "up to {} read from storage, within {}, in {launches}",
            number::bytes(*most),
            number::time(*took)
        ),
    };
    Ok(format!(
        "while the session was created: {read}; while it is timed: not observed"
    ))
}

pub(super) fn cpu(source: Source<'_>, cell: Option<&CellFindings>) -> String {
    let at = cell.map(|cell| format!(" {}", source.at(cell.key)));
    let average = or_why(of_cell(cell, Metric::CpuUtilization));
    let peak =
        of_cell(cell, Metric::CpuUtilizationPeak).map(|peak| format!("; at the peak: {peak}"));
    format!(
        "of the session's CPUs{}, on average: {average}{}",
        at.unwrap_or_default(),
        peak.unwrap_or_default()
    )
}

pub(super) fn inference(field: Inference, source: Source<'_>) -> Found {
    let Some(baseline) = source.baseline() else {
        return not_measured(NO_BASELINE);
    };
    if let Some(reason) = baseline.outcome.reason() {
        return not_measured(reason);
    }
    match field {
        Inference::SinglePredictionLatency => Ok(single_latency(source)),
        Inference::BatchPredictionThroughput => batch_throughput(source, baseline.session),
        Inference::ModelLoadingTime => Ok(loading(baseline)),
        Inference::MemoryUsagePerModel => Ok(memory(source, baseline)),
    }
}

const BESIDE_MEDIAN: [(&str, Metric); 7] = [
    ("mean", Metric::LatencyMean),
    ("min", Metric::LatencyMin),
    ("p90", Metric::LatencyP90),
    ("p95", Metric::LatencyP95),
    ("p99", Metric::LatencyP99),
    ("p99.9", Metric::LatencyP999),
    ("max", Metric::LatencyMax),
];

fn single_latency(source: Source<'_>) -> String {
    let cell = single(source);
    let tail = BESIDE_MEDIAN.map(|(name, metric)| format!("{name} {}", value(cell, metric)));
    let samples = cell.and_then(|cell| cell.figure(Metric::LatencyMin)?.measured());
    let samples = samples.map(|samples| format!(" over {}", words::counted(samples)));
    let at = cell.map(|cell| format!(", {}", source.at(cell.key)));
    format!(
        "median {}{}; {}{}",
        or_why(of_cell(cell, Metric::LatencyP50)),
        at.unwrap_or_default(),
        tail.join(", "),
        samples.unwrap_or_default()
    )
}

fn value(cell: Option<&CellFindings>, metric: Metric) -> String {
    match cell.and_then(|cell| cell.figure(metric)) {
        Some(estimate @ Estimate::Measured(_)) => words::value(metric, estimate),
        _ => or_why(of_cell(cell, metric)),
    }
}

/// Where it is enough, and how it got there.
fn batch_throughput(source: Source<'_>, session: usize) -> Found {
    let Some(curve) = source.curves().find(|curve| curve.session == session) else {
        return not_measured("no batch size was measured");
    };
    let key = curve.key(curve.enough);
    let rate = of_cell(source.cell(key), Metric::Throughput)?;
    Ok(format!("{rate}, {}; {}", source.at(key), saturation(curve)))
}

fn saturation(curve: &BatchCurve) -> String {
    let last = curve
        .points
        .last()
        .map_or(curve.enough, |point| point.batch_size);
    match (curve.saturated, curve.points.len()) {
        (_, 1) => "only one batch size was measured".into(),
        (true, _) => words::saturated(&format!(", up to {last},")),
        (false, _) => format!("still rising at batch {last}, the largest measured"),
    }
}

fn loading(baseline: &SessionFindings) -> String {
    let [load, start, first, total] = [
        Metric::SessionLoad,
        Metric::RuntimeStart,
        Metric::FirstRun,
        Metric::TimeToFirstPrediction,
    ]
    .map(|metric| or_why(of_session(baseline, metric)));
    format!(
        "session load {load}; runtime start {start}; first run {first}; time to first prediction {total}"
    )
}

fn memory(source: Source<'_>, baseline: &SessionFindings) -> String {
    let [model, peak, arena, file] = [
        Metric::ModelMemory,
        Metric::PeakMemory,
        Metric::ArenaPeak,
        Metric::FileSize,
    ]
    .map(|metric| or_why(of_session(baseline, metric)));
    let gpu = gpu_cost::memory(source, baseline);
    format!(
        "model memory {model}; peak memory of the process {peak}; arena peak {arena}; file {file}; GPU memory {gpu}"
    )
}

/// An inference run knows how busy a GPU was, and nothing of training.
pub(super) fn training(field: TrainingPerformance, source: Source<'_>) -> Found {
    match field {
        TrainingPerformance::GpuUtilization => {
            gpu_cost::utilization(source).map_or_else(|| not_measured(gpu_cost::NO_SESSION), Ok)
        }
        TrainingPerformance::TrainingTime
        | TrainingPerformance::DataLoadingTime
        | TrainingPerformance::EpochTime => not_measured(NO_TRAINING),
    }
}

pub(super) fn percentiles(source: Source<'_>) -> String {
    let metrics = [
        ("50th", Metric::LatencyP50),
        ("95th", Metric::LatencyP95),
        ("99th", Metric::LatencyP99),
    ];
    let cell = single(source);
    let shown = metrics.map(|(name, metric)| format!("{name} {}", or_why(of_cell(cell, metric))));
    format!("of the baseline: {}", shown.join("; "))
}
