//! `cells.csv`: tidy, one row per figure, in base units.

use serde::Serialize;

use super::table::{Digits, Names, table};
use crate::analysis::{CellFindings, Estimate, Figure, Findings, SessionFindings};
use crate::plan::{Binding, Shape};
use crate::record::{Outcome, RunRecord};

#[derive(Clone, Default, Serialize)]
struct Row {
    variant: String,
    execution_provider: String,
    batch_size: Option<u64>,
    concurrency: Option<u64>,
    intra_threads: u64,
    metric: &'static str,
    unit: &'static str,
    value: Option<Digits>,
    low: Option<Digits>,
    high: Option<Digits>,
    n: Option<u64>,
    outcome: &'static str,
    reason: String,
    runtime: String,
    binding: Binding,
    shape: String,
}

/// All figures of a run, one row each. Values are in the metric's base unit; `low` and `high` are
/// the ends of the 95% interval; figures of a whole session leave `batch_size` and `concurrency`
/// empty; an absent value is an empty field with its reason, and a present one may carry a remark
/// there. `runtime` is the version of ONNX Runtime; `shape` holds the sizes of swept dimensions as
/// `name=size`, separated by semicolons. Control characters in names and reasons stand as escapes,
/// and `names` says what becomes of those that look like formulas.
///
/// # Errors
/// Writing into memory does not fail; the error is the `csv` crate's.
pub fn cells_csv(
    record: &RunRecord,
    findings: &Findings,
    names: Names,
) -> Result<Vec<u8>, csv::Error> {
    let mut rows = Vec::new();
    let mut cells = findings.cells.iter().peekable();
    for session in &findings.sessions {
        rows.extend(of_session(record, session, names));
        while let Some(cell) = cells.next_if(|cell| cell.key.session == session.session) {
            rows.extend(of_cell(record, cell, names));
        }
    }
    table(rows)
}

fn of_session(
    record: &RunRecord,
    found: &SessionFindings,
    names: Names,
) -> impl Iterator<Item = Row> {
    let base = Row::new(record, found.session, &found.outcome, names);
    found
        .figures
        .iter()
        .map(move |figure| base.clone().with(figure, names))
}

fn of_cell(record: &RunRecord, cell: &CellFindings, names: Names) -> impl Iterator<Item = Row> {
    let base = Row {
        batch_size: Some(cell.key.batch_size),
        concurrency: Some(cell.key.load_mode.threads_count()),
        shape: names.field(&shape(&record.plan.shapes[cell.key.shape])),
        ..Row::new(record, cell.key.session, &cell.outcome, names)
    };
    cell.figures
        .iter()
        .map(move |figure| base.clone().with(figure, names))
}

impl Row {
    fn new(record: &RunRecord, session: usize, outcome: &Outcome, names: Names) -> Self {
        let spec = &record.plan.sessions[session];
        Row {
            variant: names.field(record.plan.variant_of(session).name.exact()),
            execution_provider: names.field(spec.execution_provider.exact()),
            intra_threads: spec.options.intra_threads,
            outcome: match outcome {
                Outcome::Ok => "ok",
                Outcome::Failed(_) => "failed",
                Outcome::Skipped { .. } => "skipped",
            },
            runtime: record
                .runtime_of(session)
                .map_or_else(String::new, |runtime| names.field(runtime.version.exact())),
            binding: spec.binding,
            ..Row::default()
        }
    }

    fn with(self, figure: &Figure, names: Names) -> Self {
        let measured = figure.estimate.measured();
        let interval = measured.and_then(|measured| measured.interval);
        Row {
            metric: figure.metric.key(),
            unit: figure.metric.unit().key(),
            value: measured.map(|measured| Digits(measured.value)),
            low: interval.map(|interval| Digits(interval.low)),
            high: interval.map(|interval| Digits(interval.high)),
            n: measured.map(|measured| measured.n),
            reason: names.field(&reason(figure)),
            ..self
        }
    }
}

fn reason(figure: &Figure) -> String {
    match &figure.estimate {
        Estimate::Measured(measured) => measured.remark.clone().unwrap_or_default().into_exact(),
        Estimate::Absent { reason, bounds } => match bounds.and_then(|bounds| bounds.at_least) {
            Some(least) => {
                format!(
                    "{}; at least {least} {} with 95% confidence",
                    reason.exact(),
                    figure.metric.unit().key()
                )
            }
            None => reason.exact().to_owned(),
        },
    }
}

/// `seq=64;width=3`.
pub(super) fn shape(shape: &Shape) -> String {
    let dims = shape.dims.iter();
    let dims: Vec<String> = dims
        .map(|(name, size)| format!("{}={size}", name.exact()))
        .collect();
    dims.join(";")
}
