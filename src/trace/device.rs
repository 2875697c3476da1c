//! Kernels and copies of a device, shared out among inferences and nodes.
//!
//! Execution providers add their events wherever they like, plug-ins at the end of the trace, so that
//! they are kept until all inferences are known: some bytes each, up to a bound.

use super::event::DeviceWork;
use crate::record::{DeviceProfile, DeviceTime};
use crate::units::Nanos;

/// Kernels, copies and inferences that are kept. ONNX Runtime keeps a million events of its own.
const MOST_KEPT: usize = 1 << 22;

#[derive(Debug, Default)]
pub(super) struct Device {
    ran: Vec<Ran>,
    inferences: Vec<Inference>,
    /// Whether there were more than are kept.
    is_overfull: bool,
}

/// A kernel or copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ran {
    pub start: Nanos,
    pub length: Nanos,
    pub work: DeviceWork,
    /// The node that had the device run it, as the fold counts them; `None` of none that is named.
    pub node: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Inference {
    start: Nanos,
    counts: bool,
}

/// What a device did in the inferences that count.
pub(super) struct Found {
    pub profile: DeviceProfile,
    /// Of each node that it did something for.
    pub by_node: Vec<Option<DeviceTime>>,
}

impl Device {
    pub(super) fn ran(&mut self, ran: Ran) {
        if self.ran.len() < MOST_KEPT {
            self.ran.push(ran);
        } else {
            self.is_overfull = true;
        }
    }

    pub(super) fn inference(&mut self, start: Nanos, counts: bool) {
        if self.inferences.len() < MOST_KEPT {
            self.inferences.push(Inference { start, counts });
        } else {
            self.is_overfull = true;
        }
    }

    /// The first inference counts, because there is no other.
    pub(super) fn count_first(&mut self) {
        if let Some(first) = self.inferences.first_mut() {
            first.counts = true;
        }
    }

    /// Of so many nodes, in the inferences that count, of which there are so many; `None` where
    /// nothing ran in them, or more than is kept.
    pub(super) fn found(mut self, nodes: usize, count: u64) -> Option<Found> {
        self.inferences.sort_by_key(|inference| inference.start);
        self.ran.sort_by_key(|ran| ran.start);
        let inferences = &self.inferences;
        let mut sums = Sums::of(nodes);
        let of_inferences = self
            .ran
            .chunk_by(|one, other| place(inferences, *one) == place(inferences, *other));
        for ran in of_inferences {
            let counts = place(inferences, ran[0]).is_some_and(|place| inferences[place].counts);
            if counts {
                sums.add(ran);
            }
        }
        let is_whole = !self.is_overfull && sums.profile.events_count > 0;
        is_whole.then(|| sums.means(count.max(1)))
    }
}

/// The inference that a kernel or copy ran in: the last that began before. `None` before all of them.
fn place(inferences: &[Inference], ran: Ran) -> Option<usize> {
    inferences
        .partition_point(|inference| inference.start <= ran.start)
        .checked_sub(1)
}

struct Sums {
    profile: DeviceProfile,
    by_node: Vec<Option<DeviceTime>>,
}

impl Sums {
    fn of(nodes: usize) -> Sums {
        Sums {
            profile: DeviceProfile::default(),
            by_node: vec![None; nodes],
        }
    }

    /// What ran in one inference, by when it began.
    fn add(&mut self, all: &[Ran]) {
        let (mut begin, mut end) = (all[0].start, all[0].start);
        for ran in all {
            self.add_one(ran);
            if ran.start > end {
                self.end_busy(begin, end);
                begin = ran.start;
            }
            end = end.max(ran.start + ran.length);
        }
        self.end_busy(begin, end);
        let span = &mut self.profile.span_ns;
        *span = *span + end.since(all[0].start);
    }

    fn add_one(&mut self, ran: &Ran) {
        let profile = &mut self.profile;
        profile.events_count += 1;
        let sum = match ran.work {
            DeviceWork::Compute => &mut profile.compute_ns,
            DeviceWork::ToDevice => &mut profile.to_device_ns,
            DeviceWork::ToHost => &mut profile.to_host_ns,
        };
        *sum = *sum + ran.length;
        match ran
            .node
            .and_then(|node| self.by_node.get_mut(node as usize))
        {
            None => profile.outside_nodes_ns = profile.outside_nodes_ns + ran.length,
            Some(node) => {
                let own = node.get_or_insert_default();
                own.time_ns = own.time_ns + ran.length;
                own.events_count += 1;
            }
        }
    }

    fn end_busy(&mut self, begin: Nanos, end: Nanos) {
        self.profile.busy_ns = self.profile.busy_ns + end.since(begin);
    }

    fn means(mut self, count: u64) -> Found {
        let profile = &mut self.profile;
        for sum in [
            &mut profile.compute_ns,
            &mut profile.to_device_ns,
            &mut profile.to_host_ns,
            &mut profile.outside_nodes_ns,
            &mut profile.span_ns,
            &mut profile.busy_ns,
        ] {
            sum.0 /= count;
        }
        for node in self.by_node.iter_mut().flatten() {
            node.time_ns.0 /= count;
        }
        Found {
            profile: self.profile,
            by_node: self.by_node,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(start: u64, length: u64, node: Option<u32>) -> Ran {
        Ran {
            start: Nanos(start),
            length: Nanos(length),
            work: DeviceWork::Compute,
            node,
        }
    }

    #[test]
    fn kernels_count_in_the_inference_that_began_last_before_them() {
        let mut device = Device::default();
        for (start, counts) in [(300, true), (100, false), (200, true)] {
            device.inference(Nanos(start), counts);
        }
        // Of loading, of the first inference, and of the two that count.
        for (start, length, node) in [
            (310, 10, Some(0)),
            (50, 1_000, Some(0)),
            (110, 7, Some(1)),
            (200, 20, Some(1)),
            (240, 40, None),
        ] {
            device.ran(ran(start, length, node));
        }
        let found = device.found(2, 2).unwrap();
        let time = |node: usize| found.by_node[node].map(|own| (own.time_ns.0, own.events_count));
        assert_eq!((time(0), time(1)), (Some((5, 1)), Some((10, 1))));
        let profile = &found.profile;
        assert_eq!((profile.events_count, profile.compute_ns.0), (3, 35));
        assert_eq!(profile.outside_nodes_ns, Nanos(20));
    }

    #[test]
    fn busy_is_what_at_least_one_kernel_takes_of_the_span() {
        let mut device = Device::default();
        device.inference(Nanos(0), true);
        // Two streams side by side, one inside the other, a gap of 50, and one more.
        for (start, length) in [(10, 30), (20, 40), (25, 5), (110, 10)] {
            device.ran(ran(start, length, Some(0)));
        }
        let profile = device.found(1, 1).unwrap().profile;
        assert_eq!((profile.span_ns.0, profile.busy_ns.0), (110, 60));
        assert_eq!(profile.compute_ns, Nanos(85));
    }

    #[test]
    fn without_a_kernel_in_an_inference_that_counts_there_is_nothing() {
        let mut device = Device::default();
        device.inference(Nanos(10), false);
        device.ran(ran(5, 3, None));
        device.ran(ran(15, 3, Some(0)));
        assert!(device.found(1, 1).is_none());
    }
}
