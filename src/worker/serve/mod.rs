//! Requests that arrive by themselves, served by this process: bind samples, see what comes of each
//! without load, serve, and compare.
//!
//! Where a script plays latencies and time stands still, requests are served in a time of its own
//! ([`played`]), by the same queue. Read [`serve`] first.

mod integrity;
mod outcome;
mod played;
mod real;
mod samples;

use super::room;
use crate::engine::{Runtime, Session};
use crate::measure::EngineClock;
use crate::protocol::{Response, ServeRequest};
use crate::record::{Failure, FailureKind};
use crate::traffic;
use crate::units::Bytes;
use integrity::Reference;

/// Sessions of one model, the first of which was loaded before.
pub(super) struct Sessions<'a> {
    pub runtime: &'a dyn Runtime,
    pub first: &'a dyn Session,
    /// Memory that the first one took; absent where the system does not tell.
    pub taken: Option<Bytes>,
    /// Created as requests ask for them, and kept.
    pub further: &'a mut Vec<Box<dyn Session>>,
}

pub(super) fn serve(
    mut sessions: Sessions<'_>,
    request: &ServeRequest,
) -> Result<Response, Failure> {
    room::ask_to_serve(request)?;
    let inputs = samples::of(request)?;
    sessions.load(request)?;
    let mut callers = Vec::new();
    for (session, count) in sessions.shares(request) {
        callers.extend(session.serve(&inputs, count)?);
    }
    let reference = Reference::take(&mut callers, inputs.samples.len(), request)?;
    let mut arrivals = traffic::arrivals(&request.arrivals, &request.offer, request.share)
        .map_err(|error| Failure::of(FailureKind::BadInput, error.to_string()))?;
    let course = match sessions.runtime.clock() {
        EngineClock::Manual(clock) => {
            played::run(&clock, callers, request, reference, arrivals.as_mut())
        }
        EngineClock::Monotonic => real::run(callers, request, &reference, arrivals.as_mut()),
    };
    Ok(Response::Served(Box::new(course.served())))
}

impl<'a> Sessions<'a> {
    fn load(&mut self, request: &ServeRequest) -> Result<(), Failure> {
        let more = request.serving.sessions.max(1) - 1;
        let missing = more.saturating_sub(self.further.len() as u64);
        room::ask_for_sessions(missing, self.taken.unwrap_or_default())?;
        for _ in 0..missing {
            let session = self.runtime.load(&request.model, &request.spec)?;
            self.further.push(session);
        }
        Ok(())
    }

    /// Each session with the callers that share it: of the caller after the last session, it is the
    /// first one again.
    fn shares(&self, request: &ServeRequest) -> Vec<(&dyn Session, u64)> {
        let sessions = request.serving.sessions.max(1);
        let callers = request.serving.callers.max(1);
        let all = [self.first]
            .into_iter()
            .chain(self.further.iter().map(AsRef::as_ref));
        (0..sessions)
            .zip(all)
            .map(|(place, session)| (session, (callers + sessions - 1 - place) / sessions))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

#[cfg(test)]
mod tests;
