//! Sessions that run one and the same model.

use crate::plan::SessionSpec;
use crate::record::RunRecord;

/// Whether two sessions run one file in one way.
pub(super) fn run_alike(record: &RunRecord, session: usize, reference: usize) -> bool {
    let sessions = &record.plan.sessions;
    let in_its_way = SessionSpec {
        variant: sessions[session].variant,
        ..sessions[reference].clone()
    };
    are_one_file(record, session, reference) && sessions[session] == in_its_way
}

/// Whether two sessions run one model, in whatever way.
pub(super) fn run_one_model(record: &RunRecord, session: usize, reference: usize) -> bool {
    let sessions = &record.plan.sessions;
    sessions[session].variant == sessions[reference].variant
        || are_one_file(record, session, reference)
}

/// Two variants of one content.
fn are_one_file(record: &RunRecord, session: usize, reference: usize) -> bool {
    record.plan.sessions[session].variant != record.plan.sessions[reference].variant
        && record
            .variant_of(session)
            .is_same_files(record.variant_of(reference))
}
