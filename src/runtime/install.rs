//! Installing a library into the cache, so that a broken one is never seen, and removing one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::cuda::Completion;
use super::manifest::{self, Manifest, Verification};
use super::pip::Pip;
use super::probe::Opener;
use super::room::{self, Step};
use super::staging::{self, storage};
use super::unpack::Unpacked;
use super::{Build, Cache, CachedLibrary, Condition, Release, Result, RuntimeError, needs, wheel};
use crate::units::Bytes;

/// An installed library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The library's file, absolute.
    pub library: PathBuf,
    /// Whether it was installed by this call; else it was there, intact.
    pub newly: bool,
    /// Size of its files; absent where its manifest does not tell.
    pub size_bytes: Option<Bytes>,
}

/// Installs one release into `cache` with pip, unless it is there and intact. For the GPU build
/// that includes the CUDA libraries that it needs, unless the system has them.
///
/// The library is opened by `opener` before it is where it would be found. `progress` is called
/// with a sentence before anything that takes long. Safe to call from several processes at once.
///
/// # Errors
/// No pip, no network, no such version, no such build for this machine, no space (asked before
/// anything is downloaded), no permission, a wheel that is not the published one, or one whose
/// library cannot be opened.
pub fn install(
    cache: &Cache,
    release: Release,
    opener: &Opener,
    progress: &mut dyn FnMut(&str),
) -> Result<Installed> {
    let runtimes = cache.runtimes();
    fs::create_dir_all(runtimes).map_err(|source| storage(runtimes, source))?;
    let _lock = staging::lock(runtimes, progress).map_err(|source| storage(runtimes, source))?;
    let (library, newly) = match cache.get(release)? {
        Some(library) if library.condition == Condition::Intact => (library, false),
        broken => {
            if let Some(CachedLibrary {
                condition: Condition::Broken(why),
                path,
                ..
            }) = broken
            {
                progress(&format!(
                    "`{}` is not as it was installed: {why}",
                    path.display()
                ));
            }
            (anew(cache, release, opener, progress)?, true)
        }
    };
    Ok(Installed {
        library: library.path,
        newly,
        size_bytes: library.size_bytes,
    })
}

fn anew(
    cache: &Cache,
    release: Release,
    opener: &Opener,
    progress: &mut dyn FnMut(&str),
) -> Result<CachedLibrary> {
    release.build.platforms()?;
    let pip = Pip::find()?;
    let (runtimes, place) = (cache.runtimes(), cache.folder(release));
    require_room(release, runtimes)?;
    announce(release, &place, progress);
    let (unpacked, Manifest { library, wheel, .. }) = prepare(&pip, runtimes, release, progress)?;
    opener
        .ask(&unpacked.path().join(library))
        .map_err(|source| RuntimeError::Unopenable {
            release,
            wheel,
            source,
        })?;
    staging::put_in_place(runtimes, &place, unpacked)
        .map_err(|source| storage(runtimes, source))?;
    cache.intact(release)?.ok_or_else(|| {
        storage(
            runtimes,
            io::Error::other("it changed while it was installed"),
        )
    })
}

/// Whether the system has the CUDA libraries that the GPU build needs is known for sure when its
/// wheel is there; where it has none, there must be room for them from the beginning.
fn require_room(release: Release, runtimes: &Path) -> Result<()> {
    let mut steps = vec![Step::of(release)];
    if release.build == Build::Cuda && !needs::has_cuda() {
        steps.push(room::CUDA_LIBRARIES);
    }
    room::check(&release.title(), &steps, runtimes)
}

fn announce(release: Release, place: &Path, progress: &mut dyn FnMut(&str)) {
    let size = wheel::size_of_download(release);
    let (title, size) = (
        release.title(),
        size.map(|size| format!(", a download of {}", size.in_megabytes()))
            .unwrap_or_default(),
    );
    progress(&format!(
        "installing {title} with pip into `{}`{size}",
        place.display()
    ));
}

