//! Charts as figures of Plotly, as far as they do not depend on the theme.

use serde_json::{Value, json};

use crate::report::charts::{AxisView, ChartView, Form, PointView, Scale, SeriesView};
use crate::report::paper::palette::{Mark, dress};

/// For the script of the page; colours are numbers of the palette.
pub(super) fn figure(chart: &ChartView) -> Value {
    json!({
        "id": chart.id,
        "traces": chart.series.iter().map(trace).collect::<Vec<_>>(),
        "x": axis(&chart.x),
        "y": axis(&chart.y),
        "rows": if chart.y.scale == Scale::Names { chart.y.ticks.len() } else { 0 },
    })
}

fn axis(axis: &AxisView) -> Value {
    let is_log = axis.scale == Scale::Log;
    let range = [axis.low, axis.high];
    json!({
        "title": {"text": escaped(&axis.title)},
        "type": if is_log { "log" } else { "linear" },
        "range": if is_log { range.map(f64::log10) } else { range },
        "tickvals": axis.ticks.iter().map(|tick| tick.at).collect::<Vec<_>>(),
        "ticktext": axis.ticks.iter().map(|tick| escaped(&tick.label)).collect::<Vec<_>>(),
        "showgrid": axis.scale != Scale::Names,
    })
}

fn trace(series: &SeriesView) -> Value {
    let points = &series.points;
    let mut trace = json!({
        "x": numbers(points, |point| point.x),
        "y": numbers(points, |point| point.y),
        "hovertext": texts(points, |point| point.label.as_str()),
        "color": series.color,
        "showlegend": series.name.is_some(),
        "name": series.name.as_deref().map(escaped).unwrap_or_default(),
    });
    merge(&mut trace, form(series));
    if points.iter().any(|point| point.size.is_some()) {
        let sizes = numbers(points, |point| point.size.unwrap_or(8.0));
        merge(&mut trace, json!({"sizes": sizes}));
    }
    merge(&mut trace, json!({"symbol": symbol(series.color)}));
    for (key, ends) in [
        ("error_x", ends(points, |p| (p.x, p.x_ends))),
        ("error_y", ends(points, |p| (p.y, p.y_ends))),
    ] {
        if let Some(ends) = ends {
            merge(&mut trace, json!({key: ends}));
        }
    }
    trace
}

fn form(series: &SeriesView) -> Value {
    let points = &series.points;
    match series.form {
        Form::Line => json!({"type": "scatter", "mode": "lines+markers"}),
        Form::Steps => json!({"type": "scatter", "mode": "lines", "line": {"shape": "hv"}}),
        Form::Marks => json!({"type": "scatter", "mode": "markers"}),
        Form::NamedMarks => json!({
            "type": "scatter",
            "mode": "markers",
            "names": texts(points, |point| point.name.as_str()),
        }),
        Form::Bars(thickness) => json!({
            "type": "bar",
            "orientation": "h",
            "width": thickness,
            "base": numbers(points, |point| point.from.unwrap_or(0.0)),
            "x": numbers(points, |point| point.x - point.from.unwrap_or(0.0)),
        }),
    }
}

fn numbers(points: &[PointView], of: impl Fn(&PointView) -> f64) -> Vec<f64> {
    points.iter().map(|point| number(of(point))).collect()
}

fn texts(points: &[PointView], of: fn(&PointView) -> &str) -> Vec<String> {
    points.iter().map(|point| escaped(of(point))).collect()
}

/// A value, and the ends of its interval.
type Placed = (f64, Option<(f64, f64)>);

/// Distances of both ends from the value; `None` where no point has an interval.
fn ends(points: &[PointView], of: fn(&PointView) -> Placed) -> Option<Value> {
    if points.iter().all(|point| of(point).1.is_none()) {
        return None;
    }
    let distances = points.iter().map(|point| match of(point) {
        (value, Some((low, high))) => (number(high - value), number(value - low)),
        (_, None) => (0.0, 0.0),
    });
    let (above, below): (Vec<f64>, Vec<f64>) = distances.unzip();
    Some(json!({
        "type": "data",
        "symmetric": false,
        "array": above,
        "arrayminus": below,
    }))
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

/// Seven significant digits: more than any screen shows, in a shorter file.
fn number(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

fn symbol(color: usize) -> &'static str {
    match dress(color).mark {
        Mark::Circle => "circle",
        Mark::Square => "square",
        Mark::Diamond => "diamond",
        Mark::Triangle => "triangle-up",
    }
}

/// Plotly takes some HTML for its own.
fn escaped(text: &str) -> String {
    without_tags(text).replace('\n', "<br>")
}

pub(super) fn without_tags(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_the_chart_library_in_a_name_stay_text() {
        assert_eq!(escaped("<b>&lt;\n2"), "&lt;b&gt;&amp;lt;<br>2");
    }

    #[test]
    fn logarithmic_axis_ranges_over_exponents() {
        let view = AxisView {
            scale: Scale::Log,
            low: 0.1,
            high: 100.0,
            ..AxisView::default()
        };
        assert_eq!(axis(&view)["range"], json!([-1.0, 2.0]));
    }

    #[test]
    fn intervals_become_distances_from_the_value() {
        let point = PointView {
            y: 2.0,
            y_ends: Some((1.5, 3.0)),
            ..PointView::default()
        };
        assert_eq!(
            ends(&[point], |point| (point.y, point.y_ends))
                .map(|ends| (ends["array"].clone(), ends["arrayminus"].clone())),
            Some((json!([1.0]), json!([0.5])))
        );
    }

    #[test]
    fn bar_from_elsewhere_than_zero_keeps_its_length() {
        let point = PointView {
            x: 5.0,
            from: Some(3.0),
            ..PointView::default()
        };
        let series = SeriesView {
            name: None,
            color: 0,
            form: Form::Bars(0.5),
            points: vec![point],
        };
        let trace = trace(&series);
        assert_eq!(
            (&trace["base"], &trace["x"]),
            (&json!([3.0]), &json!([2.0]))
        );
    }
}
