//! The standard's test sets.

use std::path::{Path, PathBuf};

use super::{Data, Set, Source};
use crate::inputs::argument::{Form, or_tensors};
use crate::inputs::find::test_folders;
use crate::inputs::protobuf::Stored;
use crate::inputs::wanted::Wanted;
use crate::inputs::{InputError, Result, protobuf};

impl Data {
    pub(super) fn test_sets(path: &Path, inputs: &[Wanted], outputs: &[Form]) -> Result<Data> {
        let mut folders = test_folders(path)?;
        if folders.is_empty() && path.join("input_0.pb").is_file() {
            folders.push(path.to_owned());
        }
        if folders.is_empty() {
            return Err(InputError::UnknownFormat(path.to_owned()));
        }
        let (mut sets, mut notes) = (Vec::new(), Vec::new());
        for folder in folders {
            sets.push(Set {
                inputs: given(&folder, inputs)?,
                outputs: expected(&folder, outputs, &mut notes),
            });
        }
        Ok(Data {
            path: path.to_owned(),
            sets,
            labels: None,
            notes,
        })
    }
}

fn given(folder: &Path, inputs: &[Wanted]) -> Result<Vec<Source>> {
    let (present, lacking): (Vec<_>, Vec<_>) = (0..inputs.len())
        .map(|index| format!("input_{index}.pb"))
        .zip(inputs)
        .partition(|(file, _)| folder.join(file).is_file());
    if lacking.is_empty() {
        return present
            .into_iter()
            .map(|(file, wanted)| protobuf::read(&folder.join(file), wanted.form))
            .map(|value| value.map(Source::Loaded))
            .collect();
    }
    let missing = lacking.into_iter().map(|(_, wanted)| wanted.exact_name());
    Err(InputError::MissingArrays {
        path: folder.to_owned(),
        missing: missing.collect(),
        present: present.into_iter().map(|(file, _)| file).collect(),
    })
}

/// The outputs that a test set expects. One that cannot be read is noted: the model runs without
/// it.
fn expected(folder: &Path, outputs: &[Form], notes: &mut Vec<String>) -> Vec<Option<Stored>> {
    outputs_in(folder)
        .zip(or_tensors(outputs))
        .map(|(path, form)| noted(protobuf::read(&path, form), notes))
        .collect()
}

fn outputs_in(folder: &Path) -> impl Iterator<Item = PathBuf> {
    (0..)
        .map(|index| folder.join(format!("output_{index}.pb")))
        .take_while(|path| path.is_file())
}

fn noted(output: Result<Stored>, notes: &mut Vec<String>) -> Option<Stored> {
    if let Err(error) = &output {
        notes.push(format!("an expected output is not compared: {error}"));
    }
    output.ok()
}
