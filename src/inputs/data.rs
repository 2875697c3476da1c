//! Data files as sets of arrays in the order of a model's inputs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::array::Array;
use super::npy::{Archive, Head};
use super::{InputError, find_data, protobuf};
use crate::plan::ElementType;

/// Name of the array that holds labels.
const LABELS: &str = "labels";

/// A data file or folder that has an array for every input.
#[derive(Debug)]
pub(super) struct Data {
    /// The file or folder.
    pub path: PathBuf,
    /// One set of arrays, or several with the standard's test sets.
    pub sets: Vec<Set>,
    /// Labels that come with it.
    pub labels: Option<Source>,
    /// Arrays that are neither inputs nor labels.
    pub unused: Vec<String>,
}

/// Arrays that belong together.
#[derive(Debug)]
pub(super) struct Set {
    /// The arrays in the order of the model's inputs.
    pub inputs: Vec<Source>,
    /// Expected outputs in the order of the model's outputs.
    pub outputs: Vec<Array>,
}

/// An array that may still lie in its file.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// In a file of numpy's.
    Numpy(Arc<Archive>, Head),
    /// In memory.
    Loaded(Array),
}

impl Source {
    /// Sizes of the dimensions.
    pub fn shape(&self) -> &[usize] {
        match self {
            Source::Numpy(_, head) => &head.shape,
            Source::Loaded(array) => array.shape(),
        }
    }

    /// Type of the elements; absent where ONNX has none like it.
    pub fn element_type(&self) -> Option<ElementType> {
        match self {
            Source::Numpy(_, head) => head.element_type,
            Source::Loaded(array) => Some(array.element_type()),
        }
    }

    /// What people call the type of the elements.
    pub fn type_name(&self) -> String {
        match self {
            Source::Numpy(_, head) => head.type_name(),
            Source::Loaded(array) => array.element_type().name().to_owned(),
        }
    }

    /// The array; its elements may stay in the file.
    pub fn load(&self) -> Result<Array, InputError> {
        match self {
            Source::Numpy(archive, head) => archive.array(head),
            Source::Loaded(array) => Ok(array.clone()),
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
    /// Opens the data at `path` for a model with these inputs.
    ///
    /// # Errors
    /// The path cannot be read, has no known form, or lacks an input.
    pub fn open(path: &Path, inputs: &[String]) -> Result<Data, InputError> {
        if path.is_dir() {
            return match find_data(path) {
                Some(archive) if test_folders(path)?.is_empty() => Data::npz(&archive, inputs),
                _ => Data::test_sets(path, inputs),
            };
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("npz") => Data::npz(path, inputs),
            Some("npy") => Data::npy(path, inputs),
            _ if !path.exists() => {
                let source = std::io::Error::from(std::io::ErrorKind::NotFound);
                Err(InputError::Read { path: path.to_owned(), source })
            }
            _ => Err(InputError::UnknownFormat { path: path.to_owned() }),
        }
    }

    fn npz(path: &Path, inputs: &[String]) -> Result<Data, InputError> {
        let archive = Arc::new(Archive::npz(path)?);
        let missing: Vec<String> = inputs.iter().filter(|name| archive.head(name).is_none()).cloned().collect();
        if !missing.is_empty() {
            let present = archive.arrays.iter().map(|head| head.name.clone()).collect();
            return Err(InputError::MissingArrays { path: path.to_owned(), missing, present });
        }
        let source = |name: &str| archive.head(name).map(|head| Source::Numpy(Arc::clone(&archive), head.clone()));
        let others = archive.arrays.iter().map(|head| &head.name).filter(|name| !inputs.contains(name));
        let (labels, unused): (Vec<&String>, Vec<&String>) = others.partition(|name| *name == LABELS);
        Ok(Data {
            path: path.to_owned(),
            sets: vec![Set { inputs: inputs.iter().filter_map(|name| source(name)).collect(), outputs: Vec::new() }],
            labels: labels.first().and_then(|name| source(name)),
            unused: unused.into_iter().cloned().collect(),
        })
    }

    fn npy(path: &Path, inputs: &[String]) -> Result<Data, InputError> {
        if inputs.len() != 1 {
            return Err(InputError::NpyForSeveral { path: path.to_owned(), inputs: inputs.to_vec() });
        }
        let inputs = vec![only_array(path)?];
        Ok(Data {
            path: path.to_owned(),
            sets: vec![Set { inputs, outputs: Vec::new() }],
            labels: None,
            unused: Vec::new(),
        })
    }

    fn test_sets(path: &Path, inputs: &[String]) -> Result<Data, InputError> {
        let mut folders = test_folders(path)?;
        if folders.is_empty() && path.join("input_0.pb").is_file() {
            folders.push(path.to_owned());
        }
        if folders.is_empty() {
            return Err(InputError::UnknownFormat { path: path.to_owned() });
        }
        let sets = folders.iter().map(|folder| test_set(folder, inputs)).collect::<Result<_, _>>()?;
        Ok(Data { path: path.to_owned(), sets, labels: None, unused: Vec::new() })
    }
}

/// Labels in a file of their own: a `.npy`, or the array `labels` of a `.npz`.
///
/// # Errors
/// The file cannot be read or has no such array.
pub(super) fn labels(path: &Path) -> Result<Source, InputError> {
    if path.extension().is_none_or(|extension| extension != "npz") {
        return only_array(path);
    }
    let archive = Arc::new(Archive::npz(path)?);
    match archive.head(LABELS).cloned() {
        Some(head) => Ok(Source::Numpy(archive, head)),
        None => Err(InputError::MissingArrays {
            path: path.to_owned(),
            missing: vec![LABELS.to_owned()],
            present: archive.arrays.iter().map(|head| head.name.clone()).collect(),
        }),
    }
}

fn only_array(path: &Path) -> Result<Source, InputError> {
    let archive = Archive::npy(path)?;
    let head = archive.arrays[0].clone();
    Ok(Source::Numpy(Arc::new(archive), head))
}

/// The folders `test_data_set_N` in `path`, by their numbers.
fn test_folders(path: &Path) -> Result<Vec<PathBuf>, InputError> {
    let read = |source| InputError::Read { path: path.to_owned(), source };
    let mut folders: Vec<(u64, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(path).map_err(read)? {
        let entry = entry.map_err(read)?.path();
        let number = entry.file_name().and_then(|name| name.to_str()?.strip_prefix("test_data_set_")?.parse().ok());
        if let (Some(number), true) = (number, entry.is_dir()) {
            folders.push((number, entry));
        }
    }
    folders.sort();
    Ok(folders.into_iter().map(|(_, folder)| folder).collect())
}

fn test_set(folder: &Path, inputs: &[String]) -> Result<Set, InputError> {
    let file = |kind: &str, index: usize| folder.join(format!("{kind}_{index}.pb"));
    let missing: Vec<String> =
        (0..inputs.len()).filter(|&index| !file("input", index).is_file()).map(|index| inputs[index].clone()).collect();
    if !missing.is_empty() {
        let present = (0..inputs.len()).filter(|&index| file("input", index).is_file());
        let present = present.map(|index| format!("input_{index}.pb")).collect();
        return Err(InputError::MissingArrays { path: folder.to_owned(), missing, present });
    }
    let load = |index| protobuf::tensor(&file("input", index)).map(Source::Loaded);
    let outputs = (0..).map(|index| file("output", index)).take_while(|path| path.is_file());
    Ok(Set {
        inputs: (0..inputs.len()).map(load).collect::<Result<_, _>>()?,
        outputs: outputs.map(|path| protobuf::tensor(&path)).collect::<Result<_, _>>()?,
    })
}
