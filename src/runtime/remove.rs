//! Removing a library from the cache.

use std::fs::File;
use std::path::PathBuf;

use super::{Cache, Release, RuntimeError, manifest, staging};
use crate::units::Bytes;

/// A release that was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The folder that is gone.
    pub folder: PathBuf,
    /// Size of its files; absent where its manifest did not tell.
    pub size_bytes: Option<Bytes>,
}

/// Removes one release from `cache`, intact or not. A process that has the library open goes on with it.
///
/// `progress` is called with a sentence before anything that takes long. Safe to call from several processes at once.
///
/// # Errors
/// It is not installed, or the cache cannot be changed.
pub fn remove(cache: &Cache, release: Release, progress: &mut dyn FnMut(&str)) -> Result<Removed, RuntimeError> {
    let failed = |source| staging::storage(cache.runtimes(), source);
    require_installed(cache, release)?;
    let _lock = staging::lock(cache.runtimes(), progress).map_err(failed)?;
    // Another process may have been faster.
    require_installed(cache, release)?;
    let folder = cache.folder(release);
    let size_bytes = manifest::read(&folder).ok().and_then(|manifest| manifest.size_bytes);
    let old = staging::take_away(cache.runtimes(), &folder).map_err(failed)?;
    File::open(cache.runtimes()).and_then(|runtimes| runtimes.sync_all()).map_err(failed)?;
    old.close().map_err(failed)?;
    Ok(Removed { folder, size_bytes })
}

fn require_installed(cache: &Cache, release: Release) -> Result<(), RuntimeError> {
    let installed = cache.releases()?;
    if installed.contains(&release) { Ok(()) } else { Err(RuntimeError::NotInstalled { release, installed }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Build;

    #[test]
    fn what_is_removed_is_gone_and_the_rest_stays() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::at(home.path());
        let [gone, kept] =
            [Build::OpenVino, Build::Cpu].map(|build| Release { build, version: "1.24.1".parse().unwrap() });
        for release in [gone, kept] {
            std::fs::create_dir_all(cache.folder(release).join("cuda")).unwrap();
        }
        let removed = remove(&cache, gone, &mut |_| {}).unwrap();
        assert_eq!(removed, Removed { folder: cache.folder(gone), size_bytes: None });
        assert_eq!(cache.releases().unwrap(), [kept]);
        let error = remove(&cache, gone, &mut |_| {}).unwrap_err();
        assert_eq!(error.hint().unwrap(), "name one that is: `cpu@1.24.1`");
        let names = cache.runtimes().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.filter(|name| name != ".lock").count(), 1);
    }

    #[test]
    fn nothing_is_created_where_nothing_is_installed() {
        let home = tempfile::tempdir().unwrap();
        let release = Release::cpu("1.31.1".parse().unwrap());
        let error = remove(&Cache::at(home.path()), release, &mut |_| {}).unwrap_err();
        assert_eq!(error.hint().unwrap(), "nothing is installed");
        assert_eq!(home.path().read_dir().unwrap().count(), 0);
    }
}
