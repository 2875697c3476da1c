//! A figure of two runs in the cells of a row.

use crate::analysis::comparison::{Delta, PairedCell, Row, RowOutcome};
use crate::analysis::{AccuracyChange, AccuracyVerdict, Change, Verdict};
use crate::metric::{Metric, Unit};
use crate::report::words::{self, ABSENT, Builder, MEANINGLESS, number, plain};

/// Batch size, and shape where dimensions are swept: `8, seq 64`.
pub(super) fn batch(cell: &PairedCell) -> String {
    match cell.shape_name.as_str() {
        "" => cell.batch_size.to_string(),
        shape => format!("{}, {}", cell.batch_size, plain(shape)),
    }
}

pub(super) fn figure_name(metric: Metric) -> &'static str {
    if metric == Metric::TimeToFirstPrediction { "first prediction" } else { metric.label() }
}

/// Change, n and verdict of a row, which is called `at` where its change is absent.
pub(super) fn cells_of(table: &mut Builder, row: &Row, at: &str) -> [String; 3] {
    match &row.outcome {
        RowOutcome::NotCompared { reason } => {
            [table.absence("change", at, reason), MEANINGLESS.into(), MEANINGLESS.into()]
        }
        RowOutcome::Compared { delta: Delta::Ratio { change, .. } } => ratio_cells(row.metric, change),
        RowOutcome::Compared { delta: Delta::Score { change, .. } } => score_cells(change),
    }
}

/// Verdict on the change of a row, in a word; empty where it was not compared.
pub(super) fn verdict_of(row: &Row) -> String {
    match &row.outcome {
        RowOutcome::NotCompared { .. } => MEANINGLESS.into(),
        RowOutcome::Compared { delta: Delta::Ratio { change, .. } } => {
            verdict(row.metric, change).split([' ', ',']).next().unwrap_or_default().to_owned()
        }
        RowOutcome::Compared { delta: Delta::Score { change, .. } } => score_cells(change)[2].clone(),
    }
}

fn ratio_cells(metric: Metric, change: &Change) -> [String; 3] {
    let n = change.ratio.measured().map(|measured| number::count(measured.n)).unwrap_or_default();
    let Some(measured) = change.ratio.measured() else { return [String::new(), n, String::new()] };
    [number::relative(measured.value, measured.interval), n, verdict(metric, change)]
}

fn verdict(metric: Metric, change: &Change) -> String {
    let is_size = metric.unit() == Unit::Bytes;
    match (change.verdict, change.rounds_to_settle) {
        (Verdict::Faster, _) if is_size => "smaller".into(),
        (Verdict::Slower, _) if is_size => "larger".into(),
        (Verdict::Faster, _) => "faster".into(),
        (Verdict::Slower, _) => "slower".into(),
        (Verdict::Same, _) if change.noise_floor.0 == 0.0 => "same".into(),
        (Verdict::Same, _) => format!("same within {}%", change.noise_floor.0 * 100.0),
        (Verdict::Inconclusive, Some(rounds)) if rounds <= words::MANY_ROUNDS => {
            format!("open, +{rounds} round{}", words::plural(rounds))
        }
        (Verdict::Inconclusive, _) => "open".into(),
    }
}

fn score_cells(change: &AccuracyChange) -> [String; 3] {
    let Some(measured) = change.difference.measured() else {
        return [ABSENT.into(), MEANINGLESS.into(), MEANINGLESS.into()];
    };
    let verdict = match change.verdict {
        AccuracyVerdict::Better => "better",
        AccuracyVerdict::Worse => "worse",
        AccuracyVerdict::NotSignificant => "not significant",
        AccuracyVerdict::Untested => "not tested",
    };
    let difference = words::score_difference(change.metric, measured.value);
    let interval = measured.interval.map(|interval| {
        let [low, high] = [interval.low, interval.high].map(|end| words::score_difference(change.metric, end));
        format!(" ({} to {})", low.trim_end_matches(" points"), high.trim_end_matches(" points"))
    });
    [format!("{difference}{}", interval.unwrap_or_default()), number::count(measured.n), verdict.into()]
}
