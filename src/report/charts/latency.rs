//! How the latencies of a single prediction are distributed.

use super::axis::value_and_ends;
use super::{AxisView, Cast, ChartView, Drawing, Form, Measure, PointView, SeriesView, Tick};
use crate::analysis::{CellFindings, DistributionPoint, distribution};
use crate::metric::{Metric, Unit};
use crate::report::words::{self, Builder, Source, Table, number};

/// Columns of the table.
const COLUMNS: [(&str, Metric); 7] = [
    ("min", Metric::LatencyMin),
    ("median", Metric::LatencyP50),
    ("p90", Metric::LatencyP90),
    ("p95", Metric::LatencyP95),
    ("p99", Metric::LatencyP99),
    ("p99.9", Metric::LatencyP999),
    ("max", Metric::LatencyMax),
];

/// Percentiles that are marked with their intervals.
const MARKED: [(Metric, f64, &str); 2] = [
    (Metric::LatencyP50, 50.0, "median"),
    (Metric::LatencyP99, 99.0, "p99"),
];

struct Distribution<'a> {
    cell: &'a CellFindings,
    name: String,
    short_name: String,
    color: usize,
    points: Vec<DistributionPoint>,
}

pub(super) fn chart(cast: &Cast<'_>) -> Drawing {
    let source = cast.source;
    let cells = source.single();
    let drawn: Vec<Distribution<'_>> = cells
        .iter()
        .filter_map(|cell| Distribution::of(cast, cell))
        .collect();
    let points = drawn.iter().flat_map(|drawn| &drawn.points);
    let measure = Measure::of(Unit::Ns, points.map(|point| point.latency_ns.as_f64()))
        .ok_or("no latencies were recorded")?;
    let batch = source.single_place().map_or(1, |at| at.batch_size);
    Ok(ChartView {
        id: "latency-distribution".into(),
        title: format!("Distribution of latencies at batch {batch}"),
        summary: format!(
            "Each line says which share of the inferences took at most so long: further left is faster, steeper is steadier. \
             Marks are the median and p99 with their 95% intervals.{}",
            cast.remark()
        ),
        x: measure.log("latency", drawn.iter().flat_map(Distribution::extent)),
        y: shares(),
        series: drawn
            .iter()
            .flat_map(|drawn| drawn.series(measure))
            .collect(),
        table: table(source, &cells),
    })
}

fn shares() -> AxisView {
    AxisView {
        title: "share of inferences".into(),
        high: 101.0,
        ticks: [0.0, 25.0, 50.0, 75.0, 99.0]
            .map(|at| Tick {
                at,
                label: format!("{at}%"),
            })
            .to_vec(),
        ..AxisView::default()
    }
}

impl<'a> Distribution<'a> {
    /// `None` for a session that is not drawn, and without recorded latencies.
    fn of(cast: &Cast<'_>, cell: &'a CellFindings) -> Option<Self> {
        let session = cell.key.session;
        let color = cast.color(session)?;
        Some(Distribution {
            cell,
            name: cast.source.name(session),
            short_name: cast.short_name(color),
            color,
            points: distribution(cast.source.record, cell.key)?,
        })
    }

    /// Values that an axis has to hold: the points, and the marked figures with their intervals.
    fn extent(&self) -> impl Iterator<Item = f64> {
        let marked = MARKED
            .into_iter()
            .filter_map(|(metric, ..)| self.cell.figure(metric)?.measured());
        self.points
            .iter()
            .map(|point| point.latency_ns.as_f64())
            .chain(marked.flat_map(value_and_ends))
    }

    fn series(&self, measure: Measure) -> [SeriesView; 2] {
        let points = self.points.iter();
        let line = SeriesView {
            name: Some(self.short_name.clone()),
            color: self.color,
            form: Form::Steps,
            points: points.map(|point| self.step(point, measure)).collect(),
        };
        let marks = SeriesView {
            name: None,
            color: self.color,
            form: Form::Marks,
            points: self.marks(measure),
        };
        [line, marks]
    }

    fn step(&self, point: &DistributionPoint, measure: Measure) -> PointView {
        PointView {
            x: measure.scaled(point.latency_ns.as_f64()),
            y: point.share.0 * 100.0,
            label: format!(
                "{}\n{} of inferences within {}",
                self.name,
                number::share(point.share.0),
                number::time(point.latency_ns)
            ),
            ..PointView::default()
        }
    }

    fn marks(&self, measure: Measure) -> Vec<PointView> {
        let marked = MARKED.into_iter();
        marked
            .filter_map(|(metric, share, word)| {
                let estimate = self.cell.figure(metric)?;
                Some(PointView {
                    x: measure.scaled(estimate.value()?),
                    y: share,
                    x_ends: measure.ends(estimate),
                    label: format!("{}\n{word} {}", self.name, words::value(metric, estimate)),
                    ..PointView::default()
                })
            })
            .collect()
    }
}

fn table(source: Source<'_>, cells: &[&CellFindings]) -> Table {
    let mut header = vec!["variant"];
    header.extend(COLUMNS.map(|(head, _)| head));
    let mut table = Builder::new("Percentiles of latency", &header);
    for cell in cells {
        let row = source.name(cell.key.session);
        if !cell.outcome.is_ok() {
            table.absent_row(vec![row.clone()], &row, &cell.outcome);
            continue;
        }
        let mut figures = vec![row.clone()];
        figures.extend(COLUMNS.map(|(head, metric)| match cell.figure(metric) {
            Some(found) if metric.is_percentile() && found.interval().is_none() => {
                table.bound(head, &row, metric, Some(found))
            }
            figure => table.figure(head, &row, figure, |found| words::value(metric, found)),
        }));
        table.plain_row(figures);
    }
    table.finish([])
}
