//! Whether labels and outputs go together, found out on the first samples before anything is measured: labels that are not
//! understood are to stop a run, not to end it.

use super::begin::Prepared;
use super::prepare::Description;
use super::settle::{self, Place, Warm};
use super::{Job, RunError};
use crate::inputs::InputPlan;
use crate::plan::RuntimeChoice;
use crate::protocol::{Described, Evaluation, EvaluationRole, Request, Response};
use crate::record::{AccuracyRecord, DatasetInfo, Failure, FailureKind, Scores, Unit};

/// Samples that outputs are computed of.
const SAMPLES: u64 = 2;

/// Scores the first samples by the baseline, and takes note of what the labels were taken for.
///
/// # Errors
/// [`RunError::Labels`] where they fit no output in a form that is known, and [`RunError::NoShare`] where a fall of
/// accuracy is limited and there will be no accuracy. A baseline that cannot be run at all is for the run to report.
pub(super) async fn labels(
    job: &mut Job,
    prepared: &mut Prepared,
    warm: Option<Warm>,
    place: &Place<'_>,
) -> Result<Option<Warm>, RunError> {
    let Some(evaluation) = first_samples(job, prepared) else { return Ok(warm) };
    let session = evaluation.session;
    let (scored, warm) = scored(job, warm, place, evaluation).await;
    let record = match scored {
        Ok(record) => record,
        Err(failure) if failure.kind == FailureKind::BadInput => return Err(RunError::Labels(failure)),
        Err(failure) => {
            settle::lose(job, session, &failure);
            return Ok(warm);
        }
    };
    let Some(scores) = &record.scores else { return Ok(warm) };
    let limits_drop = job.plan.tuning.as_ref().is_some_and(|tuning| tuning.max_accuracy_drop_ratio.is_some());
    if limits_drop && scores.leading().unit() != Unit::Ratio {
        return Err(RunError::NoShare);
    }
    job.notes.extend(record.labels_as);
    if matches!(scores, Scores::Regression { .. }) {
        prepared.descriptions.iter_mut().for_each(forget_classes);
    }
    Ok(warm)
}

/// Labels that are numbers to predict are no classes, even where all of them are whole.
fn forget_classes(description: &mut Description) {
    if let Ok(Described { dataset: Some(dataset), .. }) = description {
        dataset.class_labels = None;
    }
}

/// The scoring of the first samples; `None` where there are no labels, or nothing that computes outputs.
fn first_samples(job: &Job, prepared: &Prepared) -> Option<Evaluation> {
    let session = job.plan.baseline_session()?;
    let spec = &job.plan.sessions[session];
    let described = prepared.descriptions[spec.variant].as_ref().ok()?;
    let is_labelled = described.dataset.as_ref().is_some_and(DatasetInfo::has_labels);
    if !is_labelled || matches!(spec.runtime, RuntimeChoice::Script(_)) || job.resumed.is_some() {
        return None;
    }
    let inputs: InputPlan = described.inputs.clone();
    let fits = |size: &u64| inputs.supports_batch(*size).is_ok();
    let batch_size = inputs.batch_axis.fixed_size.or(Some(SAMPLES).filter(fits)).unwrap_or(1);
    let max_samples = Some(batch_size);
    let (task, role) = (job.plan.task, EvaluationRole::Alone);
    let random_outputs = std::collections::BTreeSet::new();
    Some(Evaluation { session, inputs, task, batch_size, role, limit_ns: None, max_samples, random_outputs })
}

/// Scores in the worker that tried inputs out, or in one of its own, which then serves the first launch in its place.
async fn scored(
    job: &Job,
    warm: Option<Warm>,
    place: &Place<'_>,
    evaluation: Evaluation,
) -> (Result<AccuracyRecord, Failure>, Option<Warm>) {
    let (mut launch, is_own) = match warm {
        Some(Warm(launch)) if launch.record.session == evaluation.session => (launch, false),
        other => match settle::start(job, place, evaluation.session).await {
            Ok(launch) => {
                settle::end(other).await;
                (launch, true)
            }
            Err(failure) => return (Err(failure), other),
        },
    };
    let asked = launch.worker.ask(&Request::Evaluate(Box::new(evaluation)), "score the first samples").await;
    let scored = match asked {
        Ok(Response::Evaluated(record)) => Ok(*record),
        Ok(other) => Err(launch.worker.unexpected(&other).await),
        Err(failure) => Err(failure),
    };
    let warm = match is_own {
        true => settle::warm(&job.plan, launch).await,
        false => Some(Warm(launch)).filter(|warm| warm.0.worker.is_alive()),
    };
    (scored, warm)
}
