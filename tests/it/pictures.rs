//! The pictures of the first page show what is printed now.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

fn sum(path: &Path) -> String {
    Sha256::digest(fs::read(path).unwrap())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn pictures_are_of_what_is_printed_now() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let taken = fs::read_to_string(root.join("benches/pictures/taken.json")).unwrap();
    let taken: BTreeMap<String, String> = serde_json::from_str(&taken).unwrap();
    assert!(!taken.is_empty());
    for (file, then) in taken {
        assert_eq!(
            sum(&root.join(&file)),
            then,
            "{file} has changed since the pictures were taken: python3 benches/pictures/take.py --onnxprof target/release/onnxprof"
        );
    }
}
