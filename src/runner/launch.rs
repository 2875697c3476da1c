//! One launch: a fresh worker with one session, and what the parent samples of it.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use super::launcher::Launcher;
use super::patience::Patience;
use super::worker_process::WorkerProcess;
use crate::memory;
use crate::plan::SessionSpec;
use crate::protocol::{CellRequest, Request, Response};
use crate::record::{
    EffectiveOptions, Failure, FailureKind, LaunchCell, LaunchRecord, TRIED_OUT_BEFORE,
};
use crate::sample::{Roots, process};
use crate::text::Plain;
use crate::units::{Bytes, Nanos};

pub(super) struct Launch {
    pub worker: WorkerProcess,
    pub record: LaunchRecord,
    /// Whether the model is in a server.
    is_remote: bool,
    /// The batch size of the last cell that began, and what beginning it took.
    begun: Option<(u64, Duration)>,
}

pub(super) struct LaunchSetup<'a> {
    pub model: &'a Path,
    pub spec: &'a SessionSpec,
    pub patience: Patience,
}

impl Launch {
    /// `record` is filled as far as it goes, also when that fails.
    pub(super) async fn start(
        launcher: &Launcher,
        setup: &LaunchSetup<'_>,
        log: File,
        mut record: LaunchRecord,
    ) -> Result<Launch, (LaunchRecord, Failure)> {
        let started = async {
            if !setup.spec.is_remote() {
                ask_for_memory(setup.model)?;
            }
            let mut opened = launcher.open(setup.spec, log, setup.patience).await?;
            if setup.spec.is_remote() {
                find(&mut opened.worker, launcher, setup, &mut record).await?;
            } else {
                record.runtime_start_ns = Some(opened.took);
                load(&mut opened.worker, launcher, setup, &mut record).await?;
            }
            Ok(opened.worker)
        }
        .await;
        match started {
            Ok(worker) => Ok(Launch {
                worker,
                record,
                is_remote: setup.spec.is_remote(),
                begun: None,
            }),
            Err(failure) => Err((record, failure)),
        }
    }

    /// Begins a cell of a shape within a limit that only its first inference may break; also
    /// returns the latencies of its warm-up. `expected` is the time that it is expected to take;
    /// zero where nothing is known of that.
    pub(super) async fn begin(
        &mut self,
        roots: &Roots,
        shape: usize,
        request: CellRequest,
        expected: Duration,
    ) -> Result<(LaunchCell, String), Failure> {
        // Where the peak cannot be reset, it is that of the whole process, which is still an upper
        // bound of the cell's.
        let _ = process::reset_peak(roots, self.worker.pid);
        let batch_size = request.batch_size;
        let load_mode = request.load_mode;
        let request = Request::Begin(Box::new(CellRequest {
            known_ns: self.record.first_run_ns.filter(|_| self.record.is_probed),
            ..request
        }));
        let doing = format!("run the first inferences at batch size {batch_size}");
        let expected = expected.max(self.expected_by_last(batch_size));
        let began = Instant::now();
        match self
            .worker
            .ask_expecting(expected, &request, &doing)
            .await?
        {
            Response::Began {
                first_run_ns,
                warmup,
                histogram,
                outputs_anew,
            } => {
                self.begun = Some((batch_size, began.elapsed()));
                if !self.record.is_probed {
                    self.record.first_run_ns.get_or_insert(first_run_ns);
                }
                let cell = LaunchCell {
                    shape,
                    batch_size,
                    load_mode,
                    first_run_ns,
                    warmup,
                    peak_memory_bytes: None,
                    arena: Err("the cell did not end".into()),
                    latency_histogram: None,
                    gpu: None,
                    gpu_memory: None,
                    outputs_anew,
                };
                Ok((cell, histogram))
            }
            other => Err(self.worker.unexpected(&other).await),
        }
    }

    /// Time that beginning a cell takes by what the last one took; zero for the first.
    fn expected_by_last(&self, batch_size: u64) -> Duration {
        let Some((size, took)) = self.begun else {
            return Duration::ZERO;
        };
        took.mul_f64(batch_size as f64 / size.max(1) as f64)
    }

