//! Where values lie on a drawing, and what stands there.

use ::svg::node::element::path::{Data, Parameters};
use ::svg::node::element::{Group, Path, Rectangle, Title};

use crate::report::charts::{AxisView, ChartView, Form, PointView, Scale, SeriesView};
use crate::report::paper::palette::{Dress, Mark, dress};

/// Of the drawing, in pixels from its left and upper edges.
#[derive(Clone, Copy)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

impl Point {
    pub(super) fn new(x: f64, y: f64) -> Self {
        Point { x, y }
    }

    fn by(self, right: f64, down: f64) -> Self {
        Point::new(self.x + right, self.y + down)
    }
}

impl From<Point> for Parameters {
    fn from(point: Point) -> Self {
        (round(point.x), round(point.y)).into()
    }
}

pub(super) struct Canvas<'a> {
    chart: &'a ChartView,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

pub(super) struct NamedMark<'a> {
    pub(super) at: Point,
    /// Its diameter.
    pub(super) size: f64,
    pub(super) name: &'a str,
}

/// Diameter of one that says nothing by its size.
const MARK: f64 = 6.0;

impl<'a> Canvas<'a> {
    /// `top` pixels are for title and legend.
    pub(super) fn new(chart: &'a ChartView, top: f64) -> Self {
        Canvas {
            chart,
            left: margin(&chart.y),
            right: WIDTH - 16.0,
            top,
            bottom: top
                + match chart.y.scale {
                    Scale::Names => ROW * chart.y.ticks.len() as f64 + 12.0,
                    Scale::Linear | Scale::Log => PLOT_HEIGHT,
                },
        }
    }

    pub(super) fn x(&self, value: f64) -> f64 {
        self.left + share(&self.chart.x, value) * (self.right - self.left)
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        self.bottom - share(&self.chart.y, value) * (self.bottom - self.top)
    }

    pub(super) fn series(&self, series: &SeriesView) -> Group {
        let dress = dress(series.color);
        let group = Group::new()
            .set("stroke", dress.on_white)
            .set("fill", dress.on_white);
        match series.form {
            Form::Line => self.marks(group.add(self.line(series, Data::line_to)), series, dress),
            Form::Steps => group.add(self.line(series, |data, corner| {
                data.horizontal_line_to(corner.x).vertical_line_to(corner.y)
            })),
            Form::Marks | Form::NamedMarks => self.marks(group, series, dress),
            Form::Bars(thickness) => series
                .points
                .iter()
                .fold(group, |group, point| group.add(self.bar(point, thickness))),
        }
    }

    fn at(&self, point: &PointView) -> Point {
        Point::new(round(self.x(point.x)), round(self.y(point.y)))
    }

    fn line(&self, series: &SeriesView, join: fn(Data, Point) -> Data) -> Path {
        let points = series.points.iter().map(|point| self.at(point));
        Path::new()
            .set("d", joined(points, join))
            .set("fill", "none")
            .set("stroke-width", 2)
    }

    fn marks(&self, group: Group, series: &SeriesView, dress: Dress) -> Group {
        series.points.iter().fold(group, |group, point| {
            let told = mark(dress.mark, self.at(point), point.size.unwrap_or(MARK))
                .set("stroke", "none")
                .set("fill-opacity", 0.75)
                .add(Title::new(point.label.as_str()));
            self.intervals(group, point).add(told)
        })
    }

    fn intervals(&self, mut group: Group, point: &PointView) -> Group {
        let at = self.at(point);
        if let Some((low, high)) = point.x_ends {
            group = group.add(horizontal_interval(self.x(low), self.x(high), at.y));
        }
        if let Some((low, high)) = point.y_ends {
            group = group.add(vertical_interval(self.y(low), self.y(high), at.x));
        }
        group
    }

