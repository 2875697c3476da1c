//! Sessions that run one and the same model.

use crate::plan::SessionSpec;
use crate::record::{RunRecord, VariantRecord};
use crate::text::Plain;

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

/// By the sums of two variants.
fn are_one_file(record: &RunRecord, session: usize, reference: usize) -> bool {
    let sum = sum(record.variant_of(session));
    record.plan.sessions[session].variant != record.plan.sessions[reference].variant
        && sum.is_some()
        && sum == self::sum(record.variant_of(reference))
}

/// `None` also where tensors lie in other files, of which there is no sum.
fn sum(variant: &VariantRecord) -> Option<&str> {
    let is_all = variant
        .model
        .as_ref()
        .is_some_and(|model| model.external_files.is_empty());
    variant.sha256.as_ref().filter(|_| is_all).map(Plain::exact)
}
