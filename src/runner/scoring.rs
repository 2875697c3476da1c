//! Scoring outputs, in launches of their own, so that neither memory nor first runs of the timed launches know of it.

use std::time::Duration;

use super::launch::Launch;
use super::round::Run;
use super::{Progress, RunError};
use crate::inputs::InputPlan;
use crate::plan::RuntimeChoice;
use crate::protocol::{Evaluation, EvaluationRole, Request, Response};
use crate::record::store::RunFolder;
use crate::record::{AccuracyRecord, Event, Failure, FailureKind, Outcome};
use crate::units::Nanos;

/// Samples per inference while scoring, where the model takes it.
const BATCH_SIZE: u64 = 32;
/// Where the baseline's outputs are kept for the others while they are scored.
const OUTPUTS: &str = ".baseline-outputs";
/// Share of the budget that scoring all sessions may take, and one session of a search.
const BUDGET_SHARE: f64 = 0.08;
/// Batches that the time for scoring a session holds at least: it ends with one of them.
const LEAST_BATCHES: f64 = 4.0;

/// Removes the outputs of the baseline, which an interrupted scoring leaves behind.
pub(super) fn forget_outputs(folder: &RunFolder) {
    // As a rule there are none any more.
    let _ = std::fs::remove_file(folder.path().join(OUTPUTS));
}

