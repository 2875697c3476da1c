//! One profile in words and tables.

use std::slice;

use crate::analysis::{
    Breakdown, Estimate, GraphChange, Measured, NodeShare, OperatorGroup, OperatorShare, Rest,
};
use crate::provider;
use crate::record::{NodeProfile, Profiled, TensorShape};
use crate::report::words::number::{self, bytes, percent, time};
use crate::report::words::{self, ABSENT, Builder, Table, plain, shortened};
use crate::text::Plain;
use crate::units::{Bytes, Nanos};

/// Rows of a table, beyond which they are summed up.
const ROWS: usize = 10;
/// Letters of the column of shapes, and of operators.
const SHAPES_WIDTH: usize = 36;
const OPERATOR_WIDTH: usize = 24;

const CONTROL_FLOW: [&str; 3] = ["If", "Loop", "Scan"];

pub(super) fn lines(breakdown: &Breakdown) -> Vec<String> {
    let arena = breakdown.arena_peak_bytes;
    let mut lines = vec![
        time_and_nodes(breakdown),
        format!("By kind of work: {}", groups(breakdown)),
        rest(breakdown),
        distortion(&breakdown.distortion),
    ];
    lines.extend(arena.map(|peak| format!("Arena: {} in use at most", bytes(peak))));
    lines.extend(remarks(breakdown));
    lines
}

fn time_and_nodes(breakdown: &Breakdown) -> String {
    format!(
        "{} an inference with the profiler on (mean of {}), {} of it in {}",
        time(breakdown.inference_ns),
        number::count(breakdown.inferences_count),
        in_nodes(breakdown),
        words::counted_noun(breakdown.nodes.len() as u64, "node")
    )
}

pub(super) fn in_nodes(breakdown: &Breakdown) -> String {
    match breakdown.rest {
        Rest::Between { share, .. } => percent(1.0 - share.0),
        Rest::Overlap { factor } => format!("{}x", number::factor(factor, None)),
    }
}

fn groups(breakdown: &Breakdown) -> String {
    let groups = breakdown
        .by_group
        .iter()
        .map(|share| format!("{} {}", group_words(share.group), percent(share.share.0)));
    words::joined(groups, ", ")
}

fn group_words(group: OperatorGroup) -> &'static str {
    match group {
        OperatorGroup::Matrix => "matrix work",
        OperatorGroup::Conversion => "conversion",
        OperatorGroup::Other => "other",
    }
}

fn rest(breakdown: &Breakdown) -> String {
    match breakdown.rest {
        Rest::Between {
            time_ns,
            share,
            truncated_at_most_ns,
        } => {
            let cut_off = match truncated_at_most_ns {
                Nanos(0) => String::new(),
                most => format!(
                    ", of which up to {} may belong to nodes: the profiler counts whole microseconds of each call",
                    time(most)
                ),
            };
            format!(
                "Between nodes: {} an inference, {}{cut_off}",
                time(time_ns),
                percent(share.0)
            )
        }
        Rest::Overlap { factor } => format!(
            "Nodes run side by side: their times add up to {}x the inference, so that a shorter node need not make a \
             shorter inference",
            number::factor(factor, None)
        ),
    }
}

fn distortion(estimate: &Estimate) -> String {
    match estimate {
        Estimate::Measured(measured) => slowed(measured),
        Estimate::Absent { reason, .. } => {
            format!(
                "How much the profiler itself slows an inference down is {}",
                words::not_measured(reason)
            )
        }
    }
}

fn slowed(measured: &Measured) -> String {
    let remark = measured.remark.as_ref().map(|told| format!("; {told}"));
    format!(
        "The profiler itself: an inference takes {} as long with it as without it, n = {}{}",
        number::times(measured.value, measured.interval),
        words::counted(measured),
        remark.unwrap_or_default()
    )
}

fn remarks(breakdown: &Breakdown) -> Vec<String> {
    let disturbed = breakdown.disturbed_inferences_count;
    let unreadable = breakdown.unreadable_events_count;
    let mut remarks = Vec::new();
    if disturbed > 0 {
        remarks.push(format!("{} took over 5/4 of the lower quartile, disturbed or with threads still asleep, and do not count", words::counted_noun(disturbed, "more inference")));
    }
    if !breakdown.complete {
        remarks.push("The trace was cut off: it was read as far as it goes".into());
    }
    if unreadable > 0 {
        remarks.push(format!(
            "{} of the trace could not be read",
            words::counted_noun(unreadable, "event")
        ));
    }
    remarks
}

pub(super) fn graph(change: &GraphChange) -> String {
    let mut text = format!(
        "Graph: {} in the file, {} as run",
        words::counted_noun(change.in_file_count, "node"),
        number::count(change.as_run_count)
    );
    let changed = change.changed.iter();
    for (what, operators) in [
        (
            "only after optimization",
            words::first_operators(&change.appeared),
        ),
        (
            "no longer there, or not run",
            words::first_operators(&change.vanished),
        ),
        (
            "in another number",
            words::first_names(changed.map(|(operator, count)| {
                format!(
                    "{} {operator} instead of {}",
                    count.as_run_count, count.in_file_count
                )
            })),
        ),
    ] {
        if !operators.is_empty() {
            text += &format!("; {what}: {operators}");
        }
    }
    text
}

