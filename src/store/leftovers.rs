//! Files that a run puts into its folder for itself alone, and those of them that go once nobody
//! needs them.
//!
//! The folder may have come from anywhere, and may hold what others keep there: only what has a
//! name and a kind that this program alone gives is removed, and nothing behind a link.

use std::ffi::OsStr;
use std::fs::{self, FileType};
use std::path::{Path, PathBuf};

/// The outputs of the baseline, while others are compared with them.
pub(super) const BASELINE_OUTPUTS: &str = ".onnxprof-baseline-outputs";
/// How names begin of files that are not yet whole.
pub(super) const UNFINISHED: &str = ".onnxprof-";
pub(super) const TRACES: &str = "traces";
/// How names begin of folders that a profiler writes into.
pub const UNFINISHED_TRACE: &str = ".onnxprof-trace-";

/// Whether a folder holds what no run needs once it has ended.
pub(super) fn are_in(folder: &Path) -> bool {
    !(files(folder).is_empty() && traces(folder).is_empty())
}

pub(super) fn clear(folder: &Path) {
    for file in files(folder) {
        let _ = fs::remove_file(file);
    }
    for trace in traces(folder) {
        let _ = fs::remove_dir_all(trace);
    }
    // Only where there is no trace in it; a link stays.
    let _ = fs::remove_dir(folder.join(TRACES));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    drawn(folder, UNFINISHED, FileType::is_file)
        .into_iter()
        .chain(
            Some(folder.join(BASELINE_OUTPUTS)).filter(|outputs| is_a(FileType::is_file, outputs)),
        )
        .collect()
}

/// Folders of traces that a profiler did not come to the end of.
fn traces(folder: &Path) -> Vec<PathBuf> {
    let traces = folder.join(TRACES);
    if is_a(FileType::is_dir, &traces) {
        drawn(&traces, UNFINISHED_TRACE, FileType::is_dir)
    } else {
        Vec::new()
    }
}

/// Whether something is of a kind itself; a link is neither a file nor a folder.
fn is_a(kind: fn(&FileType) -> bool, path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| kind(&metadata.file_type()))
}

/// Entries of a folder of a kind, with a name that begins so and was drawn at random.
fn drawn(folder: &Path, start: &str, kind: fn(&FileType) -> bool) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| {
            is_drawn(&entry.file_name(), start) && entry.file_type().is_ok_and(|found| kind(&found))
        })
        .map(|entry| entry.path())
        .collect()
}

fn is_drawn(name: &OsStr, start: &str) -> bool {
    name.to_str()
        .and_then(|name| name.strip_prefix(start))
        .is_some_and(is_random)
}

/// Whether the rest of a name was drawn at random, as those of temporary files are; one in a
/// hundred of these looks like a word, and stays.
fn is_random(rest: &str) -> bool {
    let is_odd = rest
        .char_indices()
        .any(|(place, c)| c.is_ascii_digit() || place > 0 && c.is_ascii_uppercase());
    rest.len() == 6 && is_odd && rest.chars().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::folder::{Lock, RunFolder, tidy};
    use super::*;

    const RUN_JSON: &str = "run.json";

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_a_killed_run_left_for_itself_goes_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("traces/.onnxprof-trace-a1B2c3")).unwrap();
        fs::write(at("traces/.onnxprof-trace-a1B2c3/onnx.json"), "half").unwrap();
        let kept = [
            ".hidden",
            ".onnxprof-backup",
            ".onnxprof-notes",
            "report.md",
            RUN_JSON,
        ];
        for name in kept
            .into_iter()
            .chain([BASELINE_OUTPUTS, ".onnxprof-Ab12cd"])
        {
            fs::write(at(name), "").unwrap();
        }
        let lock = Lock::acquire(root.path()).unwrap();
        tidy(root.path());
        assert!(at(BASELINE_OUTPUTS).exists(), "the run goes on");
        drop(lock);
        tidy(root.path());
        assert_eq!(names(root.path()), kept);
    }

    #[test]
    fn what_others_keep_among_traces_stays() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(RUN_JSON), "").unwrap();
        let traces = root.path().join("traces");
        for name in [
            ".config",
            ".docker",
            ".trace-a1B2c3",
            ".onnxprof-trace-notes",
            ".onnxprof-trace-Zz9yX8",
        ] {
            fs::create_dir_all(traces.join(name)).unwrap();
        }
        for name in [".bashrc", ".onnxprof-trace-a1B2c3"] {
            fs::write(traces.join(name), "").unwrap();
        }
        tidy(root.path());
        let kept = [
            ".bashrc",
            ".config",
            ".docker",
            ".onnxprof-trace-a1B2c3",
            ".onnxprof-trace-notes",
            ".trace-a1B2c3",
        ];
        assert_eq!(names(&traces), kept);
    }

    #[test]
    fn nothing_behind_a_link_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let run = home.path().join("downloads/run");
        fs::create_dir_all(&run).unwrap();
        let folders = [".config", ".onnxprof-trace-a1B2c3"].map(|name| home.path().join(name));
        folders
            .iter()
            .for_each(|folder| fs::create_dir(folder).unwrap());
        fs::write(home.path().join("outputs"), "").unwrap();
        fs::write(run.join(RUN_JSON), "").unwrap();
        symlink("../..", run.join("traces")).unwrap();
        symlink(&folders[0], run.join(".onnxprof-Ab12cd")).unwrap();
        symlink(home.path().join("outputs"), run.join(BASELINE_OUTPUTS)).unwrap();
        tidy(&run);
        clear(&run);
        assert!(
            folders.iter().all(|folder| folder.is_dir()) && home.path().join("outputs").is_file()
        );
        assert_eq!(
            names(&run),
            [".onnxprof-Ab12cd", BASELINE_OUTPUTS, RUN_JSON, "traces"]
        );
    }

    #[test]
    fn folder_that_holds_no_run_keeps_what_it_has() {
        let root = tempfile::tempdir().unwrap();
        let left = [".onnxprof-Ab12cd", BASELINE_OUTPUTS].map(|name| root.path().join(name));
        left.iter().for_each(|file| fs::write(file, "").unwrap());
        let trace = root.path().join("traces/.onnxprof-trace-a1B2c3");
        fs::create_dir_all(&trace).unwrap();
        tidy(root.path());
        assert!(left.iter().all(|file| file.is_file()) && trace.is_dir());
        drop(RunFolder::create(root.path()).unwrap());
        assert!(left[0].is_file() && trace.is_dir());
    }
}
