//! What kept a device from computing all the time, in the words of `trtexec`.

use crate::analysis::{DeviceFindings, DeviceVerdict};
use crate::plan::{Binding, SessionSpec};
use crate::provider::{self, Graphs};
use crate::report::words::{self, Source, number};

pub(super) fn title(verdict: DeviceVerdict) -> &'static str {
    match verdict {
        DeviceVerdict::EnqueueBound => "Bound by enqueue time",
        DeviceVerdict::HostWaits => "Enqueue time not known",
        DeviceVerdict::CopiesDominate => "Bound by copies to and from the device",
        DeviceVerdict::Gaps => "Idle device between kernels",
    }
}

pub(super) fn issue(batch_size: u64, verdict: DeviceVerdict, device: &DeviceFindings) -> String {
    let shown = match verdict {
        DeviceVerdict::EnqueueBound | DeviceVerdict::HostWaits => format!(
            "handing work over takes the host {}, and the device computes for {}",
            number::time(device.hand_over_ns),
            number::time(device.compute_ns)
        ),
        DeviceVerdict::CopiesDominate => format!(
            "copies take {} to the device and {} from it, and kernels {}",
            number::time(device.to_device_ns),
            number::time(device.to_host_ns),
            number::time(device.compute_ns)
        ),
        DeviceVerdict::Gaps => format!(
            "nothing runs on the device for {} ({}) of the {} from its first kernel or copy to its last",
            number::time(device.idle_ns),
            number::percent(device.idle_share.0),
            number::time(device.span_ns)
        ),
    };
    format!("at batch {batch_size} {shown}, an inference, with the profiler on")
}

pub(super) fn constraint(verdict: DeviceVerdict) -> &'static str {
    match verdict {
        DeviceVerdict::EnqueueBound | DeviceVerdict::HostWaits => {
            "host: throughput may be bound by enqueue time rather than by compute on the device"
        }
        DeviceVerdict::CopiesDominate => {
            "transfers: throughput may be bound by copies rather than by compute on the device"
        }
        DeviceVerdict::Gaps => "none of the device, which may be under-utilized",
    }
}

/// Ways that are open to the session.
pub(super) fn opportunity(source: Source<'_>, session: usize, verdict: DeviceVerdict) -> String {
    let spec = &source.record.plan.sessions[session];
    let ways: Vec<String> = match verdict {
        DeviceVerdict::CopiesDominate => vec![fewer_copies(spec).into()],
        DeviceVerdict::EnqueueBound | DeviceVerdict::HostWaits | DeviceVerdict::Gaps => {
            graphs(spec)
                .into_iter()
                .chain(
                    source
                        .record
                        .takes_larger_batches(session)
                        .then(|| "larger batches, which hand over more work at once".into()),
                )
                .chain(["fewer nodes for the same work".to_owned()])
                .collect()
        }
    };
    words::joined(ways, ", or ")
}

fn fewer_copies(spec: &SessionSpec) -> &'static str {
    match spec.binding {
        Binding::Host => "inputs and outputs that stay on the device: `--bind device`",
        Binding::Device => {
            "the copies that are left are between nodes on the host and on the device: one execution provider for all of them"
        }
    }
}

/// `None` where graphs are captured already, or cannot be.
fn graphs(spec: &SessionSpec) -> Option<String> {
    let asked = match provider::known(spec.execution_provider.exact()).graphs {
        Graphs::None => return None,
        Graphs::PerShape(key) => format!("`--ep-option {key}=1 --bind device`"),
        Graphs::One { instead, .. } => format!("`{instead} --bind device`"),
    };
    (!spec.captures_graphs())
        .then(|| format!("captured graphs, which are handed over as one: {asked}"))
}
