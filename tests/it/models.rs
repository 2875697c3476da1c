//! The models in the repository are what `models/README.md` says they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

struct Row {
    bytes: u64,
    sha256: String,
}

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models")
}

/// The rows of the README's tables: `| path | bytes | SHA-256 | how it was made |`.
fn rows() -> BTreeMap<PathBuf, Row> {
    let readme = std::fs::read_to_string(models().join("README.md")).unwrap();
    let cells = |line: &str| {
        line.split('|')
            .map(|cell| cell.trim().trim_matches('`').to_owned())
            .collect::<Vec<_>>()
    };
    readme
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(cells)
        .filter(|cells| cells.len() > 4 && cells[3].len() == 64)
        .map(|cells| {
            (
                PathBuf::from(&cells[1]),
                Row {
                    bytes: cells[2].replace(',', "").parse().unwrap(),
                    sha256: cells[3].clone(),
                },
            )
        })
        .collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn every_model_has_the_size_and_sum_that_the_readme_states() {
    let rows = rows();
    assert!(
        rows.len() >= 30,
        "the README's tables have {} rows",
        rows.len()
    );
    for (path, row) in rows {
        let bytes = std::fs::read(models().join(&path)).unwrap();
        let sum: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            (bytes.len() as u64, sum),
            (row.bytes, row.sha256),
            "{}",
            path.display()
        );
    }
}

#[test]
fn every_model_has_a_row_in_the_readme() {
    let rows = rows();
    for folder in ["digits", "fixtures", "corpus"] {
        for file in files_below(&models().join(folder)) {
            let path = file.strip_prefix(models()).unwrap();
            assert!(
                rows.contains_key(path),
                "{} is not in models/README.md",
                path.display()
            );
        }
    }
}

#[test]
fn models_weigh_at_most_ten_megabytes_together() {
    let bytes: u64 = files_below(&models())
        .iter()
        .map(|file| file.metadata().unwrap().len())
        .sum();
    assert!(bytes <= 10_000_000, "{bytes}");
}
