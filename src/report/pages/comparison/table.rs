//! The table of two sides: a row for each figure.

use super::reading::{change, score};
use super::told::{differing, sides};
use crate::analysis::comparison::{CELL_METRICS, Comparisons, Design, Pair, Row};
use crate::analysis::{AccuracyChange, Change, Estimate, Verdict};
use crate::plan::LoadMode;
use crate::report::pages::rows::{batch, cells_of, figure_name};
use crate::report::words::{self, ABSENT, Builder, MEANINGLESS, RowKind, Table, number};

pub(super) fn table(comparisons: &Comparisons, pair: &Pair) -> Table {
    let mut cells = pair.cells.iter();
    let modes = cells.any(|cell| cell.load_mode != pair.cells[0].load_mode);
    let mut table = Builder::new(sides(comparisons, pair), &HEADER);
    for metric in CELL_METRICS {
        for cell in &pair.cells {
            let load = if modes {
                cell.load_mode.in_column()
            } else {
                MEANINGLESS.into()
            };
            for row in cell.rows.iter().filter(|row| row.metric == metric) {
                add(&mut table, row, batch(cell), load.clone());
            }
        }
    }
    for row in &pair.rows {
        add(&mut table, row, MEANINGLESS.into(), MEANINGLESS.into());
    }
    table.finish(notes(comparisons, pair))
}

const HEADER: [&str; 8] = [
    "figure",
    "batch",
    LoadMode::COLUMN,
    "baseline",
    "candidate",
    "change",
    "n",
    "verdict",
];

fn add(table: &mut Builder, row: &Row, batch: String, load: String) {
    let name = figure_name(row.metric);
    let at = match batch.as_str() {
        "" => name.to_owned(),
        batch => format!("{name} at batch {batch}"),
    };
    let [change, n, verdict] = cells_of(table, row, &at);
    let kind = if change == ABSENT {
        RowKind::Absent
    } else {
        RowKind::Plain
    };
    let [baseline, candidate] =
        [("baseline", &row.baseline), ("candidate", &row.candidate)].map(|(side, estimate)| {
            match estimate {
                // The reason why there is no change says why one side has no figure.
                Estimate::Absent { .. } if kind == RowKind::Absent => ABSENT.into(),
                estimate if row.metric.is_percentile() => {
                    table.bound(side, &at, row.metric, Some(estimate))
                }
                // With as many digits as its interval supports, but without the interval.
                estimate => table.figure(side, &at, Some(estimate), |found| {
                    let value = found.value().unwrap_or_default();
                    number::value(row.metric.unit(), value, found.interval())
                }),
            }
        });
    table.row(
        kind,
        vec![
            name.into(),
            batch,
            load,
            baseline,
            candidate,
            change,
            n,
            verdict,
        ],
    );
}

fn notes(comparisons: &Comparisons, pair: &Pair) -> Vec<String> {
    let mut notes = Vec::new();
    if pair.cells.is_empty() {
        notes.push("the runs have no shape, batch size and load mode in common".into());
    }
    notes.extend(pair.rows.iter().filter_map(score).filter_map(flips));
    let changes = changes(pair);
    if changes
        .iter()
        .any(|change| change.verdict == Verdict::Inconclusive)
    {
        notes.push(open(comparisons.design).into());
    }
    notes.extend(words::kept_open_note(changes.iter().copied()));
    let remark = changes
        .iter()
        .find_map(|change| change.ratio.measured()?.remark.as_ref());
    notes.extend(remark.map(|remark| format!("where a change has no interval: {remark}")));
    let options = differing(&pair.differences);
    notes.extend(options.map(|options| format!("session options differ: {options}")));
    notes
}

/// The changes of all figures but scores.
fn changes(pair: &Pair) -> Vec<&Change> {
    pair.cells
        .iter()
        .flat_map(|cell| &cell.rows)
        .chain(&pair.rows)
        .filter_map(change)
        .collect()
}

/// Meaning of the word `open`.
fn open(design: Design) -> &'static str {
    match design {
        Design::Paired => "open: not settled; behind it, about how much more time would settle it",
        _ => {
            "open: not settled by these launches; a run in which both take turns is the way to settle it"
        }
    }
}

/// `top-1: 3 samples lost, 2 gained, 7 predictions changed; p = 0.625`.
fn flips(change: &AccuracyChange) -> Option<String> {
    let (lost, gained) = change.lost_count.zip(change.gained_count)?;
    let changed = change.changed_predictions_count?;
    let p = change
        .p_value
        .map(|p| format!("; p {} (McNemar, exact)", number::probability(p)))
        .unwrap_or_default();
    Some(format!(
        "{}: {} samples lost, {} gained, {} predictions changed{p}",
        change.metric.short_label(),
        number::count(lost),
        number::count(gained),
        number::count(changed)
    ))
}
