//! Data files as sets of arrays in the order of a model's inputs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::argument::{Form, forms_of};
use super::array::Array;
use super::find::{only_archive, test_folders};
use super::labels::{self, Labels};
use super::npy::{Archive, Head};
use super::protobuf::Stored;
use super::tensor::casts;
use super::wanted::{Expected, Taken, Wanted};
use super::{InputError, protobuf};
use crate::memory;
use crate::onnx::Model;
use crate::plan::ElementType;
use crate::record::{AxisReason, BatchAxis, BatchProof, NoTensor};
use crate::units::Bytes;

/// Memory that a label takes while labels are looked at: as a number, and once more where numbers are counted.
const LABEL_BYTES: u64 = 16;

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

/// An array that may still lie in its file.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Numpy(Arc<Archive>, Head),
    Loaded(Stored),
}

impl Source {
    pub fn shape(&self) -> &[usize] {
        match self {
            Source::Numpy(_, head) => &head.shape,
            Source::Loaded(Stored::Tensor(array)) => array.shape(),
            Source::Loaded(Stored::Sequence(_) | Stored::Nothing) => &[],
        }
    }

    pub fn no_tensor(&self) -> Option<NoTensor> {
        let shape = |array: &Array| array.shape().iter().map(|&size| size as u64).collect();
        match self {
            Source::Loaded(Stored::Sequence(tensors)) => {
                Some(NoTensor::Sequence(tensors.iter().map(shape).collect()))
            }
            Source::Loaded(Stored::Nothing) => Some(NoTensor::Nothing),
            Source::Loaded(Stored::Tensor(_)) | Source::Numpy(..) => None,
        }
    }

    /// Whether all elements are of a type, or may be cast to it.
    pub fn takes(&self, wanted: ElementType) -> bool {
        let fits = |found: ElementType| found == wanted || casts(found, wanted);
        match self {
            Source::Loaded(Stored::Sequence(tensors)) => {
                tensors.iter().all(|tensor| fits(tensor.element_type()))
            }
            Source::Loaded(Stored::Nothing) => true,
            tensor => tensor.element_type().is_some_and(fits),
        }
    }

    /// Type of the elements; absent where ONNX has none like it, and where there are none.
    pub fn element_type(&self) -> Option<ElementType> {
        match self {
            Source::Numpy(_, head) => head.element_type,
            Source::Loaded(Stored::Tensor(array)) => Some(array.element_type()),
            Source::Loaded(Stored::Sequence(tensors)) => tensors.first().map(Array::element_type),
            Source::Loaded(Stored::Nothing) => None,
        }
    }

    /// Whether the elements are Python objects, which only Python reads.
    pub fn is_objects(&self) -> bool {
        matches!(self, Source::Numpy(_, head) if head.descriptor.ends_with('O'))
    }

    pub fn type_name(&self) -> String {
        match self {
            Source::Numpy(_, head) => head.type_name(),
            Source::Loaded(_) => self
                .element_type()
                .unwrap_or(ElementType::Undefined)
                .name()
                .to_owned(),
        }
    }

    /// The value; elements of arrays may stay in the file.
    pub fn load(&self) -> Result<Stored, InputError> {
        match self {
            Source::Numpy(archive, head) => archive.array(head).map(Stored::Tensor),
            Source::Loaded(stored) => Ok(stored.clone()),
        }
    }

    /// Finds out whether the elements are there, where that costs nothing.
    pub fn probe(&self) -> Result<(), InputError> {
        match self {
            Source::Numpy(archive, head) if head.stays_in_file() => archive.array(head).map(drop),
            _ => Ok(()),
        }
    }
}

impl Data {
    pub fn open(path: &Path, inputs: &[Wanted], outputs: &[Form]) -> Result<Data, InputError> {
        if path.is_dir() {
            return match only_archive(path) {
                Some(archive) if test_folders(path)?.is_empty() => Data::npz(&archive, inputs),
                _ => Data::test_sets(path, inputs, outputs),
            };
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("npz") => Data::npz(path, inputs),
            Some("npy") => Data::npy(path, inputs),
            _ if !path.exists() => {
                let source = std::io::Error::from(std::io::ErrorKind::NotFound);
                Err(InputError::Read(path.to_owned(), source))
            }
            _ => Err(InputError::UnknownFormat(path.to_owned())),
        }
    }

    /// Opens data that nobody asked for: an array under another name is then no input, however well it fits.
    pub fn open_named(
        path: &Path,
        inputs: &[Wanted],
        outputs: &[Form],
    ) -> Result<Data, InputError> {
        if path.extension().is_some_and(|extension| extension == "npz") {
            let archive = Archive::npz(path)?;
            let missing = unnamed(&archive, inputs);
            if !missing.is_empty() {
                return Err(missing_arrays(&archive, &missing));
            }
        }
        Data::open(path, inputs, outputs)
    }

