//! The system around a run: open files, signals, and what the machine went through.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::error::LEAST_FILES;
use super::{Result, RunError};
use crate::fitness::{self, Seen};
use crate::plan::RuntimeChoice;
use crate::record::{Conditions, Event, GpuConditions, Host, RunRecord};
use crate::sample::{Roots, conditions};

/// Files that a parent or a worker gets where the system allows it.
const USUAL_FILES: u64 = 1024;

/// Makes sure that as many files may be open as it takes, in workers as well, which inherit the
/// limit.
pub(super) fn require_files() -> Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(std::io::Error::from)?;
    if soft < USUAL_FILES {
        // Whether it helped is read back.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, USUAL_FILES.min(hard), hard);
    }
    let (limit, _) = getrlimit(Resource::RLIMIT_NOFILE).map_err(std::io::Error::from)?;
    if limit < LEAST_FILES {
        Err(RunError::Files { limit })
    } else {
        Ok(())
    }
}

/// Makes a write beyond the limit on the size of files an error like that of a full disk, not the
/// end of the process.
pub(super) fn survive_file_size_limit() -> std::io::Result<()> {
    // SAFETY: ignoring a signal installs no handler that could run.
    unsafe {
        nix::sys::signal::signal(
            nix::sys::signal::SIGXFSZ,
            nix::sys::signal::SigHandler::SigIgn,
        )
    }?;
    Ok(())
}

/// Signals by which the user or the system asks this process to end.
pub(super) struct Interruption([Signal; 3]);

impl Interruption {
    /// From now on the signals are heard, and do not end the process by themselves.
    pub(super) fn listen() -> std::io::Result<Self> {
        let [interrupt, terminate, hangup] = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ]
        .map(signal);
        Ok(Interruption([interrupt?, terminate?, hangup?]))
    }

    /// The result of some work before the first measurement, unless an interruption comes first.
    pub(super) async fn unless<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            done = work => done,
            () = self.comes() => Err(RunError::Interrupted),
        }
    }

    pub(super) async fn comes(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// The machine's counters before the first measurement.
pub(super) struct Watch {
    workers: Vec<u64>,
    before: conditions::Counters,
}

impl Watch {
    /// Unpinned workers may be on any CPU that this process may use.
    pub(super) fn begin(roots: &Roots, worker_cpus: Option<&[u64]>, host: &Host) -> Watch {
        let workers = worker_cpus.unwrap_or(&host.affinity_cpus).to_vec();
        Watch {
            before: conditions::Counters::read(roots, &workers),
            workers,
        }
    }

    pub(super) fn judge(
        &self,
        roots: &Roots,
        record: &RunRecord,
        gpus: Vec<GpuConditions>,
    ) -> Event {
        let seen = Conditions {
            gpus,
            ..conditions::since(roots, &self.before, &self.workers)
        };
        let fitness = if is_scripted(record) {
            fitness::judge(Seen {
                host: &Host::default(),
                conditions: &Conditions {
                    gpus: seen.gpus.clone(),
                    ..Conditions::default()
                },
                blocks: &[],
            })
        } else {
            fitness::judge(Seen {
                host: &record.host,
                conditions: &seen,
                blocks: &record.blocks,
            })
        };
        Event::Judged {
            conditions: Box::new(seen),
            fitness,
        }
    }
}

/// Whether only scripts are played, whose latencies are not the machine's.
fn is_scripted(record: &RunRecord) -> bool {
    record
        .plan
        .sessions
        .iter()
        .all(|session| matches!(session.runtime, RuntimeChoice::Script(_)))
}
