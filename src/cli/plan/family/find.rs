//! Model files in folders as people have them: exports, downloads of a model hub, repositories of a
//! server.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::runs::RUNS;
use crate::cli::{CliError, Result};
use crate::files::{self, Kind};
use crate::record::ModelSummary;
use crate::store;
use crate::text::joined;

/// Extensions of model files, in whatever case.
const EXTENSIONS: [&str; 2] = ["onnx", "ort"];
/// Folders within folders that are looked into: a server's `repository/name/version/model.onnx/`
/// takes four.
const DEPTH: usize = 4;
/// Entries after which a folder is no folder of models, but somebody's disk.
const ENTRIES: usize = 20_000;
/// Folders that hold other things than somebody's models.
const NOT_MODELS: [&str; 4] = ["node_modules", "__pycache__", "site-packages", RUNS];

/// How a word names a model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Path,
    Folder,
}

/// A model file, and what it says of itself as far as it was read.
#[derive(Debug)]
pub(super) struct Candidate {
    pub path: PathBuf,
    pub by: By,
    pub head: Option<ModelSummary>,
}

/// The model files, and what is to be said about those left out.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub files: Vec<Candidate>,
    pub notes: Vec<String>,
}

/// The model files that words name, each once: a file itself; of a folder those in it, or else
/// those in the folders within.
pub(super) fn models(words: &[PathBuf]) -> Result<Found> {
    let mut found = Found::default();
    for word in words {
        let metadata = word.metadata().map_err(|error| unreadable(word, &error))?;
        let (paths, by) = if metadata.is_dir() {
            let mut walk = Walk::default();
            walk.enter(word, 0)
                .map_err(|error| unreadable(word, &error))?;
            if walk.files.is_empty() {
                return Err(no_models(word));
            }
            found.notes.extend(walk.notes);
            (walk.files, By::Folder)
        } else {
            (vec![word.clone()], By::Path)
        };
        found.files.extend(paths.into_iter().map(|path| Candidate {
            path,
            by,
            head: None,
        }));
    }
    let mut seen = BTreeSet::new();
    let files = &mut found.files;
    files.retain(|file| seen.insert(std::path::absolute(&file.path).unwrap_or(file.path.clone())));
    Ok(found)
}

fn unreadable(word: &Path, error: &io::Error) -> CliError {
    CliError::bad_input(
        error.to_string(),
        "name a .onnx or .ort file, or a folder of them",
    )
    .causing(format!("failed to read `{}`", word.display()))
}

fn no_models(word: &Path) -> CliError {
    let word = word.display();
    CliError::bad_input(
        format!("folder `{word}` holds no .onnx files, and no .ort files"),
        "name a model file, or a folder whose model files are variants of one model",
    )
}

#[derive(Default)]
struct Walk {
    files: Vec<PathBuf>,
    notes: Vec<String>,
    entries: usize,
}

#[derive(Default)]
struct Listed {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Walk {
    fn enter(&mut self, folder: &Path, depth: usize) -> io::Result<()> {
        if let Some(snapshot) = snapshot(folder) {
            return self.enter(&snapshot, depth);
        }
        let Listed { files, folders } = self.list(folder)?;
        if !files.is_empty() {
            self.files.extend(files);
            self.note_below(folder, &folders);
        } else if depth < DEPTH {
            for inner in self.newest_version(folder, folders) {
                if let Err(error) = self.enter(&inner, depth + 1) {
                    let inner = inner.display();
                    self.notes
                        .push(format!("`{inner}` cannot be read and is left out: {error}"));
                }
            }
        }
        Ok(())
    }

    fn list(&mut self, folder: &Path) -> io::Result<Listed> {
        let mut listed = Listed::default();
        for entry in folder.read_dir()? {
            self.entries += 1;
            if self.entries > ENTRIES {
                break;
            }
            let path = entry?.path();
            // Nobody put hidden files there to be looked at: a Mac leaves a `._model.onnx` of its own
            // beside each model that it packs.
            let name = path.file_name().unwrap_or_default();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            // Links are followed: a hub's cache consists of them.
            if path.is_dir() {
                listed
                    .folders
                    .extend(may_hold_models(&path).then_some(path));
            } else if is_model(&path) && path.is_file() {
                listed.files.push(path);
            }
        }
        listed.files.sort();
        listed.folders.sort();
        Ok(listed)
    }

    /// Says which folders within one that has models itself have some as well, since those are not
    /// taken.
    fn note_below(&mut self, folder: &Path, folders: &[PathBuf]) {
        let names: Vec<String> = folders
            .iter()
            .filter(|inner| self.holds(inner))
            .map(|inner| format!("`{}`", inner.display()))
            .collect();
        if !names.is_empty() {
            let (folder, names) = (folder.display(), joined(names));
            self.notes.push(format!(
                "the models of `{folder}` itself are taken; those in {names} are left out: name the folder to measure them"
            ));
        }
    }

    fn holds(&self, folder: &Path) -> bool {
        let mut walk = Walk {
            entries: self.entries,
            ..Walk::default()
        };
        walk.list(folder)
            .is_ok_and(|listed| !listed.files.is_empty())
    }

