//! What keeps a device from computing all the time, by its kernels and copies in a trace.

use serde::Serialize;

use super::times::{hands_over, share};
use crate::record::{NodeProfile, Profiled};
use crate::units::{Nanos, Ratio};

/// Handing work over takes so much of the time of computing that throughput may be bound by it: what
/// `trtexec` warns from.
pub const NEAR_COMPUTE: f64 = 0.8;
/// A device that is idle for this share of the time between its first and its last kernel waits for
/// something.
pub const NOTABLE_IDLE: f64 = 0.1;
/// Operator of nodes that copy to the host, and wait until that is done.
const COPY_TO_HOST: &str = "MemcpyToHost";

/// A device in one inference, with the profiler on: means.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceFindings {
    /// Time in kernels, and in copies from the device to itself.
    pub compute_ns: Nanos,
    /// Time in copies to the device.
    pub to_device_ns: Nanos,
    /// Time in copies to the host.
    pub to_host_ns: Nanos,
    /// The part of these that is of no node, such as copies of inputs and outputs.
    pub outside_nodes_ns: Nanos,
    /// Time of the host in nodes that hand work over, those left out that copy to the host, since
    /// they wait for the device.
    pub hand_over_ns: Nanos,
    /// From the begin of the first kernel or copy to the end of the last.
    pub span_ns: Nanos,
    /// The part of that span in which nothing ran.
    pub idle_ns: Nanos,
    /// Its share of the span.
    pub idle_share: Ratio,
    /// What the figures show, in the order of telling.
    pub verdicts: Vec<DeviceVerdict>,
}

/// What the figures of a device show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceVerdict {
    /// Handing work over takes the host at least 80% of the time in which the device computes, and the
    /// device is idle in between: throughput may be bound by handing over.
    EnqueueBound,
    /// The host spends that much time in nodes while the device is hardly idle: it waits in them for
    /// the device, and how long handing over takes is not known.
    HostWaits,
    /// Copies between host and device take at least as long as computing.
    CopiesDominate,
    /// The device is idle for a tenth of its span or more.
    Gaps,
}

impl DeviceFindings {
    pub(super) fn of(profiled: &Profiled) -> Option<DeviceFindings> {
        let device = profiled.device.as_ref()?;
        let idle_ns = device.span_ns.since(device.busy_ns);
        let mut found = DeviceFindings {
            compute_ns: device.compute_ns,
            to_device_ns: device.to_device_ns,
            to_host_ns: device.to_host_ns,
            outside_nodes_ns: device.outside_nodes_ns,
            hand_over_ns: hand_over_ns(&profiled.nodes),
            span_ns: device.span_ns,
            idle_ns,
            idle_share: share(idle_ns, device.span_ns),
            verdicts: Vec::new(),
        };
        found.verdicts = found.all_verdicts();
        Some(found)
    }

    fn all_verdicts(&self) -> Vec<DeviceVerdict> {
        let copies_ns = self.to_device_ns + self.to_host_ns;
        let is_idle = self.idle_share.0 >= NOTABLE_IDLE;
        let copies_dominate = copies_ns > Nanos(0) && copies_ns >= self.compute_ns;
        [
            self.enqueue(is_idle),
            copies_dominate.then_some(DeviceVerdict::CopiesDominate),
            is_idle.then_some(DeviceVerdict::Gaps),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn enqueue(&self, is_idle: bool) -> Option<DeviceVerdict> {
        let least = NEAR_COMPUTE * self.compute_ns.as_f64();
        let is_near = self.compute_ns > Nanos(0) && self.hand_over_ns.as_f64() >= least;
        is_near.then_some(if is_idle {
            DeviceVerdict::EnqueueBound
        } else {
            DeviceVerdict::HostWaits
        })
    }
}

fn hand_over_ns(nodes: &[NodeProfile]) -> Nanos {
    nodes
        .iter()
        .filter(|node| hands_over(node) && node.operator != COPY_TO_HOST)
        .map(|node| node.time_ns)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{DeviceProfile, DeviceTime};

    /// A profile whose device computes for `compute_us`, copies for `copies_us` each way, and is idle
    /// for `idle_us`; its only node takes `host_us` on the host.
    fn verdicts(host_us: u64, compute_us: u64, copies_us: u64, idle_us: u64) -> Vec<DeviceVerdict> {
        let nanos = |micros: u64| Nanos(micros * 1000);
        let busy_ns = nanos(compute_us + 2 * copies_us);
        let node = NodeProfile {
            time_ns: nanos(host_us),
            device: Some(DeviceTime {
                time_ns: nanos(compute_us),
                events_count: 1,
            }),
            ..NodeProfile::default()
        };
        let waiting = NodeProfile {
            operator: COPY_TO_HOST.into(),
            time_ns: nanos(10_000),
            ..node.clone()
        };
        let profiled = Profiled {
            nodes: vec![node, waiting],
            device: Some(DeviceProfile {
                compute_ns: nanos(compute_us),
                to_device_ns: nanos(copies_us),
                to_host_ns: nanos(copies_us),
                busy_ns,
                span_ns: busy_ns + nanos(idle_us),
                ..DeviceProfile::default()
            }),
            ..Profiled::default()
        };
        DeviceFindings::of(&profiled).unwrap().verdicts
    }

    #[test]
    fn a_verdict_is_told_where_its_figures_show_it_and_nowhere_else() {
        use DeviceVerdict::{CopiesDominate, EnqueueBound, Gaps, HostWaits};
        for (host, compute, copies, idle, expected) in [
            (79, 100, 10, 5, vec![]),
            (80, 100, 0, 50, vec![EnqueueBound, Gaps]),
            (80, 100, 0, 5, vec![HostWaits]),
            (20, 100, 50, 0, vec![CopiesDominate]),
            (20, 100, 49, 0, vec![]),
            (20, 90, 0, 10, vec![Gaps]),
            (20, 0, 0, 0, vec![]),
            (20, 0, 5, 0, vec![CopiesDominate]),
        ] {
            let found = verdicts(host, compute, copies, idle);
            assert_eq!(found, expected, "{host} {compute} {copies} {idle}");
        }
    }

    #[test]
    fn a_trace_of_the_host_alone_has_no_findings_on_a_device() {
        assert_eq!(DeviceFindings::of(&Profiled::default()), None);
    }
}
