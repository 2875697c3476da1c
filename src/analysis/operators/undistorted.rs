//! Times of nodes as they are without the profiler.

use super::NodeTimes;
use super::span::Span;
use crate::record::{NodeProfile, Profiled};

/// In nanoseconds: the profiler cuts up to twice that off a run's duration, so that this is added,
/// and remains unknown.
const CUT_OFF: f64 = 500.0;

/// Share of what the profiler adds to an inference that lies within the nodes' times, and not
/// between them: a chain of 50 nodes that do next to nothing took 0.4 us a node without it, and
/// with it 5 us more, of which their times held 44% to 52% (ONNX Runtime 1.31, x86-64).
const OVERHEAD_WITHIN: f64 = 0.5;

/// By how much of it that may be off, either way: somewhat more than what was seen.
const OVERHEAD_UNSURE: f64 = 0.2;

/// A profile whose times are those of an inference without the profiler, at the speed of the launch
/// that was profiled. Without a session beside it that ran unprofiled, nothing is known of the
/// distortion, and nothing is taken off.
#[derive(Clone, Copy)]
pub(in crate::analysis) struct Undistorted<'p> {
    profiled: &'p Profiled,
    times: NodeTimes,
    /// Overhead of the profiler in a run of a node, in nanoseconds.
    overhead_ns: f64,
    /// Factor on times of nodes so that they fit into the inference: at most 1.
    pub(in crate::analysis) fit: f64,
    /// Time in all nodes, of an inference.
    pub(in crate::analysis) nodes_ns: f64,
    /// Time in no node; `None` where nodes may have run at the same time.
    pub(in crate::analysis) between: Option<Span>,
}

impl<'p> Undistorted<'p> {
    /// The times of a profile whose nodes ran one after the other, so that they take no longer than
    /// the inference.
    pub(in crate::analysis) fn in_turn(profiled: &'p Profiled) -> Self {
        let mut times = Undistorted::side_by_side(profiled);
        times.fit = (times.whole_ns() / times.nodes_ns.max(1.0)).min(1.0);
        times.nodes_ns *= times.fit;
        times.between = times.between();
        times
    }

    /// What the profiled inference spent in no node, less what the profiler adds there and what it
    /// cut off from nodes; `None` if nodes took longer than it, so that they cannot have run in
    /// turn.
    fn between(&self) -> Option<Span> {
        let profiled_ns = self.profiled.mean_inference_ns.as_f64();
        let nodes = self.profiled.nodes.iter();
        let seen_ns = profiled_ns - self.times.sum(nodes).as_f64();
        let added_ns = profiled_ns - self.whole_ns();
        let unsure_ns = OVERHEAD_UNSURE * OVERHEAD_WITHIN * added_ns;
        let added_between_ns = (1.0 - OVERHEAD_WITHIN) * added_ns;
        let cut_off_ns = 2.0 * CUT_OFF * all_runs(self.profiled);
        let time_ns = (self.whole_ns() - self.nodes_ns).max(0.0);
        (seen_ns >= 0.0).then(|| Span {
            time_ns,
            low_ns: (seen_ns - added_between_ns - unsure_ns - cut_off_ns).clamp(0.0, time_ns),
            high_ns: (seen_ns - added_between_ns + unsure_ns)
                .max(unsure_ns)
                .max(time_ns),
        })
    }

    /// The times of a profile whose nodes may have run at the same time.
    pub(in crate::analysis) fn side_by_side(profiled: &'p Profiled) -> Self {
        let mut times = Undistorted {
            profiled,
            times: NodeTimes::of(profiled),
            overhead_ns: overhead_ns(profiled),
            fit: 1.0,
            nodes_ns: 0.0,
            between: None,
        };
        times.nodes_ns = profiled.nodes.iter().map(|node| times.time_ns(node)).sum();
        times
    }

