//! The sentence that says why a session takes the time that it takes.

use super::step::{names, place, time};
use crate::analysis::{
    AddedNodes, CLAUSE_SHARE, Change, Clause, Explanation, Instructions, ReducedArithmetic, Step,
    StepKind, Verdict,
};
use crate::metric::Unit;
use crate::report::words::{self, Source, listed, number};
use crate::text::Plain;
use crate::units::Ratio;

/// Operators that a clause names before it only counts their nodes.
const NAMED_OPERATORS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Shorter,
    Longer,
    Neither,
}

pub(super) fn sentence(source: Source<'_>, explanation: &Explanation) -> String {
    let lead = lead(source, explanation);
    let why = match &explanation.steps_absent_reason {
        _ if !explanation.clauses.is_empty() => joined(explanation),
        Some(reason) => format!("why is not known: {reason}"),
        None => {
            format!(
                "no group of operators is shown to have changed by as much as {} of it",
                number::limit(CLAUSE_SHARE)
            )
        }
    };
    format!("{lead}: {why}.")
}

fn joined(explanation: &Explanation) -> String {
    let mut text = String::new();
    let mut before = None;
    for clause in &explanation.clauses {
        let side = side(clause);
        text += before.map_or("", |before| joint(before, side));
        text += &clause_words(explanation, clause);
        before = Some(side);
    }
    text
}

/// Words between two clauses.
fn joint(before: Side, after: Side) -> &'static str {
    match (before, after) {
        (Side::Shorter, Side::Longer) | (Side::Longer, Side::Shorter) => ", but ",
        _ => "; ",
    }
}

fn lead(source: Source<'_>, explanation: &Explanation) -> String {
    let [reference, name] = names(source, explanation);
    let Some(latency) = &explanation.latency else {
        return format!("{name} was not compared with {reference}");
    };
    let (own, other) = (time(latency.session_ns), time(latency.reference_ns));
    let at = place(source, explanation);
    match latency.change.verdict {
        Verdict::Faster | Verdict::Slower => {
            format!(
                "{name} is {} than {reference}{at} ({own} instead of {other})",
                words::latency_change(&latency.change).phrase
            )
        }
        Verdict::Same => format!("{name} is as fast as {reference}{at} ({own} against {other})"),
        Verdict::Inconclusive => {
            format!("{name} is not told apart from {reference}{at} ({own} against {other})")
        }
    }
}

fn side(clause: &Clause) -> Side {
    match clause {
        Clause::Step { step, .. } if step.change_ns() < 0 => Side::Shorter,
        Clause::Unnamed { change_ns } if *change_ns < 0 => Side::Shorter,
        Clause::PerChannel { .. } | Clause::ComputedInFloat { .. } | Clause::MemoryBound { .. } => {
            Side::Neither
        }
        _ => Side::Longer,
    }
}

fn clause_words(explanation: &Explanation, clause: &Clause) -> String {
    match clause {
        Clause::NotFused {
            meant_nodes_count,
            ran_nodes_count,
            before_ns,
            after_ns,
        } => {
            let times = format!("{} instead of {}", time(*after_ns), time(*before_ns));
            not_fused(*meant_nodes_count, *ran_nodes_count, &times)
        }
        Clause::Step {
            step,
            operators,
            mostly,
        } => step_words(explanation, step, operators, mostly.as_ref()),
        Clause::Unnamed { change_ns } => unnamed(*change_ns),
        Clause::FullPrecision {
            nodes_count,
            of_count,
            time_ns,
            share,
        } => full_precision(*nodes_count, *of_count, *time_ns, *share),
        Clause::ComputedInFloat {
            nodes_count,
            of_count,
            casts_count,
            casts_ns,
        } => {
            let casts = if tells_conversions(explanation) || *casts_count == 0 {
                String::new()
            } else {
                casts(*casts_count, *casts_ns)
            };
            format!("{nodes_count} of {of_count} matrix nodes compute in float32{casts}")
        }
        Clause::PerChannel {
            ran_nodes_count,
            of_count,
        } => per_channel(*ran_nodes_count, *of_count),
        Clause::MemoryBound { share } => {
            format!(
                "moving data limits nodes that take {} of the time in nodes",
                number::share(share.0)
            )
        }
        Clause::MissingInstructions(instructions) => missing(instructions),
        Clause::Denormals {
            change,
            flushed_ns,
            unchanged_ns,
        } => denormals(change, *flushed_ns, *unchanged_ns),
    }
}

fn not_fused(meant: u64, ran: u64, times: &str) -> String {
    let ran = if ran == 0 {
        "none".to_owned()
    } else {
        format!("only {ran}")
    };
    format!(
        "{ran} of {meant} quantized matrix nodes computes in integers, because their quantize and dequantize nodes were \
         not fused into them: in float they take {times}"
    )
}

fn unnamed(change_ns: i64) -> String {
    let what = if change_ns < 0 {
        "are saved"
    } else {
        "are added"
    };
    format!(
        "{} {what} in steps that are too small or too unsure to be named",
        time(change_ns.abs())
    )
}

fn full_precision(nodes: u64, all: u64, time_ns: i64, share: Ratio) -> String {
    let are = if nodes == 1 { "is" } else { "are" };
    format!(
        "{nodes} of {all} matrix nodes {are} left in full precision and take {} ({})",
        time(time_ns),
        number::share(share.0)
    )
}

