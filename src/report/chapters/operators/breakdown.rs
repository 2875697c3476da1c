//! One profile in words and tables.

use std::slice;

use super::device;
use super::portion::{share_words, time_words};
use crate::analysis::{
    Breakdown, Estimate, GraphChange, Interval, Measured, NodeShare, NodeTimes, OperatorGroup,
    OperatorShare, Portion, PortionBounds, Rest, SURE_DISTORTION, TimeLevel,
};
use crate::provider;
use crate::record::{NodeProfile, Profiled, TensorShape};
use crate::report::words::number::{self, bytes, time};
use crate::report::words::{self, ABSENT, Builder, Table, plain, shortened};
use crate::text::Plain;
use crate::units::{Bytes, Nanos, Ratio};

/// Rows of a table, beyond which they are summed up.
const ROWS: usize = 10;
/// Letters of the column of shapes, and of operators.
const SHAPES_WIDTH: usize = 36;
const OPERATOR_WIDTH: usize = 24;

const CONTROL_FLOW: [&str; 3] = ["If", "Loop", "Scan"];

pub(super) fn lines(breakdown: &Breakdown) -> Vec<String> {
    let arena = breakdown.arena_peak_bytes;
    let mut lines = vec![time_and_nodes(breakdown)];
    lines.extend(device::lines(breakdown));
    lines.push(format!("By kind of work: {}", groups(breakdown)));
    lines.push(rest(breakdown));
    lines.push(distortion(breakdown));
    lines.extend(arena.map(|peak| format!("Arena: {} in use at most", bytes(peak))));
    lines.extend(remarks(breakdown));
    lines
}

fn time_and_nodes(breakdown: &Breakdown) -> String {
    let of = match breakdown.level {
        TimeLevel::Timed => " (median of the timed launches)".into(),
        TimeLevel::Unprofiled => " without the profiler".into(),
        TimeLevel::Profiled => format!(
            " with the profiler on (mean of {})",
            number::count(breakdown.coverage.inferences_count)
        ),
    };
    format!(
        "{} an inference{of}, {} of it{} in {}",
        time(breakdown.inference_ns),
        in_operators(breakdown),
        on_the_host(breakdown),
        words::counted_noun(breakdown.nodes.len() as u64, "node")
    )
}

/// Said of times of nodes that are of handing work over.
pub(super) fn on_the_host(breakdown: &Breakdown) -> &'static str {
    match breakdown.times {
        NodeTimes::Host | NodeTimes::Device => "",
        NodeTimes::HandingOver => " on the host",
    }
}

/// Share of the inference that its operators take.
pub(super) fn in_operators(breakdown: &Breakdown) -> String {
    match breakdown.rest {
        Rest::Between { portion, .. } => share_words(Portion {
            share: Ratio(1.0 - portion.share.0),
            bounds: portion.bounds.map(|bounds| PortionBounds {
                share: Interval {
                    low: 1.0 - bounds.share.high,
                    high: 1.0 - bounds.share.low,
                },
                ..bounds
            }),
            ..portion
        }),
        Rest::Overlap { factor } => format!("{}x", number::factor(factor, None)),
    }
}

fn groups(breakdown: &Breakdown) -> String {
    let groups = breakdown.by_group.iter().map(|share| {
        format!(
            "{} {}",
            group_words(share.group),
            share_words(share.portion)
        )
    });
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
            portion,
            truncated_at_most_ns,
        } => {
            format!(
                "{}: {} an inference, {}{}",
                besides(breakdown.times),
                time_words(portion),
                share_words(portion),
                cut_off(breakdown.times, truncated_at_most_ns)
            )
        }
        Rest::Overlap { factor } => format!(
            "Nodes run side by side: their times add up to {}x the inference, so that a shorter node need not make a \
             shorter inference",
            number::factor(factor, None)
        ),
    }
}

/// Time that is in no node.
fn besides(times: NodeTimes) -> &'static str {
    match times {
        NodeTimes::Host => "Between nodes",
        NodeTimes::HandingOver => "Between nodes, waiting for the device among it",
        NodeTimes::Device => "Besides these times of nodes",
    }
}

fn cut_off(times: NodeTimes, most: Nanos) -> String {
    let what = match times {
        NodeTimes::Host | NodeTimes::HandingOver => "each call",
        NodeTimes::Device => "each kernel and copy",
    };
    match most {
        Nanos(0) => String::new(),
        most => format!(
            ", of which up to {} may belong to nodes: the profiler counts whole microseconds of {what}",
            time(most)
        ),
    }
}

fn distortion(breakdown: &Breakdown) -> String {
    let times = match (breakdown.level, &breakdown.distortion) {
        (TimeLevel::Profiled, _) => String::new(),
        (TimeLevel::Timed | TimeLevel::Unprofiled, Estimate::Measured(_)) => {
            format!(
                ". {} What it adds is taken off{}",
                with_it(breakdown),
                as_ranges(breakdown)
            )
        }
        (TimeLevel::Timed | TimeLevel::Unprofiled, Estimate::Absent { .. }) => format!(
            ". {} All times are scaled to the inference without it{}",
            with_it(breakdown),
            as_ranges(breakdown)
        ),
    };
    match &breakdown.distortion {
        Estimate::Measured(measured) => slowed(measured) + &times,
        Estimate::Absent { reason, .. } => {
            format!(
                "How much the profiler itself slows an inference down is {}{times}",
                words::not_measured(reason)
            )
        }
    }
}

/// `With it one takes 615 µs (mean of 47).`
fn with_it(breakdown: &Breakdown) -> String {
    format!(
        "With it one takes {} (mean of {}).",
        time(breakdown.coverage.profiled_inference_ns),
        number::count(breakdown.coverage.inferences_count)
    )
}

