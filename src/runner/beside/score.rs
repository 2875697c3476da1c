//! Scoring outputs, in launches of their own, so that neither memory nor first runs of the timed
//! launches know of it.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::plan::ScoredSamples;
use crate::protocol::{Evaluation, EvaluationRole, Request, Response};
use crate::record::{AccuracyRecord, DatasetInfo, Event, Failure, FailureKind, Outcome};
use crate::runner::error::require_share;
use crate::runner::{Launch, Progress, Result, Run};
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

pub(super) async fn all(run: &mut Run<'_>) -> Result<()> {
    let mut most = None;
    let mut order = scoring_order(run);
    if tells_only_by_comparison(run, &order) {
        // The slowest go first, until the baseline and those that are left have time. What is
        // skipped takes none.
        while order.len() > 1 && has_no_time(run, order[0], scoring_share(run, order[0])) {
            put_score(
                run,
                unscored(run, order.remove(1), 1, Outcome::skipped(NO_TIME)),
            )?;
        }
    }
    for session in order {
        most = score(run, session, most).await?.or(most);
    }
    // Where there are any.
    let _ = std::fs::remove_file(baseline_outputs(run));
    Ok(())
}

fn put_score(run: &mut Run<'_>, record: AccuracyRecord) -> Result<()> {
    run.append(Event::Accuracy(Box::new(record)))
}

/// The baseline first, then what takes longest: samples that one of them has no time for are
/// left out of the rest.
fn scoring_order(run: &Run<'_>) -> Vec<usize> {
    let has_data = datasets(run).next().is_some();
    let mut sessions: Vec<usize> = run
        .sessions()
        .filter(|&session| run.has_open_cells(session))
        .collect();
    if !has_data && sessions.len() < 2 && !is_any_scripted(run, &sessions) {
        return Vec::new();
    }
    let baseline = run.baseline();
    sessions.sort_by_key(|&session| {
        (
            Some(session) != baseline,
            Reverse(run.inference_time(session)),
        )
    });
    sessions
}

fn datasets<'r>(run: &'r Run<'_>) -> impl Iterator<Item = &'r DatasetInfo> {
    let described = run.descriptions.iter().flatten();
    described.filter_map(|described| described.dataset.as_ref())
}

fn is_any_scripted(run: &Run<'_>, sessions: &[usize]) -> bool {
    sessions
        .iter()
        .any(|&session| run.spec(session).is_scripted())
}

/// Whether nothing says what is right: without the baseline's, outputs of the others then tell
/// nothing more.
fn tells_only_by_comparison(run: &Run<'_>, sessions: &[usize]) -> bool {
    let mut data = datasets(run);
    let is_right_known = data.any(|data| data.has_labels() || data.has_expected_outputs);
    let baseline = run.baseline();
    let is_compared = baseline.is_some_and(|baseline| sessions.contains(&baseline));
    is_compared && sessions.len() > 1 && !is_right_known && !is_any_scripted(run, sessions)
}

/// Scores one session of a search, if it is not scored yet.
pub(in crate::runner) async fn one(run: &mut Run<'_>, session: usize) -> Result<()> {
    let baseline = run.baseline();
    let most = scored_baseline(run)
        .filter(|_| Some(session) != baseline)
        .map(|record| record.samples_count);
    // They are no longer there in a search that is taken up again.
    if let (Some(baseline), Some(_)) = (baseline, most)
        && !baseline_outputs(run).exists()
    {
        evaluated(run, baseline, most).await?;
    }
    score(run, session, most).await?;
    require_scored_share(run)
}

fn scored_baseline<'r>(run: &'r Run<'_>) -> Option<&'r AccuracyRecord> {
    run.record()
        .accuracy
        .iter()
        .find(|record| Some(record.session) == run.baseline() && record.outcome.is_ok())
}

/// Where labels could not be judged before anything was measured, it shows here whether scores
/// are a share.
fn require_scored_share(run: &Run<'_>) -> Result<()> {
    let Some(scores) = scored_baseline(run).and_then(|record| record.scores.as_ref()) else {
        return Ok(());
    };
    require_share(run.plan(), scores).inspect_err(|_| {
        // Nobody needs them any more, and the run ends here.
        let _ = std::fs::remove_file(baseline_outputs(run));
    })
}

