//! Throughput and latency over batch sizes.

use std::collections::BTreeSet;

use super::{AxisView, Cast, ChartView, Drawn, Form, Measure, PointView, SeriesView};
use crate::analysis::{CellFindings, Estimate};
use crate::metric::Metric;
use crate::plan::{LoadMode, Workload};
use crate::report::words::{self, Builder, Source, Table};

pub(super) fn charts(
    source: Source<'_>,
    cast: &Cast,
) -> Vec<(&'static str, Result<ChartView, String>)> {
    vec![
        (
            "Throughput over batch sizes",
            chart(source, cast, &THROUGHPUT),
        ),
        ("Latency over batch sizes", chart(source, cast, &LATENCY)),
    ]
}

struct Curve {
    id: &'static str,
    title: &'static str,
    what: &'static str,
    metric: Metric,
    axis: fn(String, Vec<f64>) -> AxisView,
    summary: &'static str,
}

const THROUGHPUT: Curve = Curve {
    id: "batch-throughput",
    title: "Throughput over batch sizes",
    what: "throughput, predictions",
    metric: Metric::Throughput,
    axis: |title, values| AxisView::from_zero(title, values),
    summary: "Higher is better; where a line is flat, larger batches only cost latency. Bars are 95% intervals.",
};

const LATENCY: Curve = Curve {
    id: "batch-latency",
    title: "Median latency over batch sizes",
    what: "median latency",
    metric: Metric::LatencyP50,
    axis: |title, values| AxisView::log(title, values),
    summary: "Time of one inference of the whole batch; lower is better. Bars are 95% intervals.",
};

fn chart(source: Source<'_>, cast: &Cast, curve: &Curve) -> Result<ChartView, String> {
    let first = source.single_place().ok_or("nothing was asked for")?;
    let cells = drawn_cells(source, cast, first);
    let sizes = measured_sizes(&cells);
    if sizes.len() < 2 {
        return Err("fewer than two batch sizes were measured".into());
    }
    let largest = figures(&cells, curve.metric)
        .filter_map(Estimate::value)
        .reduce(f64::max)
        .ok_or("nothing was measured")?;
    let measure = Measure::new(curve.metric.unit(), largest);
    let series = cast
        .sessions()
        .map(|drawn| series(source, drawn, &cells, curve.metric, measure));
    let chosen = chosen(source, first);
    Ok(ChartView {
        id: curve.id.into(),
        title: curve.title.into(),
        summary: format!("{}{chosen}{}", curve.summary, cast.remark()),
        x: AxisView::counts("batch size (samples)", &sizes),
        y: (curve.axis)(
            measure.title(curve.what),
            extent(&cells, curve.metric, measure),
        ),
        series: series.collect(),
        table: table(source, cast, curve, &sizes, &cells),
    })
}

/// Those of the first load mode and shape.
fn drawn_cells<'a>(source: Source<'a>, cast: &Cast, first: Workload) -> Vec<&'a CellFindings> {
    let cells = source.findings.cells.iter();
    cells
        .filter(|cell| {
            (cell.key.load_mode, cell.key.shape) == (first.load, first.shape)
                && cast.color(cell.key.session).is_some()
        })
        .collect()
}

/// Ascending, each once.
fn measured_sizes(cells: &[&CellFindings]) -> Vec<u64> {
    let measured = cells.iter().filter(|cell| cell.outcome.is_ok());
    let sizes: BTreeSet<u64> = measured.map(|cell| cell.key.batch_size).collect();
    sizes.into_iter().collect()
}

fn figures<'a>(cells: &[&'a CellFindings], metric: Metric) -> impl Iterator<Item = &'a Estimate> {
    cells.iter().filter_map(move |cell| cell.figure(metric))
}

/// Values, then the ends of their intervals.
fn extent(cells: &[&CellFindings], metric: Metric, measure: Measure) -> Vec<f64> {
    let values = figures(cells, metric).filter_map(Estimate::value);
    let ends = figures(cells, metric)
        .filter_map(Estimate::interval)
        .flat_map(|ends| [ends.low, ends.high]);
    values
        .chain(ends)
        .map(|value| measure.scaled(value))
        .collect()
}

/// Which shape and load mode of several are drawn, as a sentence after another one.
fn chosen(source: Source<'_>, first: Workload) -> String {
    let modes = (source.record.plan.load_modes.len() > 1)
        .then(|| format!("{} {}", first.load.in_column(), LoadMode::COLUMN));
    let chosen: Vec<String> = source.shape(first.shape).into_iter().chain(modes).collect();
    match chosen.as_slice() {
        [] => String::new(),
        chosen => format!(
            " With {}; the table of the sweep has the others.",
            words::listed(chosen)
        ),
    }
}

fn series(
    source: Source<'_>,
    Drawn { session, color }: Drawn,
    cells: &[&CellFindings],
    metric: Metric,
    measure: Measure,
) -> SeriesView {
    let name = source.name(session);
    let points = cells
        .iter()
        .filter(|cell| cell.key.session == session)
        .filter_map(|cell| point(&name, cell, metric, measure))
        .collect();
    SeriesView {
        name: Some(name),
        color,
        form: Form::Line,
        points,
    }
}

fn point(name: &str, cell: &CellFindings, metric: Metric, measure: Measure) -> Option<PointView> {
    let estimate = cell.figure(metric)?;
    let batch = cell.key.batch_size;
    Some(PointView {
        x: batch as f64,
        y: measure.scaled(estimate.value()?),
        y_ends: estimate
            .interval()
            .map(|interval| PointView::ends(measure, interval)),
        label: format!("{name}, batch {batch}\n{}", words::value(metric, estimate)),
        ..PointView::default()
    })
}

fn table(
    source: Source<'_>,
    cast: &Cast,
    curve: &Curve,
    sizes: &[u64],
    cells: &[&CellFindings],
) -> Table {
    let heads: Vec<String> = sizes.iter().map(|size| format!("batch {size}")).collect();
    let header: Vec<&str> = ["variant"]
        .into_iter()
        .chain(heads.iter().map(String::as_str))
        .collect();
    let mut table = Builder::new(curve.title, &header);
    for Drawn { session, .. } in cast.sessions() {
        let row = source.name(session);
        let mut line = vec![row.clone()];
        for (size, head) in sizes.iter().zip(&heads) {
            let cell = cells
                .iter()
                .find(|cell| cell.key.session == session && cell.key.batch_size == *size);
            let estimate = cell.and_then(|cell| cell.figure(curve.metric));
            line.push(table.figure(head, &row, estimate, |estimate| {
                words::value(curve.metric, estimate)
            }));
        }
        table.plain_row(line);
    }
    table.finish(Vec::new())
}
