//! How the time of an inference is shared out among the nodes of a profile.

use std::collections::BTreeMap;

use serde::Serialize;

use super::bytes;
use crate::analysis::{Counted, Estimate, Measured, OperatorGroup};
use crate::record::{NodeProfile, Profiled};
use crate::stats;
use crate::text::Plain;
use crate::units::{Bytes, Nanos, Ratio};

/// Uncertainty of the time of one call: it cuts off what is beyond whole microseconds.
const TRUNCATION: Nanos = Nanos(1000);

/// How the time of an inference is shared out among nodes, operators and what is between them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Breakdown {
    /// Inferences behind the times, which are means over them.
    pub inferences_count: u64,
    /// Inferences that were left out because they were disturbed.
    pub disturbed_inferences_count: u64,
    /// Whether the trace came to its end.
    pub complete: bool,
    /// Events of the trace that could not be read.
    pub unreadable_events_count: u64,
    /// Wall time of a profiled inference.
    pub inference_ns: Nanos,
    /// Time in nodes.
    pub nodes_ns: Nanos,
    /// How that fits into the inference.
    pub rest: Rest,
    /// Wall time with the profiler / without it, one value for each pair of neighbouring stretches.
    pub distortion: Estimate,
    /// Time by operator and execution provider, the longest first.
    pub by_operator: Vec<OperatorShare>,
    /// Time by kind of work, the longest first.
    pub by_group: Vec<GroupShare>,
    /// Every node, the longest first.
    pub nodes: Vec<NodeShare>,
    /// Most bytes in use in the arena during an inference; absent where the trace does not tell.
    pub arena_peak_bytes: Option<Bytes>,
}

/// Time of an inference besides its nodes'.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Rest {
    /// Time that no node accounts for: the work between nodes, and what the profiler cut off.
    Between {
        /// The time.
        time_ns: Nanos,
        /// Its share of the inference.
        share: Ratio,
        /// The most of it that the profiler may have cut off: a microsecond for each call.
        truncated_at_most_ns: Nanos,
    },
    /// The nodes' times add up to more than the inference: nodes run side by side.
    Overlap {
        /// Time in nodes / time of the inference.
        factor: f64,
    },
}

/// Time in one kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GroupShare {
    /// The kind of work.
    pub group: OperatorGroup,
    /// Nodes.
    pub nodes_count: u64,
    /// Time for one inference.
    pub time_ns: Nanos,
    /// Share of the time in nodes.
    pub share: Ratio,
}

/// Time in one node.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NodeShare {
    /// Index into [`Profiled::nodes`].
    pub node: usize,
    /// Kind of work.
    pub group: OperatorGroup,
    /// Calls for one inference.
    pub calls: f64,
    /// Time for one inference.
    pub time_ns: Nanos,
    /// Share of the time in nodes.
    pub share: Ratio,
}

impl Breakdown {
    /// How the time of a profile is shared out.
    #[must_use]
    pub fn of(profiled: &Profiled) -> Breakdown {
        let nodes_ns = sum(&profiled.nodes);
        Breakdown {
            inferences_count: profiled.inferences_count,
            disturbed_inferences_count: profiled.disturbed_inferences_count,
            complete: profiled.complete,
            unreadable_events_count: profiled.unreadable_events_count,
            inference_ns: profiled.mean_inference_ns,
            nodes_ns,
            rest: rest(profiled, nodes_ns),
            distortion: distortion(&profiled.distortion_ratios),
            by_operator: by_operator(profiled, nodes_ns),
            by_group: by_group(&profiled.nodes, nodes_ns),
            nodes: nodes(profiled, nodes_ns),
            arena_peak_bytes: profiled
                .nodes
                .iter()
                .filter_map(|node| node.arena_peak_bytes)
                .max(),
        }
    }
}

pub(super) fn sum<'n>(nodes: impl IntoIterator<Item = &'n NodeProfile>) -> Nanos {
    nodes.into_iter().map(|node| node.time_ns).sum()
}

/// Share of a whole; 0 of nothing.
pub(super) fn share(part: Nanos, whole: Nanos) -> Ratio {
    Ratio(if whole.0 == 0 {
        0.0
    } else {
        part.as_f64() / whole.as_f64()
    })
}

pub(super) fn calls(calls_count: u64, profiled: &Profiled) -> f64 {
    calls_count as f64 / profiled.inferences_count.max(1) as f64
}

fn rest(profiled: &Profiled, nodes_ns: Nanos) -> Rest {
    let inference = profiled.mean_inference_ns;
    if nodes_ns > inference {
        return Rest::Overlap {
            factor: nodes_ns.as_f64() / inference.as_f64().max(1.0),
        };
    }
    let calls = calls(
        profiled.nodes.iter().map(|node| node.calls_count).sum(),
        profiled,
    );
    let time_ns = inference.since(nodes_ns);
    Rest::Between {
        time_ns,
        share: share(time_ns, inference),
        truncated_at_most_ns: Nanos((calls * TRUNCATION.as_f64()) as u64).min(time_ns),
    }
}

