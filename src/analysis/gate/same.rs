//! Sides of a rule that are the same thing, so that nothing of the model can have changed.

use super::Same;
use super::held::Target;
use super::types::Runs;
use crate::analysis::comparison::counterpart;
use crate::record::{RunRecord, RuntimeInfo, VariantRecord};

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
        && are_same_files(own.variant_of(session), others.variant_of(counterpart))
}

fn is_same_build(own: &RuntimeInfo, other: &RuntimeInfo) -> bool {
    own.version == other.version && own.build_info == other.build_info
}

/// Whether two variants are the same files, wherever they lie, by the SHA-256 of each of them; not
/// where one was not recorded.
#[must_use]
pub fn are_same_files(one: &VariantRecord, other: &VariantRecord) -> bool {
    one.sha256.is_some()
        && one.sha256 == other.sha256
        && are_all_known(one)
        && are_all_known(other)
        && one
            .external_sha256
            .values()
            .eq(other.external_sha256.values())
}

fn are_all_known(variant: &VariantRecord) -> bool {
    variant.model.as_ref().is_some_and(|model| {
        model
            .external_files
            .keys()
            .all(|file| variant.external_sha256.contains_key(file))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Outcome;

    fn variant(hash: &str) -> VariantRecord {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/digits/digits-fp32.onnx");
        VariantRecord {
            sha256: Some(hash.into()),
            model: Some(crate::onnx::summary(&crate::onnx::read(&path).unwrap())),
            outcome: Outcome::Ok,
            ..VariantRecord::default()
        }
    }

    #[test]
    fn files_are_the_same_by_the_hash_of_each_and_not_by_one_that_is_not_known() {
        let (one, other) = (variant("a"), variant("b"));
        assert!(are_same_files(&one, &one) && !are_same_files(&one, &other));
        let unread = VariantRecord {
            sha256: None,
            ..one.clone()
        };
        assert!(!are_same_files(&unread, &unread));
        let mut external = one.clone();
        let model = external.model.as_mut().unwrap();
        model
            .external_files
            .insert("weights.bin".into(), crate::units::Bytes(8));
        assert!(
            !are_same_files(&external, &external),
            "its hash is not known"
        );
        external
            .external_sha256
            .insert("weights.bin".into(), "c".into());
        assert!(are_same_files(&external, &external));
        let mut tuned = external.clone();
        tuned
            .external_sha256
            .insert("weights.bin".into(), "d".into());
        assert!(!are_same_files(&external, &tuned));
    }
}
