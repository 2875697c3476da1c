//! One side of an explanation: a profile whose times are brought to the level of the timed launches.

use std::collections::BTreeMap;

use super::explanation::LatencyStep;
use crate::plan::{CPU_PROVIDER, ExecutionMode};
use crate::record::{NodeProfile, Profiled, RunRecord};

/// What the profiler cuts off from the duration of a node's run is between nothing and a microsecond: half of it is added
/// to every run, and as much remains unknown, in nanoseconds.
pub(super) const CUT_OFF: f64 = 500.0;

/// Share of what the profiler adds to an inference that lies within the nodes' times, and not between them: a chain of 50
/// nodes that do next to nothing took 0.4 us a node without it, and with it 5 us more, of which their times held 44% to
/// 52% (ONNX Runtime 1.31, x86-64).
const OVERHEAD_WITHIN: f64 = 0.5;

/// The profile of one session, and what makes its times comparable with the timed launches.
pub(super) struct Side<'a> {
    pub(super) profiled: &'a Profiled,
    /// Operators of the file by name without domain, before optimization.
    pub(super) in_file: BTreeMap<&'a str, u64>,
    /// Median of the timed launches, in nanoseconds.
    pub(super) median_ns: i64,
    /// What times of nodes are multiplied by to be times of the timed launches.
    pub(super) scale: f64,
    /// By how much of it the nodes took more than the inference without the profiler: 0 where they fit in.
    excess: f64,
    /// What the profiler adds to a run of a node, in nanoseconds.
    overhead_ns: f64,
}

impl<'a> Side<'a> {
    /// The profile of a session at the batch size of `latency`; or why there is none.
    pub(super) fn new(
        record: &'a RunRecord,
        (session, latency): (usize, &LatencyStep),
        median_ns: i64,
    ) -> Result<Self, String> {
        let spec = &record.plan.sessions[session];
        if spec.options.execution_mode == ExecutionMode::Parallel {
            return Err(
                "operators run side by side in parallel execution mode, so that their times do not add up".into()
            );
        }
        let mut profiles = record.operators.iter().filter(|profile| profile.session == session).peekable();
        if profiles.peek().is_none() {
            return Err("the operators were not profiled".into());
        }
        let is_meant = |shape, batch_size| (shape, batch_size) == (latency.shape, latency.batch_size);
        let profile = profiles.find(|profile| is_meant(profile.shape, profile.batch_size));
        let profile = profile.ok_or("the operators were profiled at another batch size")?;
        let profiled = profile.profile.as_ref().map_err(String::clone)?;
        if profiled.nodes.is_empty() || profiled.inferences_count == 0 {
            return Err("the profile holds no operators".into());
        }
        let model = record.variants[spec.variant].model.as_ref();
        let mut in_file = BTreeMap::new();
        for (operator, &count) in model.iter().flat_map(|model| &model.operators) {
            *in_file.entry(base_name(operator)).or_insert(0) += count;
        }
        Ok(Side::scaled(profiled, in_file, median_ns))
    }

    /// Brings times to the level of the timed launches, in which the nodes of an inference cannot take more than the whole.
    fn scaled(profiled: &'a Profiled, in_file: BTreeMap<&'a str, u64>, median_ns: i64) -> Self {
        let mut side =
            Side { profiled, in_file, median_ns, scale: 1.0, excess: 0.0, overhead_ns: overhead_ns(profiled) };
        let whole_ns = profiled.unprofiled_ns.unwrap_or(profiled.inference_ns).as_f64().max(1.0);
        let nodes_ns: f64 = profiled.nodes.iter().map(|node| side.time_ns(node)).sum();
        side.excess = (nodes_ns / whole_ns - 1.0).max(0.0);
        side.scale = median_ns as f64 / nodes_ns.max(whole_ns);
        side
    }

    /// Runs of a node in one inference, mean.
    pub(super) fn runs(&self, node: &NodeProfile) -> f64 {
        runs(self.profiled, node)
    }

    /// Time of a node in one inference, in nanoseconds of the timed launches: what the profiler adds to each run is taken
    /// off, half of what it cuts off is added.
    pub(super) fn time_ns(&self, node: &NodeProfile) -> f64 {
        let own = node.time_ns.as_f64() + (CUT_OFF - self.overhead_ns) * self.runs(node);
        own.max(0.0) * self.scale
    }

    /// What is not known of the time of a node, to either side, in nanoseconds: what the profiler cuts off, and the share
    /// by which the nodes together took too long.
    pub(super) fn unknown_ns(&self, node: &NodeProfile) -> f64 {
        CUT_OFF * self.runs(node) * self.scale + self.excess * self.time_ns(node)
    }

    /// Median with the profiler / without.
    pub(super) fn distortion(&self) -> Option<f64> {
        let unprofiled_ns = self.profiled.unprofiled_ns.filter(|unprofiled| unprofiled.0 > 0)?;
        Some(self.profiled.inference_ns.as_f64() / unprofiled_ns.as_f64())
    }

    /// Whether an execution provider compiled subgraphs into single nodes.
    pub(super) fn has_compiled(&self) -> bool {
        self.profiled.nodes.iter().any(is_compiled)
    }
}

/// What the profiler adds to the time of a run of a node: its share of what an inference takes longer with it; but no more
/// than the shortest node took.
fn overhead_ns(profiled: &Profiled) -> f64 {
    let Some(unprofiled_ns) = profiled.unprofiled_ns else { return 0.0 };
    let all_runs: f64 = profiled.nodes.iter().map(|node| runs(profiled, node)).sum();
    let longer_ns = (profiled.inference_ns.as_f64() - unprofiled_ns.as_f64()).max(0.0);
    let of_run = |node: &NodeProfile| node.time_ns.as_f64() / runs(profiled, node) + CUT_OFF;
    let shortest_ns = profiled.nodes.iter().filter(|node| node.calls_count > 0).map(of_run).fold(f64::MAX, f64::min);
    if all_runs > 0.0 { (OVERHEAD_WITHIN * longer_ns / all_runs).min(shortest_ns) } else { 0.0 }
}

fn runs(profiled: &Profiled, node: &NodeProfile) -> f64 {
    node.calls_count as f64 / profiled.inferences_count as f64
}

/// An operator without its domain, and without the mark of a layout or of quantized values: `MaxPool` of `NhwcMaxPool`.
pub(super) fn base_name(operator: &str) -> &str {
    let name = operator.rsplit('.').next().unwrap_or(operator);
    let stripped = name.strip_prefix("QLinear").or_else(|| name.strip_prefix("Nhwc"));
    stripped.filter(|rest| !rest.is_empty()).unwrap_or(name)
}

/// Whether a node is a subgraph that an execution provider compiled: such nodes are named after the provider with
/// separators, which no operator's name has.
pub(super) fn is_compiled(node: &NodeProfile) -> bool {
    node.execution_provider != CPU_PROVIDER && node.operator.contains(['_', '-'])
}
