//! Claiming a folder for a run, and where things lie in it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::leftovers::{self, BASELINE_OUTPUTS, TRACES};
use super::{Result, StoreError};
use crate::files;

const RUN_JSON: &str = "run.json";
const JOURNAL: &str = "journal.jsonl";

/// A folder that this process alone writes a run into, for as long as the value lives.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    _lock: Lock,
}

impl RunFolder {
    /// Claims the folder of a run that is taken up again. It may have come from anywhere, and what
    /// is written into it stays in it.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another process is writing the run, [`StoreError::NotWritable`] if
    /// nothing can be created there, [`StoreError::Link`] if something in it leads elsewhere,
    /// [`StoreError::Special`] if something in it is neither a file nor a folder.
    pub fn reopen(path: &Path) -> Result<RunFolder> {
        refuse_special(path)?;
        let folder = RunFolder {
            path: path.to_path_buf(),
            _lock: Lock::acquire(path)?,
        };
        fs::create_dir_all(folder.logs()).map_err(StoreError::not_writable(path))?;
        folder.clear_leftovers();
        Ok(folder)
    }

    /// Claims `path` for a run: creates it where it is missing, locks it, and makes sure that files
    /// can be created. Outputs that a killed run left are removed, lest they are taken for those of
    /// this one's baseline.
    ///
    /// # Errors
    /// [`StoreError::HoldsRun`] if it has the files of a run, [`StoreError::InUse`] if another
    /// process is writing one, [`StoreError::NotWritable`] if nothing can be created there.
    pub fn create(path: &Path) -> Result<RunFolder> {
        let not_writable = StoreError::not_writable(path);
        fs::create_dir_all(path).map_err(&not_writable)?;
        let lock = Lock::acquire(path)?;
        if holds_run(path) {
            return Err(StoreError::HoldsRun(path.to_path_buf()));
        }
        let folder = RunFolder {
            path: path.to_path_buf(),
            _lock: lock,
        };
        let outputs = folder.baseline_outputs();
        if fs::symlink_metadata(&outputs).is_ok_and(|found| found.is_file()) {
            fs::remove_file(&outputs).map_err(&not_writable)?;
        }
        fs::create_dir_all(folder.logs()).map_err(not_writable)?;
        Ok(folder)
    }

    /// Removes what a run puts there for itself alone, which one that was killed leaves behind.
    pub fn clear_leftovers(&self) {
        leftovers::clear(&self.path);
    }

    /// The outputs of the baseline, while others are compared with them.
    #[must_use]
    pub fn baseline_outputs(&self) -> PathBuf {
        self.path.join(BASELINE_OUTPUTS)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The record.
    #[must_use]
    pub fn run_json(&self) -> PathBuf {
        run_json(&self.path)
    }

    /// The events of a run that has not finished, one per line.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        journal(&self.path)
    }

    /// The report for people.
    #[must_use]
    pub fn report_md(&self) -> PathBuf {
        self.path.join("report.md")
    }

    /// The file of what people gave for the whole template.
    #[must_use]
    pub fn context(&self) -> PathBuf {
        self.path.join("context.toml")
    }

