//! Possible improvements, and those that the run has shown.

use super::Fill;
use super::advised::{NO_GAIN, searched};
use super::baseline::{of_baseline, single};
use crate::analysis::{
    BatchCurve, CellFindings, Estimate, GainCause, Headline, Measured, NoGain, Pick,
    SessionFindings, ratio_of_cells,
};
use crate::metric::{Metric, Unit};
use crate::plan::LoadMode;
use crate::report::chapters::{answer, gpu_cost, scaling};
use crate::report::template::found::{
    Absent, Found, Kind, NO_BASELINE, NOT_GIVEN, NOTHING_RECOMMENDED, Text, all, measured,
    not_measured, of_cell, or_why, told,
};
use crate::report::template::keys::{
    BeforeAfter, DataPipeline, MemoryOptimization, ModelOptimization,
};
use crate::report::words::text::plain;
use crate::report::words::{self, Source, number};

const NO_USERS: &str = "an inference profile sees no users";
const NOTHING_FOUND: &str = "the search has shown nothing to be better than the defaults";

const NO_MORE_THROUGHPUT: &str =
    "no usable variant was shown to bring more throughput than the baseline";

pub(super) fn memory(field: MemoryOptimization, source: Source<'_>) -> Found {
    match field {
        MemoryOptimization::MemoryPoolManagement => {
            let arena = or_why(of_baseline(source, Metric::ArenaPeak));
            measured(format!("ONNX Runtime's arena at its peak: {arena}"))
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
        source
            .curves()
            .map(|curve| {
                format!(
                    "{}: {}",
                    source.name(curve.session),
                    of_curve(source, curve)
                )
            })
            .chain(split_by_batch(source)),
        "no batch size was measured",
    )
}

/// What the batch size brings beside other causes.
fn split_by_batch(source: Source<'_>) -> Option<String> {
    let split = source.findings.decisions.split.as_ref()?;
    let mut steps = split.steps.iter();
    let is_batched = steps.any(|step| step.causes.contains(&GainCause::Batch));
    words::gain_by_cause(source).filter(|_| is_batched)
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
        return measured(accelerated);
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
    measured(format!(
        "{} with {}: CPU utilization {}",
        source.place(pick.key),
        words::number_of(threads, "intra-op thread"),
        or_why(of_cell(source.cell(pick.key), Metric::CpuUtilization))
    ))
}

pub(super) fn before_and_after(field: BeforeAfter, fill: Fill<'_>) -> Found {
    if field == BeforeAfter::UserExperience {
        return not_measured(NO_USERS);
    }
    let own = match field {
        _ if fill.source.findings.tuning.is_some() => not_measured(NOTHING_FOUND),
        BeforeAfter::ResponseTimeImprovement => response(*fill),
        BeforeAfter::ThroughputIncrease => throughput(*fill),
        BeforeAfter::ResourceEfficiency => {
            better(*fill).and_then(|pick| lighter(*fill, pick.key.session))
        }
        BeforeAfter::UserExperience => not_measured(NO_USERS),
    };
    let beside = by_cause(field, *fill)
        .into_iter()
        .chain(searches(field, fill))
        .chain(earlier(field, fill));
    let beside: Vec<String> = beside.collect();
    match own {
        Ok(own) => told(Kind::Measured, std::iter::once(own).chain(beside).collect()),
        Err(absent) if beside.is_empty() => Err(absent),
        Err(_) => told(Kind::Measured, beside),
    }
}

/// Where the gain comes from, in the field that it is a gain of.
fn by_cause(field: BeforeAfter, source: Source<'_>) -> Option<String> {
    let split = source.findings.decisions.split.as_ref()?;
    let gained = if split.metric == Metric::LatencyP50 {
        BeforeAfter::ResponseTimeImprovement
    } else if split.metric == Metric::Throughput {
        BeforeAfter::ThroughputIncrease
    } else {
        BeforeAfter::ResourceEfficiency
    };
    words::gain_by_cause(source).filter(|_| field == gained)
}

/// What the answers of searches gain.
fn searches(field: BeforeAfter, fill: Fill<'_>) -> impl Iterator<Item = String> {
    searched(fill).filter_map(move |task| {
        let gain = match field {
            BeforeAfter::ResponseTimeImprovement => task.latency?,
            BeforeAfter::ThroughputIncrease => task.throughput?,
            BeforeAfter::ResourceEfficiency => task.view.memory,
            BeforeAfter::UserExperience => return None,
        };
        Some(format!("{gain}: {}", task.view.area))
    })
}

/// The run against earlier ones, in sentences on the median latency.
fn earlier(field: BeforeAfter, fill: Fill<'_>) -> impl Iterator<Item = String> {
    let comparisons = &fill.beside.comparisons;
    let is_wanted = field == BeforeAfter::ResponseTimeImprovement;
    comparisons.iter().filter(move |_| is_wanted).cloned()
}

/// What all advice together gains over the system as it runs today.
pub(super) fn over_today(fill: Fill<'_>) -> Found {
    let searched: Vec<String> = searched(fill).map(|task| task.view.gain).collect();
    if !searched.is_empty() {
        return told(Kind::Measured, vec![searched.join("; ")]);
    }
    if fill.source.findings.tuning.is_some() {
        return not_measured(NOTHING_FOUND);
    }
    let parts = [latency_over_today(*fill), throughput_over_today(*fill)];
    match words::joined(parts.into_iter().flatten(), "; ") {
        none if none.is_empty() => not_measured(NO_GAIN),
        parts => measured(parts),
    }
}

fn latency_over_today(source: Source<'_>) -> Option<String> {
    let pick = source.answer().latency.gain().ok()?;
    let comparison = source.cell(pick.key)?.comparison.as_ref()?;
    Some(format!(
        "{} with {}",
        words::latency_change(&comparison.p50),
        source.place(pick.key)
    ))
}

/// Between single predictions of the baseline and the choice for the most of them: all that lies
/// between, the file and the batch.
fn throughput_over_today(source: Source<'_>) -> Option<String> {
    let pick = source.answer().throughput.pick()?;
    let (today, then) = (single(source)?, source.cell(pick.key)?);
    if today.key == then.key {
        return None;
    }
    let gain = ratio_of_cells(Metric::Throughput, today, then)?;
    let is_more = gain.interval.is_some_and(|ends| ends.low > 1.0);
    let [before, after] =
        [today, then].map(|cell| words::shown(Metric::Throughput, cell.figure(Metric::Throughput)));
    is_more.then(|| {
        format!(
            "{} the throughput with {}: {after}, today {before}",
            number::times(gain.value, gain.interval),
            source.place(pick.key)
        )
    })
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

fn response(source: Source<'_>) -> Text {
    let pick = better(source)?;
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
fn reduction(estimate: &Estimate) -> Text {
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

fn throughput(source: Source<'_>) -> Text {
    let pick = source.answer().throughput.gain().map_err(|none| {
        Absent::because(match none {
            NoGain::NothingChosen => NOTHING_RECOMMENDED,
            NoGain::NothingToCompare | NoGain::NoneShown => NO_MORE_THROUGHPUT,
        })
    });
    if let Some(whole) = throughput_over_today(source) {
        return Ok(whole);
    }
    let pick = pick?;
    let comparison = source
        .cell(pick.key)
        .and_then(|cell| cell.comparison.as_ref());
    match comparison.and_then(|comparison| comparison.throughput.ratio.measured()) {
        Some(ratio) => Ok(format!(
            "{}, with {} against {}, both {}",
            more(ratio),
            source.name(pick.key.session),
            source.baseline_name(),
            source.at(pick.key)
        )),
        None => not_measured(NO_MORE_THROUGHPUT),
    }
}

/// `43.6% more (40.1% to 46.0%), n = 12 launches`.
fn more(ratio: &Measured) -> String {
    let interval = ratio
        .interval
        .map(|ends| format!(" ({})", number::span(ends, |end| percent(end - 1.0))));
    format!(
        "{} more{}, n = {}",
        percent(ratio.value - 1.0),
        interval.unwrap_or_default(),
        words::counted(ratio)
    )
}

/// Of a share.
fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

pub(super) fn lighter(source: Source<'_>, session: usize) -> Text {
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
