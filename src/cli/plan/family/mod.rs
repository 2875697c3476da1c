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

use self::find::{Candidate, Found};
use super::inputs::InputArgs;
use crate::cli::{CliError, Result};
use crate::onnx;
use crate::plan::{Named, Variant};
use crate::runner::FoundRuntime;

/// The models that are compared, and what they are called together.
#[derive(Debug)]
pub struct Family {
    pub name: String,
    pub variants: Vec<Variant>,
    pub baseline: usize,
    /// Words that the models were named by, where a folder is among them.
    pub named: Vec<PathBuf>,
    /// Data that lies beside the models, where the user named none.
    pub data: Option<PathBuf>,
    /// Decisions and omissions, in sentences.
    pub notes: Vec<String>,
}

/// Finds the models that the words name: files, and folders as exporters, model hubs and servers
/// lay them out.
pub fn family(models: &[PathBuf], baseline: Option<&str>, inputs: &InputArgs) -> Result<Family> {
    let Found {
        mut files,
        mut notes,
    } = find::models(models)?;
    files
        .iter()
        .map(|file| &file.path)
        .chain(&inputs.data)
        .try_for_each(|path| require_text(path))?;
    // One file by itself is compared with nothing, and is read where it is described.
    if files.len() > 1 {
        for file in &mut files {
            file.head = onnx::read(&file.path)
                .ok()
                .map(|model| onnx::summary(&model));
        }
    }
    let candidates = kinds::largest(files, &mut notes);
    let paths: Vec<PathBuf> = candidates
        .iter()
        .map(|candidate| candidate.path.clone())
        .collect();
    let name = match models {
        [folder] if folder.is_dir() => names::of_folder(folder),
        _ => names::of_file(&paths[0]),
    };
    let mut variants: Vec<Variant> = names::of(&paths)
        .into_iter()
        .zip(paths)
        .map(|(name, path)| Variant {
            name: name.into(),
            path,
        })
        .collect();
    let baseline = baseline::choose(
        &variants
            .iter()
            .zip(&candidates)
            .map(|(variant, Candidate { head, .. })| baseline::Model {
                variant,
                head: head.as_ref(),
            })
            .collect::<Vec<_>>(),
        baseline,
    )?;
    notes.extend(baseline.note);
    // People read from the baseline to the candidates.
    variants[..=baseline.index].rotate_right(1);
    let data = match inputs.data {
        Some(_) => None,
        None => data::beside(models, &variants, &mut notes),
    };
    let has_folder = models.iter().any(|word| word.is_dir());
    Ok(Family {
        name,
        named: models.iter().filter(|_| has_folder).cloned().collect(),
        variants,
        baseline: 0,
        data,
        notes,
    })
}

impl Family {
    /// Shorter words for these models, and for libraries of the cache.
    pub fn named(&self, runtimes: &[FoundRuntime]) -> Named {
        Named {
            models: self.named.clone(),
            releases: runtimes
                .iter()
                .filter_map(|found| {
                    let release = found.release.as_deref()?;
                    Some((found.choice.path().to_owned(), release.into()))
                })
                .collect(),
        }
    }
}

/// A record names files in Unicode.
fn require_text(path: &Path) -> Result<()> {
    if path.to_str().is_none() {
        let path = path.display();
        return Err(CliError::bad_input(
            format!("the path `{path}` is not UTF-8, so that no record can name it"),
            "rename the file or its folder",
        ));
    }
    Ok(())
}
