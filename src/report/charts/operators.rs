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

pub(super) fn chart(source: Source<'_>, cast: &Cast) -> Result<ChartView, String> {
    let rows = rows(source, cast)?;
    let largest = rows
        .iter()
        .map(|row| row.breakdown.nodes_ns.as_f64())
        .fold(0.0, f64::max);
    let measure = Measure::new(Unit::Ns, largest);
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let named = leading(&rows);
    let parts = named.iter().map(Some).chain([None]).enumerate();
    let series = parts.map(|(color, part)| SeriesView {
        name: Some(part.map_or_else(|| "all other operators".into(), plain)),
        color,
        form: Form::Bars(THICKNESS),
        points: rows
            .iter()
            .enumerate()
            .filter_map(|(at, row)| bar(at, row, part, &named, measure))
            .collect(),
    });
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
    let is_drawn = |found: &&OperatorFindings| {
        found.batch_size == batch_size && found.shape == 0 && cast.color(found.session).is_some()
    };
    let found: Vec<&OperatorFindings> = source
        .findings
        .causes
        .operators
        .iter()
        .filter(is_drawn)
        .collect();
    let row = |found: &&'a OperatorFindings| {
        Some(Row {
            name: source.name(found.session),
            breakdown: found.breakdown.as_ref().ok()?,
        })
    };
    let rows: Vec<Row<'_>> = found.iter().filter_map(row).collect();
    if rows.is_empty() {
        let reason = found
            .iter()
            .find_map(|found| found.breakdown.as_ref().err());
        return Err(reason.map_or_else(|| "no operators were profiled".into(), plain));
    }
    Ok(rows)
}

/// The operators with the largest share of any session: of the longest times, a slow session would have them all.
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

/// The piece of a bar that an operator takes, after those of the operators named before it; `None` stands for all
/// others.
fn bar(
    at: usize,
    row: &Row<'_>,
    part: Option<&Plain>,
    named: &[Plain],
    measure: Measure,
) -> Option<PointView> {
    let time = |wanted: &dyn Fn(&Plain) -> bool| -> f64 {
        let shares = row
            .breakdown
            .by_operator
            .iter()
            .filter(|share| wanted(&share.operator));
        shares.map(|share| share.time_ns.as_f64()).sum()
    };
    let place = part
        .and_then(|part| named.iter().position(|name| name == part))
        .unwrap_or(named.len());
    let before = &named[..place];
    let from = time(&|operator| before.iter().any(|name| name == operator));
    let own = match part {
        Some(part) => time(&|operator| operator == part),
        None => time(&|operator| !named.iter().any(|name| name == operator)),
    };
    let share = own / row.breakdown.nodes_ns.as_f64().max(1.0);
    (own > 0.0).then(|| PointView {
        x: measure.scaled(from + own),
        y: at as f64,
        from: Some(measure.scaled(from)),
        label: format!(
            "{}\n{} {}, {} of the time in nodes",
            row.name,
            part.map_or_else(|| "all other operators".into(), plain),
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
