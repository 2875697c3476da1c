//! How workers are started: in one way, so that every one of them is known as this run's, runs
//! where it should, and has a log.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use super::names;
use super::patience::Patience;
use super::worker_process::{WorkerCommand, WorkerProcess};
use crate::files;
use crate::plan::{Plan, RuntimeChoice, SessionSpec};
use crate::protocol::{Request, Response};
use crate::record::{Failure, FailureKind, RunRecord, RuntimeInfo};
use crate::sample::{OwnProcesses, Roots, affinity};
use crate::store::{RunFolder, StoreError};
use crate::text::Plain;
use crate::units::Nanos;

pub(super) struct Launcher {
    pub roots: Roots,
    command: WorkerCommand,
    /// Absent: wherever the kernel puts them.
    pub cpus: Option<Vec<u64>>,
    /// Whether each thread of a session has one of them for itself, where there are as many. What
    /// the main thread starts later would have only the CPU of that.
    pub spreads_threads: bool,
    own: OwnProcesses,
    logs: PathBuf,
    next_number: u64,
}

pub(super) struct Opened {
    pub worker: WorkerProcess,
    /// Time to open the library and create its environment.
    pub took: Nanos,
    /// The runtime, but for how it was found.
    pub runtime: RuntimeInfo,
}

impl Launcher {
    pub(super) fn new(command: WorkerCommand, folder: &RunFolder, own: OwnProcesses) -> Launcher {
        Launcher {
            roots: Roots::system(),
            command,
            cpus: None,
            spreads_threads: false,
            own,
            logs: folder.logs(),
            next_number: 0,
        }
    }

    /// As long as the user lets a worker take of which nothing is known.
    pub(super) fn timeout(&self) -> Duration {
        self.command.timeout
    }

    pub(super) fn patience(&self) -> Patience {
        Patience {
            usual: self.timeout(),
            end: None,
            load: None,
            answer: None,
        }
    }

    pub(super) fn number_after(&mut self, record: &RunRecord) {
        self.next_number = record
            .launches
            .iter()
            .map(|launch| launch.launch + 1)
            .max()
            .unwrap_or(0);
    }

    pub(super) fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number - 1
    }

    /// Starts a worker that is to open `runtime`, if any.
    pub(super) async fn start(
        &self,
        runtime: Option<&RuntimeChoice>,
        log: File,
        patience: Patience,
    ) -> Result<WorkerProcess, Failure> {
        let worker = WorkerProcess::spawn(&self.command, runtime, log, patience).await?;
        self.own.insert(worker.pid);
        if let Some(cpus) = &self.cpus {
            // Where the kernel refuses, the CPUs that are read back say so.
            let _ = affinity::set_affinity(worker.pid, cpus);
        }
        Ok(worker)
    }

    pub(super) async fn open(
        &self,
        spec: &SessionSpec,
        log: File,
        patience: Patience,
    ) -> Result<Opened, Failure> {
        let mut worker = self.start(Some(&spec.runtime), log, patience).await?;
        let request = Request::Open {
            runtime: spec.runtime.clone(),
            execution_provider: spec.execution_provider.exact().to_owned(),
            ep_library: spec.provider.library.clone(),
        };
        match worker.ask(&request, "open the runtime").await? {
            Response::Opened {
                runtime_start_ns,
                version,
                build_info,
                execution_providers,
            } => {
                let runtime = RuntimeInfo {
                    path: spec.runtime.path().to_owned(),
                    version: version.into(),
                    build_info,
                    execution_providers: execution_providers.into_iter().map(Plain::from).collect(),
                    found_by: Plain::default(),
                };
                Ok(Opened {
                    worker,
                    took: runtime_start_ns,
                    runtime,
                })
            }
            other => Err(worker.unexpected(&other).await),
        }
    }

    /// Gives each thread of a session a CPU of its own; whether it did.
    pub(super) fn spread_threads(&self, pid: u32) -> bool {
        let cpus = self.cpus.as_deref().filter(|_| self.spreads_threads);
        // Where the kernel refuses, threads stay where they are.
        cpus.is_some_and(|cpus| affinity::spread_threads(&self.roots, pid, cpus).unwrap_or(false))
    }

    /// With a line that says where this launch begins.
    pub(super) fn log_of(
        &self,
        plan: &Plan,
        variant: usize,
        launch: u64,
        round: u64,
    ) -> Result<File, StoreError> {
        let names = plan.variants.iter().map(|variant| variant.name.exact());
        self.log_file(&names::log_name(names, variant), launch, round)
    }

    /// A log of workers, with a line that says where this launch begins.
    pub(super) fn log_file(&self, name: &str, launch: u64, round: u64) -> Result<File, StoreError> {
        self.log(name)
            .and_then(|file| begun(file, launch, round))
            .map_err(StoreError::writing(&self.log_path(name)))
    }

    /// A log of workers that are in no record.
    pub(super) fn log(&self, name: &str) -> io::Result<File> {
        files::open_own(
            &self.log_path(name),
            File::options().create(true).append(true).read(true),
        )
    }

    fn log_path(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }
}

