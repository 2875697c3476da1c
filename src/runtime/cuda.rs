//! The CUDA libraries that the GPU build needs, as wheels that its own wheel names.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use zip::ZipArchive;

use super::manifest::CompanionWheel;
use super::needs::{self, CUDA_FOLDER, CUDA_PROVIDER, Needed};
use super::pip::{Download, Pip};
use super::unpack::{self, Unpacked};
use super::{Release, Result, RuntimeError, room, staging, wheel};
use crate::hash;
use crate::text::joined;
use crate::units::Bytes;

const EXTRAS: [&str; 2] = ["cuda", "cudnn"];

/// How the names of the packages begin that carry CUDA libraries; nothing else is downloaded for
/// them.
const PACKAGES: &str = "nvidia-";

const RUNTIME: &str = "cuda-runtime";

/// Packages that the metadata leaves to cuDNN and cuFFT, which name no version: they have that of
/// CUDA.
const UNPINNED: [&str; 2] = ["cublas", "nvjitlink"];

/// The ending that names of packages for CUDA 13 no longer have, but for one.
const OLD_SUFFIX: &str = "-cu13";
const KEEPS_SUFFIX: &str = "cudnn";

/// Metadata are some kilobytes; more of them is not read.
const MOST_METADATA: u64 = 16 << 20;

/// Where their wheels keep the libraries, in folders called `lib`.
const LIBRARIES: &str = "nvidia/";

pub(super) struct Completion<'a> {
    pub pip: &'a Pip,
    pub release: Release,
    /// That of the GPU build.
    pub wheel: &'a Path,
    /// The cache's folder of libraries, for what is downloaded.
    pub runtimes: &'a Path,
}

impl Completion<'_> {
    /// Adds the CUDA libraries that the provider in `unpacked` needs, unless the system has every
    /// one of them. It is all or none: libraries of one CUDA version from two places need not fit.
    pub(super) fn run(
        &self,
        unpacked: &mut Unpacked,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Vec<CompanionWheel>> {
        if !unpacked.holds(CUDA_PROVIDER) {
            return Err(self.unreadable(io::Error::other(format!("it has no `{CUDA_PROVIDER}`"))));
        }
        let needed = self.needed(unpacked)?;
        let mut missing = needs::missing(&needed);
        if missing.is_empty() {
            if !needed.is_empty() {
                let places = places(&needed);
                progress(&format!(
                    "using the CUDA libraries of this system, and downloading none: {places}"
                ));
            }
            return Ok(Vec::new());
        }
        let metadata = metadata(self.wheel).map_err(|source| self.unreadable(source))?;
        let requirements = with_unpinned(requirements(&metadata));
        let mut companions = Vec::new();
        if !requirements.is_empty() {
            companions = self.download(&requirements, unpacked, progress)?;
            missing = needs::missing(&self.needed(unpacked)?);
        }
        if missing.is_empty() {
            Ok(companions)
        } else {
            Err(RuntimeError::MissingLibraries(self.release, missing))
        }
    }

    fn unreadable(&self, source: io::Error) -> RuntimeError {
        wheel::bad(self.wheel, self.runtimes, source)
    }

    fn needed(&self, unpacked: &Unpacked) -> Result<Vec<Needed>> {
        needs::cuda_libraries(&unpacked.folder).map_err(|source| self.unreadable(source))
    }

    fn download(
        &self,
        requirements: &[String],
        unpacked: &mut Unpacked,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Vec<CompanionWheel>> {
        room::check(
            &format!("the CUDA libraries of {}", self.release.title()),
            &[room::CUDA_LIBRARIES],
            self.runtimes,
        )?;
        progress(&format!(
            "downloading more than 1 GB of CUDA libraries that it needs: {}",
            joined(requirements)
        ));
        let folder = staging::unfinished(self.runtimes)
            .map_err(|source| staging::storage(self.runtimes, source))?;
        let download = self
            .pip
            .download_libraries(self.release, requirements, folder.path())?;
        progress(&format!(
            "unpacking the CUDA libraries ({})",
            size(&download).in_megabytes()
        ));
        unpack_all(&download, unpacked)
    }
}

fn size(download: &Download) -> Bytes {
    download
        .wheels
        .iter()
        .filter_map(|wheel| wheel.metadata().ok())
        .map(|metadata| Bytes(metadata.len()))
        .sum()
}

fn places(needed: &[Needed]) -> String {
    joined(
        needed
            .iter()
            .filter_map(|library| library.path.as_ref())
            .map(|path| format!("`{}`", path.display())),
    )
}

fn metadata(wheel: &Path) -> io::Result<String> {
    let mut archive = ZipArchive::new(File::open(wheel)?)?;
    let entry = unpack::entries(&archive)
        .into_iter()
        .find(|entry| entry.ends_with(".dist-info/METADATA"))
        .ok_or_else(|| io::Error::other("it has no `METADATA`"))?;
    io::read_to_string(archive.by_name(&entry)?.take(MOST_METADATA))
}

/// Requirements of the optional groups for CUDA, such as `nvidia-cudnn-cu12~=9.0`.
fn requirements(metadata: &str) -> Vec<String> {
    // The description follows an empty line.
    metadata
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("Requires-Dist:")?.split_once(';'))
        .filter(|(_, marker)| is_of_extras(marker))
        .map(|(requirement, _)| requirement.trim())
        .filter(|requirement| requirement.starts_with(PACKAGES))
        .map(renamed)
        .collect()
}

