//! A comparison of runs as a table for programs: one row per figure, in base units.

use std::path::Path;

use super::cells::digits;
use super::names::Names;
use crate::analysis::comparison::{Comparisons, Delta, Design, Pair, Party, Row, RowOutcome};
use crate::analysis::{AccuracyChange, AccuracyVerdict, Change, Estimate, Verdict};

/// The columns.
const HEADER: [&str; 26] = [
    "baseline_run",
    "baseline_variant",
    "candidate_run",
    "candidate_variant",
    "batch_size",
    "concurrency",
    "metric",
    "unit",
    "baseline",
    "candidate",
    "change_kind",
    "change",
    "low",
    "high",
    "n",
    "n_of",
    "design",
    "noise_floor_ratio",
    "verdict",
    "rounds_to_settle",
    "lost_count",
    "gained_count",
    "changed_predictions_count",
    "p_value",
    "reason",
    "shape",
];

/// All comparisons, one row per figure. `change` is candidate over baseline where `change_kind` is `ratio`, and candidate
/// less baseline where it is `difference`; `low` and `high` are the ends of its 95% interval. Figures of a whole session
/// leave `batch_size`, `concurrency` and `shape` empty; what was not compared has empty fields and its reason. `names` says what
/// becomes of texts that look like formulas.
///
/// # Errors
/// Writing into memory does not fail; the error is the `csv` crate's, for a row of another length than the header.
pub fn comparison_csv(comparisons: &Comparisons, names: Names) -> Result<Vec<u8>, csv::Error> {
    let mut writer = Writer { csv: csv::Writer::from_writer(Vec::new()), names };
    writer.csv.write_record(HEADER)?;
    for pair in &comparisons.pairs {
        let sides = sides(comparisons, pair, names);
        for cell in &pair.cells {
            let place =
                [cell.batch_size.to_string(), cell.load_mode.concurrency().to_string(), names.field(&cell.shape_name)];
            cell.rows.iter().try_for_each(|row| write(&mut writer, &sides, &place, row))?;
        }
        pair.rows.iter().try_for_each(|row| write(&mut writer, &sides, &Default::default(), row))?;
    }
    writer.csv.into_inner().map_err(|error| error.into_error().into())
}

/// The table so far, and how texts stand in it.
struct Writer {
    csv: csv::Writer<Vec<u8>>,
    names: Names,
}

/// The columns that name both sides.
fn sides(comparisons: &Comparisons, pair: &Pair, names: Names) -> Vec<String> {
    let side = |party: &Party| {
        let run: &Path = &comparisons.runs[party.run].path;
        [names.field(&run.display().to_string()), names.field(&party.label)]
    };
    [side(&pair.baseline), side(&pair.candidate)].concat()
}

fn write(writer: &mut Writer, sides: &[String], place: &[String; 3], row: &Row) -> Result<(), csv::Error> {
    let value = |estimate: &Estimate| estimate.value().map(digits).unwrap_or_default();
    let figure = [row.metric.key().to_owned(), row.metric.unit().key().to_owned()];
    let values = [value(&row.baseline), value(&row.candidate)];
    let [batch_size, concurrency, shape] = place;
    let fields = sides.iter().chain([batch_size, concurrency]).chain(&figure).chain(&values);
    let mut outcome = outcome(&row.outcome);
    let reason = &mut outcome[REASON];
    *reason = writer.names.field(reason);
    writer.csv.write_record(fields.chain(&outcome).chain([shape]))
}

/// Place of the reason among the last fifteen columns before the shape.
const REASON: usize = 14;

/// The last fifteen columns before the shape.
fn outcome(outcome: &RowOutcome) -> [String; 15] {
    let mut fields: [String; 15] = Default::default();
    match outcome {
        RowOutcome::NotCompared { reason } => fields[REASON] = reason.exact().to_owned(),
        RowOutcome::Compared { delta: Delta::Ratio { design, change } } => ratio(&mut fields, *design, change),
        RowOutcome::Compared { delta: Delta::Score { design, change } } => score(&mut fields, *design, change),
    }
    fields
}

fn ratio(fields: &mut [String; 15], design: Design, change: &Change) {
    estimate(fields, "ratio", design, &change.ratio);
    fields[7] = digits(change.noise_floor.0);
    fields[8] = match change.verdict {
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::Same => "same",
        Verdict::Inconclusive => "inconclusive",
    }
    .into();
    fields[9] = count(change.rounds_to_settle);
}

fn score(fields: &mut [String; 15], design: Design, change: &AccuracyChange) {
    estimate(fields, "difference", design, &change.difference);
    fields[8] = match change.verdict {
        AccuracyVerdict::Better => "better",
        AccuracyVerdict::Worse => "worse",
        AccuracyVerdict::NotSignificant => "not_significant",
        AccuracyVerdict::Untested => "untested",
    }
    .into();
    fields[10] = count(change.lost_count);
    fields[11] = count(change.gained_count);
    fields[12] = count(change.changed_predictions_count);
    fields[13] = change.p_value.map(digits).unwrap_or_default();
}

fn estimate(fields: &mut [String; 15], kind: &str, design: Design, found: &Estimate) {
    match found {
        Estimate::Absent { reason, .. } => fields[REASON] = reason.exact().to_owned(),
        Estimate::Measured(measured) => {
            fields[0] = kind.into();
            fields[1] = digits(measured.value);
            fields[2] = measured.interval.map(|interval| digits(interval.low)).unwrap_or_default();
            fields[3] = measured.interval.map(|interval| digits(interval.high)).unwrap_or_default();
            fields[4] = measured.n.to_string();
            fields[5] = measured.n_of.noun(2).into();
            fields[REASON] = measured.remark.as_ref().map(|remark| remark.exact().to_owned()).unwrap_or_default();
        }
    }
    fields[6] = match design {
        Design::Paired => "paired",
        Design::Separate => "separate",
        Design::Exact => "exact",
    }
    .into();
}

fn count(count: Option<u64>) -> String {
    count.map(|count| count.to_string()).unwrap_or_default()
}
