//! Rows of comparisons: a figure of two runs in cells, and several runs against the first at a glance.

use crate::analysis::comparison::{Comparisons, Delta, Pair, PairedCell, Row, RowOutcome};
use crate::analysis::{AccuracyChange, AccuracyVerdict, Change, Verdict};
use crate::metric::{Metric, Unit};
use crate::plan::LoadMode;
use crate::report::words::{self, ABSENT, Builder, MEANINGLESS, Table, number, plain};

/// Batch size, and shape where dimensions are swept: `8, seq 64`.
pub(super) fn batch(cell: &PairedCell) -> String {
    match cell.shape_name.as_str() {
        "" => cell.batch_size.to_string(),
        shape => format!("{}, {}", cell.batch_size, plain(shape)),
    }
}

pub(super) fn figure_name(metric: Metric) -> &'static str {
    if metric == Metric::TimeToFirstPrediction {
        "first prediction"
    } else {
        metric.label()
    }
}

/// Change, n and verdict of a row, which is called `at` where its change is absent.
pub(super) fn cells_of(table: &mut Builder, row: &Row, at: &str) -> [String; 3] {
    match &row.outcome {
        RowOutcome::NotCompared { reason } => [
            table.absence("change", at, reason),
            MEANINGLESS.into(),
            MEANINGLESS.into(),
        ],
        RowOutcome::Compared {
            delta: Delta::Ratio { change, .. },
        } => ratio_cells(row.metric, change),
        RowOutcome::Compared {
            delta: Delta::Score { change, .. },
        } => score_cells(change),
    }
}

/// Verdict on the change of a row, in a word; empty where it was not compared.
fn verdict_of(row: &Row) -> String {
    match &row.outcome {
        RowOutcome::NotCompared { .. } => MEANINGLESS.into(),
        RowOutcome::Compared {
            delta: Delta::Ratio { change, .. },
        } => verdict(row.metric, change)
            .split([' ', ','])
            .next()
            .unwrap_or_default()
            .to_owned(),
        RowOutcome::Compared {
            delta: Delta::Score { change, .. },
        } => score_cells(change)[2].clone(),
    }
}

fn ratio_cells(metric: Metric, change: &Change) -> [String; 3] {
    let n = change
        .ratio
        .measured()
        .map(|measured| number::count(measured.n))
        .unwrap_or_default();
    let Some(measured) = change.ratio.measured() else {
        return [String::new(), n, String::new()];
    };
    [
        number::relative(measured.value, measured.interval),
        n,
        verdict(metric, change),
    ]
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
        let [low, high] =
            [interval.low, interval.high].map(|end| words::score_difference(change.metric, end));
        format!(
            " ({} to {})",
            low.trim_end_matches(" points"),
            high.trim_end_matches(" points")
        )
    });
    [
        format!("{difference}{}", interval.unwrap_or_default()),
        number::count(measured.n),
        verdict.into(),
    ]
}

/// A column for each run, a row for each leading figure; `None` where two runs are all, whose own table says it.
pub(super) fn overview(comparisons: &Comparisons) -> Option<Table> {
    if comparisons.runs.len() < 3 {
        return None;
    }
    let runs: Vec<String> = (1..=comparisons.runs.len())
        .map(|number| format!("run {number}"))
        .collect();
    let header: Vec<&str> = ["variant", "figure", "batch"]
        .into_iter()
        .chain(runs.iter().map(String::as_str))
        .collect();
    let mut table = Builder::new("All runs against run 1", &header);
    let mut baselines: Vec<usize> = comparisons
        .pairs
        .iter()
        .map(|pair| pair.baseline.session)
        .collect();
    baselines.sort_unstable();
    baselines.dedup();
    for baseline in baselines {
        let pairs: Vec<&Pair> = comparisons
            .pairs
            .iter()
            .filter(|pair| pair.baseline.session == baseline)
            .collect();
        for (metric, at) in figures(&pairs) {
            add(&mut table, &runs, &pairs, &(metric, at));
        }
    }
    Some(table.finish(Vec::new()))
}

type Place = (Metric, Option<(String, u64, LoadMode)>);

/// Where both sides of a cell were measured, whatever the index of the shape in either plan.
fn place_of(cell: &PairedCell) -> (String, u64, LoadMode) {
    (cell.shape_name.clone(), cell.batch_size, cell.load_mode)
}

/// The figures that the overview shows: median latency and throughput at every batch size, then those of the session.
fn figures(pairs: &[&Pair]) -> Vec<Place> {
    let cells = pairs.iter().flat_map(|pair| &pair.cells);
    let mut cells: Vec<&PairedCell> = cells.collect();
    cells.sort_by_key(|cell| (cell.shape, cell.batch_size, cell.load_mode));
    let mut at: Vec<(String, u64, LoadMode)> = Vec::new();
    for cell in cells {
        if !at.contains(&place_of(cell)) {
            at.push(place_of(cell));
        }
    }
    let of_cells = [Metric::LatencyP50, Metric::Throughput]
        .into_iter()
        .flat_map(|metric| {
            let at = at.clone();
            at.into_iter().map(move |at| (metric, Some(at)))
        });
    let of_session = [Metric::SessionLoad, Metric::FileSize]
        .into_iter()
        .chain(Metric::SCORES);
    let of_session = of_session.filter(|&metric| {
        pairs
            .iter()
            .any(|pair| row(pair, &(metric, None)).is_some())
    });
    of_cells
        .chain(of_session.map(|metric| (metric, None)))
        .collect()
}

fn row<'p>(pair: &'p Pair, (metric, at): &Place) -> Option<&'p Row> {
    let rows = match at {
        Some(at) => &pair.cells.iter().find(|cell| place_of(cell) == *at)?.rows,
        None => &pair.rows,
    };
    rows.iter().find(|row| row.metric == *metric)
}

fn add(table: &mut Builder, runs: &[String], pairs: &[&Pair], place: &Place) {
    let Some(first) = pairs.iter().find_map(|pair| row(pair, place)) else {
        return;
    };
    let variant = plain(&pairs[0].baseline.label);
    let cell = pairs
        .iter()
        .flat_map(|pair| &pair.cells)
        .find(|cell| place.1.as_ref() == Some(&place_of(cell)));
    let batch = cell.map_or(MEANINGLESS.into(), batch);
    let name = format!("{variant} {} {batch}", figure_name(place.0));
    let baseline = first
        .baseline
        .measured()
        .map(|found| number::value(place.0.unit(), found.value, found.interval));
    let mut cells = vec![
        variant,
        figure_name(place.0).into(),
        batch,
        baseline.unwrap_or_else(|| "-".into()),
    ];
    for (number, run) in runs.iter().enumerate().skip(1) {
        let found = pairs
            .iter()
            .find(|pair| pair.candidate.run == number)
            .and_then(|pair| row(pair, place));
        cells.push(match found {
            Some(row) => {
                let [change, _, _] = cells_of(table, row, &format!("{name} of {run}"));
                let change = change.split(" (").next().unwrap_or_default().to_owned();
                format!("{change} {}", verdict_of(row))
                    .trim_end()
                    .to_owned()
            }
            None => table.absence(run, name.trim_end(), "the run did not measure it"),
        });
    }
    table.plain_row(cells);
}