fn is_of_extras(marker: &str) -> bool {
    let words = marker
        .replace(|letter: char| letter.is_whitespace() || letter == '(', "")
        .replace('\'', "\"");
    EXTRAS
        .iter()
        .any(|extra| words.contains(&format!("extra==\"{extra}\"")))
}

/// A requirement by the name that the package has: those for CUDA 13 carry no version in their
/// names, save that of cuDNN, while the metadata of 1.27.0 still gives them one.
fn renamed(requirement: &str) -> String {
    if requirement.contains(KEEPS_SUFFIX) {
        requirement.to_owned()
    } else {
        requirement.replace(OLD_SUFFIX, "")
    }
}

/// The same, with what it leaves open pinned to the version of CUDA.
fn with_unpinned(mut requirements: Vec<String>) -> Vec<String> {
    let mut known = requirements.iter();
    let Some(runtime) = known.find(|known| known.contains(RUNTIME)).cloned() else {
        return requirements;
    };
    for name in UNPINNED {
        if requirements.iter().all(|known| !known.contains(name)) {
            requirements.push(runtime.replace(RUNTIME, name));
        }
    }
    requirements
}

fn unpack_all(download: &Download, unpacked: &mut Unpacked) -> Result<Vec<CompanionWheel>> {
    let folder = unpacked.folder.join(CUDA_FOLDER);
    fs::create_dir_all(&folder).map_err(|source| staging::storage(&folder, source))?;
    let mut hashes = Vec::new();
    for path in &download.wheels {
        let hash = unpack_one(path, unpacked).map_err(|source| wheel::bad(path, &folder, source));
        hashes.push(hash?);
    }
    let compared = download.compared(&hashes);
    File::open(&folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| staging::storage(&folder, source))?;
    Ok(download
        .wheels
        .iter()
        .zip(hashes)
        .zip(compared)
        .map(|((path, sha256), verification)| CompanionWheel {
            name: wheel::file_name(path),
            sha256,
            verified_against: Some(verification),
        })
        .collect())
}

/// Returns the SHA-256 of the wheel.
fn unpack_one(path: &Path, unpacked: &mut Unpacked) -> io::Result<String> {
    let sha256 = hash::of_file(path)?;
    let wheel = wheel::file_name(path);
    unpacked.take(path, |entry| {
        Some(format!("{CUDA_FOLDER}/{}", name_to_keep(&wheel, entry)?))
    })?;
    Ok(sha256)
}

