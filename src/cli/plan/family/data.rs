//! Data that lies beside the models.

use std::path::{Path, PathBuf};

use crate::inputs;
use crate::onnx::{self, Model};
use crate::plan::Variant;
use crate::text::{distinct, joined};

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
        let found = distinct(
            chains
                .iter()
                .filter_map(|chain| chain.get(level))
                .flat_map(|folder| inputs::data_in(folder)),
        );
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
        match &fitting[..] {
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
    let names = joined(several.iter().map(|path| format!("`{}`", path.display())));
    format!(
        "data beside the models is not used, since several fit: {names}; name one with `--data`"
    )
}

/// The folders in which data for a model is looked for, the nearest first.
fn folders(words: &[PathBuf], model: &Path) -> Vec<PathBuf> {
    let named = words
        .iter()
        .find(|word| word.is_dir() && model.starts_with(word));
    let mut folders = vec![above(model)];
    while let [.., last] = &folders[..]
        && named.is_some_and(|named| last != named && last.starts_with(named))
    {
        folders.push(above(last));
    }
    folders.extend(folders.last().map(|last| above(last)));
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

    fn searched(word: &str, model: &str) -> String {
        joined(
            folders(&[word.into()], model.as_ref())
                .iter()
                .map(|folder| folder.display()),
        )
    }

    #[test]
    fn data_is_looked_for_up_to_the_folder_that_was_named_and_one_above() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().display();
        std::fs::create_dir_all(format!("{root}/repo/a/1")).unwrap();
        assert_eq!(
            searched(&format!("{root}/repo"), &format!("{root}/repo/a/1/m.onnx")),
            format!("{root}/repo/a/1, {root}/repo/a, {root}/repo, {root}")
        );
        assert_eq!(searched("x/m.onnx", "x/m.onnx"), "x, .");
        assert_eq!(searched("m.onnx", "m.onnx"), "., ./..");
    }
}