pub(super) fn tables(breakdown: &Breakdown, profiled: &Profiled) -> Vec<Table> {
    vec![operators(breakdown), nodes(breakdown, profiled)]
}

fn operators(breakdown: &Breakdown) -> Table {
    let several = has_several_providers(breakdown);
    let header = [
        "operator", "kind", "nodes", "calls", "time", "share", "bytes",
    ];
    let mut builder = Builder::new("Time by operator", &header);
    let (shown, others) = split(&breakdown.by_operator);
    for operator in shown {
        let (name, group) = (
            operator_name(operator, several),
            group_words(operator.group),
        );
        builder.plain_row(operators_row(name, group, slice::from_ref(operator)));
    }
    if !others.is_empty() {
        let name = format!("{} more operators", others.len());
        builder.plain_row(operators_row(name, "", others));
    }
    builder.finish([
        "calls, time and bytes: of one inference; share: of the time in nodes".into(),
        "bytes: inputs, weights and outputs, each once; a trace alone lacks weights that kernels packed for themselves; - where \
         it does not tell"
            .into(),
    ])
}

/// Operators in one row: what they are called, and of which group they are, if of one.
fn operators_row(name: String, group: &str, operators: &[OperatorShare]) -> Vec<String> {
    let operators = operators.iter();
    let all_bytes: Option<Bytes> = operators.clone().map(|one| one.bytes).sum();
    vec![
        name,
        group.into(),
        number::count(operators.clone().map(|one| one.nodes_count).sum()),
        calls(operators.clone().map(|one| one.calls).sum()),
        time(operators.clone().map(|one| one.time_ns).sum()),
        percent(operators.map(|one| one.share.0).sum()),
        all_bytes.map_or_else(|| ABSENT.into(), bytes),
    ]
}

fn nodes(breakdown: &Breakdown, profiled: &Profiled) -> Table {
    let header = [
        "node",
        "operator",
        "calls",
        "time",
        "share",
        "first input → first output",
    ];
    let mut builder = Builder::new("Longest nodes", &header);
    let (shown, others) = split(&breakdown.nodes);
    for share in shown {
        builder.plain_row(node_row(share, &profiled.nodes[share.node]));
    }
    if !others.is_empty() {
        builder.plain_row(other_nodes(others));
    }
    let note = "a node's time is without that of the nodes inside it, such as a loop's body";
    let note = holds_others(breakdown).then(|| note.to_owned());
    builder.finish(note)
}

fn node_row(share: &NodeShare, node: &NodeProfile) -> Vec<String> {
    vec![
        node_name(node),
        short_name(&node.operator),
        calls(share.calls),
        time(share.time_ns),
        percent(share.share.0),
        shapes(node),
    ]
}

fn other_nodes(others: &[NodeShare]) -> Vec<String> {
    vec![
        format!("{} more nodes", number::count(others.len() as u64)),
        String::new(),
        calls(others.iter().map(|node| node.calls).sum()),
        time(others.iter().map(|node| node.time_ns).sum()),
        percent(others.iter().map(|node| node.share.0).sum()),
        String::new(),
    ]
}

/// Whether some nodes hold others.
fn holds_others(breakdown: &Breakdown) -> bool {
    breakdown
        .by_operator
        .iter()
        .any(|share| CONTROL_FLOW.contains(&share.operator.exact()))
}

/// Rows that are all shown: a single one is not worth a sum.
const TOO_FEW: usize = ROWS + 1;

/// The rows to show, and those to sum up.
fn split<T>(rows: &[T]) -> (&[T], &[T]) {
    match rows.len() {
        all @ ..=TOO_FEW => rows.split_at(all),
        _ => rows.split_at(ROWS),
    }
}

fn node_name(node: &NodeProfile) -> String {
    match (plain(&node.name), node.node_index) {
        (name, _) if !name.is_empty() => name,
        (_, Some(index)) => format!("node {index}, without a name"),
        (_, None) => "nodes without a name".into(),
    }
}

fn short_name(operator: &Plain) -> String {
    shortened(&plain(operator), OPERATOR_WIDTH)
}

pub(super) fn operator_name(operator: &OperatorShare, several: bool) -> String {
    let name = short_name(&operator.operator);
    if !several {
        return name;
    }
    let provider = provider::short_name(operator.execution_provider.exact());
    format!("{name} ({})", plain(&provider))
}

pub(super) fn has_several_providers(breakdown: &Breakdown) -> bool {
    breakdown
        .by_operator
        .windows(2)
        .any(|pair| pair[0].execution_provider != pair[1].execution_provider)
}

/// `float[1,32,8,8] → float[1,64,8,8]`.
fn shapes(node: &NodeProfile) -> String {
    let [first, last] =
        [&node.inputs, &node.outputs].map(|tensors| first_shape(tensors.as_deref()));
    shortened(&format!("{first} → {last}"), SHAPES_WIDTH)
}

fn first_shape(tensors: Option<&[TensorShape]>) -> String {
    match tensors {
        None => ABSENT.to_owned(),
        Some([]) => "none".into(),
        Some([first, ..]) => shape(first),
    }
}

fn shape(tensor: &TensorShape) -> String {
    format!(
        "{}[{}]",
        tensor.element_type,
        words::joined(&tensor.dims, ",")
    )
}

fn calls(calls: f64) -> String {
    if calls.fract() == 0.0 {
        number::count(calls as u64)
    } else {
        format!("{calls:.1}")
    }
}
