//! Where values lie on a drawing, and what stands there.

use ::svg::node::element::path::Data;
use ::svg::node::element::{Group, Path, Rectangle, Text, Title};

use crate::report::charts::{AxisView, ChartView, Form, PointView, Scale, SeriesView};
use crate::report::paper::palette::{Dress, Mark, dress};

pub(super) struct Canvas<'a> {
    chart: &'a ChartView,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
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
            Form::Steps => group.add(self.line(series, |data, (x, y)| {
                data.horizontal_line_to(x).vertical_line_to(y)
            })),
            Form::Marks => self.marks(group, series, dress),
            Form::NamedMarks => self.named(self.marks(group, series, dress), series),
            Form::Bars(thickness) => series
                .points
                .iter()
                .fold(group, |group, point| group.add(self.bar(point, thickness))),
        }
    }

    fn at(&self, point: &PointView) -> (f64, f64) {
        (round(self.x(point.x)), round(self.y(point.y)))
    }

    fn line(&self, series: &SeriesView, join: fn(Data, (f64, f64)) -> Data) -> Path {
        let mut data = Data::new();
        for (number, point) in series.points.iter().enumerate() {
            data = if number == 0 {
                data.move_to(self.at(point))
            } else {
                join(data, self.at(point))
            };
        }
        Path::new()
            .set("d", data)
            .set("fill", "none")
            .set("stroke-width", 2)
    }

    fn marks(&self, group: Group, series: &SeriesView, dress: Dress) -> Group {
        series.points.iter().fold(group, |group, point| {
            let (x, y) = self.at(point);
            let told = mark(dress.mark, x, y, point.size.unwrap_or(MARK))
                .set("stroke", "none")
                .set("fill-opacity", 0.75)
                .add(Title::new(point.label.as_str()));
            self.intervals(group, point).add(told)
        })
    }

    fn intervals(&self, mut group: Group, point: &PointView) -> Group {
        let (x, y) = self.at(point);
        if let Some((low, high)) = point.x_ends {
            group = group.add(horizontal_interval(self.x(low), self.x(high), y));
        }
        if let Some((low, high)) = point.y_ends {
            group = group.add(vertical_interval(self.y(low), self.y(high), x));
        }
        group
    }

    fn named(&self, group: Group, series: &SeriesView) -> Group {
        series
            .points
            .iter()
            .enumerate()
            .fold(group, |group, (number, point)| {
                let (x, y) = self.at(point);
                let away = point.size.unwrap_or(MARK) / 2.0;
                // Neighbours take turns, so that names of marks in a row do not cover one another.
                let y = if number % 2 == 0 {
                    y - away - 4.0
                } else {
                    y + away + 13.0
                };
                group.add(name(point, x, y))
            })
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

fn name(point: &PointView, x: f64, y: f64) -> Text {
    Text::new(point.label.lines().next().unwrap_or_default())
        .set("x", x)
        .set("y", round(y))
        .set("text-anchor", "middle")
        .set("stroke", "none")
        .set("fill", TEXT)
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

pub(super) fn mark(shape: Mark, x: f64, y: f64, size: f64) -> Path {
    let half = size / 2.0;
    let data = match shape {
        Mark::Circle => Data::new()
            .move_to((round(x - half), round(y)))
            .elliptical_arc_by((half, half, 0, 1, 0, size, 0))
            .elliptical_arc_by((half, half, 0, 1, 0, -size, 0)),
        Mark::Square => corners([
            (x - half, y - half),
            (x + half, y - half),
            (x + half, y + half),
            (x - half, y + half),
        ]),
        Mark::Diamond => corners([(x, y - half), (x + half, y), (x, y + half), (x - half, y)]),
        Mark::Triangle => corners([
            (x, y - half),
            (x + half, y + half),
            (x, y + half),
            (x - half, y + half),
        ]),
    };
    Path::new().set("d", data.close())
}

fn corners([first, rest @ ..]: [(f64, f64); 4]) -> Data {
    let start = Data::new().move_to((round(first.0), round(first.1)));
    rest.into_iter().fold(start, |data, corner| {
        data.line_to((round(corner.0), round(corner.1)))
    })
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