    fn npz(path: &Path, inputs: &[Wanted]) -> Result<Data, InputError> {
        let archive = Arc::new(Archive::npz(path)?);
        let chosen = choose(&archive, inputs)?;
        let mut notes = Vec::new();
        let others = || {
            archive
                .arrays
                .iter()
                .filter(|head| !chosen.iter().any(|taken| taken.name == head.name))
        };
        let label = others().filter(|head| labels::place(&head.name).is_some());
        let label = label.min_by_key(|head| labels::place(&head.name)).cloned();
        for head in
            others().filter(|head| label.as_ref().is_none_or(|label| label.name != head.name))
        {
            let (name, from) = (&head.name, path.display());
            notes.push(match &label {
                Some(label) if labels::place(name).is_some() => {
                    format!(
                        "array `{name}` of `{from}` is not used: `{}` is taken for the labels",
                        label.name
                    )
                }
                _ => format!("array `{name}` of `{from}` is no input and is not used"),
            });
        }
        let sources = chosen.into_iter().zip(inputs).map(|(head, wanted)| {
            if head.name != wanted.name {
                let (found, from, name) = (&head.name, path.display(), &wanted.name);
                notes.push(format!(
                    "array `{found}` of `{from}` is taken for the input `{name}`"
                ));
            }
            complete(&archive, head.clone(), wanted, &mut notes)
        });
        let inputs = sources.collect();
        Ok(Data {
            path: path.to_owned(),
            sets: vec![Set {
                inputs,
                outputs: Vec::new(),
            }],
            labels: label.map(|head| Source::Numpy(Arc::clone(&archive), head)),
            notes,
        })
    }

    fn npy(path: &Path, inputs: &[Wanted]) -> Result<Data, InputError> {
        let [wanted] = inputs else {
            let inputs = inputs.iter().map(|wanted| wanted.name.clone()).collect();
            return Err(InputError::NpyForSeveral(path.to_owned(), inputs));
        };
        let archive = Arc::new(Archive::npy(path)?);
        let mut notes = Vec::new();
        let inputs = vec![complete(
            &archive,
            archive.arrays[0].clone(),
            wanted,
            &mut notes,
        )];
        Ok(Data {
            path: path.to_owned(),
            sets: vec![Set {
                inputs,
                outputs: Vec::new(),
            }],
            labels: None,
            notes,
        })
    }

    fn test_sets(path: &Path, inputs: &[Wanted], outputs: &[Form]) -> Result<Data, InputError> {
        let mut folders = test_folders(path)?;
        if folders.is_empty() && path.join("input_0.pb").is_file() {
            folders.push(path.to_owned());
        }
        if folders.is_empty() {
            return Err(InputError::UnknownFormat(path.to_owned()));
        }
        let mut notes = Vec::new();
        let read = |folder: &PathBuf| {
            Ok(Set {
                inputs: given(folder, inputs)?,
                outputs: expected(folder, outputs, &mut notes),
            })
        };
        let sets = folders
            .iter()
            .map(read)
            .collect::<Result<_, InputError>>()?;
        Ok(Data {
            path: path.to_owned(),
            sets,
            labels: None,
            notes,
        })
    }
}

/// Whether data has an array of its name for every input of a model.
///
/// # Errors
/// Why not.
pub fn fits(data: &Path, model: &Model) -> Result<(), InputError> {
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
    let wanted: Vec<Wanted> = inputs
        .iter()
        .map(|info| Wanted::of(info, &expected))
        .collect();
    Data::open_named(data, &wanted, &forms_of(&model.graph.outputs)).map(drop)
}

/// The labels of data: in a file of their own, or among its arrays.
pub(super) fn labels_of(
    data: &Data,
    file: Option<&Path>,
    samples: usize,
) -> Result<Option<Labels>, InputError> {
    let found = match (file, &data.labels) {
        (Some(file), _) => labels::read(file, samples)?,
        (None, Some(source)) => match source.load()? {
            Stored::Tensor(array) => Labels::stored(array),
            Stored::Sequence(_) | Stored::Nothing => return Ok(None),
        },
        (None, None) => return Ok(None),
    };
    let path = file.unwrap_or(&data.path).to_owned();
    if found.shape().is_empty() {
        return Err(InputError::LabelFile(
            path,
            "it holds one number instead of a list".to_owned(),
        ));
    }
    if found.len() != samples {
        return Err(InputError::LabelCount {
            path,
            labels: found.len() as u64,
            samples: samples as u64,
        });
    }
    let elements = found.shape().iter().fold(LABEL_BYTES, |bytes, &size| {
        bytes.saturating_mul(size as u64)
    });
    memory::ask(Bytes(elements), || "its labels, as numbers,".to_owned())
        .map_err(|reason| InputError::Memory(path, reason))?;
    Ok(Some(found))
}

