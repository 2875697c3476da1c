//! Both sides of an explanation: profiles whose times are brought to the level of the timed
//! launches, and which of their operators changed.

use std::collections::BTreeMap;

use super::explanation::{AddedNodes, LatencyStep, OperatorChange};
use crate::analysis::operators::{NodeTimes, Undistorted, largest_first};
use crate::observed::Observed;
use crate::plan::ExecutionMode;
use crate::provider::CPU_PROVIDER;
use crate::record::{ModelSummary, NodeProfile, Profiled, RunRecord, without_domain};
use crate::text::Plain;

/// The same of the reference and of the session.
#[derive(Default)]
pub(super) struct Both<T> {
    pub(super) before: T,
    pub(super) after: T,
}

/// Each key of either; the default where one lacks it.
pub(super) fn joined<K: Ord, T: Default>(
    before: BTreeMap<K, T>,
    after: BTreeMap<K, T>,
) -> BTreeMap<K, Both<T>> {
    let mut joined: BTreeMap<K, Both<T>> = BTreeMap::new();
    for (key, value) in before {
        joined.entry(key).or_default().before = value;
    }
    for (key, value) in after {
        joined.entry(key).or_default().after = value;
    }
    joined
}

/// The profile of one session, and what makes its times comparable with the timed launches.
pub(super) struct Side<'a> {
    pub(super) profiled: &'a Profiled,
    pub(super) model: Option<&'a ModelSummary>,
    /// Median of the timed launches, in nanoseconds.
    pub(super) median_ns: i64,
    /// Median of the timed launches / time of an inference in the profiled one.
    scale: f64,
    /// Times at the speed of the profiled launch.
    times: Undistorted<'a>,
}

impl<'a> Side<'a> {
    pub(super) fn new(
        record: &'a RunRecord,
        session: usize,
        latency: &LatencyStep,
        median_ns: i64,
    ) -> Observed<Self> {
        let spec = &record.plan.sessions[session];
        if spec.options.execution_mode == ExecutionMode::Parallel {
            return Err(
                "operators run side by side in parallel execution mode, so that their times do not add up".into()
            );
        }
        let profiled = profiled(record, session, latency)?;
        if NodeTimes::of(profiled) == NodeTimes::HandingOver {
            return Err(handing_over(record, session));
        }
        // In turn: in the timed launches the nodes of an inference cannot take more than the whole.
        let times = Undistorted::in_turn(profiled);
        Ok(Side {
            profiled,
            model: record.variant_of(session).model.as_ref(),
            median_ns,
            scale: median_ns as f64 / times.whole_ns(),
            times,
        })
    }

    /// Time of a node in one inference, in nanoseconds of the timed launches.
    pub(super) fn time_ns(&self, node: &NodeProfile) -> f64 {
        self.times.time_ns(node) * self.scale
    }

    /// Uncertainty of the time of a node, to either side, in nanoseconds of the timed launches.
    pub(super) fn unknown_ns(&self, node: &NodeProfile) -> f64 {
        self.times.unknown_ns(node) * self.scale
    }

    /// Factor on times of nodes, less what the profiler adds, to be times of the timed launches.
    pub(super) fn node_scale(&self) -> f64 {
        self.times.fit * self.scale
    }

    /// Median with the profiler / without.
    pub(super) fn distortion(&self) -> Option<f64> {
        Some(
            self.profiled.inference_ns.as_f64()
                / self
                    .profiled
                    .unprofiled_ns
                    .filter(|unprofiled| unprofiled.0 > 0)?
                    .as_f64(),
        )
    }

    pub(super) fn has_compiled(&self) -> bool {
        self.profiled.nodes.iter().any(is_compiled)
    }
}

