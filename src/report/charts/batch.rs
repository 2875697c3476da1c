//! Throughput and latency over batch sizes.

use std::collections::BTreeSet;

use super::{AxisView, Cast, ChartView, Drawn, Form, Measure, PointView, SeriesView};
use crate::analysis::{CellFindings, Estimate};
use crate::metric::Metric;
use crate::plan::{CellKey, LoadMode};
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
    let is_of_first = |key: CellKey| (key.load_mode, key.shape) == (first.load, first.shape);
    let is_drawn =
        |cell: &&CellFindings| is_of_first(cell.key) && cast.color(cell.key.session).is_some();
    let cells: Vec<&CellFindings> = source.findings.cells.iter().filter(is_drawn).collect();
    let sizes = cells
        .iter()
        .filter(|cell| cell.outcome.is_ok())
        .map(|cell| cell.key.batch_size);
    let sizes: Vec<u64> = sizes.collect::<BTreeSet<u64>>().into_iter().collect();
    if sizes.len() < 2 {
        return Err("fewer than two batch sizes were measured".into());
    }
    let figures = || cells.iter().filter_map(|cell| cell.figure(curve.metric));
    let values = || figures().filter_map(Estimate::value);
    let ends = figures()
        .filter_map(Estimate::interval)
        .flat_map(|ends| [ends.low, ends.high]);
    let measure = Measure::new(
        curve.metric.unit(),
        values().reduce(f64::max).ok_or("nothing was measured")?,
    );
    let series = cast
        .sessions()
        .map(|drawn| series(source, drawn, &cells, curve.metric, measure));
    let shape = source.shape(first.shape);
    let modes = (source.record.plan.load_modes.len() > 1)
        .then(|| format!("{} {}", first.load.in_column(), LoadMode::COLUMN));
    let chosen: Vec<String> = shape.into_iter().chain(modes).collect();
    let chosen = match chosen.as_slice() {
        [] => String::new(),
        chosen => format!(
            " With {}; the table of the sweep has the others.",
            words::listed(chosen)
        ),
    };
    Ok(ChartView {
        id: curve.id.into(),
        title: curve.title.into(),
        summary: format!("{}{chosen}{}", curve.summary, cast.remark()),
        x: AxisView::counts("batch size (samples)", &sizes),
        y: (curve.axis)(
            measure.title(curve.what),
            values()
                .chain(ends)
                .map(|value| measure.scaled(value))
                .collect(),
        ),
        series: series.collect(),
        table: table(source, cast, curve, &sizes, &cells),
    })
}

fn series(
    source: Source<'_>,
    Drawn { session, color }: Drawn,
    cells: &[&CellFindings],
    metric: Metric,
    measure: Measure,
) -> SeriesView {
    let name = source.name(session);
    let point = |cell: &&CellFindings| {
        let estimate = cell.figure(metric)?;
        Some(PointView {
            x: cell.key.batch_size as f64,
            y: measure.scaled(estimate.value()?),
            y_ends: estimate
                .interval()
                .map(|ends| (measure.scaled(ends.low), measure.scaled(ends.high))),
            label: format!(
                "{name}, batch {}\n{}",
                cell.key.batch_size,
                words::value(metric, estimate)
            ),
            ..PointView::default()
        })
    };
    let points = cells
        .iter()
        .filter(|cell| cell.key.session == session)
        .filter_map(point)
        .collect();
    SeriesView {
        name: Some(name.clone()),
        color,
        form: Form::Line,
        points,
    }
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
