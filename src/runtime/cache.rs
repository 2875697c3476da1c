//! The tool's own folder of libraries: `runtimes/cpu-1.31.1/` with the library, those that it
//! needs, their licences and a manifest.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::{Build, Release, RuntimeError, manifest, needs};
use crate::units::Bytes;

const CACHE_VARIABLE: &str = "ONNXPROF_CACHE";

/// The folder that holds installed libraries. It need not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    runtimes: PathBuf,
}

/// A folder of the cache that holds a library, or should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedLibrary {
    /// Build and version by the folder's name.
    pub release: Release,
    /// The library's file if the manifest names it, else the folder.
    pub path: PathBuf,
    /// Whether the library is what was installed.
    pub condition: Condition,
    /// Size of its files, each content once; absent where the manifest does not tell.
    pub size_bytes: Option<Bytes>,
}

/// Whether an installed library is still what was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Every file is as the manifest says, and what it needs is there.
    Intact,
    /// That is not so; the reason is a sentence fragment.
    Broken(String),
}

impl Cache {
    /// The user's cache: `$ONNXPROF_CACHE`, `$XDG_CACHE_HOME/onnxprof` or `~/.cache/onnxprof`.
    ///
    /// # Errors
    /// None of the variables that lead there is set.
    pub fn locate() -> Result<Self, RuntimeError> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// The cache in `folder`.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Cache {
            runtimes: folder.join("runtimes"),
        }
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, RuntimeError> {
        let folder = |name| path_of(variable(name));
        let found = folder(CACHE_VARIABLE)
            .and_then(|path| std::path::absolute(path).ok())
            .or_else(|| Some(absolute(folder("XDG_CACHE_HOME"))?.join("onnxprof")))
            .or_else(|| Some(absolute(folder("HOME"))?.join(".cache").join("onnxprof")));
        found
            .map(|folder| Cache::at(&folder))
            .ok_or(RuntimeError::NoCacheFolder)
    }

    /// The folder that holds one folder per installed library.
    #[must_use]
    pub fn runtimes(&self) -> &Path {
        &self.runtimes
    }

    /// The folder that holds what the machine was seen to do at most, one file for each library and
    /// way to run it.
    #[must_use]
    pub fn peaks(&self) -> PathBuf {
        self.runtimes.with_file_name("peaks")
    }

    /// The folder that holds what trying models out has shown, one file for each model and way to
    /// run it.
    #[must_use]
    pub fn probes(&self) -> PathBuf {
        self.runtimes.with_file_name("probes")
    }

    /// The folder that holds how much runs were seen to spread, one file for each machine.
    #[must_use]
    pub fn spreads(&self) -> PathBuf {
        self.runtimes.with_file_name("spreads")
    }

    /// The folder that has nothing in it and stays, for a program to be started in that may outlive
    /// this one. It is made if need be, read-only, so that nothing gets into it by chance.
    ///
    /// # Errors
    /// It cannot be made or read, or something is in it.
    pub fn empty(&self) -> io::Result<PathBuf> {
        let folder = self.runtimes.with_file_name("empty");
        if let Some(cache) = folder.parent() {
            std::fs::create_dir_all(cache)?;
        }
        match std::fs::DirBuilder::new().mode(0o555).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        match std::fs::read_dir(&folder)?.next() {
            None => Ok(folder),
            Some(_) => Err(io::ErrorKind::DirectoryNotEmpty.into()),
        }
    }

    /// The release of the user's cache that a library is of; `None` for one from elsewhere.
    #[must_use]
    pub fn release_of(library: &Path) -> Option<Release> {
        let cache = Cache::locate().ok()?;
        let folder = library
            .parent()
            .filter(|folder| folder.parent() == Some(&cache.runtimes))?;
        Release::of_folder(folder.file_name()?.to_str()?)
    }

    pub(super) fn folder(&self, release: Release) -> PathBuf {
        self.runtimes.join(release.folder_name())
    }

    /// Every release that has a folder, by build and ascending version, whatever is in it.
    ///
    /// # Errors
    /// The cache exists and cannot be read.
    pub fn releases(&self) -> Result<Vec<Release>, RuntimeError> {
        let unreadable = |source| RuntimeError::Cache(self.runtimes.clone(), source);
        let entries = match std::fs::read_dir(&self.runtimes) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut releases = Vec::new();
        for entry in entries {
            let name = entry.map_err(unreadable)?.file_name();
            releases.extend(name.to_str().and_then(Release::of_folder));
        }
        releases.sort_unstable();
        Ok(releases)
    }

    /// Everything that is installed, by build and ascending version, each library checked against
    /// its manifest.
    ///
    /// # Errors
    /// The cache exists and cannot be read.
    pub fn libraries(&self) -> Result<Vec<CachedLibrary>, RuntimeError> {
        Ok(self
            .releases()?
            .into_iter()
            .map(|release| self.inspect(release))
            .collect())
    }

    /// The library of one release, if it is installed and intact.
    ///
    /// # Errors
    /// The cache exists and cannot be read.
    pub fn intact(&self, release: Release) -> Result<Option<CachedLibrary>, RuntimeError> {
        Ok(self
            .get(release)?
            .filter(|library| library.condition == Condition::Intact))
    }

    pub(super) fn get(&self, release: Release) -> Result<Option<CachedLibrary>, RuntimeError> {
        match std::fs::symlink_metadata(self.folder(release)) {
            Ok(_) => Ok(Some(self.inspect(release))),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(source) => Err(RuntimeError::Cache(self.folder(release), source)),
        }
    }

    fn inspect(&self, release: Release) -> CachedLibrary {
        let folder = self.folder(release);
        match usable(release, &folder) {
            Ok(manifest::Checked {
                library: path,
                size_bytes,
            }) => CachedLibrary {
                release,
                path,
                condition: Condition::Intact,
                size_bytes,
            },
            Err(reason) => CachedLibrary {
                release,
                path: folder,
                condition: Condition::Broken(reason),
                size_bytes: None,
            },
        }
    }
}

