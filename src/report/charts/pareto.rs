//! What speed costs in accuracy and memory.

use super::{AxisView, ChartView, Form, Measure, PointView, SeriesView};
use crate::analysis::{Estimate, Front, FrontPoint, front};
use crate::metric::{Direction, Metric, Unit};
use crate::report::words::{self, Builder, Source, Table};

/// Diameters of the smallest and the largest mark, in pixels.
const SIZES: (f64, f64) = (9.0, 34.0);

/// Of more variants than these, only those that none beats are named: names would cover one
/// another.
const ALL_NAMED: usize = 5;

pub(super) fn chart(source: Source<'_>) -> Result<ChartView, String> {
    let front = front(source.findings, &source.single()).ok_or("no variant has a score")?;
    let points = front.points.iter();
    let latencies: Vec<f64> = points.clone().map(|point| value(&point.latency)).collect();
    let largest = latencies.iter().copied().reduce(f64::max);
    let x = Measure::new(
        Unit::Ns,
        largest.ok_or("no variant has both a latency and a score")?,
    );
    let scores: Vec<f64> = points.filter_map(|point| point.score.value()).collect();
    let best = scores.iter().copied().reduce(f64::max);
    let y = Measure::new(front.score.unit(), best.unwrap_or(1.0));
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
            latencies.into_iter().map(|latency| x.scaled(latency)),
        )
        .widened(1.2),
        y: AxisView::around(
            y.title(name),
            scores.into_iter().map(|score| y.scaled(score)),
        ),
        series: series(source, &front, x, y),
        table: table(source, &front),
    })
}

/// 0 of what was not measured.
fn value(estimate: &Estimate) -> f64 {
    estimate.value().unwrap_or_default()
}

fn series(source: Source<'_>, front: &Front, x: Measure, y: Measure) -> Vec<SeriesView> {
    let largest = front
        .points
        .iter()
        .filter_map(|point| point.peak_memory.value())
        .fold(1.0, f64::max);
    let (beaten, unbeaten): (Vec<&FrontPoint>, Vec<&FrontPoint>) =
        front.points.iter().partition(|point| point.is_dominated);
    let form_of_beaten = if front.points.len() > ALL_NAMED {
        Form::Marks
    } else {
        Form::NamedMarks
    };
    [
        ("beaten by none", Form::NamedMarks, unbeaten),
        ("beaten by another", form_of_beaten, beaten),
    ]
    .into_iter()
    .enumerate()
    .filter(|(_, (_, _, points))| !points.is_empty())
    .map(|(color, (name, form, points))| SeriesView {
        name: Some(name.into()),
        color,
        form,
        points: points
            .iter()
            .map(|point| PointView {
                x: x.scaled(value(&point.latency)),
                y: y.scaled(value(&point.score)),
                size: Some(diameter(value(&point.peak_memory) / largest)),
                label: label(source, front.score, point),
                ..PointView::default()
            })
            .collect(),
    })
    .collect()
}

/// Of a mark whose area says a share of the largest memory.
fn diameter(share: f64) -> f64 {
    let (smallest, largest) = SIZES;
    smallest + (largest - smallest) * share.sqrt()
}

fn label(source: Source<'_>, score: Metric, point: &FrontPoint) -> String {
    format!(
        "{}\n{}\n{} {}\npeak memory {}",
        source.name(point.key.session),
        words::value(Metric::LatencyP50, &point.latency),
        score.label(),
        words::value(score, &point.score),
        words::value(Metric::PeakMemory, &point.peak_memory),
    )
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
