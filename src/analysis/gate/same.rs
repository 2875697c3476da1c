//! Sides of a rule that are the same thing, so that nothing of the model can have changed.

use super::Same;
use super::held::Target;
use super::types::Runs;
use crate::analysis::comparison::counterpart;
use crate::record::{RunRecord, RuntimeInfo};

/// Why a target and its counterpart in the other run are the same, if they are.
pub(super) fn same(target: &Target<'_>, runs: &Runs<'_>) -> Option<Same> {
    let other = runs.other.as_ref()?;
    if other.is_same_run {
        return Some(Same::Run);
    }
    let (own, others) = (runs.record(), other.compared.run.record);
    let session = target.session.session;
    let counterpart = counterpart(&own.plan, session, &others.plan)?;
    are_same(own, session, others, counterpart).then_some(Same::Files)
}

/// Variants of a run that are the same files in another one, under the same runtime and options,
/// by their index; none of the very same run.
#[must_use]
pub fn variants_of_same_files(run: &RunRecord, against: &RunRecord) -> Vec<usize> {
    if run == against {
        return Vec::new();
    }
    (0..run.plan.variants.len())
        .filter(|&variant| {
            let mut sessions = (0..run.plan.sessions.len())
                .filter(|&session| run.plan.sessions[session].variant == variant)
                .peekable();
            sessions.peek().is_some()
                && sessions.all(|session| {
                    counterpart(&run.plan, session, &against.plan)
                        .is_some_and(|other| are_same(run, session, against, other))
                })
        })
        .collect()
}

/// Whether two sessions are of the same files, under the same runtime and options.
fn are_same(own: &RunRecord, session: usize, others: &RunRecord, counterpart: usize) -> bool {
    let (spec, other) = (
        &own.plan.sessions[session],
        &others.plan.sessions[counterpart],
    );
    let is_same_runtime = match (own.runtime_of(session), others.runtime_of(counterpart)) {
        (Some(own), Some(other)) => is_same_build(own, other),
        (None, _) | (_, None) => false,
    };
    is_same_runtime
        && spec.is_alike(other)
        && own
            .variant_of(session)
            .is_same_files(others.variant_of(counterpart))
}

fn is_same_build(own: &RuntimeInfo, other: &RuntimeInfo) -> bool {
    own.version == other.version && own.build_info == other.build_info
}