    pub(super) async fn end_cell(
        &mut self,
        roots: &Roots,
        mut cell: LaunchCell,
    ) -> Result<LaunchCell, Failure> {
        // The peak of a process that was tried out with other inputs before is not the cell's.
        let is_own = !self.record.is_probed;
        cell.peak_memory_bytes = process::peak_resident(roots, self.worker.pid)
            .ok()
            .filter(|_| is_own && !self.is_remote);
        match self.worker.ask(&Request::End, "end a batch size").await? {
            Response::Ended {
                arena,
                log_warnings_count,
                log_errors_count,
            } => {
                cell.arena = if is_own {
                    arena
                } else {
                    Err(TRIED_OUT_BEFORE.into())
                };
                self.record.log_warnings_count = is_own.then_some(log_warnings_count);
                self.record.log_errors_count = is_own.then_some(log_errors_count);
                Ok(cell)
            }
            other => Err(self.worker.unexpected(&other).await),
        }
    }
}

/// A session takes what its model file has at least; what lies in files of weights is mapped.
fn ask_for_memory(model: &Path) -> Result<(), Failure> {
    let what = || format!("a session of `{}`", model.display());
    memory::ask(
        Bytes(std::fs::metadata(model).map_or(0, |metadata| metadata.len())),
        what,
    )
    .map_err(|reason| {
        Failure::of(FailureKind::OutOfMemory, reason.to_string())
            .hinted("measure fewer variants, runtimes or execution providers in one run")
    })
}

/// Time that the session took, and the options that the worker knows of.
async fn create_session(
    worker: &mut WorkerProcess,
    setup: &LaunchSetup<'_>,
) -> Result<(Nanos, EffectiveOptions), Failure> {
    let request = Request::Load {
        model: setup.model.to_owned(),
        spec: Box::new(setup.spec.clone()),
    };
    match worker.ask(&request, "create the session").await? {
        Response::Loaded {
            session_load_ns,
            session_config,
            execution_providers,
            provider_options,
        } => {
            let options = EffectiveOptions {
                session_config,
                execution_providers: execution_providers.into_iter().map(Plain::from).collect(),
                provider_options,
                ..EffectiveOptions::default()
            };
            Ok((session_load_ns, options))
        }
        other => Err(worker.unexpected(&other).await),
    }
}

async fn load(
    worker: &mut WorkerProcess,
    launcher: &Launcher,
    setup: &LaunchSetup<'_>,
    record: &mut LaunchRecord,
) -> Result<(), Failure> {
    let (roots, pid) = (&launcher.roots, worker.pid);
    let read_before = process::storage_read_bytes(roots, pid).ok();
    let threads_before_load_count = process::threads_count(roots, pid).ok();
    record.before_load_memory_bytes = process::private_memory(roots, pid).ok();
    let (session_load_ns, loaded) = create_session(worker, setup).await?;
    record.session_load_ns = Some(session_load_ns);
    record.after_load_memory_bytes = process::private_memory(roots, pid).ok();
    record.load_peak_memory_bytes = process::peak_resident(roots, pid).ok();
    record.load_storage_read_bytes = read_before
        .zip(process::storage_read_bytes(roots, pid).ok())
        .map(|(before, after)| Bytes(after.0.saturating_sub(before.0)));
    record.effective = Some(EffectiveOptions {
        cpus: process::allowed_cpus(roots, pid).unwrap_or_default(),
        threads_before_load_count,
        threads_after_load_count: process::threads_count(roots, pid).ok(),
        has_cpu_per_thread: launcher.spread_threads(pid),
        ..loaded
    });
    Ok(())
}

/// Finds a model that a server has loaded: nothing of what that took is the process's.
async fn find(
    worker: &mut WorkerProcess,
    launcher: &Launcher,
    setup: &LaunchSetup<'_>,
    record: &mut LaunchRecord,
) -> Result<(), Failure> {
    let (_, found) = create_session(worker, setup).await?;
    record.effective = Some(EffectiveOptions {
        cpus: process::allowed_cpus(&launcher.roots, worker.pid).unwrap_or_default(),
        ..found
    });
    Ok(())
}

pub(super) fn blank(launch: u64, round: u64, session: usize, started_ns: Nanos) -> LaunchRecord {
    LaunchRecord {
        launch,
        round,
        session,
        started_ns,
        ..LaunchRecord::default()
    }
}

/// Time of an inference of a cell, judged by its warm-up, or by its first inference where there was
/// no warm-up.
pub(super) fn single(cell: &LaunchCell) -> Duration {
    match cell.warmup.inferences_count {
        0 => cell.first_run_ns.into(),
        count => Duration::from(cell.warmup.elapsed_ns).div_f64(count as f64),
    }
}
