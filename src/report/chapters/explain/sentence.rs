//! The sentence that says why a session takes the time that it takes.

use super::step::{names, place, time};
use crate::analysis::{
    AddedNodes, CLAUSE_SHARE, Change, Clause, Explanation, Instructions, Interval, LatencyStep,
    OperatorChange, ReducedArithmetic, Step, StepKind, Verdict,
};
use crate::metric::Unit;
use crate::report::words::{self, Source, listed, number};
use crate::text::Plain;
use crate::units::Ratio;

/// Operators that a clause names before it only counts their nodes.
const NAMED_OPERATORS: usize = 3;

/// Why a session takes the time that it takes: what is sure of the difference first, what goes the
/// other way behind one "but", then what is not sure, and traits that are no part of it.
pub(super) fn sentence(source: Source<'_>, explanation: &Explanation) -> String {
    let lead = lead(source, explanation);
    if explanation.is_same_file {
        return format!("{lead}.");
    }
    let traits = explanation.clauses.iter().filter(|clause| is_trait(clause));
    let traits = traits.map(|clause| clause_words(explanation, clause));
    let Some(latency) = &explanation.latency else {
        let facts: String = traits
            .map(|told| format!(" {}.", words::capital(&told)))
            .collect();
        return format!("{lead}{}.{facts}", because(explanation));
    };
    let told = parts(explanation, latency).into_iter().chain(traits);
    let why: Vec<String> = told.collect();
    if why.is_empty() {
        format!("{lead}: {}.", nothing(explanation))
    } else {
        format!("{lead}: {}.", why.join("; "))
    }
}

/// Of a pair that a larger batch tells more of: the smaller one in one sentence.
pub(super) fn too_small(source: Source<'_>, explanation: &Explanation) -> String {
    let Some(latency) = &explanation.latency else {
        return String::new();
    };
    let others = explanation
        .clauses
        .iter()
        .filter(|clause| matches!(clause, Clause::Denormals { .. }))
        .map(|clause| format!("; {}", clause_words(explanation, clause)));
    format!(
        " {} it is {} ({}), of which no part is sure{}.",
        words::capital(place(source, explanation).trim_start()),
        words::latency_change(&latency.change).phrase,
        medians(latency),
        others.collect::<String>()
    )
}

fn nothing(explanation: &Explanation) -> String {
    match &explanation.steps_absent_reason {
        Some(reason) => format!("why is not known: {reason}"),
        None => format!(
            "no group of operators is shown to have changed by as much as {} of it",
            number::limit(CLAUSE_SHARE)
        ),
    }
}

fn because(explanation: &Explanation) -> String {
    let reason = explanation.steps_absent_reason.as_ref();
    reason
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default()
}

/// What is told of the difference itself.
fn parts(explanation: &Explanation, latency: &LatencyStep) -> Vec<String> {
    let direction = latency.difference_ns().signum();
    let named = explanation
        .clauses
        .iter()
        .filter(|clause| clause.names_part());
    let (along, against): (Vec<&Clause>, Vec<&Clause>) =
        named.partition(|clause| change_ns(clause).signum() == direction);
    let mut parts: Vec<String> = along
        .iter()
        .map(|clause| clause_words(explanation, clause))
        .collect();
    let against = against
        .iter()
        .map(|clause| clause_words(explanation, clause));
    let against = words::listed(against);
    if !against.is_empty() {
        match parts.last_mut() {
            Some(last) => *last += &format!(", but {against}"),
            None => parts.push(against),
        }
    }
    let unnamed = explanation
        .clauses
        .iter()
        .filter(|clause| matches!(clause, Clause::Unnamed { .. }));
    parts.extend(unnamed.map(|clause| clause_words(explanation, clause)));
    parts
}

fn change_ns(clause: &Clause) -> i64 {
    match clause {
        Clause::Step { step, .. } => step.change_ns(),
        Clause::Operators { changes } => changes.iter().map(OperatorChange::change_ns).sum(),
        Clause::NotFused {
            before_ns,
            after_ns,
            ..
        } => after_ns - before_ns,
        Clause::Unnamed { change_ns } => *change_ns,
        Clause::FullPrecision { .. }
        | Clause::ComputedInFloat { .. }
        | Clause::PerChannel { .. }
        | Clause::MemoryBound { .. }
        | Clause::MissingInstructions(_)
        | Clause::Denormals { .. } => 0,
    }
}

/// Whether a clause tells of the session, and not of a part of the difference.
fn is_trait(clause: &Clause) -> bool {
    !clause.names_part() && !matches!(clause, Clause::Unnamed { .. })
}

