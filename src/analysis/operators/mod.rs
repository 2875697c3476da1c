//! Operators of a session: how long they took, how much they computed, and what limits them.

mod breakdown;
mod graph;
mod group;
mod limits;
mod roofline;
mod undistorted;
mod work;

pub use breakdown::{Breakdown, GroupShare, NodeShare, OperatorShare, Rest};
pub use graph::{CountChange, GraphChange};
pub use group::OperatorGroup;
pub(super) use limits::bottlenecks;
pub(super) use roofline::rooflines;
pub use roofline::{Bound, HotNode, LEAST_NODE_SHARE, Roofline, SMALL_CALL};
pub(super) use undistorted::Undistorted;
pub use work::{Arithmetic, Work, work};

use serde::Serialize;

use crate::observed::Observed;
use crate::record::{OperatorProfile, RunRecord};

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

pub(super) fn findings(record: &RunRecord) -> Vec<OperatorFindings> {
    let mut profiles: Vec<&OperatorProfile> = record.operators.iter().collect();
    profiles.sort_by_key(|profile| (profile.session, profile.shape, profile.batch_size));
    profiles.into_iter().map(|profile| finding(record, profile)).collect()
}

fn finding(record: &RunRecord, profile: &OperatorProfile) -> OperatorFindings {
    let model = record.plan.sessions.get(profile.session).and_then(|session| record.variants.get(session.variant));
    let model = model.and_then(|variant| variant.model.as_ref());
    let profiled = profile.profile.as_ref();
    OperatorFindings {
        session: profile.session,
        shape: profile.shape,
        batch_size: profile.batch_size,
        breakdown: profiled.map(Breakdown::of).map_err(Clone::clone),
        graph: model.zip(profiled.ok()).map(|(model, profiled)| GraphChange::of(&model.operators, &profiled.nodes)),
    }
}

#[cfg(test)]
mod tests;