/// Under which name an entry of a wheel is unpacked: libraries under their own, the licence under
/// the package's name and version; `None` if it is not.
fn name_to_keep(wheel: &str, entry: &str) -> Option<String> {
    let (folder, name) = entry.rsplit_once('/')?;
    if entry.starts_with(LIBRARIES) && folder.ends_with("/lib") && unpack::is_shared_library(name) {
        return Some(name.to_owned());
    }
    let package: Vec<&str> = wheel.splitn(3, '-').take(2).collect();
    let is_licence =
        folder.contains(".dist-info") && name.to_ascii_lowercase().starts_with("license");
    is_licence.then(|| format!("{}-{name}", package.join("-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_those_of_the_cuda_groups() {
        let metadata = "Metadata-Version: 2.4\nName: onnxruntime-gpu\nRequires-Dist: numpy>=1.21.6\n\
                        Provides-Extra: cuda\n\
                        Requires-Dist: nvidia-cuda-nvrtc-cu12~=12.0; extra == \"cuda\"\n\
                        Requires-Dist: nvidia-cuda-runtime-cu12 (~=12.0) ; (extra == 'cuda')\n\
                        Requires-Dist: nvidia-cudnn-cu12~=9.0; extra == \"cudnn\" and sys_platform == \"linux\"\n\
                        Requires-Dist: pytest; extra == \"test\"\n\
                        Requires-Dist: sympy; extra == \"cuda\"\n\
                        \n\
                        Requires-Dist: nvidia-in-the-description; extra == \"cuda\"\n";
        assert_eq!(
            joined(requirements(metadata)),
            "nvidia-cuda-nvrtc-cu12~=12.0, nvidia-cuda-runtime-cu12 (~=12.0), nvidia-cudnn-cu12~=9.0"
        );
    }

    #[test]
    fn what_cudnn_leaves_open_is_pinned_to_the_version_of_cuda() {
        let pinned =
            |words: &[&str]| with_unpinned(words.iter().map(|&word| word.to_owned()).collect());
        let cuda_12 = pinned(&["nvidia-cuda-runtime-cu12~=12.0", "nvidia-cudnn-cu12~=9.0"]);
        assert_eq!(
            cuda_12[2..],
            ["nvidia-cublas-cu12~=12.0", "nvidia-nvjitlink-cu12~=12.0"]
        );
        let cuda_13 = pinned(&["nvidia-cuda-runtime~=13.0", "nvidia-cublas==13.1.0"]);
        assert_eq!(cuda_13[2..], ["nvidia-nvjitlink~=13.0"]);
        assert_eq!(
            pinned(&["nvidia-cudnn-cu12~=9.0"]),
            ["nvidia-cudnn-cu12~=9.0"]
        );
    }

    #[test]
    fn packages_for_cuda_13_are_asked_for_by_the_names_that_they_have() {
        for (stated, name) in [
            ("nvidia-cuda-nvrtc-cu13~=13.0", "nvidia-cuda-nvrtc~=13.0"),
            ("nvidia-cudnn-cu13~=9.0", "nvidia-cudnn-cu13~=9.0"),
            ("nvidia-cufft-cu12~=11.0", "nvidia-cufft-cu12~=11.0"),
        ] {
            assert_eq!(renamed(stated), name);
        }
    }

    #[test]
    fn libraries_and_licences_of_cuda_are_kept_and_headers_are_not() {
        let name = |entry| {
            name_to_keep(
                "nvidia_cudnn_cu12-9.8.0.87-py3-none-manylinux_2_27_x86_64.whl",
                entry,
            )
        };
        assert_eq!(
            name("nvidia/cudnn/lib/libcudnn.so.9").unwrap(),
            "libcudnn.so.9"
        );
        assert_eq!(
            name("nvidia/cu13/lib/libcudart.so.13").unwrap(),
            "libcudart.so.13"
        );
        let licence = "nvidia_cudnn_cu12-9.8.0.87.dist-info/License.txt";
        assert_eq!(
            name(licence).unwrap(),
            "nvidia_cudnn_cu12-9.8.0.87-License.txt"
        );
        for entry in [
            "nvidia/cudnn/include/cudnn.h",
            "nvidia/cuda_runtime/lib/libcudart_static.a",
            "setup.py",
        ] {
            assert_eq!(name(entry), None, "{entry}");
        }
    }
}
