//! How the time of an inference is shared out among the nodes of a profile.

use std::collections::BTreeMap;

use serde::Serialize;

use super::portion::Times;
use super::undistorted::calls;
use super::{DeviceFindings, NodeTimes, Portion, TimeLevel, bytes};
use crate::analysis::{Counted, Estimate, Measured, OperatorGroup};
use crate::plan::ExecutionMode;
use crate::record::{NodeProfile, Profiled};
use crate::stats;
use crate::text::Plain;
use crate::units::{Bytes, Nanos, Ratio};

/// Uncertainty of the time of one call: it cuts off what is beyond whole microseconds.
const TRUNCATION: Nanos = Nanos(1000);

/// How the time of an inference is shared out among nodes, operators and what is between them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Breakdown {
    /// Inferences behind the times.
    #[serde(flatten)]
    pub coverage: TraceCoverage,
    /// Whose times those of nodes are.
    pub times: NodeTimes,
    /// What the device did and waited for; absent where the trace has no kernel and no copy.
    pub device: Option<DeviceFindings>,
    /// Which inference the times are of.
    pub level: TimeLevel,
    /// Time of an inference.
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
    /// Wall time of one with the profiler on, mean of those that count.
    pub profiled_inference_ns: Nanos,
    /// Whether the trace came to its end.
    pub complete: bool,
    /// Events of the trace that could not be read.
    pub unreadable_events_count: u64,
}

impl TraceCoverage {
    fn of(profiled: &Profiled) -> Self {
        TraceCoverage {
            inferences_count: profiled.inferences_count,
            disturbed_inferences_count: profiled.disturbed_inferences_count,
            profiled_inference_ns: profiled.mean_inference_ns,
            complete: profiled.complete,
            unreadable_events_count: profiled.unreadable_events_count,
        }
    }
}

/// Time of an inference besides its nodes'.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Rest {
    /// Time that no node accounts for: the work between nodes, and of profiled inferences what the
    /// profiler cut off.
    Between {
        /// The time, and its share of the inference.
        #[serde(flatten)]
        portion: Portion,
        /// The most of it that the profiler may have cut off, a microsecond for each call, kernel or
        /// copy; 0 where the times are without the profiler, which allow for it.
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
    /// Time for one inference, and its share of the time in nodes.
    #[serde(flatten)]
    pub portion: Portion,
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
    /// Time for one inference, and its share of the time in nodes.
    #[serde(flatten)]
    pub portion: Portion,
    /// Time of the host in it, for one inference.
    pub host_ns: Nanos,
}

impl Breakdown {
    /// How the time of a profile is shared out, as the profiler has it.
    #[must_use]
    pub fn of(profiled: &Profiled) -> Breakdown {
        Breakdown::at(profiled, &Times::profiled(profiled))
    }

    /// How the time of an inference without the profiler is shared out, with the median of the
    /// timed launches, where there is one.
    pub(super) fn without_profiler(
        profiled: &Profiled,
        mode: ExecutionMode,
        timed_ns: Option<f64>,
    ) -> Breakdown {
        let times = Times::without_profiler(profiled, mode, timed_ns);
        Breakdown::at(profiled, &times)
    }

    /// Whether the profiler leaves anything sure of where the time goes: not where it makes an
    /// inference take so long that each operator might take nothing without it.
    #[must_use]
    pub fn is_told(&self) -> bool {
        let shares = self.by_operator.iter();
        shares.len() == 0 || shares.clone().any(|share| share.portion.sure_ns() > 0.0)
    }

    /// How many times as long an inference takes with the profiler as the times here tell.
    #[must_use]
    pub fn slowdown(&self) -> Ratio {
        let profiled_ns = self.coverage.profiled_inference_ns.as_f64();
        Ratio(profiled_ns / self.inference_ns.as_f64().max(1.0))
    }

    fn at(profiled: &Profiled, times: &Times) -> Breakdown {
        let sharing = Sharing { profiled, times };
        Breakdown {
            coverage: TraceCoverage::of(profiled),
            times: NodeTimes::of(profiled),
            device: DeviceFindings::of(profiled),
            level: times.level,
            inference_ns: Nanos(times.whole_ns.round() as u64),
            nodes_ns: Nanos(times.all.time_ns.round() as u64),
            rest: rest(profiled, times),
            distortion: distortion(&profiled.distortion_ratios),
            by_operator: sharing.by_operator(),
            by_group: sharing.by_group(),
            nodes: sharing.nodes(),
            arena_peak_bytes: profiled
                .nodes
                .iter()
                .filter_map(|node| node.arena_peak_bytes)
                .max(),
        }
    }
}

