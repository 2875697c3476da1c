//! Scoring a session's outputs: against labels, against expected outputs, and against the baseline's outputs.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use ndarray::aview1;

use crate::accuracy::{AccuracyError, AgreementScorer, Scorer, Truth};
use crate::engine::Session;
use crate::inputs::{Dataset, Tensor, TensorData};
use crate::measure::{Clock, MonotonicClock};
use crate::plan::Task;
use crate::protocol::{Evaluation, EvaluationRole, Response};
use crate::record::{AccuracyRecord, Failure, FailureKind, Outcome};

/// Samples that are synthesized to compare outputs on where there is no data.
const SYNTHETIC_SAMPLES: u64 = 32;

/// Scores a session's outputs over the data.
pub(super) fn evaluate(session: &mut dyn Session, evaluation: &Evaluation) -> Response {
    match score(session, evaluation) {
        Ok(record) => Response::Evaluated(Box::new(record)),
        Err(failure) => Response::Failed(failure),
    }
}

fn score(session: &mut dyn Session, evaluation: &Evaluation) -> Result<AccuracyRecord, Failure> {
    let dataset = match Dataset::open(&evaluation.inputs).map_err(|error| super::input_failure(&error))? {
        Some(dataset) => dataset,
        None => {
            Dataset::synthesized(&evaluation.inputs, SYNTHETIC_SAMPLES).map_err(|error| super::input_failure(&error))?
        }
    };
    let truth = truth(evaluation.task, &dataset).transpose().map_err(|error| accuracy_failure(&error))?;
    let mut scoring = Scoring {
        scorer: Scorer::new(truth),
        agreement: AgreementScorer::new(),
        reference: Reference::choose(&evaluation.role, &dataset)?,
    };
    let samples_count = scoring.run(session, evaluation, &dataset)?;
    let reference = scoring.reference.name();
    let agreement = scoring.agreement.finish();
    let (scores, outputs) = scoring.scorer.finish();
    Ok(AccuracyRecord {
        session: evaluation.session,
        outcome: Outcome::Ok,
        task: evaluation.task,
        batch_size: evaluation.batch_size,
        samples_count,
        outputs,
        scores,
        agreement,
        reference,
    })
}

/// What the data says the outputs should be; `None` if it does not.
fn truth(task: Task, dataset: &Dataset) -> Option<Result<Truth, AccuracyError>> {
    let labels = || Some(TensorData::Int64(aview1(dataset.class_labels()?).to_owned().into_dyn()));
    let targets = || Some(TensorData::Double(dataset.targets()?.clone()));
    match task {
        Task::Classification => labels().map(|labels| Truth::classes(&labels)),
        Task::Regression => targets().or_else(labels).map(|targets| Truth::targets(&targets)),
    }
}

/// Scores so far, and what outputs are compared with.
struct Scoring {
    scorer: Scorer,
    agreement: AgreementScorer,
    reference: Reference,
}

impl Scoring {
    /// Runs the data through the session, batch by batch; returns the samples that were scored.
    fn run(&mut self, session: &mut dyn Session, evaluation: &Evaluation, dataset: &Dataset) -> Result<u64, Failure> {
        let started = MonotonicClock.now();
        let most = evaluation.max_samples.unwrap_or(u64::MAX);
        let total = dataset.info().samples_count.min(most);
        let is_over = || evaluation.limit_ns.is_some_and(|limit| MonotonicClock.now().since(started) >= limit);
        let mut first = 0;
        while first < total && !(first > 0 && is_over()) {
            let count = evaluation.batch_size.min(total - first);
            let outputs = run_batch(session, evaluation, dataset, first, count)?;
            self.scorer.add(&outputs, first as usize, count as usize).map_err(|error| accuracy_failure(&error))?;
            self.reference.take(&outputs, &Samples { dataset, first, count }, &mut self.agreement)?;
            first += count;
        }
        Ok(first)
    }
}

/// Runs `count` samples. Where the model's batch size is fixed, the batch is filled up with samples from the start of
/// the data, whose outputs are cut off again.
fn run_batch(
    session: &mut dyn Session,
    evaluation: &Evaluation,
    dataset: &Dataset,
    first: u64,
    count: u64,
) -> Result<Vec<Tensor>, Failure> {
    let run_size = if evaluation.inputs.supports_batch(count).is_ok() { count } else { evaluation.batch_size };
    let inputs = dataset.batch(first, run_size).map_err(|error| super::input_failure(&error))?;
    let outputs = session.evaluate(&inputs).map_err(|error| error.to_failure())?;
    if run_size == count {
        return Ok(outputs);
    }
    let cut = |output: Tensor| match output.data.shape().first() {
        Some(&rows) if rows as u64 == run_size => Tensor { data: output.data.rows(0, 0..count as usize), ..output },
        _ => output,
    };
    Ok(outputs.into_iter().map(cut).collect())
}

/// The samples of a batch.
struct Samples<'d> {
    dataset: &'d Dataset,
    first: u64,
    count: u64,
}

/// What outputs are compared with.
enum Reference {
    None,
    Expected,
    /// This session's outputs are the reference; they are written here.
    Write(BufWriter<File>),
    /// The baseline's outputs are read from here.
    Read(BufReader<File>),
}

