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

type Distribution<'a> = (&'a CellFindings, usize, Vec<DistributionPoint>);

pub(super) fn chart(source: Source<'_>, cast: &Cast) -> Result<ChartView, String> {
    let cells = source.single();
    let of_cast = cells
        .iter()
        .filter_map(|cell| Some((*cell, cast.color(cell.key.session)?)));
    let drawn: Vec<Distribution<'_>> = of_cast
        .filter_map(|(cell, color)| Some((cell, color, distribution(source.record, cell.key)?)))
        .collect();
    let latencies = || {
        drawn
            .iter()
            .flat_map(|(_, _, points)| points)
            .map(|point| point.latency_ns.as_f64())
    };
    let largest = latencies()
        .reduce(f64::max)
        .ok_or("no latencies were recorded")?;
    let measure = Measure::new(Unit::Ns, largest);
    let series: Vec<SeriesView> = drawn
        .iter()
        .flat_map(|drawn| series(source, measure, drawn))
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

fn series(
    source: Source<'_>,
    measure: Measure,
    (cell, color, points): &Distribution<'_>,
) -> [SeriesView; 2] {
    let name = source.name(cell.key.session);
    let step = |point: &DistributionPoint| PointView {
        x: measure.scaled(point.latency_ns.as_f64()),
        y: point.share.0 * 100.0,
        label: format!(
            "{name}\n{} of inferences within {}",
            number::share(point.share.0),
            number::time(point.latency_ns)
        ),
        ..PointView::default()
    };
    let mark = |(metric, share, word): (Metric, f64, &str)| {
        let estimate = cell.figure(metric)?;
        let ends = estimate
            .interval()
            .map(|ends| (measure.scaled(ends.low), measure.scaled(ends.high)));
        Some(PointView {
            x: measure.scaled(estimate.value()?),
            y: share,
            x_ends: ends,
            label: format!("{name}\n{word} {}", words::value(metric, estimate)),
            ..PointView::default()
        })
    };
    let line = SeriesView {
        name: Some(name.clone()),
        color: *color,
        form: Form::Steps,
        points: points.iter().map(step).collect(),
    };
    let marks = MARKED.into_iter().filter_map(mark).collect();
    [
        line,
        SeriesView {
            name: None,
            color: *color,
            form: Form::Marks,
            points: marks,
        },
    ]
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
        if !cell.outcome.is_ok() {
            table.absent_row(vec![row.clone()], &row, &cell.outcome);
            continue;
        }
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
    table.finish(Vec::new())
}
