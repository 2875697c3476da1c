//! The empty folder in which a program is started, and its folder for temporary files.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

const PREFIX: &str = "onnxprof-program-";
const EMPTY: &str = "empty";
const TEMPORARY: &str = "tmp";
/// Environment variables that name the folder for temporary files, in Python's order.
const VARIABLES: [&str; 3] = ["TMPDIR", "TEMP", "TMP"];
/// The folder without them.
const USUAL: &str = "/tmp";
/// A folder that has not got its lock may be that of a process that is about to take it, unless it
/// is as old as this.
const OLD: Duration = Duration::from_secs(60);

/// The folder for temporary files, absolute.
#[must_use]
pub fn temporary_folder() -> PathBuf {
    let named = VARIABLES.into_iter().filter_map(std::env::var_os);
    named
        .filter_map(|folder| std::path::absolute(folder).ok())
        .find(|folder| folder.is_dir())
        .unwrap_or_else(|| USUAL.into())
}

/// Folders of one program, gone when the value is dropped. A lock tells that their owner lives.
#[derive(Debug)]
pub(super) struct Folder {
    root: TempDir,
    _lock: File,
}

impl Folder {
    pub(super) fn new() -> io::Result<Self> {
        Self::new_in(&temporary_folder())
    }

    fn new_in(temporary: &Path) -> io::Result<Self> {
        let root = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(temporary)?;
        let lock = File::open(root.path())?;
        // A filesystem without locks only keeps leftovers from being told.
        let _ = lock.lock();
        for name in [EMPTY, TEMPORARY] {
            fs::create_dir(root.path().join(name))?;
        }
        Ok(Folder { root, _lock: lock })
    }

    pub(super) fn empty(&self) -> PathBuf {
        self.root.path().join(EMPTY)
    }

    pub(super) fn temporary(&self) -> PathBuf {
        self.root.path().join(TEMPORARY)
    }
}

/// Removes the folders that killed processes of this user have left.
pub fn tidy() {
    tidy_in(&temporary_folder());
}

fn tidy_in(temporary: &Path) {
    for entry in fs::read_dir(temporary).into_iter().flatten().flatten() {
        let is_named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_named && is_left(&entry.path()) {
            // What cannot be removed harms nobody.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether a folder was made by a process of this user that lives no more.
fn is_left(folder: &Path) -> bool {
    let Ok(metadata) = fs::symlink_metadata(folder) else {
        return false;
    };
    // The lock is taken before anything is put in.
    let has_had_lock = folder.join(EMPTY).is_dir();
    metadata.is_dir()
        && fs::metadata("/proc/self").is_ok_and(|own| own.uid() == metadata.uid())
        && (has_had_lock || is_old(&metadata) && is_empty(folder))
        && File::open(folder).is_ok_and(|file| file.try_lock().is_ok())
}

fn is_old(folder: &Metadata) -> bool {
    let age = folder.modified().map(|time| time.elapsed());
    age.is_ok_and(|age| age.is_ok_and(|age| age > OLD))
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Leaves folders as a process does that is killed: the lock goes, and they stay.
    fn abandon(folder: Folder) {
        let Folder { root, _lock: lock } = folder;
        let _ = root.keep();
        drop(lock);
    }

    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn folder_goes_with_its_value_and_what_the_killed_left_is_tidied_up() {
        let home = tempfile::tempdir().unwrap();
        let left = Folder::new_in(home.path()).unwrap();
        fs::write(left.temporary().join("half a wheel"), "x").unwrap();
        abandon(left);
        let living = Folder::new_in(home.path()).unwrap();
        let others = home.path().join("onnxprof-program-runs");
        fs::create_dir(&others).unwrap();
        fs::write(others.join("mine"), "").unwrap();
        std::os::unix::fs::symlink(&others, home.path().join("onnxprof-program-link")).unwrap();
        tidy_in(home.path());
        assert!(
            living.empty().is_dir() && living.temporary().is_dir() && others.join("mine").exists()
        );
        assert_eq!(count(home.path()), 3);
        drop(living);
        assert_eq!(count(home.path()), 2);
    }

    #[test]
    fn folder_that_is_about_to_be_locked_stays_until_it_is_old() {
        let home = tempfile::tempdir().unwrap();
        let young = home.path().join("onnxprof-program-young");
        fs::create_dir(&young).unwrap();
        tidy_in(home.path());
        assert!(young.exists());
        File::open(&young)
            .unwrap()
            .set_modified(std::time::SystemTime::now() - 2 * OLD)
            .unwrap();
        tidy_in(home.path());
        assert!(!young.exists());
    }
}
