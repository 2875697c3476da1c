//! How the time of an inference is shared out among the nodes of a profile.

use std::collections::BTreeMap;

use serde::Serialize;

use super::times::share;
use super::{DeviceFindings, NodeTimes, bytes};
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
    /// What of the trace is behind it.
    #[serde(flatten)]
    pub coverage: TraceCoverage,
    /// What the times of nodes are times of.
    pub times: NodeTimes,
    /// What the device did and waited for; absent where the trace has no kernel and no copy.
    pub device: Option<DeviceFindings>,
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

/// What of a trace a breakdown is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TraceCoverage {
    /// Inferences behind the times, which are means over them.
    pub inferences_count: u64,
    /// Inferences that were left out because they were disturbed.
    pub disturbed_inferences_count: u64,
    /// Whether the trace came to its end.
    pub complete: bool,
    /// Events of the trace that could not be read.
    pub unreadable_events_count: u64,
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
        /// The most of it that the profiler may have cut off: a microsecond for each call, kernel or
        /// copy.
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
    /// Time of the host in it, for one inference.
    pub host_ns: Nanos,
}

impl Breakdown {
    /// How the time of a profile is shared out.
    #[must_use]
    pub fn of(profiled: &Profiled) -> Breakdown {
        let times = NodeTimes::of(profiled);
        let shared = Shared {
            profiled,
            times,
            nodes_ns: times.sum(&profiled.nodes),
        };
        Breakdown {
            coverage: TraceCoverage::of(profiled),
            times,
            device: DeviceFindings::of(profiled),
            inference_ns: profiled.mean_inference_ns,
            nodes_ns: shared.nodes_ns,
            rest: shared.rest(),
            distortion: distortion(&profiled.distortion_ratios),
            by_operator: shared.by_operator(),
            by_group: shared.by_group(),
            nodes: shared.nodes(),
            arena_peak_bytes: profiled
                .nodes
                .iter()
                .filter_map(|node| node.arena_peak_bytes)
                .max(),
        }
    }
}

impl TraceCoverage {
    fn of(profiled: &Profiled) -> Self {
        TraceCoverage {
            inferences_count: profiled.inferences_count,
            disturbed_inferences_count: profiled.disturbed_inferences_count,
            complete: profiled.complete,
            unreadable_events_count: profiled.unreadable_events_count,
        }
    }
}

/// A profile, and the time in its nodes that is shared out.
#[derive(Clone, Copy)]
struct Shared<'p> {
    profiled: &'p Profiled,
    times: NodeTimes,
    nodes_ns: Nanos,
}

pub(super) fn calls(calls_count: u64, profiled: &Profiled) -> f64 {
    calls_count as f64 / profiled.inferences_count.max(1) as f64
}

impl Shared<'_> {
    fn rest(&self) -> Rest {
        let inference = self.profiled.mean_inference_ns;
        if self.nodes_ns > inference {
            return Rest::Overlap {
                factor: self.nodes_ns.as_f64() / inference.as_f64().max(1.0),
            };
        }
        let nodes = self.profiled.nodes.iter();
        let cut_off = calls(
            nodes.map(|node| self.times.cut_off_count(node)).sum(),
            self.profiled,
        );
        let time_ns = inference.since(self.nodes_ns);
        Rest::Between {
            time_ns,
            share: share(time_ns, inference),
            truncated_at_most_ns: Nanos((cut_off * TRUNCATION.as_f64()) as u64).min(time_ns),
        }
    }

    fn by_group(&self) -> Vec<GroupShare> {
        let shares = grouped(&self.profiled.nodes, |node| {
            OperatorGroup::of(&node.operator)
        })
        .into_iter()
        .map(|(group, nodes)| self.group_share(group, &nodes));
        largest_first(shares, |share| share.time_ns)
    }

    fn group_share(&self, group: OperatorGroup, nodes: &[&NodeProfile]) -> GroupShare {
        let time_ns = self.times.sum(nodes.iter().copied());
        GroupShare {
            group,
            nodes_count: nodes.len() as u64,
            time_ns,
            share: share(time_ns, self.nodes_ns),
        }
    }

    fn nodes(&self) -> Vec<NodeShare> {
        let nodes = self.profiled.nodes.iter().enumerate();
        let shares = nodes.map(|(index, node)| self.node_share(index, node));
        largest_first(shares, |share| share.time_ns)
    }

    fn node_share(&self, index: usize, node: &NodeProfile) -> NodeShare {
        let time_ns = self.times.time_ns(node);
        NodeShare {
            node: index,
            group: OperatorGroup::of(&node.operator),
            calls: calls(node.calls_count, self.profiled),
            time_ns,
            share: share(time_ns, self.nodes_ns),
            host_ns: node.time_ns,
        }
    }

    fn by_operator(&self) -> Vec<OperatorShare> {
        let shares = grouped(&self.profiled.nodes, |node| {
            (&node.operator, &node.execution_provider)
        })
        .into_values()
        .filter_map(|nodes| self.operator_share(&nodes));
        largest_first(shares, |share| share.time_ns)
    }

    fn operator_share(&self, nodes: &[&NodeProfile]) -> Option<OperatorShare> {
        let first = nodes.first()?;
        let time_ns = self.times.sum(nodes.iter().copied());
        let calls_count = nodes.iter().map(|node| node.calls_count).sum();
        Some(OperatorShare {
            operator: first.operator.clone(),
            execution_provider: first.execution_provider.clone(),
            group: OperatorGroup::of(&first.operator),
            nodes_count: nodes.len() as u64,
            calls: calls(calls_count, self.profiled),
            time_ns,
            share: share(time_ns, self.nodes_ns),
            host_ns: nodes.iter().map(|node| node.time_ns).sum(),
            bytes: all_bytes(nodes, self.profiled),
        })
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
    /// Time of the host in them, for one inference.
    pub host_ns: Nanos,
    /// Bytes that one inference reads and writes in these nodes at least, weights included; absent
    /// where the trace does not tell it of one of them.
    pub bytes: Option<Bytes>,
}

fn all_bytes(nodes: &[&NodeProfile], profiled: &Profiled) -> Option<Bytes> {
    let sum: Option<f64> = nodes
        .iter()
        .map(|node| Some(bytes(node).ok()?.as_f64() * calls(node.calls_count, profiled)))
        .sum();
    sum.map(|sum| Bytes(sum as u64))
}
