//! Arrays of numpy's files, and the inputs that each is taken for.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::{Data, Set, Source};
use crate::inputs::npy::{Archive, Head};
use crate::inputs::wanted::{Taken, Wanted};
use crate::inputs::{InputError, Result, labels};

impl Data {
    pub(super) fn npz(path: &Path, inputs: &[Wanted]) -> Result<Data> {
        let archive = Arc::new(Archive::npz(path)?);
        let chosen = archive.choose(inputs)?;
        let others: Vec<&Head> = archive
            .arrays
            .iter()
            .filter(|head| !chosen.iter().any(|taken| taken.name == head.name))
            .collect();
        let label = labels::likeliest(others.iter().copied(), |head| &head.name);
        let mut notes = unused(&others, label, path);
        let mut sources = Vec::new();
        for (head, wanted) in chosen.into_iter().zip(inputs) {
            notes.extend(renamed(head, wanted, path));
            sources.push(complete(&archive, head.clone(), wanted, &mut notes));
        }
        let label = label.map(|head| Source::Numpy(Arc::clone(&archive), head.clone()));
        Ok(Data::one_set(path, sources, label, notes))
    }

    fn one_set(
        path: &Path,
        inputs: Vec<Source>,
        labels: Option<Source>,
        notes: Vec<String>,
    ) -> Data {
        Data {
            path: path.to_owned(),
            sets: vec![Set {
                inputs,
                outputs: Vec::new(),
            }],
            labels,
            notes,
        }
    }

    pub(super) fn npy(path: &Path, inputs: &[Wanted]) -> Result<Data> {
        let [wanted] = inputs else {
            let names = inputs.iter().map(|wanted| wanted.exact_name());
            return Err(InputError::NpyForSeveral(path.to_owned(), names.collect()));
        };
        let archive = Arc::new(Archive::npy(path)?);
        let mut notes = Vec::new();
        let source = complete(&archive, archive.arrays[0].clone(), wanted, &mut notes);
        Ok(Data::one_set(path, vec![source], None, notes))
    }

    /// An error where an archive has no array of its name for an input.
    pub(super) fn check_names(path: &Path, inputs: &[Wanted]) -> Result<()> {
        let archive = Archive::npz(path)?;
        let missing = archive.unnamed(inputs);
        match missing.is_empty() {
            true => Ok(()),
            false => Err(archive.missing(&missing)),
        }
    }
}

impl Archive {
    /// The array for each input: of its name, or, for inputs that no array is named by, the only one
    /// that fits.
    fn choose(&self, inputs: &[Wanted]) -> Result<Vec<&Head>> {
        let missing = self.unnamed(inputs);
        let free = self.free(inputs);
        let lone = match free.as_slice() {
            [head] if missing.len() == 1 => Some(*head),
            _ => None,
        };
        let taken = missing
            .iter()
            .filter_map(|wanted| only_fitting(&free, wanted).or(lone));
        let taken: Vec<&Head> = taken.collect();
        let names: BTreeSet<&String> = taken.iter().map(|head| &head.name).collect();
        if names.len() < missing.len() {
            return Err(self.missing(&missing));
        }
        let mut taken = taken.into_iter();
        Ok(inputs
            .iter()
            .filter_map(|wanted| self.head(wanted.name.exact()).or_else(|| taken.next()))
            .collect())
    }

    /// The arrays that are named neither as an input is nor as labels are.
    fn free(&self, inputs: &[Wanted]) -> Vec<&Head> {
        self.arrays
            .iter()
            .filter(|head| {
                labels::place(&head.name).is_none()
                    && !inputs.iter().any(|wanted| wanted.name == head.name)
            })
            .collect()
    }

    fn unnamed<'w>(&self, inputs: &'w [Wanted]) -> Vec<&'w Wanted> {
        inputs
            .iter()
            .filter(|wanted| self.head(wanted.name.exact()).is_none())
            .collect()
    }

    fn missing(&self, missing: &[&Wanted]) -> InputError {
        InputError::MissingArrays {
            path: self.path.clone(),
            missing: missing.iter().map(|wanted| wanted.exact_name()).collect(),
            present: self.names(),
        }
    }
}

fn only_fitting<'a>(free: &[&'a Head], wanted: &Wanted) -> Option<&'a Head> {
    let mut fitting = free
        .iter()
        .filter(|head| wanted.takes(head.element_type, &head.shape));
    fitting.next().xor(fitting.next()).copied()
}

/// Remarks on the arrays that are neither inputs nor the labels.
fn unused(others: &[&Head], label: Option<&Head>, path: &Path) -> Vec<String> {
    let from = path.display();
    others
        .iter()
        .map(|head| &head.name)
        .filter(|name| label.is_none_or(|label| label.name != **name))
        .map(|name| match label {
            Some(label) if labels::place(name).is_some() => {
                let label = &label.name;
                format!("array `{name}` of `{from}` is not used: `{label}` is taken for the labels")
            }
            _ => format!("array `{name}` of `{from}` is no input and is not used"),
        })
        .collect()
}

fn renamed(head: &Head, wanted: &Wanted, path: &Path) -> Option<String> {
    let found = &head.name;
    (wanted.name != *found).then(|| {
        format!(
            "array `{found}` of `{}` is taken for the input `{}`",
            path.display(),
            wanted.name.exact()
        )
    })
}

/// The array with the dimension of 1 that its input wants and it lacks, and its input's type where
/// it has none.
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
            wanted.name.exact()
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
