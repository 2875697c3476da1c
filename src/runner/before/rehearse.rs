//! Whether labels and outputs go together, found out on the first samples before anything is
//! measured: labels that are not understood are to stop a run, not to end it.
//!
//! It takes next to no time: where an inference is long, the outputs are those that trying inputs
//! out has left, and where these are not at hand either, labels are judged when outputs are scored.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::inputs::InputPlan;

use crate::protocol::{Evaluation, EvaluationRole, Request, Response};
use crate::record::{AccuracyRecord, DatasetInfo, Failure, FailureKind, Scores};
use crate::runner::before::{Prepared, settle};
use crate::runner::error::require_share;
use crate::runner::time::Time;
use crate::runner::{Job, Launch, Launcher, Result, RunError};
use crate::text::Plain;

/// Samples that outputs are computed of, as far as there is time.
const SAMPLES: u64 = 2;
/// Share of what is left of the time that computing them may take.
const SHARE: f64 = 0.1;
/// Share of what is left after which a worker that judges labels counts as stuck.
const LONGEST: f64 = 0.5;
/// It is waited for this long in any case, which reading data and a loaded machine may take.
const PATIENCE: Duration = Duration::from_secs(2);
const LONG_LOAD: &str = "loading the model takes long beside what is left of the budget";
const NO_OUTPUTS: &str = "trying inputs out left no outputs of the first samples, and an inference is long beside what is \
                          left of the budget";

enum Judged {
    As(Box<AccuracyRecord>),
    /// Why not.
    Not(&'static str),
}

/// Judges the labels by the outputs of the first samples. Returns `launch`, in which inputs were
/// tried out, or another one where none was left. A session that cannot be run at all is no error:
/// the run reports it.
pub(in crate::runner) async fn labels(
    job: &mut Job,
    prepared: &mut Prepared,
    mut launch: Option<Launch>,
    launcher: &Launcher,
) -> Result<Option<Launch>> {
    let Some(rehearsal) = Rehearsal::of(job, prepared, launch.as_ref()) else {
        return Ok(launch);
    };
    let record = match rehearsal.judge(job, &mut launch, launcher).await {
        Ok(Judged::As(record)) => *record,
        Ok(Judged::Not(why)) => {
            job.notes.push(format!(
                "whether labels and outputs go together shows only when outputs are scored: {why}"
            ));
            return Ok(launch);
        }
        Err(failure) if failure.kind == FailureKind::BadInput => {
            return Err(RunError::Labels(failure));
        }
        Err(failure) => {
            settle::lose(job, rehearsal.session, &failure);
            return Ok(launch);
        }
    };
    let Some(scores) = &record.scores else {
        return Ok(launch);
    };
    require_share(&job.plan, scores)?;
    job.notes.extend(record.labels_as.map(Plain::into_exact));
    if matches!(scores, Scores::Regression { .. }) {
        // Labels that are numbers to predict are no classes, even where all of them are whole.
        let described = prepared.descriptions.iter_mut().flatten();
        for dataset in described.flat_map(|described| &mut described.dataset) {
            dataset.class_labels = None;
        }
    }
    Ok(launch)
}

/// Why labels are not judged, where it was given up for the want of time, or ran nothing that would
/// tell.
fn given_up(failure: Failure, request: &Request) -> Result<Judged, Failure> {
    match failure.kind {
        FailureKind::TimedOut => Ok(Judged::Not(
            "judging them on the first samples did not end in its share of the budget",
        )),
        FailureKind::Inference if matches!(request, Request::Rehearse(_)) => {
            Ok(Judged::Not(NO_OUTPUTS))
        }
        _ => Err(failure),
    }
}

struct Rehearsal {
    session: usize,
    inputs: InputPlan,
    /// Time of an inference when inputs were tried out; zero where that is not known.
    inference: Duration,
}

impl Rehearsal {
    /// In the session of `launch`, or else the baseline's; `None` where nothing is labelled, or
    /// nothing computes outputs.
    fn of(job: &Job, prepared: &Prepared, launch: Option<&Launch>) -> Option<Rehearsal> {
        let session = launch
            .map(|launch| launch.record.session)
            .or_else(|| job.plan.baseline_session())?;
        let spec = &job.plan.sessions[session];
        let described = prepared.descriptions[spec.variant].as_ref().ok()?;
        let is_labelled = described
            .dataset
            .as_ref()
            .is_some_and(DatasetInfo::has_labels);
        if !is_labelled || spec.is_scripted() || job.resumed.is_some() {
            return None;
        }
        Some(Rehearsal {
            session,
            inputs: described.inputs.clone(),
            inference: prepared
                .descriptions
                .iter()
                .flatten()
                .filter_map(|described| described.probe.as_ref()?.inference_ns)
                .max()
                .unwrap_or_default()
                .into(),
        })
    }

