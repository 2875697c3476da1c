//! Whether variants are one model, wherever its files lie.

use super::VariantRecord;

impl VariantRecord {
    /// Whether two variants are the same files, wherever they lie, by the SHA-256 of the model file
    /// and of each that holds weights beside it; not where one was not recorded.
    #[must_use]
    pub fn is_same_files(&self, other: &VariantRecord) -> bool {
        self.sha256.is_some()
            && self.sha256 == other.sha256
            && self.is_known_whole()
            && other.is_known_whole()
            && self
                .external_sha256
                .values()
                .eq(other.external_sha256.values())
    }

    fn is_known_whole(&self) -> bool {
        self.model.as_ref().is_some_and(|model| {
            model
                .external_files
                .keys()
                .all(|file| self.external_sha256.contains_key(file))
        })
    }
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
        assert!(one.is_same_files(&one) && !one.is_same_files(&other));
        let unread = VariantRecord {
            sha256: None,
            ..one.clone()
        };
        assert!(!unread.is_same_files(&unread));
        let mut external = one.clone();
        let model = external.model.as_mut().unwrap();
        model
            .external_files
            .insert("weights.bin".into(), crate::units::Bytes(8));
        assert!(!external.is_same_files(&external), "its hash is not known");
        external
            .external_sha256
            .insert("weights.bin".into(), "c".into());
        assert!(external.is_same_files(&external));
        let mut tuned = external.clone();
        tuned
            .external_sha256
            .insert("weights.bin".into(), "d".into());
        assert!(!external.is_same_files(&tuned));
    }
}
