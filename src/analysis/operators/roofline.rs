//! Limits of the nodes that take the time: the roofline of the machine, from peaks that were
//! measured.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Arithmetic, OperatorGroup, Undistorted, Work, largest_first, sorted, work};
use crate::observed::Observed;
use crate::plan::ExecutionMode;
use crate::record::{MachinePeaks, NodeProfile, OperatorProfile, RunRecord};
use crate::text::Plain;
use crate::units::{Bytes, Nanos, Ratio};

/// Hot nodes make up this share of the time in nodes.
const HOT_SHARE: f64 = 0.9;
/// A node with a smaller share of the time is not worth a line.
pub const LEAST_NODE_SHARE: f64 = 0.01;
/// A call that takes longer has time enough to reach what limits it: some ten times what ONNX
/// Runtime takes to start a kernel.
pub const SMALL_CALL: Nanos = Nanos(20_000);
/// Data that a cache holds, half of what a usual second-level cache does: memory cannot limit a
/// node that moves no more.
const CACHED: Bytes = Bytes(256 << 10);
/// A small call that spends less than this share of its time at either limit is one of overhead.
const NEAR_LIMIT: f64 = 0.25;

/// Limits of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Arithmetic: at the measured peaks, computing would take longer than moving the data.
    Compute,
    /// Moving data: at the measured peaks, that would take longer than computing, and it is more
    /// than 256 KiB, which a small cache would hold. Where [`HotNode::memory_ratio`] is above 1, it
    /// came from a larger cache.
    Memory,
    /// Neither: the call takes under 20 us, and would take less than a quarter of that at the
    /// measured peaks.
    Overhead,
    /// It changes precision, layout or device, which the model's mathematics does not ask for.
    Conversion,
}

/// A node that takes a good part of the time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HotNode {
    /// Name; empty if it has none.
    pub name: Plain,
    /// Operator.
    pub operator: Plain,
    /// Time in it for one inference, at the speed of the profiled launch, without what the profiler
    /// adds to each run.
    pub time_ns: Nanos,
    /// Share of the time in all nodes.
    pub share: Ratio,
    /// Work of one call, or why it is not known.
    pub work: Observed<Work>,
    /// Bytes that one call reads and writes at least; absent where the trace does not tell.
    pub bytes: Option<Bytes>,
    /// Operations per byte.
    pub intensity: Option<f64>,
    /// Operations per second.
    pub operations_per_sec: Option<f64>,
    /// Bytes per second; more than the memory's peak where they lie in a cache.
    pub bytes_per_sec: Option<f64>,
    /// Operations per second over the measured peak of their kind.
    pub compute_ratio: Option<Ratio>,
    /// Bytes per second over the measured peak of the memory.
    pub memory_ratio: Option<Ratio>,
    /// The limit, or why it is not known.
    pub bound: Observed<Bound>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Peaks<'r>(Option<&'r MachinePeaks>);

impl<'r> Peaks<'r> {
    fn of(record: &'r RunRecord, session: usize) -> Self {
        let spec = &record.plan.sessions[session];
        Peaks(
            record
                .peaks
                .iter()
                .find(|peaks| {
                    peaks.runtime == *spec.runtime.path()
                        && peaks.intra_threads == spec.options.intra_threads
                })
                .filter(|_| !spec.is_accelerated()),
        )
    }

    fn compute(self, arithmetic: Arithmetic) -> Observed<f64> {
        let peaks = self.0.ok_or(NO_PEAKS)?;
        let told = match arithmetic {
            Arithmetic::Float => &peaks.rates.fp32_flops_per_sec,
            Arithmetic::Integer => &peaks.rates.int8_ops_per_sec,
            Arithmetic::OtherFloat => return Err("no peak was measured for its type".into()),
        };
        Ok(told.clone()?.highest_per_sec)
    }

    fn memory(self) -> Observed<f64> {
        Ok(self
            .0
            .ok_or(NO_PEAKS)?
            .rates
            .memory_bytes_per_sec
            .clone()?
            .highest_per_sec)
    }
}

const NO_PEAKS: &str = "the machine's peaks were not measured for this session";

/// Limits of the nodes that take the time in one profile.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Roofline {
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions).
    pub session: usize,
    /// Index into [`Plan::shapes`](crate::plan::Plan::shapes).
    pub shape: usize,
    /// Samples per inference.
    pub batch_size: u64,
    /// Share of the time in all nodes by what limits them, hot or not; what they lack of 1 is not
    /// known.
    pub bound_shares: Vec<(Bound, Ratio)>,
    /// Nodes that make up most of the time, the one that takes most first.
    pub nodes: Vec<HotNode>,
    /// Time in all nodes for one inference, as in [`HotNode::time_ns`].
    pub nodes_ns: Nanos,
    /// Time of an inference of the same launch without the profiler; with it, where that was not
    /// measured.
    pub inference_ns: Nanos,
}