    async fn judge(
        &self,
        job: &Job,
        launch: &mut Option<Launch>,
        launcher: &Launcher,
    ) -> Result<Judged, Failure> {
        let is_tried_out = launch
            .as_ref()
            .is_some_and(|launch| launch.worker.is_alive());
        if !is_tried_out {
            let left = Time::of(job).remaining();
            if self.affordable(left).is_none() {
                return Ok(Judged::Not(if left.is_zero() {
                    "nothing is left of the budget"
                } else {
                    "an inference is long beside what is left of the budget"
                }));
            }
            *launch = match self.start(job, launcher).await? {
                None => return Ok(Judged::Not(LONG_LOAD)),
                started => started,
            };
        }
        let Some(launch) = launch else {
            return Ok(Judged::Not(LONG_LOAD));
        };
        let left = Time::of(job).remaining();
        let limit = left.mul_f64(LONGEST).max(PATIENCE);
        let (request, doing) = match self.affordable(left) {
            // Nothing was tried out in this launch, so that it has no outputs.
            None if !is_tried_out => {
                return Ok(Judged::Not(
                    "loading the model left too little of the budget for an inference",
                ));
            }
            Some(samples) => (
                Request::Evaluate(self.evaluation(job, samples)),
                "score the first samples",
            ),
            None => (
                Request::Rehearse(self.evaluation(job, self.least())),
                "judge the labels",
            ),
        };
        match launch.worker.ask_within(limit, &request, doing).await {
            Ok(Response::Evaluated(record)) => Ok(Judged::As(record)),
            Ok(other) => Err(launch.worker.unexpected(&other).await),
            Err(failure) => given_up(failure, &request),
        }
    }

    /// A launch of its own; `None` if it takes long, and could not serve the first round either.
    async fn start(&self, job: &Job, launcher: &Launcher) -> Result<Option<Launch>, Failure> {
        let limit = if settle::may_serve(&job.plan, self.session) {
            Duration::MAX
        } else {
            Time::of(job).remaining().mul_f64(SHARE).max(PATIENCE)
        };
        tokio::time::timeout(limit, settle::start(job, launcher, self.session))
            .await
            .ok()
            .transpose()
    }

    fn least(&self) -> u64 {
        self.inputs.batch_axis.fixed_size.unwrap_or(1)
    }

    /// Samples of an inference that there is time for; `None` where even the smallest is long
    /// beside what is left.
    fn affordable(&self, left: Duration) -> Option<u64> {
        let least = self.least();
        let share = left.mul_f64(SHARE);
        if left.is_zero() || self.inference > share {
            return None;
        }
        let fits = self.inference * SAMPLES as u32 <= share;
        let takes_more = fits && self.inputs.supports_batch(SAMPLES).is_ok();
        Some(if takes_more { SAMPLES } else { least })
    }

    fn evaluation(&self, job: &Job, batch_size: u64) -> Box<Evaluation> {
        Box::new(Evaluation {
            session: self.session,
            inputs: self.inputs.clone(),
            task: job.plan.task,
            batch_size,
            role: EvaluationRole::Alone,
            limit_ns: None,
            max_samples: Some(batch_size),
            random_outputs: BTreeSet::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{AxisReason, BatchAxis, BatchProof};

    const SECOND: Duration = Duration::from_secs(1);

    fn rehearsal(inference: Duration, fixed_size: Option<u64>) -> Rehearsal {
        let batch_axis = BatchAxis {
            axes: [("x".into(), 0)].into(),
            symbol: None,
            fixed_size,
            reason: AxisReason::SymbolName,
            proof: BatchProof::Proved,
        };
        Rehearsal {
            session: 0,
            inputs: InputPlan::made_up(Vec::new(), batch_axis),
            inference,
        }
    }

    #[test]
    fn outputs_are_computed_only_where_that_takes_little_of_what_is_left() {
        for (inference, fixed_size, left, samples) in [
            (SECOND / 10, None, SECOND * 10, Some(2)),
            // Two samples may take twice as long.
            (SECOND * 7 / 10, None, SECOND * 10, Some(1)),
            (SECOND * 7, None, SECOND * 10, None),
            (Duration::ZERO, None, Duration::ZERO, None),
            (SECOND * 7, None, Duration::MAX, Some(2)),
            (SECOND / 10, Some(4), SECOND * 10, Some(4)),
            (SECOND * 7, Some(4), SECOND * 10, None),
        ] {
            assert_eq!(
                rehearsal(inference, fixed_size).affordable(left),
                samples,
                "{inference:?} of {left:?}"
            );
        }
    }
}
