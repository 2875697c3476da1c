//! From a path that a user gave to the library's file.

use std::io;
use std::path::{Path, PathBuf};

use super::{Result, RuntimeError, Version};

/// Folders, relative to the one given, in which archives and Python packages of ONNX Runtime keep
/// the library.
const FOLDERS: [&str; 3] = ["", "lib", "capi"];

/// The library that `path` names: the file itself, or the one inside the folder.
///
/// `named_by` is the flag or variable that named the path, for the error.
///
/// # Errors
/// The path does not exist or cannot be read, or the folder holds no library.
pub fn library(named_by: &'static str, path: &Path) -> Result<PathBuf> {
    match found(path) {
        Ok(Some(library)) => Ok(library),
        Ok(None) => Err(RuntimeError::NoLibraryInside(path.into(), named_by)),
        Err(source) => Err(RuntimeError::UnreadablePath(path.into(), named_by, source)),
    }
}

fn found(path: &Path) -> io::Result<Option<PathBuf>> {
    let absolute = std::path::absolute(path)?;
    if absolute.metadata()?.is_file() {
        return Ok(Some(absolute));
    }
    for folder in FOLDERS.map(|folder| absolute.join(folder)) {
        if folder.is_dir()
            && let Some(name) = best_name(&folder)?
        {
            return Ok(Some(folder.join(name)));
        }
    }
    Ok(None)
}

/// The version at the end of a library's file name, symbolic links followed.
pub(super) fn version_in_name(path: &Path) -> Option<Version> {
    version_of_name(std::fs::canonicalize(path).ok()?.file_name()?.to_str()?)
}

/// Name of the library in `folder` that has the highest version in it; a name without version is
/// taken for the highest, since it is the one that a linker would use.
fn best_name(folder: &Path) -> io::Result<Option<String>> {
    let mut names = Vec::new();
    for entry in folder.read_dir()? {
        names.extend(entry?.file_name().into_string().ok());
    }
    Ok(names
        .into_iter()
        .filter(|name| is_library_name(name))
        .max_by_key(|name| (!name.contains(char::is_numeric), version_of_name(name))))
}

fn is_library_name(name: &str) -> bool {
    let rest = name
        .strip_prefix("libonnxruntime.so")
        .or_else(|| name.strip_prefix("libonnxruntime")?.strip_suffix(".dylib"));
    rest.map_or(name == "onnxruntime.dll", |rest| {
        rest.is_empty() || is_versioned(rest)
    })
}

fn is_versioned(rest: &str) -> bool {
    rest.len() > 1 && rest.starts_with('.')
}

fn version_of_name(name: &str) -> Option<Version> {
    let rest = name
        .strip_prefix("libonnxruntime.so.")
        .or_else(|| name.strip_prefix("libonnxruntime.")?.strip_suffix(".dylib"));
    rest?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_told_from_their_providers_by_name() {
        for name in [
            "libonnxruntime.so",
            "libonnxruntime.so.1.31.1",
            "libonnxruntime.1.31.1.dylib",
            "onnxruntime.dll",
        ] {
            assert!(is_library_name(name), "{name}");
        }
        for name in [
            "libonnxruntime_providers_shared.so",
            "libonnxruntime.so.",
            "onnxruntime.pyd",
            "libm.so.6",
        ] {
            assert!(!is_library_name(name), "{name}");
        }
    }

    #[test]
    fn a_folder_yields_the_name_without_a_version_or_else_the_highest() {
        for (inner, names, best, version) in [
            (
                "capi",
                "libonnxruntime.so.1.9.0 libonnxruntime.so.1.31.1 libonnxruntime_providers_shared.so",
                "libonnxruntime.so.1.31.1",
                Some("1.31.1"),
            ),
            (
                "",
                "libonnxruntime.so libonnxruntime.so.1 libonnxruntime.so.1.31.1",
                "libonnxruntime.so",
                None,
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let inner = folder.path().join(inner);
            std::fs::create_dir_all(&inner).unwrap();
            let found = || library("--runtime", folder.path());
            assert!(matches!(found(), Err(RuntimeError::NoLibraryInside(..))));
            for name in names.split(' ') {
                std::fs::write(inner.join(name), "").unwrap();
            }
            let found = found().unwrap();
            assert_eq!(found, inner.join(best));
            assert_eq!(
                version_in_name(&found),
                version.map(|version| version.parse().unwrap())
            );
        }
    }
}