    /// The report to look at.
    #[must_use]
    pub fn report_html(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// The figures for machines.
    #[must_use]
    pub fn cells_csv(&self) -> PathBuf {
        self.path.join("cells.csv")
    }

    /// What was measured at each rate of a run under load, for machines.
    #[must_use]
    pub fn load_csv(&self) -> PathBuf {
        self.path.join("load.csv")
    }

    /// The nodes of all profiles, for machines.
    #[must_use]
    pub fn operators_csv(&self) -> PathBuf {
        self.path.join("operators.csv")
    }

    /// The folder of the traces of ONNX Runtime's profiler, which need not exist.
    #[must_use]
    pub fn traces(&self) -> PathBuf {
        self.path.join(TRACES)
    }

    /// The folder of the workers' logs, which exists.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }
}

/// Makes sure that a run's folder and those in it hold nothing but files and folders: nothing that
/// leads elsewhere, and nothing that waits for somebody.
fn refuse_special(folder: &Path) -> Result<()> {
    let own = entries(folder)?;
    let within = own
        .iter()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entries(&entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    for entry in own.iter().chain(within.iter().flatten()) {
        match entry.file_type() {
            Ok(kind) if kind.is_file() || kind.is_dir() => {}
            Ok(kind) if kind.is_symlink() => return Err(StoreError::Link(entry.path())),
            _ => return Err(StoreError::Special(entry.path())),
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>> {
    let unreadable = |source| StoreError::Read(folder.to_path_buf(), source);
    fs::read_dir(folder)
        .map_err(unreadable)?
        .collect::<io::Result<_>>()
        .map_err(unreadable)
}

/// Whether a folder holds a run, finished or not.
#[must_use]
pub fn holds_run(folder: &Path) -> bool {
    run_json(folder).is_file() || journal(folder).is_file()
}

/// Removes what a run that was killed left in its folder for itself alone, unless another process
/// is writing there.
pub fn tidy(folder: &Path) {
    // One that cannot be written to keeps what it has.
    if holds_run(folder)
        && leftovers::are_in(folder)
        && let Ok(_lock) = Lock::acquire(folder)
    {
        leftovers::clear(folder);
    }
}

/// When the run in a folder was last written; `None` if the system does not tell.
#[must_use]
pub fn modified(folder: &Path) -> Option<std::time::SystemTime> {
    [run_json(folder), journal(folder)]
        .iter()
        .filter_map(|file| file.metadata().ok()?.modified().ok())
        .max()
}

pub(super) fn run_json(folder: &Path) -> PathBuf {
    folder.join(RUN_JSON)
}

pub(super) fn journal(folder: &Path) -> PathBuf {
    folder.join(JOURNAL)
}

/// A folder under `root` for a run of `name` that begins `now`, such as
/// `root/20261123T120102Z-digits`, that does not exist yet. Characters of `name` that are awkward
/// in a path become `-`.
#[must_use]
pub fn default_folder(root: &Path, name: &str, now: Timestamp) -> PathBuf {
    let name: String = name.chars().map(path_safe).collect();
    let stem = format!(
        "{}-{}",
        now.strftime("%Y%m%dT%H%M%SZ"),
        name.trim_matches('-')
    );
    let mut folder = root.join(&stem);
    let mut number = 2_u64;
    while folder.exists() {
        folder = root.join(format!("{stem}-{number}"));
        number += 1;
    }
    folder
}

fn path_safe(c: char) -> char {
    if c.is_alphanumeric() || "._-".contains(c) {
        c
    } else {
        '-'
    }
}

/// The lock file of a run folder; dropping it removes the file. The system releases the lock of a
/// killed process.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    pub(super) fn acquire(folder: &Path) -> Result<Lock> {
        let not_writable = StoreError::not_writable(folder);
        let path = folder.join(".lock");
        let file = files::open_own(
            &path,
            File::options().write(true).create(true).truncate(false),
        )
        .map_err(&not_writable)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { path, _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(folder.to_path_buf())),
            Err(TryLockError::Error(source)) => Err(not_writable(source)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A file that stays behind is locked by nobody and stops no later run.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::tests::in_time;

    #[test]
    fn second_run_into_the_same_folder_is_refused_while_the_first_lives() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b");
        let first = RunFolder::create(&path).unwrap();
        let error = RunFolder::create(&path).unwrap_err();
        assert!(matches!(error, StoreError::InUse { .. }), "{error}");
        drop(first);
        // The lock of a run that was killed.
        fs::write(path.join(".lock"), "").unwrap();
        RunFolder::create(&path).unwrap();
    }

    #[test]
    fn folder_that_holds_a_run_is_refused_and_stays_as_it_is() {
        for file in [RUN_JSON, JOURNAL] {
            let root = tempfile::tempdir().unwrap();
            fs::write(root.path().join(file), "").unwrap();
            let error = RunFolder::create(root.path()).unwrap_err();
            assert!(matches!(error, StoreError::HoldsRun { .. }), "{error}");
            assert!(error.hint().unwrap().contains("--out"));
            assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn outputs_of_a_killed_run_are_not_taken_for_those_of_the_next() {
        let root = tempfile::tempdir().unwrap();
        let outputs = root.path().join(BASELINE_OUTPUTS);
        let elsewhere = root.path().join("elsewhere");
        fs::write(&outputs, "stale").unwrap();
        drop(RunFolder::create(root.path()).unwrap());
        assert!(!outputs.exists());
        fs::write(&elsewhere, "kept").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &outputs).unwrap();
        drop(RunFolder::create(root.path()).unwrap());
        assert!(outputs.is_symlink() && elsewhere.is_file());
    }

    #[test]
    fn folder_that_cannot_be_made_or_written_to_is_found_before_measuring() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [file.join("run"), file, "/proc/self".into()] {
            let error = RunFolder::create(&path).unwrap_err();
            assert!(matches!(error, StoreError::NotWritable { .. }), "{error}");
        }
    }

    #[test]
    fn folder_that_leads_elsewhere_is_not_taken_up_again() {
        let elsewhere = tempfile::tempdir().unwrap();
        for link in ["logs", "journal.jsonl", "figures/a.svg"] {
            let root = tempfile::tempdir().unwrap();
            fs::create_dir(root.path().join("figures")).unwrap();
            RunFolder::reopen(root.path()).unwrap();
            fs::remove_dir(root.path().join("logs")).unwrap();
            std::os::unix::fs::symlink(elsewhere.path(), root.path().join(link)).unwrap();
            let error = RunFolder::reopen(root.path()).unwrap_err();
            assert!(
                matches!(&error, StoreError::Link(path) if path.ends_with(link)),
                "{error}"
            );
            assert!(error.hint().unwrap().contains("what it leads to"));
        }
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_no_file_is_not_waited_for_when_a_folder_is_claimed() {
        for name in [".lock", "report.html", "logs/a.log"] {
            let root = tempfile::tempdir().unwrap();
            fs::create_dir(root.path().join("logs")).unwrap();
            nix::unistd::mkfifo(&root.path().join(name), nix::sys::stat::Mode::S_IRWXU).unwrap();
            let path = root.path().to_owned();
            let error = in_time(move || RunFolder::reopen(&path)).unwrap_err();
            assert!(
                matches!(&error, StoreError::Special(path) if path.ends_with(name)),
                "{error}"
            );
            assert!(error.hint().unwrap().contains("move it away"));
        }
    }

    #[test]
    fn lock_that_is_no_file_is_neither_followed_nor_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        for (to, what) in [
            ("pipe", "a link"),
            ("elsewhere", "a link"),
            ("", "a named pipe"),
        ] {
            if to.is_empty() {
                fs::rename(at("pipe"), at(".lock")).unwrap();
            } else {
                std::os::unix::fs::symlink(at(to), at(".lock")).unwrap();
            }
            let path = root.path().to_owned();
            let error = in_time(move || RunFolder::create(&path)).unwrap_err();
            let StoreError::NotWritable(_, source) = &error else {
                panic!("{error}")
            };
            assert!(source.to_string().contains(what), "{source}");
            fs::remove_file(at(".lock")).unwrap();
        }
        assert!(!at("elsewhere").exists());
    }

    #[test]
    fn default_folder_carries_time_and_name_and_is_new() {
        let root = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-23T12:01:02Z".parse().unwrap();
        for name in [
            "20261123T120102Z-my-models-a",
            "20261123T120102Z-my-models-a-2",
        ] {
            let folder = default_folder(root.path(), "my models/a", now);
            assert_eq!(folder, root.path().join(name));
            fs::create_dir(&folder).unwrap();
        }
    }
}
