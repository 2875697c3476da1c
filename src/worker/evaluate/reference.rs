//! References for a session's outputs: expected outputs, or those of the baseline.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::ops::Range;
use std::path::Path;

use super::counterparts::counterparts;
use serde::{Deserialize, Serialize};

use crate::accuracy::AgreementScorer;
use crate::inputs::{Dataset, Tensor, of_sequence};
use crate::protocol::EvaluationRole;
use crate::record::{AccuracyRecord, Failure, FailureKind};

const RANDOM: &str = "it is random: two runs on the same inputs differ by more than rounding, which is 0.1% of the \
                      largest value where elements are float";

const MERGED: &str = "the reference's is of several samples together, which cannot be separated";

pub(super) struct Samples<'d> {
    pub(super) dataset: &'d Dataset,
    pub(super) first: u64,
    pub(super) count: u64,
    pub(super) random: &'d BTreeSet<String>,
}

impl Samples<'_> {
    fn range(&self) -> Range<u64> {
        self.first..self.first + self.count
    }

    fn are_random(&self, output: &Tensor) -> bool {
        self.random.contains(&output.name)
    }
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
            EvaluationRole::Candidate(path) => Ok(Reference::Read(Batches::new(
                File::open(path).map_err(|error| file_failure(path, &error))?,
            ))),
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
        let references = match self {
            Reference::None => return Ok(()),
            Reference::Write(file) => {
                return write(
                    file,
                    Batch {
                        count: samples.count,
                        outputs,
                    },
                );
            }
            Reference::Read(batches) => of_baseline(batches, samples, agreement)?,
            Reference::Expected => expected(&outputs, samples),
        };
        let lengths = match self {
            Reference::Expected => expected_lengths(&outputs, samples),
            _ => known_lengths(&outputs, &references),
        };
        for length in lengths.iter().filter(|length| length.differs()) {
            agreement.unlike(length.sequence, samples.range(), length.in_words());
        }
        for (output, reference) in counterparts(&outputs, &references) {
            if samples.are_random(output) || samples.are_random(reference) {
                agreement.leave_out(&output.name, RANDOM);
            } else {
                agreement.add(samples.range(), output, reference);
            }
        }
        Ok(())
    }
}

fn of_baseline(
    batches: &mut Batches,
    samples: &Samples<'_>,
    agreement: &mut AgreementScorer,
) -> Result<Vec<Tensor>, Failure> {
    let Taken { outputs, merged } = batches.take(samples.count)?;
    for name in merged {
        agreement.unlike(&name, samples.range(), MERGED.into());
    }
    Ok(outputs)
}

fn expected(outputs: &[Tensor], samples: &Samples<'_>) -> Vec<Tensor> {
    let Samples {
        dataset,
        first,
        count,
        ..
    } = *samples;
    outputs
        .iter()
        .filter_map(|output| dataset.expected(&output.name, first, count))
        .collect()
}

/// Numbers of tensors of an output that is a sequence.
struct SequenceLengths<'n> {
    sequence: &'n str,
    ours: usize,
    theirs: usize,
}

impl SequenceLengths<'_> {
    fn differs(&self) -> bool {
        self.ours != self.theirs
    }

    fn in_words(&self) -> String {
        let SequenceLengths { ours, theirs, .. } = self;
        format!("it holds {ours} tensors where the reference holds {theirs}")
    }
}

fn expected_lengths<'d>(outputs: &[Tensor], samples: &Samples<'d>) -> Vec<SequenceLengths<'d>> {
    samples
        .dataset
        .outputs()
        .iter()
        .filter_map(|name| {
            Some(SequenceLengths {
                sequence: name,
                ours: tensors_of(outputs, name),
                theirs: samples.dataset.expected_length(name, samples.first)?,
            })
        })
        .collect()
}

