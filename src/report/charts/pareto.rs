//! Cost of speed, in accuracy and memory.

use super::axis::NAME_WIDTH;
use super::{AxisView, ChartView, Drawing, Form, Measure, PointView, SeriesView};
use crate::analysis::{Front, FrontPoint, front};
use crate::metric::{Direction, Metric, Unit};
use crate::report::words::{self, Builder, Source, Table, text};

/// Diameters of the smallest and the largest mark, in pixels.
const SIZES: (f64, f64) = (9.0, 24.0);

const BASELINE_MARK: &str = " (baseline)";

struct Plot<'a> {
    source: Source<'a>,
    front: &'a Front,
    x: Measure,
    y: Measure,
}

pub(super) fn chart(source: Source<'_>) -> Drawing {
    let front = front(source.findings, &source.single()).ok_or("no variant has a score")?;
    if front.points.len() < 2 {
        return Err("fewer than two variants have both a latency and a score".into());
    }
    let points = front.points.iter();
    let latencies = points.clone().filter_map(|point| point.latency.value());
    let scores = points.filter_map(|point| point.score.value());
    let x = Measure::of(Unit::Ns, latencies.clone());
    let (x, y) = x
        .zip(Measure::of(front.score.unit(), scores.clone()))
        .ok_or("no variant has both a latency and a score")?;
    let better = if front.score.direction() == Direction::Higher {
        "top"
    } else {
        "bottom"
    };
    let plot = Plot {
        source,
        front: &front,
        x,
        y,
    };
    Ok(ChartView {
        id: "latency-accuracy".into(),
        title: "Latency against accuracy".into(),
        summary: format!(
            "Best is at the {better} left. The larger the mark, the higher the peak memory. Beaten: another variant has at least \
             as good a latency and score, whatever their intervals."
        ),
        x: x.log("median latency", latencies).widened(1.2),
        y: of_scores(front.score, y.around(front.score.label(), scores)),
        series: plot.series(),
        table: plot.table(),
    })
}

/// No share above all of it is marked on the axis of scores.
fn of_scores(score: Metric, mut axis: AxisView) -> AxisView {
    if score.unit() == Unit::Ratio && score.direction() == Direction::Higher {
        axis.ticks.retain(|tick| tick.at <= 100.0);
    }
    axis
}

/// Of a mark whose area says a share of the largest memory.
fn diameter(share: f64) -> f64 {
    let (smallest, largest) = SIZES;
    smallest + (largest - smallest) * share.sqrt()
}

impl Plot<'_> {
    fn series(&self) -> Vec<SeriesView> {
        [("beaten by none", false), ("beaten by another", true)]
            .into_iter()
            .enumerate()
            .map(|(color, (name, is_beaten))| SeriesView {
                name: Some(name.into()),
                color,
                form: Form::NamedMarks,
                points: self.points(|point| point.is_dominated == is_beaten),
            })
            .filter(|series| !series.points.is_empty())
            .collect()
    }

    fn points(&self, is_wanted: impl Fn(&FrontPoint) -> bool) -> Vec<PointView> {
        let points = self.front.points.iter();
        let memory = points.clone().filter_map(|point| point.peak_memory.value());
        let largest = memory.fold(1.0, f64::max);
        points
            .zip(self.names())
            .filter(|(point, _)| is_wanted(point))
            .filter_map(|(point, name)| {
                let memory = point.peak_memory.value().unwrap_or_default();
                Some(PointView {
                    x: self.x.scaled(point.latency.value()?),
                    y: self.y.scaled(point.score.value()?),
                    size: Some(diameter(memory / largest)),
                    name,
                    label: self.label(point),
                    ..PointView::default()
                })
            })
            .collect()
    }

    /// Beside the marks, of all points in their order.
    fn names(&self) -> Vec<String> {
        let points = self.front.points.iter();
        let names: Vec<String> = points
            .clone()
            .map(|point| self.source.name(point.key.session))
            .collect();
        let baseline = points.map(|point| self.source.session(point.key.session).is_baseline);
        text::distinct_names(&names, NAME_WIDTH)
            .into_iter()
            .zip(baseline)
            .map(|(name, is_baseline)| {
                if is_baseline {
                    name + BASELINE_MARK
                } else {
                    name
                }
            })
            .collect()
    }

    fn label(&self, point: &FrontPoint) -> String {
        let score = self.front.score;
        format!(
            "{}\n{}\n{} {}\npeak memory {}",
            self.source.name(point.key.session),
            words::value(Metric::LatencyP50, &point.latency),
            score.label(),
            words::value(score, &point.score),
            words::value(Metric::PeakMemory, &point.peak_memory),
        )
    }

    fn table(&self) -> Table {
        let score = self.front.score;
        let header = [
            "variant",
            "median latency",
            score.label(),
            "peak memory",
            "beaten",
        ];
        let mut table = Builder::new("Latency, accuracy and memory", &header);
        for point in &self.front.points {
            let row = self.source.name(point.key.session);
            let memory = table.figure("peak memory", &row, Some(&point.peak_memory), |memory| {
                words::value(Metric::PeakMemory, memory)
            });
            let beaten = if point.is_dominated {
                "by another"
            } else {
                "by none"
            };
            table.plain_row([
                row,
                words::value(Metric::LatencyP50, &point.latency),
                words::value(score, &point.score),
                memory,
                beaten.into(),
            ]);
        }
        table.finish([])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_share_above_all_is_marked() {
        let axis = Measure::new(Unit::Ratio, 1.0).around("top-1 accuracy", [1.0, 0.99]);
        assert!(axis.ticks.iter().any(|tick| tick.at > 100.0));
        let axis = of_scores(Metric::AccuracyTop1, axis);
        assert!(axis.ticks.iter().all(|tick| tick.at <= 100.0) && axis.ticks.len() > 1);
    }
}
