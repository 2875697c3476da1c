//! Charts as SVG files: static, on white, without scripts and style sheets.

mod canvas;
mod names;

use ::svg::Document;
use ::svg::node::element::{Group, Line, Rectangle, Text, Title};

use crate::report::paper::palette::dress;
use crate::report::view::charts::{AxisView, ChartView, Form, Scale, Tick};
use canvas::{CHARACTER, Canvas, Point, TEXT, WIDTH, mark, round};

const LEGEND_LINE: f64 = 20.0;

const TITLE_HEIGHT: f64 = 26.0;

const GRID: &str = "#dddddd";

/// A chart as the text of an SVG file. Text from outside is escaped.
#[must_use]
pub fn svg(chart: &ChartView) -> String {
    drawn(chart, Some(title(chart)))
}

/// The same for where its title stands above it.
pub(super) fn drawing(chart: &ChartView) -> String {
    drawn(chart, None)
}

fn drawn(chart: &ChartView, title: Option<Text>) -> String {
    let above = if title.is_some() { TITLE_HEIGHT } else { 6.0 };
    let legend = legend(chart, above);
    let canvas = Canvas::new(chart, above + 8.0 + legend.height);
    let height = canvas.bottom + 48.0;
    let height = height.ceil() as i64;
    let mut drawing = document(height)
        .add(Title::new(format!("{}. {}", chart.title, chart.summary)))
        .add(background(height));
    if let Some(title) = title {
        drawing = drawing.add(title);
    }
    drawing = drawing
        .add(legend.group)
        .add(horizontal(&canvas, &chart.x))
        .add(vertical(&canvas, &chart.y));
    for series in &chart.series {
        drawing = drawing.add(canvas.series(series));
    }
    if chart
        .series
        .iter()
        .any(|series| series.form == Form::NamedMarks)
    {
        drawing = drawing.add(names::names(&canvas));
    }
    drawing.to_string()
}

fn document(height: i64) -> Document {
    Document::new()
        .set("viewBox", (0, 0, WIDTH as i64, height))
        .set("width", WIDTH as i64)
        .set("height", height)
        .set("font-family", "system-ui, sans-serif")
        .set("font-size", 12)
        .set("fill", TEXT)
        .set("role", "img")
}

fn background(height: i64) -> Rectangle {
    Rectangle::new()
        .set("width", WIDTH as i64)
        .set("height", height)
        .set("fill", "#ffffff")
}

fn title(chart: &ChartView) -> Text {
    Text::new(chart.title.as_str())
        .set("x", 12)
        .set("y", 20)
        .set("font-size", 14)
        .set("font-weight", "bold")
}

/// In as many lines as names and marks need.
struct Legend {
    group: Group,
    height: f64,
}

fn legend(chart: &ChartView, above: f64) -> Legend {
    let mut x = 12.0;
    let mut line = 0.0;
    let mut group = Group::new();
    for (series, name) in chart
        .series
        .iter()
        .filter_map(|series| Some((series, series.name.as_ref()?)))
    {
        let width = 26.0 + CHARACTER * name.chars().count() as f64;
        if x > 12.0 && x + width > WIDTH {
            (x, line) = (12.0, line + 1.0);
        }
        let y = above + 12.0 + line * LEGEND_LINE;
        let dress = dress(series.color);
        group = group
            .add(mark(dress.mark, Point::new(x + 5.0, y), 9.0).set("fill", dress.on_white))
            .add(
                Text::new(name.as_str())
                    .set("x", x + 14.0)
                    .set("y", y + 4.0),
            );
        x += width;
    }
    Legend {
        group,
        height: (line + 1.0) * LEGEND_LINE,
    }
}

fn horizontal(canvas: &Canvas<'_>, axis: &AxisView) -> Group {
    let mut group = Group::new();
    for Tick { at, label } in &axis.ticks {
        let x = canvas.x(*at);
        group = group
            .add(line(
                Point::new(x, canvas.top),
                Point::new(x, canvas.bottom),
            ))
            .add(text(label, Point::new(x, canvas.bottom + 16.0), "middle"));
    }
    let middle = (canvas.left + canvas.right) / 2.0;
    group.add(text(
        &axis.title,
        Point::new(middle, canvas.bottom + 36.0),
        "middle",
    ))
}

fn vertical(canvas: &Canvas<'_>, axis: &AxisView) -> Group {
    let mut group = Group::new();
    for Tick { at, label } in &axis.ticks {
        let y = canvas.y(*at);
        if axis.scale != Scale::Names {
            group = group.add(line(
                Point::new(canvas.left, y),
                Point::new(canvas.right, y),
            ));
        }
        group = group.add(text(label, Point::new(canvas.left - 6.0, y + 4.0), "end"));
    }
    let middle = (canvas.top + canvas.bottom) / 2.0;
    let turned = format!("translate(14 {middle:.1}) rotate(-90)");
    group.add(
        Text::new(axis.title.as_str())
            .set("transform", turned)
            .set("text-anchor", "middle"),
    )
}

fn text(shown: &str, at: Point, anchor: &str) -> Text {
    Text::new(shown)
        .set("x", round(at.x))
        .set("y", round(at.y))
        .set("text-anchor", anchor)
}

fn line(from: Point, to: Point) -> Line {
    Line::new()
        .set("x1", round(from.x))
        .set("y1", round(from.y))
        .set("x2", round(to.x))
        .set("y2", round(to.y))
        .set("stroke", GRID)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::view::charts::{PointView, SeriesView};

    fn chart(name: &str) -> ChartView {
        let axis = |title: &str| AxisView {
            title: title.into(),
            high: 10.0,
            ticks: [0.0, 10.0]
                .map(|at| Tick {
                    at,
                    label: at.to_string(),
                })
                .into(),
            ..AxisView::default()
        };
        let point = PointView {
            x: 5.0,
            y: 5.0,
            label: format!("{name}\n5"),
            ..PointView::default()
        };
        ChartView {
            id: "chart".into(),
            title: "A chart".into(),
            summary: "How it is drawn.".into(),
            x: axis("time (ms)"),
            y: axis("rate (per second)"),
            series: vec![SeriesView {
                name: Some(name.into()),
                color: 0,
                form: Form::Marks,
                points: vec![point],
            }],
            table: Default::default(),
        }
    }

    #[test]
    fn names_are_escaped() {
        let drawn = svg(&chart("<script>alert('1') & \"2\"</script>"));
        assert!(!drawn.contains("<script"), "{drawn}");
        assert!(drawn.contains("&lt;script&gt;"), "{drawn}");
    }

    #[test]
    fn point_in_the_middle_of_both_axes_is_drawn_there() {
        let chart = chart("one");
        let canvas = Canvas::new(&chart, 54.0);
        assert!((canvas.x(5.0) - (canvas.left + canvas.right) / 2.0).abs() < 1e-9);
        assert!((canvas.y(5.0) - (canvas.top + canvas.bottom) / 2.0).abs() < 1e-9);
        assert!(canvas.y(10.0) < canvas.y(0.0));
    }

    #[test]
    fn axes_carry_their_units() {
        let drawn = svg(&chart("one"));
        assert!(
            drawn.contains("time (ms)") && drawn.contains("rate (per second)"),
            "{drawn}"
        );
    }
}
