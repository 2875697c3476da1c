//! How the latencies of a single prediction are distributed.

use super::{AxisView, Cast, ChartView, Form, Measure, PointView, Scale, SeriesView, Tick};
use crate::analysis::{CellFindings, DistributionPoint, Estimate, distribution};
use crate::metric::{Metric, Unit};
use crate::report::words::{self, Builder, Source, Table, number};

/// Percentiles that the table shows, and those of them that are marked with their intervals.
const PERCENTILES: [Metric; 5] = [
    Metric::LatencyP50,
    Metric::LatencyP90,
    Metric::LatencyP95,
    Metric::LatencyP99,
    Metric::LatencyP999,
];
const MARKED: [(Metric, f64, &str); 2] = [
    (Metric::LatencyP50, 50.0, "median"),
    (Metric::LatencyP99, 99.0, "p99"),
];

struct Distribution<'a> {
    cell: &'a CellFindings,
    color: usize,
    points: Vec<DistributionPoint>,
}

impl<'a> Distribution<'a> {
    /// `None` for a session that is not drawn, and without recorded latencies.
    fn of(source: Source<'_>, cast: &Cast, cell: &'a CellFindings) -> Option<Self> {
        Some(Distribution {
            cell,
            color: cast.color(cell.key.session)?,
            points: distribution(source.record, cell.key)?,
        })
    }
}

pub(super) fn chart(source: Source<'_>, cast: &Cast) -> Result<ChartView, String> {
    let cells = source.single();
    let drawn: Vec<Distribution<'_>> = cells
        .iter()
        .filter_map(|cell| Distribution::of(source, cast, cell))
        .collect();
    let largest = drawn
        .iter()
        .flat_map(|drawn| &drawn.points)
        .map(|point| point.latency_ns.as_f64())
        .reduce(f64::max)
        .ok_or("no latencies were recorded")?;
    let measure = Measure::new(Unit::Ns, largest);
    let series: Vec<SeriesView> = drawn
        .iter()
        .flat_map(|drawn| series(&source.name(drawn.cell.key.session), drawn, measure))
        .collect();
    let batch = source.single_place().map_or(1, |at| at.batch_size);
    Ok(ChartView {
        id: "latency-distribution".into(),
        title: format!("Distribution of latencies at batch {batch}"),
        summary: format!(
            "Each line says which share of the inferences took at most so long: further left is faster, steeper is steadier. \
             Marks are the median and p99 with their 95% intervals.{}",
            cast.remark()
        ),
        x: AxisView::log(
            measure.title("latency"),
            series.iter().flat_map(SeriesView::extent),
        ),
        y: shares(),
        series,
        table: table(source, &cells),
    })
}

fn shares() -> AxisView {
    let ticks = [0.0, 25.0, 50.0, 75.0, 99.0]
        .map(|at| Tick {
            at,
            label: format!("{at}%"),
        })
        .to_vec();
    AxisView {
        title: "share of inferences".into(),
        scale: Scale::Linear,
        low: 0.0,
        high: 101.0,
        ticks,
    }
}

fn series(name: &str, drawn: &Distribution<'_>, measure: Measure) -> [SeriesView; 2] {
    let points = drawn.points.iter();
    let line = SeriesView {
        name: Some(name.to_owned()),
        color: drawn.color,
        form: Form::Steps,
        points: points.map(|point| step(name, point, measure)).collect(),
    };
    let marks = SeriesView {
        name: None,
        color: drawn.color,
        form: Form::Marks,
        points: marks(name, drawn.cell, measure),
    };
    [line, marks]
}

fn step(name: &str, point: &DistributionPoint, measure: Measure) -> PointView {
    PointView {
        x: measure.scaled(point.latency_ns.as_f64()),
        y: point.share.0 * 100.0,
        label: format!(
            "{name}\n{} of inferences within {}",
            number::share(point.share.0),
            number::time(point.latency_ns)
        ),
        ..PointView::default()
    }
}

fn marks(name: &str, cell: &CellFindings, measure: Measure) -> Vec<PointView> {
    let marked = MARKED.into_iter();
    marked
        .filter_map(|(metric, share, word)| {
            let estimate = cell.figure(metric)?;
            Some(PointView {
                x: measure.scaled(estimate.value()?),
                y: share,
                x_ends: estimate
                    .interval()
                    .map(|interval| PointView::ends(measure, interval)),
                label: format!("{name}\n{word} {}", words::value(metric, estimate)),
                ..PointView::default()
            })
        })
        .collect()
}

fn table(source: Source<'_>, cells: &[&CellFindings]) -> Table {
    let header: Vec<&str> = ["variant", "min"]
        .into_iter()
        .chain(PERCENTILES.map(Metric::short_label))
        .chain(["max"])
        .collect();
    let mut table = Builder::new("Percentiles of latency", &header);
    for cell in cells {
        let row = source.name(cell.key.session);
        if cell.outcome.is_ok() {
            add_row(&mut table, &header, row, cell);
        } else {
            table.absent_row(vec![row.clone()], &row, &cell.outcome);
        }
    }
    table.finish(Vec::new())
}

fn add_row(table: &mut Builder, header: &[&str], row: String, cell: &CellFindings) {
    let mut cells = vec![row.clone()];
    let metrics = [Metric::LatencyMin]
        .into_iter()
        .chain(PERCENTILES)
        .chain([Metric::LatencyMax]);
    for (metric, head) in metrics.zip(&header[1..]) {
        cells.push(
            table.figure(head, &row, cell.figure(metric), |estimate: &Estimate| {
                words::value(metric, estimate)
            }),
        );
    }
    table.plain_row(cells);
}