fn path_of(value: Option<OsString>) -> Option<PathBuf> {
    value.filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The XDG specification has relative paths ignored.
fn absolute(path: Option<PathBuf>) -> Option<PathBuf> {
    path.filter(|path| path.is_absolute())
}

/// The library in `folder`, if it is as it was installed and has the libraries that it needs; else
/// why not.
fn usable(release: Release, folder: &Path) -> Result<manifest::Checked, String> {
    let checked = manifest::check(folder)?;
    let missing = match release.build {
        Build::Cuda => needs::missing_libraries(&checked.library),
        Build::Cpu | Build::OpenVino => Vec::new(),
    };
    if missing.is_empty() {
        Ok(checked)
    } else {
        Err(format!(
            "libraries that it needs are neither beside it nor in the system: {}",
            missing.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<Cache, RuntimeError> {
        Cache::from_variables(|name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_most_specific_variable_names_the_cache() {
        let home = ("HOME", "/home/me");
        let xdg = ("XDG_CACHE_HOME", "/var/me");
        let own = ("ONNXPROF_CACHE", "/srv/op");
        assert_eq!(
            with(&[home, xdg, own]).unwrap(),
            Cache::at(Path::new("/srv/op"))
        );
        assert_eq!(
            with(&[home, xdg]).unwrap(),
            Cache::at(Path::new("/var/me/onnxprof"))
        );
        assert_eq!(
            with(&[home]).unwrap(),
            Cache::at(Path::new("/home/me/.cache/onnxprof"))
        );
        assert_eq!(
            with(&[home, ("XDG_CACHE_HOME", "relative")]).unwrap(),
            with(&[home]).unwrap()
        );
        assert!(matches!(
            with(&[("HOME", "")]),
            Err(RuntimeError::NoCacheFolder)
        ));
    }

    #[test]
    fn releases_are_listed_by_build_and_version() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::at(home.path());
        for name in [
            "openvino-1.24.1",
            "cpu-1.31.1",
            "cuda-1.31.1",
            "cpu-1.9.0",
            ".unfinished-x",
            "gpu-1.31.1",
        ] {
            std::fs::create_dir_all(cache.runtimes().join(name)).unwrap();
        }
        let words: Vec<String> = cache
            .releases()
            .unwrap()
            .iter()
            .map(Release::to_string)
            .collect();
        assert_eq!(
            words,
            ["cpu@1.9.0", "cpu@1.31.1", "cuda@1.31.1", "openvino@1.24.1"]
        );
    }

    #[test]
    fn a_cache_that_does_not_exist_holds_nothing_and_a_folder_without_a_manifest_is_broken() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::at(home.path());
        let release = Release::cpu(super::super::DEFAULT_VERSION);
        assert_eq!(
            (cache.libraries().unwrap(), cache.intact(release).unwrap()),
            (Vec::new(), None)
        );
        std::fs::create_dir_all(cache.folder(release)).unwrap();
        assert_eq!(cache.intact(release).unwrap(), None);
        let listed = cache.libraries().unwrap();
        assert!(
            matches!(
                &listed[..],
                [CachedLibrary {
                    condition: Condition::Broken(_),
                    ..
                }]
            ),
            "{listed:?}"
        );
    }

    #[test]
    fn empty_folder_stays_and_is_none_once_something_is_in_it() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::at(&home.path().join("cache"));
        let folder = cache.empty().unwrap();
        assert_eq!(cache.empty().unwrap(), folder);
        assert_eq!(
            std::fs::metadata(&folder).unwrap().permissions().mode() & 0o222,
            0
        );
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(folder.join("pip.py"), "").unwrap();
        assert_eq!(
            cache.empty().unwrap_err().kind(),
            io::ErrorKind::DirectoryNotEmpty
        );
    }
}
