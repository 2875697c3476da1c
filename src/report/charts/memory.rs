//! Where memory goes, session by session.

use super::{AxisView, ChartView, Drawing, Form, Measure, PointView, SeriesView};
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

pub(super) fn chart(source: Source<'_>) -> Drawing {
    let ledgers: Vec<Ledger> = source
        .measured()
        .map(|session| ledger(source, session))
        .collect();
    let drawn = &ledgers[..ledgers.len().min(MOST)];
    let values = drawn
        .iter()
        .flat_map(|ledger| &ledger.parts)
        .filter_map(Estimate::value);
    let measure = Measure::of(Unit::Bytes, values.clone()).ok_or("no memory was measured")?;
    let rest = match ledgers.len() - drawn.len() {
        0 => String::new(),
        rest => format!(" {rest} more are in the table only."),
    };
    let series = (0..PARTS.len()).map(|part| series(drawn, part, measure));
    Ok(ChartView {
        id: "memory".into(),
        title: "Memory of a process".into(),
        summary: format!(
            "Private memory before the model was loaded and what loading added; the most that ONNX Runtime's arena held; the \
             highest resident memory of the whole process, which holds all of these. Bars of a session do not add up.{rest}"
        ),
        x: measure.with_zero("memory", values),
        y: AxisView::names(drawn.iter().map(|ledger| &ledger.name)),
        series: series.filter(|part| !part.points.is_empty()).collect(),
        table: table(&ledgers),
    })
}

fn ledger(source: Source<'_>, session: &SessionFindings) -> Ledger {
    let absent = Estimate::absent("not asked for");
    Ledger {
        name: source.name(session.session),
        parts: PARTS.map(|(_, metric)| match metric {
            None => before_load_memory(source.record, session.session),
            Some(metric) => session.figure(metric).unwrap_or(&absent).clone(),
        }),
    }
}

fn series(ledgers: &[Ledger], part: usize, measure: Measure) -> SeriesView {
    let points = ledgers.iter().enumerate().filter_map(|(row, ledger)| {
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
    let mut header = vec!["variant"];
    header.extend(PARTS.map(|(name, _)| name));
    let mut table = Builder::new("Memory of a process", &header);
    for Ledger { name, parts } in ledgers {
        let mut cells = vec![name.clone()];
        for (estimate, (head, _)) in parts.iter().zip(PARTS) {
            cells.push(table.figure(head, name, Some(estimate), |found| {
                words::value(Metric::PeakMemory, found)
            }));
        }
        table.plain_row(cells);
    }
    table.finish([])
}