fn lead(source: Source<'_>, explanation: &Explanation) -> String {
    let [reference, name] = names(source, explanation);
    let Some(latency) = &explanation.latency else {
        return if explanation.is_same_file {
            format!("{name} is the same file as {reference}, by its SHA-256")
        } else {
            format!("{name} was not compared with {reference}")
        };
    };
    let at = place(source, explanation);
    let medians = medians(latency);
    if explanation.is_same_file {
        return format!(
            "{name} is the same file as {reference}, by its SHA-256: any difference{at} ({medians}) is of the measurement, not \
             of the model"
        );
    }
    match latency.change.verdict {
        Verdict::Faster | Verdict::Slower => {
            format!(
                "{name} is {} than {reference}{at} ({medians})",
                words::latency_change(&latency.change).phrase
            )
        }
        Verdict::Same => format!("{name} is as fast as {reference}{at} ({medians})"),
        Verdict::Inconclusive => {
            format!("{name} is not shown to be faster or slower than {reference}{at} ({medians})")
        }
    }
}

/// `30.0 ms instead of 8.93 ms`, or `against` where no difference was shown.
fn medians(latency: &LatencyStep) -> String {
    let between = match latency.change.verdict {
        Verdict::Faster | Verdict::Slower => "instead of",
        Verdict::Same | Verdict::Inconclusive => "against",
    };
    format!(
        "{} {between} {}",
        time(latency.session_ns),
        time(latency.reference_ns)
    )
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
        Clause::Operators { changes } => operators(changes),
        Clause::Unnamed { change_ns } => unnamed(explanation, *change_ns),
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
                "moving data limits nodes that take {} of the time in operators",
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

/// `of single operators, ConvInteger takes 221 µs (150 to 290) more and Conv 103 µs (90 to 110)
/// less`.
fn operators(changes: &[OperatorChange]) -> String {
    let changes = changes.iter().map(|change| {
        let more = if change.change_ns() > 0 {
            "more"
        } else {
            "less"
        };
        format!(
            "{} takes {} {more}",
            change.operator,
            size(change.change_ns(), change.bounds)
        )
    });
    format!("of single operators, {}", listed(changes))
}

/// Time without its sign, with its interval.
fn size(change_ns: i64, bounds: Option<Interval>) -> String {
    let bounds = bounds.map(|bounds| {
        let ends = [bounds.low, bounds.high].map(|end| end * change_ns.signum() as f64);
        Interval::between(ends[0], ends[1])
    });
    let size = change_ns.abs() as f64;
    match bounds {
        Some(bounds) => number::with_interval(Unit::Ns, size, bounds),
        None => number::value(Unit::Ns, size, None),
    }
}

/// ` of the 168 µs`, behind a part of a difference that was shown.
fn of_difference(explanation: &Explanation, change_ns: i64) -> String {
    let difference_ns = explanation
        .latency
        .as_ref()
        .filter(|latency| matches!(latency.change.verdict, Verdict::Faster | Verdict::Slower))
        .map_or(0, LatencyStep::difference_ns);
    let is_part =
        change_ns.signum() == difference_ns.signum() && change_ns.abs() < difference_ns.abs();
    if is_part {
        format!(" of the {}", time(difference_ns.abs()))
    } else {
        String::new()
    }
}

fn unnamed(explanation: &Explanation, change_ns: i64) -> String {
    let time = time(change_ns.abs());
    let is_along = explanation
        .latency
        .as_ref()
        .is_some_and(|latency| latency.difference_ns().signum() == change_ns.signum());
    match (is_along, explanation.names_parts()) {
        (true, true) => {
            format!("the other {time} are in parts that are too small or too unsure to be named")
        }
        (true, false) => {
            format!("all {time} are in parts that are too small or too unsure to be named")
        }
        (false, _) => {
            format!("parts that are too small or too unsure to be named take {time} of that back")
        }
    }
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
    let change =
        size(step.change_ns(), step.bounds) + &of_difference(explanation, step.change_ns());
    let rises = step.change_ns() > 0;
    let went = if rises { "rose" } else { "fell" };
    let most = mostly
        .map(|operator| format!(", most of it in {operator}"))
        .unwrap_or_default();
    match step.kind {
        StepKind::Matrix if step.before_nodes_count > 0 => {
            format!(
                "matrix work {went} by {change}, from {}{most}",
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
        StepKind::Rest => format!("time between operators {went} by {change}"),
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
