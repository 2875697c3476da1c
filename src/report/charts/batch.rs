//! Throughput and latency over batch sizes.

use std::collections::BTreeSet;

use super::axis::value_and_ends;
use super::{AxisView, Cast, ChartView, Drawing, Form, Measure, PointView, SeriesView};
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

/// Cells under one name, which a line joins.
pub(in crate::report) struct Traced<'a> {
    pub(in crate::report) name: String,
    pub(in crate::report) cells: Vec<&'a CellFindings>,
}

/// A chart of lines over batch sizes, each line the cells of one load mode and shape.
struct Sweep<'a> {
    curve: &'a Curve,
    lines: Vec<Traced<'a>>,
    /// What a line is.
    of: &'static str,
}

fn chart(cast: &Cast<'_>, curve: &Curve) -> Drawing {
    let first = cast.source.single_place().ok_or("nothing was asked for")?;
    let lines = cast.sessions.iter().map(|&session| Traced {
        name: cast.source.name(session),
        cells: drawn_cells(cast, session, first),
    });
    let sweep = Sweep {
        curve,
        lines: lines.collect(),
        of: "variant",
    };
    sweep.drawn(&format!("{}{}", chosen(cast.source, first), cast.remark()))
}

/// Median latency over batch sizes, one line for each run.
pub(super) fn over_runs(lines: Vec<Traced<'_>>, remark: &str) -> Drawing {
    let sweep = Sweep {
        curve: &LATENCY,
        lines,
        of: "run",
    };
    sweep.drawn(remark)
}

fn drawn_cells<'a>(cast: &Cast<'a>, session: usize, first: Workload) -> Vec<&'a CellFindings> {
    cast.source
        .cells()
        .filter(|cell| cell.key.session == session)
        .filter(|cell| (cell.key.load_mode, cell.key.shape) == (first.load, first.shape))
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
    fn drawn(&self, remark: &str) -> Drawing {
        let sizes = self.measured_sizes();
        if sizes.len() < 2 {
            return Err("fewer than two batch sizes were measured".into());
        }
        let curve = self.curve;
        let values = self.figures().map(|figure| figure.value);
        let measure = Measure::of(curve.metric.unit(), values).ok_or("nothing was measured")?;
        let extent = self.figures().flat_map(value_and_ends).collect();
        Ok(ChartView {
            id: curve.id.into(),
            title: curve.title.into(),
            summary: format!("{}{remark}", curve.summary),
            x: AxisView::counts("batch size (samples)", &sizes),
            y: (curve.axis)(measure, curve.what, extent),
            series: self.series(measure),
            table: self.table(&sizes),
        })
    }

    fn cells(&self) -> impl Iterator<Item = &CellFindings> {
        self.lines
            .iter()
            .flat_map(|line| line.cells.iter().copied())
    }

    /// Ascending, each once.
    fn measured_sizes(&self) -> BTreeSet<u64> {
        self.cells()
            .filter(|cell| cell.outcome.is_ok())
            .map(|cell| cell.key.batch_size)
            .collect()
    }

    fn figures(&self) -> impl Iterator<Item = &Measured> {
        self.cells()
            .filter_map(|cell| cell.figure(self.curve.metric)?.measured())
    }

    fn series(&self, measure: Measure) -> Vec<SeriesView> {
        self.lines
            .iter()
            .enumerate()
            .map(|(color, line)| SeriesView {
                name: Some(line.name.clone()),
                color,
                form: Form::Line,
                points: self.points(line, measure),
            })
            .collect()
    }

    fn points(&self, line: &Traced<'_>, measure: Measure) -> Vec<PointView> {
        line.cells
            .iter()
            .filter_map(|cell| self.point(&line.name, cell, measure))
            .collect()
    }

    fn point(&self, name: &str, cell: &CellFindings, measure: Measure) -> Option<PointView> {
        let metric = self.curve.metric;
        let estimate = cell.figure(metric)?;
        let batch = cell.key.batch_size;
        Some(PointView {
            x: batch as f64,
            y: measure.scaled(estimate.value()?),
            y_ends: measure.ends(estimate),
            label: format!("{name}, batch {batch}\n{}", words::value(metric, estimate)),
            ..PointView::default()
        })
    }

    fn table(&self, sizes: &BTreeSet<u64>) -> Table {
        let heads: Vec<String> = sizes.iter().map(|size| format!("batch {size}")).collect();
        let mut header = vec![self.of];
        header.extend(heads.iter().map(String::as_str));
        let mut table = Builder::new(self.curve.title, &header);
        for line in &self.lines {
            let mut cells = vec![line.name.clone()];
            for (&size, head) in sizes.iter().zip(&heads) {
                cells.push(
                    table.figure(head, &line.name, self.at(line, size), |found| {
                        words::value(self.curve.metric, found)
                    }),
                );
            }
            table.plain_row(cells);
        }
        table.finish([])
    }

    fn at<'a>(&self, line: &Traced<'a>, batch_size: u64) -> Option<&'a Estimate> {
        line.cells
            .iter()
            .find(|cell| cell.key.batch_size == batch_size)?
            .figure(self.curve.metric)
    }
}
