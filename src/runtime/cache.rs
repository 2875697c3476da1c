//! The tool's own folder of libraries: `runtimes/cpu-1.31.1/` with the library, its licences and a manifest.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::request::BUILD;
use super::{RuntimeError, Version};
use crate::hash;

/// Environment variable that names the cache folder.
const CACHE_VARIABLE: &str = "ONNXPROF_CACHE";

const MANIFEST: &str = "manifest.json";

/// The folder that holds installed libraries. It need not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    runtimes: PathBuf,
}

/// What is known of an installed library; `manifest.json` beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of ONNX Runtime.
    pub version: String,
    /// File name of the library in the manifest's folder.
    pub library: String,
    /// SHA-256 of the library, lower-case hexadecimal.
    pub library_sha256: String,
    /// File name of the wheel that the library was taken from.
    pub wheel: String,
    /// SHA-256 of the wheel, lower-case hexadecimal.
    pub wheel_sha256: String,
    /// What the wheel's hash was compared with.
    pub verified_against: Verification,
}

/// What a downloaded wheel's hash was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// The hash that this program carries for that version.
    Pinned,
    /// The hash that the package index states, which pip compares as it downloads.
    Index,
}

/// A folder of the cache that holds a library, or should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedLibrary {
    /// Version by the folder's name.
    pub version: Version,
    /// The library's file if the manifest names it, else the folder.
    pub path: PathBuf,
    /// Whether the library is what was installed.
    pub condition: Condition,
}

/// Whether an installed library is still what was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Its hash is the manifest's.
    Intact,
    /// It is not; the reason is a sentence fragment.
    Broken(String),
}

impl Cache {
    /// The user's cache: `$ONNXPROF_CACHE`, `$XDG_CACHE_HOME/onnxprof` or `~/.cache/onnxprof`.
    ///
    /// # Errors
    ///
    /// None of the variables that lead there is set.
    pub fn locate() -> Result<Self, RuntimeError> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// The cache in `folder`.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Cache { runtimes: folder.join("runtimes") }
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, RuntimeError> {
        let folder = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        // The XDG specification has relative paths ignored.
        let absolute = |name: &str| folder(name).filter(|path| path.is_absolute());
        let found = folder(CACHE_VARIABLE)
            .and_then(|path| std::path::absolute(path).ok())
            .or_else(|| absolute("XDG_CACHE_HOME").map(|path| path.join("onnxprof")))
            .or_else(|| absolute("HOME").map(|path| path.join(".cache").join("onnxprof")));
        found.map(|folder| Cache::at(&folder)).ok_or(RuntimeError::NoCacheFolder)
    }

    /// The folder that holds one folder per installed library.
    #[must_use]
    pub fn runtimes(&self) -> &Path {
        &self.runtimes
    }

    /// The folder of one version.
    pub(super) fn folder(&self, version: Version) -> PathBuf {
        self.runtimes.join(format!("{BUILD}-{version}"))
    }

    /// Everything that is installed, by ascending version, each library checked against its manifest.
    ///
    /// # Errors
    ///
    /// The cache exists and cannot be read.
    pub fn libraries(&self) -> Result<Vec<CachedLibrary>, RuntimeError> {
        let unreadable = |source| RuntimeError::Cache { path: self.runtimes.clone(), source };
        let entries = match std::fs::read_dir(&self.runtimes) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut versions = Vec::new();
        for entry in entries {
            let name = entry.map_err(unreadable)?.file_name();
            versions.extend(name.to_str().and_then(version_of_folder));
        }
        versions.sort_unstable();
        Ok(versions.into_iter().map(|version| self.inspect(version)).collect())
    }

    /// The library of one version, if it is installed and intact.
    ///
    /// # Errors
    ///
    /// The cache exists and cannot be read.
    pub fn intact(&self, version: Version) -> Result<Option<CachedLibrary>, RuntimeError> {
        Ok(self.get(version)?.filter(|library| library.condition == Condition::Intact))
    }

