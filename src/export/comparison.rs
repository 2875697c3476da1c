//! A comparison of runs as a table for programs: one row per figure, in base units.

use serde::Serialize;

use super::table::{Digits, Names, table};
use crate::analysis::comparison::{self, Comparisons, Delta, Design, Pair, PairedCell, RowOutcome};
use crate::analysis::{AccuracyChange, AccuracyVerdict, Change, Estimate, Verdict};

#[derive(Clone, Default, Serialize)]
struct Row {
    baseline_run: String,
    baseline_variant: String,
    candidate_run: String,
    candidate_variant: String,
    batch_size: Option<u64>,
    concurrency: Option<u64>,
    metric: &'static str,
    unit: &'static str,
    baseline: Option<Digits>,
    candidate: Option<Digits>,
    change_kind: Option<&'static str>,
    change: Option<Digits>,
    low: Option<Digits>,
    high: Option<Digits>,
    n: Option<u64>,
    n_of: Option<&'static str>,
    design: Option<Design>,
    noise_floor_ratio: Option<Digits>,
    verdict: Option<RowVerdict>,
    rounds_to_settle: Option<u64>,
    lost_count: Option<u64>,
    gained_count: Option<u64>,
    changed_predictions_count: Option<u64>,
    p_value: Option<Digits>,
    reason: String,
    shape: String,
}

#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
enum RowVerdict {
    Ratio(Verdict),
    Score(AccuracyVerdict),
}

/// All comparisons, one row per figure. `change` is candidate over baseline where `change_kind` is
/// `ratio`, and candidate less baseline where it is `difference`; `low` and `high` are the ends of
/// its 95% interval. Figures of a whole session leave `batch_size`, `concurrency` and `shape`
/// empty; what was not compared has empty fields and its reason. `names` says what becomes of texts
/// that look like formulas.
///
/// # Errors
/// Writing into memory does not fail; the error is the `csv` crate's.
pub fn comparison_csv(comparisons: &Comparisons, names: Names) -> Result<Vec<u8>, csv::Error> {
    table(comparisons.pairs.iter().flat_map(|pair| {
        let sides = Row::between(comparisons, pair, names);
        let of_cells = pair.cells.iter().flat_map({
            let sides = sides.clone();
            move |cell| {
                let base = sides.clone().at(cell, names);
                cell.rows
                    .iter()
                    .map(move |row| base.clone().with(row, names))
            }
        });
        of_cells.chain(
            pair.rows
                .iter()
                .map(move |row| sides.clone().with(row, names)),
        )
    }))
}

impl Row {
    fn between(comparisons: &Comparisons, pair: &Pair, names: Names) -> Self {
        let [baseline_run, candidate_run] = [&pair.baseline, &pair.candidate]
            .map(|party| comparisons.runs[party.run].path.display().to_string());
        Row {
            baseline_run: names.field(&baseline_run),
            baseline_variant: names.field(&pair.baseline.label),
            candidate_run: names.field(&candidate_run),
            candidate_variant: names.field(&pair.candidate.label),
            ..Row::default()
        }
    }

    fn at(self, cell: &PairedCell, names: Names) -> Self {
        Row {
            batch_size: Some(cell.batch_size),
            concurrency: Some(cell.load_mode.threads_count()),
            shape: names.field(&cell.shape_name),
            ..self
        }
    }

    fn with(self, row: &comparison::Row, names: Names) -> Self {
        let figure = Row {
            metric: row.metric.key(),
            unit: row.metric.unit().key(),
            baseline: row.baseline.value().map(Digits),
            candidate: row.candidate.value().map(Digits),
            ..self
        };
        let found = match &row.outcome {
            RowOutcome::NotCompared { reason } => Row {
                reason: reason.exact().to_owned(),
                ..figure
            },
            RowOutcome::Compared {
                delta: Delta::Ratio { design, change },
            } => figure.ratio(*design, change),
            RowOutcome::Compared {
                delta: Delta::Score { design, change },
            } => figure.score(*design, change),
        };
        Row {
            reason: names.field(&found.reason),
            ..found
        }
    }

    fn ratio(self, design: Design, change: &Change) -> Self {
        Row {
            noise_floor_ratio: Some(Digits(change.noise_floor.0)),
            verdict: Some(RowVerdict::Ratio(change.verdict)),
            rounds_to_settle: change.rounds_to_settle,
            ..self.estimate("ratio", design, &change.ratio)
        }
    }

    fn score(self, design: Design, change: &AccuracyChange) -> Self {
        Row {
            verdict: Some(RowVerdict::Score(change.verdict)),
            lost_count: change.lost_count,
            gained_count: change.gained_count,
            changed_predictions_count: change.changed_predictions_count,
            p_value: change.p_value.map(Digits),
            ..self.estimate("difference", design, &change.difference)
        }
    }

    fn estimate(self, kind: &'static str, design: Design, found: &Estimate) -> Self {
        let row = Row {
            design: Some(design),
            ..self
        };
        match found {
            Estimate::Absent { reason, .. } => Row {
                reason: reason.exact().to_owned(),
                ..row
            },
            Estimate::Measured(measured) => Row {
                change_kind: Some(kind),
                change: Some(Digits(measured.value)),
                low: measured.interval.map(|interval| Digits(interval.low)),
                high: measured.interval.map(|interval| Digits(interval.high)),
                n: Some(measured.n),
                n_of: Some(measured.n_of.noun(2)),
                reason: measured.remark.clone().unwrap_or_default().into_exact(),
                ..row
            },
        }
    }
}
