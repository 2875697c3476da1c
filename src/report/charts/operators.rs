//! Where the time of an inference goes, operator by operator.

use super::{AxisView, Cast, ChartView, Form, Measure, PointView, SeriesView};
use crate::analysis::{Breakdown, OperatorFindings, OperatorShare, Rest};
use crate::metric::Unit;
use crate::report::words::{Builder, Source, Table, number, plain};
use crate::text::Plain;

/// Operators that have a colour of their own; the others share the last one.
const NAMED: usize = 7;

/// Thickness of a bar, in rows.
const THICKNESS: f64 = 0.6;

struct Row<'a> {
    name: String,
    breakdown: &'a Breakdown,
}

impl<'a> Row<'a> {
    fn of(source: Source<'_>, found: &'a OperatorFindings) -> Option<Self> {
        Some(Row {
            name: source.name(found.session),
            breakdown: found.breakdown.as_ref().ok()?,
        })
    }

    /// Time in operators that `is_wanted` takes, in nanoseconds.
    fn time_ns(&self, is_wanted: impl Fn(&Plain) -> bool) -> f64 {
        let shares = self.breakdown.by_operator.iter();
        shares
            .filter(|share| is_wanted(&share.operator))
            .map(|share| share.time_ns.as_f64())
            .sum()
    }
}

pub(super) fn chart(source: Source<'_>, cast: &Cast) -> Result<ChartView, String> {
    let rows = rows(source, cast)?;
    let largest = rows
        .iter()
        .map(|row| row.breakdown.nodes_ns.as_f64())
        .fold(0.0, f64::max);
    let measure = Measure::new(Unit::Ns, largest);
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let named = leading(&rows);
    let series = (0..=named.len()).map(|part| series(&rows, part, &named, measure));
    Ok(ChartView {
        id: "operators".into(),
        title: format!(
            "Time in operators at batch {}",
            batch_size(source).unwrap_or(1)
        ),
        summary: format!(
            "Each bar is one inference with ONNX Runtime's profiler on, cut into its operators; the profiler makes it longer than \
             it is.{}",
            cast.remark()
        ),
        x: AxisView::from_zero(measure.title("time in nodes"), [measure.scaled(largest)]),
        y: AxisView::names(&names),
        series: series.filter(|series| !series.points.is_empty()).collect(),
        table: table(&rows),
    })
}

fn batch_size(source: Source<'_>) -> Option<u64> {
    source
        .findings
        .causes
        .operators
        .iter()
        .map(|found| found.batch_size)
        .min()
}

/// The drawn sessions at the smallest batch size that was profiled, or why there are none.
fn rows<'a>(source: Source<'a>, cast: &Cast) -> Result<Vec<Row<'a>>, String> {
    let batch_size = batch_size(source).ok_or("no operators were profiled")?;
    let found: Vec<&OperatorFindings> = source
        .findings
        .causes
        .operators
        .iter()
        .filter(|found| (found.batch_size, found.shape) == (batch_size, 0))
        .filter(|found| cast.color(found.session).is_some())
        .collect();
    let rows: Vec<Row<'_>> = found
        .iter()
        .filter_map(|found| Row::of(source, found))
        .collect();
    if rows.is_empty() {
        let reason = found
            .iter()
            .find_map(|found| found.breakdown.as_ref().err());
        return Err(reason.map_or_else(|| "no operators were profiled".into(), plain));
    }
    Ok(rows)
}

/// The operators with the largest share of any session: of the longest times, a slow session would
/// have them all.
fn leading(rows: &[Row<'_>]) -> Vec<Plain> {
    let mut all: Vec<&OperatorShare> = rows
        .iter()
        .flat_map(|row| &row.breakdown.by_operator)
        .collect();
    all.sort_by(|one, other| other.share.0.total_cmp(&one.share.0));
    let mut names: Vec<Plain> = Vec::new();
    for share in all {
        if names.len() < NAMED && !names.contains(&share.operator) {
            names.push(share.operator.clone());
        }
    }
    names
}

/// Of the named operator at `part`; after the last one, of all others.
fn series(rows: &[Row<'_>], part: usize, named: &[Plain], measure: Measure) -> SeriesView {
    let points = rows.iter().enumerate().filter_map(|(at, row)| {
        Some(PointView {
            y: at as f64,
            ..bar(row, part, named, measure)?
        })
    });
    SeriesView {
        name: Some(part_name(part, named)),
        color: part,
        form: Form::Bars(THICKNESS),
        points: points.collect(),
    }
}

fn part_name(part: usize, named: &[Plain]) -> String {
    let name = named.get(part);
    name.map_or_else(|| "all other operators".into(), plain)
}

/// The piece of a bar that an operator takes, after those of the operators named before it.
fn bar(row: &Row<'_>, part: usize, named: &[Plain], measure: Measure) -> Option<PointView> {
    let from = row.time_ns(|operator| named[..part].contains(operator));
    let own = match named.get(part) {
        Some(name) => row.time_ns(|operator| operator == name),
        None => row.time_ns(|operator| !named.contains(operator)),
    };
    let share = own / row.breakdown.nodes_ns.as_f64().max(1.0);
    (own > 0.0).then(|| PointView {
        x: measure.scaled(from + own),
        from: Some(measure.scaled(from)),
        label: format!(
            "{}\n{} {}, {} of the time in nodes",
            row.name,
            part_name(part, named),
            number::value(Unit::Ns, own, None),
            number::share(share),
        ),
        ..PointView::default()
    })
}

fn table(rows: &[Row<'_>]) -> Table {
    let mut table = Builder::new(
        "Time by operator",
        &[
            "variant",
            "operator",
            "execution provider",
            "nodes",
            "time",
            "of the time in nodes",
        ],
    );
    for row in rows {
        for share in &row.breakdown.by_operator {
            table.plain_row(vec![
                row.name.clone(),
                plain(&share.operator),
                plain(&share.execution_provider),
                number::count(share.nodes_count),
                number::time(share.time_ns),
                number::share(share.share.0),
            ]);
        }
    }
    table.finish(rows.iter().map(rest).collect())
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
