//! The fields of the performance template: each a measured value, or `not measured: <why>`.

use serde::Serialize;

use crate::analysis::{Basis, CellFindings, Estimate, Pick, SessionFindings};
use crate::metric::{Direction, Metric, Unit};
use crate::plan::LoadMode;
use crate::report::chapters::context::Item;
use crate::report::chapters::gpu;
use crate::report::view::targets;
use crate::report::words::judged::Judged;
use crate::report::words::number;
use crate::report::words::text::plain;
use crate::report::words::{self, Source, not_measured};

/// Why the training fields hold nothing.
pub(in crate::report) const NO_TRAINING: &str = "not measured: an inference profile";

/// The template's sections that one line a field fills.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fields {
    /// *Model Inference Performance*.
    pub inference: Vec<Item>,
    /// *Training Performance*.
    pub training: Vec<Item>,
    /// *Model Optimization*.
    pub model_optimization: Vec<Item>,
    /// *Data Pipeline Optimization*.
    pub data_pipeline: Vec<Item>,
    /// *AI Performance Targets*.
    pub targets: Vec<Item>,
    /// *Model Optimization Schedule*.
    pub timeline: Vec<Item>,
    /// *Model Performance Degradation*.
    pub degradation: Vec<Item>,
    /// *Before vs. After Comparison*.
    pub before_after: Vec<Item>,
}

pub(in crate::report) fn fields(source: Source<'_>) -> Fields {
    Fields {
        inference: inference(source),
        training: gpu::training(source, NO_TRAINING),
        model_optimization: model_optimization(source),
        data_pipeline: data_pipeline(source),
        targets: targets::targets(source),
        timeline: targets::timeline(source),
        degradation: degradation(source),
        before_after: before_after(source),
    }
}

/// A figure of a cell in full, or why there is none.
pub(in crate::report) fn cell_figure(cell: Option<&CellFindings>, metric: Metric) -> String {
    match cell.and_then(|cell| cell.figure(metric)) {
        Some(estimate) => words::full(metric, estimate),
        None => not_measured("the baseline has no such cell"),
    }
}

fn session_figure(session: &SessionFindings, metric: Metric) -> String {
    session.figure(metric).map_or_else(|| not_measured("not asked for"), |estimate| words::full(metric, estimate))
}

/// *Model Inference Performance*, of the baseline.
fn inference(source: Source<'_>) -> Vec<Item> {
    let labels =
        ["Single Prediction Latency", "Batch Prediction Throughput", "Model Loading Time", "Memory Usage per Model"];
    let Some(baseline) = source.baseline() else {
        return labels.map(|label| Item::new(label, not_measured("the run has no baseline session"))).to_vec();
    };
    if let Some(reason) = baseline.outcome.reason() {
        return labels.map(|label| Item::new(label, not_measured(reason))).to_vec();
    }
    let texts = [
        single_latency(source, baseline),
        batch_throughput(source, baseline.session),
        format!(
            "session load {}; runtime start {}; first run {}; time to first prediction {}",
            session_figure(baseline, Metric::SessionLoad),
            session_figure(baseline, Metric::RuntimeStart),
            session_figure(baseline, Metric::FirstRun),
            session_figure(baseline, Metric::TimeToFirstPrediction)
        ),
        format!(
            "model memory {}; peak memory of the process {}; arena peak {}; file {}; GPU memory {}",
            session_figure(baseline, Metric::ModelMemory),
            session_figure(baseline, Metric::PeakMemory),
            session_figure(baseline, Metric::ArenaPeak),
            session_figure(baseline, Metric::FileSize),
            gpu::memory(source, baseline)
        ),
    ];
    labels.into_iter().zip(texts).map(|(label, text)| Item::new(label, text)).collect()
}

