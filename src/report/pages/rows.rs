//! Rows of comparisons: a figure of two runs in cells, and several runs against the first at a
//! glance.

use std::collections::BTreeMap;

use crate::analysis::comparison::{Comparisons, Delta, Pair, PairedCell, Row, RowOutcome};
use crate::analysis::{AccuracyChange, AccuracyVerdict, Change, Verdict};
use crate::metric::{Metric, Unit};
use crate::plan::LoadMode;
use crate::report::words::number::Ways;
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
    let Some(measured) = change.ratio.measured() else {
        return Default::default();
    };
    [
        number::relative(measured.value, measured.interval, Ways::of(metric.unit())),
        number::count(measured.n),
        verdict(metric, change),
    ]
}

fn verdict(metric: Metric, change: &Change) -> String {
    match change.verdict {
        Verdict::Same if change.noise_floor.0 > 0.0 => {
            format!("same within {}%", change.noise_floor.0 * 100.0)
        }
        Verdict::Faster | Verdict::Slower | Verdict::Same => {
            verdict_word(metric, change.verdict).into()
        }
        Verdict::Inconclusive => open(metric, change),
    }
}

fn open(metric: Metric, change: &Change) -> String {
    if change.is_withheld {
        return "open, busy machine".into();
    }
    match (change.alone, change.time_to_settle_ns) {
        (Some(alone), _) => format!("open, alone {}", verdict_word(metric, alone)),
        (None, Some(time)) if time <= words::LONG => {
            format!("open, +{}", words::rounded_time(time))
        }
        (None, _) => "open".into(),
    }
}

fn verdict_word(metric: Metric, verdict: Verdict) -> &'static str {
    let is_size = metric.unit() == Unit::Bytes;
    match verdict {
        Verdict::Faster if is_size => "smaller",
        Verdict::Slower if is_size => "larger",
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::Same => "same",
        Verdict::Inconclusive => "open",
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
    let mut difference = words::score_difference(change.metric, measured.value);
    if let Some(interval) = measured.interval {
        let ends = number::span(interval, |end| {
            words::score_difference(change.metric, end).replace(" points", "")
        });
        difference += &format!(" ({ends})");
    }
    [difference, number::count(measured.n), verdict.into()]
}

/// A column for each run, a row for each leading figure; `None` where two runs are all, whose own
/// table says it.
pub(super) fn overview(comparisons: &Comparisons) -> Option<Table> {
    if comparisons.runs.len() < 3 {
        return None;
    }
    let numbers = 1..=comparisons.runs.len();
    let runs: Vec<String> = numbers.map(|number| format!("run {number}")).collect();
    let mut header = vec!["variant", "figure", "batch"];
    header.extend(runs.iter().map(String::as_str));
    let mut table = Builder::new("All runs against run 1", &header);
    for pairs in by_baseline(&comparisons.pairs) {
        for place in figures(&pairs) {
            add(&mut table, &runs, &pairs, &place);
        }
    }
    Some(table.finish([]))
}

fn by_baseline(pairs: &[Pair]) -> Vec<Vec<&Pair>> {
    let mut baselines: BTreeMap<usize, Vec<&Pair>> = BTreeMap::new();
    for pair in pairs {
        baselines
            .entry(pair.baseline.session)
            .or_default()
            .push(pair);
    }
    baselines.into_values().collect()
}

/// Name of the shape, batch size and load mode of a cell.
type CellPlace = (String, u64, LoadMode);

/// A figure, and where it is one of a cell.
type Place = (Metric, Option<CellPlace>);

/// Where both sides of a cell were measured, whatever the index of the shape in either plan.
fn place_of(cell: &PairedCell) -> CellPlace {
    (cell.shape_name.clone(), cell.batch_size, cell.load_mode)
}

/// The figures that the overview shows: median latency and throughput at every batch size, then
/// those of the session.
fn figures(pairs: &[&Pair]) -> Vec<Place> {
    let at = places(pairs);
    let of_cells = [Metric::LatencyP50, Metric::Throughput]
        .into_iter()
        .flat_map(|metric| at.iter().map(move |at| (metric, Some(at.clone()))));
    let of_session = [Metric::SessionLoad, Metric::FileSize]
        .into_iter()
        .chain(Metric::SCORES)
        .map(|metric| (metric, None))
        .filter(|place| pairs.iter().any(|pair| row(pair, place).is_some()));
    of_cells.chain(of_session).collect()
}

/// Where any of the pairs was measured, the smallest batch size first.
fn places(pairs: &[&Pair]) -> Vec<CellPlace> {
    let mut cells: Vec<&PairedCell> = pairs.iter().flat_map(|pair| &pair.cells).collect();
    cells.sort_by_key(|cell| (cell.shape, cell.batch_size, cell.load_mode));
    words::once(cells.into_iter().map(place_of))
}

fn row<'p>(pair: &'p Pair, place: &Place) -> Option<&'p Row> {
    let rows = match &place.1 {
        Some(at) => &pair.cells.iter().find(|cell| place_of(cell) == *at)?.rows,
        None => &pair.rows,
    };
    rows.iter().find(|row| row.metric == place.0)
}

fn add(table: &mut Builder, runs: &[String], pairs: &[&Pair], place: &Place) {
    let Some(first) = pairs.iter().find_map(|pair| row(pair, place)) else {
        return;
    };
    let variant = plain(&pairs[0].baseline.label);
    let mut cells = pairs.iter().flat_map(|pair| &pair.cells);
    let batch = cells
        .find(|cell| place.1.as_ref() == Some(&place_of(cell)))
        .map_or(MEANINGLESS.into(), batch);
    let figure = figure_name(place.0);
    let name = format!("{variant} {figure} {batch}");
    let baseline = first
        .baseline
        .measured()
        .map(|found| number::value(place.0.unit(), found.value, found.interval))
        .unwrap_or_else(|| "-".into());
    let mut cells = vec![variant, figure.into(), batch, baseline];
    for (number, run) in runs.iter().enumerate().skip(1) {
        let mut pairs = pairs.iter();
        let pair = pairs.find(|pair| pair.candidate.run == number);
        cells.push(match pair.and_then(|pair| row(pair, place)) {
            Some(row) => against_first(table, row, &format!("{name} of {run}")),
            None => table.absence(run, name.trim_end(), "the run did not measure it"),
        });
    }
    table.plain_row(cells);
}

/// `1.05x faster`, or `1.05x faster, open`: the change of a row, and the verdict on it.
fn against_first(table: &mut Builder, row: &Row, name: &str) -> String {
    let [change, _, _] = cells_of(table, row, name);
    let change = change.split(" (").next().unwrap_or_default();
    match verdict_of(row).as_str() {
        MEANINGLESS => change.to_owned(),
        verdict if change.ends_with(verdict) => change.to_owned(),
        verdict => format!("{change}, {verdict}"),
    }
}