impl Run<'_> {
    /// Scores every session, the baseline's first.
    pub(super) async fn score_all(&mut self) -> Result<(), RunError> {
        let baseline = self.plan.baseline_session();
        let mut sessions: Vec<usize> = (0..self.plan.sessions.len()).collect();
        sessions.sort_by_key(|&session| Some(session) != baseline);
        let outputs = self.journal.folder().path().join(OUTPUTS);
        let mut max_samples = None;
        for session in sessions {
            if !self.has_open_cells(session) {
                continue;
            }
            let is_baseline = Some(session) == baseline;
            let role = match (is_baseline, outputs.exists()) {
                (true, _) => EvaluationRole::Baseline(outputs.clone()),
                (false, true) => EvaluationRole::Candidate(outputs.clone()),
                (false, false) => EvaluationRole::Alone,
            };
            let scored = self.score(session, role, max_samples).await?;
            if is_baseline {
                max_samples = scored;
            }
        }
        forget_outputs(self.journal.folder());
        Ok(())
    }

    /// Scores one session of a search, if it is not scored yet.
    pub(super) async fn score_one(&mut self, session: usize) -> Result<(), RunError> {
        let baseline = self.plan.baseline_session();
        let of_baseline = |record: &&AccuracyRecord| Some(record.session) == baseline && record.outcome.is_ok();
        let scored = self.journal.record().accuracy.iter().find(of_baseline).filter(|_| Some(session) != baseline);
        let max_samples = scored.map(|record| record.samples_count);
        if let (Some(baseline), Some(max_samples)) = (baseline, max_samples) {
            self.restore_outputs(baseline, max_samples).await?;
        }
        let outputs = self.journal.folder().path().join(OUTPUTS);
        let role = match (Some(session) == baseline, outputs.exists()) {
            (true, _) => EvaluationRole::Baseline(outputs),
            (false, true) => EvaluationRole::Candidate(outputs),
            (false, false) => EvaluationRole::Alone,
        };
        self.score(session, role, max_samples).await?;
        Ok(())
    }

    /// Computes the outputs of the baseline again where they are no longer there, as in a search that is taken up again.
    async fn restore_outputs(&mut self, baseline: usize, max_samples: u64) -> Result<(), RunError> {
        let outputs = self.journal.folder().path().join(OUTPUTS);
        if !outputs.exists() {
            self.evaluated(baseline, EvaluationRole::Baseline(outputs), Some(max_samples)).await?;
        }
        Ok(())
    }

    /// Scores one session; returns the samples that were scored.
    async fn score(
        &mut self,
        session: usize,
        role: EvaluationRole,
        max_samples: Option<u64>,
    ) -> Result<Option<u64>, RunError> {
        if matches!(self.plan.sessions[session].runtime, RuntimeChoice::Script(_)) {
            let reason = "a script of latencies computes no outputs".into();
            let record = self.unscored(session, 1, Outcome::Skipped { reason });
            self.journal.append(Event::Accuracy(Box::new(record)))?;
            return Ok(None);
        }
        let Some(record) = self.evaluated(session, role, max_samples).await? else { return Ok(None) };
        let samples = record.outcome.is_ok().then_some(record.samples_count);
        self.journal.append(Event::Accuracy(Box::new(record)))?;
        Ok(samples)
    }

    /// What the outputs of a session are worth; `None` if no worker could be started for it.
    async fn evaluated(
        &mut self,
        session: usize,
        role: EvaluationRole,
        max_samples: Option<u64>,
    ) -> Result<Option<AccuracyRecord>, RunError> {
        let Ok(described) = &self.descriptions[self.plan.sessions[session].variant] else { return Ok(None) };
        let inputs = described.inputs.clone();
        // Made-up samples are few, and one at a time the end of the time is never far.
        let wanted = if described.dataset.is_some() { BATCH_SIZE } else { 1 };
        let batch_size = described.model.batch_axis.fixed_size.unwrap_or(wanted);
        let batch_size = if inputs.supports_batch(batch_size).is_ok() { batch_size } else { 1 };
        let label = self.journal.record().session_label(session);
        let limit = Duration::from(self.scoring_limit());
        if limit < self.launch_with(session, 1) {
            let reason = "there was no time for it; raise `--budget`".into();
            return Ok(Some(self.unscored(session, batch_size, Outcome::Skipped { reason })));
        }
        let limit = limit.saturating_sub(self.launch_time(session).unwrap_or_default());
        let batch_size = self.batch_of_baseline(&inputs).unwrap_or_else(|| self.affordable_batch(&inputs, batch_size));
        self.observer.observe(&Progress::Scoring { session: &label });
        let Some(mut launch) = self.launch(session, 0).await? else { return Ok(None) };
        let evaluation = Evaluation {
            session,
            inputs,
            task: self.plan.task,
            batch_size,
            role,
            limit_ns: Some(limit.into()),
            max_samples,
            random_outputs: self.journal.record().random_outputs().into_iter().map(str::to_owned).collect(),
        };
        let record = self.evaluated_by(&mut launch, evaluation).await?;
        launch.worker.end().await;
        Ok(Some(record))
    }

    /// What a worker makes of an evaluation: one sample at a time where batches fail.
    async fn evaluated_by(
        &mut self,
        launch: &mut Launch,
        mut evaluation: Evaluation,
    ) -> Result<AccuracyRecord, RunError> {
        let session = evaluation.session;
        let patience = self.patience(evaluation.limit_ns.unwrap_or_default().into());
        let mut scored = evaluate(launch, &evaluation, patience).await;
        if let Err(failure) = &scored
            && may_score_singly(failure, launch, &evaluation)
        {
            let label = self.journal.record().session_label(session);
            let note = format!("{label} is scored one sample at a time: batches of {} fail", evaluation.batch_size);
            evaluation.batch_size = 1;
            scored = evaluate(launch, &evaluation, patience).await;
            if scored.is_ok() {
                self.note(note)?;
            }
        }
        let is_of_budget = patience < self.plan.schedule.timeout_ns.into();
        Ok(match scored {
            Ok(record) => record,
            Err(failure) if failure.kind == FailureKind::TimedOut && is_of_budget => {
                let reason = "scoring did not end within its share of the budget; raise `--budget`".to_owned();
                self.unscored(session, evaluation.batch_size, Outcome::Skipped { reason })
            }
            Err(failure) => {
                self.announce(session, None, &failure);
                self.unscored(session, evaluation.batch_size, Outcome::Failed(failure))
            }
        })
    }

    /// How long scoring a session may take; well within the time after which its worker counts as stuck.
    fn scoring_limit(&self) -> Nanos {
        let patience = Nanos(self.plan.schedule.timeout_ns.0 / 2);
        let sessions = if self.plan.tuning.is_some() { 1 } else { self.plan.sessions.len().max(1) };
        let share = |time: Duration| Nanos::from(time.div_f64(sessions as f64));
        self.beside_time(BUDGET_SHARE).map_or(patience, |time| share(time).min(patience))
    }

    /// The batch size that the baseline was scored with, if a model takes it: outputs are compared batch by batch.
    fn batch_of_baseline(&self, inputs: &InputPlan) -> Option<u64> {
        let baseline = self.plan.baseline_session();
        let of_baseline = |record: &&AccuracyRecord| Some(record.session) == baseline && record.outcome.is_ok();
        let scored = self.journal.record().accuracy.iter().find(of_baseline)?;
        Some(scored.batch_size).filter(|size| inputs.supports_batch(*size).is_ok())
    }

    /// The most samples, up to `wanted`, of which several batches fit into a session's share of the time: what the slowest
    /// session can do.
    fn affordable_batch(&self, inputs: &InputPlan, wanted: u64) -> u64 {
        let sessions = 0..self.plan.sessions.len();
        let slowest = sessions.clone().filter_map(|session| self.inference_time(session)).max();
        let (Some(slowest), Some(budget)) = (slowest, self.plan.schedule.budget_ns) else { return wanted };
        if inputs.supports_batch(1).is_err() {
            return wanted;
        }
        let time = Duration::from(budget).mul_f64(BUDGET_SHARE).as_secs_f64() / sessions.len().max(1) as f64;
        let samples = time / LEAST_BATCHES / slowest.as_secs_f64().max(1e-9);
        wanted.min((samples as u64).max(1))
    }

    fn unscored(&self, session: usize, batch_size: u64, outcome: Outcome) -> AccuracyRecord {
        AccuracyRecord {
            session,
            outcome,
            task: self.plan.task,
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
}

/// Whether a session that fails in batches may do better one sample at a time: a model that says that it takes any batch
/// size may still compute with only one.
fn may_score_singly(failure: &Failure, launch: &Launch, evaluation: &Evaluation) -> bool {
    matches!(failure.kind, FailureKind::Inference | FailureKind::OutOfMemory)
        && launch.worker.is_alive()
        && evaluation.batch_size > 1
        && evaluation.inputs.supports_batch(1).is_ok()
}

async fn evaluate(launch: &mut Launch, evaluation: &Evaluation, patience: Duration) -> Result<AccuracyRecord, Failure> {
    let request = Request::Evaluate(Box::new(evaluation.clone()));
    match launch.worker.ask_within(patience, &request, "score the outputs").await? {
        Response::Evaluated(record) => Ok(*record),
        other => Err(launch.worker.unexpected(&other).await),
    }
}
