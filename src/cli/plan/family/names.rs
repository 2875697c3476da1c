//! Names of variants.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use super::find;
use crate::text::{distinct, joined};

/// Marks of a name behind which a new word begins.
const BORDERS: [char; 4] = ['-', '_', '.', '/'];

/// A name for each file, all distinct: the file's own, or where files share one, what differs in
/// their paths; less the words that all of them begin with. Models of a server keep their whole
/// names, by which it is asked.
pub(super) fn of(paths: &[PathBuf]) -> Vec<String> {
    let own: Vec<String> = paths.iter().map(|path| of_file(path)).collect();
    if are_distinct(&own) {
        let are_served = paths.iter().all(|path| served(path).is_some());
        return if are_served { own } else { short(&own) };
    }
    let by_folder = by_path(
        &paths
            .iter()
            .map(|path| parts(&path.with_extension("")))
            .collect::<Vec<_>>(),
    );
    if are_distinct(&by_folder) {
        return short(&by_folder);
    }
    by_path(&paths.iter().map(|path| parts(path)).collect::<Vec<_>>())
}

/// The name of a model by itself: its file's, or in a server's repository, `name/1/model.onnx`, its
/// folder's.
pub(super) fn of_file(path: &Path) -> String {
    served(path).map_or_else(|| stem(path), text)
}

/// The name of a file without its extension.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().map(text).unwrap_or_default()
}

fn text(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// The folder in a server's repository that a model lies in.
fn served(path: &Path) -> Option<&OsStr> {
    let version = path.parent()?;
    find::version(version)?;
    version.parent()?.file_name()
}

/// The name of a folder of models; of a hub's cache, `models--owner--name`, the model's.
pub(super) fn of_folder(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = folder.file_name().map_or_else(|| "models".into(), text);
    let hub = name
        .strip_prefix("models--")
        .and_then(|name| name.rsplit_once("--"));
    match hub {
        Some((_, model)) if !model.is_empty() => model.to_owned(),
        _ => name,
    }
}

fn are_distinct(names: &[String]) -> bool {
    distinct(names).len() == names.len()
}

/// The parts of the paths between those that all begin with and those that all end with, at least
/// one of each.
fn by_path(parts: &[Vec<String>]) -> Vec<String> {
    let shortest = parts.iter().map(Vec::len).min().unwrap_or(0);
    let begin = (0..shortest.saturating_sub(1))
        .take_while(|&index| all_have(parts, |parts| parts.get(index)))
        .count();
    let end = (0..shortest.saturating_sub(begin + 1))
        .take_while(|&index| all_have(parts, |parts| parts.iter().nth_back(index)))
        .count();
    parts
        .iter()
        .map(|parts| &parts[begin..parts.len() - end])
        .map(|parts| parts.join("/"))
        .collect()
}

/// Whether all paths have the same one of this part.
fn all_have(paths: &[Vec<String>], part: impl Fn(&[String]) -> Option<&String>) -> bool {
    let first = paths.first().and_then(|parts| part(parts));
    first.is_some() && paths.iter().all(|parts| part(parts) == first)
}

fn parts(path: &Path) -> Vec<String> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.parent()
        .into_iter()
        .flat_map(Path::components)
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        })
        .chain(path.file_stem())
        .chain(path.extension())
        .map(text)
        .collect()
}

/// Names without the words that all of them begin with: `digits-fp32`, `digits-int8` become `fp32`,
/// `int8`.
fn short(names: &[String]) -> Vec<String> {
    let Some((first, others)) = names.split_first().filter(|(_, others)| !others.is_empty()) else {
        return names.to_vec();
    };
    let shared = first
        .char_indices()
        .map(|(index, _)| &first[..index])
        .rfind(|begin| {
            begin.ends_with(BORDERS) && others.iter().all(|other| other.starts_with(begin))
        })
        .map_or(0, str::len);
    let short: Vec<String> = names.iter().map(|name| name[shared..].to_owned()).collect();
    if short.iter().any(String::is_empty) {
        return names.to_vec();
    }
    short
}

/// The first of several words, and how many more there are.
pub(super) fn listed(words: impl Iterator<Item = String>, most: usize) -> String {
    let words: Vec<String> = words.collect();
    let more = words.len().saturating_sub(most);
    let words = joined(words.into_iter().take(most));
    match more {
        0 => words,
        more => format!("{words} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_tell_files_apart() {
        for (paths, names) in [
            // They lose the words that all begin with, and keep what is not a word of its own.
            (
                "digits-fp16.onnx digits-int8-static.onnx",
                "fp16, int8-static",
            ),
            ("a_b_fp32.onnx a_b_int8.onnx", "fp32, int8"),
            ("resnet50.onnx resnet101.onnx", "resnet50, resnet101"),
            ("model.onnx", "model"),
            ("model-.onnx model-int8.onnx", "model-, model-int8"),
            // Files of one name are called by what differs in their paths.
            ("fp32/model.onnx int8/model.onnx", "fp32, int8"),
            (
                "export-fp32/onnx/m.onnx export-int8/onnx/m.onnx",
                "fp32, int8",
            ),
            ("a/m.onnx a/m_q.onnx b/m.onnx", "a/m, a/m_q, b/m"),
            ("net.onnx net.ort", "onnx, ort"),
            ("model.onnx int8/model.onnx", "model, int8/model"),
            // Models of a server are called by their folders.
            ("repo/bert/1/model.onnx", "bert"),
            (
                "repo/bert_a/1/model.onnx repo/bert_b/3/model.onnx",
                "bert_a, bert_b",
            ),
            ("repo/bert/1/model.onnx repo/bert/2/model.onnx", "1, 2"),
        ] {
            let paths: Vec<PathBuf> = paths.split(' ').map(PathBuf::from).collect();
            assert_eq!(joined(of(&paths)), names, "{paths:?}");
        }
    }

    #[test]
    fn folder_of_a_hub_s_cache_is_called_by_its_model() {
        for (folder, name) in [
            ("/nowhere/models--owner--tiny-net", "tiny-net"),
            ("/nowhere/digits", "digits"),
        ] {
            assert_eq!(of_folder(folder.as_ref()), name);
        }
    }
}
