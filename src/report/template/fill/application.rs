//! Bottlenecks of the model: the nodes of what runs today that take the time.

use super::Fill;
use crate::analysis::{Bound, HotNode, Roofline};
use crate::metric::Metric;
use crate::report::chapters::bottlenecks::Entry;
use crate::report::chapters::roofline;
use crate::report::template::fill::baseline::of_baseline;
use crate::report::template::found::or_why;
use crate::report::words::{self, Item, number, plain};

/// Nodes that are told at most.
const NODES: usize = 3;

pub(super) fn bottlenecks(fill: Fill<'_>) -> Vec<Entry> {
    let Some(profile) = today(fill) else {
        return Vec::new();
    };
    profile
        .nodes
        .iter()
        .take(NODES)
        .map(|node| entry(fill, profile, node))
        .collect()
}

/// The profile of the baseline at its smallest profiled batch.
pub(super) fn today(fill: Fill<'_>) -> Option<&Roofline> {
    let baseline = fill.baseline()?.session;
    let rooflines = fill.source.findings.causes.rooflines.iter();
    rooflines
        .filter(|profile| profile.session == baseline)
        .min_by_key(|profile| (profile.shape, profile.batch_size))
}

fn entry(fill: Fill<'_>, profile: &Roofline, node: &HotNode) -> Entry {
    let file = &fill.record.plan.variant_of(profile.session).path;
    let name = match plain(&node.name) {
        name if name.is_empty() => "a node without a name".into(),
        name => format!("node {name}"),
    };
    Entry {
        title: format!("{}, {}", node.operator, bound(node)),
        fields: vec![
            Item::new(
                "Code Location",
                format!(
                    "{name} ({}) in {}",
                    node.operator,
                    plain(&file.display().to_string())
                ),
            ),
            Item::new("Performance Issue", issue(node)),
            Item::new("Profiling Results", result(fill, profile, node)),
            Item::list("Resource Impact", impact(fill, node)),
        ],
    }
}

fn bound(node: &HotNode) -> &'static str {
    match node.bound {
        Ok(bound) => roofline::word(bound),
        Err(_) => "limit not known",
    }
}

fn issue(node: &HotNode) -> String {
    match (&node.bound, attained(node)) {
        (Err(reason), _) => words::not_measured(reason),
        (Ok(_), None) => bound(node).into(),
        (Ok(_), Some(attained)) => format!("{}: {attained}", bound(node)),
    }
}

/// `85.0% of the machine's peak rate of operations`.
pub(super) fn attained(node: &HotNode) -> Option<String> {
    let peak = match &node.bound {
        Ok(Bound::Memory) => "the machine's peak memory bandwidth",
        Ok(Bound::Compute | Bound::Conversion) | Err(_) => "the machine's peak rate of operations",
        Ok(Bound::FarFromBoth | Bound::Overhead) => "the nearer of the machine's peaks",
    };
    let share = node.attained().filter(|share| share.0 <= 1.0)?;
    Some(format!("{} of {peak}", number::share(share.0)))
}

fn result(fill: Fill<'_>, profile: &Roofline, node: &HotNode) -> String {
    format!(
        "{}, {} of the time of all nodes, at {} ({} of {} that its nodes take in an inference), by ONNX Runtime's profiler",
        number::time(node.time_ns),
        number::share(node.share.0),
        fill.batch(profile.shape, profile.batch_size),
        number::time(profile.nodes_ns),
        number::time(profile.inference_ns)
    )
}

fn impact(fill: Fill<'_>, node: &HotNode) -> Vec<String> {
    let work = node.work.as_ref().ok();
    let operations = work
        .map(|work| work.operations_count)
        .filter(|&count| count > 0)
        .map(|count| format!("{} operations a call", number::count(count)));
    let bytes = node.bytes.as_ref().ok();
    let bytes = bytes.map(|&bytes| format!("{} read and written a call", number::bytes(bytes)));
    let arena = format!(
        "arena of the session at its peak: {}",
        or_why(of_baseline(*fill, Metric::ArenaPeak))
    );
    operations.into_iter().chain(bytes).chain([arena]).collect()
}