impl Roofline {
    /// Share of the time in nodes that those of one bound take.
    #[must_use]
    pub fn share_of(&self, bound: Bound) -> Ratio {
        self.bound_shares
            .iter()
            .find(|(known, _)| *known == bound)
            .map_or(Ratio(0.0), |(_, share)| *share)
    }
}

pub(in crate::analysis) fn rooflines(record: &RunRecord) -> Vec<Roofline> {
    sorted(record)
        .filter_map(|profile| roofline(record, profile))
        .collect()
}

/// `None` without nodes.
fn roofline(record: &RunRecord, profile: &OperatorProfile) -> Option<Roofline> {
    let profiled = profile.profile.as_ref().ok()?;
    if profiled.nodes.is_empty() {
        return None;
    }
    let peaks = Peaks::of(record, profile.session);
    let times = match record.plan.sessions[profile.session].options.execution_mode {
        ExecutionMode::Sequential => Undistorted::in_turn(profiled),
        ExecutionMode::Parallel => Undistorted::side_by_side(profiled),
    };
    let nodes: Vec<HotNode> = profiled
        .nodes
        .iter()
        .map(|node| hot_node(node, &times, peaks))
        .collect();
    Some(Roofline {
        session: profile.session,
        shape: profile.shape,
        batch_size: profile.batch_size,
        bound_shares: bound_shares(&nodes),
        nodes: hottest(nodes),
        nodes_ns: Nanos(times.nodes_ns.round() as u64),
        inference_ns: Nanos(times.whole_ns().round() as u64),
    })
}

fn hottest(nodes: Vec<HotNode>) -> Vec<HotNode> {
    let mut before = 0.0;
    largest_first(nodes, |node| node.time_ns)
        .into_iter()
        .take_while(|node| {
            let is_hot = before < HOT_SHARE && node.share.0 >= LEAST_NODE_SHARE;
            before += node.share.0;
            is_hot
        })
        .collect()
}

fn bound_shares(nodes: &[HotNode]) -> Vec<(Bound, Ratio)> {
    let mut shares: BTreeMap<Bound, f64> = BTreeMap::new();
    for node in nodes {
        if let Ok(bound) = node.bound {
            *shares.entry(bound).or_default() += node.share.0;
        }
    }
    shares
        .into_iter()
        .map(|(bound, share)| (bound, Ratio(share)))
        .collect()
}

fn hot_node(node: &NodeProfile, times: &Undistorted<'_>, peaks: Peaks<'_>) -> HotNode {
    let time_ns = times.time_ns(node);
    let call_ns = time_ns / times.runs(node).max(f64::MIN_POSITIVE);
    let work = work(node);
    let bytes = node.bytes();
    let known = work.as_ref().ok();
    let operations_per_sec = known.and_then(|work| per_sec(work.operations_count, call_ns));
    let bytes_per_sec = bytes.and_then(|bytes| per_sec(bytes.0, call_ns));
    let compute_peak = known.and_then(|work| peaks.compute(work.arithmetic).ok());
    HotNode {
        name: node.name.clone(),
        operator: node.operator.clone(),
        time_ns: Nanos(time_ns.round() as u64),
        share: Ratio(time_ns / times.nodes_ns.max(1.0)),
        bytes,
        intensity: known
            .zip(bytes)
            .map(|(work, bytes)| work.operations_count as f64 / bytes.as_f64().max(1.0)),
        operations_per_sec,
        bytes_per_sec,
        compute_ratio: quotient(operations_per_sec, compute_peak),
        memory_ratio: quotient(bytes_per_sec, peaks.memory().ok()),
        bound: bound(node, call_ns, &work, peaks),
        work,
    }
}

/// `None` of what takes no time.
fn per_sec(amount: u64, call_ns: f64) -> Option<f64> {
    (call_ns > 0.0).then(|| amount as f64 / call_ns * 1e9)
}

fn quotient(rate: Option<f64>, peak: Option<f64>) -> Option<Ratio> {
    Some(Ratio(rate? / peak?))
}