/// `, with 8 Cast nodes (1.2 ms in all)`.
fn casts(count: u64, casts_ns: Option<i64>) -> String {
    let nodes = words::number_of(count, "Cast node");
    match casts_ns.map(time) {
        Some(time) => format!(", with {nodes} ({time} in all)"),
        None => format!(", with {nodes}"),
    }
}

fn denormals(change: &Change, flushed_ns: i64, unchanged_ns: i64) -> String {
    format!(
        "denormal numbers slow it down: with them flushed to zero it is {} ({} instead of {})",
        words::latency_change(change).phrase,
        time(flushed_ns),
        time(unchanged_ns)
    )
}

fn tells_conversions(explanation: &Explanation) -> bool {
    explanation.clauses.iter().any(
        |clause| matches!(clause, Clause::Step { step, .. } if step.kind == StepKind::Conversion),
    )
}

fn per_channel(ran: u64, all: u64) -> String {
    let lead = if ran == all {
        "a scale for each channel of the weights is no obstacle:"
    } else {
        "with a scale for each channel of the weights,"
    };
    format!("{lead} {ran} of {all} matrix nodes run in integers")
}

fn missing(instructions: &Instructions) -> String {
    let wanted = instructions.wanted.join(", ");
    let what = match instructions.arithmetic {
        ReducedArithmetic::Int8 => {
            format!("this CPU has no instructions for sums of 8-bit products (none of {wanted})")
        }
        ReducedArithmetic::Float16 if instructions.has_kernels => {
            format!("this CPU has no half-precision arithmetic (none of {wanted})")
        }
        ReducedArithmetic::Float16 if instructions.present.is_empty() => format!(
            "ONNX Runtime has no half-precision kernels for this architecture, nor has this CPU such arithmetic (none of \
             {wanted})"
        ),
        ReducedArithmetic::Float16 => format!(
            "ONNX Runtime has no half-precision kernels for this architecture, although the CPU has {}",
            instructions.present.join(", ")
        ),
    };
    match instructions.saturates {
        true => format!("{what}, and uint8 by int8 sums may saturate unless weights have 7 bits"),
        false => what,
    }
}

fn step_words(
    explanation: &Explanation,
    step: &Step,
    operators: &[AddedNodes],
    mostly: Option<&Plain>,
) -> String {
    let change = number::value(Unit::Ns, step.change_ns().abs() as f64, step.bounds);
    let rises = step.change_ns() > 0;
    let went = if rises { "rose" } else { "fell" };
    let most = mostly
        .map(|operator| format!(", most of it in {operator}"))
        .unwrap_or_default();
    match step.kind {
        StepKind::Matrix if step.before_nodes_count > 0 => {
            format!(
                "matrix work {went} by {change} from {}{most}",
                time(step.before_ns)
            )
        }
        StepKind::Compiled if rises => {
            format!(
                "{} compiled by the execution provider take {change}",
                words::number_of(step.after_nodes_count, "node")
            )
        }
        StepKind::Fusion => fusion(explanation, &change, rises),
        StepKind::Rest => format!("time outside of nodes {went} by {change}"),
        kind => match (rises, operators.is_empty()) {
            (true, false) => format!("{} nodes add {change}", added(operators)),
            (true, true) => format!("{} take {change} more{most}", noun(kind)),
            (false, _) => format!("{} take {change} less{most}", noun(kind)),
        },
    }
}

fn noun(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Conversion => "conversions",
        StepKind::Other => "other operators",
        StepKind::Compiled => "compiled subgraphs",
        StepKind::FullPrecision => "matrix nodes left in full precision",
        _ => "matrix nodes",
    }
}

fn fusion(explanation: &Explanation, change: &str, rises: bool) -> String {
    let names = listed(fused_operators(explanation, if rises { 1 } else { -1 }));
    match (rises, names.is_empty()) {
        (_, true) => format!("fusions change it by {change}"),
        (true, false) => {
            format!("{names} nodes that are not fused into others any more add {change}")
        }
        (false, false) => format!("{names} nodes that are fused into others save {change}"),
    }
}

/// Operators most of whose nodes lost their fusion, or of those that gained one with a `sign` of
/// -1.
fn fused_operators(explanation: &Explanation, sign: i64) -> Vec<String> {
    let mut nodes: Vec<(i64, &Plain)> = explanation
        .fusions
        .iter()
        .map(|fusion| {
            let lost = fusion.before_absorbed_count - fusion.after_absorbed_count;
            (sign * lost, &fusion.operator)
        })
        .filter(|(nodes, _)| *nodes > 0)
        .collect();
    nodes.sort_by_key(|(nodes, _)| std::cmp::Reverse(*nodes));
    nodes.truncate(NAMED_OPERATORS);
    nodes
        .into_iter()
        .map(|(nodes, operator)| format!("{nodes} {operator}"))
        .collect()
}

/// `8 Cast, 4 Mul and 3 other`.
fn added(operators: &[AddedNodes]) -> String {
    let (named, others) = operators.split_at(operators.len().min(NAMED_OPERATORS));
    let names = named
        .iter()
        .map(|added| format!("{} {}", number::count(added.nodes_count), added.operator));
    let others: u64 = others.iter().map(|added| added.nodes_count).sum();
    let others = (others > 0).then(|| format!("{} other", number::count(others)));
    listed(names.chain(others))
}
