//! The baseline as it performs today.

use crate::analysis::{BatchCurve, CellFindings, Counted, Estimate, SessionFindings};
use crate::metric::{Metric, Unit};
use crate::record::RunRecord;
use crate::report::chapters::gpu_cost;
use crate::report::template::found::{
    Absent, Found, Kind, NO_BASELINE, NO_NETWORK, NO_TRAINING, Text, figure, measured,
    not_measured, of_cell, of_session, or_why, some, told,
};
use crate::report::template::keys::{
    Inference, Resources, ResponseTimes, Throughputs, TrainingPerformance,
};
use crate::report::words::{self, Source, number};
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
        ResponseTimes::SlowestEndpoint => {
            return Err(Absent::DoesNotApply("a model has no endpoints"));
        }
    };
    figure(of_cell(single(source), metric))
}

pub(super) fn throughput(field: Throughputs, source: Source<'_>) -> Found {
    let cell = single(source);
    match field {
        Throughputs::RequestsPerSecond => figure(of_cell(cell, Metric::Throughput)),
        Throughputs::TransactionsPerMinute => figure(per_minute(cell)),
        Throughputs::PeakLoadCapacity | Throughputs::SustainedLoadCapacity => not_measured(
            "the load was closed: so many requests in flight, each sent when the last was done; `onnxprof load MODEL` measures \
             what is held",
        ),
    }
}

fn per_minute(cell: Option<&CellFindings>) -> Text {
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
        Resources::CpuUsage => measured(cpu(source, single(source))),
        Resources::MemoryUsage => measured(memory_today(source)),
        Resources::DiskIo => disk(source),
        Resources::NetworkIo => NO_NETWORK,
    }
}

pub(super) fn memory_today(source: Source<'_>) -> String {
    format!(
        "model memory {}; peak {}",
        or_why(of_baseline(source, Metric::ModelMemory)),
        or_why(of_cell(single(source), Metric::PeakMemory))
    )
}

/// Reads of the baseline's launches and of its blocks.
fn disk(source: Source<'_>) -> Found {
    let Some(baseline) = source.baseline() else {
        return not_measured(NO_BASELINE);
    };
    let record = source.record;
    let loading = read_by_loading(record, baseline.session);
    let timed = read_while_timed(record, baseline.session);
    some(
        Kind::Measured,
        loading.into_iter().chain(timed),
        "the system does not tell what was read",
    )
}

fn read_by_loading(record: &RunRecord, session: usize) -> Option<String> {
    let launches = record.launches.iter();
    let loads = launches.filter(|launch| launch.session == session);
    let reads: Vec<(Bytes, Nanos)> = loads
        .filter_map(|launch| Some((launch.load_storage_read_bytes?, launch.session_load_ns?)))
        .collect();
    let (most, took) = reads.iter().max()?;
    let count = reads.len() as u64;
    let launches = format!("{} {}", number::count(count), Counted::Launches.noun(count));
    let read = match most {
        Bytes(0) => format!("nothing read from storage in {launches}"),
        _ => format!(
            "up to {} read from storage, within {}, in {launches}",
            number::bytes(*most),
            number::time(*took)
        ),
    };
    Some(format!("while the session was created: {read}"))
}

/// Blocks in which pages had to be read.
fn read_while_timed(record: &RunRecord, session: usize) -> Option<String> {
    let blocks = record.blocks.iter();
    let faults: Vec<u64> = blocks
        .filter(|block| block.key.session == session)
        .map(|block| block.major_faults_count)
        .collect();
    let reading = faults.iter().filter(|&&count| count > 0).count() as u64;
    let all = number::count(faults.len() as u64);
    let read = match reading {
        0 => format!("no page read from storage in {all} blocks"),
        _ => format!(
            "pages read from storage in {} of {all} blocks",
            number::count(reading)
        ),
    };
    (!faults.is_empty()).then(|| format!("while it was timed: {read}"))
}

