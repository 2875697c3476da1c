//! The steps and the changed operators of an explanation, as tables.

use super::step::{UNRESOLVED, change_words, names, place, step_label, time};
use crate::analysis::{Explanation, LatencyStep, OperatorChange, ProfileBasis, Step, StepKind};
use crate::metric::Unit;
use crate::report::words::number::Ways;
use crate::report::words::{self, Builder, MEANINGLESS, RowKind, Source, Table, number, plain};
use crate::units::Ratio;

/// Operators that the table of changes shows; the rest is in `report --json`.
const SHOWN_OPERATORS: usize = 15;

pub(super) fn tables(source: Source<'_>, explanation: &Explanation) -> Vec<Table> {
    match (&explanation.latency, &explanation.profiles) {
        (Some(latency), Some(profiles)) => {
            vec![
                waterfall(source, explanation, latency, profiles),
                operators(source, explanation),
            ]
        }
        _ => Vec::new(),
    }
}

fn waterfall(
    source: Source<'_>,
    explanation: &Explanation,
    latency: &LatencyStep,
    profiles: &ProfileBasis,
) -> Table {
    let [reference, name] = names(source, explanation);
    let title = format!("From {reference} to {name}{}", place(source, explanation));
    let header = ["Step", "Change", "Sum", "Before", "After", "Nodes"];
    let mut table = Builder::new(title, &header);
    let mut sum_ns = latency.reference_ns;
    table.row(RowKind::Baseline, median_row(&reference, sum_ns));
    for step in &explanation.steps {
        sum_ns += step.change_ns();
        table.plain_row(row(step, sum_ns));
    }
    table.plain_row(median_row(&name, latency.session_ns));
    table.finish(notes(&name, &reference, latency, profiles))
}

/// The row at either end, where nothing but the sum means anything.
fn median_row(name: &str, ns: i64) -> Vec<String> {
    let (label, time) = (format!("Median of {name}"), time(ns));
    let blank = MEANINGLESS;
    [&label, blank, &time, blank, blank, blank]
        .map(str::to_owned)
        .to_vec()
}

fn row(step: &Step, sum_ns: i64) -> Vec<String> {
    vec![
        step_label(step.kind).into(),
        change_words(step.change_ns(), step.bounds),
        time(sum_ns),
        time(step.before_ns),
        time(step.after_ns),
        nodes(step),
    ]
}

fn nodes(step: &Step) -> String {
    match step.kind {
        StepKind::Rest => MEANINGLESS.to_owned(),
        _ => format!("{} -> {}", step.before_nodes_count, step.after_nodes_count),
    }
}

fn notes(
    name: &str,
    reference: &str,
    latency: &LatencyStep,
    profiles: &ProfileBasis,
) -> Vec<String> {
    let change = match latency.change.ratio.measured() {
        Some(ratio) => number::relative(ratio.value, ratio.interval, Ways::TIME),
        None => "not compared".into(),
    };
    let difference = number::signed(Unit::Ns, latency.difference_ns() as f64, None);
    let open = format!(
        "Changes stand between what is open about them, with{UNRESOLVED} where that holds no change: the profiler counts whole \
         microseconds, half of one for each run of a node; what it adds is known to about a fifth; its nodes may take more than the \
         inference without it; the ratio of the medians has its interval; and no part takes more than all others leave."
    );
    vec![
        format!("Measured in neighbouring blocks: {change}. The medians differ by {difference}."),
        basis(name, reference, profiles),
        open,
    ]
}

fn basis(name: &str, reference: &str, profiles: &ProfileBasis) -> String {
    let [of_reference, of_session] = [profiles.reference_scale, profiles.session_scale]
        .map(|scale| number::factor(scale.0, None));
    let [reference_longer, session_longer] =
        [profiles.reference_distortion, profiles.session_distortion].map(longer);
    format!(
        "Times of operators come from one profiled launch of each session, multiplied by {of_reference} ({reference}) and \
         {of_session} ({name}) to be times of the timed launches. Beside one without the profiler an inference took \
         {reference_longer} and {session_longer}; what it adds to each run of a node is taken off."
    )
}

fn longer(distortion: Option<Ratio>) -> String {
    match distortion {
        None => "an unknown time".into(),
        Some(ratio) if ratio.0 <= 1.0 => "no longer".into(),
        Some(ratio) => format!("{}x as long", number::factor(ratio.0, None)),
    }
}

fn operators(source: Source<'_>, explanation: &Explanation) -> Table {
    let [reference, name] = names(source, explanation);
    let title = format!(
        "Changed operators, {reference} to {name}{}",
        place(source, explanation)
    );
    let mut table = Builder::new(title, &["Operator", "Change", "Before", "After", "Nodes"]);
    for change in explanation.operators.iter().take(SHOWN_OPERATORS) {
        table.plain_row(operator_row(change));
    }
    let left_out = explanation.operators.len().saturating_sub(SHOWN_OPERATORS) as u64;
    let left_out_words = words::counted_noun(left_out, "more operator");
    let note = (left_out > 0).then(|| format!("{left_out_words} changed less."));
    table.finish(note)
}

fn operator_row(change: &OperatorChange) -> Vec<String> {
    let nodes = format!(
        "{} -> {}",
        change.before_nodes_count, change.after_nodes_count
    );
    vec![
        plain(&change.operator),
        change_words(change.change_ns(), change.bounds),
        time(change.before_ns),
        time(change.after_ns),
        nodes,
    ]
}
