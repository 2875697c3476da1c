//! Both sides of an explanation: profiles whose times are brought to the level of the timed
//! launches, and which of their operators changed.

use std::collections::BTreeMap;

use super::explanation::{AddedNodes, LatencyStep, OperatorChange};
use crate::analysis::Interval;
use crate::analysis::operators::{
    NodeTimes, SURE_DISTORTION, Span, Undistorted, distortion, largest_first,
};
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
        refuse_unknown_distortion(profiled, median_ns)?;
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
    fn span(&self, node: &NodeProfile) -> Span {
        self.times.span(node).scaled(self.scale)
    }

    /// Of all nodes.
    pub(super) fn all(&self) -> Span {
        let nodes = self.profiled.nodes.iter();
        nodes.map(|node| self.span(node)).sum()
    }

    fn between(&self) -> Option<Span> {
        Some(self.times.between?.scaled(self.scale))
    }

    /// Of some nodes, within what all others and the time between nodes leave of the median.
    pub(super) fn within(&self, own: Span) -> Span {
        match self.between() {
            Some(between) => own.beside(self.all() - own + between, self.median_ns as f64),
            None => own,
        }
    }

    /// Time in no node.
    pub(super) fn rest(&self) -> Span {
        let (all, median_ns) = (self.all(), self.median_ns as f64);
        let left = Span {
            time_ns: median_ns - all.time_ns,
            low_ns: median_ns - all.high_ns,
            high_ns: median_ns - all.low_ns,
        };
        self.between()
            .map_or(left, |between| between.beside(all, median_ns))
    }

    /// Factor on times of nodes, less what the profiler adds, to be times of the timed launches.
    pub(super) fn node_scale(&self) -> f64 {
        self.times.fit * self.scale
    }

    /// Median with the profiler / without; `None` where nothing ran without it beside.
    pub(super) fn distortion(&self) -> Option<f64> {
        self.profiled.unprofiled_ns?;
        Some(distortion(self.profiled, None))
    }

    pub(super) fn has_compiled(&self) -> bool {
        self.profiled.nodes.iter().any(is_compiled)
    }
}

/// What the profiler adds has to be known where it may be more than all nodes take.
fn refuse_unknown_distortion(profiled: &Profiled, median_ns: i64) -> Observed<()> {
    let factor = distortion(profiled, Some(median_ns as f64));
    match profiled.unprofiled_ns {
        None if factor > SURE_DISTORTION => Err(format!(
            "with the profiler an inference takes {factor:.1}x as long, and none ran without it beside those"
        )
        .into()),
        _ => Ok(()),
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
pub(super) fn operator_changes(
    sides: &Both<Side<'_>>,
    spread: Option<Interval>,
) -> Vec<OperatorChange> {
    let before = sums(&sides.before, |_, node| node.operator.exact());
    let after = sums(&sides.after, |_, node| node.operator.exact());
    let changes = joined(before, after)
        .into_iter()
        .map(|(operator, sums)| change(operator, &sums, spread))
        .filter(|change| {
            change.change_ns() != 0 || change.before_nodes_count != change.after_nodes_count
        });
    largest_first(changes, |change| change.change_ns().abs())
}

/// Nodes of one side together: their time, within what the others leave, and their number.
#[derive(Default)]
pub(super) struct Sum {
    pub(super) span: Span,
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
        sum.span = sum.span + side.span(node);
        sum.nodes_count += 1;
    }
    for sum in sums.values_mut() {
        sum.span = side.within(sum.span);
    }
    sums
}

fn change(operator: &str, sums: &Both<Sum>, spread: Option<Interval>) -> OperatorChange {
    let Both { before, after } = sums;
    OperatorChange {
        operator: operator.into(),
        before_ns: before.span.time_ns.round() as i64,
        after_ns: after.span.time_ns.round() as i64,
        before_nodes_count: before.nodes_count,
        after_nodes_count: after.nodes_count,
        bounds: spread.map(|spread| bounds(before.span, after.span, spread)),
    }
}

/// Between what a change lies: as far as both times are open, and the session's by `spread` more.
pub(super) fn bounds(before: Span, after: Span, spread: Interval) -> Interval {
    Interval {
        low: after.low_ns - before.high_ns - (1.0 - spread.low) * after.time_ns.abs(),
        high: after.high_ns - before.low_ns + (spread.high - 1.0) * after.time_ns.abs(),
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
