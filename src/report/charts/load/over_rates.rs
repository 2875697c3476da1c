//! Responses, and what is completed, over the rate at which requests are offered.

use super::drawn::{MOST, MOST_ALONE, left_out, place, straight};
use crate::analysis::Estimate;
use crate::analysis::load::{LoadCandidate, LoadPoint};
use crate::check::Slo;
use crate::metric::{Metric, Unit};
use crate::record::LoadStage;
use crate::report::charts::axis::{Measure, value_and_ends};
use crate::report::charts::{AxisView, ChartView, Drawing, Form, PointView, SeriesView};
use crate::report::words::load::{Load, limit};
use crate::report::words::{self, Builder, Table};

/// Percentiles of the response, by which an SLO may be drawn.
const RESPONSES: [Metric; 5] = [
    Metric::ResponseP50,
    Metric::ResponseP90,
    Metric::ResponseP95,
    Metric::ResponseP99,
    Metric::ResponseP999,
];

const BARS: &str = "Bars are 95% intervals over rounds.";

/// The percentile that the SLO bounds, and what is completed.
pub(super) fn charts(load: Load<'_>) -> Vec<(String, Drawing)> {
    vec![
        (format!("Response over {}", over(load)), response(load)),
        (format!("Completed over {}", over(load)), completed(load)),
    ]
}

/// Response, waiting and service of each candidate.
pub(super) fn parts(load: Load<'_>) -> Vec<(String, Drawing)> {
    load.candidates()
        .take(MOST_ALONE)
        .enumerate()
        .map(|(number, candidate)| {
            (
                format!(
                    "Response, waiting and service of {}",
                    load.name(candidate.key)
                ),
                of_candidate(load, number, candidate),
            )
        })
        .collect()
}