fn single_latency(source: Source<'_>, baseline: &SessionFindings) -> String {
    let cell = source.single().into_iter().find(|cell| cell.key.session == baseline.session);
    let tail = [
        ("mean", Metric::LatencyMean),
        ("min", Metric::LatencyMin),
        ("p90", Metric::LatencyP90),
        ("p95", Metric::LatencyP95),
        ("p99", Metric::LatencyP99),
        ("p99.9", Metric::LatencyP999),
        ("max", Metric::LatencyMax),
    ];
    let tail = tail.map(|(name, metric)| match cell.and_then(|cell| cell.figure(metric)) {
        Some(Estimate::Measured(_)) => {
            let estimate = cell.and_then(|cell| cell.figure(metric));
            format!("{name} {}", estimate.map(|estimate| words::value(metric, estimate)).unwrap_or_default())
        }
        _ => format!("{name} {}", cell_figure(cell, metric)),
    });
    let samples = cell.and_then(|cell| cell.figure(Metric::LatencyMin)?.measured());
    let samples = samples.map(|samples| format!(" over {}", words::counted(samples))).unwrap_or_default();
    let at = cell.map(|cell| format!(", {}", source.at(cell.key))).unwrap_or_default();
    format!("median {}{at}; {}{samples}", cell_figure(cell, Metric::LatencyP50), tail.join(", "))
}

/// Throughput of a session where it is enough, and how it got there.
fn batch_throughput(source: Source<'_>, session: usize) -> String {
    let Some(curve) = source.findings.batch_curves.iter().find(|curve| curve.session == session) else {
        return not_measured("no batch size was measured");
    };
    let key = curve.key(curve.enough);
    let saturation = match (curve.saturated, curve.points.len()) {
        (_, 1) => "only one batch size was measured".to_owned(),
        (true, _) => format!("larger batches, up to {}, bring less than 5% more", last_batch(curve)),
        (false, _) => format!("still rising at batch {}, the largest measured", last_batch(curve)),
    };
    format!("{}, {}; {saturation}", cell_figure(source.cell(key), Metric::Throughput), source.at(key))
}

fn last_batch(curve: &crate::analysis::BatchCurve) -> u64 {
    curve.points.last().map_or(curve.enough, |point| point.batch_size)
}

fn model_optimization(source: Source<'_>) -> Vec<Item> {
    let headlines: Vec<String> = source
        .findings
        .headlines
        .iter()
        .map(|headline| {
            let variant = source.record.plan.sessions[headline.session].variant;
            let model = source.record.variants[variant].model.as_ref();
            let precision = model.map(|model| format!(" (precision {})", plain(&model.precision.label)));
            format!("{}{}", crate::report::chapters::answer::headline(source, headline), precision.unwrap_or_default())
        })
        .collect();
    let compression = if headlines.is_empty() {
        not_measured("the run compares no other variant with the baseline")
    } else {
        headlines.join("; ")
    };
    let curves: Vec<String> = source
        .findings
        .batch_curves
        .iter()
        .map(|curve| format!("{}: {}", source.name(curve.session), batch_throughput_of(source, curve)))
        .collect();
    let batch = if curves.is_empty() { not_measured("no batch size was measured") } else { curves.join("; ") };
    let mut providers: Vec<String> =
        source.record.plan.sessions.iter().map(|session| plain(&session.execution_provider)).collect();
    providers.sort();
    providers.dedup();
    let hardware = gpu::acceleration(source)
        .unwrap_or_else(|| not_measured(&format!("the run used {} alone", words::listed(&providers))));
    vec![
        Item::new("Model Compression", compression),
        Item::new("Model Architecture", not_measured("a run compares files of one model")),
        Item::new("Batch Optimization", batch),
        Item::new("Hardware Acceleration", hardware),
    ]
}

fn batch_throughput_of(source: Source<'_>, curve: &crate::analysis::BatchCurve) -> String {
    let gain = curve.points.first().and_then(|first| {
        let enough = curve.point(curve.enough)?;
        let gain = enough.throughput_per_sec / first.throughput_per_sec;
        Some(format!("{}x the throughput of batch {}", number::factor(gain, None), first.batch_size))
    });
    let mode = match curve.load_mode {
        LoadMode::Closed { concurrency: 1 } => String::new(),
        LoadMode::Closed { concurrency } => format!(" with {concurrency} requests in flight"),
    };
    let rate = source.cell(curve.key(curve.enough)).and_then(|cell| cell.figure(Metric::Throughput));
    let rate = rate.map(|rate| words::value(Metric::Throughput, rate)).unwrap_or_default();
    let scaling = crate::report::chapters::scaling::of_curve(source, curve).map(|scaling| format!("; {scaling}"));
    let gain = gain.unwrap_or_default();
    format!("{}{mode}, {rate}, {gain}{}", source.batch(curve.shape, curve.enough), scaling.unwrap_or_default())
}

