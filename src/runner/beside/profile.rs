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
use crate::runner::beside::weights;
use crate::runner::names::{file_safe, new_file};
use crate::runner::patience::until;
use crate::runner::time::times;
use crate::runner::{Progress, Result, Run};
use crate::store::UNFINISHED_TRACE;
use crate::units::{Bytes, Nanos};

/// Share of the budget that profiling may take after the first rounds, and once more after the last
/// ones.
pub(super) const BUDGET_SHARE: f64 = 0.04;
/// Time for the inferences of one session; half of it after the rounds, where inferences are
/// longer, and distorted less.
pub(super) const MAX_LENGTH: Duration = Duration::from_millis(400);
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

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Subject {
    session: usize,
    place: Place,
}

impl From<&OperatorProfile> for Subject {
    fn from(profile: &OperatorProfile) -> Self {
        Subject {
            session: profile.session,
            place: Place {
                shape: profile.shape,
                batch_size: profile.batch_size,
            },
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
        Pass {
            end: limit.and_then(|limit| Instant::now().checked_add(limit)),
            sessions_left: times(sessions),
            overhead: None,
        }
    }

    /// Time for the inferences of the next session; `None` if not even the rest of it would fit, of
    /// which `least` is known.
    fn next_length(&mut self, least: Duration) -> Option<Duration> {
        let sessions = self.sessions_left.max(1);
        self.sessions_left -= 1;
        if self.end.is_none() {
            return Some(MAX_LENGTH);
        }
        let left = until(self.end);
        let overhead = self.overhead.unwrap_or(left / sessions / 2).max(least);
        (left > overhead).then(|| (left / sessions).saturating_sub(overhead).min(MAX_LENGTH))
    }
}

/// Places accelerated sessions. One that does not run where it was asked to, or cannot be
/// created, has failed.
pub(in crate::runner) async fn place_all(run: &mut Run<'_>) -> Result<()> {
    let mut subjects = unplaced(run);
    subjects.retain(|subject| is_to_be_placed(run, subject.session));
    let mut pass = Pass::begin(
        run.budget().map(|budget| budget.mul_f64(BUDGET_SHARE)),
        subjects.len(),
    );
    for subject in subjects {
        pass.overhead = Some(
            profile(
                run,
                subject,
                pass.next_length(Duration::ZERO).unwrap_or_default(),
            )
            .await?,
        );
    }
    Ok(())
}

pub(super) async fn all(run: &mut Run<'_>) -> Result<()> {
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
    let known = profiled(run);
    run.in_turn()
        .into_iter()
        .filter_map(|session| first_subject(run, session))
        .filter(|subject| !known.contains(subject))
        .collect()
}

fn profiled(run: &Run<'_>) -> BTreeSet<Subject> {
    run.record().operators.iter().map(Subject::from).collect()
}

/// The smallest batch size of the first shape at which a session is still measured.
fn first_subject(run: &Run<'_>, session: usize) -> Option<Subject> {
    run.plan()
        .cells()
        .filter(|key| key.session == session && run.is_open(*key))
        .map(Place::of)
        .min()
        .map(|place| Subject { session, place })
}

/// Least time of profiling a session, as far as it is known.
fn least_profile(run: &Run<'_>, session: usize) -> Duration {
    least(run.launch_with(session, 2), run.launch_time(session))
}

/// Two sessions, and two inferences of each; of a session that takes longer to create than profiling
/// may last there is only one.
fn least(with_two: Duration, load: Option<Duration>) -> Duration {
    let is_single = load.is_some_and(|load| load > MAX_LENGTH);
    with_two * if is_single { 1 } else { 2 }
}

/// Profiles the sessions that there was no time for, and all of them at a large batch size and
/// at the last shape.
pub(in crate::runner) async fn rest(run: &mut Run<'_>) -> Result<()> {
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

pub(in crate::runner) fn leave_rest(run: &mut Run<'_>) -> Result<()> {
    for subject in unprofiled(run) {
        put_operators(
            run,
            subject,
            Err("the run was interrupted before it".into()),
        )?;
    }
    Ok(())
}

/// Picks one of the places with these rates.
type PlaceOf<'r> = &'r dyn Fn(&Rates) -> Option<Place>;

/// Measured sessions that are worth profiling, and have not been profiled.
fn unprofiled(run: &Run<'_>) -> Vec<Subject> {
    let record = run.record();
    let baseline = run.baseline();
    let large = baseline.and_then(|baseline| fastest(&rates(record, baseline)));
    let at_large = |rates: &Rates| {
        large
            .filter(|place| rates.contains_key(place))
            .or_else(|| fastest(rates))
    };
    let places: [PlaceOf<'_>; 3] = [&smallest, &at_large, &last_shape];
    let all: Vec<(usize, Rates)> = run
        .in_turn()
        .into_iter()
        .map(|session| (session, rates(record, session)))
        .collect();
    let mut seen = profiled(run);
    let mut subjects = Vec::new();
    for place_of in places {
        for (session, rates) in &all {
            let session = *session;
            let place = place_of(rates);
            let subject = place.map(|place| Subject { session, place });
            subjects.extend(subject.filter(|subject| seen.insert(*subject)));
        }
    }
    subjects
}

fn is_to_be_placed(run: &Run<'_>, session: usize) -> bool {
    let mut known = run.record().placements.iter();
    run.spec(session).is_accelerated() && known.all(|known| known.session != session)
}

/// Profiles one session at one place, and returns what that took besides the inferences.
async fn profile(run: &mut Run<'_>, subject: Subject, length: Duration) -> Result<Duration> {
    let session = subject.session;
    run.begin_beside(session, |session| Progress::Profiling { session });
    let began = Instant::now();
    match launch_profile(run, subject, length).await? {
        Ok((placement, operators)) => {
            if is_to_be_placed(run, session) {
                let record = PlacementRecord { session, placement };
                run.append(Event::Placement(Box::new(record)))?;
            }
            put_operators(run, subject, Ok(operators))?;
        }
        Err(failure) => put_unprofiled(run, subject, &failure)?,
    }
    Ok(began.elapsed().saturating_sub(length))
}

fn put_operators(run: &mut Run<'_>, subject: Subject, profile: Observed<Profiled>) -> Result<()> {
    run.append(Event::Operators(Box::new(OperatorProfile {
        session: subject.session,
        shape: subject.place.shape,
        batch_size: subject.place.batch_size,
        profile,
    })))
}

/// A failure that also keeps a session from being created is told when it is measured, or, if
/// it was to be accelerated, here.
fn put_unprofiled(run: &mut Run<'_>, subject: Subject, failure: &Failure) -> Result<()> {
    use FailureKind::{BadInput, BadModel, Inference, Runtime, SessionLoad};
    put_operators(run, subject, Err(failure.message.clone()))?;
    let session = subject.session;
    run.lose(session, failure)?;
    let label = run.label(session);
    let why = failure.message.exact();
    match (is_to_be_placed(run, session), failure.kind) {
        (true, Inference | BadInput) => run.note(format!(
            "where the nodes of {label} run is not known: {why}"
        )),
        (true, _) => run.fail_session(session, failure),
        (false, BadModel | Runtime | SessionLoad) => Ok(()),
        (false, _) => run.note(format!("the operators of {label} are not known: {why}")),
    }
}

async fn launch_profile(
    run: &mut Run<'_>,
    subject: Subject,
    length: Duration,
) -> Result<Result<(Placement, Profiled), Failure>> {
    let (request, _scratch) = match profile_request(run, subject, length) {
        Ok(request) => request,
        Err(failure) => return Ok(Err(failure)),
    };
    let log = run.diagnosis_log(subject.session)?;
    let asked = ask_for_profile(run, subject.session, request, log).await;
    Ok(asked.map(|(placement, operators)| (placement, with_weights(run, subject, operators))))
}

/// Of a session on the CPU, whose kernels are those that pack weights.
fn with_weights(run: &Run<'_>, subject: Subject, operators: Profiled) -> Profiled {
    match run.description(subject.session) {
        Ok(described) if !run.spec(subject.session).is_accelerated() => {
            weights::with_weights(operators, &described.weights)
        }
        Ok(_) | Err(_) => operators,
    }
}

/// The request, with the folder that the profiler writes into, which is removed when it is
/// dropped.
fn profile_request(
    run: &Run<'_>,
    subject: Subject,
    length: Duration,
) -> Result<(ProfileRequest, TempDir), Failure> {
    let Subject { session, place } = subject;
    let spec = run.spec(session);
    let described = run
        .description(session)
        .as_ref()
        .map_err(|_| failure("the model was not read"))?;
    let inputs = described.inputs_at(place.shape).map_err(failure)?;
    let traces = run.journal.folder().traces();
    let scratch = scratch_folder(&traces).map_err(|error| {
        failure(&format!(
            "failed to write into `{}`: {error}",
            traces.display()
        ))
    })?;
    let request = ProfileRequest {
        model: run.plan().variants[spec.variant].path.clone(),
        inputs: inputs.clone(),
        batch_size: place.batch_size,
        trace_file: trace_file(run, subject),
        scratch: scratch.path().to_owned(),
        max_inferences: max_inferences(described, spec.options.intra_threads.max(1)),
        length_ns: Nanos::from(length),
        has_twin: has_room_for_twin(run, described),
        spec: spec.clone(),
    };
    Ok((request, scratch))
}

fn has_room_for_twin(run: &Run<'_>, described: &Described) -> bool {
    let size = described.model.file_size_bytes.0;
    let available = run.record().host.usable_memory();
    available.is_none_or(|available| size.saturating_mul(TWIN_ROOM) < available.0)
}

async fn ask_for_profile(
    run: &Run<'_>,
    session: usize,
    request: ProfileRequest,
    log: File,
) -> Result<(Placement, Profiled), Failure> {
    let patience = run.patience_with(session);
    let mut worker = run
        .launcher
        .open(&request.spec, log, patience)
        .await?
        .worker;
    // What a launch takes is not known before the first rounds.
    let limit = if run.record().blocks.is_empty() {
        Duration::MAX
    } else {
        run.patience(Duration::from(request.length_ns) + least_profile(run, session) * 2)
    };
    let trace_file = request.trace_file.clone();
    let request = Request::Profile(Box::new(request));
    let (placement, operators) = match worker
        .ask_within(limit, &request, "profile the session")
        .await?
    {
        Response::Profiled {
            placement,
            operators,
        } => (*placement, *operators),
        other => return Err(worker.unexpected(&other).await),
    };
    worker.end().await;
    Ok((placement, with_trace(operators, &trace_file)))
}

fn trace_file(run: &Run<'_>, Subject { session, place }: Subject) -> PathBuf {
    let label = run.label(session) + &run.plan().shape_words(place.shape);
    new_file(
        &run.journal.folder().traces(),
        &file_safe(&label),
        &format!("batch{}.json", place.batch_size),
    )
}

fn scratch_folder(traces: &Path) -> io::Result<TempDir> {
    fs::create_dir_all(traces)?;
    tempfile::Builder::new()
        .prefix(UNFINISHED_TRACE)
        .tempdir_in(traces)
}

/// The operators with the name of their trace, where it was kept.
fn with_trace(operators: Profiled, trace_file: &Path) -> Profiled {
    let name = trace_file.file_name().filter(|_| trace_file.exists());
    Profiled {
        trace_file: name.map(|name| format!("traces/{}", name.to_string_lossy()).into()),
        ..operators
    }
}

/// Inferences of which the trace stays small.
fn max_inferences(described: &Described, threads: u64) -> u64 {
    let nodes: u64 = described.model.operators.values().sum();
    let inference = (nodes + 2) * (NODE_SIZE.0 + THREAD_SIZE.0 * threads);
    (TRACE_SIZE.0 / inference).clamp(MIN_INFERENCES, MAX_INFERENCES)
}

fn failure(message: &str) -> Failure {
    Failure::of(FailureKind::BadInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_that_is_slow_to_create_is_profiled_without_a_second_one() {
        let [quick, slow] = [300, 1300].map(Duration::from_millis);
        assert_eq!(least(quick, Some(quick)), quick * 2);
        assert_eq!(least(slow, Some(slow)), slow);
        assert_eq!(least(slow, None), slow * 2);
    }

    #[test]
    fn time_is_shared_by_the_sessions_that_are_left() {
        let mut pass = Pass::begin(None, 2);
        assert_eq!(pass.next_length(Duration::ZERO), Some(MAX_LENGTH));
        let mut pass = Pass::begin(Some(Duration::from_secs(100)), 2);
        assert_eq!(pass.next_length(Duration::ZERO), Some(MAX_LENGTH));
        pass.overhead = Some(Duration::from_secs(1000));
        assert_eq!(pass.next_length(Duration::ZERO), None);
        for (secs, least, why) in [
            (0, 0, "no time is no length"),
            (5, 10, "it is known to take longer"),
        ] {
            let mut pass = Pass::begin(Some(Duration::from_secs(secs)), 1);
            assert_eq!(pass.next_length(Duration::from_secs(least)), None, "{why}");
        }
    }
}
