//! Files in the user's cache that save later runs what an earlier one found out.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::files::{self, Kind};
use crate::store::write_atomically;

/// A file that an earlier run left; `None` if there is none, or none that can be read.
pub(super) fn kept<T: DeserializeOwned>(file: &Path) -> Option<T> {
    serde_json::from_slice(&files::bytes(file, Kind::KEPT).ok()?).ok()
}

/// Leaves something for later runs, which find it out again where this fails.
pub(super) fn keep<T: Serialize>(file: &Path, found: &T) {
    let write = || -> io::Result<()> {
        fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
        write_atomically(file, &serde_json::to_vec_pretty(found)?).map_err(io::Error::other)
    };
    let _ = write();
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_kept_is_found_again_and_broken_files_are_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("peaks/one.json");
        assert_eq!(kept::<Vec<u64>>(&file), None);
        keep(&file, &vec![1_u64, 2]);
        assert_eq!(kept(&file), Some(vec![1_u64, 2]));
        let plain = folder.path().join("plain");
        fs::write(&plain, "").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&file), mode(&plain), "readable as the umask has it");
        fs::write(&file, "{").unwrap();
        assert_eq!(kept::<Vec<u64>>(&file), None);
    }
}
