//! What to watch while the model runs, and from which figures on to be alarmed.

use super::baseline::{cpu, of_baseline, percentiles, single};
use super::testing::{error_rate, small_percent};
use super::{Fill, risk, testing};
use crate::analysis::{CellFindings, Measured, requests};
use crate::metric::{Metric, Unit};
use crate::report::chapters::gpu_cost;
use crate::report::template::found::{
    Absent, Found, Kind, NO_BASELINE, NOT_GIVEN, measured, not_measured, of_cell, or_why, told,
};
use crate::report::template::keys::{Alerts, Indicators, ModelMonitoring, Sustained};
use crate::report::words::{self, Source, number};
use crate::stats::SteadyClass;

pub(super) fn indicator(field: Indicators, source: Source<'_>) -> Found {
    match field {
        Indicators::ResponseTimePercentiles => told(Kind::Measured, percentiles(source)),
        Indicators::ErrorRates => error_rate(source),
        Indicators::ResourceUtilization => told(Kind::Measured, resources(source)),
        Indicators::BusinessMetrics => NOT_GIVEN,
    }
}

fn resources(source: Source<'_>) -> Vec<String> {
    let cell = single(source);
    let memory = or_why(of_cell(cell, Metric::PeakMemory));
    vec![
        format!("CPU: {}", cpu(source, cell)),
        format!("memory: {memory}"),
    ]
}

pub(super) fn of_model(field: ModelMonitoring, source: Source<'_>) -> Found {
    match field {
        ModelMonitoring::InferenceLatency => told(Kind::Measured, percentiles(source)),
        ModelMonitoring::ModelAccuracy => risk::scoring_again(source),
        ModelMonitoring::DataDriftDetection => NOT_GIVEN,
        ModelMonitoring::ResourceUsage => {
            let mut lines = resources(source);
            let arena = or_why(of_baseline(source, Metric::ArenaPeak));
            lines.push(format!("arena at its peak: {arena}"));
            lines.extend(gpu_cost::utilization(source).map(|gpu| format!("GPU: {gpu}")));
            told(Kind::Measured, lines)
        }
    }
}

/// Metrics of the run that rules and dashboards know by name.
pub(super) fn metrics(source: Source<'_>) -> Found {
    let known: Vec<String> = Metric::ALL
        .iter()
        .filter(|&&metric| is_measured(source, metric))
        .map(|metric| metric.key().to_owned())
        .collect();
    match known.len() {
        0 => not_measured("no figure was measured"),
        count => measured(format!(
            "{} with a figure in this run, by the names of cells.csv, which end in their units: {}",
            number::count(count as u64),
            known.join(", ")
        )),
    }
}

fn is_measured(source: Source<'_>, metric: Metric) -> bool {
    let mut sessions = source.sessions();
    let mut cells = source.cells();
    sessions.any(|session| {
        session
            .figure(metric)
            .is_some_and(|one| one.measured().is_some())
    }) || cells.any(|cell| cell.value(metric).is_some())
}

/// From the unfavourable end of what was measured of the system as it runs today.
pub(super) fn alert(field: Alerts, source: Source<'_>) -> Found {
    let cell = single(source).ok_or(Absent::because(NO_BASELINE))?;
    match field {
        Alerts::ResponseTimeDegradation => beyond(source, cell, Metric::LatencyP99),
        Alerts::ErrorRateIncrease => error_bound(source),
        Alerts::ResourceExhaustion => beyond(source, cell, Metric::PeakMemory),
        Alerts::ThroughputDecline => beyond(source, cell, Metric::Throughput),
    }
}

fn beyond(source: Source<'_>, cell: &CellFindings, metric: Metric) -> Found {
    let figure = of_cell(Some(cell), metric)?;
    let Some(measured) = cell.figure(metric).and_then(|estimate| estimate.measured()) else {
        return not_measured("there is no such figure");
    };
    let Some((bound, end)) = unfavourable(metric, measured) else {
        return not_measured(format!("{figure}, without an interval to be beyond of"));
    };
    let side = match metric {
        Metric::Throughput => "below",
        _ => "above",
    };
    told(
        Kind::Measured,
        vec![format!(
            "{} of {} {side} {}, {end}: {figure}",
            metric.label(),
            source.place(cell.key),
            number::value(metric.unit(), bound, None)
        )],
    )
}

/// The end of the interval that is worse, or of the values seen.
fn unfavourable(metric: Metric, measured: &Measured) -> Option<(f64, &'static str)> {
    let (ends, end) = match (measured.interval, measured.range) {
        (Some(interval), _) => (interval, "beyond its interval"),
        (None, Some(range)) => (range, "beyond all launches"),
        (None, None) => return None,
    };
    let bound = match metric.unit() {
        Unit::PerSec => ends.low,
        Unit::Ns
        | Unit::Bytes
        | Unit::Ratio
        | Unit::Joules
        | Unit::Watts
        | Unit::Count
        | Unit::OutputUnit => ends.high,
    };
    Some((bound, end))
}

/// The share of failing requests that this run does not rule out.
pub(super) fn error_bound(source: Source<'_>) -> Found {
    match requests(source.record, None) {
        Some(found) => measured(format!(
            "above {}: {} of {} timed requests failed, which rules out more",
            small_percent(found.interval.high),
            number::count(found.failed_count),
            number::count(found.sent_count)
        )),
        None => not_measured("no request was timed"),
    }
}

pub(super) fn sustained(field: Sustained, fill: Fill<'_>) -> Found {
    match field {
        Sustained::PerformanceStability => stability(*fill),
        Sustained::RegressionDetection => testing::detection(fill),
        Sustained::ContinuousImprovement => NOT_GIVEN,
    }
}

/// How latencies went while they were measured.
fn stability(source: Source<'_>) -> Found {
    let classes: Vec<SteadyClass> = source.cells().filter_map(|cell| cell.steady).collect();
    let flat = classes.iter().filter(|class| **class == SteadyClass::Flat);
    match classes.len() {
        0 => not_measured("there are too few blocks to tell"),
        all => measured(format!(
            "the latency held its level in {} of {} over {}",
            flat.count(),
            words::counted_noun(all as u64, "cell"),
            source
                .record
                .run
                .elapsed_ns
                .map_or_else(|| "the run".into(), number::time)
        )),
    }
}
