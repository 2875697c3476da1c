//! A chart as renderers draw it.

use serde::Serialize;

use super::axis::AxisView;
use crate::report::words::Table;

/// A chart, in units for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChartView {
    /// A word that is its own in the report, fit for a file's name.
    pub id: String,
    /// Title of the chart.
    pub title: String,
    /// How to read it, in one sentence.
    pub summary: String,
    /// The horizontal axis.
    #[serde(skip)]
    pub x: AxisView,
    /// The vertical axis.
    #[serde(skip)]
    pub y: AxisView,
    /// The series, the first at the bottom.
    #[serde(skip)]
    pub series: Vec<SeriesView>,
    /// The same in figures.
    pub table: Table,
}

/// Points that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesView {
    /// Name in the legend; absent for what belongs to the series before it.
    pub name: Option<String>,
    /// Number of its colour in the palette of the renderer.
    pub color: usize,
    /// How it is drawn.
    pub form: Form,
    /// The points, in the order of the line.
    pub points: Vec<PointView>,
}

/// How points are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// Marks joined by straight lines.
    Line,
    /// A line that rises at each point, without marks.
    Steps,
    /// Marks alone.
    Marks,
    /// Marks alone, each with its name beside it.
    NamedMarks,
    /// Horizontal bars of this thickness, in units of the vertical axis.
    Bars(f64),
}

/// A point in units of the axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PointView {
    /// Where it is, from left to right.
    pub x: f64,
    /// Where it is, from bottom to top.
    pub y: f64,
    /// Where its bar begins; at 0 if absent.
    pub from: Option<f64>,
    /// Ends of the interval of `x`.
    pub x_ends: Option<(f64, f64)>,
    /// Ends of the interval of `y`.
    pub y_ends: Option<(f64, f64)>,
    /// Diameter of its mark in pixels, where it says something.
    pub size: Option<f64>,
    /// Name beside its mark; empty where it has none.
    pub name: String,
    /// Label: a name, and in further lines its figures.
    pub label: String,
}

/// The charts of one question, and which of them are missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Topic {
    /// The charts.
    pub charts: Vec<ChartView>,
    /// Why a chart is left out, as sentences.
    pub left_out: Vec<String>,
}

/// A chart, or why it is not drawn.
pub(in crate::report) type Drawing = Result<ChartView, String>;

impl Topic {
    pub(in crate::report) fn of<T: AsRef<str>>(
        charts: impl IntoIterator<Item = (T, Drawing)>,
    ) -> Self {
        let mut topic = Topic::default();
        for (name, chart) in charts {
            match chart {
                Ok(chart) => topic.charts.push(chart),
                Err(reason) => topic
                    .left_out
                    .push(format!("{}: not drawn, because {reason}.", name.as_ref())),
            }
        }
        topic
    }
}
