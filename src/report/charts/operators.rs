//! Where the time of an inference goes, operator by operator.

use std::collections::HashSet;

use super::{AxisView, Cast, ChartView, Drawing, Form, Measure, PointView, SeriesView};
use crate::analysis::{Breakdown, NodeTimes, OperatorFindings, OperatorShare, Rest};
use crate::metric::Unit;
use crate::report::words::{self, Builder, Table, number, plain};
use crate::text::Plain;

/// Operators that have a colour of their own; the others share the last one.
const NAMED: usize = 7;

/// Thickness of a bar, in rows.
const THICKNESS: f64 = 0.6;

struct Row<'a> {
    name: String,
    breakdown: &'a Breakdown,
}

impl Row<'_> {
    /// Time in operators that `is_wanted` takes, in nanoseconds.
    fn time_ns(&self, is_wanted: impl Fn(&OperatorShare) -> bool) -> f64 {
        self.breakdown
            .by_operator
            .iter()
            .filter(|share| is_wanted(share))
            .map(|share| share.time_ns.as_f64())
            .sum()
    }

    fn nodes_ns(&self) -> f64 {
        self.breakdown.nodes_ns.as_f64()
    }
}

/// Bars in parts: one for each of the named operators, and a last one for all others.
struct Bars<'a> {
    rows: Vec<Row<'a>>,
    named: Vec<&'a Plain>,
    measure: Measure,
}

pub(super) fn chart(cast: &Cast<'_>) -> Drawing {
    let batch_size = cast
        .source
        .findings
        .causes
        .operators
        .iter()
        .map(|found| found.batch_size)
        .min()
        .ok_or("no operators were profiled")?;
    let rows = rows(cast, batch_size)?;
    let largest = rows.iter().map(Row::nodes_ns).fold(0.0, f64::max);
    let bars = Bars {
        named: leading(&rows),
        rows,
        measure: Measure::new(Unit::Ns, largest),
    };
    let series = (0..=bars.named.len()).map(|part| bars.series(part));
    Ok(ChartView {
        id: "operators".into(),
        title: format!("Time in operators at batch {batch_size}"),
        summary: format!(
            "Each bar is one inference with ONNX Runtime's profiler on, cut into its operators; the profiler makes it longer than \
             it is.{}{}{}",
            of_device(&bars.rows),
            not_drawn(cast, batch_size),
            cast.remark()
        ),
        x: bars.measure.with_zero("time in nodes", [largest]),
        y: AxisView::names(bars.rows.iter().map(|row| &row.name)),
        series: series.filter(|series| !series.points.is_empty()).collect(),
        table: table(&bars.rows),
    })
}

/// The drawn sessions at the smallest batch size that was profiled, or why there are none.
fn rows<'a>(cast: &Cast<'a>, batch_size: u64) -> Result<Vec<Row<'a>>, String> {
    let rows: Vec<Row<'_>> = profiles(cast, batch_size)
        .filter(|found| !is_of_handing_over(found))
        .filter_map(|found| {
            Some(Row {
                name: cast.source.name(found.session),
                breakdown: found.breakdown.as_ref().ok()?,
            })
        })
        .collect();
    if rows.is_empty() {
        let mut found = profiles(cast, batch_size);
        if profiles(cast, batch_size).any(is_of_handing_over) {
            return Err(HANDING_OVER.into());
        }
        let reason = found.find_map(|found| found.breakdown.as_ref().err());
        return Err(reason.map_or_else(|| "no operators were profiled".into(), plain));
    }
    Ok(rows)
}

const HANDING_OVER: &str =
    "the traces tell times of the host alone, which handed work over to a device";

/// Of the drawn sessions, at the first shape.
fn profiles<'a>(cast: &Cast<'a>, batch_size: u64) -> impl Iterator<Item = &'a OperatorFindings> {
    cast.source
        .findings
        .causes
        .operators
        .iter()
        .filter(move |found| (found.batch_size, found.shape) == (batch_size, 0))
        .filter(|found| cast.color(found.session).is_some())
}

fn is_of_handing_over(found: &OperatorFindings) -> bool {
    let times = found.breakdown.as_ref().map(|breakdown| breakdown.times);
    times == Ok(NodeTimes::HandingOver)
}

/// Sessions without a bar, because how long their operators took is not known.
fn not_drawn(cast: &Cast<'_>, batch_size: u64) -> String {
    let names = profiles(cast, batch_size)
        .filter(|found| is_of_handing_over(found))
        .map(|found| cast.source.name(found.session));
    match words::listed(names) {
        names if names.is_empty() => names,
        names => format!(" Not drawn: {names}, where {HANDING_OVER}."),
    }
}

/// Bars of times of a device.
fn of_device(rows: &[Row<'_>]) -> String {
    let names = rows
        .iter()
        .filter(|row| row.breakdown.times == NodeTimes::Device)
        .map(|row| &row.name);
    match words::listed(names) {
        names if names.is_empty() => names,
        names => format!(" Of {names}, nodes that ran on a device have its own times."),
    }
}

/// The operators with the largest share of any session: of the longest times, a slow session would
/// have them all.
fn leading<'a>(rows: &[Row<'a>]) -> Vec<&'a Plain> {
    let mut shares: Vec<&OperatorShare> = rows
        .iter()
        .flat_map(|row| &row.breakdown.by_operator)
        .collect();
    shares.sort_by(|one, other| other.share.0.total_cmp(&one.share.0));
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
            color: part,
            form: Form::Bars(THICKNESS),
            points: points.collect(),
        }
    }

    fn name(&self, part: usize) -> String {
        self.named
            .get(part)
            .map_or_else(|| "all other operators".into(), plain)
    }

    fn part(&self, share: &OperatorShare) -> usize {
        self.named
            .iter()
            .position(|name| **name == share.operator)
            .unwrap_or(self.named.len())
    }

    /// The piece of a bar that a part takes, after those before it.
    fn bar(&self, row: &Row<'_>, part: usize) -> Option<PointView> {
        let from = row.time_ns(|share| self.part(share) < part);
        let own = row.time_ns(|share| self.part(share) == part);
        let share = own / row.nodes_ns().max(1.0);
        (own > 0.0).then(|| PointView {
            x: self.measure.scaled(from + own),
            from: Some(self.measure.scaled(from)),
            label: format!(
                "{}\n{} {}, {} of the time in nodes",
                row.name,
                self.name(part),
                number::value(Unit::Ns, own, None),
                number::share(share),
            ),
            ..PointView::default()
        })
    }
}

fn table(rows: &[Row<'_>]) -> Table {
    let header = [
        "variant",
        "operator",
        "execution provider",
        "nodes",
        "time",
        "of the time in nodes",
    ];
    let mut table = Builder::new("Time by operator", &header);
    for row in rows {
        for share in &row.breakdown.by_operator {
            table.plain_row([
                row.name.clone(),
                plain(&share.operator),
                plain(&share.execution_provider),
                number::count(share.nodes_count),
                number::time(share.time_ns),
                number::share(share.share.0),
            ]);
        }
    }
    table.finish(rows.iter().map(rest))
}

fn rest(row: &Row<'_>) -> String {
    match row.breakdown.rest {
        Rest::Between { time_ns, share, .. } => format!(
            "{}: {} more ({} of the inference) in no node",
            row.name,
            number::time(time_ns),
            number::share(share.0),
        ),
        Rest::Overlap { factor } => format!(
            "{}: nodes ran side by side; together they took {} times the inference",
            row.name,
            number::factor(factor, None)
        ),
    }
}
