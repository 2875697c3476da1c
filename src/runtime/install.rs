//! Installing a library into the cache, so that a broken one is never seen.
//!
//! Everything is prepared in a folder of its own, put on the disk, and moved into place with one rename. A lock file
//! lets one process at a time install; it is released by the system when its holder ends, however it ends. What an
//! interrupted installation leaves is removed by the next, under the lock.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::pip::Pip;
use super::{Cache, CachedLibrary, Condition, RuntimeError, Version, wheel};

/// Name of the lock file in the cache's folder of libraries.
const LOCK: &str = ".lock";

/// How the names of unfinished folders begin.
const UNFINISHED: &str = ".unfinished-";

/// An installed library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The library's file, absolute.
    pub library: PathBuf,
    /// Whether it was installed by this call; else it was there, intact.
    pub newly: bool,
}

/// Installs one version of the CPU build into `cache` with pip, unless it is there and intact.
///
/// `progress` is called with a sentence before anything that takes long. Safe to call from several processes at once.
///
/// # Errors
///
/// No pip, no network, no such version, no space, no permission, or a wheel that is not the published one.
pub fn install(cache: &Cache, version: Version, progress: &mut dyn FnMut(&str)) -> Result<Installed, RuntimeError> {
    let failed = |source| storage(cache.runtimes(), source);
    fs::create_dir_all(cache.runtimes()).map_err(failed)?;
    let _lock = lock(cache.runtimes(), progress).map_err(failed)?;
    remove_unfinished(cache.runtimes()).map_err(failed)?;
    match cache.get(version)? {
        Some(CachedLibrary { path, condition: Condition::Intact, .. }) => {
            return Ok(Installed { library: path, newly: false });
        }
        Some(CachedLibrary { path, condition: Condition::Broken(why), .. }) => {
            progress(&format!("`{}` is not as it was installed: {why}", path.display()));
        }
        None => {}
    }
    let platform = wheel::platform()?;
    let pip = Pip::find()?;
    progress(&format!(
        "installing ONNX Runtime {version} for the CPU with pip into `{}`",
        cache.folder(version).display()
    ));
    let download = unfinished(cache.runtimes()).map_err(failed)?;
    let wheel = pip.download(version, platform, download.path())?;
    let unpacked = unfinished(cache.runtimes()).map_err(failed)?;
    wheel::unpack(&wheel, version, unpacked.path())?;
    put_in_place(cache, version, unpacked).map_err(failed)?;
    let library =
        cache.intact(version)?.ok_or_else(|| failed(io::Error::other("it changed while it was installed")))?;
    Ok(Installed { library: library.path, newly: true })
}

fn storage(path: &Path, source: io::Error) -> RuntimeError {
    match source.kind() {
        io::ErrorKind::StorageFull => RuntimeError::NoSpace { path: path.into() },
        _ => RuntimeError::Cache { path: path.into(), source },
    }
}

/// Waits until no other process installs. The lock is held until the file is dropped.
fn lock(runtimes: &Path, progress: &mut dyn FnMut(&str)) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(runtimes.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress("waiting for another onnxprof that is installing ONNX Runtime");
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error),
    }
    Ok(file)
}

fn unfinished(runtimes: &Path) -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(runtimes)
}

/// Removes what interrupted installations have left. What cannot be removed, because a pip that outlived its parent still
/// writes there, is left to the next installation: nothing is ever found in it.
fn remove_unfinished(runtimes: &Path) -> io::Result<()> {
    for entry in fs::read_dir(runtimes)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

/// Moves the folder `unpacked` to its place; a broken one that stands there gives way.
fn put_in_place(cache: &Cache, version: Version, unpacked: tempfile::TempDir) -> io::Result<()> {
    File::open(unpacked.path())?.sync_all()?;
    let place = cache.folder(version);
    let old = unfinished(cache.runtimes())?;
    match fs::rename(&place, old.path().join("old")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(unpacked.keep(), &place)?;
    File::open(cache.runtimes())?.sync_all()
}
