//! What a device did in an inference, what kept it from more, and what is said where a trace tells
//! nothing of it.

use super::portion::time_words;
use crate::analysis::{Breakdown, DeviceFindings, DeviceVerdict, NodeTimes, Portion};
use crate::provider::{self, HostWork};
use crate::report::words::number::{self, percent, time};
use crate::report::words::{self, plain};
use crate::units::Nanos;

/// Note of every table of a profile whose device times are not known.
pub(super) const HOST_ALONE: &str = "times are the host's, of handing work over to a device; the trace tells none of the device's own";

/// Note of every table of a profile whose device times are known.
pub(super) const OF_DEVICE: &str = "time: of the device for nodes that ran there, of the host for others; on host: the host's time for the same nodes";

/// Time of nodes that had a device run nothing.
const NO_TIME: &str = "none";

pub(super) fn lines(breakdown: &Breakdown) -> Vec<String> {
    let mut lines = Vec::new();
    if breakdown.times == NodeTimes::HandingOver {
        lines.push(host_alone(breakdown));
    }
    if let Some(device) = &breakdown.device {
        lines.push(work(device));
        let verdicts = device.verdicts.iter();
        lines.extend(verdicts.map(|verdict| words_of(*verdict, device)));
        let is_idle = device.verdicts.contains(&DeviceVerdict::Gaps);
        lines.extend((!is_idle).then(|| idle(device)));
    }
    lines
}

/// Notes of the tables of a breakdown on whose times they are; nothing where the host did all of it.
pub(super) fn notes(breakdown: &Breakdown) -> Vec<String> {
    match breakdown.times {
        NodeTimes::Host => Vec::new(),
        NodeTimes::HandingOver => vec![HOST_ALONE.into()],
        NodeTimes::Device => {
            let has_none = breakdown
                .nodes
                .iter()
                .any(|node| node.portion.time_ns == Nanos(0));
            let none = format!(
                "{NO_TIME}: the trace gives it no kernel and no copy of a whole microsecond"
            );
            [OF_DEVICE.to_owned()]
                .into_iter()
                .chain(has_none.then_some(none))
                .collect()
        }
    }
}

/// The time that stands for nodes.
pub(super) fn own_time(breakdown: &Breakdown, portion: Portion) -> String {
    match (breakdown.times, portion.time_ns) {
        (NodeTimes::Device, Nanos(0)) => NO_TIME.into(),
        (NodeTimes::Device | NodeTimes::Host | NodeTimes::HandingOver, _) => time_words(portion),
    }
}

fn host_alone(breakdown: &Breakdown) -> String {
    let providers = breakdown
        .by_operator
        .iter()
        .map(|share| share.execution_provider.exact())
        .filter(|name| provider::known(name).host == HostWork::HandsOver)
        .map(|name| plain(&provider::short_name(name)));
    format!(
        "Times of the host alone: nodes of {} hand work over to a device and go on, and the trace tells no device time of a \
         node (`Kernel` events, which builds of ONNX Runtime with profiling of the device write). They show what handing \
         over costs, and not where the device's time goes",
        words::listed(words::once(providers))
    )
}

fn work(device: &DeviceFindings) -> String {
    let copies = [
        (device.to_device_ns, "to it"),
        (device.to_host_ns, "from it"),
    ]
    .into_iter()
    .filter(|(time_ns, _)| *time_ns > Nanos(0))
    .map(|(time_ns, way)| format!(", copies {way} {}", time(time_ns)));
    let outside = match device.outside_nodes_ns {
        Nanos(0) => String::new(),
        time_ns => format!("; {} of it is of no node", time(time_ns)),
    };
    format!(
        "The device, by its own clock: kernels {} an inference{}{outside}. The host takes {} to hand its nodes over",
        time(device.compute_ns),
        words::joined(copies, ""),
        time(device.hand_over_ns)
    )
}

fn idle(device: &DeviceFindings) -> String {
    format!(
        "From its first kernel or copy to its last, the device takes {}, and is idle for {} of it ({})",
        time(device.span_ns),
        time(device.idle_ns),
        percent(device.idle_share.0)
    )
}

fn words_of(verdict: DeviceVerdict, device: &DeviceFindings) -> String {
    match verdict {
        DeviceVerdict::EnqueueBound => enqueue_bound(device),
        DeviceVerdict::HostWaits => format!(
            "Enqueue time is not known: the {} of the host hold waiting for the device, which computes for {} and is hardly idle",
            time(device.hand_over_ns),
            time(device.compute_ns)
        ),
        DeviceVerdict::CopiesDominate => copies_dominate(device),
        DeviceVerdict::Gaps => format!(
            "Idle device between kernels, which may be under-utilized. {}",
            idle(device)
        ),
    }
}

fn enqueue_bound(device: &DeviceFindings) -> String {
    let (host, computing) = (device.hand_over_ns, device.compute_ns);
    let factor = number::factor(host.as_f64() / computing.as_f64(), None);
    format!(
        "Throughput may be bound by enqueue time rather than by compute on the device: handing work over takes the host {}, \
         {factor}x the {} that the device computes. CUDA graphs, where they can be captured, or larger batches hand over \
         more at once",
        time(host),
        time(computing)
    )
}

fn copies_dominate(device: &DeviceFindings) -> String {
    format!(
        "Throughput may be bound by copies rather than by compute on the device: {} to the device and {} to the host against \
         {} of kernels. Inputs and outputs that stay on the device (`--bind device`) need none",
        time(device.to_device_ns),
        time(device.to_host_ns),
        time(device.compute_ns)
    )
}
