//! Scoring outputs, in launches of their own, so that neither memory nor first runs of the timed
//! launches know of it.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::metric::Unit;
use crate::plan::ScoredSamples;
use crate::protocol::{Evaluation, EvaluationRole, Request, Response};
use crate::record::{AccuracyRecord, Event, Failure, FailureKind, Outcome};
use crate::runner::{Launch, Progress, Run, RunError};
use crate::units::Nanos;

/// Samples per inference while scoring, where the model takes it.
const BATCH_SIZE: u64 = 32;
/// Share of the budget that scoring all sessions may take, and one session of a search.
const BUDGET_SHARE: f64 = 0.08;
/// Batches that the time for scoring a session holds at least: it ends with one of them.
const LEAST_BATCHES: f64 = 4.0;
/// Time of a session over the time that its samples should take.
const SPARE: f64 = 1.5;
const NO_TIME: &str = "there was no time for it; raise `--budget`, or name `--score-samples`";
/// How many times as long as timed inferences those that are scored may take before their worker
/// counts as stuck.
const SLOWER: f64 = 4.0;

pub(in crate::runner) async fn all(run: &mut Run<'_>) -> Result<(), RunError> {
    let mut most = None;
    let mut order = scoring_order(run);
    if tells_only_by_comparison(run, &order) {
        // The slowest go first, until the baseline and those that are left have time. What is
        // skipped takes none.
        while order.len() > 1 && Share::of(run, order[0]).is_too_short(run, order[0]) {
            let record = unscored(
                run,
                order.remove(1),
                1,
                Outcome::Skipped {
                    reason: NO_TIME.into(),
                },
            );
            run.journal.append(Event::Accuracy(Box::new(record)))?;
        }
    }
    for session in order {
        most = score(run, session, most).await?.or(most);
    }
    // Where there are any.
    let _ = std::fs::remove_file(baseline_outputs(run));
    Ok(())
}

/// The baseline first, then what takes longest: samples that one of them has no time for are left
/// out of the rest.
fn scoring_order(run: &Run<'_>) -> Vec<usize> {
    let has_data = run
        .descriptions
        .iter()
        .flatten()
        .any(|described| described.dataset.is_some());
    let sessions = 0..run.plan().sessions.len();
    let mut sessions: Vec<usize> = sessions
        .filter(|&session| run.has_open_cells(session))
        .collect();
    if !has_data
        && sessions.len() < 2
        && !sessions
            .iter()
            .any(|&session| run.plan().sessions[session].is_scripted())
    {
        return Vec::new();
    }
    let baseline = run.plan().baseline_session();
    sessions.sort_by_key(|&session| {
        (
            Some(session) != baseline,
            Reverse(run.inference_time(session)),
        )
    });
    sessions
}

/// Whether nothing says what is right: without the baseline's, outputs of the others then tell
/// nothing more.
fn tells_only_by_comparison(run: &Run<'_>, sessions: &[usize]) -> bool {
    let mut data = run
        .descriptions
        .iter()
        .flatten()
        .filter_map(|described| described.dataset.as_ref());
    let is_right_known = data.any(|data| data.has_labels() || data.has_expected_outputs);
    let is_compared = run
        .plan()
        .baseline_session()
        .is_some_and(|baseline| sessions.contains(&baseline));
    let is_any_scripted = sessions
        .iter()
        .any(|&session| run.plan().sessions[session].is_scripted());
    is_compared && sessions.len() > 1 && !is_right_known && !is_any_scripted
}

/// Scores one session of a search, if it is not scored yet.
pub(in crate::runner) async fn one(run: &mut Run<'_>, session: usize) -> Result<(), RunError> {
    let baseline = run.plan().baseline_session();
    let scored = scored_baseline(run).filter(|_| Some(session) != baseline);
    let most = scored.map(|record| record.samples_count);
    // They are no longer there in a search that is taken up again.
    if let (Some(baseline), Some(_)) = (baseline, most)
        && !baseline_outputs(run).exists()
    {
        evaluated(run, baseline, most).await?;
    }
    score(run, session, most).await?;
    require_share(run)
}

fn scored_baseline<'r>(run: &'r Run<'_>) -> Option<&'r AccuracyRecord> {
    let baseline = run.plan().baseline_session();
    let mut scored = run.journal.record().accuracy.iter();
    scored.find(|record| Some(record.session) == baseline && record.outcome.is_ok())
}

/// Where labels could not be judged before anything was measured, it shows here whether scores are
/// a share.
fn require_share(run: &Run<'_>) -> Result<(), RunError> {
    let limits_drop = run
        .plan()
        .tuning
        .as_ref()
        .is_some_and(|tuning| tuning.max_accuracy_drop_ratio.is_some());
    let scores = scored_baseline(run).and_then(|record| record.scores.as_ref());
    if limits_drop && scores.is_some_and(|scores| scores.leading().unit() != Unit::Ratio) {
        // Nobody needs them any more, and the run ends here.
        let _ = std::fs::remove_file(baseline_outputs(run));
        return Err(RunError::NoShare);
    }
    Ok(())
}