fn prepare(
    pip: &Pip,
    runtimes: &Path,
    release: Release,
    progress: &mut dyn FnMut(&str),
) -> Result<(TempDir, Manifest)> {
    let failed = |source| storage(runtimes, source);
    let downloads = staging::unfinished(runtimes).map_err(failed)?;
    let download = pip.download(release, downloads.path())?;
    let wheel = download.wheels[0].as_path();
    say_unpacking(wheel, progress);
    let folder = staging::unfinished(runtimes).map_err(failed)?;
    let mut unpacked = Unpacked::new(folder.path());
    let manifest = wheel::unpack(&download, release, &mut unpacked)?;
    if manifest.verified_against == Verification::Nothing {
        progress(&format!(
            "`{}` was compared with no SHA-256: pip's package index states none for it",
            manifest.wheel
        ));
    }
    let companions = match release.build {
        Build::Cuda => Completion {
            pip,
            release,
            wheel,
            runtimes,
        }
        .run(&mut unpacked, progress)?,
        Build::Cpu | Build::OpenVino => Vec::new(),
    };
    let manifest = Manifest {
        companions,
        size_bytes: Some(unpacked.size()),
        files: unpacked.files,
        ..manifest
    };
    manifest::write(folder.path(), &manifest).map_err(failed)?;
    Ok((folder, manifest))
}

fn say_unpacking(wheel: &Path, progress: &mut dyn FnMut(&str)) {
    if let Ok(metadata) = wheel.metadata() {
        let size = Bytes(metadata.len()).in_megabytes();
        progress(&format!("unpacking `{}` ({size})", wheel::file_name(wheel)));
    }
}

/// A release that was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The folder that is gone.
    pub folder: PathBuf,
    /// Size of its files; absent where its manifest did not tell.
    pub size_bytes: Option<Bytes>,
}

/// Removes one release from `cache`, intact or not. A process that has the library open goes on
/// with it.
///
/// `progress` is called with a sentence before anything that takes long. Safe to call from several
/// processes at once.
///
/// # Errors
/// It is not installed, or the cache cannot be changed.
pub fn remove(cache: &Cache, release: Release, progress: &mut dyn FnMut(&str)) -> Result<Removed> {
    let failed = |source| storage(cache.runtimes(), source);
    require_installed(cache, release)?;
    let _lock = staging::lock(cache.runtimes(), progress).map_err(failed)?;
    // Another process may have been faster.
    require_installed(cache, release)?;
    let folder = cache.folder(release);
    let size_bytes = manifest::read(&folder)
        .ok()
        .and_then(|manifest| manifest.size_bytes);
    let old = staging::take_away(cache.runtimes(), &folder).map_err(failed)?;
    File::open(cache.runtimes())
        .and_then(|runtimes| runtimes.sync_all())
        .map_err(failed)?;
    old.close().map_err(failed)?;
    Ok(Removed { folder, size_bytes })
}

fn require_installed(cache: &Cache, release: Release) -> Result<()> {
    let installed = cache.releases()?;
    if installed.contains(&release) {
        Ok(())
    } else {
        Err(RuntimeError::NotInstalled(release, installed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_is_gone_the_rest_stays_and_nothing_is_created_where_nothing_is_installed() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::at(home.path());
        let version = "1.24.1".parse().unwrap();
        let [gone, kept] = [Build::OpenVino, Build::Cpu].map(|build| Release { build, version });
        let removed = || remove(&cache, gone, &mut |_| {});
        assert_eq!(
            removed().unwrap_err().hint().unwrap(),
            "nothing is installed"
        );
        assert_eq!(home.path().read_dir().unwrap().count(), 0);
        for release in [gone, kept] {
            std::fs::create_dir_all(cache.folder(release).join("cuda")).unwrap();
        }
        let Removed { folder, size_bytes } = removed().unwrap();
        assert_eq!((folder, size_bytes), (cache.folder(gone), None));
        assert_eq!(cache.releases().unwrap(), [kept]);
        assert_eq!(
            removed().unwrap_err().hint().unwrap(),
            "name one that is: `cpu@1.24.1`"
        );
        let names = cache
            .runtimes()
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        assert_eq!(names.filter(|name| name != ".lock").count(), 1);
    }
}
