//! Possible improvements, and those that the run has shown.

use super::baseline::of_baseline;
use crate::analysis::{
    BatchCurve, CellFindings, Estimate, Headline, NoGain, Pick, SessionFindings,
};
use crate::metric::{Metric, Unit};
use crate::plan::LoadMode;
use crate::report::chapters::{answer, gpu_cost, scaling};
use crate::report::template::found::{
    Absent, Found, NO_BASELINE, NOT_GIVEN, NOTHING_RECOMMENDED, all, not_measured, of_cell, or_why,
};
use crate::report::template::keys::{
    BeforeAfter, DataPipeline, MemoryOptimization, ModelOptimization,
};
use crate::report::words::text::plain;
use crate::report::words::{self, Source, number};

const NO_MORE_THROUGHPUT: &str =
    "no usable variant was shown to bring more throughput than the baseline";

pub(super) fn memory(field: MemoryOptimization, source: Source<'_>) -> Found {
    match field {
        MemoryOptimization::MemoryPoolManagement => {
            let arena = or_why(of_baseline(source, Metric::ArenaPeak));
            Ok(format!("ONNX Runtime's arena at its peak: {arena}"))
        }
        MemoryOptimization::GarbageCollectionTuning => {
            Err(Absent::DoesNotApply("inference runs in native code"))
        }
        MemoryOptimization::MemoryLeakDetection | MemoryOptimization::ObjectLifecycleManagement => {
            NOT_GIVEN
        }
    }
}

pub(super) fn model(field: ModelOptimization, source: Source<'_>) -> Found {
    match field {
        ModelOptimization::ModelCompression => compression(source),
        ModelOptimization::ModelArchitecture => not_measured("a run compares files of one model"),
        ModelOptimization::BatchOptimization => batches(source),
        ModelOptimization::HardwareAcceleration => acceleration(source),
    }
}

fn compression(source: Source<'_>) -> Found {
    all(
        source
            .findings
            .decisions
            .headlines
            .iter()
            .map(|headline| with_precision(source, headline)),
        "the run compares no other variant with the baseline",
    )
}

fn with_precision(source: Source<'_>, headline: &Headline) -> String {
    let model = source.record.variants[source.record.plan.sessions[headline.session].variant]
        .model
        .as_ref();
    let precision = model.map(|model| format!(" (precision {})", model.precision.label));
    format!(
        "{}{}",
        answer::headline(source, headline),
        precision.unwrap_or_default()
    )
}

fn batches(source: Source<'_>) -> Found {
    all(
        source.curves().map(|curve| {
            format!(
                "{}: {}",
                source.name(curve.session),
                of_curve(source, curve)
            )
        }),
        "no batch size was measured",
    )
}

fn of_curve(source: Source<'_>, curve: &BatchCurve) -> String {
    let mode = match curve.load_mode {
        LoadMode::SINGLE => String::new(),
        load => format!(" with {load}"),
    };
    let rate = source
        .cell(curve.key(curve.enough))
        .and_then(|cell| cell.figure(Metric::Throughput));
    let rate = words::shown(Metric::Throughput, rate);
    let scaling = scaling::of_curve(source, curve).map(|scaling| format!("; {scaling}"));
    let gain = over_smallest(curve).unwrap_or_default();
    format!(
        "{}{mode}, {rate}, {gain}{}",
        source.batch(curve.shape, curve.enough),
        scaling.unwrap_or_default()
    )
}

/// `3.2x the throughput of batch 1`.
fn over_smallest(curve: &BatchCurve) -> Option<String> {
    let first = curve.points.first()?;
    let gain = curve.point(curve.enough)?.throughput_per_sec / first.throughput_per_sec;
    Some(format!(
        "{}x the throughput of batch {}",
        number::factor(gain, None),
        first.batch_size
    ))
}

fn acceleration(source: Source<'_>) -> Found {
    if let Some(accelerated) = gpu_cost::acceleration(source) {
        return Ok(accelerated);
    }
    let sessions = source.record.plan.sessions.iter();
    let mut providers: Vec<String> = sessions
        .map(|session| plain(&session.execution_provider))
        .collect();
    providers.sort();
    providers.dedup();
    not_measured(format!("the run used {} alone", words::listed(&providers)))
}

pub(super) fn data_pipeline(field: DataPipeline, source: Source<'_>) -> Found {
    match field {
        DataPipeline::DataLoading | DataPipeline::Preprocessing => {
            not_measured("inputs are prepared before the timed run")
        }
        DataPipeline::FeatureEngineering => not_measured("it happens before the model"),
        DataPipeline::ParallelProcessing => parallel(source),
    }
}

fn parallel(source: Source<'_>) -> Found {
    let Some(pick) = source.answer().throughput.pick() else {
        return not_measured(NOTHING_RECOMMENDED);
    };
    let threads = source.record.plan.sessions[pick.key.session]
        .options
        .intra_threads;
    Ok(format!(
        "{} with {}: CPU utilization {}",
        source.place(pick.key),
        words::number_of(threads, "intra-op thread"),
        or_why(of_cell(source.cell(pick.key), Metric::CpuUtilization))
    ))
}

