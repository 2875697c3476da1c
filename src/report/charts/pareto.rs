//! What speed costs in accuracy and memory.

use super::{AxisView, ChartView, Form, Measure, PointView, SeriesView};
use crate::analysis::{Front, FrontPoint, front};
use crate::metric::{Direction, Metric, Unit};
use crate::report::words::{self, Builder, Source, Table};

/// Diameters of the smallest and the largest mark, in pixels.
const SIZES: (f64, f64) = (9.0, 34.0);

/// Of more variants than these, only those that none beats are named: names would cover one another.
const ALL_NAMED: usize = 5;

pub(super) fn chart(source: Source<'_>) -> Result<ChartView, String> {
    let front = front(source.findings, &source.single()).ok_or("no variant has a score")?;
    let latency = |point: &FrontPoint| point.latency.value().unwrap_or_default();
    let largest = front
        .points
        .iter()
        .map(latency)
        .reduce(f64::max)
        .ok_or("no variant has both a latency and a score")?;
    let x = Measure::new(Unit::Ns, largest);
    let scores = || front.points.iter().filter_map(|point| point.score.value());
    let y = Measure::new(front.score.unit(), scores().reduce(f64::max).unwrap_or(1.0));
    let name = front.score.label();
    let better = if front.score.direction() == Direction::Higher {
        "top"
    } else {
        "bottom"
    };
    Ok(ChartView {
        id: "latency-accuracy".into(),
        title: "Latency against accuracy".into(),
        summary: format!(
            "Best is at the {better} left. The larger the mark, the higher the peak memory. Variants to which another one is at \
             least equal in both are drawn apart; names and intervals are in the table."
        ),
        x: AxisView::log(
            x.title("median latency"),
            front.points.iter().map(|point| x.scaled(latency(point))),
        )
        .widened(1.2),
        y: AxisView::around(y.title(name), scores().map(|score| y.scaled(score))),
        series: series(source, &front, x, y),
        table: table(source, &front),
    })
}

fn series(source: Source<'_>, front: &Front, x: Measure, y: Measure) -> Vec<SeriesView> {
    let largest = front
        .points
        .iter()
        .filter_map(|point| point.peak_memory.value())
        .fold(1.0, f64::max);
    let point = |point: &FrontPoint| PointView {
        x: x.scaled(point.latency.value().unwrap_or_default()),
        y: y.scaled(point.score.value().unwrap_or_default()),
        size: Some(
            SIZES.0
                + (SIZES.1 - SIZES.0) * (point.peak_memory.value().unwrap_or(0.0) / largest).sqrt(),
        ),
        label: format!(
            "{}\n{}\n{} {}\npeak memory {}",
            source.name(point.key.session),
            words::value(Metric::LatencyP50, &point.latency),
            front.score.label(),
            words::value(front.score, &point.score),
            words::value(Metric::PeakMemory, &point.peak_memory),
        ),
        ..PointView::default()
    };
    let part = |(name, color, is_dominated): (&str, usize, bool)| SeriesView {
        name: Some(name.into()),
        color,
        form: if is_dominated && front.points.len() > ALL_NAMED {
            Form::Marks
        } else {
            Form::NamedMarks
        },
        points: front
            .points
            .iter()
            .filter(|point| point.is_dominated == is_dominated)
            .map(point)
            .collect(),
    };
    let parts = [("beaten by none", 0, false), ("beaten by another", 1, true)].map(part);
    parts
        .into_iter()
        .filter(|part| !part.points.is_empty())
        .collect()
}

fn table(source: Source<'_>, front: &Front) -> Table {
    let mut table = Builder::new(
        "Latency, accuracy and memory",
        &[
            "variant",
            "median latency",
            front.score.label(),
            "peak memory",
            "beaten",
        ],
    );
    for point in &front.points {
        let row = source.name(point.key.session);
        let latency = words::value(Metric::LatencyP50, &point.latency);
        let score = words::value(front.score, &point.score);
        let memory = table.figure("peak memory", &row, Some(&point.peak_memory), |memory| {
            words::value(Metric::PeakMemory, memory)
        });
        let beaten = if point.is_dominated {
            "by another"
        } else {
            "by none"
        };
        table.plain_row(vec![row, latency, score, memory, beaten.into()]);
    }
    table.finish(vec![
        "beaten: another variant has at least as good a latency and score, whatever their intervals".into(),
    ])
}