/// The array for each input: of its name, or, for inputs that no array is named by, the only one that fits.
fn choose<'a>(archive: &'a Archive, inputs: &[Wanted]) -> Result<Vec<&'a Head>, InputError> {
    let missing = unnamed(archive, inputs);
    let is_input = |head: &Head| inputs.iter().any(|wanted| wanted.name == head.name);
    let free = || {
        archive
            .arrays
            .iter()
            .filter(|head| !is_input(head) && labels::place(&head.name).is_none())
    };
    let only = |wanted: &Wanted| {
        let mut fitting = free().filter(|head| wanted.takes(head.element_type, &head.shape));
        fitting.next().filter(|_| fitting.next().is_none())
    };
    let lone = || {
        free()
            .next()
            .filter(|_| missing.len() == 1 && free().count() == 1)
    };
    let taken: Vec<Option<&Head>> = missing
        .iter()
        .map(|wanted| only(wanted).or_else(lone))
        .collect();
    let mut names: Vec<&str> = taken
        .iter()
        .flatten()
        .map(|head| head.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.len() < missing.len() {
        return Err(missing_arrays(archive, &missing));
    }
    let mut taken = taken.into_iter().flatten();
    Ok(inputs
        .iter()
        .filter_map(|wanted| archive.head(&wanted.name).or_else(|| taken.next()))
        .collect())
}

fn unnamed<'w>(archive: &Archive, inputs: &'w [Wanted]) -> Vec<&'w Wanted> {
    inputs
        .iter()
        .filter(|wanted| archive.head(&wanted.name).is_none())
        .collect()
}

fn missing_arrays(archive: &Archive, missing: &[&Wanted]) -> InputError {
    InputError::MissingArrays {
        path: archive.path.clone(),
        missing: missing.iter().map(|wanted| wanted.name.clone()).collect(),
        present: archive
            .arrays
            .iter()
            .map(|head| head.name.clone())
            .collect(),
    }
}

/// The array with the dimension of 1 that its input wants and it lacks, and its input's type where it has none.
fn complete(
    archive: &Arc<Archive>,
    mut head: Head,
    wanted: &Wanted,
    notes: &mut Vec<String>,
) -> Source {
    if head.is_code() {
        head.element_type = wanted.of_codes();
    }
    if let Some((shape, taken)) = wanted.completed(&head.shape) {
        let name = if head.name.is_empty() {
            &wanted.name
        } else {
            &head.name
        };
        let way = match taken {
            Taken::OneSample => "one sample",
            Taken::Column => "a column",
        };
        notes.push(format!(
            "array `{name}` {:?} is taken as {way} {shape:?}",
            head.shape
        ));
        head.shape = shape;
    }
    Source::Numpy(Arc::clone(archive), head)
}

fn given(folder: &Path, inputs: &[Wanted]) -> Result<Vec<Source>, InputError> {
    let file = |index: usize| folder.join(format!("input_{index}.pb"));
    let has = |index: &usize| file(*index).is_file();
    let lacks = |index: &usize| !has(index);
    let missing: Vec<String> = (0..inputs.len())
        .filter(lacks)
        .map(|index| inputs[index].name.clone())
        .collect();
    if !missing.is_empty() {
        let present = (0..inputs.len())
            .filter(has)
            .map(|index| format!("input_{index}.pb"))
            .collect();
        return Err(InputError::MissingArrays {
            path: folder.to_owned(),
            missing,
            present,
        });
    }
    let load = |(index, wanted): (usize, &Wanted)| {
        protobuf::read(&file(index), wanted.form).map(Source::Loaded)
    };
    inputs.iter().enumerate().map(load).collect()
}

/// The outputs that a test set expects. One that cannot be read is noted: the model runs without it.
fn expected(folder: &Path, outputs: &[Form], notes: &mut Vec<String>) -> Vec<Option<Stored>> {
    let files = (0..)
        .map(|index| folder.join(format!("output_{index}.pb")))
        .take_while(|path| path.is_file());
    let forms = outputs
        .iter()
        .copied()
        .chain(std::iter::repeat(Form::Tensor));
    let read = |(path, form): (PathBuf, Form)| match protobuf::read(&path, form) {
        Ok(stored) => Some(stored),
        Err(error) => {
            notes.push(format!("an expected output is not compared: {error}"));
            None
        }
    };
    files.zip(forms).map(read).collect()
}