fn data_pipeline(source: Source<'_>) -> Vec<Item> {
    let outside = || not_measured("inputs are prepared before the timed run");
    vec![
        Item::new("Data Loading", outside()),
        Item::new("Preprocessing", outside()),
        Item::new("Feature Engineering", not_measured("it happens before the model")),
        Item::new("Parallel Processing", parallel(source)),
    ]
}

fn parallel(source: Source<'_>) -> String {
    let Some(pick) = source.findings.answer.throughput.pick() else {
        return not_measured("nothing could be recommended");
    };
    let options = &source.record.plan.sessions[pick.key.session].options;
    let threads = options.intra_threads;
    format!(
        "{} {} with {threads} intra-op thread{}: CPU utilization {}",
        source.name(pick.key.session),
        source.at(pick.key),
        words::plural(threads),
        cell_figure(source.cell(pick.key), Metric::CpuUtilization)
    )
}

/// The recommended cell for the shortest latency, if it is another than the baseline's, or why there is none.
fn better(source: Source<'_>) -> Result<&Pick, String> {
    match source.findings.answer.latency.pick() {
        Some(pick) if pick.basis == Basis::BeatsBaseline => Ok(pick),
        Some(pick) => Err(match pick.basis {
            Basis::OnlyUsable | Basis::BestWithoutBaseline => {
                not_measured("the run has nothing to compare with the baseline")
            }
            _ => not_measured("no usable variant was shown to be faster than the baseline"),
        }),
        None => Err(not_measured("nothing could be recommended")),
    }
}

/// The reduction from a ratio: `52% lower (50% to 55%)`.
pub(in crate::report) fn reduction(estimate: &Estimate) -> String {
    let Some(ratio) = estimate.measured() else { return not_measured("there is no ratio to the baseline") };
    let percent = |ratio: f64| format!("{:.1}%", (1.0 - ratio) * 100.0);
    let interval = ratio.interval.map(|i| format!(" ({} to {})", percent(i.high), percent(i.low)));
    format!("{} lower{}, n = {}", percent(ratio.value), interval.unwrap_or_default(), words::counted(ratio))
}

pub(in crate::report) fn accuracy_target(source: Source<'_>) -> String {
    let found = source.baseline().and_then(|baseline| {
        Metric::SCORES.into_iter().find_map(|metric| Some((metric, baseline.figure(metric)?.measured()?)))
    });
    let Some((metric, score)) = found else {
        let reason = source.baseline().and_then(|baseline| baseline.accuracy.absent_reason.as_deref());
        return not_measured(reason.unwrap_or("no labels came with what was fed"));
    };
    let shown = |value| number::value(metric.unit(), value, None);
    let (word, bound) = if metric.direction() == Direction::Higher {
        ("above", score.interval.map(|i| i.low))
    } else {
        ("below", score.interval.map(|i| i.high))
    };
    match bound {
        Some(bound) => format!(
            "maintain {} {word} {}, the nearer end of the baseline's 95% interval ({}, n = {})",
            words::short_name(metric),
            shown(bound),
            shown(score.value),
            words::counted(score)
        ),
        None => format!(
            "maintain {} at the baseline's {}, n = {}",
            words::short_name(metric),
            shown(score.value),
            words::counted(score)
        ),
    }
}

/// File and memory of the recommended variant against the baseline's.
fn resources(source: Source<'_>) -> String {
    let (pick, baseline) = match (better(source), source.baseline()) {
        (Ok(pick), Some(baseline)) => (pick, baseline),
        (Err(reason), _) => return reason,
        (Ok(_), None) => return not_measured("the run has no baseline session"),
    };
    lighter(source, source.session(pick.key.session), baseline)
}

/// File and memory of a session against those of the baseline.
pub(in crate::report) fn lighter(source: Source<'_>, session: &SessionFindings, baseline: &SessionFindings) -> String {
    let part = |name: &str, metric: Metric| {
        let value = |session: &SessionFindings| session.figure(metric).and_then(Estimate::value);
        let (before, after) = (value(baseline)?, value(session)?);
        let shown = |value: f64| number::value(Unit::Bytes, value, None);
        Some(format!("{name} {} ({} to {})", number::change(after / before), shown(before), shown(after)))
    };
    let parts =
        [("file", Metric::FileSize), ("model memory", Metric::ModelMemory), ("peak memory", Metric::PeakMemory)];
    let parts: Vec<String> = parts.into_iter().filter_map(|(name, metric)| part(name, metric)).collect();
    let launches = session.launches_count;
    format!("{}: {}, n = {launches} launches", source.name(session.session), parts.join(", "))
}