    /// Of marks that have names, with where and how large they are.
    pub(super) fn named_marks(&self) -> Vec<NamedMark<'a>> {
        let named = self
            .chart
            .series
            .iter()
            .filter(|series| series.form == Form::NamedMarks);
        let points = named.flat_map(|series| &series.points);
        points
            .map(|point| NamedMark {
                at: self.at(point),
                size: point.size.unwrap_or(MARK),
                name: &point.name,
            })
            .collect()
    }

    fn bar(&self, point: &PointView, thickness: f64) -> Rectangle {
        let from = self.x(point.from.unwrap_or(0.0));
        let to = self.x(point.x);
        let top = self.y(point.y - thickness / 2.0);
        let bottom = self.y(point.y + thickness / 2.0);
        Rectangle::new()
            .set("x", round(from.min(to)))
            .set("y", round(top.min(bottom)))
            .set("width", round((to - from).abs()))
            .set("height", round((bottom - top).abs() - 1.0))
            .set("stroke", "none")
            .add(Title::new(point.label.as_str()))
    }
}

fn horizontal_interval(low: f64, high: f64, y: f64) -> Path {
    let low = round(low);
    let high = round(high);
    thin(
        Data::new()
            .move_to((low, y - 5.0))
            .vertical_line_by(10.0)
            .move_to((high, y - 5.0))
            .vertical_line_by(10.0)
            .move_to((low, y))
            .horizontal_line_to(high),
    )
}

fn vertical_interval(low: f64, high: f64, x: f64) -> Path {
    let low = round(low);
    let high = round(high);
    thin(
        Data::new()
            .move_to((x - 4.0, low))
            .horizontal_line_by(8.0)
            .move_to((x - 4.0, high))
            .horizontal_line_by(8.0)
            .move_to((x, low))
            .vertical_line_to(high),
    )
}

fn thin(data: Data) -> Path {
    Path::new()
        .set("d", data)
        .set("fill", "none")
        .set("stroke-width", 1.5)
}

fn share(axis: &AxisView, value: f64) -> f64 {
    let [value, low, high] = [value, axis.low, axis.high].map(|value| match axis.scale {
        Scale::Log => value.max(f64::MIN_POSITIVE).ln(),
        Scale::Linear | Scale::Names => value,
    });
    (value - low) / (high - low)
}

pub(super) fn mark(shape: Mark, at: Point, size: f64) -> Path {
    let half = size / 2.0;
    let corners = match shape {
        Mark::Circle => return circle(at, half),
        Mark::Square => [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)],
        Mark::Diamond => [(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)],
        Mark::Triangle => [(0.0, -1.0), (1.0, 1.0), (0.0, 1.0), (-1.0, 1.0)],
    }
    .map(|(right, down)| at.by(right * half, down * half));
    Path::new().set("d", joined(corners, Data::line_to).close())
}

fn circle(at: Point, radius: f64) -> Path {
    let data = Data::new()
        .move_to(at.by(-radius, 0.0))
        .elliptical_arc_by((radius, radius, 0, 1, 0, 2.0 * radius, 0))
        .elliptical_arc_by((radius, radius, 0, 1, 0, -2.0 * radius, 0));
    Path::new().set("d", data.close())
}

fn joined(points: impl IntoIterator<Item = Point>, join: fn(Data, Point) -> Data) -> Data {
    let mut points = points.into_iter();
    let start = points.next().map(|first| Data::new().move_to(first));
    points.fold(start.unwrap_or_default(), join)
}

pub(super) const WIDTH: f64 = 720.0;

pub(super) const PLOT_HEIGHT: f64 = 300.0;

pub(super) const ROW: f64 = 46.0;

/// On the average, at the size of the labels.
pub(super) const CHARACTER: f64 = 6.4;

pub(super) const TEXT: &str = "#333333";

/// To a tenth of a pixel: more would only make the file larger.
pub(super) fn round(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}

fn margin(axis: &AxisView) -> f64 {
    let longest = axis
        .ticks
        .iter()
        .map(|tick| tick.label.chars().count())
        .max()
        .unwrap_or(0) as f64;
    let title = if axis.title.is_empty() { 12.0 } else { 30.0 };
    title + longest * CHARACTER + 6.0
}