    /// Of an inference without the profiler: never more than with it, which makes none faster.
    pub(in crate::analysis) fn whole_ns(&self) -> f64 {
        let profiled_ns = self.profiled.mean_inference_ns;
        self.profiled
            .unprofiled_ns
            .map_or(profiled_ns, |unprofiled_ns| unprofiled_ns.min(profiled_ns))
            .as_f64()
            .max(1.0)
    }

    pub(in crate::analysis) fn span(&self, node: &NodeProfile) -> Span {
        Span::around(self.time_ns(node), self.unknown_ns(node))
    }

    /// Of an inference, less what the profiler adds to each run on the host, and with half of what it
    /// cuts off.
    pub(in crate::analysis) fn time_ns(&self, node: &NodeProfile) -> f64 {
        let own = self.times.time_ns(node).as_f64() + CUT_OFF * self.cut_off_count(node)
            - self.overhead_of(node);
        own.max(0.0) * self.fit
    }

    /// In an inference, mean.
    fn cut_off_count(&self, node: &NodeProfile) -> f64 {
        calls(self.times.cut_off_count(node), self.profiled)
    }

    /// Of the profiler, in the time that stands for a node, in nanoseconds: a device has none.
    fn overhead_of(&self, node: &NodeProfile) -> f64 {
        if self.times.is_of_device(node) {
            0.0
        } else {
            self.overhead_ns * self.runs(node)
        }
    }

    /// To either side: what the profiler cuts off and adds, and by how much nodes took more than
    /// the inference.
    pub(in crate::analysis) fn unknown_ns(&self, node: &NodeProfile) -> f64 {
        let own = CUT_OFF * self.cut_off_count(node) + OVERHEAD_UNSURE * self.overhead_of(node);
        own * self.fit + (1.0 / self.fit - 1.0) * self.time_ns(node)
    }

    /// Runs of a node in one inference, mean.
    pub(in crate::analysis) fn runs(&self, node: &NodeProfile) -> f64 {
        calls(node.calls_count, self.profiled)
    }
}

/// Of one inference, mean.
pub(super) fn calls(calls_count: u64, profiled: &Profiled) -> f64 {
    calls_count as f64 / profiled.inferences_count.max(1) as f64
}

/// Its share of what an inference takes longer; no more than leaves the shortest node half of what
/// is cut off.
fn overhead_ns(profiled: &Profiled) -> f64 {
    let Some(unprofiled_ns) = profiled.unprofiled_ns else {
        return 0.0;
    };
    let all_runs = all_runs(profiled);
    if all_runs > 0.0 {
        (OVERHEAD_WITHIN * (profiled.mean_inference_ns.as_f64() - unprofiled_ns.as_f64()).max(0.0)
            / all_runs)
            .min(shortest_run_ns(profiled))
    } else {
        0.0
    }
}

/// Runs of all nodes in one inference, mean.
fn all_runs(profiled: &Profiled) -> f64 {
    profiled
        .nodes
        .iter()
        .map(|node| calls(node.calls_count, profiled))
        .sum()
}

