//! Where nodes run, found out in launches of their own: a profiled session is slower, and is not timed.

use super::RunError;
use super::launch;
use super::round::Run;
use super::worker_process::WorkerProcess;
use crate::plan::RuntimeChoice;
use crate::protocol::{ProfileRequest, Request, Response};
use crate::record::{Event, Failure, FailureKind, Placement, PlacementRecord};
use crate::sample::affinity;

impl Run<'_> {
    /// Finds out where the nodes of every session run that asks for another execution provider than the CPU's. A session
    /// that does not run where it was asked to has failed, and so has one that cannot be created.
    pub(super) async fn place_all(&mut self) -> Result<(), RunError> {
        for session in 0..self.plan.sessions.len() {
            let spec = &self.plan.sessions[session];
            let is_script = matches!(spec.runtime, RuntimeChoice::Script(_));
            if is_script || !spec.is_accelerated() || !self.has_open_cells(session) {
                continue;
            }
            match self.profile(session).await? {
                Ok(placement) => {
                    self.journal.append(Event::Placement(Box::new(PlacementRecord { session, placement })))?;
                }
                Err(failure) if is_final(&failure) => self.fail_session(session, &failure)?,
                Err(failure) => {
                    let label = self.journal.record().session_label(session);
                    self.note(format!("where the nodes of {label} run is not known: {}", failure.message))?;
                }
            }
        }
        Ok(())
    }

    async fn profile(&mut self, session: usize) -> Result<Result<Placement, Failure>, RunError> {
        let spec = self.plan.sessions[session].clone();
        let variant = &self.plan.variants[spec.variant];
        let Ok(described) = &self.descriptions[spec.variant] else {
            return Ok(Err(failure("the model was not read")));
        };
        let smallest =
            self.plan.batch_sizes.iter().copied().find(|&size| described.inputs.supports_batch(size).is_ok());
        let request = ProfileRequest {
            model: variant.path.clone(),
            inputs: described.inputs.clone(),
            batch_size: smallest.unwrap_or(1),
            spec,
        };
        let log = self.log_file(&variant.name, self.next_launch, 0)?;
        self.next_launch += 1;
        Ok(self.ask_for_profile(request, log).await)
    }

    async fn ask_for_profile(&self, request: ProfileRequest, log: std::fs::File) -> Result<Placement, Failure> {
        let mut worker = WorkerProcess::spawn(&self.command, Some(&request.spec.runtime), log).await?;
        self.energy.adopt(worker.pid());
        if let Some(cpus) = &self.worker_cpus {
            let _ = affinity::set_affinity(worker.pid(), cpus);
        }
        match worker.ask(&launch::open_request(&request.spec), "open the runtime").await? {
            Response::Opened { .. } => {}
            other => return Err(worker.unexpected(&other).await),
        }
        let placement = match worker.ask(&Request::Profile(Box::new(request)), "profile the session").await? {
            Response::Profiled(placement) => *placement,
            other => return Err(worker.unexpected(&other).await),
        };
        worker.end().await;
        Ok(placement)
    }
}

/// Whether a session that cannot be profiled for this reason cannot be measured either.
fn is_final(failure: &Failure) -> bool {
    !matches!(failure.kind, FailureKind::Inference | FailureKind::BadInput)
}

fn failure(message: &str) -> Failure {
    Failure { kind: FailureKind::BadInput, message: message.to_owned(), hint: None }
}
