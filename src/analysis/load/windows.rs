//! Parts of a segment, those of its processes together.

use crate::record::{LoadSegment, LoadWindow};
use crate::units::Nanos;

/// Windows of all processes of a segment, joined: counts and queues add up, the median response is
/// the mean of those of the processes by what each completed, the longest that of any.
#[must_use]
pub fn joined(segment: &LoadSegment) -> Vec<LoadWindow> {
    let processes = segment.processes.iter().map(|one| &one.served.windows);
    let count = processes.clone().map(Vec::len).min().unwrap_or(0);
    (0..count)
        .map(|place| {
            processes
                .clone()
                .map(|windows| windows[place])
                .reduce(together)
                .unwrap_or_default()
        })
        .collect()
}

fn together(one: LoadWindow, other: LoadWindow) -> LoadWindow {
    LoadWindow {
        end_ns: one.end_ns.max(other.end_ns),
        counts: one.counts.plus(other.counts),
        queue: one.queue + other.queue,
        response_p50_ns: weighted(one, other),
        response_max_ns: one.response_max_ns.max(other.response_max_ns),
    }
}

fn weighted(one: LoadWindow, other: LoadWindow) -> Option<Nanos> {
    let (Some(first), Some(second)) = (one.response_p50_ns, other.response_p50_ns) else {
        return one.response_p50_ns.or(other.response_p50_ns);
    };
    let completed = [one, other].map(|window| window.counts.completed as f64);
    let sum = first.as_f64() * completed[0] + second.as_f64() * completed[1];
    Some(Nanos((sum / (completed[0] + completed[1]).max(1.0)) as u64))
}
