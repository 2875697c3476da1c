//! What fuzzing calls: the same functions that tests feed damaged files to.

#[path = "../../damaged/readers.rs"]
pub mod readers;

use std::sync::OnceLock;

use tempfile::TempDir;

/// Reads `bytes` as the kind of that name, in a folder that this process keeps.
///
/// # Panics
/// No folder can be created, or reading finds a fault.
pub fn read(name: &str, bytes: &[u8]) {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder can be created"));
    let _ = (readers::Reader::named(name).read)(folder.path(), bytes);
}
