//! From a path that a user gave to the library's file.

use std::path::{Path, PathBuf};

use super::{RuntimeError, Version};

/// Folders, relative to the one given, in which archives and Python packages of ONNX Runtime keep
/// the library.
const FOLDERS: [&str; 3] = ["", "lib", "capi"];

/// The library that `path` names: the file itself, or the one inside the folder.
///
/// `named_by` is the flag or variable that named the path, for the error.
///
/// # Errors
/// The path does not exist or cannot be read, or the folder holds no library.
pub fn library(named_by: &'static str, path: &Path) -> Result<PathBuf, RuntimeError> {
    let unreadable = |source| RuntimeError::UnreadablePath(path.into(), named_by, source);
    let absolute = std::path::absolute(path).map_err(unreadable)?;
    let metadata = std::fs::metadata(&absolute).map_err(unreadable)?;
    if metadata.is_file() {
        return Ok(absolute);
    }
    for folder in FOLDERS
        .map(|folder| absolute.join(folder))
        .iter()
        .filter(|folder| folder.is_dir())
    {
        if let Some(name) = best_name(folder).map_err(unreadable)? {
            return Ok(folder.join(name));
        }
    }
    Err(RuntimeError::NoLibraryInside(path.into(), named_by))
}

/// The version at the end of a library's file name, symbolic links followed.
pub(super) fn version_in_name(path: &Path) -> Option<Version> {
    let file = std::fs::canonicalize(path).ok()?;
    version_of_name(file.file_name()?.to_str()?)
}

/// Name of the library in `folder` that has the highest version in it; a name without version is
/// taken for the highest, since it is the one that a linker would use.
fn best_name(folder: &Path) -> std::io::Result<Option<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        if let Ok(name) = entry?.file_name().into_string() {
            names.push(name);
        }
    }
    let rank = |name: &String| (!name.contains(char::is_numeric), version_of_name(name));
    Ok(names
        .into_iter()
        .filter(|name| is_library_name(name))
        .max_by_key(rank))
}

fn is_library_name(name: &str) -> bool {
    match (
        name.strip_prefix("libonnxruntime.so"),
        name.strip_prefix("libonnxruntime"),
    ) {
        (Some(rest), _) => rest.is_empty() || is_versioned(rest),
        (None, Some(rest)) => {
            rest == ".dylib" || rest.strip_suffix(".dylib").is_some_and(is_versioned)
        }
        (None, None) => name == "onnxruntime.dll",
    }
}

fn is_versioned(rest: &str) -> bool {
    rest.strip_prefix('.')
        .is_some_and(|version| !version.is_empty())
}

fn version_of_name(name: &str) -> Option<Version> {
    let rest = name.strip_prefix("libonnxruntime.so.").or_else(|| {
        let rest = name.strip_prefix("libonnxruntime.")?;
        rest.strip_suffix(".dylib")
    })?;
    rest.parse().ok()
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
        let versions = [
            "libonnxruntime.so.1.9.0",
            "libonnxruntime.so.1.31.1",
            "libonnxruntime_providers_shared.so",
        ];
        let linked = [
            "libonnxruntime.so",
            "libonnxruntime.so.1",
            "libonnxruntime.so.1.31.1",
        ];
        for (inner, names, best, version) in [
            ("capi", versions, versions[1], Some("1.31.1")),
            ("", linked, linked[0], None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let inner = folder.path().join(inner);
            std::fs::create_dir_all(&inner).unwrap();
            let error = library("--runtime", folder.path()).unwrap_err();
            assert!(
                matches!(error, RuntimeError::NoLibraryInside(..)),
                "{error:?}"
            );
            names
                .iter()
                .for_each(|name| std::fs::write(inner.join(name), "").unwrap());
            let found = library("--runtime", folder.path()).unwrap();
            assert_eq!(found, inner.join(best));
            assert_eq!(
                version_in_name(&found),
                version.map(|version| version.parse().unwrap()),
                "{best}"
            );
        }
    }
}