/// The roofline's rule: whatever would take longer at the measured peaks limits the node.
fn bound(
    node: &NodeProfile,
    call_ns: f64,
    work: &Observed<Work>,
    peaks: Peaks<'_>,
) -> Observed<Bound> {
    if OperatorGroup::of(&node.operator) == OperatorGroup::Conversion {
        return Ok(Bound::Conversion);
    }
    let work = work.clone()?;
    let bytes = node.bytes().ok_or("the trace does not tell its bytes")?;
    let computing_ns = work.operations_count as f64 / peaks.compute(work.arithmetic)? * 1e9;
    let moving_ns = if bytes > CACHED {
        bytes.as_f64() / peaks.memory()? * 1e9
    } else {
        0.0
    };
    Ok(
        if call_ns < SMALL_CALL.as_f64() && computing_ns.max(moving_ns) < NEAR_LIMIT * call_ns {
            Bound::Overhead
        } else if computing_ns >= moving_ns && work.operations_count > 0 {
            Bound::Compute
        } else {
            Bound::Memory
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Peak, PeakRates, Profiled, TensorShape};

    fn peak(per_sec: f64) -> Observed<Peak> {
        Ok(Peak {
            highest_per_sec: per_sec,
            median_per_sec: per_sec,
            n: 5,
        })
    }

    /// 50 GFLOP/s, 100 Gop/s, 10 GB/s.
    fn machine() -> MachinePeaks {
        MachinePeaks {
            runtime: "library".into(),
            runtime_version: "1.31.1".into(),
            intra_threads: 1,
            rates: PeakRates {
                fp32_flops_per_sec: peak(50e9),
                int8_ops_per_sec: peak(100e9),
                memory_bytes_per_sec: peak(10e9),
            },
            measured_at: "2026-01-01T00:00:00Z".into(),
        }
    }

    /// A node that takes `time_ns`, of which the profiler cut off half a microsecond.
    fn node(operator: &str, time_ns: u64, dims: &[u64]) -> NodeProfile {
        let shape = TensorShape {
            element_type: "float".into(),
            dims: dims.to_vec(),
        };
        let bytes = Some(Bytes(shape.elements_count().saturating_mul(4)));
        NodeProfile {
            operator: operator.into(),
            calls_count: 10,
            time_ns: Nanos(time_ns - 500),
            inputs: Some(vec![shape.clone(); 2]),
            outputs: Some(vec![shape]),
            activation_bytes: bytes,
            parameter_bytes: Some(Bytes(0)),
            output_bytes: bytes,
            ..NodeProfile::default()
        }
    }

    fn hot_nodes(nodes: Vec<NodeProfile>, peaks: Peaks<'_>) -> Vec<HotNode> {
        let profiled = Profiled {
            inferences_count: 10,
            mean_inference_ns: Nanos(1),
            nodes,
            ..Profiled::default()
        };
        let times = Undistorted::side_by_side(&profiled);
        profiled
            .nodes
            .iter()
            .map(|node| hot_node(node, &times, peaks))
            .collect()
    }

    #[test]
    fn what_takes_longer_at_the_peaks_is_the_bound() {
        let nodes = vec![
            // 2 * 512^3 operations in 10 ms are 26.8 GFLOP/s; 2 MiB in 10 ms are 0.2 GB/s.
            node("MatMul", 10_000_000, &[512, 512]),
            // A million elements: 8 MiB in 1 ms are 8.4 GB/s.
            node("Relu", 1_000_000, &[1024, 1024]),
            node("Transpose", 900_000, &[512, 512]),
        ];
        let all = hot_nodes(nodes, Peaks(Some(&machine())));
        let shares = bound_shares(&all);
        let [product, relu] = &hottest(all)[..] else {
            panic!("the third lies beyond 90%")
        };
        assert_eq!(product.bound, Ok(Bound::Compute));
        assert_eq!(relu.bound, Ok(Bound::Memory));
        for (found, expected) in [
            (product.compute_ratio.unwrap().0, 0.5369),
            (product.intensity.unwrap(), 128.0),
            (relu.memory_ratio.unwrap().0, 0.8389),
            (shares[1].1.0, 1.0 / 11.9),
        ] {
            assert!((found - expected).abs() < 1e-4, "{found}, not {expected}");
        }
        let bounds: Vec<Bound> = shares.iter().map(|(bound, _)| *bound).collect();
        assert_eq!(bounds, [Bound::Compute, Bound::Memory, Bound::Conversion]);
    }

    #[test]
    fn conversions_are_told_without_peaks_and_small_nodes_far_from_both_limits_with_them() {
        let machine = machine();
        for (conversion, peaks, bound) in [
            ("QuantizeLinear", Peaks(Some(&machine)), Ok(Bound::Overhead)),
            ("Cast", Peaks(None), Err(NO_PEAKS.into())),
        ] {
            let hot = hottest(hot_nodes(
                ["Relu", conversion]
                    .map(|operator| node(operator, 3000, &[64]))
                    .into(),
                peaks,
            ));
            assert_eq!(
                (&hot[0].bound, &hot[1].bound),
                (&bound, &Ok(Bound::Conversion))
            );
            assert!(hot[0].operations_per_sec.is_some());
            assert_eq!(hot[0].compute_ratio.is_some(), bound.is_ok());
        }
    }
}
