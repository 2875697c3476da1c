//! `cells.csv`: tidy, one row per figure, in base units.

use super::names::Names;
use crate::analysis::{CellFindings, Estimate, Figure, Findings, SessionFindings};
use crate::plan::{Binding, SessionSpec, Shape};
use crate::record::{Outcome, RunRecord};

/// The columns.
const HEADER: [&str; 16] = [
    "variant",
    "execution_provider",
    "batch_size",
    "concurrency",
    "intra_threads",
    "metric",
    "unit",
    "value",
    "low",
    "high",
    "n",
    "outcome",
    "reason",
    "runtime",
    "binding",
    "shape",
];

/// Columns that the rows of one session or cell share.
struct Place {
    variant: String,
    execution_provider: String,
    batch_size: String,
    concurrency: String,
    intra_threads: String,
    outcome: &'static str,
    runtime: String,
    binding: &'static str,
    shape: String,
}

/// All figures of a run, one row each. Values are in the metric's base unit; `low` and `high` are the ends of the 95%
/// interval; figures of a whole session leave `batch_size` and `concurrency` empty; an absent value is an empty field
/// with its reason, and a present one may carry a remark there. `runtime` is the version of ONNX Runtime; `shape` holds the
/// sizes of swept dimensions as `name=size`, separated by semicolons. Control characters in names and reasons stand as
/// escapes, and `names` says what becomes of those that look like formulas.
///
/// # Errors
/// Writing into memory does not fail; the error is the `csv` crate's, for a row of another length than the header.
pub fn cells_csv(record: &RunRecord, findings: &Findings, names: Names) -> Result<Vec<u8>, csv::Error> {
    let mut writer = Writer { csv: csv::Writer::from_writer(Vec::new()), names };
    writer.csv.write_record(HEADER)?;
    let mut cells = findings.cells.iter().peekable();
    for session in &findings.sessions {
        write_session(&mut writer, record, session)?;
        while let Some(cell) = cells.next_if(|cell| cell.key.session == session.session) {
            write_cell(&mut writer, record, cell)?;
        }
    }
    writer.csv.into_inner().map_err(|error| error.into_error().into())
}

/// The table so far, and how texts stand in it.
struct Writer {
    csv: csv::Writer<Vec<u8>>,
    names: Names,
}

fn write_session(writer: &mut Writer, record: &RunRecord, session: &SessionFindings) -> Result<(), csv::Error> {
    let place = Place::new(record, session.session, &session.outcome, writer.names);
    session.figures.iter().try_for_each(|figure| write_figure(writer, &place, figure))
}

fn write_cell(writer: &mut Writer, record: &RunRecord, cell: &CellFindings) -> Result<(), csv::Error> {
    let place = Place {
        batch_size: cell.key.batch_size.to_string(),
        concurrency: cell.key.load_mode.concurrency().to_string(),
        shape: writer.names.field(&shape(&record.plan.shapes[cell.key.shape])),
        ..Place::new(record, cell.key.session, &cell.outcome, writer.names)
    };
    cell.figures.iter().try_for_each(|figure| write_figure(writer, &place, figure))
}

impl Place {
    fn new(record: &RunRecord, session: usize, outcome: &Outcome, names: Names) -> Self {
        let spec: &SessionSpec = &record.plan.sessions[session];
        Place {
            variant: names.field(&record.plan.variant_of(session).name),
            execution_provider: names.field(&spec.execution_provider),
            batch_size: String::new(),
            concurrency: String::new(),
            shape: String::new(),
            intra_threads: spec.options.intra_threads.to_string(),
            outcome: match outcome {
                Outcome::Ok => "ok",
                Outcome::Failed(_) => "failed",
                Outcome::Skipped { .. } => "skipped",
            },
            runtime: record.runtime_of(session).map_or_else(String::new, |runtime| names.field(&runtime.version)),
            binding: match spec.binding {
                Binding::Host => "host",
                Binding::Device => "device",
            },
        }
    }
}

fn write_figure(writer: &mut Writer, place: &Place, figure: &Figure) -> Result<(), csv::Error> {
    let number = |value: Option<f64>| value.map(digits).unwrap_or_default();
    let measured = figure.estimate.measured();
    let interval = measured.and_then(|measured| measured.interval);
    let reason = match &figure.estimate {
        Estimate::Measured(measured) => {
            measured.remark.as_ref().map(|remark| remark.exact().to_owned()).unwrap_or_default()
        }
        Estimate::Absent { reason, bounds } => match bounds.and_then(|bounds| bounds.at_least) {
            Some(least) => {
                format!("{}; at least {least} {} with 95% confidence", reason.exact(), figure.metric.unit().key())
            }
            None => reason.exact().to_owned(),
        },
    };
    writer.csv.write_record([
        &place.variant,
        &place.execution_provider,
        &place.batch_size,
        &place.concurrency,
        &place.intra_threads,
        figure.metric.key(),
        figure.metric.unit().key(),
        &number(measured.map(|measured| measured.value)),
        &number(interval.map(|interval| interval.low)),
        &number(interval.map(|interval| interval.high)),
        &measured.map(|measured| measured.n.to_string()).unwrap_or_default(),
        place.outcome,
        &writer.names.field(&reason),
        &place.runtime,
        place.binding,
        &place.shape,
    ])
}

/// Sizes of swept dimensions: `seq=64;width=3`.
pub(super) fn shape(shape: &Shape) -> String {
    shape.dims.iter().map(|(name, size)| format!("{name}={size}")).collect::<Vec<_>>().join(";")
}

/// A value without the noise of the last binary digits: thirteen significant digits, in plain notation.
pub(super) fn digits(value: f64) -> String {
    let rounded: f64 = format!("{value:.12e}").parse().unwrap_or(value);
    rounded.to_string()
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn values_keep_thirteen_digits_and_no_exponent() {
        assert_eq!(digits(22_634_166.000_000_02), "22634166");
        assert_eq!(digits(1.0 / 3.0), "0.3333333333333");
        assert_eq!(digits(0.0), "0");
        assert_eq!(digits(8_589_934_592_000.0), "8589934592000");
    }
}