    /// What stands in the place of one version, if anything does.
    pub(super) fn get(&self, version: Version) -> Result<Option<CachedLibrary>, RuntimeError> {
        match std::fs::symlink_metadata(self.folder(version)) {
            Ok(_) => Ok(Some(self.inspect(version))),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(source) => Err(RuntimeError::Cache { path: self.folder(version), source }),
        }
    }

    fn inspect(&self, version: Version) -> CachedLibrary {
        let folder = self.folder(version);
        match checked(&folder) {
            Ok(path) => CachedLibrary { version, path, condition: Condition::Intact },
            Err(reason) => CachedLibrary { version, path: folder, condition: Condition::Broken(reason) },
        }
    }
}

fn version_of_folder(name: &str) -> Option<Version> {
    name.strip_prefix(BUILD)?.strip_prefix('-')?.parse().ok()
}

/// Writes the manifest into `folder`.
pub(super) fn write_manifest(folder: &Path, manifest: &Manifest) -> io::Result<()> {
    let mut file = std::fs::File::create(folder.join(MANIFEST))?;
    serde_json::to_writer_pretty(&mut file, manifest)?;
    file.sync_all()
}

/// The library in `folder`, if its hash is the manifest's; else why not.
fn checked(folder: &Path) -> Result<PathBuf, String> {
    let text =
        std::fs::read(folder.join(MANIFEST)).map_err(|error| format!("its {MANIFEST} is unreadable: {error}"))?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| format!("its {MANIFEST} is malformed: {error}"))?;
    let path = folder.join(&manifest.library);
    let found = hash::of_file(&path).map_err(|error| format!("`{}` is unreadable: {error}", manifest.library))?;
    if found == manifest.library_sha256 {
        Ok(path)
    } else {
        Err(format!("the SHA-256 of `{}` is not the one in its {MANIFEST}", manifest.library))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<Cache, RuntimeError> {
        Cache::from_variables(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_most_specific_variable_names_the_cache() {
        let home = ("HOME", "/home/me");
        let xdg = ("XDG_CACHE_HOME", "/var/me");
        let own = ("ONNXPROF_CACHE", "/srv/op");
        assert_eq!(with(&[home, xdg, own]).unwrap(), Cache::at(Path::new("/srv/op")));
        assert_eq!(with(&[home, xdg]).unwrap(), Cache::at(Path::new("/var/me/onnxprof")));
        assert_eq!(with(&[home]).unwrap(), Cache::at(Path::new("/home/me/.cache/onnxprof")));
        assert_eq!(with(&[home, ("XDG_CACHE_HOME", "relative")]).unwrap(), with(&[home]).unwrap());
        assert!(matches!(with(&[("HOME", "")]), Err(RuntimeError::NoCacheFolder)));
    }

    #[test]
    fn a_cache_that_does_not_exist_holds_nothing() {
        let cache = Cache::at(Path::new("/nonexistent"));
        assert_eq!(cache.libraries().unwrap(), Vec::new());
        assert_eq!(cache.intact(super::super::DEFAULT_VERSION).unwrap(), None);
    }

    #[test]
    fn a_changed_library_is_broken() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::at(home.path());
        let version = super::super::DEFAULT_VERSION;
        let folder = cache.folder(version);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("lib.so"), "abc").unwrap();
        let manifest = Manifest {
            version: version.to_string(),
            library: "lib.so".into(),
            library_sha256: hash::of_file(&folder.join("lib.so")).unwrap(),
            wheel: "w.whl".into(),
            wheel_sha256: String::new(),
            verified_against: Verification::Index,
        };
        write_manifest(&folder, &manifest).unwrap();
        assert_eq!(cache.intact(version).unwrap().unwrap().path, folder.join("lib.so"));
        std::fs::write(folder.join("lib.so"), "abd").unwrap();
        assert_eq!(cache.intact(version).unwrap(), None);
        let listed = cache.libraries().unwrap();
        assert!(matches!(&listed[..], [CachedLibrary { condition: Condition::Broken(_), .. }]), "{listed:?}");
    }
}
