//! `load.csv`: one row per rate of each session and way of serving, in base units.

use super::table::{Digits, Names};
use crate::analysis::load::{LoadCandidate, LoadPoint};
use crate::analysis::{Estimate, Findings};
use crate::plan::{Plan, Serving};
use crate::record::{LoadStage, RunRecord};

/// A figure of a point, which has a column of its own, and one for each end of its interval.
struct Column {
    name: &'static str,
    of: fn(&LoadPoint) -> &Estimate,
}

const FIGURES: &[Column] = &[
    column("offered_per_sec", |point| &point.flow.offered_per_sec),
    column("achieved_per_sec", |point| &point.flow.achieved_per_sec),
    column("rejected_per_sec", |point| &point.flow.rejected_per_sec),
    column("failed_per_sec", |point| &point.flow.failed_per_sec),
    column("error_rate_ratio", |point| &point.flow.error_rate),
    column("goodput_per_sec", |point| &point.flow.goodput_per_sec),
    column("response_mean_ns", |point| &point.response.mean),
    column("response_p50_ns", |point| &point.response.p50),
    column("response_p90_ns", |point| &point.response.p90),
    column("response_p95_ns", |point| &point.response.p95),
    column("response_p99_ns", |point| &point.response.p99),
    column("response_p999_ns", |point| &point.response.p999),
    column("waiting_mean_ns", |point| &point.waiting.mean),
    column("waiting_p50_ns", |point| &point.waiting.p50),
    column("waiting_p99_ns", |point| &point.waiting.p99),
    column("service_mean_ns", |point| &point.service.mean),
    column("service_p50_ns", |point| &point.service.p50),
    column("service_p99_ns", |point| &point.service.p99),
    column("cpu_utilization_ratio", |point| {
        &point.usage.cpu_utilization
    }),
    column("batch_mean_count", |point| &point.usage.batch_mean),
    column("queue_mean_count", |point| &point.usage.queue_mean),
    column("queue_slope_per_sec", |point| {
        &point.usage.queue_slope_per_sec
    }),
];

/// Columns before the figures.
const FIRST: [&str; 13] = [
    "variant",
    "execution_provider",
    "processes_count",
    "sessions_count",
    "callers_count",
    "queue_limit_count",
    "max_batch",
    "max_delay_ns",
    "stage",
    "asked",
    "requests_count",
    "rounds_count",
    "invalid_segments_count",
];

/// Columns behind them.
const LAST: [&str; 3] = ["lag_p99_ns", "queue_most_count", "peak_memory_bytes"];

const fn column(name: &'static str, of: fn(&LoadPoint) -> &Estimate) -> Column {
    Column { name, of }
}

/// What was measured under load, one row for each rate of each session and way of serving, in base
/// units. `asked` is requests per second, or virtual users; each figure has the ends of its 95%
/// interval in the columns `NAME_low` and `NAME_high`; what was not measured is an empty field, as
/// is a limit that there is none of. Of a run that is not under load the header alone.
///
/// # Errors
/// Writing into memory does not fail; the error is the `csv` crate's.
pub fn load_csv(
    record: &RunRecord,
    findings: &Findings,
    names: Names,
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header())?;
    let load = findings.load.iter();
    for candidate in load.flat_map(|load| &load.candidates) {
        let first = of_candidate(&record.plan, candidate, names);
        for point in &candidate.points {
            writer.write_record(first.iter().cloned().chain(of_point(point)))?;
        }
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

fn header() -> Vec<String> {
    let figures = FIGURES.iter().flat_map(|column| {
        let name = column.name;
        [name.into(), format!("{name}_low"), format!("{name}_high")]
    });
    FIRST
        .iter()
        .map(|&name| name.to_owned())
        .chain(figures)
        .chain(LAST.iter().map(|&name| name.to_owned()))
        .collect()
}

fn of_candidate(plan: &Plan, candidate: &LoadCandidate, names: Names) -> Vec<String> {
    let session = candidate.key.session;
    let mut fields = vec![
        names.field(plan.variant_of(session).name.exact()),
        names.field(plan.sessions[session].execution_provider.exact()),
    ];
    let servings = plan.load.iter().flat_map(|load| &load.servings);
    let serving = servings.into_iter().nth(candidate.key.serving);
    fields.extend(serving.map_or_else(|| vec![String::new(); 6], of_serving));
    fields
}

fn of_serving(serving: &Serving) -> Vec<String> {
    let batcher = serving.batcher.as_ref();
    vec![
        serving.processes.to_string(),
        serving.sessions.to_string(),
        serving.callers.to_string(),
        or_empty(serving.queue_limit),
        or_empty(batcher.map(|batcher| batcher.max_batch)),
        or_empty(batcher.map(|batcher| batcher.max_delay_ns.0)),
    ]
}

fn of_point(point: &LoadPoint) -> Vec<String> {
    let mut fields = vec![
        stage(point.stage).to_owned(),
        digits(point.asked.0),
        point.requests_count.to_string(),
        point.segments.rounds_count.to_string(),
        point.segments.invalid.len().to_string(),
    ];
    for column in FIGURES {
        let estimate = (column.of)(point);
        let interval = estimate.interval();
        let ends = [
            estimate.value(),
            interval.map(|ends| ends.low),
            interval.map(|ends| ends.high),
        ];
        fields.extend(ends.map(|value| value.map(digits).unwrap_or_default()));
    }
    fields.push(or_empty(point.lag_p99_ns.map(|lag| lag.0)));
    fields.push(point.usage.queue_most_count.to_string());
    fields.push(or_empty(point.usage.peak_memory_bytes.map(|bytes| bytes.0)));
    fields
}

/// As JSON has it.
fn stage(stage: LoadStage) -> &'static str {
    match stage {
        LoadStage::Asked => "asked",
        LoadStage::Bracket => "bracket",
        LoadStage::Edge => "edge",
        LoadStage::Before => "before",
        LoadStage::Ramp => "ramp",
        LoadStage::Soak => "soak",
    }
}

fn digits(value: f64) -> String {
    Digits(value).text()
}

fn or_empty(count: Option<u64>) -> String {
    count.map(|count| count.to_string()).unwrap_or_default()
}
