//! Where the nodes of a session run and for how long, found out in launches of their own: a
//! profiled session is slower, and is not timed.
//!
//! Every session is profiled at its smallest batch size of the first shape after the first rounds;
//! one that was to be accelerated before them, because that tells whether it can be measured. After
//! the last rounds follow the last shape and the batch size at which the baseline has its best
//! throughput, which all share so that they can be compared.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::observed::Observed;
use crate::protocol::{Described, ProfileRequest, Request, Response};
use crate::record::{
    Event, Failure, FailureKind, OperatorProfile, Placement, PlacementRecord, Profiled,
};
use crate::runner::beside::rates::{Place, Rates, fastest, last_shape, rates, smallest};
use crate::runner::names::{file_safe, new_file};
use crate::runner::{Progress, Run, RunError};
use crate::store::UNFINISHED_TRACE;
use crate::units::{Bytes, Nanos};

/// Share of the budget that profiling may take after the first rounds, and once more after the last
/// ones.
pub(in crate::runner) const BUDGET_SHARE: f64 = 0.04;
/// Time for the inferences of one session; half of it after the rounds, where inferences are
/// longer, and distorted less.
pub(in crate::runner) const MAX_LENGTH: Duration = Duration::from_millis(400);
/// A node of an inference adds about a kibibyte to the trace, and more for each thread.
const MAX_INFERENCES: u64 = 60;
const MIN_INFERENCES: u64 = 6;
const TRACE_SIZE: Bytes = Bytes(4 << 20);
const NODE_SIZE: Bytes = Bytes(1 << 10);
const THREAD_SIZE: Bytes = Bytes(64);
/// A second session without the profiler is created where the model's file fits into the free
/// memory this often.
const TWIN_ROOM: u64 = 4;
const NO_TIME: &str = "there was no time left for it";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Subject {
    session: usize,
    shape: usize,
    batch_size: u64,
}

impl Subject {
    fn at(session: usize, place: Place) -> Subject {
        Subject {
            session,
            shape: place.shape,
            batch_size: place.batch_size,
        }
    }
}

struct Pass {
    end: Option<Instant>,
    sessions_left: u32,
    /// Time of the last session besides its inferences.
    overhead: Option<Duration>,
}

impl Pass {
    fn begin(limit: Option<Duration>, sessions: usize) -> Pass {
        let end = limit.and_then(|limit| Instant::now().checked_add(limit));
        Pass {
            end,
            sessions_left: u32::try_from(sessions).unwrap_or(u32::MAX),
            overhead: None,
        }
    }

    /// Time for the inferences of the next session; `None` if not even the rest of it would fit, of
    /// which `least` is known.
    fn next_length(&mut self, least: Duration) -> Option<Duration> {
        let sessions = self.sessions_left.max(1);
        self.sessions_left -= 1;
        let Some(end) = self.end else {
            return Some(MAX_LENGTH);
        };
        let left = end.saturating_duration_since(Instant::now());
        let overhead = self.overhead.unwrap_or(left / sessions / 2).max(least);
        (left > overhead).then(|| (left / sessions).saturating_sub(overhead).min(MAX_LENGTH))
    }
}

/// Places accelerated sessions. One that does not run where it was asked to, or cannot be created,
/// has failed.
pub(in crate::runner) async fn place_all(run: &mut Run<'_>) -> Result<(), RunError> {
    let mut subjects = unplaced(run);
    subjects.retain(|subject| is_to_be_placed(run, subject.session));
    let time = run.budget().map(|budget| budget.mul_f64(BUDGET_SHARE));
    let mut pass = Pass::begin(time, subjects.len());
    for subject in subjects {
        let length = pass.next_length(Duration::ZERO).unwrap_or_default();
        pass.overhead = Some(profile(run, subject, length).await?);
    }
    Ok(())
}

pub(in crate::runner) async fn all(run: &mut Run<'_>) -> Result<(), RunError> {
    let subjects = unplaced(run);
    let mut pass = Pass::begin(run.beside_time(BUDGET_SHARE), subjects.len());
    for subject in subjects {
        if let Some(length) = pass.next_length(least_profile(run, subject.session)) {
            pass.overhead = Some(profile(run, subject, length).await?);
        }
    }
    Ok(())
}

fn unplaced(run: &Run<'_>) -> Vec<Subject> {
    let known: BTreeSet<Subject> = run
        .journal
        .record()
        .operators
        .iter()
        .map(subject_of)
        .collect();
    let sessions = run.in_turn().into_iter();
    sessions
        .filter_map(|session| first_subject(run, session))
        .filter(|subject| !known.contains(subject))
        .collect()
}

/// The smallest batch size of the first shape at which a session is still measured.
fn first_subject(run: &Run<'_>, session: usize) -> Option<Subject> {
    run.plan()
        .cells()
        .filter(|key| key.session == session && run.is_open(*key))
        .map(|key| Subject {
            session,
            shape: key.shape,
            batch_size: key.batch_size,
        })
        .min()
}