/// Why there is no factor below 1: writing down times makes nothing faster.
const NO_LONGER: &str =
    "inferences without it, beside it, took no less time: what else went on hid what it costs";

fn distortion(ratios: &[f64]) -> Estimate {
    match stats::over_launches(ratios) {
        None => Estimate::absent("no session ran without the profiler beside it"),
        Some(found) if found.value < 1.0 => Estimate::absent(NO_LONGER),
        Some(found) => Estimate::Measured(Measured {
            interval: found.interval.ok(),
            remark: found
                .interval
                .is_err()
                .then(|| "no interval: too few pairs".into()),
            ..Measured::exact(found.value, ratios.len() as u64, Counted::Pairs)
        }),
    }
}

fn by_group(nodes: &[NodeProfile], nodes_ns: Nanos) -> Vec<GroupShare> {
    let shares = grouped(nodes, |node| OperatorGroup::of(&node.operator))
        .into_iter()
        .map(|(group, nodes)| group_share(group, &nodes, nodes_ns));
    largest_first(shares, |share| share.time_ns)
}

/// The first of those of one size stay first.
pub(in crate::analysis) fn largest_first<T, K: Ord>(
    items: impl IntoIterator<Item = T>,
    size: impl Fn(&T) -> K,
) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort_by_key(|item| std::cmp::Reverse(size(item)));
    items
}

fn grouped<'n, K: Ord>(
    nodes: &'n [NodeProfile],
    key: impl Fn(&'n NodeProfile) -> K,
) -> BTreeMap<K, Vec<&'n NodeProfile>> {
    let mut groups: BTreeMap<K, Vec<&NodeProfile>> = BTreeMap::new();
    for node in nodes {
        groups.entry(key(node)).or_default().push(node);
    }
    groups
}

fn group_share(group: OperatorGroup, nodes: &[&NodeProfile], nodes_ns: Nanos) -> GroupShare {
    let time_ns = sum(nodes.iter().copied());
    GroupShare {
        group,
        nodes_count: nodes.len() as u64,
        time_ns,
        share: share(time_ns, nodes_ns),
    }
}

fn nodes(profiled: &Profiled, nodes_ns: Nanos) -> Vec<NodeShare> {
    let shares = profiled
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| NodeShare {
            node: index,
            group: OperatorGroup::of(&node.operator),
            calls: calls(node.calls_count, profiled),
            time_ns: node.time_ns,
            share: share(node.time_ns, nodes_ns),
        });
    largest_first(shares, |share| share.time_ns)
}

/// Time in the nodes of one operator on one execution provider.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperatorShare {
    /// The operator, without its domain.
    pub operator: Plain,
    /// ONNX Runtime's identifier of the execution provider.
    pub execution_provider: Plain,
    /// Kind of work.
    pub group: OperatorGroup,
    /// Nodes.
    pub nodes_count: u64,
    /// Calls for one inference.
    pub calls: f64,
    /// Time for one inference.
    pub time_ns: Nanos,
    /// Share of the time in nodes.
    pub share: Ratio,
    /// Bytes that one inference reads and writes in these nodes at least, weights included; absent
    /// where the trace does not tell it of one of them.
    pub bytes: Option<Bytes>,
}

fn by_operator(profiled: &Profiled, nodes_ns: Nanos) -> Vec<OperatorShare> {
    let shares = grouped(&profiled.nodes, |node| {
        (&node.operator, &node.execution_provider)
    })
    .into_values()
    .filter_map(|nodes| operator_share(&nodes, profiled, nodes_ns));
    largest_first(shares, |share| share.time_ns)
}

fn operator_share(
    nodes: &[&NodeProfile],
    profiled: &Profiled,
    nodes_ns: Nanos,
) -> Option<OperatorShare> {
    let first = nodes.first()?;
    let time_ns = sum(nodes.iter().copied());
    Some(OperatorShare {
        operator: first.operator.clone(),
        execution_provider: first.execution_provider.clone(),
        group: OperatorGroup::of(&first.operator),
        nodes_count: nodes.len() as u64,
        calls: calls(nodes.iter().map(|node| node.calls_count).sum(), profiled),
        time_ns,
        share: share(time_ns, nodes_ns),
        bytes: all_bytes(nodes, profiled),
    })
}

fn all_bytes(nodes: &[&NodeProfile], profiled: &Profiled) -> Option<Bytes> {
    let sum: Option<f64> = nodes
        .iter()
        .map(|node| Some(bytes(node).ok()?.as_f64() * calls(node.calls_count, profiled)))
        .sum();
    sum.map(|sum| Bytes(sum as u64))
}