/// Outputs that are sequences on both sides.
fn known_lengths<'t>(outputs: &'t [Tensor], references: &[Tensor]) -> Vec<SequenceLengths<'t>> {
    let sequences: BTreeSet<&str> = outputs
        .iter()
        .filter_map(|output| of_sequence(&output.name))
        .map(|(sequence, _)| sequence)
        .collect();
    sequences
        .into_iter()
        .map(|sequence| SequenceLengths {
            sequence,
            ours: tensors_of(outputs, sequence),
            theirs: tensors_of(references, sequence),
        })
        .filter(|lengths| lengths.theirs > 0)
        .collect()
}

fn tensors_of(outputs: &[Tensor], sequence: &str) -> usize {
    outputs
        .iter()
        .filter(|output| of_sequence(&output.name).is_some_and(|(name, _)| name == sequence))
        .count()
}

#[derive(Clone, Serialize, Deserialize)]
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
    fn new(file: File) -> Self {
        Batches {
            file: BufReader::new(file),
            current: None,
            used: 0,
        }
    }

    fn current(&mut self) -> Result<&Batch, Failure> {
        match &mut self.current {
            Some(batch) => Ok(batch),
            empty => Ok(empty.insert(read(&mut self.file)?)),
        }
    }

    /// Outputs that are not split by samples only where a whole batch is asked for; none of several
    /// batches.
    fn take(&mut self, count: u64) -> Result<Taken, Failure> {
        let used = self.used;
        let size = self.current()?.count;
        let end = used + count;
        let outputs = self.outputs_until(end, size);
        if count == size && used == 0 {
            return Ok(Taken {
                outputs,
                merged: Vec::new(),
            });
        }
        let (split, merged): (Vec<Tensor>, Vec<Tensor>) = outputs
            .into_iter()
            .partition(|output| end <= size && has_rows(output, size));
        Ok(Taken {
            outputs: split
                .into_iter()
                .map(|output| rows(output, used, end))
                .collect(),
            merged: merged.into_iter().map(|output| output.name).collect(),
        })
    }

    /// The outputs of the current batch, of which no sample is left where `end` is its `size`.
    fn outputs_until(&mut self, end: u64, size: u64) -> Vec<Tensor> {
        let batch = if end < size {
            self.used = end;
            self.current.clone()
        } else {
            self.used = 0;
            self.current.take()
        };
        batch.map(|batch| batch.outputs).unwrap_or_default()
    }
}

/// Whether an output has a row for each of so many samples.
pub(super) fn has_rows(output: &Tensor, count: u64) -> bool {
    let rows = output.data.shape().first();
    rows.is_some_and(|&rows| rows as u64 == count)
}

fn rows(output: Tensor, first: u64, end: u64) -> Tensor {
    Tensor {
        data: output.data.rows(0, first as usize..end as usize),
        ..output
    }
}

struct Taken {
    outputs: Vec<Tensor>,
    /// Names of outputs that it has of more samples together only.
    merged: Vec<String>,
}

fn write(file: &mut BufWriter<File>, batch: Batch) -> Result<(), Failure> {
    let bytes = postcard::to_stdvec(&batch).map_err(|error| failure(&error))?;
    file.write_all(&(bytes.len() as u64).to_le_bytes())
        .and_then(|()| file.write_all(&bytes))
        .and_then(|()| file.flush())
        .map_err(|error| failure(&error))
}

fn read(file: &mut BufReader<File>) -> Result<Batch, Failure> {
    use std::io::Read;
    let mut length = [0; 8];
    file.read_exact(&mut length)
        .map_err(|error| failure(&error))?;
    let mut bytes = Vec::new();
    file.take(u64::from_le_bytes(length))
        .read_to_end(&mut bytes)
        .map_err(|error| failure(&error))?;
    postcard::from_bytes(&bytes).map_err(|error| failure(&error))
}

fn failure(error: &dyn std::error::Error) -> Failure {
    Failure::new(FailureKind::Inference, error, None)
}

fn file_failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure {
        kind: FailureKind::Inference,
        message: format!("failed to open `{}`: {error}", path.display()).into(),
        hint: None,
    }
}
