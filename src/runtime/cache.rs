//! The tool's own folder of libraries: `runtimes/cpu-1.31.1/` with the library, those that it
//! needs, their licences and a manifest.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::manifest::{self, Manifest};
use super::{Build, Release, Result, RuntimeError, needs};
use crate::text::joined;
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
    pub fn locate() -> Result<Self> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// The cache in `folder`.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Cache {
            runtimes: folder.join("runtimes"),
        }
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        let [own, xdg, home] = [CACHE_VARIABLE, "XDG_CACHE_HOME", "HOME"]
            .map(variable)
            .map(|value| value.filter(|value| !value.is_empty()).map(PathBuf::from));
        // The XDG specification has relative paths ignored.
        let [xdg, home] = [xdg, home].map(|path| path.filter(|path| path.is_absolute()));
        let found = own
            .and_then(|path| std::path::absolute(path).ok())
            .or_else(|| Some(xdg?.join("onnxprof")))
            .or_else(|| Some(home?.join(".cache/onnxprof")));
        Ok(Cache::at(&found.ok_or(RuntimeError::NoCacheFolder)?))
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
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        match std::fs::read_dir(&folder)?.next() {
            None => Ok(folder),
            Some(_) => Err(ErrorKind::DirectoryNotEmpty.into()),
        }
    }

    /// The release of the user's cache that a library is of; `None` for one from elsewhere.
    #[must_use]
    pub fn release_of(library: &Path) -> Option<Release> {
        let folder = library.parent()?;
        if folder.parent()? != Cache::locate().ok()?.runtimes {
            return None;
        }
        Release::of_folder(folder.file_name()?.to_str()?)
    }

    pub(super) fn folder(&self, release: Release) -> PathBuf {
        self.runtimes.join(release.folder_name())
    }

    /// Every release that has a folder, by build and ascending version, whatever is in it.
    ///
    /// # Errors
    /// The cache exists and cannot be read.
    pub fn releases(&self) -> Result<Vec<Release>> {
        match self.found() {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            found => found.map_err(|source| RuntimeError::Cache(self.runtimes.clone(), source)),
        }
    }

    fn found(&self) -> io::Result<Vec<Release>> {
        let mut releases = Vec::new();
        for entry in self.runtimes.read_dir()? {
            releases.extend(entry?.file_name().to_str().and_then(Release::of_folder));
        }
        releases.sort();
        Ok(releases)
    }

    /// Everything that is installed, by build and ascending version, each library checked against
    /// its manifest.
    ///
    /// # Errors
    /// The cache exists and cannot be read.
    pub fn libraries(&self) -> Result<Vec<CachedLibrary>> {
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
    pub fn intact(&self, release: Release) -> Result<Option<CachedLibrary>> {
        let library = self.get(release)?;
        Ok(library.filter(|library| library.condition == Condition::Intact))
    }

    pub(super) fn get(&self, release: Release) -> Result<Option<CachedLibrary>> {
        let folder = self.folder(release);
        match folder.symlink_metadata() {
            Ok(_) => Ok(Some(self.inspect(release))),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(None),
                _ => Err(RuntimeError::Cache(folder, error)),
            },
        }
    }

    fn inspect(&self, release: Release) -> CachedLibrary {
        let folder = self.folder(release);
        let (path, condition, size_bytes) = match usable(release, &folder) {
            Ok(Manifest {
                library,
                size_bytes,
                ..
            }) => (folder.join(library), Condition::Intact, size_bytes),
            Err(reason) => (folder, Condition::Broken(reason), None),
        };
        CachedLibrary {
            release,
            path,
            condition,
            size_bytes,
        }
    }
}

/// The manifest of `folder`, if the library is as it was installed and has the libraries that it
/// needs; else why not.
fn usable(release: Release, folder: &Path) -> Result<Manifest, String> {
    let manifest = manifest::check(folder)?;
    if release.build == Build::Cuda {
        let missing = needs::missing_libraries(&folder.join(&manifest.library));
        if !missing.is_empty() {
            return Err(format!(
                "libraries that it needs are neither beside it nor in the system: {}",
                joined(missing)
            ));
        }
    }
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<Cache> {
        Cache::from_variables(|name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.into())
        })
    }

    #[test]
    fn the_most_specific_variable_names_the_cache() {
        let home = ("HOME", "/home/me");
        let xdg = ("XDG_CACHE_HOME", "/var/me");
        let own = ("ONNXPROF_CACHE", "/srv/op");
        for (variables, folder) in [
            (&[home, xdg, own][..], "/srv/op"),
            (&[home, xdg], "/var/me/onnxprof"),
            (&[home], "/home/me/.cache/onnxprof"),
            (
                &[home, ("XDG_CACHE_HOME", "relative")],
                "/home/me/.cache/onnxprof",
            ),
        ] {
            assert_eq!(with(variables).unwrap(), Cache::at(Path::new(folder)));
        }
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
        assert_eq!(
            joined(cache.releases().unwrap()),
            "cpu@1.9.0, cpu@1.31.1, cuda@1.31.1, openvino@1.24.1"
        );
    }

    #[test]
    fn a_cache_that_does_not_exist_holds_nothing_and_a_folder_without_a_manifest_is_broken() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::at(home.path());
        let release = Release::cpu(super::super::DEFAULT_VERSION);
        assert!(cache.libraries().unwrap().is_empty());
        assert_eq!(cache.intact(release).unwrap(), None);
        std::fs::create_dir_all(cache.folder(release)).unwrap();
        assert_eq!(cache.intact(release).unwrap(), None);
        let listed = cache.libraries().unwrap();
        let [broken] = &listed[..] else {
            panic!("one is listed")
        };
        assert!(
            matches!(broken.condition, Condition::Broken(_)),
            "{broken:?}"
        );
    }

    #[test]
    fn empty_folder_stays_and_is_none_once_something_is_in_it() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::at(&home.path().join("cache"));
        let folder = cache.empty().unwrap();
        assert_eq!(cache.empty().unwrap(), folder);
        assert!(folder.metadata().unwrap().permissions().readonly());
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(folder.join("pip.py"), "").unwrap();
        assert_eq!(
            cache.empty().unwrap_err().kind(),
            ErrorKind::DirectoryNotEmpty
        );
    }
}
