//! Limits of the nodes that take the time: the roofline of the machine, from peaks that were
//! measured.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Arithmetic, NodeTimes, OperatorGroup, Undistorted, Work, bytes, largest_first, sorted, work,
};
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
/// A node that attains less than this share of every peak is limited by none of them.
pub const FAR_SHARE: f64 = 0.3;

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
    /// Neither: the call takes under 20 us, and would take less than 30% of that at the measured
    /// peaks.
    Overhead,
    /// Neither, of a longer call: at the measured peaks it would take less than 30% of its time.
    /// Its kernel, its threads or what it waits for limit it.
    FarFromBoth,
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
    /// Bytes that one call reads and writes at least, packed weights included, or why they are not
    /// known.
    pub bytes: Observed<Bytes>,
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

impl HotNode {
    /// Share that the node attains of the peak that limits it, and of the nearer one where none
    /// does; absent where that is not known: what exceeds the memory's peak comes from a cache,
    /// whose peak was not measured.
    #[must_use]
    pub fn attained(&self) -> Option<Ratio> {
        match self.bound {
            Ok(Bound::Memory) => self.memory_ratio.filter(|ratio| ratio.0 <= 1.0),
            Ok(Bound::Overhead | Bound::FarFromBoth) => self.nearer(),
            Ok(Bound::Compute | Bound::Conversion) | Err(_) => self.compute_ratio,
        }
    }

    fn nearer(&self) -> Option<Ratio> {
        let is_beyond_cache = self.bytes.as_ref().is_ok_and(|bytes| *bytes > CACHED);
        let memory = self.memory_ratio.filter(|_| is_beyond_cache);
        self.compute_ratio
            .into_iter()
            .chain(memory)
            .max_by(|one, other| one.0.total_cmp(&other.0))
    }
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

/// `None` without nodes, and where their times are the host's of handing work over to a device.
fn roofline(record: &RunRecord, profile: &OperatorProfile) -> Option<Roofline> {
    let profiled = profile.profile.as_ref().ok()?;
    if profiled.nodes.is_empty() || NodeTimes::of(profiled) == NodeTimes::HandingOver {
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
    let bytes = bytes(node);
    let known = work.as_ref().ok();
    let moved = bytes.as_ref().ok();
    let operations_per_sec = known.and_then(|work| per_sec(work.operations_count, call_ns));
    let bytes_per_sec = moved.and_then(|bytes| per_sec(bytes.0, call_ns));
    let compute_peak = known.and_then(|work| peaks.compute(work.arithmetic).ok());
    HotNode {
        name: node.name.clone(),
        operator: node.operator.clone(),
        time_ns: Nanos(time_ns.round() as u64),
        share: Ratio(time_ns / times.nodes_ns.max(1.0)),
        intensity: known
            .zip(moved)
            .map(|(work, bytes)| work.operations_count as f64 / bytes.as_f64().max(1.0)),
        operations_per_sec,
        bytes_per_sec,
        compute_ratio: quotient(operations_per_sec, compute_peak),
        memory_ratio: quotient(bytes_per_sec, peaks.memory().ok()),
        bound: match OperatorGroup::of(&node.operator) {
            OperatorGroup::Conversion => Ok(Bound::Conversion),
            OperatorGroup::Matrix | OperatorGroup::Other => bound(call_ns, &work, &bytes, peaks),
        },
        work,
        bytes,
    }
}

/// `None` of what takes no time.
fn per_sec(amount: u64, call_ns: f64) -> Option<f64> {
    (call_ns > 0.0).then(|| amount as f64 / call_ns * 1e9)
}

fn quotient(rate: Option<f64>, peak: Option<f64>) -> Option<Ratio> {
    Some(Ratio(rate? / peak?))
}

/// The roofline's rule: whatever would take longer at the measured peaks limits the node, if that
/// is a good part of the time that it takes.
fn bound(
    call_ns: f64,
    work: &Observed<Work>,
    bytes: &Observed<Bytes>,
    peaks: Peaks<'_>,
) -> Observed<Bound> {
    let work = work.clone()?;
    let bytes = bytes.clone()?;
    let computing_ns = work.operations_count as f64 / peaks.compute(work.arithmetic)? * 1e9;
    let moving_ns = if bytes > CACHED {
        bytes.as_f64() / peaks.memory()? * 1e9
    } else {
        0.0
    };
    let is_far = computing_ns.max(moving_ns) < FAR_SHARE * call_ns;
    Ok(match is_far {
        true if call_ns < SMALL_CALL.as_f64() => Bound::Overhead,
        true => Bound::FarFromBoth,
        false if computing_ns >= moving_ns && work.operations_count > 0 => Bound::Compute,
        false => Bound::Memory,
    })
}

#[cfg(test)]
mod tests;
