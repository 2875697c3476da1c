//! From words on the command line to the models that are compared: which files, in which order,
//! under which names.
//!
//! Files are read as far as their graphs go; nothing is run. Read [`family`] first.

mod baseline;
mod data;
mod find;
mod kinds;
mod names;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use self::find::{Candidate, ModelFile};
use super::inputs::InputArgs;
use crate::cli::CliError;
use crate::onnx;
use crate::plan::Variant;
use crate::record::ModelSummary;

/// The models that are compared, and what they are called together.
#[derive(Debug)]
pub struct Family {
    pub name: String,
    pub variants: Vec<Variant>,
    pub baseline: usize,
    /// Data that lies beside the models, where the user named none.
    pub data: Option<PathBuf>,
    /// What was decided and what was left out, in sentences.
    pub notes: Vec<String>,
}

/// Finds the models that the words name: files, and folders as exporters, model hubs and servers
/// lay them out.
pub fn family(
    models: &[PathBuf],
    baseline: Option<&str>,
    inputs: &InputArgs,
) -> Result<Family, CliError> {
    let found = find::models(models)?;
    let paths = found.files.iter().map(|file| &file.path);
    paths
        .chain(&inputs.data)
        .try_for_each(|path| require_text(path))?;
    let mut notes = found.notes;
    let candidates = kinds::largest(candidates(found.files), &mut notes);
    let paths: Vec<PathBuf> = candidates
        .iter()
        .map(|candidate| candidate.file.path.clone())
        .collect();
    let names = names::of(&paths);
    let name = match models {
        [folder] if folder.is_dir() => names::of_folder(folder),
        _ => names::of_file(&paths[0]),
    };
    let mut variants: Vec<Variant> = names
        .into_iter()
        .zip(paths)
        .map(|(name, path)| Variant {
            name: name.into(),
            path,
        })
        .collect();
    let heads: Vec<Option<&ModelSummary>> = candidates
        .iter()
        .map(|candidate| candidate.head.as_ref())
        .collect();
    let baseline = baseline::choose(&variants, &heads, baseline)?;
    notes.extend(baseline.note);
    // People read from the baseline to the candidates.
    variants[..=baseline.index].rotate_right(1);
    let data = if inputs.data.is_none() {
        data::beside(models, &variants, &mut notes)
    } else {
        None
    };
    Ok(Family {
        name,
        variants,
        baseline: 0,
        data,
        notes,
    })
}

/// What the files say of themselves. One file by itself is compared with nothing, and is read where
/// it is described.
fn candidates(files: Vec<ModelFile>) -> Vec<Candidate> {
    let is_read = files.len() > 1;
    let head = |path: &Path| onnx::read(path).ok().map(|model| onnx::summary(&model));
    files
        .into_iter()
        .map(|file| Candidate {
            head: is_read.then(|| head(&file.path)).flatten(),
            file,
        })
        .collect()
}

/// A record names files in Unicode.
fn require_text(path: &Path) -> Result<(), CliError> {
    if path.to_str().is_some() {
        return Ok(());
    }
    let message = format!(
        "the path `{}` is not UTF-8, so that no record can name it",
        path.display()
    );
    Err(CliError::bad_input(
        message,
        "rename the file or its folder",
    ))
}
