//! What a search tried: throughput over latency, with the configurations that no other one beats.

use super::axis::{NAME_WIDTH, value_and_ends};
use super::{ChartView, Drawing, Form, Measure, PointView, SeriesView};
use crate::analysis::tuning::{Candidate, TuningFindings};
use crate::metric::Metric;
use crate::report::words::{self, Builder, Source, Table, text};

/// Names that stand beside marks: more would leave no room for the marks.
const NAMED: usize = 12;

struct Search<'a> {
    source: Source<'a>,
    found: &'a TuningFindings,
    latency: Measure,
    throughput: Measure,
}

pub(super) fn chart(source: Source<'_>) -> Drawing {
    let found = source
        .findings
        .tuning
        .as_ref()
        .ok_or("the run is no search")?;
    let measured: Vec<&Candidate> = found
        .candidates
        .iter()
        .filter(|one| one.is_measured())
        .collect();
    let values = |metric| {
        let figures = measured
            .iter()
            .filter_map(move |one| one.figure(metric)?.measured());
        figures.flat_map(value_and_ends).collect::<Vec<f64>>()
    };
    let [latencies, rates] = [Metric::LatencyP50, Metric::Throughput].map(values);
    let of = |metric: Metric, values: &[f64]| {
        Measure::of(metric.unit(), values.iter().copied()).ok_or("no configuration was measured")
    };
    let search = Search {
        source,
        found,
        latency: of(Metric::LatencyP50, &latencies)?,
        throughput: of(Metric::Throughput, &rates)?,
    };
    Ok(ChartView {
        id: "search".into(),
        title: "Throughput over latency".into(),
        summary: "Each mark is a configuration with its batch size; best is at the top left. On the front: no other one is \
                  better in one of latency, throughput, memory and accuracy without being worse in another. The line joins \
                  those that none beats in latency and throughput."
            .into(),
        x: search.latency.log("median latency", latencies).widened(1.1),
        y: search.throughput.log("throughput, predictions", rates).widened(1.1),
        series: search.series(),
        table: search.table(),
    })
}

impl Search<'_> {
    fn series(&self) -> Vec<SeriesView> {
        let mut front = self.points(|place| self.found.front.contains(&place));
        front.sort_by(|one, other| one.x.total_cmp(&other.x));
        let form = if front.len() > NAMED {
            Form::Marks
        } else {
            Form::NamedMarks
        };
        let others = self.points(|place| !self.found.front.contains(&place));
        let best = self.points(|place| self.found.best == Some(place));
        [
            (None, 0, Form::Steps, joined(&front)),
            (Some("beaten by another"), 6, Form::Marks, others),
            (Some("on the front"), 0, form, front),
            (Some("best"), 2, Form::Marks, best),
        ]
        .into_iter()
        .filter(|(.., points)| !points.is_empty())
        .map(|(name, color, form, points)| SeriesView {
            name: name.map(str::to_owned),
            color,
            form,
            points,
        })
        .collect()
    }

    fn points(&self, is_wanted: impl Fn(usize) -> bool) -> Vec<PointView> {
        let names: Vec<String> = self
            .found
            .candidates
            .iter()
            .map(|one| self.name(one))
            .collect();
        let short = text::distinct_names(&names, NAME_WIDTH);
        self.found
            .candidates
            .iter()
            .enumerate()
            .filter(|&(place, _)| is_wanted(place))
            .filter_map(|(place, one)| self.point(one, short[place].clone()))
            .collect()
    }

    fn point(&self, one: &Candidate, name: String) -> Option<PointView> {
        let (latency, rate) = (
            one.figure(Metric::LatencyP50)?,
            one.figure(Metric::Throughput)?,
        );
        Some(PointView {
            x: self.latency.scaled(latency.value()?),
            y: self.throughput.scaled(rate.value()?),
            name,
            label: format!(
                "{}\nmedian latency {}\nthroughput {}",
                self.name(one),
                words::value(Metric::LatencyP50, latency),
                words::value(Metric::Throughput, rate)
            ),
            ..PointView::default()
        })
    }

    fn name(&self, one: &Candidate) -> String {
        format!(
            "{}, batch {}",
            self.source.name(one.key.session),
            one.key.batch_size
        )
    }

    fn table(&self) -> Table {
        let mut table = Builder::new(
            "Configurations by latency and throughput",
            &[
                "configuration",
                "median latency",
                "throughput",
                "on the front",
            ],
        );
        for (place, one) in self.found.candidates.iter().enumerate() {
            if !one.is_measured() {
                continue;
            }
            let row = self.name(one);
            let mut line = table.line(row);
            for (head, metric) in [
                ("median latency", Metric::LatencyP50),
                ("throughput", Metric::Throughput),
            ] {
                line.estimate(head, one.figure(metric), |found| {
                    words::value(metric, found)
                });
            }
            line.text(if self.found.front.contains(&place) {
                "yes"
            } else {
                "no"
            });
            line.end(words::RowKind::Plain);
        }
        table.finish([])
    }
}

/// The corners of a line over those that no other one beats in latency and throughput, whose marks
/// stand on it.
fn joined(front: &[PointView]) -> Vec<PointView> {
    let mut corners: Vec<PointView> = Vec::new();
    for point in front {
        if corners.last().is_none_or(|last| point.y > last.y) {
            corners.push(PointView {
                x: point.x,
                y: point.y,
                label: point.label.clone(),
                ..PointView::default()
            });
        }
    }
    if corners.len() < 2 {
        Vec::new()
    } else {
        corners
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_rises_over_those_that_none_beats() {
        let front = [(1.0, 5.0), (2.0, 4.0), (3.0, 7.0)].map(|(x, y)| PointView {
            x,
            y,
            ..PointView::default()
        });
        let corners: Vec<f64> = joined(&front).iter().map(|corner| corner.x).collect();
        assert_eq!(corners, [1.0, 3.0]);
        assert!(joined(&front[..2]).is_empty());
    }
}
