//! Files in the user's cache that save later runs what an earlier one found out.

use std::fmt::Debug;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::analysis::SeenRun;
use crate::files::{self, Kind};
use crate::hash;
use crate::record::Host;
use crate::runtime::Cache;
use crate::store::write_atomically;

/// Runs that are remembered of a machine: machines change, and so does what else runs on them.
const MOST: usize = 16;

/// A file that an earlier run left; `None` if there is none, or none that can be read.
pub(super) fn kept<T: DeserializeOwned>(file: &Path) -> Option<T> {
    serde_json::from_slice(&files::bytes(file, Kind::KEPT).ok()?).ok()
}

/// Leaves something for later runs, which find it out again where this fails.
pub(super) fn keep(file: &Path, found: &impl Serialize) {
    let _ = write(file, found);
}

fn write(file: &Path, found: &impl Serialize) -> io::Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
    write_atomically(file, &serde_json::to_vec_pretty(found)?).map_err(io::Error::other)
}

/// A part of the names of files that are kept for the like of `identity` alone.
pub(super) fn digest(identity: &impl Debug) -> Option<String> {
    Some(
        hash::copy(&mut format!("{identity:?}").as_bytes(), &mut io::sink()).ok()?[..16].to_owned(),
    )
}

/// Earlier runs on this machine, the oldest first.
#[must_use]
pub fn earlier_runs(host: &Host) -> Vec<SeenRun> {
    spreads_file(host)
        .as_deref()
        .and_then(kept)
        .unwrap_or_default()
}

/// Remembers what a run showed, in place of the oldest where there are many. Where there is no
/// cache, nothing is.
pub fn remember_run(host: &Host, seen: SeenRun) {
    if let Some(file) = spreads_file(host) {
        let mut all: Vec<SeenRun> = kept(&file).unwrap_or_default();
        all.push(seen);
        keep(&file, &all.split_off(all.len().saturating_sub(MOST)));
    }
}

/// A machine is told by its processor, its caches and the CPUs that may be used.
fn spreads_file(host: &Host) -> Option<PathBuf> {
    let name = digest(&(
        &host.cpu,
        &host.caches,
        host.usable_cpus_count,
        &host.virtualization,
    ))?;
    Some(Cache::locate().ok()?.spreads().join(name + ".json"))
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