fn baseline_outputs(run: &Run<'_>) -> PathBuf {
    run.journal.folder().baseline_outputs()
}

fn role(run: &Run<'_>, session: usize) -> EvaluationRole {
    let outputs = baseline_outputs(run);
    // What lies there without a score of this run is somebody else's.
    let is_ours = scored_baseline(run).is_some() && outputs.exists();
    match (Some(session) == run.plan().baseline_session(), is_ours) {
        (true, _) => EvaluationRole::Baseline(outputs),
        (false, true) => EvaluationRole::Candidate(outputs),
        (false, false) => EvaluationRole::Alone,
    }
}

async fn score(
    run: &mut Run<'_>,
    session: usize,
    most: Option<u64>,
) -> Result<Option<u64>, RunError> {
    if run.plan().sessions[session].is_scripted() {
        let reason = "a script of latencies computes no outputs".into();
        let record = unscored(run, session, 1, Outcome::Skipped { reason });
        run.journal.append(Event::Accuracy(Box::new(record)))?;
        return Ok(None);
    }
    let Some(record) = evaluated(run, session, most).await? else {
        return Ok(None);
    };
    let samples = record.outcome.is_ok().then_some(record.samples_count);
    run.journal.append(Event::Accuracy(Box::new(record)))?;
    Ok(samples)
}

async fn evaluated(
    run: &mut Run<'_>,
    session: usize,
    most: Option<u64>,
) -> Result<Option<AccuracyRecord>, RunError> {
    let Ok(described) = run.description(session) else {
        return Ok(None);
    };
    let inputs = described.inputs.clone();
    let share = Share::of(run, session);
    let batch_size = scoring_batch(run, session, share);
    let label = run.label(session);
    if share.is_too_short(run, session) {
        return Ok(Some(unscored(
            run,
            session,
            batch_size,
            Outcome::Skipped {
                reason: NO_TIME.into(),
            },
        )));
    }
    let role = role(run, session);
    run.observer.observe(&Progress::Scoring { session: &label });
    let Some(mut launch) = run.launch(session, 0).await? else {
        return Ok(None);
    };
    let evaluation = Evaluation {
        session,
        inputs,
        task: run.plan().task,
        batch_size,
        role,
        limit_ns: share.limit.map(Nanos::from),
        max_samples: [most, share.samples].into_iter().flatten().min(),
        random_outputs: random_outputs(run),
    };
    let record = evaluated_by(run, &mut launch, evaluation).await?;
    launch.worker.end().await;
    Ok(Some(record))
}

fn random_outputs(run: &Run<'_>) -> BTreeSet<String> {
    let names = run.journal.record().random_outputs();
    names.into_iter().map(str::to_owned).collect()
}

/// A worker's answer to an evaluation: one sample at a time where batches fail.
async fn evaluated_by(
    run: &mut Run<'_>,
    launch: &mut Launch,
    mut evaluation: Evaluation,
) -> Result<AccuracyRecord, RunError> {
    let session = evaluation.session;
    let patience = scoring_patience(run, &evaluation);
    let mut scored = evaluate(launch, &evaluation, patience).await;
    if let Err(failure) = &scored
        && may_score_singly(failure, launch, &evaluation)
    {
        let label = run.label(session);
        let note = format!(
            "{label} is scored one sample at a time: batches of {} fail",
            evaluation.batch_size
        );
        evaluation.batch_size = 1;
        scored = evaluate(launch, &evaluation, patience).await;
        if scored.is_ok() {
            run.note(note)?;
        }
    }
    let is_of_budget = patience < run.plan().schedule.timeout_ns.into();
    let outcome = match scored {
        Ok(record) => return Ok(record),
        Err(failure) if failure.kind == FailureKind::TimedOut && is_of_budget => {
            run.fail_beside(launch, &failure)?;
            let reason = "scoring did not end within its share of the budget; raise `--budget`";
            Outcome::Skipped {
                reason: reason.into(),
            }
        }
        Err(failure) => {
            run.fail_beside(launch, &failure)?;
            run.announce(session, None, &failure);
            Outcome::Failed(failure)
        }
    };
    Ok(unscored(run, session, evaluation.batch_size, outcome))
}

/// How long a worker that scores is waited for. One whose end is that of the data is given time for
/// all of it.
fn scoring_patience(run: &Run<'_>, evaluation: &Evaluation) -> Duration {
    let usual = Duration::from(run.plan().schedule.timeout_ns);
    if let Some(limit) = evaluation.limit_ns {
        return run.patience(limit.into()).min(usual);
    }
    let data = run.journal.record().dataset.as_ref();
    let samples = evaluation
        .max_samples
        .or(data.map(|data| data.samples_count))
        .unwrap_or(1);
    match run.inference_time(evaluation.session) {
        Some(inference) => run.patience(inference.mul_f64(SLOWER / 2.0 * samples as f64)),
        None => usual,
    }
}

