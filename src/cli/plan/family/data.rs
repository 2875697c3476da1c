//! Data that lies beside the models.

use std::path::{Path, PathBuf};

use crate::inputs;
use crate::onnx::{self, Model};
use crate::plan::Variant;

/// The data that fits the models and lies nearest to them: in their folders, in those above up to
/// the one that was named, or in the one above that. Says what lies beside the models and is not
/// used.
pub(super) fn beside(
    words: &[PathBuf],
    variants: &[Variant],
    notes: &mut Vec<String>,
) -> Option<PathBuf> {
    let chains: Vec<Vec<PathBuf>> = variants
        .iter()
        .map(|variant| folders(words, &variant.path))
        .collect();
    let mut model: Option<Model> = None;
    for level in 0..chains.iter().map(Vec::len).max()? {
        let mut found: Vec<PathBuf> = Vec::new();
        for data in chains
            .iter()
            .filter_map(|chain| chain.get(level))
            .flat_map(|folder| inputs::data_in(folder))
        {
            if !found.contains(&data) {
                found.push(data);
            }
        }
        if found.is_empty() {
            continue;
        }
        // What is wrong with a model that cannot be read is told where it is described.
        let model = match &mut model {
            Some(model) => model,
            none => none.insert(onnx::read(&variants.first()?.path).ok()?),
        };
        let (fitting, others): (Vec<PathBuf>, Vec<PathBuf>) = found
            .into_iter()
            .partition(|data| inputs::fits(data, model).is_ok());
        match fitting.as_slice() {
            [] if level == 0 => notes.extend(others.iter().filter_map(|data| misfit(data, model))),
            [] => {}
            [only] => return Some(only.clone()),
            several => {
                notes.push(ambiguous(several));
                return None;
            }
        }
    }
    None
}

fn misfit(data: &Path, model: &Model) -> Option<String> {
    let error = inputs::fits(data, model).err()?;
    Some(format!(
        "data beside the models is not used: {error}; `--data` names what is fed"
    ))
}

fn ambiguous(several: &[PathBuf]) -> String {
    let names: Vec<String> = several
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    format!(
        "data beside the models is not used, since several fit: {}; name one with `--data`",
        names.join(", ")
    )
}

/// The folders in which data for a model is looked for, the nearest first.
fn folders(words: &[PathBuf], model: &Path) -> Vec<PathBuf> {
    let named = words
        .iter()
        .find(|word| word.is_dir() && model.starts_with(word));
    let mut folder = above(model);
    let mut folders = Vec::new();
    while named.is_some_and(|named| folder != *named && folder.starts_with(named)) {
        let next = above(&folder);
        folders.push(std::mem::replace(&mut folder, next));
    }
    let last = above(&folder);
    folders.extend([folder, last]);
    folders
}

/// The folder that a path lies in, in the path's own words.
fn above(path: &Path) -> PathBuf {
    match path.parent() {
        _ if path.ends_with("..") || path == Path::new(".") => path.join(".."),
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searched(words: &[&str], model: &str) -> Vec<PathBuf> {
        folders(
            &words.iter().map(PathBuf::from).collect::<Vec<_>>(),
            Path::new(model),
        )
    }

    #[test]
    fn data_is_looked_for_up_to_the_folder_that_was_named_and_one_above() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().to_str().unwrap();
        let path = |name: &str| PathBuf::from(format!("{root}{name}"));
        std::fs::create_dir_all(path("/repo/a/1")).unwrap();
        let found = searched(
            &[&format!("{root}/repo")],
            &format!("{root}/repo/a/1/m.onnx"),
        );
        assert_eq!(
            found,
            [path("/repo/a/1"), path("/repo/a"), path("/repo"), path("")]
        );
        assert_eq!(
            searched(&["x/m.onnx"], "x/m.onnx"),
            ["x", "."].map(PathBuf::from)
        );
        assert_eq!(
            searched(&["m.onnx"], "m.onnx"),
            [".", "./.."].map(PathBuf::from)
        );
    }
}