pub(super) fn before_and_after(field: BeforeAfter, source: Source<'_>) -> Found {
    match field {
        BeforeAfter::ResponseTimeImprovement => response(source, better(source)?),
        BeforeAfter::ThroughputIncrease => throughput(source),
        BeforeAfter::ResourceEfficiency => lighter(source, better(source)?.key.session),
        BeforeAfter::UserExperience => not_measured("an inference profile sees no users"),
    }
}

/// `Err` where it is the baseline's.
fn better(source: Source<'_>) -> Result<&Pick, Absent> {
    source.answer().latency.gain().map_err(|none| {
        let why = match none {
            NoGain::NothingChosen => NOTHING_RECOMMENDED,
            NoGain::NothingToCompare => "the run has nothing to compare with the baseline",
            NoGain::NoneShown => "no usable variant was shown to be faster than the baseline",
        };
        Absent::NotMeasured(why.into())
    })
}

fn response(source: Source<'_>, pick: &Pick) -> Found {
    let cell = source.cell(pick.key);
    let comparison = cell.and_then(|cell| cell.comparison.as_ref());
    let before = comparison.and_then(|comparison| source.cell(comparison.baseline));
    let change = comparison
        .map(|comparison| or_why(reduction(&comparison.p50.ratio)))
        .unwrap_or_default();
    Ok(format!(
        "median {change}: {} with {} to {} with {}, {}",
        median(before),
        source.baseline_name(),
        median(cell),
        source.name(pick.key.session),
        source.at(pick.key)
    ))
}

/// Empty where it was not measured.
fn median(cell: Option<&CellFindings>) -> String {
    let p50 = cell.and_then(|cell| cell.figure(Metric::LatencyP50));
    words::shown(Metric::LatencyP50, p50)
}

/// `52% lower (50% to 55%)`.
pub(super) fn reduction(estimate: &Estimate) -> Found {
    let Some(ratio) = estimate.measured() else {
        return not_measured("there is no ratio to the baseline");
    };
    let interval = ratio.interval.map(|ends| {
        let least = percent(1.0 - ends.high);
        let most = percent(1.0 - ends.low);
        format!(" ({least} to {most})")
    });
    Ok(format!(
        "{} lower{}, n = {}",
        percent(1.0 - ratio.value),
        interval.unwrap_or_default(),
        words::counted(ratio)
    ))
}

fn throughput(source: Source<'_>) -> Found {
    let pick = source.answer().throughput.gain().map_err(|none| {
        let why = match none {
            NoGain::NothingChosen => NOTHING_RECOMMENDED,
            NoGain::NothingToCompare | NoGain::NoneShown => NO_MORE_THROUGHPUT,
        };
        Absent::NotMeasured(why.into())
    })?;
    let comparison = source
        .cell(pick.key)
        .and_then(|cell| cell.comparison.as_ref());
    let Some(ratio) = comparison.and_then(|comparison| comparison.throughput.ratio.measured())
    else {
        return not_measured(NO_MORE_THROUGHPUT);
    };
    let interval = ratio
        .interval
        .map(|ends| format!(" ({})", number::span(ends, |end| percent(end - 1.0))));
    Ok(format!(
        "{} more{}, n = {}, with {} against {}, both {}",
        percent(ratio.value - 1.0),
        interval.unwrap_or_default(),
        words::counted(ratio),
        source.name(pick.key.session),
        source.baseline_name(),
        source.at(pick.key)
    ))
}

/// Of a share.
fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

pub(super) fn lighter(source: Source<'_>, session: usize) -> Found {
    let Some(baseline) = source.baseline() else {
        return not_measured(NO_BASELINE);
    };
    let session = source.session(session);
    let parts = SIZES.into_iter().filter_map(|(name, metric)| {
        let [before, after] = [baseline, session].map(|session| value(session, metric));
        Some(format!("{name} {}", bytes_change(before?, after?)))
    });
    Ok(format!(
        "{}: {}, n = {} launches",
        source.name(session.session),
        words::joined(parts, ", "),
        session.launches_count
    ))
}

const SIZES: [(&str, Metric); 3] = [
    ("file", Metric::FileSize),
    ("model memory", Metric::ModelMemory),
    ("peak memory", Metric::PeakMemory),
];

fn value(session: &SessionFindings, metric: Metric) -> Option<f64> {
    session.figure(metric).and_then(Estimate::value)
}

fn bytes_change(before: f64, after: f64) -> String {
    let [shown_before, shown_after] =
        [before, after].map(|bytes| number::value(Unit::Bytes, bytes, None));
    format!(
        "{} ({shown_before} to {shown_after})",
        number::change(after / before)
    )
}
