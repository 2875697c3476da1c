//! Scoring a session's outputs: against labels, against expected outputs, and against the
//! baseline's outputs.

mod counterparts;
mod reference;

use crate::accuracy::{AgreementScorer, Scorer, Surroundings, Truth};
use crate::engine::{EngineError, Session};
use crate::inputs::{Argument, Dataset, Tensor};
use crate::measure::{Clock, MonotonicClock};
use crate::protocol::{Evaluation, Response};
use crate::record::{AccuracyRecord, Failure, FailureKind, Outcome};
use crate::text::Plain;
use crate::units::Nanos;

use reference::{Reference, Samples, has_rows};

/// They tell a variant that is broken from one that rounds; more would tell no more: nobody knows
/// what is right.
const SYNTHETIC_SAMPLES: u64 = 8;

type Compute<'c> = dyn FnMut(&[Argument]) -> Result<Vec<Tensor>, EngineError> + 'c;

pub(super) fn evaluate(
    session: &mut dyn Session,
    evaluation: &Evaluation,
) -> Result<Response, Failure> {
    score(
        &mut |inputs: &[Argument]| session.evaluate(inputs),
        evaluation,
    )
}

/// Scores outputs that are there already, as `known` gives them for inputs.
pub(super) fn rehearse(
    known: impl Fn(&[Argument]) -> Option<Vec<Tensor>>,
    evaluation: &Evaluation,
) -> Result<Response, Failure> {
    score(
        &mut |inputs: &[Argument]| known(inputs).ok_or_else(not_tried_out),
        evaluation,
    )
}

fn not_tried_out() -> EngineError {
    EngineError::Run {
        message: "the first samples were not tried out".into(),
    }
}

fn score(compute: &mut Compute<'_>, evaluation: &Evaluation) -> Result<Response, Failure> {
    let dataset = match Dataset::open(&evaluation.inputs)? {
        Some(dataset) => dataset,
        None => Dataset::synthesized(&evaluation.inputs, SYNTHETIC_SAMPLES)?,
    };
    let mut scoring = Scoring::new(evaluation, &dataset)?;
    let samples_count = scoring.run(compute, evaluation, &dataset)?;
    Ok(Response::Evaluated(Box::new(
        scoring.record(evaluation, samples_count),
    )))
}

fn truth(evaluation: &Evaluation, dataset: &Dataset) -> Option<Truth> {
    dataset.labels().map(|labels| Truth {
        labels: labels.clone(),
        names: evaluation.inputs.classes.clone(),
        task: evaluation.task,
    })
}

/// A whole number of such batches make one of the baseline's, so that outputs are of the same
/// samples.
fn part_of(size: u64, most: u64) -> u64 {
    (1..=most.min(size))
        .rev()
        .find(|part| size.is_multiple_of(*part))
        .unwrap_or(1)
}

struct Scoring {
    scorer: Scorer,
    agreement: AgreementScorer,
    reference: Reference,
    batch_size: u64,
}

impl Scoring {
    fn new(evaluation: &Evaluation, dataset: &Dataset) -> Result<Self, Failure> {
        let mut reference = Reference::choose(&evaluation.role, dataset)?;
        let batch_size = match reference.batch_size()? {
            Some(size) => part_of(size, evaluation.batch_size),
            None => evaluation.batch_size,
        };
        Ok(Scoring {
            scorer: Scorer::new(truth(evaluation, dataset)),
            agreement: AgreementScorer::new(Surroundings::of(&evaluation.inputs)),
            reference,
            batch_size,
        })
    }

    fn record(self, evaluation: &Evaluation, samples_count: u64) -> AccuracyRecord {
        let reference = self.reference.name();
        let (agreement, not_comparable) = self.agreement.finish();
        let labels_as = self.scorer.labels_as().map(str::to_owned);
        let (scores, outputs) = self.scorer.finish();
        AccuracyRecord {
            session: evaluation.session,
            outcome: Outcome::Ok,
            task: evaluation.task,
            batch_size: self.batch_size,
            samples_count,
            outputs,
            scores,
            labels_as: labels_as.map(Plain::from),
            agreement,
            reference: reference.map(Plain::from),
            not_comparable,
        }
    }

    /// Returns the samples that were scored.
    fn run(
        &mut self,
        compute: &mut Compute<'_>,
        evaluation: &Evaluation,
        dataset: &Dataset,
    ) -> Result<u64, Failure> {
        let started = MonotonicClock.now();
        let total = dataset
            .info()
            .samples_count
            .min(evaluation.max_samples.unwrap_or(u64::MAX));
        let mut first = 0;
        while first < total && !(first > 0 && is_over(evaluation, started)) {
            let count = self.batch_size.min(total - first);
            let outputs = run_batch(compute, evaluation, dataset, first, count)?;
            if first == 0 && count > 1 && self.takes_samples_singly(&outputs, count, evaluation) {
                self.batch_size = 1;
                continue;
            }
            self.add(
                outputs,
                &Samples {
                    dataset,
                    first,
                    count,
                    random: &evaluation.random_outputs,
                },
            )?;
            first += count;
        }
        Ok(first)
    }

    fn add(&mut self, outputs: Vec<Tensor>, samples: &Samples<'_>) -> Result<(), Failure> {
        self.scorer
            .add(&outputs, samples.first as usize, samples.count as usize)
            .map_err(|error| {
                Failure::new(
                    FailureKind::BadInput,
                    &error,
                    error.hint().map(str::to_owned),
                )
            })?;
        self.reference.take(outputs, samples, &mut self.agreement)
    }

    /// Where an output that is kept or compared does not tell the samples of a batch apart, as rows
    /// of a detector do not.
    fn takes_samples_singly(
        &self,
        outputs: &[Tensor],
        count: u64,
        evaluation: &Evaluation,
    ) -> bool {
        matches!(self.reference, Reference::Write(_))
            && !outputs.iter().all(|output| has_rows(output, count))
            && evaluation.inputs.supports_batch(1).is_ok()
    }
}

fn is_over(evaluation: &Evaluation, started: Nanos) -> bool {
    evaluation
        .limit_ns
        .is_some_and(|limit| MonotonicClock.now().since(started) >= limit)
}

/// A batch of fixed size is filled up with samples from the start of the data, whose outputs are
/// cut off again.
fn run_batch(
    compute: &mut Compute<'_>,
    evaluation: &Evaluation,
    dataset: &Dataset,
    first: u64,
    count: u64,
) -> Result<Vec<Tensor>, Failure> {
    let run_size = if evaluation.inputs.supports_batch(count).is_ok() {
        count
    } else {
        evaluation.batch_size
    };
    let outputs = compute(&dataset.batch(first, run_size)?)?;
    if run_size == count {
        return Ok(outputs);
    }
    Ok(outputs
        .into_iter()
        .map(|output| first_rows(output, count, run_size))
        .collect())
}

/// An output with the rows of the first `count` samples of `run_size`; as it is if it has not a row
/// for each.
fn first_rows(output: Tensor, count: u64, run_size: u64) -> Tensor {
    if !has_rows(&output, run_size) {
        return output;
    }
    Tensor {
        data: output.data.rows(0, 0..count as usize),
        ..output
    }
}