fn baseline_outputs(run: &Run<'_>) -> PathBuf {
    run.journal.folder().baseline_outputs()
}

fn evaluation_role(run: &Run<'_>, session: usize) -> EvaluationRole {
    let outputs = baseline_outputs(run);
    // What lies there without a score of this run is somebody else's.
    let is_ours = scored_baseline(run).is_some() && outputs.exists();
    match (run.baseline(), is_ours) {
        (Some(baseline), _) if baseline == session => EvaluationRole::Baseline(outputs),
        (_, true) => EvaluationRole::Candidate(outputs),
        (_, false) => EvaluationRole::Alone,
    }
}

async fn score(run: &mut Run<'_>, session: usize, most: Option<u64>) -> Result<Option<u64>> {
    let record = if run.spec(session).is_scripted() {
        unscored(
            run,
            session,
            1,
            Outcome::skipped("a script of latencies computes no outputs"),
        )
    } else if let Some(record) = evaluated(run, session, most).await? {
        record
    } else {
        return Ok(None);
    };
    let samples = record.outcome.is_ok().then_some(record.samples_count);
    put_score(run, record)?;
    Ok(samples)
}

async fn evaluated(
    run: &mut Run<'_>,
    session: usize,
    most: Option<u64>,
) -> Result<Option<AccuracyRecord>> {
    let Ok(described) = run.description(session) else {
        return Ok(None);
    };
    let share = scoring_share(run, session);
    let batch_size = scoring_batch(run, session, share);
    if has_no_time(run, session, share) {
        return Ok(Some(unscored(
            run,
            session,
            batch_size,
            Outcome::skipped(NO_TIME),
        )));
    }
    let evaluation = Evaluation {
        session,
        inputs: described.inputs.clone(),
        task: run.plan().task,
        batch_size,
        role: evaluation_role(run, session),
        limit_ns: share.limit.map(Nanos::from),
        max_samples: [most, share.samples].into_iter().flatten().min(),
        random_outputs: random_outputs(run),
    };
    run.begin_beside(session, |session| Progress::Scoring { session });
    let Some(mut launch) = run.launch(session, 0).await? else {
        return Ok(None);
    };
    let record = evaluated_by(run, &mut launch, evaluation).await?;
    launch.worker.end().await;
    Ok(Some(record))
}