fn rest(profiled: &Profiled, times: &Times) -> Rest {
    let Some(portion) = times.between() else {
        return Rest::Overlap {
            factor: times.all.time_ns / times.whole_ns.max(1.0),
        };
    };
    let nodes = profiled.nodes.iter();
    let of = NodeTimes::of(profiled);
    let calls = calls(nodes.map(|node| of.cut_off_count(node)).sum(), profiled);
    Rest::Between {
        portion,
        truncated_at_most_ns: match times.level {
            TimeLevel::Profiled => Nanos((calls * TRUNCATION.as_f64()) as u64).min(portion.time_ns),
            TimeLevel::Timed | TimeLevel::Unprofiled => Nanos(0),
        },
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

/// A profile whose times are shared out.
struct Sharing<'p> {
    profiled: &'p Profiled,
    times: &'p Times,
}

impl<'p> Sharing<'p> {
    /// Places of nodes by what `key` says of them.
    fn grouped<K: Ord>(&self, key: impl Fn(&'p NodeProfile) -> K) -> BTreeMap<K, Vec<usize>> {
        let mut groups: BTreeMap<K, Vec<usize>> = BTreeMap::new();
        for (place, node) in self.profiled.nodes.iter().enumerate() {
            groups.entry(key(node)).or_default().push(place);
        }
        groups
    }

    fn by_group(&self) -> Vec<GroupShare> {
        let shares = self
            .grouped(|node| OperatorGroup::of(&node.operator))
            .into_iter()
            .map(|(group, places)| GroupShare {
                group,
                nodes_count: places.len() as u64,
                portion: self.times.portion(&places),
            });
        largest_first(shares, |share| share.portion.time_ns)
    }

    fn nodes(&self) -> Vec<NodeShare> {
        let shares = self
            .profiled
            .nodes
            .iter()
            .enumerate()
            .map(|(place, node)| NodeShare {
                node: place,
                group: OperatorGroup::of(&node.operator),
                calls: calls(node.calls_count, self.profiled),
                portion: self.times.portion(&[place]),
                host_ns: node.time_ns,
            });
        largest_first(shares, |share| share.portion.time_ns)
    }

    fn by_operator(&self) -> Vec<OperatorShare> {
        let shares = self
            .grouped(|node| (&node.operator, &node.execution_provider))
            .into_iter()
            .map(|((operator, provider), places)| self.operator_share(operator, provider, &places));
        largest_first(shares, |share| share.portion.time_ns)
    }

    fn operator_share(
        &self,
        operator: &Plain,
        execution_provider: &Plain,
        places: &[usize],
    ) -> OperatorShare {
        let nodes = places.iter().map(|&place| &self.profiled.nodes[place]);
        let calls_count = nodes.clone().map(|node| node.calls_count).sum();
        OperatorShare {
            operator: operator.clone(),
            execution_provider: execution_provider.clone(),
            group: OperatorGroup::of(operator),
            nodes_count: places.len() as u64,
            calls: calls(calls_count, self.profiled),
            portion: self.times.portion(places),
            host_ns: nodes.clone().map(|node| node.time_ns).sum(),
            bytes: all_bytes(nodes, self.profiled),
        }
    }
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
    /// Time for one inference, and its share of the time in nodes.
    #[serde(flatten)]
    pub portion: Portion,
    /// Time of the host in them, for one inference.
    pub host_ns: Nanos,
    /// Bytes that one inference reads and writes in these nodes at least, weights included; absent
    /// where the trace does not tell it of one of them.
    pub bytes: Option<Bytes>,
}

fn all_bytes<'n>(
    nodes: impl Iterator<Item = &'n NodeProfile>,
    profiled: &Profiled,
) -> Option<Bytes> {
    let sum: Option<f64> = nodes
        .map(|node| Some(bytes(node).ok()?.as_f64() * calls(node.calls_count, profiled)))
        .sum();
    sum.map(|sum| Bytes(sum as u64))
}
