//! Which clock the times of a profile's nodes are by, and the time that stands for a node.

use serde::Serialize;

use crate::provider::{self, HostWork};
use crate::record::{NodeProfile, Profiled};
use crate::units::{Nanos, Ratio};

/// What the times of a profile's nodes are times of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeTimes {
    /// Of the host: it computes in the nodes, or waits there for what does.
    Host,
    /// Of the host, which in some nodes hands work over to a device and goes on: how long the device
    /// computes is not known.
    HandingOver,
    /// Of the device where a node had one run something, and of the host elsewhere.
    Device,
}

impl NodeTimes {
    /// By the kernels and copies of a trace, and else by the execution providers of its nodes.
    #[must_use]
    pub fn of(profiled: &Profiled) -> NodeTimes {
        if profiled.nodes.iter().any(|node| node.device.is_some()) {
            NodeTimes::Device
        } else if profiled.nodes.iter().any(hands_over) {
            NodeTimes::HandingOver
        } else {
            NodeTimes::Host
        }
    }

    /// The time that stands for a node, for one inference. A node of a device that had it run nothing
    /// took none of its time.
    #[must_use]
    pub fn time_ns(self, node: &NodeProfile) -> Nanos {
        if self.is_of_device(node) {
            node.device.unwrap_or_default().time_ns
        } else {
            node.time_ns
        }
    }

    /// Whether the time that stands for a node is the device's.
    pub(super) fn is_of_device(self, node: &NodeProfile) -> bool {
        self == NodeTimes::Device && hands_over(node)
    }

    /// Times of runs, kernels and copies of which each was cut off to whole microseconds, for a node.
    pub(super) fn cut_off_count(self, node: &NodeProfile) -> u64 {
        if self.is_of_device(node) {
            node.device.unwrap_or_default().events_count
        } else {
            node.calls_count
        }
    }

    /// Time that stands for some nodes together.
    pub(super) fn sum<'n>(self, nodes: impl IntoIterator<Item = &'n NodeProfile>) -> Nanos {
        nodes.into_iter().map(|node| self.time_ns(node)).sum()
    }
}

/// Whether the host hands work of a node over to a device.
pub(super) fn hands_over(node: &NodeProfile) -> bool {
    let known = provider::known(node.execution_provider.exact());
    node.device.is_some() || known.host == HostWork::HandsOver
}

/// Share of a whole; 0 of nothing.
pub(super) fn share(part: Nanos, whole: Nanos) -> Ratio {
    Ratio(if whole.0 == 0 {
        0.0
    } else {
        part.as_f64() / whole.as_f64()
    })
}