fn shortest_run_ns(profiled: &Profiled) -> f64 {
    profiled
        .nodes
        .iter()
        .filter(|node| node.calls_count > 0)
        .map(|node| node.time_ns.as_f64() / calls(node.calls_count, profiled))
        .fold(f64::MAX, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::DeviceTime;
    use crate::units::Nanos;

    fn node(calls_count: u64, time_ns: u64) -> NodeProfile {
        NodeProfile {
            calls_count,
            time_ns: Nanos(time_ns),
            ..NodeProfile::default()
        }
    }

    /// Ten inferences of `with_ns` with the profiler, and of `without_ns` without it.
    fn profiled(with_ns: u64, without_ns: Option<u64>, nodes: Vec<NodeProfile>) -> Profiled {
        Profiled {
            inferences_count: 10,
            mean_inference_ns: Nanos(with_ns),
            unprofiled_ns: without_ns.map(Nanos),
            nodes,
            ..Profiled::default()
        }
    }

    #[test]
    fn half_of_what_an_inference_takes_longer_is_shared_out_among_the_runs() {
        let profiled = profiled(
            64_000,
            Some(40_000),
            vec![node(20, 20_000), node(10, 10_000)],
        );
        let times = Undistorted::in_turn(&profiled);
        // 24 us longer, three runs: 4 us of each are the profiler's, and half a microsecond was cut
        // off.
        let [first, second] = [0, 1].map(|place| &profiled.nodes[place]);
        assert_eq!(times.time_ns(first), 20_000.0 - 7_000.0);
        assert_eq!(times.time_ns(second), 10_000.0 - 3_500.0);
        assert_eq!(times.unknown_ns(first), 2.0 * (500.0 + 800.0));
        assert_eq!(
            (times.fit, times.whole_ns(), times.nodes_ns),
            (1.0, 40_000.0, 19_500.0)
        );
    }

    #[test]
    fn shortest_node_keeps_half_a_microsecond_and_all_keep_theirs_where_the_distortion_is_not_known()
     {
        for (without_ns, time_ns, left_ns) in [(Some(1_000), 2_000, 500.0), (None, 4_000, 4_500.0)]
        {
            let profiled = profiled(10_000, without_ns, vec![node(10, time_ns)]);
            assert_eq!(
                Undistorted::in_turn(&profiled).time_ns(&profiled.nodes[0]),
                left_ns,
                "{without_ns:?}"
            );
        }
    }

    #[test]
    fn nodes_that_run_in_turn_fit_into_the_inference_and_are_unsure_by_what_they_did_not() {
        let profiled = profiled(10_000, Some(10_000), vec![node(10, 19_500)]);
        let node = &profiled.nodes[0];
        let times = Undistorted::in_turn(&profiled);
        assert_eq!(times.time_ns(node), 10_000.0);
        assert_eq!(times.unknown_ns(node), 250.0 + 10_000.0);
        assert_eq!(times.between, None, "they cannot have run in turn");
        assert_eq!(Undistorted::side_by_side(&profiled).time_ns(node), 20_000.0);
    }

    #[test]
    fn times_of_a_device_hold_nothing_of_the_profiler_but_what_it_cuts_off() {
        let of_device = NodeProfile {
            device: Some(DeviceTime {
                time_ns: Nanos(8_000),
                events_count: 20,
            }),
            ..node(10, 20_000)
        };
        // Of a device that had nothing to do for it, and of the host.
        let nothing = NodeProfile {
            execution_provider: "CUDAExecutionProvider".into(),
            ..node(10, 3_000)
        };
        let nodes = vec![of_device, nothing, node(10, 5_000)];
        let profiled = profiled(46_000, Some(40_000), nodes);
        let times = Undistorted::in_turn(&profiled);
        let found = [0, 1, 2].map(|place| times.time_ns(&profiled.nodes[place]));
        assert_eq!(found, [8_000.0 + 1_000.0, 0.0, 5_000.0 + 500.0 - 1_000.0]);
        assert_eq!(times.unknown_ns(&profiled.nodes[0]), 1_000.0);
        assert_eq!(times.unknown_ns(&profiled.nodes[1]), 0.0);
    }

    #[test]
    fn time_between_nodes_is_known_by_what_was_seen_there_and_an_inference_is_no_slower_without_it()
    {
        // 24 us longer, 34 us in no node: 12 us of them are the profiler's, or 2.4 more or less,
        // and up to 3 were cut off from the nodes.
        let profiled = profiled(
            64_000,
            Some(40_000),
            vec![node(20, 20_000), node(10, 10_000)],
        );
        let between = Span {
            time_ns: 20_500.0,
            low_ns: 34_000.0 - 12_000.0 - 2_400.0 - 3_000.0,
            high_ns: 34_000.0 - 12_000.0 + 2_400.0,
        };
        assert_eq!(Undistorted::in_turn(&profiled).between, Some(between));
        let disturbed = Profiled {
            unprofiled_ns: Some(Nanos(90_000)),
            ..profiled
        };
        assert_eq!(Undistorted::in_turn(&disturbed).whole_ns(), 64_000.0);
    }
}