/// Outputs are compared batch by batch: the baseline's size if that is taken, else one that leaves
/// several batches.
fn scoring_batch(run: &Run<'_>, session: usize, share: Share) -> u64 {
    let Ok(described) = run.description(session) else {
        return 1;
    };
    let inputs = &described.inputs;
    if let Some(size) = scored_baseline(run)
        .map(|record| record.batch_size)
        .filter(|&size| inputs.supports_batch(size).is_ok())
    {
        return size;
    }
    // Made-up samples are few, and one at a time the end of the time is never far.
    let wanted = if described.dataset.is_some() {
        BATCH_SIZE
    } else {
        1
    };
    let wanted = inputs.batch_axis.fixed_size.unwrap_or(wanted);
    let affordable = share.limit.map_or(wanted, |limit| {
        let batch = limit.as_secs_f64() / LEAST_BATCHES;
        wanted.min(((batch / inference_secs(run, session)) as u64).max(1))
    });
    Some(affordable)
        .filter(|&size| inputs.supports_batch(size).is_ok())
        .or(inputs.batch_axis.fixed_size)
        .unwrap_or(1)
}

/// Seconds of an inference of a session, and more than none.
fn inference_secs(run: &Run<'_>, session: usize) -> f64 {
    let inference = run.inference_time(session).unwrap_or_default();
    inference.as_secs_f64().max(1e-9)
}

fn unscored(run: &Run<'_>, session: usize, batch_size: u64, outcome: Outcome) -> AccuracyRecord {
    AccuracyRecord {
        session,
        outcome,
        task: run.plan().task,
        batch_size,
        samples_count: 0,
        outputs: Vec::new(),
        scores: None,
        labels_as: None,
        agreement: Vec::new(),
        reference: None,
        not_comparable: Vec::new(),
    }
}

#[derive(Clone, Copy, Debug)]
struct Share {
    /// Time to compute outputs in; absent where the samples are counted instead.
    limit: Option<Duration>,
    /// Samples at most; absent where the time limits them, or the data.
    samples: Option<u64>,
}

impl Share {
    fn of(run: &Run<'_>, session: usize) -> Share {
        match run.plan().scored_samples {
            ScoredSamples::Fitting => Share {
                limit: Some(time_of(run, session)),
                samples: None,
            },
            ScoredSamples::All => Share {
                limit: None,
                samples: None,
            },
            ScoredSamples::First(count) => Share {
                limit: None,
                samples: Some(count),
            },
        }
    }

    fn is_too_short(self, run: &Run<'_>, session: usize) -> bool {
        self.limit
            .is_some_and(|limit| limit < run.inference_time(session).unwrap_or_default())
    }
}

/// In proportion to what an inference takes, so that all are scored on the same samples. Those that
/// were scored have had theirs. A search scores one session at a time.
fn time_of(run: &Run<'_>, session: usize) -> Duration {
    // Well within the time after which a worker counts as stuck.
    let most = Duration::from(run.plan().schedule.timeout_ns) / 2;
    let Some(time) = run.beside_time(BUDGET_SHARE) else {
        return most;
    };
    let sessions = match run.plan().tuning {
        Some(_) => vec![session],
        None => scoring_order(run)
            .into_iter()
            .filter(|&other| other == session || !is_judged(run, other))
            .collect(),
    };
    let launches: Duration = sessions
        .iter()
        .filter_map(|&session| run.launch_time(session))
        .sum();
    let all: f64 = sessions
        .iter()
        .map(|&session| inference_secs(run, session))
        .sum();
    let own = time
        .saturating_sub(launches)
        .mul_f64(inference_secs(run, session) / all.max(1e-9));
    // The baseline ends with its time, the others with its samples: theirs is there in case that
    // they take longer.
    let spare = if run.plan().baseline_session() == Some(session) {
        1.0
    } else {
        SPARE
    };
    own.mul_f64(spare).min(most)
}

fn is_judged(run: &Run<'_>, session: usize) -> bool {
    let mut scored = run.journal.record().accuracy.iter();
    scored.any(|record| record.session == session)
}

/// A model that says that it takes any batch size may still compute with only one.
fn may_score_singly(failure: &Failure, launch: &Launch, evaluation: &Evaluation) -> bool {
    matches!(
        failure.kind,
        FailureKind::Inference | FailureKind::OutOfMemory
    ) && launch.worker.is_alive()
        && evaluation.batch_size > 1
        && evaluation.inputs.supports_batch(1).is_ok()
}

async fn evaluate(
    launch: &mut Launch,
    evaluation: &Evaluation,
    patience: Duration,
) -> Result<AccuracyRecord, Failure> {
    let request = Request::Evaluate(Box::new(evaluation.clone()));
    match launch
        .worker
        .ask_for(patience, &request, "score the outputs")
        .await?
    {
        Response::Evaluated(record) => Ok(*record),
        other => Err(launch.worker.unexpected(&other).await),
    }
}
