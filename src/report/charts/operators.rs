//! Where the time of an inference goes, operator by operator.

use std::collections::HashSet;

use super::{AxisView, Cast, ChartView, Drawing, Form, Measure, PointView, SeriesView};
use crate::analysis::{
    Breakdown, NodeTimes, OperatorFindings, OperatorShare, Portion, Rest, SURE_DISTORTION,
    TimeLevel,
};
use crate::metric::Unit;
use crate::report::chapters::operators::breakdown::untold;
use crate::report::chapters::operators::portion::{share_words, time_words};
use crate::report::words::{self, Builder, Table, number, plain};
use crate::text::Plain;

/// Colours of what is in no operator or not known of which, and of all operators without a colour of
/// their own: palettes begin anew behind the eighth.
const REST_COLOR: usize = 6;
const OTHERS_COLOR: usize = 7;

/// Operators that have a colour of their own.
const NAMED: usize = 6;

const TITLE: &str = "Time in operators";

/// Thickness of a bar, in rows.
const THICKNESS: f64 = 0.6;

struct Row<'a> {
    name: String,
    breakdown: &'a Breakdown,
}

impl<'a> Row<'a> {
    /// Operators that `is_wanted` takes.
    fn portion(&self, is_wanted: impl Fn(&OperatorShare) -> bool) -> Portion {
        let operators = self.breakdown.by_operator.iter();
        Portion::together(
            operators
                .filter(|share| is_wanted(share))
                .map(|share| share.portion),
        )
    }

    /// Where its bar ends, in nanoseconds: that of nodes which run side by side goes on beyond the
    /// inference.
    fn end_ns(&self) -> f64 {
        self.breakdown
            .nodes_ns
            .max(self.breakdown.inference_ns)
            .as_f64()
    }

    fn has_ranges(&self) -> bool {
        self.breakdown
            .by_operator
            .iter()
            .any(|share| share.portion.bounds.is_some())
    }
}

/// The bar of a session, or why it has none; `None` without any profile.
fn row<'a>(cast: &Cast<'a>, found: &'a OperatorFindings) -> Result<Row<'a>, String> {
    let breakdown = found.breakdown.as_ref().map_err(plain)?;
    match (breakdown.times, breakdown.level) {
        (NodeTimes::HandingOver, _) => return Err(HANDING_OVER.into()),
        (NodeTimes::Host, TimeLevel::Profiled) => {
            return Err("its times without the profiler are not known".into());
        }
        (NodeTimes::Host, TimeLevel::Timed | TimeLevel::Unprofiled) | (NodeTimes::Device, _) => {}
    }
    match untold(breakdown) {
        Some(reason) => Err(reason),
        None => Ok(Row {
            name: cast.source.name(found.session),
            breakdown,
        }),
    }
}

/// Bars in parts: one for each of the named operators, and a last one for all others.
struct Bars<'a> {
    rows: Vec<Row<'a>>,
    named: Vec<&'a Plain>,
    measure: Measure,
}

/// The chart at the smallest batch size that was profiled, and which sessions are not in it.
pub(super) fn charts(cast: &Cast<'_>) -> Vec<(&'static str, Drawing)> {
    let operators = cast.source.findings.causes.operators.iter();
    let Some(batch_size) = operators.map(|found| found.batch_size).min() else {
        return vec![(TITLE, Err("no operators were profiled".into()))];
    };
    let (mut rows, mut left_out) = (Vec::new(), Vec::new());
    for found in drawn(cast, batch_size) {
        match row(cast, found) {
            Ok(row) => rows.push(row),
            Err(reason) => {
                let name = cast.source.name(found.session);
                left_out.push((TITLE, Err(format!("{name}: {reason}"))));
            }
        }
    }
    if !rows.is_empty() {
        left_out.insert(0, (TITLE, Ok(chart(cast, rows, batch_size))));
    }
    left_out
}

/// Profiles of the sessions that have a colour, at the first shape.
fn drawn<'a>(cast: &Cast<'a>, batch_size: u64) -> impl Iterator<Item = &'a OperatorFindings> {
    let operators = cast.source.findings.causes.operators.iter();
    operators
        .filter(move |found| (found.batch_size, found.shape) == (batch_size, 0))
        .filter(|found| cast.color(found.session).is_some())
}

fn chart(cast: &Cast<'_>, rows: Vec<Row<'_>>, batch_size: u64) -> ChartView {
    let largest = rows.iter().map(Row::end_ns).fold(0.0, f64::max);
    let has_ranges = rows.iter().any(Row::has_ranges);
    let bars = Bars {
        named: leading(&rows),
        rows,
        measure: Measure::new(Unit::Ns, largest),
    };
    let series = (0..=bars.named.len() + 1).map(|part| bars.series(part));
    ChartView {
        id: "operators".into(),
        title: format!("Time in operators at batch {batch_size}"),
        summary: summary(has_ranges) + &of_device(&bars.rows) + &cast.remark(),
        x: bars.measure.with_zero("latency", [largest]),
        y: AxisView::names(bars.rows.iter().map(|row| &row.name)),
        series: series.filter(|series| !series.points.is_empty()).collect(),
        table: table(&bars.rows),
    }
}

