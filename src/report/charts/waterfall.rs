//! From the reference's median latency to a session's, step by step.

use super::{AxisView, ChartView, Form, Measure, PointView, SeriesView};
use crate::analysis::{Explanation, LatencyStep, Step, StepKind};
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

impl Piece {
    fn median(name: String, ns: i64) -> Self {
        Piece {
            label: format!("{name}\nmedian {}", shown(ns)),
            name,
            from_ns: 0,
            to_ns: ns,
            kind: PieceKind::Median,
            is_resolved: true,
        }
    }

    fn step(step: &Step, from_ns: i64) -> Self {
        let change = step.change_ns();
        Piece {
            label: step_text(step),
            name: step_label(step.kind).to_owned(),
            from_ns,
            to_ns: from_ns + change,
            kind: if change > 0 {
                PieceKind::Slower
            } else {
                PieceKind::Faster
            },
            is_resolved: step.is_resolved() || change == 0,
        }
    }

    /// How long it is, where it is no median.
    fn change(&self) -> String {
        let change = self.to_ns - self.from_ns;
        let sign = if change > 0 { "+" } else { "" };
        match self.kind {
            PieceKind::Median => String::new(),
            _ if self.is_resolved => format!("{sign}{}", shown(change)),
            _ => format!("{sign}{}{UNRESOLVED}", shown(change)),
        }
    }
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
    let ends: Vec<f64> = pieces
        .iter()
        .flat_map(|piece| [piece.from_ns as f64, piece.to_ns as f64])
        .collect();
    let measure = Measure::new(Unit::Ns, ends.iter().copied().fold(0.0, f64::max));
    let names: Vec<String> = pieces.iter().map(|piece| piece.name.clone()).collect();
    let reference = source.name(explanation.reference);
    let series = KINDS.map(|(kind, word)| series(&pieces, kind, word, measure));
    Ok(ChartView {
        id: format!("waterfall-{}-{}", explanation.reference, explanation.session),
        title: format!("From {reference} to {name}{}", place(source, explanation)),
        summary:
            "From one median latency to the other, by kind of operator; each bar begins where the one above it ends."
                .into(),
        x: AxisView::from_zero(
            measure.title("latency"),
            ends.into_iter().map(|end| measure.scaled(end)),
        ),
        y: AxisView::names(&names),
        series: series.into_iter().filter(|series| !series.points.is_empty()).collect(),
        table: table(&pieces),
    })
}

fn pieces(source: Source<'_>, explanation: &Explanation, latency: &LatencyStep) -> Vec<Piece> {
    let reference = source.name(explanation.reference);
    let session = source.name(explanation.session);
    let mut pieces = vec![Piece::median(reference, latency.reference_ns)];
    let mut from_ns = latency.reference_ns;
    for step in &explanation.steps {
        pieces.push(Piece::step(step, from_ns));
        from_ns += step.change_ns();
    }
    pieces.push(Piece::median(session, latency.session_ns));
    pieces
}

fn shown(ns: i64) -> String {
    number::value(Unit::Ns, ns as f64, None)
}

fn step_text(step: &Step) -> String {
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
    format!(
        "{}\n{sign}{}{times}{open}",
        step_label(step.kind),
        shown(change)
    )
}

fn series(pieces: &[Piece], kind: PieceKind, word: &str, measure: Measure) -> SeriesView {
    let points = pieces
        .iter()
        .enumerate()
        .filter(|(_, piece)| piece.kind == kind)
        .map(|(row, piece)| PointView {
            x: measure.scaled(piece.to_ns as f64),
            y: row as f64,
            from: Some(measure.scaled(piece.from_ns as f64)),
            label: piece.label.clone(),
            ..PointView::default()
        })
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
        table.plain_row(vec![piece.name.clone(), piece.change(), shown(piece.to_ns)]);
    }
    let has_open = pieces.iter().any(|piece| !piece.is_resolved);
    table.finish(
        has_open
            .then(|| "~: not more than the profiler can tell".to_owned())
            .into_iter()
            .collect(),
    )
}
