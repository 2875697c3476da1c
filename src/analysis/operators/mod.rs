//! Operators of a session: how long they took, how much they computed, and what limits them.

mod breakdown;
mod bytes;
mod device;
mod formula;
mod group;
mod limits;
mod portion;
mod roofline;
mod span;
mod times;
mod undistorted;
mod work;

pub(super) use breakdown::largest_first;
pub use breakdown::{Breakdown, GroupShare, NodeShare, OperatorShare, Rest, TraceCoverage};
pub use bytes::bytes;
pub use device::{DeviceFindings, DeviceVerdict, NEAR_COMPUTE, NOTABLE_IDLE};
pub use group::OperatorGroup;
pub(super) use limits::{bottlenecks, on_devices};
pub(super) use portion::distortion;
pub use portion::{Portion, PortionBounds, SURE_DISTORTION, TimeLevel};
pub(super) use roofline::rooflines;
pub use roofline::{Bound, FAR_SHARE, HotNode, LEAST_NODE_SHARE, Roofline, SMALL_CALL};
pub(super) use span::Span;
pub use times::NodeTimes;
pub(super) use undistorted::Undistorted;
pub use work::{Arithmetic, Work, work};

use std::collections::BTreeMap;

use serde::Serialize;

use super::figures::Cells;
use crate::metric::Metric;
use crate::observed::Observed;
use crate::plan::CellKey;
use crate::record::{NodeProfile, OperatorProfile, RunRecord, without_domain};
use crate::text::Plain;

/// The operators of one session at one batch size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperatorFindings {
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions).
    pub session: usize,
    /// Index into [`Plan::shapes`](crate::plan::Plan::shapes).
    pub shape: usize,
    /// Samples per inference.
    pub batch_size: u64,
    /// How the time is shared out, or why that is not known.
    pub breakdown: Observed<Breakdown>,
    /// Changes of the graph by optimization; absent where the model was not read or not profiled.
    pub graph: Option<GraphChange>,
}

/// With medians of the timed cells, which times are brought to.
pub(super) fn findings(record: &RunRecord, cells: &Cells) -> Vec<OperatorFindings> {
    sorted(record)
        .map(|profile| finding(record, cells, profile))
        .collect()
}

/// Profiles in the order of sessions, shapes and batch sizes.
fn sorted(record: &RunRecord) -> impl Iterator<Item = &OperatorProfile> {
    let mut profiles: Vec<&OperatorProfile> = record.operators.iter().collect();
    profiles.sort_by_key(|profile| (profile.session, profile.shape, profile.batch_size));
    profiles.into_iter()
}

fn finding(record: &RunRecord, cells: &Cells, profile: &OperatorProfile) -> OperatorFindings {
    let model = record.variant_of(profile.session).model.as_ref();
    let mode = record.plan.sessions[profile.session].options.execution_mode;
    let timed_ns = timed_ns(record, cells, profile);
    let profiled = profile.profile.as_ref();
    OperatorFindings {
        session: profile.session,
        shape: profile.shape,
        batch_size: profile.batch_size,
        breakdown: profiled
            .map(|profiled| Breakdown::without_profiler(profiled, mode, timed_ns))
            .map_err(Clone::clone),
        graph: model
            .zip(profiled.ok())
            .map(|(model, profiled)| GraphChange::of(&model.operators, &profiled.nodes)),
    }
}

/// Median latency of the timed launches at the place of a profile, under the first load mode.
fn timed_ns(record: &RunRecord, cells: &Cells, profile: &OperatorProfile) -> Option<f64> {
    let key = CellKey {
        session: profile.session,
        shape: profile.shape,
        batch_size: profile.batch_size,
        load_mode: *record.plan.load_modes.first()?,
    };
    cells.at(key)?.value(Metric::LatencyP50)
}

/// Changes of the graph by optimization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GraphChange {
    /// Nodes in the file, inner graphs included.
    pub in_file_count: u64,
    /// Nodes that ran.
    pub as_run_count: u64,
    /// Operators that are not in the file: fused, converted to another layout, or put in to change
    /// precision or place.
    pub appeared: BTreeMap<Plain, u64>,
    /// Operators of the file of which nothing ran: fused into others, computed beforehand, or on a
    /// branch not taken.
    pub vanished: BTreeMap<Plain, u64>,
    /// Operators of which a different number ran than is in the file.
    pub changed: BTreeMap<Plain, CountChange>,
}

/// How many nodes of an operator there are before and after optimization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CountChange {
    /// Nodes in the file.
    pub in_file_count: u64,
    /// Nodes that ran.
    pub as_run_count: u64,
}

impl GraphChange {
    /// Operators are told apart without their domains, which traces leave out.
    fn of(operators: &BTreeMap<Plain, u64>, nodes: &[NodeProfile]) -> GraphChange {
        let counts = counts(operators, nodes);
        let mut change = GraphChange {
            in_file_count: counts.values().map(|count| count.in_file_count).sum(),
            as_run_count: nodes.len() as u64,
            ..GraphChange::default()
        };
        for (operator, count) in counts {
            if count.in_file_count == 0 {
                change.appeared.insert(operator, count.as_run_count);
            } else if count.as_run_count == 0 {
                change.vanished.insert(operator, count.in_file_count);
            } else if count.in_file_count != count.as_run_count {
                change.changed.insert(operator, count);
            }
        }
        change
    }
}

/// By operator without domain.
fn counts(operators: &BTreeMap<Plain, u64>, nodes: &[NodeProfile]) -> BTreeMap<Plain, CountChange> {
    let mut counts: BTreeMap<Plain, CountChange> = BTreeMap::new();
    for (operator, count) in operators {
        counts
            .entry(without_domain(operator.exact()).into())
            .or_default()
            .in_file_count += count;
    }
    for node in nodes {
        counts
            .entry(without_domain(node.operator.exact()).into())
            .or_default()
            .as_run_count += 1;
    }
    counts
}

#[cfg(test)]
mod tests;
