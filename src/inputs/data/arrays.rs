//! Arrays of numpy's files, and the inputs that each is taken for.

use std::path::Path;
use std::sync::Arc;

use super::{Data, Set, Source};
use crate::inputs::npy::{Archive, Head};
use crate::inputs::wanted::{Taken, Wanted};
use crate::inputs::{InputError, labels};

impl Data {
    pub(super) fn npz(path: &Path, inputs: &[Wanted]) -> Result<Data, InputError> {
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

    pub(super) fn npy(path: &Path, inputs: &[Wanted]) -> Result<Data, InputError> {
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

    /// An error where an archive has no array of its name for an input.
    pub(super) fn check_names(path: &Path, inputs: &[Wanted]) -> Result<(), InputError> {
        let archive = Archive::npz(path)?;
        let missing = unnamed(&archive, inputs);
        if missing.is_empty() {
            Ok(())
        } else {
            Err(missing_arrays(&archive, &missing))
        }
    }
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