pub(super) fn of_baseline(source: Source<'_>, metric: Metric) -> Text {
    match source.baseline() {
        Some(baseline) => of_session(baseline, metric),
        None => not_measured("not asked for"),
    }
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
        return not_measured(reason.clone());
    }
    match field {
        Inference::SinglePredictionLatency => told(Kind::Measured, single_latency(source)),
        Inference::BatchPredictionThroughput => figure(batch_throughput(source, baseline.session)),
        Inference::ModelLoadingTime => told(Kind::Measured, figures(baseline, &LOADING)),
        Inference::MemoryUsagePerModel => {
            let mut lines = figures(baseline, &MEMORY);
            let of_gpu = gpu_cost::memory(source, baseline);
            lines.extend(of_gpu.map(|memory| format!("GPU memory {memory}")));
            told(Kind::Measured, lines)
        }
    }
}

/// Figures of a session, each in a line with its name.
fn figures(session: &SessionFindings, metrics: &[Metric]) -> Vec<String> {
    metrics
        .iter()
        .map(|&metric| format!("{} {}", metric.label(), or_why(of_session(session, metric))))
        .collect()
}

const LOADING: [Metric; 4] = [
    Metric::SessionLoad,
    Metric::RuntimeStart,
    Metric::FirstRun,
    Metric::TimeToFirstPrediction,
];

const MEMORY: [Metric; 4] = [
    Metric::ModelMemory,
    Metric::PeakMemory,
    Metric::ArenaPeak,
    Metric::FileSize,
];

const BESIDE_MEDIAN: [(&str, Metric); 7] = [
    ("mean", Metric::LatencyMean),
    ("min", Metric::LatencyMin),
    ("p90", Metric::LatencyP90),
    ("p95", Metric::LatencyP95),
    ("p99", Metric::LatencyP99),
    ("p99.9", Metric::LatencyP999),
    ("max", Metric::LatencyMax),
];

fn single_latency(source: Source<'_>) -> Vec<String> {
    let cell = single(source);
    let tail = BESIDE_MEDIAN.map(|(name, metric)| format!("{name} {}", value(cell, metric)));
    let samples = cell.and_then(|cell| cell.figure(Metric::LatencyMin)?.measured());
    let samples = samples.map(|samples| format!(" over {}", words::counted(samples)));
    let at = cell.map(|cell| format!(", {}", source.at(cell.key)));
    let median = format!(
        "median {}{}",
        or_why(of_cell(cell, Metric::LatencyP50)),
        at.unwrap_or_default()
    );
    let tail = format!("{}{}", tail.join(", "), samples.unwrap_or_default());
    vec![median, tail]
}

fn value(cell: Option<&CellFindings>, metric: Metric) -> String {
    match cell.and_then(|cell| cell.figure(metric)) {
        Some(estimate @ Estimate::Measured(_)) => words::value(metric, estimate),
        _ => or_why(of_cell(cell, metric)),
    }
}

/// Where it is enough, and how it got there.
fn batch_throughput(source: Source<'_>, session: usize) -> Text {
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

/// An inference run knows how busy a GPU was, and nothing of training.
pub(super) fn training(field: TrainingPerformance, source: Source<'_>) -> Found {
    match field {
        TrainingPerformance::GpuUtilization => gpu_cost::utilization(source)
            .map_or_else(|| not_measured(gpu_cost::NO_SESSION), measured),
        TrainingPerformance::TrainingTime
        | TrainingPerformance::DataLoadingTime
        | TrainingPerformance::EpochTime => not_measured(NO_TRAINING),
    }
}

pub(super) fn percentiles(source: Source<'_>) -> Vec<String> {
    let metrics = [
        ("50th", Metric::LatencyP50),
        ("95th", Metric::LatencyP95),
        ("99th", Metric::LatencyP99),
    ];
    let cell = single(source);
    let place = cell.map_or_else(|| source.baseline_name(), |cell| source.place(cell.key));
    metrics
        .map(|(name, metric)| format!("{name} of {place}: {}", or_why(of_cell(cell, metric))))
        .to_vec()
}
