//! What a session's outputs are compared with: expected outputs, or those of the baseline.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use super::counterparts::counterparts;
use serde::{Deserialize, Serialize};

use crate::accuracy::AgreementScorer;
use crate::inputs::{Dataset, Tensor, of_sequence};
use crate::protocol::EvaluationRole;
use crate::record::{AccuracyRecord, Failure, FailureKind};

const RANDOM: &str = "it is random: two runs on the same inputs differ by more than rounding, which is 0.1% of the \
                      largest value where elements are float";

const MERGED: &str = "the reference's is of several samples together, which cannot be told apart";

pub(super) struct Samples<'d> {
    pub(super) dataset: &'d Dataset,
    pub(super) first: u64,
    pub(super) count: u64,
    pub(super) random: &'d BTreeSet<String>,
}

pub(super) enum Reference {
    None,
    Expected,
    Write(BufWriter<File>),
    Read(Batches),
}

impl Reference {
    pub(super) fn choose(role: &EvaluationRole, dataset: &Dataset) -> Result<Self, Failure> {
        match role {
            _ if dataset.info().has_expected_outputs => Ok(Reference::Expected),
            EvaluationRole::Alone => Ok(Reference::None),
            EvaluationRole::Baseline(path) => Ok(Reference::Write(BufWriter::new(
                File::create(path).map_err(|error| file_failure(path, &error))?,
            ))),
            EvaluationRole::Candidate(path) => {
                let file =
                    BufReader::new(File::open(path).map_err(|error| file_failure(path, &error))?);
                Ok(Reference::Read(Batches {
                    file,
                    current: None,
                    used: 0,
                }))
            }
        }
    }

    pub(super) fn name(&self) -> Option<String> {
        match self {
            Reference::None | Reference::Write(_) => None,
            Reference::Expected => Some(AccuracyRecord::EXPECTED_OUTPUTS.into()),
            Reference::Read(_) => Some("baseline outputs".into()),
        }
    }

    /// Samples of the first batch that is to be compared with; `None` if that does not matter.
    pub(super) fn batch_size(&mut self) -> Result<Option<u64>, Failure> {
        match self {
            Reference::Read(batches) => Ok(Some(batches.current()?.count)),
            Reference::None | Reference::Expected | Reference::Write(_) => Ok(None),
        }
    }

    pub(super) fn take(
        &mut self,
        outputs: Vec<Tensor>,
        samples: &Samples<'_>,
        agreement: &mut AgreementScorer,
    ) -> Result<(), Failure> {
        let Samples {
            dataset,
            first,
            count,
            random,
        } = *samples;
        let references: Vec<Tensor> = match self {
            Reference::None => return Ok(()),
            Reference::Write(file) => return write(file, Batch { count, outputs }),
            Reference::Read(batches) => {
                let Taken { outputs, merged } = batches.take(count)?;
                for name in merged {
                    agreement.unlike(&name, first..first + count, MERGED.into());
                }
                outputs
            }
            Reference::Expected => outputs
                .iter()
                .filter_map(|output| dataset.expected(&output.name, first, count))
                .collect(),
        };
        let lengths = match self {
            Reference::Expected => expected_lengths(&outputs, samples),
            _ => known_lengths(&outputs, &references),
        };
        for (sequence, ours, theirs) in lengths
            .into_iter()
            .filter(|(_, ours, theirs)| ours != theirs)
        {
            let reason = format!("it holds {ours} tensors where the reference holds {theirs}");
            agreement.unlike(sequence, first..first + count, reason);
        }
        for (output, reference) in counterparts(&outputs, &references) {
            if random.contains(&output.name) || random.contains(&reference.name) {
                agreement.leave_out(&output.name, RANDOM);
            } else {
                agreement.add(first..first + count, output, reference);
            }
        }
        Ok(())
    }
}

/// Outputs that are sequences, with the number of their tensors and that of those that are expected.
fn expected_lengths<'d>(outputs: &[Tensor], samples: &Samples<'d>) -> Vec<(&'d str, usize, usize)> {
    let length = |name: &'d String| {
        let theirs = samples.dataset.expected_length(name, samples.first)?;
        Some((name.as_str(), tensors_of(outputs, name), theirs))
    };
    samples
        .dataset
        .outputs()
        .iter()
        .filter_map(length)
        .collect()
}