const HANDING_OVER: &str =
    "the traces tell times of the host alone, which handed work over to a device";

/// Bars of times of a device.
fn of_device(rows: &[Row<'_>]) -> String {
    let names = rows
        .iter()
        .filter(|row| row.breakdown.times == NodeTimes::Device)
        .map(|row| &row.name);
    match words::listed(names) {
        names if names.is_empty() => names,
        names => {
            format!(
                " Of {names}, nodes that ran on a device have its own times, with the profiler."
            )
        }
    }
}

fn summary(has_ranges: bool) -> String {
    let ranges = format!(
        " Where the profiler makes an inference take more than {}x as long, only what each operator surely takes is drawn as its \
         own.",
        number::factor(SURE_DISTORTION, None)
    );
    format!(
        "Each bar is one inference without ONNX Runtime's profiler, cut into its operators by their times with it, less what it \
         adds.{}",
        if has_ranges { &ranges } else { "" }
    )
}

/// The operators with the largest share of any session: of the longest times, a slow session would
/// have them all.
fn leading<'a>(rows: &[Row<'a>]) -> Vec<&'a Plain> {
    let mut shares: Vec<&OperatorShare> = rows
        .iter()
        .flat_map(|row| &row.breakdown.by_operator)
        .collect();
    shares.retain(|share| share.portion.sure_ns() > 0.0);
    shares.sort_by(|one, other| other.portion.share.0.total_cmp(&one.portion.share.0));
    let mut seen = HashSet::new();
    shares
        .into_iter()
        .map(|share| &share.operator)
        .filter(|name| seen.insert(*name))
        .take(NAMED)
        .collect()
}

impl Bars<'_> {
    fn series(&self, part: usize) -> SeriesView {
        let points = self.rows.iter().enumerate().filter_map(|(at, row)| {
            Some(PointView {
                y: at as f64,
                ..self.bar(row, part)?
            })
        });
        SeriesView {
            name: Some(self.name(part)),
            color: self.color(part),
            form: Form::Bars(THICKNESS),
            points: points.collect(),
        }
    }

    fn color(&self, part: usize) -> usize {
        match part.checked_sub(self.named.len()) {
            None => part,
            Some(0) => OTHERS_COLOR,
            Some(_) => REST_COLOR,
        }
    }

    /// The last two parts are of no single operator.
    fn name(&self, part: usize) -> String {
        match self.named.get(part) {
            Some(name) => plain(*name),
            None if part == self.named.len() => "all other operators".into(),
            None => "between operators, or not known of which".into(),
        }
    }

    fn part(&self, share: &OperatorShare) -> usize {
        self.named
            .iter()
            .position(|name| **name == share.operator)
            .unwrap_or(self.named.len())
    }

    /// The piece of a bar that a part takes, after those before it.
    fn bar(&self, row: &Row<'_>, part: usize) -> Option<PointView> {
        let before = row.portion(|share| self.part(share) < part);
        let own = row.portion(|share| self.part(share) == part);
        let from_ns = before.sure_ns();
        let (to_ns, figures) = if part > self.named.len() {
            (row.end_ns(), shown_time(row.end_ns() - from_ns))
        } else {
            let figures = format!(
                "{}, {} of the time in operators",
                time_words(own),
                share_words(own)
            );
            (from_ns + own.sure_ns(), figures)
        };
        // Less than a nanosecond is left by rounding.
        (to_ns >= from_ns + 1.0).then(|| PointView {
            x: self.measure.scaled(to_ns),
            from: Some(self.measure.scaled(from_ns)),
            label: format!("{}\n{} {figures}", row.name, self.name(part)),
            ..PointView::default()
        })
    }
}

fn shown_time(ns: f64) -> String {
    number::value(Unit::Ns, ns, None)
}

fn table(rows: &[Row<'_>]) -> Table {
    let header = [
        "variant",
        "operator",
        "execution provider",
        "nodes",
        "time",
        "of the time in operators",
    ];
    let mut table = Builder::new("Time by operator", &header);
    for row in rows {
        for share in &row.breakdown.by_operator {
            table.plain_row([
                row.name.clone(),
                plain(&share.operator),
                plain(&share.execution_provider),
                number::count(share.nodes_count),
                time_words(share.portion),
                share_words(share.portion),
            ]);
        }
    }
    table.finish(rows.iter().map(rest))
}

fn rest(row: &Row<'_>) -> String {
    match row.breakdown.rest {
        Rest::Between { portion, .. } => format!(
            "{}: {} more ({} of the inference) in no operator",
            row.name,
            time_words(portion),
            share_words(portion),
        ),
        Rest::Overlap { factor } => format!(
            "{}: nodes ran side by side; together they took {} times the inference",
            row.name,
            number::factor(factor, None)
        ),
    }
}