    /// Of folders that are the versions of one model, as servers number them, the newest; else all
    /// of them.
    fn newest_version(&mut self, folder: &Path, mut folders: Vec<PathBuf>) -> Vec<PathBuf> {
        let count = folders.len();
        if count < 2 || folders.iter().any(|folder| version(folder).is_none()) {
            return folders;
        }
        folders.sort_by_key(|folder| Reverse(version(folder)));
        folders.truncate(1);
        let newest = folders[0].file_name().unwrap_or_default().display();
        let folder = folder.display();
        self.notes.push(format!(
            "of the {count} versions in `{folder}` the newest, {newest}, is taken"
        ));
        folders
    }
}

/// The snapshot of a hub's cache that its main branch names, or else the one that was made last.
fn snapshot(folder: &Path) -> Option<PathBuf> {
    let snapshots = folder.join("snapshots");
    if !snapshots.is_dir()
        || !["refs", "blobs"]
            .iter()
            .any(|part| folder.join(part).is_dir())
    {
        return None;
    }
    files::text(&folder.join("refs/main"), Kind::REVISION)
        .ok()
        .map(|name| snapshots.join(name.trim()))
        .filter(|path| path.parent() == Some(&snapshots) && path.is_dir())
        .or_else(|| {
            snapshots
                .read_dir()
                .ok()?
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.is_dir())
                .max_by_key(|path| (store::modified(path), path.clone()))
        })
}

pub(super) fn version(folder: &Path) -> Option<u64> {
    folder.file_name()?.to_str()?.parse().ok()
}

fn is_model(path: &Path) -> bool {
    path.extension().is_some_and(|own| {
        EXTENSIONS
            .iter()
            .any(|known| own.eq_ignore_ascii_case(known))
    })
}

/// Whether models are looked for in a folder: not in environments of Python, in runs and in test
/// data.
fn may_hold_models(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with("test_data_set_")
        && !NOT_MODELS.contains(&name.as_ref())
        && !folder.join("pyvenv.cfg").exists()
        && !store::holds_run(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit;

    fn tree(files: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files.split(' ') {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        root
    }

    /// Paths of the files, and what is said.
    fn found(root: &tempfile::TempDir, words: &[&str]) -> (String, Vec<String>) {
        let words: Vec<PathBuf> = words.iter().map(|word| root.path().join(word)).collect();
        let found = models(&words).unwrap();
        (
            joined(
                found
                    .files
                    .iter()
                    .map(|file| file.path.strip_prefix(root.path()).unwrap())
                    .map(Path::display),
            ),
            found.notes,
        )
    }

    #[test]
    fn models_of_a_folder_come_before_those_of_folders_within() {
        let root = tree("a.onnx B.ONNX c.ort notes.txt old/a.onnx");
        let (files, notes) = found(&root, &[""]);
        assert_eq!(files, "B.ONNX, a.onnx, c.ort");
        assert!(
            matches!(&notes[..], [note] if note.contains("old` are left out")),
            "{notes:?}"
        );
    }

    #[test]
    fn nested_folders_are_looked_into_and_others_are_not() {
        let root = tree(
            "fp32/model.onnx x/int8/model.onnx .git/m.onnx node_modules/m.onnx venv/pyvenv.cfg venv/m.onnx \
             run/run.json run/m.onnx a/b/c/d/e/too-deep.onnx",
        );
        assert_eq!(found(&root, &[""]).0, "fp32/model.onnx, x/int8/model.onnx");
    }

    #[test]
    fn hidden_files_are_no_models_unless_they_are_named() {
        let root = tree("m.onnx ._m.onnx .part.ort __MACOSX/._m.onnx fp16/m.onnx fp16/._m.onnx");
        let (files, notes) = found(&root, &[""]);
        assert_eq!(files, "m.onnx");
        assert!(
            matches!(&notes[..], [note] if note.contains("fp16") && !note.contains("MACOSX")),
            "{notes:?}"
        );
        assert_eq!(found(&root, &["._m.onnx"]).0, "._m.onnx");
        assert!(models(&[root.path().join("__MACOSX")]).is_err());
    }

    #[test]
    fn newest_version_of_each_model_of_a_server_is_taken() {
        let root = tree(
            "repo/a/9/model.onnx repo/a/10/model.onnx repo/a/config.pbtxt repo/b/1/model.onnx",
        );
        let (files, notes) = found(&root, &["repo"]);
        assert_eq!(files, "repo/a/10/model.onnx, repo/b/1/model.onnx");
        assert!(
            matches!(&notes[..], [note] if note.contains("the newest, 10, is taken")),
            "{notes:?}"
        );
    }

    #[test]
    fn cache_of_a_hub_is_entered_by_its_main_branch() {
        let root = tree(
            "hub/snapshots/abc/onnx/model.onnx hub/snapshots/def/onnx/model.onnx hub/blobs/0 hub/refs/main",
        );
        std::fs::write(root.path().join("hub/refs/main"), "abc\n").unwrap();
        assert_eq!(
            found(&root, &["hub"]).0,
            "hub/snapshots/abc/onnx/model.onnx"
        );
    }

    #[test]
    fn file_that_is_named_twice_is_found_once() {
        let root = tree("a.onnx b.onnx");
        assert_eq!(
            found(&root, &["a.onnx", "", "./a.onnx"]).0,
            "a.onnx, b.onnx"
        );
    }

    #[test]
    fn folder_without_models_is_an_error() {
        let root = tree("empty/readme.txt");
        let error = models(&[root.path().join("empty")]).unwrap_err();
        assert_eq!(error.code, exit::BAD_INPUT);
    }
}