pub(in crate::runner) fn random_outputs(run: &Run<'_>) -> BTreeSet<String> {
    run.record()
        .random_outputs()
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// A worker's answer to an evaluation: one sample at a time where batches fail.
async fn evaluated_by(
    run: &mut Run<'_>,
    launch: &mut Launch,
    mut evaluation: Evaluation,
) -> Result<AccuracyRecord> {
    let session = evaluation.session;
    let patience = scoring_patience(run, &evaluation);
    let mut scored = launch.evaluate(&evaluation, patience).await;
    if let Err(failure) = &scored
        && may_score_singly(failure, launch, &evaluation)
    {
        let size = std::mem::replace(&mut evaluation.batch_size, 1);
        scored = launch.evaluate(&evaluation, patience).await;
        if scored.is_ok() {
            let label = run.label(session);
            run.note(format!(
                "{label} is scored one sample at a time: batches of {size} fail"
            ))?;
        }
    }
    let failure = match scored {
        Ok(record) => return Ok(record),
        Err(failure) => failure,
    };
    run.fail_beside(launch, &failure)?;
    let is_of_budget = patience < run.plan().schedule.timeout_ns.into();
    let outcome = if failure.kind == FailureKind::TimedOut && is_of_budget {
        Outcome::skipped("scoring did not end within its share of the budget; raise `--budget`")
    } else {
        run.announce(session, None, &failure);
        Outcome::Failed(failure)
    };
    Ok(unscored(run, session, evaluation.batch_size, outcome))
}

/// How long a worker that scores is waited for. One whose end is that of the data is given time
/// for all of it.
fn scoring_patience(run: &Run<'_>, evaluation: &Evaluation) -> Duration {
    let usual = Duration::from(run.plan().schedule.timeout_ns);
    if let Some(limit) = evaluation.limit_ns {
        return run.patience(limit.into()).min(usual);
    }
    let data = run.record().dataset.as_ref();
    let samples = evaluation
        .max_samples
        .or(data.map(|data| data.samples_count))
        .unwrap_or(1);
    match run.inference_time(evaluation.session) {
        Some(inference) => run.patience(inference.mul_f64(SLOWER / 2.0 * samples as f64)),
        None => usual,
    }
}

/// Outputs are compared batch by batch: the baseline's size if that is taken, else one that
/// leaves several batches.
fn scoring_batch(run: &Run<'_>, session: usize, share: Share) -> u64 {
    let Ok(described) = run.description(session) else {
        return 1;
    };
    let inputs = &described.inputs;
    let fixed = inputs.batch_axis.fixed_size;
    // Made-up samples are few, and one at a time the end of the time is never far.
    let usual = described.dataset.as_ref().map_or(1, |_| BATCH_SIZE);
    let wanted = fixed.unwrap_or(usual);
    let affordable = share.limit.map_or(wanted, |limit| {
        let batch = limit.as_secs_f64() / LEAST_BATCHES;
        wanted.min(((batch / inference_secs(run, session)) as u64).max(1))
    });
    scored_baseline(run)
        .map(|record| record.batch_size)
        .into_iter()
        .chain([affordable])
        .find(|&size| inputs.supports_batch(size).is_ok())
        .or(fixed)
        .unwrap_or(1)
}

/// Seconds of an inference of a session, and more than none.
fn inference_secs(run: &Run<'_>, session: usize) -> f64 {
    run.inference_time(session)
        .unwrap_or_default()
        .as_secs_f64()
        .max(1e-9)
}

fn unscored(run: &Run<'_>, session: usize, batch_size: u64, outcome: Outcome) -> AccuracyRecord {
    AccuracyRecord {
        session,
        outcome,
        task: run.plan().task,
        batch_size,
        ..AccuracyRecord::default()
    }
}

/// In proportion to what an inference takes, so that all are scored on the same samples. Those
/// that were scored have had theirs. A search scores one session at a time.
fn scoring_time(run: &Run<'_>, session: usize) -> Duration {
    // Well within the time after which a worker counts as stuck.
    let most = Duration::from(run.plan().schedule.timeout_ns) / 2;
    let Some(time) = run.beside_time(BUDGET_SHARE) else {
        return most;
    };
    let mut sessions = match run.plan().tuning {
        Some(_) => vec![session],
        None => scoring_order(run),
    };
    sessions.retain(|&other| other == session || !is_scored(run, other));
    let left = time.saturating_sub(
        sessions
            .iter()
            .filter_map(|&one| run.launch_time(one))
            .sum(),
    );
    let all: f64 = sessions.iter().map(|&one| inference_secs(run, one)).sum();
    let own = left.mul_f64(inference_secs(run, session) / all.max(1e-9));
    // The baseline ends with its time, the others with its samples: theirs is there in case
    // that they take longer.
    let is_baseline = run.baseline() == Some(session);
    own.mul_f64(if is_baseline { 1.0 } else { SPARE }).min(most)
}

fn is_scored(run: &Run<'_>, session: usize) -> bool {
    run.record()
        .accuracy
        .iter()
        .any(|record| record.session == session)
}

fn scoring_share(run: &Run<'_>, session: usize) -> Share {
    let (limit, samples) = match run.plan().scored_samples {
        ScoredSamples::Fitting => (Some(scoring_time(run, session)), None),
        ScoredSamples::All => (None, None),
        ScoredSamples::First(count) => (None, Some(count)),
    };
    Share { limit, samples }
}

fn has_no_time(run: &Run<'_>, session: usize, share: Share) -> bool {
    share
        .limit
        .is_some_and(|limit| limit < run.inference_time(session).unwrap_or_default())
}

#[derive(Clone, Copy)]
struct Share {
    /// Time to compute outputs in; absent where the samples are counted instead.
    limit: Option<Duration>,
    /// Samples at most; absent where the time limits them, or the data.
    samples: Option<u64>,
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

impl Launch {
    async fn evaluate(
        &mut self,
        evaluation: &Evaluation,
        patience: Duration,
    ) -> Result<AccuracyRecord, Failure> {
        let request = Request::Evaluate(Box::new(evaluation.clone()));
        match self
            .worker
            .ask_for(patience, &request, "score the outputs")
            .await?
        {
            Response::Evaluated(record) => Ok(*record),
            other => Err(self.worker.unexpected(&other).await),
        }
    }
}