/// Least time of profiling a session, as far as it is known: two sessions, and two inferences of
/// each.
fn least_profile(run: &Run<'_>, session: usize) -> Duration {
    run.launch_with(session, 2) * 2
}

/// Profiles the sessions that there was no time for, and all of them at a large batch size and at
/// the last shape.
pub(in crate::runner) async fn rest(run: &mut Run<'_>) -> Result<(), RunError> {
    let rest = unprofiled(run);
    let mut pass = Pass::begin(Some(run.remaining()), rest.len());
    for subject in rest {
        match pass.next_length(least_profile(run, subject.session)) {
            Some(length) => {
                pass.overhead = Some(profile(run, subject, length.min(MAX_LENGTH / 2)).await?)
            }
            None => put_operators(run, subject, Err(NO_TIME.into()))?,
        }
    }
    Ok(())
}

pub(in crate::runner) fn leave_rest(run: &mut Run<'_>) -> Result<(), RunError> {
    for subject in unprofiled(run) {
        put_operators(
            run,
            subject,
            Err("the run was interrupted before it".into()),
        )?;
    }
    Ok(())
}

/// Measured sessions that are worth profiling, and have not been profiled.
fn unprofiled(run: &Run<'_>) -> Vec<Subject> {
    let record = run.journal.record();
    let large = run
        .plan()
        .baseline_session()
        .and_then(|baseline| fastest(&rates(record, baseline)));
    let sessions = run.in_turn();
    let rates: Vec<(usize, Rates)> = sessions
        .into_iter()
        .map(|session| (session, rates(record, session)))
        .collect();
    let smallest = rates
        .iter()
        .filter_map(|(session, rates)| Some(Subject::at(*session, smallest(rates)?)));
    let at_large = rates.iter().filter_map(|(session, rates)| {
        let shared = large.filter(|place| rates.contains_key(place));
        Some(Subject::at(*session, shared.or_else(|| fastest(rates))?))
    });
    let last_shape = rates
        .iter()
        .filter_map(|(session, rates)| Some(Subject::at(*session, last_shape(rates)?)));
    let mut subjects: Vec<Subject> = smallest.chain(at_large).chain(last_shape).collect();
    let mut seen: BTreeSet<Subject> = record.operators.iter().map(subject_of).collect();
    subjects.retain(|subject| seen.insert(*subject));
    subjects
}

fn is_to_be_placed(run: &Run<'_>, session: usize) -> bool {
    run.plan().sessions[session].is_accelerated()
        && !run
            .journal
            .record()
            .placements
            .iter()
            .any(|known| known.session == session)
}

/// Profiles one session at one place, and returns what that took besides the inferences.
async fn profile(
    run: &mut Run<'_>,
    subject: Subject,
    length: Duration,
) -> Result<Duration, RunError> {
    let session = subject.session;
    let label = run.label(session);
    run.observer
        .observe(&Progress::Profiling { session: &label });
    let began = Instant::now();
    match launch_profile(run, subject, length).await? {
        Ok((placement, operators)) => {
            if is_to_be_placed(run, session) {
                run.journal
                    .append(Event::Placement(Box::new(PlacementRecord {
                        session,
                        placement,
                    })))?;
            }
            put_operators(run, subject, Ok(operators))?;
        }
        Err(failure) => put_failure(run, subject, &failure)?,
    }
    Ok(began.elapsed().saturating_sub(length))
}

fn put_operators(
    run: &mut Run<'_>,
    subject: Subject,
    profile: Observed<Profiled>,
) -> Result<(), RunError> {
    let Subject {
        session,
        shape,
        batch_size,
    } = subject;
    let profile = OperatorProfile {
        session,
        shape,
        batch_size,
        profile,
    };
    Ok(run.journal.append(Event::Operators(Box::new(profile)))?)
}

/// A failure that also keeps a session from being created is told when it is measured, or, if it
/// was to be accelerated, here.
fn put_failure(run: &mut Run<'_>, subject: Subject, failure: &Failure) -> Result<(), RunError> {
    use FailureKind::{BadInput, BadModel, Inference, Runtime, SessionLoad};
    put_operators(run, subject, Err(failure.message.clone()))?;
    let session = subject.session;
    run.lose(session, failure)?;
    let label = run.label(session);
    if is_to_be_placed(run, session) {
        return match failure.kind {
            Inference | BadInput => run.note(format!(
                "where the nodes of {label} run is not known: {}",
                failure.message.exact()
            )),
            _ => run.fail_session(session, failure),
        };
    }
    match failure.kind {
        BadModel | Runtime | SessionLoad => Ok(()),
        _ => run.note(format!(
            "the operators of {label} are not known: {}",
            failure.message.exact()
        )),
    }
}