fn begun(mut log: File, launch: u64, round: u64) -> io::Result<File> {
    writeln!(log, "# launch {launch}, round {}", round + 1)?;
    Ok(log)
}

/// A log that nobody reads but for a worker's last words.
pub(super) fn unnamed_log() -> Result<File, Failure> {
    tempfile::tempfile().map_err(|error| {
        Failure::of(
            FailureKind::Crashed,
            format!("failed to create a temporary file for the log of a process: {error}"),
        )
        .hinted("set TMPDIR to a folder that can be written to")
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::protocol::VERSION;
    use crate::sample::process;

    /// A program that greets as a worker does, and waits. It is written by another process, lest
    /// one that is started here meanwhile keeps it open for writing.
    fn greeter(folder: &tempfile::TempDir) -> WorkerCommand {
        let program = folder.path().join("greeter");
        let hello =
            serde_json::json!({ "response": "hello", "protocol": VERSION, "tool_version": "" });
        let text = format!("#!/bin/sh\necho '{hello}'\nexec sleep 60\n");
        let mut write = Command::new("/bin/sh");
        write.args(["-c", "printf %s \"$1\" > \"$0\" && chmod +x \"$0\""]);
        assert!(write.arg(&program).arg(text).status().unwrap().success());
        WorkerCommand {
            program,
            timeout: Duration::from_secs(60),
        }
    }

    #[tokio::test]
    async fn every_worker_is_known_as_the_run_s_and_runs_where_it_should() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(&folder.path().join("run")).unwrap();
        let own = OwnProcesses::default();
        let mut launcher = Launcher::new(greeter(&folder), &run, own.clone());
        let cpus = process::allowed_cpus(&launcher.roots, std::process::id()).unwrap();
        let start = async |launcher: &Launcher| {
            let worker = launcher
                .start(None, unnamed_log().unwrap(), launcher.patience())
                .await
                .unwrap();
            let is_known = own.ids().contains(&worker.pid);
            let cpus = process::allowed_cpus(&launcher.roots, worker.pid);
            worker.end().await;
            (is_known, cpus.unwrap())
        };
        assert_eq!(start(&launcher).await, (true, cpus.clone()));
        launcher.cpus = Some(cpus[..1].to_vec());
        assert_eq!(start(&launcher).await, (true, cpus[..1].to_vec()));
    }

    #[test]
    fn launches_are_numbered_and_told_apart_in_a_log() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(&folder.path().join("run")).unwrap();
        let command = WorkerCommand {
            program: "/bin/false".into(),
            timeout: Duration::ZERO,
        };
        let mut launcher = Launcher::new(command, &run, OwnProcesses::default());
        for round in [0, 0, 1] {
            let number = launcher.number();
            launcher.log_file("model", number, round).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(run.logs().join("model.log")).unwrap(),
            "# launch 0, round 1\n# launch 1, round 1\n# launch 2, round 2\n"
        );
    }
}
