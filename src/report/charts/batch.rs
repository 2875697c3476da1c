//! Throughput and latency over batch sizes.

use std::collections::BTreeSet;

use super::axis::value_and_ends;
use super::{AxisView, Cast, ChartView, Drawing, Form, Measure, PointView};
use crate::analysis::{CellFindings, Estimate, Measured};
use crate::metric::Metric;
use crate::plan::{LoadMode, Workload};
use crate::report::words::{self, Builder, Source, Table};

pub(super) fn charts(cast: &Cast<'_>) -> [(&'static str, Drawing); 2] {
    [
        ("Throughput over batch sizes", chart(cast, &THROUGHPUT)),
        ("Latency over batch sizes", chart(cast, &LATENCY)),
    ]
}

struct Curve {
    id: &'static str,
    title: &'static str,
    what: &'static str,
    metric: Metric,
    axis: fn(Measure, &str, Vec<f64>) -> AxisView,
    summary: &'static str,
}

const THROUGHPUT: Curve = Curve {
    id: "batch-throughput",
    title: "Throughput over batch sizes",
    what: "throughput, predictions",
    metric: Metric::Throughput,
    axis: Measure::with_zero,
    summary: "Higher is better; where a line is flat, larger batches only cost latency. Bars are 95% intervals.",
};

const LATENCY: Curve = Curve {
    id: "batch-latency",
    title: "Median latency over batch sizes",
    what: "median latency",
    metric: Metric::LatencyP50,
    axis: Measure::log,
    summary: "Time of one inference of the whole batch; lower is better. Bars are 95% intervals.",
};

/// A curve over the cells of the first load mode and shape.
struct Sweep<'a> {
    cast: &'a Cast<'a>,
    curve: &'a Curve,
    cells: Vec<&'a CellFindings>,
}

fn chart(cast: &Cast<'_>, curve: &Curve) -> Drawing {
    let first = cast.source.single_place().ok_or("nothing was asked for")?;
    let cells = drawn_cells(cast, first);
    let sizes = measured_sizes(&cells);
    if sizes.len() < 2 {
        return Err("fewer than two batch sizes were measured".into());
    }
    let sweep = Sweep { cast, curve, cells };
    let values = sweep.figures().map(|figure| figure.value);
    let measure = Measure::of(curve.metric.unit(), values).ok_or("nothing was measured")?;
    let extent = sweep.figures().flat_map(value_and_ends).collect();
    let series = cast.series(Form::Line, |session| sweep.points(session, measure));
    Ok(ChartView {
        id: curve.id.into(),
        title: curve.title.into(),
        summary: format!(
            "{}{}{}",
            curve.summary,
            chosen(cast.source, first),
            cast.remark()
        ),
        x: AxisView::counts("batch size (samples)", &sizes),
        y: (curve.axis)(measure, curve.what, extent),
        series: series.collect(),
        table: sweep.table(&sizes),
    })
}

fn drawn_cells<'a>(cast: &Cast<'a>, first: Workload) -> Vec<&'a CellFindings> {
    cast.source
        .cells()
        .filter(|cell| cast.color(cell.key.session).is_some())
        .filter(|cell| (cell.key.load_mode, cell.key.shape) == (first.load, first.shape))
        .collect()
}

/// Ascending, each once.
fn measured_sizes(cells: &[&CellFindings]) -> BTreeSet<u64> {
    cells
        .iter()
        .filter(|cell| cell.outcome.is_ok())
        .map(|cell| cell.key.batch_size)
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

impl Sweep<'_> {
    fn figures(&self) -> impl Iterator<Item = &Measured> {
        self.cells
            .iter()
            .filter_map(|cell| cell.figure(self.curve.metric)?.measured())
    }

    fn points(&self, session: usize, measure: Measure) -> Vec<PointView> {
        self.cells
            .iter()
            .filter(|cell| cell.key.session == session)
            .filter_map(|cell| self.point(cell, measure))
            .collect()
    }

    fn point(&self, cell: &CellFindings, measure: Measure) -> Option<PointView> {
        let metric = self.curve.metric;
        let estimate = cell.figure(metric)?;
        let batch = cell.key.batch_size;
        Some(PointView {
            x: batch as f64,
            y: measure.scaled(estimate.value()?),
            y_ends: measure.ends(estimate),
            label: format!(
                "{}, batch {batch}\n{}",
                self.cast.source.name(cell.key.session),
                words::value(metric, estimate)
            ),
            ..PointView::default()
        })
    }

    fn table(&self, sizes: &BTreeSet<u64>) -> Table {
        let heads: Vec<String> = sizes.iter().map(|size| format!("batch {size}")).collect();
        let mut header = vec!["variant"];
        header.extend(heads.iter().map(String::as_str));
        let mut table = Builder::new(self.curve.title, &header);
        for &session in &self.cast.sessions {
            let row = self.cast.source.name(session);
            let mut line = vec![row.clone()];
            for (&size, head) in sizes.iter().zip(&heads) {
                line.push(table.figure(head, &row, self.at(session, size), |found| {
                    words::value(self.curve.metric, found)
                }));
            }
            table.plain_row(line);
        }
        table.finish([])
    }

    fn at(&self, session: usize, batch_size: u64) -> Option<&Estimate> {
        self.cells
            .iter()
            .find(|cell| (cell.key.session, cell.key.batch_size) == (session, batch_size))?
            .figure(self.curve.metric)
    }
}
