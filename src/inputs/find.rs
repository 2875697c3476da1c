//! Data that lies where people put it, so that it need not be named.

use std::path::{Path, PathBuf};

use super::{InputError, Result, labels};

/// Entries of folders with data beyond which nobody looks at each.
const ENTRIES: usize = 10_000;

/// Data that lies in a folder: its `.npz` files that are not hidden, or else the folder itself if
/// it holds `test_data_set_N`.
#[must_use]
pub fn data_in(folder: &Path) -> Vec<PathBuf> {
    let archives = archives_in(folder);
    if archives.is_empty() && test_folders(folder).is_ok_and(|folders| !folders.is_empty()) {
        return vec![folder.to_owned()];
    }
    archives
}

fn archives_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut archives: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    archives.retain(|path| is_archive(path));
    archives.sort();
    archives
}

fn is_archive(path: &Path) -> bool {
    is_named_npz(path) && !is_hidden(path) && path.is_file()
}

fn is_named_npz(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("npz"))
}

/// A Mac leaves a file `._data.npz` of its own beside each that it packs.
fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// The files that data at a path is taken from, labels beside it included, in a fixed order; `None`
/// where they cannot be listed, or are too many.
#[must_use]
pub fn files_of(data: &Path) -> Option<Vec<PathBuf>> {
    let mut files = labels::beside(data);
    if !data.is_dir() {
        files.push(data.to_owned());
        return Some(files);
    }
    let mut folders = test_folders(data).ok()?;
    folders.push(data.to_owned());
    let mut entries = 0;
    for folder in folders {
        for entry in std::fs::read_dir(folder).ok()? {
            entries += 1;
            let path = entry.ok().filter(|_| entries <= ENTRIES)?.path();
            files.extend(Some(path).filter(|path| is_named_as_data(path)));
        }
    }
    files.sort();
    Some(files)
}

fn is_named_as_data(path: &Path) -> bool {
    is_named_npz(path) || path.extension().is_some_and(|extension| extension == "pb")
}

/// The folders `test_data_set_N` in `path`, by their numbers.
pub(super) fn test_folders(path: &Path) -> Result<Vec<PathBuf>> {
    let mut folders: Vec<(u64, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(path).map_err(InputError::read(path))? {
        let entry = entry.map_err(InputError::read(path))?.path();
        if let (Some(number), true) = (number_of_set(&entry), entry.is_dir()) {
            folders.push((number, entry));
        }
    }
    folders.sort();
    Ok(folders.into_iter().map(|(_, folder)| folder).collect())
}

fn number_of_set(folder: &Path) -> Option<u64> {
    folder
        .file_name()?
        .to_str()?
        .strip_prefix("test_data_set_")?
        .parse()
        .ok()
}

/// The archive that a folder means as data: the only `.npz` file in it.
pub(super) fn only_archive(folder: &Path) -> Option<PathBuf> {
    match data_in(folder).as_slice() {
        [only] if only != folder => Some(only.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_taken_from_arrays_test_sets_and_labels() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for set in ["test_data_set_0", "test_data_set_10", "other"] {
            std::fs::create_dir(path(set)).unwrap();
            std::fs::write(path(set).join("input_0.pb"), "").unwrap();
        }
        for name in ["a.npz", "labels.csv", "m.onnx"] {
            std::fs::write(path(name), "").unwrap();
        }
        let expected = [
            "a.npz",
            "labels.csv",
            "test_data_set_0/input_0.pb",
            "test_data_set_10/input_0.pb",
        ]
        .map(path);
        assert_eq!(files_of(folder.path()).unwrap(), expected);
        assert_eq!(
            files_of(&path("a.npz")).unwrap(),
            ["labels.csv", "a.npz"].map(path)
        );
    }

    #[test]
    fn hidden_files_are_no_data() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["._data.npz", "data.npz"] {
            std::fs::write(path(name), "").unwrap();
        }
        assert_eq!(data_in(folder.path()), [path("data.npz")]);
        assert_eq!(only_archive(folder.path()), Some(path("data.npz")));
    }
}
