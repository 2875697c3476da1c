//! Whether there is room for an installation, asked before anything is downloaded.

use std::io;
use std::path::Path;

use super::unpack::{Disk, disk};
use super::{Build, Release, Result, RuntimeError, wheel};
use crate::foreign::temporary_folder;
use crate::units::Bytes;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    wheels: Bytes,
    kept: Bytes,
}

/// The CUDA libraries that the GPU build of 1.31.1 names (CUDA 13.5, cuDNN 9.28: 1,311 MB of
/// wheels, 2,160 MB of files), with some room for other versions.
pub(super) const CUDA_LIBRARIES: Step = Step {
    wheels: megabytes(1_400),
    kept: megabytes(2_300),
};

const fn megabytes(count: u64) -> Bytes {
    Bytes(count * 1_000_000)
}

impl Step {
    /// The wheel of a release: its own size where that is known, else that of the largest of its
    /// build up to 1.32.
    pub(super) fn of(release: Release) -> Step {
        let (wheel, kept) = match release.build {
            Build::Cpu => (28, 40),
            Build::OpenVino => (85, 160),
            Build::Cuda => (301, 450),
        };
        Step {
            wheels: wheel::size_of_download(release).unwrap_or(megabytes(wheel)),
            kept: megabytes(kept),
        }
    }
}

/// Makes sure that `steps` have room, one after the other, in the cache's folder `runtimes` and,
/// while pip downloads, in its folder for temporary files. Where the system does not tell how much
/// is free, there is taken to be enough.
pub(super) fn check(what: &str, steps: &[Step], runtimes: &Path) -> Result<()> {
    compare(what, steps, runtimes, &temporary_folder(), disk)
}

fn compare(
    what: &str,
    steps: &[Step],
    runtimes: &Path,
    temporary: &Path,
    disk: impl Fn(&Path) -> io::Result<Disk>,
) -> Result<()> {
    let (cache, downloads) = (disk(runtimes).ok(), disk(temporary).ok());
    let is_one = cache
        .zip(downloads)
        .is_some_and(|(cache, downloads)| cache.device == downloads.device);
    let height = Height::of(steps);
    let in_cache = if is_one {
        height.together
    } else {
        height.cache
    };
    require(what, runtimes, cache, in_cache)?;
    require(
        what,
        temporary,
        downloads.filter(|_| !is_one),
        height.temporary,
    )
}

fn require(what: &str, path: &Path, disk: Option<Disk>, needed: Bytes) -> Result<()> {
    match disk {
        Some(Disk { free, .. }) if free < needed => Err(RuntimeError::TooLittleSpace {
            what: what.into(),
            path: path.into(),
            needed,
            free,
        }),
        _ => Ok(()),
    }
}

/// The most that an installation takes at any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Height {
    /// In the cache, where wheels and what is kept of them lie until the end.
    cache: Bytes,
    /// In pip's folder for temporary files, which holds all wheels of a step until they are
    /// complete.
    temporary: Bytes,
    together: Bytes,
}

impl Height {
    fn of(steps: &[Step]) -> Height {
        let mut height = Height::default();
        for Step { wheels, kept } in steps {
            let with_wheels = height.cache.0 + wheels.0;
            height.together = height
                .together
                .max(Bytes(with_wheels + wheels.0.max(kept.0)));
            height.temporary = height.temporary.max(*wheels);
            height.cache = Bytes(with_wheels + kept.0);
        }
        height
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const fn step(wheels: u64, kept: u64) -> Step {
        Step {
            wheels: Bytes(wheels),
            kept: Bytes(kept),
        }
    }

    const BUILD: Step = step(300, 400);
    const LIBRARIES: Step = step(1_000, 2_000);

    /// The space that is missing where the cache's disk and that of temporary files have so much
    /// free.
    fn missing(devices: [u64; 2], free: [u64; 2]) -> Option<(PathBuf, u64)> {
        let disk = |path: &Path| {
            let place = usize::from(path == Path::new("/tmp"));
            Ok(Disk {
                device: devices[place],
                free: Bytes(free[place]),
            })
        };
        let steps = [BUILD, LIBRARIES];
        match compare("it", &steps, "/cache".as_ref(), "/tmp".as_ref(), disk) {
            Ok(()) => None,
            Err(RuntimeError::TooLittleSpace { path, needed, .. }) => Some((path, needed.0)),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn wheels_and_what_is_kept_of_them_lie_in_the_cache_together() {
        // 300 + 400 of the build, then 1,000 + 2,000 of the libraries.
        assert_eq!(missing([1, 2], [3_700, 1_000]), None);
        assert_eq!(
            missing([1, 2], [3_699, 1_000]),
            Some(("/cache".into(), 3_700))
        );
    }

    #[test]
    fn all_wheels_of_a_step_lie_in_pips_folder_until_they_are_complete() {
        assert_eq!(missing([1, 2], [9_000, 999]), Some(("/tmp".into(), 1_000)));
        // On one disk they are gone when the libraries are unpacked, which takes more.
        assert_eq!(missing([1, 1], [3_700, 3_700]), None);
        assert_eq!(
            missing([1, 1], [3_699, 3_699]),
            Some(("/cache".into(), 3_700))
        );
        let Height {
            cache,
            temporary,
            together,
        } = Height::of(&[step(50, 10)]);
        assert_eq!([cache, temporary, together], [60, 50, 100].map(Bytes));
    }

    #[test]
    fn a_disk_that_does_not_tell_is_taken_to_be_large_enough() {
        let refuse = |_: &Path| Err(io::Error::other("no"));
        assert!(compare("it", &[BUILD], "/cache".as_ref(), "/tmp".as_ref(), refuse).is_ok());
        let folder = tempfile::tempdir().unwrap();
        assert!(disk(folder.path()).unwrap().free > Bytes(0));
        assert!(disk(&folder.path().join("none")).is_err());
    }

    #[test]
    fn a_known_wheel_counts_with_its_own_size() {
        let of = |word: &str| {
            let (build, version) = word.split_once('@').unwrap();
            let (build, version) = (build.parse().unwrap(), version.parse().unwrap());
            Step::of(Release { build, version })
        };
        assert_eq!(of("cuda@1.30.0").wheels, megabytes(301));
        #[cfg(target_arch = "x86_64")]
        assert_eq!(of("openvino@1.24.1").wheels, Bytes(84_433_207));
    }
}
