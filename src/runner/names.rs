//! Names of files that are called after variants and sessions, each with a file of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Bytes of a label in the name of a file.
const MAX_LABEL: usize = 150;
/// Logs that are not of a variant.
pub(super) const PEAKS_LOG: &str = "peaks";
pub(super) const INPUTS_LOG: &str = "inputs";

/// A label as the name of a file: what is awkward in a path becomes `-`.
pub(super) fn file_safe(label: &str) -> String {
    let name: String = label.chars().map(unless_awkward).collect();
    let name = &name[..name.floor_char_boundary(MAX_LABEL)];
    match name.trim_matches(['-', '.']) {
        "" => "session".into(),
        name => name.into(),
    }
}

fn unless_awkward(letter: char) -> char {
    if letter.is_alphanumeric() || "._-".contains(letter) {
        letter
    } else {
        '-'
    }
}

/// Its own, also where two names differ in nothing but what is awkward in a path.
pub(super) fn log_name<'n>(names: impl Iterator<Item = &'n str>, place: usize) -> String {
    let names: Vec<String> = names.map(file_safe).collect();
    // Systems that do not tell `A` from `a` are among those that folders are copied to.
    let mut taken: BTreeSet<String> = [PEAKS_LOG, INPUTS_LOG].map(str::to_owned).into();
    let mut all = taken.clone();
    all.extend(names.iter().map(|name| name.to_lowercase()));
    let mut last = String::new();
    for name in names.into_iter().take(place + 1) {
        last = name;
        if !taken.insert(last.to_lowercase()) {
            last = (2_u64..)
                .map(|number| format!("{last}-{number}"))
                .find(|free| all.insert(free.to_lowercase()))
                .unwrap_or_default();
        }
    }
    last
}

/// A file in `folder` that does not exist yet, called `STEM-END`, or `STEM-NUMBER-END`.
pub(super) fn new_file(folder: &Path, stem: &str, end: &str) -> PathBuf {
    let mut file = folder.join(format!("{stem}-{end}"));
    let mut number = 2_u64;
    while file.exists() {
        file = folder.join(format!("{stem}-{number}-{end}"));
        number += 1;
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_names_of_files() {
        assert_eq!(
            file_safe("digits-int8 (CUDA, 4 intra-op threads)"),
            "digits-int8--CUDA--4-intra-op-threads"
        );
        assert_eq!(file_safe("../<b>\n\u{1b}[31m/x"), "b----31m-x");
        assert_eq!(file_safe("//"), "session");
        assert_eq!(file_safe(&"é".repeat(300)).len(), MAX_LABEL);
    }

    #[test]
    fn every_variant_has_a_log_of_its_own() {
        let long = "x".repeat(MAX_LABEL);
        for names in [
            &["a b", "a+b", "a-b", "a-b-2", "A b"][..],
            &["a-b-2", "a b", "a!b", "a?b"],
            &["inputs", "peaks", "Peaks", "inputs!"],
            &["!", "?", "session", "\u{1b}"],
            &[
                &format!("{long}1"),
                &format!("{long}2"),
                &format!("{long}3"),
            ],
        ] {
            let log = |place| log_name(names.iter().copied(), place).to_lowercase();
            let mut logs: BTreeSet<String> = (0..names.len()).map(log).collect();
            logs.extend([PEAKS_LOG, INPUTS_LOG].map(str::to_owned));
            assert_eq!(logs.len(), names.len() + 2, "{names:?}: {logs:?}");
        }
        assert_eq!(log_name(["a b", "a+b"].into_iter(), 0), "a-b");
        assert_eq!(log_name(["a b", "a+b"].into_iter(), 1), "a-b-2");
    }

    #[test]
    fn a_file_is_never_one_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<PathBuf> = (0..3)
            .map(|_| {
                let file = new_file(folder.path(), "a-b", "batch1.json");
                std::fs::write(&file, "").unwrap();
                file
            })
            .collect();
        assert_eq!(names[2], folder.path().join("a-b-3-batch1.json"));
        assert!(names[0] != names[1] && names[1] != names[2]);
    }
}