fn over(load: Load<'_>) -> &'static str {
    if load.is_of_users() {
        "virtual users"
    } else {
        "offered rate"
    }
}

/// Points at one rate each that count, ascending in the rate.
fn steady(candidate: &LoadCandidate) -> Vec<&LoadPoint> {
    let points = candidate.points.iter().filter(|point| match point.stage {
        LoadStage::Asked
        | LoadStage::Bracket
        | LoadStage::Edge
        | LoadStage::Before
        | LoadStage::Soak => point.is_valid(),
        LoadStage::Ramp => false,
    });
    let mut points: Vec<&LoadPoint> = points.collect();
    points.sort_by(|one, other| one.asked.0.total_cmp(&other.asked.0));
    points
}

/// A figure of a point, as a chart has it over rates.
struct Curve {
    id: String,
    title: String,
    what: String,
    summary: String,
    unit: Unit,
    lines: Vec<Line>,
    limits: Vec<Limit>,
}

struct Line {
    name: String,
    color: usize,
    points: Vec<Placed>,
}

/// A figure at a rate, or number of users.
struct Placed {
    rate: f64,
    figure: Estimate,
    at: String,
}

struct Limit {
    text: String,
    value: f64,
}

fn response(load: Load<'_>) -> Drawing {
    let metric = bounded(load).map_or(Metric::ResponseP99, |slo| slo.metric);
    let limits = bounded(load).into_iter().map(|slo| Limit {
        text: limit(slo),
        value: slo.limit,
    });
    let what = metric.label();
    Curve {
        id: "load-response".into(),
        title: format!("{} over {}", words::capital(what), over(load)),
        what: what.into(),
        summary: format!(
            "From the scheduled arrival to the last output; lower is better. {BARS}{}",
            left_out(load, MOST)
        ),
        unit: Unit::Ns,
        lines: lines(load, |point| point.figure(metric)),
        limits: limits.collect(),
    }
    .chart(load)
}

fn completed(load: Load<'_>) -> Drawing {
    Curve {
        id: "load-completed".into(),
        title: format!("Completed over {}", over(load)),
        what: "completed, requests".into(),
        summary: format!(
            "Requests that are answered; where a line bends, fewer are than come. {BARS}{}",
            left_out(load, MOST)
        ),
        unit: Unit::PerSec,
        lines: lines(load, |point| Some(&point.flow.achieved_per_sec)),
        limits: Vec::new(),
    }
    .chart(load)
}

/// A part of the response.
type Part = fn(&LoadPoint) -> &Estimate;

fn of_candidate(load: Load<'_>, number: usize, candidate: &LoadCandidate) -> Drawing {
    let points = steady(candidate);
    let parts: [(&str, usize, Part); 3] = [
        ("response", 0, |point| &point.response.mean),
        ("waiting", 1, |point| &point.waiting.mean),
        ("service", 2, |point| &point.service.mean),
    ];
    Curve {
        id: format!("load-parts-{number}"),
        title: format!(
            "Response, waiting and service: {}",
            load.name(candidate.key)
        ),
        what: "mean time".into(),
        summary: format!(
            "The mean response is the sum of the mean waiting and the mean service. {BARS}"
        ),
        unit: Unit::Ns,
        lines: parts
            .into_iter()
            .map(|(name, color, of)| Line {
                name: name.into(),
                color,
                points: points
                    .iter()
                    .map(|point| placed(load, point, of(point)))
                    .collect(),
            })
            .collect(),
        limits: Vec::new(),
    }
    .chart(load)
}

/// The limit on a percentile of the response, the highest percentile of several.
fn bounded(load: Load<'_>) -> Option<&Slo> {
    let of_response = load.plan.slo.iter();
    of_response
        .filter(|slo| RESPONSES.contains(&slo.metric))
        .max_by_key(|slo| slo.metric)
}

fn lines(load: Load<'_>, of: impl Fn(&LoadPoint) -> Option<&Estimate>) -> Vec<Line> {
    load.candidates()
        .take(MOST)
        .enumerate()
        .map(|(color, candidate)| Line {
            name: load.name(candidate.key),
            color,
            points: steady(candidate)
                .into_iter()
                .filter_map(|point| Some(placed(load, point, of(point)?)))
                .collect(),
        })
        .collect()
}

fn placed(load: Load<'_>, point: &LoadPoint, figure: &Estimate) -> Placed {
    Placed {
        rate: point.asked.0,
        figure: figure.clone(),
        at: load.at(point),
    }
}

impl Curve {
    fn chart(self, load: Load<'_>) -> Drawing {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let rates: Vec<f64> = points().map(|point| point.rate).collect();
        if words::once(rates.iter()).len() < 2 {
            return Err(format!(
                "fewer than two values of {} were measured",
                over(load)
            ));
        }
        let values: Vec<f64> = points()
            .filter_map(|point| point.figure.measured())
            .flat_map(value_and_ends)
            .chain(self.limits.iter().map(|limit| limit.value))
            .collect();
        // Of several decades, the unit of what they are judged by.
        let of_limits = self.limits.iter().map(|limit| limit.value);
        let measure = Measure::of(self.unit, of_limits)
            .or_else(|| Measure::of(self.unit, values.iter().copied()))
            .ok_or("nothing was completed")?;
        let x = x_axis(load, rates);
        Ok(ChartView {
            y: measure.log(&self.what, values),
            series: self.series(&x, measure),
            table: self.table(),
            id: self.id,
            title: self.title,
            summary: self.summary,
            x,
        })
    }

    fn series(&self, x: &AxisView, measure: Measure) -> Vec<SeriesView> {
        let limits = self.limits.iter().map(|limit| {
            let y = measure.scaled(limit.value);
            straight(
                format!("SLO: {}", limit.text),
                place(x.low, y, &limit.text),
                place(x.high, y, &limit.text),
            )
        });
        let lines = self.lines.iter().map(|line| SeriesView {
            name: Some(line.name.clone()),
            color: line.color,
            form: Form::Line,
            points: line
                .points
                .iter()
                .filter_map(|point| self.point(line, point, measure))
                .collect(),
        });
        limits
            .chain(lines.filter(|line| !line.points.is_empty()))
            .collect()
    }

    fn point(&self, line: &Line, point: &Placed, measure: Measure) -> Option<PointView> {
        Some(PointView {
            x: point.rate,
            y: measure.scaled(point.figure.value()?),
            y_ends: measure.ends(&point.figure),
            label: format!(
                "{}, {}\n{}",
                line.name,
                point.at,
                words::amount(self.unit, &point.figure)
            ),
            ..PointView::default()
        })
    }

    fn table(&self) -> Table {
        let mut table = Builder::new(self.title.clone(), &["at", "of", self.what.as_str()]);
        for line in &self.lines {
            for point in &line.points {
                let row = format!("{} at {}", line.name, point.at);
                let mut cells = table.line_of(vec![point.at.clone(), line.name.clone()], row);
                cells.estimate(&self.what, Some(&point.figure), |figure| {
                    words::amount(self.unit, figure)
                });
                cells.end(words::RowKind::Plain);
            }
        }
        table.finish([])
    }
}

fn x_axis(load: Load<'_>, rates: Vec<f64>) -> AxisView {
    if load.is_of_users() {
        Measure::AS_IS.log("virtual users", rates)
    } else {
        Measure::new(Unit::PerSec, 1.0).log("offered, requests", rates)
    }
}
