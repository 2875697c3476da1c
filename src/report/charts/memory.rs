//! Where memory goes, session by session.

use super::{AxisView, ChartView, Form, Measure, PointView, SeriesView};
use crate::analysis::{Estimate, SessionFindings, before_load_memory};
use crate::metric::{Metric, Unit};
use crate::report::words::{self, Builder, Source, Table};

/// Sessions that one chart has room for.
const MOST: usize = 24;

/// Bars of a session, from the first to be drawn.
const PARTS: [(&str, Option<Metric>); 4] = [
    ("before the model", None),
    ("model", Some(Metric::ModelMemory)),
    ("arena", Some(Metric::ArenaPeak)),
    ("peak of the process", Some(Metric::PeakMemory)),
];

/// Thickness of a bar, of which four share a row.
const THICKNESS: f64 = 0.2;

struct Ledger {
    name: String,
    parts: [Estimate; 4],
}

pub(super) fn chart(source: Source<'_>) -> Result<ChartView, String> {
    let ledgers = ledgers(source);
    let drawn = &ledgers[..ledgers.len().min(MOST)];
    let values: Vec<f64> = drawn
        .iter()
        .flat_map(|ledger| &ledger.parts)
        .filter_map(Estimate::value)
        .collect();
    let largest = values.iter().copied().reduce(f64::max);
    let measure = Measure::new(Unit::Bytes, largest.ok_or("no memory was measured")?);
    let names: Vec<String> = drawn.iter().map(|ledger| ledger.name.clone()).collect();
    let rest = match ledgers.len() - drawn.len() {
        0 => String::new(),
        rest => format!(" {rest} more are in the table only."),
    };
    Ok(ChartView {
        id: "memory".into(),
        title: "Memory of a worker".into(),
        summary: format!(
            "Private memory before the model was loaded and what loading added; the most that ONNX Runtime's arena held; the \
             highest resident memory of the whole process, which holds all of these. Bars of a session do not add up.{rest}"
        ),
        x: AxisView::from_zero(
            measure.title("memory"),
            values.into_iter().map(|value| measure.scaled(value)),
        ),
        y: AxisView::names(&names),
        series: (0..PARTS.len())
            .map(|part| series(drawn, part, measure))
            .filter(|part| !part.points.is_empty())
            .collect(),
        table: table(&ledgers),
    })
}

fn ledgers(source: Source<'_>) -> Vec<Ledger> {
    let sessions = source.findings.sessions.iter();
    sessions
        .filter(|session| session.outcome.is_ok())
        .map(|session| ledger(source, session))
        .collect()
}

fn ledger(source: Source<'_>, session: &SessionFindings) -> Ledger {
    let parts = PARTS.map(|(_, metric)| match metric {
        None => before_load_memory(source.record, session.session),
        Some(metric) => session
            .figure(metric)
            .cloned()
            .unwrap_or_else(|| Estimate::absent("not asked for")),
    });
    Ledger {
        name: source.name(session.session),
        parts,
    }
}

fn series(ledgers: &[Ledger], part: usize, measure: Measure) -> SeriesView {
    let rows = ledgers.iter().enumerate();
    let points = rows.filter_map(|(row, ledger)| {
        Some(PointView {
            y: row as f64 + (part as f64 - 1.5) * THICKNESS,
            ..point(ledger, part, measure)?
        })
    });
    SeriesView {
        name: Some(PARTS[part].0.into()),
        color: part,
        form: Form::Bars(THICKNESS),
        points: points.collect(),
    }
}

fn point(ledger: &Ledger, part: usize, measure: Measure) -> Option<PointView> {
    let estimate = &ledger.parts[part];
    Some(PointView {
        x: measure.scaled(estimate.value()?),
        label: format!(
            "{}\n{} {}",
            ledger.name,
            PARTS[part].0,
            words::value(Metric::PeakMemory, estimate)
        ),
        ..PointView::default()
    })
}

fn table(ledgers: &[Ledger]) -> Table {
    let header: Vec<&str> = ["variant"]
        .into_iter()
        .chain(PARTS.map(|(name, _)| name))
        .collect();
    let mut table = Builder::new("Memory of a worker", &header);
    for ledger in ledgers {
        let mut cells = vec![ledger.name.clone()];
        for (estimate, (head, _)) in ledger.parts.iter().zip(PARTS) {
            cells.push(table.figure(head, &ledger.name, Some(estimate), |found| {
                words::value(Metric::PeakMemory, found)
            }));
        }
        table.plain_row(cells);
    }
    table.finish(Vec::new())
}
