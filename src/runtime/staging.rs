//! Changing the cache so that nothing half-done is ever seen.
//!
//! Everything is prepared in a folder of its own, put on the disk, and moved into place with one
//! rename. A lock file lets one process at a time change the cache; it is released by the system
//! when its holder ends, however it ends. What an interrupted change leaves is removed by the next,
//! under the lock.

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::RuntimeError;

const LOCK: &str = ".lock";

const UNFINISHED: &str = ".unfinished-";

/// Waits until no other process changes the cache, and clears what an interrupted one has left. The
/// lock is held until the file is dropped.
pub(super) fn lock(runtimes: &Path, progress: &mut dyn FnMut(&str)) -> io::Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(runtimes.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress("waiting for another onnxprof that is installing or removing ONNX Runtime");
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error),
    }
    remove_unfinished(runtimes)?;
    Ok(file)
}

/// A folder in the cache that is never looked at, and is gone when it is dropped. It becomes one
/// that is, and is as readable as the umask has it.
pub(super) fn unfinished(runtimes: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(UNFINISHED)
        .permissions(Permissions::from_mode(0o777))
        .tempdir_in(runtimes)
}

/// Removes what interrupted changes have left, unless the cache is being changed.
pub(super) fn tidy(runtimes: &Path) {
    let mut entries = runtimes.read_dir().into_iter().flatten().flatten();
    if entries.any(|entry| is_unfinished(&entry))
        && let Ok(lock) = File::options().write(true).open(runtimes.join(LOCK))
        && lock.try_lock().is_ok()
    {
        let _ = remove_unfinished(runtimes);
    }
}

/// Removes what interrupted changes have left. What cannot be removed stays: nothing is ever found
/// in it.
fn remove_unfinished(runtimes: &Path) -> io::Result<()> {
    for entry in fs::read_dir(runtimes)? {
        let entry = entry?;
        if is_unfinished(&entry) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

fn is_unfinished(entry: &fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with(UNFINISHED)
}

/// Moves the folder `unpacked` to its place; what stands there gives way.
pub(super) fn put_in_place(runtimes: &Path, place: &Path, unpacked: TempDir) -> io::Result<()> {
    File::open(unpacked.path())?.sync_all()?;
    let _old = take_away(runtimes, place)?;
    fs::rename(unpacked.keep(), place)?;
    File::open(runtimes)?.sync_all()
}

/// Moves what stands at `place`, if anything does, into a folder that is gone when it is dropped.
pub(super) fn take_away(runtimes: &Path, place: &Path) -> io::Result<TempDir> {
    let old = unfinished(runtimes)?;
    match fs::rename(place, old.path().join("old")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(old),
    }
}

/// The error for a cache at `path` that cannot be read or written.
pub(super) fn storage(path: &Path, source: io::Error) -> RuntimeError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            RuntimeError::NoSpace(path.into())
        }
        _ => RuntimeError::Cache(path.into(), source),
    }
}
