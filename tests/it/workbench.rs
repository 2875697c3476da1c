//! A folder in which `profile` is tried: models, scripts of latencies, fake workers, and the run
//! that comes out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use onnxprof::record::{CellRecord, RunRecord};
use onnxprof::store::load;
use tempfile::TempDir;

use crate::support::{Onnxprof, Output, library, model};

/// One short round.
pub const QUICK: [&str; 6] = ["--rounds", "1", "--alternations", "1", "--block", "2ms"];
/// The version that tests measure with.
const VERSION: &str = "1.31.1";

pub struct Workbench(TempDir);

impl Workbench {
    pub fn new() -> Self {
        Workbench(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Where runs go.
    pub fn run_folder(&self) -> PathBuf {
        self.path("run")
    }

    /// All that is said of the run, as a terminal shows it.
    pub fn report(&self) -> Output {
        let output = Onnxprof::new()
            .arg("report")
            .arg(self.run_folder())
            .args(["--format", "terminal"])
            .run();
        output.assert_code(0);
        output
    }

    /// Copies a model from below `models/` under another name.
    pub fn copy(&self, from: &str, to: &str) -> PathBuf {
        let path = self.path(to);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(model(from), &path).unwrap();
        path
    }

    /// A file of its own.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A program that serves as worker.
    pub fn worker(&self, shell: &str) -> PathBuf {
        let path = self.write("worker.sh", format!("#!/bin/sh\n{shell}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// `profile` of a model with one short round into [`Workbench::run_folder`], on the library
    /// that tests share.
    pub fn profile<S: AsRef<std::ffi::OsStr>>(
        &self,
        model: &Path,
        words: impl IntoIterator<Item = S>,
    ) -> Onnxprof {
        self.bare(model, QUICK)
            .args(words)
            .arg("--runtime")
            .arg(library(VERSION))
    }

    /// `profile` of a model or folder on the library that tests share, with no words but these.
    pub fn profile_of<S: AsRef<std::ffi::OsStr>>(
        &self,
        model: &Path,
        words: impl IntoIterator<Item = S>,
    ) -> Onnxprof {
        self.bare(model, words)
            .arg("--runtime")
            .arg(library(VERSION))
    }

    /// `profile` of a model under a script of latencies: the value of the script's `variants`.
    pub fn scripted<S: AsRef<std::ffi::OsStr>>(
        &self,
        model: &Path,
        variants: &serde_json::Value,
        words: impl IntoIterator<Item = S>,
    ) -> Onnxprof {
        self.scripted_machine(model, &serde_json::json!({ "variants": variants }), words)
    }

    /// `profile` of a model under a whole script, which may give the machine noise.
    pub fn scripted_machine<S: AsRef<std::ffi::OsStr>>(
        &self,
        model: &Path,
        script: &serde_json::Value,
        words: impl IntoIterator<Item = S>,
    ) -> Onnxprof {
        let script = self.write("script.json", script.to_string());
        self.bare(model, words)
            .arg("--runtime")
            .arg(format!("script:{}", script.display()))
    }

    fn bare<S: AsRef<std::ffi::OsStr>>(
        &self,
        model: &Path,
        words: impl IntoIterator<Item = S>,
    ) -> Onnxprof {
        Onnxprof::new()
            .arg("profile")
            .arg(model)
            .arg("--out")
            .arg(self.run_folder())
            .args(words)
    }

    /// What the run left behind.
    pub fn record(&self) -> RunRecord {
        load(&self.run_folder()).unwrap()
    }

    /// Waits until the run has written down that many blocks.
    pub fn wait_for_blocks(&self, count: usize) {
        wait_until(|| load(&self.run_folder()).is_ok_and(|record| record.blocks.len() >= count));
    }
}

/// The cell of a variant at a batch size.
#[track_caller]
pub fn cell<'r>(record: &'r RunRecord, variant: &str, batch_size: u64) -> &'r CellRecord {
    let is_it = |cell: &&CellRecord| {
        record.plan.variant_of(cell.key.session).name == variant
            && cell.key.batch_size == batch_size
    };
    record
        .cells
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("no cell of {variant} at {batch_size}"))
}

/// Waits for something that happens soon, as long as a very slow machine may take.
#[track_caller]
pub fn wait_until(mut happens: impl FnMut() -> bool) {
    let started = Instant::now();
    while !happens() {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "it did not happen"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process is there and no zombie.
pub fn is_alive(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status
        .rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// That nothing was measured, and nothing is left behind.
#[track_caller]
pub fn assert_nothing_left(bench: &Workbench, output: &Output) {
    assert!(!bench.run_folder().exists(), "{output}");
}