async fn launch_profile(
    run: &mut Run<'_>,
    subject: Subject,
    length: Duration,
) -> Result<Result<(Placement, Profiled), Failure>, RunError> {
    let spec = run.plan().sessions[subject.session].clone();
    let Ok(described) = run.description(subject.session) else {
        return Ok(Err(failure("the model was not read")));
    };
    let inputs = match described.inputs_at(subject.shape) {
        Ok(inputs) => inputs.clone(),
        Err(reason) => return Ok(Err(failure(reason))),
    };
    let traces = run.journal.folder().traces();
    let scratch = match scratch_folder(&traces) {
        Ok(scratch) => scratch,
        Err(error) => {
            return Ok(Err(failure(&format!(
                "failed to write into `{}`: {error}",
                traces.display()
            ))));
        }
    };
    let trace_file = trace_file(run, subject);
    let request = ProfileRequest {
        model: run.plan().variants[spec.variant].path.clone(),
        inputs,
        batch_size: subject.batch_size,
        trace_file: trace_file.clone(),
        scratch: scratch.path().to_owned(),
        max_inferences: max_inferences(described, spec.options.intra_threads.max(1)),
        length_ns: Nanos::from(length),
        has_twin: has_room_for_twin(run, described),
        spec,
    };
    let log = run.diagnosis_log(subject.session)?;
    let patience = run.patience(length + least_profile(run, subject.session) * 2);
    let answer = ask_for_profile(run, subject.session, request, log, patience).await;
    Ok(answer.map(|(placement, operators)| (placement, with_trace(operators, &trace_file))))
}

fn scratch_folder(traces: &Path) -> io::Result<TempDir> {
    fs::create_dir_all(traces)?;
    tempfile::Builder::new()
        .prefix(UNFINISHED_TRACE)
        .tempdir_in(traces)
}

fn has_room_for_twin(run: &Run<'_>, described: &Described) -> bool {
    let size = described.model.file_size_bytes.0;
    let available = run.journal.record().host.usable_memory();
    available.is_none_or(|available| size.saturating_mul(TWIN_ROOM) < available.0)
}

/// The operators with the name of their trace, where it was kept.
fn with_trace(operators: Profiled, trace_file: &Path) -> Profiled {
    let name = trace_file.file_name().filter(|_| trace_file.exists());
    Profiled {
        trace_file: name.map(|name| format!("traces/{}", name.to_string_lossy()).into()),
        ..operators
    }
}

async fn ask_for_profile(
    run: &Run<'_>,
    session: usize,
    request: ProfileRequest,
    log: File,
    patience: Duration,
) -> Result<(Placement, Profiled), Failure> {
    let mut worker = run
        .launcher
        .open(&request.spec, log, run.patience_with(session))
        .await?
        .worker;
    // What a launch takes is not known before the first rounds.
    let patience = if run.journal.record().blocks.is_empty() {
        Duration::MAX
    } else {
        patience
    };
    let request = Request::Profile(Box::new(request));
    let found = match worker
        .ask_within(patience, &request, "profile the session")
        .await?
    {
        Response::Profiled {
            placement,
            operators,
        } => (*placement, *operators),
        other => return Err(worker.unexpected(&other).await),
    };
    worker.end().await;
    Ok(found)
}

fn trace_file(
    run: &Run<'_>,
    Subject {
        session,
        shape,
        batch_size,
    }: Subject,
) -> PathBuf {
    let folder = run.journal.folder().traces();
    let label = format!("{}{}", run.label(session), run.plan().shape_words(shape));
    new_file(
        &folder,
        &file_safe(&label),
        &format!("batch{batch_size}.json"),
    )
}

fn subject_of(profile: &OperatorProfile) -> Subject {
    Subject {
        session: profile.session,
        shape: profile.shape,
        batch_size: profile.batch_size,
    }
}

/// Inferences of which the trace stays small.
fn max_inferences(described: &Described, threads: u64) -> u64 {
    let nodes: u64 = described.model.operators.values().sum();
    let inference = (nodes + 2) * (NODE_SIZE.0 + THREAD_SIZE.0 * threads);
    (TRACE_SIZE.0 / inference).clamp(MIN_INFERENCES, MAX_INFERENCES)
}

fn failure(message: &str) -> Failure {
    Failure {
        kind: FailureKind::BadInput,
        message: message.into(),
        hint: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_shared_by_the_sessions_that_are_left() {
        let mut pass = Pass::begin(None, 2);
        assert_eq!(pass.next_length(Duration::ZERO), Some(MAX_LENGTH));
        let mut pass = Pass::begin(Some(Duration::from_secs(100)), 2);
        assert_eq!(pass.next_length(Duration::ZERO), Some(MAX_LENGTH));
        pass.overhead = Some(Duration::from_secs(1000));
        assert_eq!(pass.next_length(Duration::ZERO), None);
        assert_eq!(
            Pass::begin(Some(Duration::ZERO), 1).next_length(Duration::ZERO),
            None,
            "no time is no length"
        );
        let mut short = Pass::begin(Some(Duration::from_secs(5)), 1);
        assert_eq!(
            short.next_length(Duration::from_secs(10)),
            None,
            "it is known to take longer"
        );
    }
}
