//! From the reference's median latency to a session's, step by step.

use super::{AxisView, ChartView, Drawing, Form, Measure, PointView, SeriesView};
use crate::analysis::{Explanation, LatencyStep, Step, StepKind};
use crate::metric::Unit;
use crate::report::chapters::explain::{
    change_words, clearer, is_leading, names, place, step_label,
};
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
    /// How long it is, where it is no median.
    change: String,
}

impl Piece {
    fn median(name: String, ns: i64) -> Self {
        Piece {
            label: format!("{name}\nmedian {}", shown(ns)),
            name,
            from_ns: 0,
            to_ns: ns,
            kind: PieceKind::Median,
            change: String::new(),
        }
    }

    fn step(step: &Step, from_ns: i64) -> Self {
        let change = step.change_ns();
        Piece {
            label: step_text(step),
            name: step_label(step.kind).to_owned(),
            from_ns,
            to_ns: from_ns + change,
            kind: match change {
                _ if !step.is_resolved() => PieceKind::Unsure,
                1.. => PieceKind::Slower,
                _ => PieceKind::Faster,
            },
            change: change_words(change, step.bounds),
        }
    }

    fn point(&self, row: usize, measure: Measure) -> PointView {
        PointView {
            x: measure.scaled(self.to_ns as f64),
            y: row as f64,
            from: Some(measure.scaled(self.from_ns as f64)),
            label: self.label.clone(),
            ..PointView::default()
        }
    }
}

/// Kind of a piece, by the number of its colour.
#[derive(Clone, Copy, PartialEq)]
enum PieceKind {
    Median = 0,
    Slower = 1,
    Faster = 2,
    Unsure = 6,
}

const KINDS: [(PieceKind, &str); 4] = [
    (PieceKind::Median, "median"),
    (PieceKind::Slower, "makes it slower"),
    (PieceKind::Faster, "makes it faster"),
    (PieceKind::Unsure, "not sure"),
];

pub(super) fn charts(source: Source<'_>) -> Vec<(&'static str, Drawing)> {
    let explanations = source.findings.causes.explanations.iter();
    if explanations.len() == 0 {
        let reason = "no variant was compared with the baseline";
        return vec![("Waterfall", Err(reason.into()))];
    }
    let leading = explanations.filter(|explanation| is_leading(source, explanation));
    let count = leading.clone().count();
    let left_out = (count > MOST).then(|| {
        let reason = format!("of {count} pairs only {MOST} are; the tables of steps hold them all");
        ("Waterfalls beyond the first", Err(reason))
    });
    leading
        .take(MOST)
        .map(|leading| clearer(source, leading).unwrap_or(leading))
        .map(|explanation| ("Waterfall", chart(source, explanation)))
        .chain(left_out)
        .collect()
}

fn chart(source: Source<'_>, explanation: &Explanation) -> Drawing {
    let [reference, name] = names(source, explanation);
    let latency = explanation.latency.as_ref();
    let Some(latency) = latency.filter(|_| !explanation.steps.is_empty()) else {
        let reason = explanation
            .steps_absent_reason
            .as_ref()
            .map_or_else(|| "there is nothing to tell".into(), plain);
        return Err(format!("{name}: {reason}"));
    };
    if !explanation.steps.iter().any(Step::is_resolved) {
        return Err(format!(
            "{name}: no step from {reference} is sure{}",
            place(source, explanation)
        ));
    }
    let title = format!("From {reference} to {name}{}", place(source, explanation));
    let pieces = pieces(explanation, latency, reference, name);
    let ends = pieces
        .iter()
        .flat_map(|piece| [piece.from_ns as f64, piece.to_ns as f64]);
    let measure = Measure::new(Unit::Ns, ends.clone().fold(0.0, f64::max));
    let series = KINDS
        .into_iter()
        .map(|(kind, word)| series(&pieces, kind, word, measure));
    Ok(ChartView {
        id: format!("waterfall-{}-{}", explanation.reference, explanation.session),
        title,
        summary:
            "From one median latency to the other, by kind of operator; each bar begins where the one above it ends."
                .into(),
        x: measure.with_zero("latency", ends),
        y: AxisView::names(pieces.iter().map(|piece| &piece.name)),
        series: series.filter(|series| !series.points.is_empty()).collect(),
        table: table(&pieces),
    })
}

fn pieces(
    explanation: &Explanation,
    latency: &LatencyStep,
    reference: String,
    session: String,
) -> Vec<Piece> {
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
    let open = if step.is_resolved() { "" } else { "\nnot sure" };
    format!(
        "{}\n{}{}{open}",
        step_label(step.kind),
        number::signed(Unit::Ns, step.change_ns() as f64, step.bounds),
        times(step)
    )
}

fn times(step: &Step) -> String {
    if step.kind == StepKind::Rest {
        return String::new();
    }
    let [before, after] = [step.before_ns, step.after_ns].map(shown);
    format!("\n{before} before, {after} after")
}

fn series(pieces: &[Piece], kind: PieceKind, word: &str, measure: Measure) -> SeriesView {
    let pieces = pieces
        .iter()
        .enumerate()
        .filter(|(_, piece)| piece.kind == kind);
    SeriesView {
        name: Some(word.into()),
        color: kind as usize,
        form: Form::Bars(THICKNESS),
        points: pieces
            .map(|(row, piece)| piece.point(row, measure))
            .collect(),
    }
}

fn table(pieces: &[Piece]) -> Table {
    let header = ["step", "change", "latency after it"];
    let mut table = Builder::new("Steps of the latency", &header);
    for piece in pieces {
        table.plain_row([piece.name.clone(), piece.change.clone(), shown(piece.to_ns)]);
    }
    let note = pieces
        .iter()
        .any(|piece| piece.kind == PieceKind::Unsure)
        .then(|| "~: not sure".to_owned());
    table.finish(note)
}
