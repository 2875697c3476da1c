//! What a session's outputs are compared with: expected outputs, or those of the baseline.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use super::accuracy_failure;
use super::counterparts::counterparts;
use crate::accuracy::AgreementScorer;
use crate::inputs::{Dataset, Tensor};
use crate::protocol::EvaluationRole;
use crate::record::{Failure, FailureKind};

/// The samples of a batch.
pub(super) struct Samples<'d> {
    pub(super) dataset: &'d Dataset,
    pub(super) first: u64,
    pub(super) count: u64,
}

/// What outputs are compared with.
pub(super) enum Reference {
    None,
    Expected,
    /// This session's outputs are the reference; they are written here.
    Write(BufWriter<File>),
    /// The baseline's outputs are read from here.
    Read(BufReader<File>),
}

impl Reference {
    pub(super) fn choose(role: &EvaluationRole, dataset: &Dataset) -> Result<Self, Failure> {
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

    pub(super) fn name(&self) -> Option<String> {
        match self {
            Reference::None | Reference::Write(_) => None,
            Reference::Expected => Some("expected outputs".into()),
            Reference::Read(_) => Some("baseline outputs".into()),
        }
    }

    pub(super) fn take(
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

fn file_failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure {
        kind: FailureKind::Inference,
        message: format!("failed to open `{}`: {error}", path.display()),
        hint: None,
    }
}
