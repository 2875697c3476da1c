//! Data files as sets of arrays in the order of a model's inputs.

mod arrays;
mod source;
mod test_sets;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::argument::{Form, forms_of};
use super::error::ask;
use super::find::{only_archive, test_folders};
use super::labels::{self, Labels};
use super::protobuf::Stored;
use super::wanted::{Expected, Wanted};
use super::{InputError, Result};
use crate::onnx::Model;
use crate::record::{AxisReason, BatchAxis, BatchProof};
pub(super) use source::Source;

/// A data file or folder that has an array for every input.
#[derive(Debug)]
pub(super) struct Data {
    pub path: PathBuf,
    /// One set of arrays, or several with the standard's test sets.
    pub sets: Vec<Set>,
    /// Labels that come with it.
    pub labels: Option<Source>,
    /// Remarks on arrays that were taken otherwise than they lie there, or not taken.
    pub notes: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Set {
    /// The arrays in the order of the model's inputs.
    pub inputs: Vec<Source>,
    /// Expected outputs in the order of the model's outputs; absent where a file cannot be read.
    pub outputs: Vec<Option<Stored>>,
}

impl Data {
    pub fn open(path: &Path, inputs: &[Wanted], outputs: &[Form]) -> Result<Data> {
        if path.is_dir() {
            return match only_archive(path) {
                Some(archive) if test_folders(path)?.is_empty() => Data::npz(&archive, inputs),
                _ => Data::test_sets(path, inputs, outputs),
            };
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("npz") => Data::npz(path, inputs),
            Some("npy") => Data::npy(path, inputs),
            _ if !path.exists() => Err(InputError::Read(
                path.to_owned(),
                std::io::Error::from(std::io::ErrorKind::NotFound),
            )),
            _ => Err(InputError::UnknownFormat(path.to_owned())),
        }
    }
}

/// Whether data has an array of its name for every input of a model.
///
/// # Errors
/// Why not.
pub fn fits(data: &Path, model: &Model) -> Result<()> {
    let inputs = &model.graph.inputs;
    // Data may hold any number of samples, which lie along the first axis almost everywhere.
    let batch = BatchAxis {
        axes: inputs.iter().map(|info| (info.name.clone(), 0)).collect(),
        reason: AxisReason::FirstUnknownDimension,
        ..BatchAxis::none(BatchProof::Untried)
    };
    let expected = Expected {
        inputs,
        batch: &batch,
        asked: &BTreeMap::new(),
    };
    let wanted = expected.wanted();
    // Nobody asked for the data: an array under another name is no input, however well it fits.
    if data.extension().is_some_and(|extension| extension == "npz") {
        Data::check_names(data, &wanted)?;
    }
    Data::open(data, &wanted, &forms_of(&model.graph.outputs)).map(drop)
}

/// Memory that a label takes while labels are looked at: as a number, and once more where numbers
/// are counted.
const LABEL_BYTES: u64 = 16;

/// The labels of data: in a file of their own, or among its arrays.
pub(super) fn labels_of(
    data: &Data,
    file: Option<&Path>,
    samples: usize,
) -> Result<Option<Labels>> {
    let found = match (file, &data.labels) {
        (Some(file), _) => labels::read(file, samples)?,
        (None, Some(source)) => match source.load()? {
            Stored::Tensor(array) => Labels::stored(array),
            Stored::Sequence(_) | Stored::Nothing => return Ok(None),
        },
        (None, None) => return Ok(None),
    };
    check_labels(&found, file.unwrap_or(&data.path), samples)?;
    Ok(Some(found))
}

/// Makes sure that there is one label for each sample, and memory to look at them.
fn check_labels(labels: &Labels, path: &Path, samples: usize) -> Result<()> {
    if labels.shape().is_empty() {
        return Err(InputError::LabelFile(
            path.to_owned(),
            "it holds one number instead of a list".to_owned(),
        ));
    }
    if labels.len() != samples {
        return Err(InputError::LabelCount {
            path: path.to_owned(),
            labels: labels.len() as u64,
            samples: samples as u64,
        });
    }
    let needed = labels.shape().iter().fold(LABEL_BYTES, |bytes, &size| {
        bytes.saturating_mul(size as u64)
    });
    ask(path, needed, "its labels, as numbers,")
}
