//! From the reference's median latency to a session's, step by step.

use super::{AxisView, ChartView, Form, Measure, PointView, SeriesView};
use crate::analysis::{Explanation, LatencyStep, StepKind};
use crate::metric::Unit;
use crate::report::chapters::explain::{UNRESOLVED, is_leading, place, step_label};
use crate::report::words::{Builder, Source, Table, number, plain};

/// Explanations that are drawn: further ones, and those at further batch sizes, are in the tables.
const MOST: usize = 8;

/// Thickness of a bar, in rows.
const THICKNESS: f64 = 0.6;

struct Piece {
    name: String,
    from_ns: i64,
    to_ns: i64,
    kind: PieceKind,
    label: String,
    /// Whether the profiler tells its length from nothing.
    is_resolved: bool,
}

/// Kind of a piece, by the number of its colour.
#[derive(Clone, Copy, PartialEq)]
enum PieceKind {
    Median = 0,
    Slower = 1,
    Faster = 2,
}

const KINDS: [(PieceKind, &str); 3] = [
    (PieceKind::Median, "median"),
    (PieceKind::Slower, "makes it slower"),
    (PieceKind::Faster, "makes it faster"),
];

pub(super) fn charts(source: Source<'_>) -> Vec<(&'static str, Result<ChartView, String>)> {
    let explanations = &source.findings.causes.explanations;
    if explanations.is_empty() {
        return vec![(
            "Waterfall",
            Err("no variant was compared with the baseline".into()),
        )];
    }
    let leading: Vec<&Explanation> = explanations
        .iter()
        .filter(|explanation| is_leading(source, explanation))
        .collect();
    let drawn = leading
        .iter()
        .take(MOST)
        .map(|explanation| ("Waterfall", chart(source, explanation)));
    let left_out = (leading.len() > MOST).then(|| {
        let all = leading.len();
        (
            "Waterfalls beyond the first",
            Err(format!(
                "of {all} pairs only {MOST} are; the tables of steps hold them all"
            )),
        )
    });
    drawn.chain(left_out).collect()
}

fn chart(source: Source<'_>, explanation: &Explanation) -> Result<ChartView, String> {
    let name = source.name(explanation.session);
    let latency = explanation
        .latency
        .as_ref()
        .filter(|_| !explanation.steps.is_empty())
        .ok_or_else(|| {
            let reason = explanation.steps_absent_reason.as_ref().map(plain);
            format!(
                "{name}: {}",
                reason.unwrap_or_else(|| "there is nothing to tell".into())
            )
        })?;
    let pieces = pieces(source, explanation, latency);
    let ends = || {
        pieces
            .iter()
            .flat_map(|piece| [piece.from_ns as f64, piece.to_ns as f64])
    };
    let measure = Measure::new(Unit::Ns, ends().fold(0.0, f64::max));
    let names: Vec<String> = pieces.iter().map(|piece| piece.name.clone()).collect();
    let reference = source.name(explanation.reference);
    let series = KINDS.map(|(kind, word)| series(&pieces, kind, word, measure));
    Ok(ChartView {
        id: format!("waterfall-{}-{}", explanation.reference, explanation.session),
        title: format!("From {reference} to {name}{}", place(source, explanation)),
        summary:
            "From one median latency to the other, by kind of operator; each bar begins where the one above it ends."
                .into(),
        x: AxisView::from_zero(measure.title("latency"), ends().map(|end| measure.scaled(end))),
        y: AxisView::names(&names),
        series: series.into_iter().filter(|series| !series.points.is_empty()).collect(),
        table: table(&pieces),
    })
}

fn pieces(source: Source<'_>, explanation: &Explanation, latency: &LatencyStep) -> Vec<Piece> {
    let shown = |ns: i64| number::value(Unit::Ns, ns as f64, None);
    let median = |session: usize, ns: i64| {
        let name = source.name(session);
        let label = format!("{name}\nmedian {}", shown(ns));
        Piece {
            label,
            name,
            from_ns: 0,
            to_ns: ns,
            kind: PieceKind::Median,
            is_resolved: true,
        }
    };
    let mut pieces = vec![median(explanation.reference, latency.reference_ns)];
    let mut from_ns = latency.reference_ns;
    for step in &explanation.steps {
        let change = step.change_ns();
        let sign = if change > 0 { "+" } else { "" };
        let times = match step.kind {
            StepKind::Rest => String::new(),
            _ => format!(
                "\n{} before, {} after",
                shown(step.before_ns),
                shown(step.after_ns)
            ),
        };
        let open = if step.is_resolved() {
            ""
        } else {
            "\nnot more than the profiler can tell"
        };
        let name = step_label(step.kind).to_owned();
        pieces.push(Piece {
            label: format!("{name}\n{sign}{}{times}{open}", shown(change)),
            name,
            from_ns,
            to_ns: from_ns + change,
            kind: if change > 0 {
                PieceKind::Slower
            } else {
                PieceKind::Faster
            },
            is_resolved: step.is_resolved() || change == 0,
        });
        from_ns += change;
    }
    pieces.push(median(explanation.session, latency.session_ns));
    pieces
}

fn series(pieces: &[Piece], kind: PieceKind, word: &str, measure: Measure) -> SeriesView {
    let point = |(row, piece): (usize, &Piece)| PointView {
        x: measure.scaled(piece.to_ns as f64),
        y: row as f64,
        from: Some(measure.scaled(piece.from_ns as f64)),
        label: piece.label.clone(),
        ..PointView::default()
    };
    let points = pieces
        .iter()
        .enumerate()
        .filter(|(_, piece)| piece.kind == kind)
        .map(point)
        .collect();
    SeriesView {
        name: Some(word.into()),
        color: kind as usize,
        form: Form::Bars(THICKNESS),
        points,
    }
}

fn table(pieces: &[Piece]) -> Table {
    let mut table = Builder::new(
        "Steps of the latency",
        &["step", "change", "latency after it"],
    );
    for piece in pieces {
        let change = (piece.to_ns - piece.from_ns) as f64;
        let sign = if change > 0.0 { "+" } else { "" };
        let change = match piece.kind {
            PieceKind::Median => String::new(),
            _ if piece.is_resolved => format!("{sign}{}", number::value(Unit::Ns, change, None)),
            _ => format!(
                "{sign}{}{UNRESOLVED}",
                number::value(Unit::Ns, change, None)
            ),
        };
        table.plain_row(vec![
            piece.name.clone(),
            change,
            number::value(Unit::Ns, piece.to_ns as f64, None),
        ]);
    }
    let has_open = pieces.iter().any(|piece| !piece.is_resolved);
    table.finish(
        has_open
            .then(|| "~: not more than the profiler can tell".to_owned())
            .into_iter()
            .collect(),
    )
}