impl Reference {
    fn choose(role: &EvaluationRole, dataset: &Dataset) -> Result<Self, Failure> {
        match role {
            _ if dataset.info().has_expected_outputs => Ok(Reference::Expected),
            EvaluationRole::Alone => Ok(Reference::None),
            EvaluationRole::Baseline(path) => {
                Ok(Reference::Write(BufWriter::new(File::create(path).map_err(|error| file_failure(path, &error))?)))
            }
            EvaluationRole::Candidate(path) => {
                Ok(Reference::Read(BufReader::new(File::open(path).map_err(|error| file_failure(path, &error))?)))
            }
        }
    }

    fn name(&self) -> Option<String> {
        match self {
            Reference::None | Reference::Write(_) => None,
            Reference::Expected => Some("expected outputs".into()),
            Reference::Read(_) => Some("baseline outputs".into()),
        }
    }

    fn take(
        &mut self,
        outputs: &[Tensor],
        samples: &Samples<'_>,
        agreement: &mut AgreementScorer,
    ) -> Result<(), Failure> {
        let Samples { dataset, first, count } = *samples;
        let references: Vec<Tensor> = match self {
            Reference::None => return Ok(()),
            Reference::Write(file) => return write(file, outputs),
            Reference::Read(file) => read(file)?,
            Reference::Expected => {
                outputs.iter().filter_map(|output| dataset.expected(&output.name, first, count)).collect()
            }
        };
        for (output, reference) in counterparts(outputs, &references) {
            agreement.add(count as usize, output, reference).map_err(|error| accuracy_failure(&error))?;
        }
        Ok(())
    }
}

/// Outputs with those of the reference: of the same name, or, where none has a name in common because a converter renamed
/// them, of the same place and shape.
fn counterparts<'t>(outputs: &'t [Tensor], references: &'t [Tensor]) -> Vec<(&'t Tensor, &'t Tensor)> {
    let named = |output: &'t Tensor| Some((output, references.iter().find(|known| known.name == output.name)?));
    let by_name: Vec<_> = outputs.iter().filter_map(named).collect();
    if !by_name.is_empty() || outputs.len() != references.len() {
        return by_name;
    }
    let pairs = outputs.iter().zip(references);
    pairs.filter(|(output, reference)| output.data.shape() == reference.data.shape()).collect()
}

/// Writes the outputs of a batch for other sessions to be compared with.
fn write(file: &mut BufWriter<File>, outputs: &[Tensor]) -> Result<(), Failure> {
    let bytes = postcard::to_stdvec(outputs).map_err(|error| Failure::new(FailureKind::Inference, &error, None))?;
    let length = (bytes.len() as u64).to_le_bytes();
    file.write_all(&length)
        .and_then(|()| file.write_all(&bytes))
        .and_then(|()| file.flush())
        .map_err(|error| Failure::new(FailureKind::Inference, &error, None))
}

/// Reads the outputs of the next batch.
fn read(file: &mut BufReader<File>) -> Result<Vec<Tensor>, Failure> {
    use std::io::Read;
    let mut length = [0; 8];
    let failure = |error: std::io::Error| Failure::new(FailureKind::Inference, &error, None);
    file.read_exact(&mut length).map_err(failure)?;
    let mut bytes = Vec::new();
    file.take(u64::from_le_bytes(length)).read_to_end(&mut bytes).map_err(failure)?;
    postcard::from_bytes(&bytes).map_err(|error| Failure::new(FailureKind::Inference, &error, None))
}

fn accuracy_failure(error: &AccuracyError) -> Failure {
    Failure::new(FailureKind::BadInput, error, error.hint().map(str::to_owned))
}

fn file_failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure {
        kind: FailureKind::Inference,
        message: format!("failed to open `{}`: {error}", path.display()),
        hint: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{ArrayD, IxDyn};

    fn output(name: &str, shape: &[usize]) -> Tensor {
        Tensor { name: name.into(), data: TensorData::Float(ArrayD::zeros(IxDyn(shape))) }
    }

    fn names(outputs: &[Tensor], references: &[Tensor]) -> Vec<(String, String)> {
        let pairs = counterparts(outputs, references).into_iter();
        pairs.map(|(output, reference)| (output.name.clone(), reference.name.clone())).collect()
    }

    #[test]
    fn outputs_are_compared_by_name_and_renamed_ones_by_place() {
        let (boxes, scores) = (output("boxes", &[1, 4]), output("scores", &[1, 2]));
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        let reference = [boxes.clone(), scores.clone()];
        let swapped = [scores.clone(), boxes.clone()];
        assert_eq!(names(&swapped, &reference), [pair("scores", "scores"), pair("boxes", "boxes")]);
        let renamed = [output("b", &[1, 4]), output("s", &[1, 3])];
        assert_eq!(names(&renamed, &reference), [pair("b", "boxes")]);
        assert_eq!(names(&[output("b", &[1, 4])], &reference), []);
        let half_renamed = [boxes, output("s", &[1, 2])];
        assert_eq!(names(&half_renamed, &reference), [pair("boxes", "boxes")]);
    }
}