/// The profile at the shape and batch size of `latency`, which holds operators.
fn profiled<'a>(
    record: &'a RunRecord,
    session: usize,
    latency: &LatencyStep,
) -> Observed<&'a Profiled> {
    let mut profiles = record
        .operators
        .iter()
        .filter(|profile| profile.session == session)
        .peekable();
    if profiles.peek().is_none() {
        return Err("the operators were not profiled".into());
    }
    let profiled = profiles
        .find(|profile| (profile.shape, profile.batch_size) == (latency.shape, latency.batch_size))
        .ok_or("the operators were profiled at another batch size or shape")?
        .profile
        .as_ref()
        .map_err(Plain::clone)?;
    if profiled.nodes.is_empty() || profiled.inferences_count == 0 {
        return Err("the profile holds no operators".into());
    }
    Ok(profiled)
}

/// Why operators cannot account for anything whose times are those of handing work over.
fn handing_over(record: &RunRecord, session: usize) -> Plain {
    let label = record.session_label(session);
    format!(
        "times of the operators of {label} are the host's, of handing work over to a device, and its trace tells none of \
         the device's own"
    )
    .into()
}

/// An operator without its domain, and without the mark of a layout or of quantized values:
/// `MaxPool` of `NhwcMaxPool`.
pub(super) fn base_name(operator: &str) -> &str {
    let name = without_domain(operator);
    name.strip_prefix("QLinear")
        .or_else(|| name.strip_prefix("Nhwc"))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(name)
}

/// Such nodes are named after the execution provider with separators, which no operator's name has.
pub(super) fn is_compiled(node: &NodeProfile) -> bool {
    node.execution_provider != CPU_PROVIDER && node.operator.exact().contains(['_', '-'])
}

/// Every operator whose time or number changed, the largest change of time first.
pub(super) fn operator_changes(sides: &Both<Side<'_>>) -> Vec<OperatorChange> {
    let before = sums(&sides.before, |_, node| node.operator.exact());
    let after = sums(&sides.after, |_, node| node.operator.exact());
    let changes = joined(before, after)
        .into_iter()
        .map(|(operator, sums)| change(operator, sums))
        .filter(|change| {
            change.change_ns() != 0 || change.before_nodes_count != change.after_nodes_count
        });
    largest_first(changes, |change| change.change_ns().abs())
}

/// Time of nodes of one side together, in ns, its uncertainty to either side, and their number.
#[derive(Default)]
pub(super) struct Sum {
    pub(super) time_ns: f64,
    pub(super) unknown_ns: f64,
    pub(super) nodes_count: u64,
}

/// Nodes of one side, sorted by what `kind` says of the place of a node in it, and the node.
pub(super) fn sums<'a, K: Ord>(
    side: &Side<'a>,
    kind: impl Fn(usize, &'a NodeProfile) -> K,
) -> BTreeMap<K, Sum> {
    let mut sums: BTreeMap<K, Sum> = BTreeMap::new();
    for (place, node) in side.profiled.nodes.iter().enumerate() {
        let sum = sums.entry(kind(place, node)).or_default();
        sum.time_ns += side.time_ns(node);
        sum.unknown_ns += side.unknown_ns(node);
        sum.nodes_count += 1;
    }
    sums
}

fn change(operator: &str, Both { before, after }: Both<Sum>) -> OperatorChange {
    let [before_ns, after_ns] = [&before, &after].map(|sum| sum.time_ns.round() as i64);
    let unknown_ns = before.unknown_ns + after.unknown_ns;
    OperatorChange {
        operator: operator.into(),
        before_ns,
        after_ns,
        before_nodes_count: before.nodes_count,
        after_nodes_count: after.nodes_count,
        is_resolved: (after_ns - before_ns).abs() as f64 > unknown_ns,
    }
}

/// Of `changes`, those that have more nodes than before, the most time first.
pub(super) fn added_nodes<'a>(
    changes: impl Iterator<Item = &'a OperatorChange>,
) -> Vec<AddedNodes> {
    let added = changes.filter(|change| change.after_nodes_count > change.before_nodes_count);
    largest_first(added, |change| change.change_ns())
        .iter()
        .map(|change| AddedNodes {
            operator: change.operator.clone(),
            nodes_count: change.after_nodes_count - change.before_nodes_count,
        })
        .collect()
}
