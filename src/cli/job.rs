//! From a plan to a job for the runner, which every command that measures hands over in the same
//! way.

use std::path::PathBuf;
use std::time::Instant;

use tempfile::TempDir;

use super::plan::{Family, Runtimes, own_program};
use super::runs::RUNS;
use super::{CliError, Result};
use crate::plan::Plan;
use crate::record::{Host, RunInfo};
use crate::runner::{Course, Extent, Job, WorkerCommand};
use crate::sample::{Roots, host};
use crate::store::{RunFolder, default_folder, write_atomically};

/// When and where a command began.
pub(super) struct Beginning {
    pub started: Instant,
    pub at: jiff::Timestamp,
    pub host: Host,
}

/// The file of inputs and outputs of a model that only a server has.
pub(super) const SERVED_MODEL: &str = "served-model.onnx";

pub(super) struct Asked {
    pub name: String,
    pub plan: Plan,
    pub runtimes: Runtimes,
    /// Remarks on the options that were taken, for the record.
    pub notes: Vec<String>,
}

impl Asked {
    /// A plan for the variants of a family: what was decided about these comes before the remarks on
    /// the plan.
    pub fn of(family: Family, plan: Plan, runtimes: Runtimes, on_plan: Vec<String>) -> Self {
        Asked {
            name: family.name,
            plan,
            runtimes,
            notes: [family.notes, on_plan].concat(),
        }
    }
}

impl Beginning {
    pub fn now() -> Self {
        Beginning {
            started: Instant::now(),
            at: jiff::Timestamp::now(),
            host: host::fingerprint(&Roots::system()),
        }
    }

    /// The job of a new run in a folder at `path`, which is made if it is not there.
    pub fn job_at(self, path: PathBuf, asked: Asked) -> Result<(Job, Target)> {
        let existed = path.exists();
        Ok((
            self.job(RunFolder::create(&path)?, asked)?,
            Target { path, existed },
        ))
    }

    /// The folder that was named, or else a new one of the runs for something of this name.
    pub fn folder(&self, named: &Option<PathBuf>, name: &str) -> PathBuf {
        named
            .clone()
            .unwrap_or_else(|| default_folder(RUNS.as_ref(), name, self.at))
    }

    /// The job of a run in `folder`, measured as a whole and as its plan stands.
    pub fn job(self, folder: RunFolder, asked: Asked) -> Result<Job> {
        let Asked {
            name,
            plan,
            runtimes,
            notes,
        } = asked;
        Ok(Job {
            info: info(name, self.at),
            worker: WorkerCommand {
                program: worker_program()?,
                timeout: plan.schedule.timeout_ns.into(),
            },
            started: self.started + runtimes.installing,
            runtimes: runtimes.found,
            host: self.host,
            plan,
            folder,
            notes,
            extent: Extent::Whole,
            course: Course::Planned,
            resumed: None,
            lost_workers: Vec::new(),
        })
    }
}

/// This program, or in tests that of an environment variable, which breaks the protocol.
fn worker_program() -> Result<PathBuf> {
    std::env::var_os("ONNXPROF_WORKER").map_or_else(own_program, |program| Ok(program.into()))
}

fn info(name: String, now: jiff::Timestamp) -> RunInfo {
    RunInfo {
        name: name.into(),
        tool_version: env!("CARGO_PKG_VERSION").into(),
        command: std::env::args_os()
            .map(|word| word.to_string_lossy().into_owned().into())
            .collect(),
        working_dir: std::env::current_dir().unwrap_or_default(),
        started_at: now.to_string().into(),
        elapsed_ns: None,
        ended_by: None,
        sampling_cost_ns: None,
        harness_cost_ns: None,
        parent_peak_memory_bytes: None,
    }
}

pub(super) struct Target {
    pub path: PathBuf,
    /// Whether the folder was there before the run.
    pub existed: bool,
}

impl Target {
    /// Puts a file beside the run.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        write_atomically(&path, bytes).map_err(|error| {
            self.clean_up();
            CliError::from(error)
        })
    }

    /// Removes what the run put there before it came to nothing; whatever else is there stays.
    pub fn clean_up(&self) {
        let _ = std::fs::remove_file(self.path.join(SERVED_MODEL));
        let _ = std::fs::remove_dir(self.path.join("logs"));
        if !self.existed {
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}

/// A folder for a run that is not kept, which goes when it is dropped.
pub(super) fn temporary_folder() -> Result<TempDir> {
    tempfile::tempdir().map_err(|error| {
        CliError::of(&error).with_hint("set TMPDIR to a folder that can be written")
    })
}