fn as_ranges(breakdown: &Breakdown) -> String {
    let is_any = breakdown
        .by_operator
        .iter()
        .any(|share| share.portion.bounds.is_some());
    match is_any {
        true => format!(
            "; beyond {}x it is not known so exactly from which node, so that times and shares are ranges",
            number::factor(SURE_DISTORTION, None)
        ),
        false => String::new(),
    }
}

/// Why nothing is told of the operators of a profile; `None` where something is.
pub(in crate::report) fn untold(breakdown: &Breakdown) -> Option<String> {
    (!breakdown.is_told()).then(|| {
        format!(
            "with the profiler an inference takes {}x as long, which leaves nothing sure of its operators",
            number::factor(breakdown.slowdown().0, None)
        )
    })
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
    let coverage = &breakdown.coverage;
    let disturbed = coverage.disturbed_inferences_count;
    let unreadable = coverage.unreadable_events_count;
    let mut remarks = Vec::new();
    if disturbed > 0 {
        remarks.push(format!("{} took over 5/4 of the lower quartile, disturbed or with threads still asleep, and {} not count", words::counted_noun(disturbed, "more inference"), if disturbed == 1 { "does" } else { "do" }));
    }
    if !coverage.complete {
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
    let header = with_host(
        breakdown,
        vec![
            "operator", "kind", "nodes", "calls", "time", "share", "bytes",
        ],
        "on host",
    );
    let mut builder = Builder::new(titled("Time by operator", breakdown), &header);
    let (shown, others) = split(&breakdown.by_operator);
    for operator in shown {
        let (name, group) = (
            operator_name(operator, several),
            group_words(operator.group),
        );
        let cells = operators_row(breakdown, name, group, slice::from_ref(operator));
        builder.plain_row(with_host(breakdown, cells, time(operator.host_ns)));
    }
    if !others.is_empty() {
        let name = format!("{} more operators", others.len());
        let host_ns = others.iter().map(|one| one.host_ns).sum();
        let cells = operators_row(breakdown, name, "", others);
        builder.plain_row(with_host(breakdown, cells, time(host_ns)));
    }
    let notes = [
        "calls, time and bytes: of one inference; share: of the time in all operators".into(),
        "bytes: inputs, weights and outputs, each once; a trace alone lacks weights that kernels packed for themselves; - where \
         it does not tell"
            .into(),
    ];
    builder.finish(notes.into_iter().chain(device::notes(breakdown)))
}

/// The title of a table, which says whose times it has where they are not those of the work.
fn titled(title: &str, breakdown: &Breakdown) -> String {
    match breakdown.times {
        NodeTimes::Host | NodeTimes::Device => title.into(),
        NodeTimes::HandingOver => format!("{title}, on the host alone"),
    }
}

/// The cells of a row, with that of the host's own time before the last where the device's stand for
/// the nodes.
fn with_host<T>(breakdown: &Breakdown, mut cells: Vec<T>, host: T) -> Vec<T> {
    if breakdown.times == NodeTimes::Device {
        cells.insert(cells.len().saturating_sub(1), host);
    }
    cells
}

/// Operators in one row: what they are called, and of which group they are, if of one.
fn operators_row(
    breakdown: &Breakdown,
    name: String,
    group: &str,
    operators: &[OperatorShare],
) -> Vec<String> {
    let operators = operators.iter();
    let portion = Portion::together(operators.clone().map(|one| one.portion));
    let all_bytes: Option<Bytes> = operators.clone().map(|one| one.bytes).sum();
    vec![
        name,
        group.into(),
        number::count(operators.clone().map(|one| one.nodes_count).sum()),
        calls(operators.map(|one| one.calls).sum()),
        device::own_time(breakdown, portion),
        share_words(portion),
        all_bytes.map_or_else(|| ABSENT.into(), bytes),
    ]
}

fn nodes(breakdown: &Breakdown, profiled: &Profiled) -> Table {
    let header = with_host(
        breakdown,
        vec![
            "node",
            "operator",
            "calls",
            "time",
            "share",
            "first input → first output",
        ],
        "on host",
    );
    let mut builder = Builder::new(titled("Longest nodes", breakdown), &header);
    let (shown, others) = split(&breakdown.nodes);
    for share in shown {
        let cells = node_row(breakdown, share, &profiled.nodes[share.node]);
        builder.plain_row(with_host(breakdown, cells, time(share.host_ns)));
    }
    if !others.is_empty() {
        let host_ns = others.iter().map(|node| node.host_ns).sum();
        let cells = other_nodes(breakdown, others);
        builder.plain_row(with_host(breakdown, cells, time(host_ns)));
    }
    let note = "a node's time is without that of the nodes inside it, such as a loop's body";
    let note = holds_others(breakdown).then(|| note.to_owned());
    builder.finish(note.into_iter().chain(device::notes(breakdown)))
}

fn node_row(breakdown: &Breakdown, share: &NodeShare, node: &NodeProfile) -> Vec<String> {
    vec![
        node_name(node),
        short_name(&node.operator),
        calls(share.calls),
        device::own_time(breakdown, share.portion),
        share_words(share.portion),
        shapes(node),
    ]
}

fn other_nodes(breakdown: &Breakdown, others: &[NodeShare]) -> Vec<String> {
    let portion = Portion::together(others.iter().map(|node| node.portion));
    vec![
        format!("{} more nodes", number::count(others.len() as u64)),
        String::new(),
        calls(others.iter().map(|node| node.calls).sum()),
        device::own_time(breakdown, portion),
        share_words(portion),
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
