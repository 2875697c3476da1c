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

impl Run<'_> {
    pub(super) async fn score_all(&mut self) -> Result<()> {
        let mut most = None;
        let mut order = self.scoring_order();
        if self.tells_only_by_comparison(&order) {
            // The slowest go first, until the baseline and those that are left have time. What is
            // skipped takes none.
            while order.len() > 1 && self.has_no_time(order[0], self.scoring_share(order[0])) {
                self.put_score(self.unscored(order.remove(1), 1, Outcome::skipped(NO_TIME)))?;
            }
        }
        for session in order {
            most = self.score(session, most).await?.or(most);
        }
        // Where there are any.
        let _ = std::fs::remove_file(self.baseline_outputs());
        Ok(())
    }

    fn put_score(&mut self, record: AccuracyRecord) -> Result<()> {
        self.append(Event::Accuracy(Box::new(record)))
    }

    /// The baseline first, then what takes longest: samples that one of them has no time for are
    /// left out of the rest.
    fn scoring_order(&self) -> Vec<usize> {
        let has_data = self.datasets().next().is_some();
        let mut sessions: Vec<usize> = self
            .sessions()
            .filter(|&session| self.has_open_cells(session))
            .collect();
        if !has_data && sessions.len() < 2 && !self.is_any_scripted(&sessions) {
            return Vec::new();
        }
        let baseline = self.baseline();
        sessions.sort_by_key(|&session| {
            (
                Some(session) != baseline,
                Reverse(self.inference_time(session)),
            )
        });
        sessions
    }

    fn datasets(&self) -> impl Iterator<Item = &DatasetInfo> {
        let described = self.descriptions.iter().flatten();
        described.filter_map(|described| described.dataset.as_ref())
    }

    fn is_any_scripted(&self, sessions: &[usize]) -> bool {
        sessions
            .iter()
            .any(|&session| self.spec(session).is_scripted())
    }

    /// Whether nothing says what is right: without the baseline's, outputs of the others then tell
    /// nothing more.
    fn tells_only_by_comparison(&self, sessions: &[usize]) -> bool {
        let mut data = self.datasets();
        let is_right_known = data.any(|data| data.has_labels() || data.has_expected_outputs);
        let baseline = self.baseline();
        let is_compared = baseline.is_some_and(|baseline| sessions.contains(&baseline));
        is_compared && sessions.len() > 1 && !is_right_known && !self.is_any_scripted(sessions)
    }

    /// Scores one session of a search, if it is not scored yet.
    pub(in crate::runner) async fn score_one(&mut self, session: usize) -> Result<()> {
        let baseline = self.baseline();
        let most = self
            .scored_baseline()
            .filter(|_| Some(session) != baseline)
            .map(|record| record.samples_count);
        // They are no longer there in a search that is taken up again.
        if let (Some(baseline), Some(_)) = (baseline, most)
            && !self.baseline_outputs().exists()
        {
            self.evaluated(baseline, most).await?;
        }
        self.score(session, most).await?;
        self.require_share()
    }

    fn scored_baseline(&self) -> Option<&AccuracyRecord> {
        self.record()
            .accuracy
            .iter()
            .find(|record| Some(record.session) == self.baseline() && record.outcome.is_ok())
    }

    /// Where labels could not be judged before anything was measured, it shows here whether scores
    /// are a share.
    fn require_share(&self) -> Result<()> {
        let Some(scores) = self
            .scored_baseline()
            .and_then(|record| record.scores.as_ref())
        else {
            return Ok(());
        };
        require_share(self.plan(), scores).inspect_err(|_| {
            // Nobody needs them any more, and the run ends here.
            let _ = std::fs::remove_file(self.baseline_outputs());
        })
    }

    fn baseline_outputs(&self) -> PathBuf {
        self.journal.folder().baseline_outputs()
    }

    fn evaluation_role(&self, session: usize) -> EvaluationRole {
        let outputs = self.baseline_outputs();
        // What lies there without a score of this run is somebody else's.
        let is_ours = self.scored_baseline().is_some() && outputs.exists();
        match (self.baseline(), is_ours) {
            (Some(baseline), _) if baseline == session => EvaluationRole::Baseline(outputs),
            (_, true) => EvaluationRole::Candidate(outputs),
            (_, false) => EvaluationRole::Alone,
        }
    }

    async fn score(&mut self, session: usize, most: Option<u64>) -> Result<Option<u64>> {
        let record = if self.spec(session).is_scripted() {
            self.unscored(
                session,
                1,
                Outcome::skipped("a script of latencies computes no outputs"),
            )
        } else if let Some(record) = self.evaluated(session, most).await? {
            record
        } else {
            return Ok(None);
        };
        let samples = record.outcome.is_ok().then_some(record.samples_count);
        self.put_score(record)?;
        Ok(samples)
    }

    async fn evaluated(
        &mut self,
        session: usize,
        most: Option<u64>,
    ) -> Result<Option<AccuracyRecord>> {
        let Ok(described) = self.description(session) else {
            return Ok(None);
        };
        let share = self.scoring_share(session);
        let batch_size = self.scoring_batch(session, share);
        if self.has_no_time(session, share) {
            return Ok(Some(self.unscored(
                session,
                batch_size,
                Outcome::skipped(NO_TIME),
            )));
        }
        let evaluation = Evaluation {
            session,
            inputs: described.inputs.clone(),
            task: self.plan().task,
            batch_size,
            role: self.evaluation_role(session),
            limit_ns: share.limit.map(Nanos::from),
            max_samples: [most, share.samples].into_iter().flatten().min(),
            random_outputs: self.random_outputs(),
        };
        self.begin_beside(session, |session| Progress::Scoring { session });
        let Some(mut launch) = self.launch(session, 0).await? else {
            return Ok(None);
        };
        let record = self.evaluated_by(&mut launch, evaluation).await?;
        launch.worker.end().await;
        Ok(Some(record))
    }

    pub(super) fn random_outputs(&self) -> BTreeSet<String> {
        self.record()
            .random_outputs()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    /// A worker's answer to an evaluation: one sample at a time where batches fail.
    async fn evaluated_by(
        &mut self,
        launch: &mut Launch,
        mut evaluation: Evaluation,
    ) -> Result<AccuracyRecord> {
        let session = evaluation.session;
        let patience = self.scoring_patience(&evaluation);
        let mut scored = launch.evaluate(&evaluation, patience).await;
        if let Err(failure) = &scored
            && may_score_singly(failure, launch, &evaluation)
        {
            let size = std::mem::replace(&mut evaluation.batch_size, 1);
            scored = launch.evaluate(&evaluation, patience).await;
            if scored.is_ok() {
                let label = self.label(session);
                self.note(format!(
                    "{label} is scored one sample at a time: batches of {size} fail"
                ))?;
            }
        }
        let failure = match scored {
            Ok(record) => return Ok(record),
            Err(failure) => failure,
        };
        self.fail_beside(launch, &failure)?;
        let is_of_budget = patience < self.plan().schedule.timeout_ns.into();
        let outcome = if failure.kind == FailureKind::TimedOut && is_of_budget {
            Outcome::skipped("scoring did not end within its share of the budget; raise `--budget`")
        } else {
            self.announce(session, None, &failure);
            Outcome::Failed(failure)
        };
        Ok(self.unscored(session, evaluation.batch_size, outcome))
    }

    /// How long a worker that scores is waited for. One whose end is that of the data is given time
    /// for all of it.
    fn scoring_patience(&self, evaluation: &Evaluation) -> Duration {
        let usual = Duration::from(self.plan().schedule.timeout_ns);
        if let Some(limit) = evaluation.limit_ns {
            return self.patience(limit.into()).min(usual);
        }
        let data = self.record().dataset.as_ref();
        let samples = evaluation
            .max_samples
            .or(data.map(|data| data.samples_count))
            .unwrap_or(1);
        match self.inference_time(evaluation.session) {
            Some(inference) => self.patience(inference.mul_f64(SLOWER / 2.0 * samples as f64)),
            None => usual,
        }
    }

    /// Outputs are compared batch by batch: the baseline's size if that is taken, else one that
    /// leaves several batches.
    fn scoring_batch(&self, session: usize, share: Share) -> u64 {
        let Ok(described) = self.description(session) else {
            return 1;
        };
        let inputs = &described.inputs;
        let fixed = inputs.batch_axis.fixed_size;
        // Made-up samples are few, and one at a time the end of the time is never far.
        let usual = described.dataset.as_ref().map_or(1, |_| BATCH_SIZE);
        let wanted = fixed.unwrap_or(usual);
        let affordable = share.limit.map_or(wanted, |limit| {
            let batch = limit.as_secs_f64() / LEAST_BATCHES;
            wanted.min(((batch / self.inference_secs(session)) as u64).max(1))
        });
        self.scored_baseline()
            .map(|record| record.batch_size)
            .into_iter()
            .chain([affordable])
            .find(|&size| inputs.supports_batch(size).is_ok())
            .or(fixed)
            .unwrap_or(1)
    }

    /// Seconds of an inference of a session, and more than none.
    fn inference_secs(&self, session: usize) -> f64 {
        self.inference_time(session)
            .unwrap_or_default()
            .as_secs_f64()
            .max(1e-9)
    }

    fn unscored(&self, session: usize, batch_size: u64, outcome: Outcome) -> AccuracyRecord {
        AccuracyRecord {
            session,
            outcome,
            task: self.plan().task,
            batch_size,
            ..AccuracyRecord::default()
        }
    }

    /// In proportion to what an inference takes, so that all are scored on the same samples. Those
    /// that were scored have had theirs. A search scores one session at a time.
    fn scoring_time(&self, session: usize) -> Duration {
        // Well within the time after which a worker counts as stuck.
        let most = Duration::from(self.plan().schedule.timeout_ns) / 2;
        let Some(time) = self.beside_time(BUDGET_SHARE) else {
            return most;
        };
        let mut sessions = match self.plan().tuning {
            Some(_) => vec![session],
            None => self.scoring_order(),
        };
        sessions.retain(|&other| other == session || !self.is_scored(other));
        let left = time.saturating_sub(
            sessions
                .iter()
                .filter_map(|&one| self.launch_time(one))
                .sum(),
        );
        let all: f64 = sessions.iter().map(|&one| self.inference_secs(one)).sum();
        let own = left.mul_f64(self.inference_secs(session) / all.max(1e-9));
        // The baseline ends with its time, the others with its samples: theirs is there in case
        // that they take longer.
        let is_baseline = self.baseline() == Some(session);
        own.mul_f64(if is_baseline { 1.0 } else { SPARE }).min(most)
    }

    fn is_scored(&self, session: usize) -> bool {
        self.record()
            .accuracy
            .iter()
            .any(|record| record.session == session)
    }

    fn scoring_share(&self, session: usize) -> Share {
        let (limit, samples) = match self.plan().scored_samples {
            ScoredSamples::Fitting => (Some(self.scoring_time(session)), None),
            ScoredSamples::All => (None, None),
            ScoredSamples::First(count) => (None, Some(count)),
        };
        Share { limit, samples }
    }

    fn has_no_time(&self, session: usize, share: Share) -> bool {
        share
            .limit
            .is_some_and(|limit| limit < self.inference_time(session).unwrap_or_default())
    }
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