fn degradation(source: Source<'_>) -> Vec<Item> {
    let risks: Vec<String> = source
        .findings
        .sessions
        .iter()
        .filter(|session| !session.is_baseline && session.outcome.is_ok())
        .map(|session| format!("{}: {}", plain(&session.label), words::accuracy(session)))
        .collect();
    let risk = if risks.is_empty() { not_measured("there is no other variant to compare") } else { risks.join("; ") };
    let samples = Judged::of(source).and_then(|judged| judged.samples_count());
    let monitoring = if let Some(samples) = samples {
        let width = worst_half_width(source)
            .map(|width| format!(", which resolve a score to ± {}", number::points(width).trim_start_matches('+')));
        format!("score again with the same {} samples{}", number::count(samples), width.unwrap_or_default())
    } else {
        not_measured("the run held outputs against nothing; give labelled data with `--data`")
    };
    let rollback = source.baseline().map_or_else(
        || not_measured("the run has no baseline session"),
        |baseline| {
            let variant = source.record.plan.sessions[baseline.session].variant;
            let sum = source.record.variants[variant].sha256.as_deref().map(|sum| format!(" (SHA-256 {})", plain(sum)));
            format!(
                "put the baseline's file {} back{}; inputs and outputs are the same",
                plain(&source.record.plan.variants[variant].path.display().to_string()),
                sum.unwrap_or_default()
            )
        },
    );
    vec![Item::new("Risk", risk), Item::new("Monitoring", monitoring), Item::new("Rollback", rollback)]
}

/// The widest half of an interval of a score that is a share.
fn worst_half_width(source: Source<'_>) -> Option<f64> {
    let shares = || Metric::SCORES.into_iter().filter(|metric| metric.unit() == Unit::Ratio);
    let interval = |session: &SessionFindings| shares().find_map(|metric| session.figure(metric)?.interval());
    let intervals = source.findings.sessions.iter().filter_map(interval);
    intervals.map(|interval| (interval.high - interval.low) / 2.0).reduce(f64::max)
}

fn before_after(source: Source<'_>) -> Vec<Item> {
    let response = better(source).map_or_else(
        |reason| reason,
        |pick| {
            let cell = source.cell(pick.key);
            let value = |cell: Option<&CellFindings>| {
                let p50 = cell.and_then(|cell| cell.figure(Metric::LatencyP50));
                p50.map(|p50| words::value(Metric::LatencyP50, p50)).unwrap_or_default()
            };
            let comparison = cell.and_then(|cell| cell.comparison.as_ref());
            let before = comparison.and_then(|comparison| source.cell(comparison.baseline));
            let change = comparison.map(|comparison| reduction(&comparison.p50.ratio)).unwrap_or_default();
            format!(
                "median {change}: {} with {} to {} with {}, {}",
                value(before),
                source.baseline_name(),
                value(cell),
                source.name(pick.key.session),
                source.at(pick.key)
            )
        },
    );
    vec![
        Item::new("Response Time Improvement", response),
        Item::new("Throughput Increase", throughput_increase(source)),
        Item::new("Resource Efficiency", resources(source)),
        Item::new("User Experience", not_measured("an inference profile sees no users")),
    ]
}

fn throughput_increase(source: Source<'_>) -> String {
    let Some(pick) = source.findings.answer.throughput.pick() else {
        return not_measured("nothing could be recommended");
    };
    let comparison = source.cell(pick.key).and_then(|cell| cell.comparison.as_ref());
    match (pick.basis, comparison.and_then(|comparison| comparison.throughput.ratio.measured())) {
        (Basis::BeatsBaseline, Some(ratio)) => {
            let percent = |ratio: f64| format!("{:.1}%", (ratio - 1.0) * 100.0);
            let interval = ratio.interval.map(|i| format!(" ({} to {})", percent(i.low), percent(i.high)));
            format!(
                "{} more{}, n = {}, with {} against {}, both {}",
                percent(ratio.value),
                interval.unwrap_or_default(),
                words::counted(ratio),
                source.name(pick.key.session),
                source.baseline_name(),
                source.at(pick.key)
            )
        }
        _ => not_measured("no usable variant was shown to bring more throughput than the baseline"),
    }
}