/// Outputs that are sequences on both sides, with the numbers of their tensors.
fn known_lengths<'t>(outputs: &'t [Tensor], references: &[Tensor]) -> Vec<(&'t str, usize, usize)> {
    let sequences = outputs
        .iter()
        .filter_map(|output| of_sequence(&output.name));
    let sequences: BTreeSet<&str> = sequences.map(|(sequence, _)| sequence).collect();
    let lengths = sequences.into_iter().map(|name| {
        (
            name,
            tensors_of(outputs, name),
            tensors_of(references, name),
        )
    });
    lengths.filter(|(_, _, theirs)| *theirs > 0).collect()
}

fn tensors_of(outputs: &[Tensor], sequence: &str) -> usize {
    outputs
        .iter()
        .filter(|output| of_sequence(&output.name).is_some_and(|(name, _)| name == sequence))
        .count()
}

#[derive(Debug, Serialize, Deserialize)]
struct Batch {
    count: u64,
    outputs: Vec<Tensor>,
}

pub(super) struct Batches {
    file: BufReader<File>,
    current: Option<Batch>,
    used: u64,
}

impl Batches {
    fn current(&mut self) -> Result<&Batch, Failure> {
        match &mut self.current {
            Some(batch) => Ok(batch),
            empty => Ok(empty.insert(read(&mut self.file)?)),
        }
    }

    /// Outputs that are not split by samples only where a whole batch is asked for; none of several batches.
    fn take(&mut self, count: u64) -> Result<Taken, Failure> {
        let (used, size) = (self.used, self.current()?.count);
        let end = used + count;
        let batch = if end < size {
            self.current.as_ref()
        } else {
            None
        };
        let outputs = match batch {
            Some(batch) => batch.outputs.clone(),
            None => self
                .current
                .take()
                .map(|batch| batch.outputs)
                .unwrap_or_default(),
        };
        self.used = if end < size { end } else { 0 };
        if count == size && used == 0 {
            return Ok(Taken {
                outputs,
                merged: Vec::new(),
            });
        }
        let is_split = |output: &Tensor| {
            output
                .data
                .shape()
                .first()
                .is_some_and(|&rows| rows as u64 == size)
        };
        let (split, merged): (Vec<Tensor>, Vec<Tensor>) = outputs
            .into_iter()
            .partition(|output| end <= size && is_split(output));
        let part = |output: Tensor| Tensor {
            data: output.data.rows(0, used as usize..end as usize),
            ..output
        };
        let merged = merged.into_iter().map(|output| output.name).collect();
        Ok(Taken {
            outputs: split.into_iter().map(part).collect(),
            merged,
        })
    }
}

struct Taken {
    outputs: Vec<Tensor>,
    /// Names of outputs that it has of more samples together only.
    merged: Vec<String>,
}

fn write(file: &mut BufWriter<File>, batch: Batch) -> Result<(), Failure> {
    let bytes = postcard::to_stdvec(&batch)
        .map_err(|error| Failure::new(FailureKind::Inference, &error, None))?;
    let length = (bytes.len() as u64).to_le_bytes();
    file.write_all(&length)
        .and_then(|()| file.write_all(&bytes))
        .and_then(|()| file.flush())
        .map_err(|error| Failure::new(FailureKind::Inference, &error, None))
}

fn read(file: &mut BufReader<File>) -> Result<Batch, Failure> {
    use std::io::Read;
    let mut length = [0; 8];
    let failure = |error: std::io::Error| Failure::new(FailureKind::Inference, &error, None);
    file.read_exact(&mut length).map_err(failure)?;
    let mut bytes = Vec::new();
    file.take(u64::from_le_bytes(length))
        .read_to_end(&mut bytes)
        .map_err(failure)?;
    postcard::from_bytes(&bytes).map_err(|error| Failure::new(FailureKind::Inference, &error, None))
}

fn file_failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure {
        kind: FailureKind::Inference,
        message: format!("failed to open `{}`: {error}", path.display()).into(),
        hint: None,
    }
}
