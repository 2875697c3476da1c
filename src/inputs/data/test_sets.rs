//! The standard's test sets.

use std::path::{Path, PathBuf};

use super::{Data, Set, Source};
use crate::inputs::argument::Form;
use crate::inputs::find::test_folders;
use crate::inputs::protobuf::Stored;
use crate::inputs::wanted::Wanted;
use crate::inputs::{InputError, protobuf};

impl Data {
    pub(super) fn test_sets(
        path: &Path,
        inputs: &[Wanted],
        outputs: &[Form],
    ) -> Result<Data, InputError> {
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
