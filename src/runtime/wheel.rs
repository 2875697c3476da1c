//! The Python wheel that carries the library.

use std::env::consts::{ARCH, OS};
use std::io;
use std::path::Path;

use super::Build::{self, Cpu, Cuda, OpenVino};
use super::manifest::{Manifest, Verification};
use super::pip::Download;
use super::unpack::{self, Unpacked};
use super::{Release, Result, RuntimeError};
use crate::hash;
use crate::units::Bytes;

/// Wheels whose SHA-256 is known here: build, version, processor, hash, size in bytes. Every other
/// one is compared with the hash that the index states, if that states one.
const PUBLISHED: [(Build, &str, &str, &str, u64); 7] = [
    (
        Cpu,
        "1.23.2",
        "x86_64",
        "0f9b4ae77f8e3c9bee50c27bc1beede83f786fe1d52e99ac85aa8d65a01e9b77",
        17_382_649,
    ),
    (
        Cpu,
        "1.23.2",
        "aarch64",
        "76ff670550dc23e58ea9bc53b5149b99a44e63b34b524f7b8547469aaa0dcb8c",
        15_226_915,
    ),
    (
        Cpu,
        "1.31.1",
        "x86_64",
        "1f3dea47f2f0e5117c2404cea7d21fd253ae7836a3bf167a501cdfbb2600d536",
        23_760_988,
    ),
    (
        Cpu,
        "1.31.1",
        "aarch64",
        "0b9a492176886992e0e875f06bc0367e333f5fff11711a2d642e18b02f3009cc",
        21_420_803,
    ),
    (
        Cpu,
        "1.32.0",
        "x86_64",
        "99e1074c4b2197accd5073052a465361be17b89c093b8ffb6e6bd8f986c52df8",
        27_780_211,
    ),
    (
        Cpu,
        "1.32.0",
        "aarch64",
        "e36c187006e7a7c8b8d6d57f1a209dd63f52430dca6c282b177718ad6b841054",
        23_196_724,
    ),
    (
        OpenVino,
        "1.24.1",
        "x86_64",
        "d617fac2f59a6ab5ea59a788c3e1592240a129642519aaeaa774761dfe35150e",
        84_433_207,
    ),
];

const LIBRARIES: &str = "onnxruntime/capi/";

/// The library itself, among them.
const LIBRARY_PREFIX: &str = "libonnxruntime.so.";

/// The library for Python is a whole ONNX Runtime once more.
const PYTHON_PREFIX: &str = "onnxruntime_pybind11_state";

/// Files that must accompany the library, or tell what it does.
const PAPERS: [&str; 3] = [
    "onnxruntime/LICENSE",
    "onnxruntime/ThirdPartyNotices.txt",
    "onnxruntime/Privacy.md",
];

impl Build {
    /// Platform tags of its wheels that run on this machine. pip takes each word as it is, and
    /// knows no order of glibc versions, so that every tag that was ever used has to be named.
    pub(super) fn platforms(self) -> Result<&'static [&'static str]> {
        match (self, OS, ARCH) {
            (_, "linux", "x86_64") => Ok(&[
                "manylinux_2_28_x86_64",
                "manylinux_2_27_x86_64",
                "manylinux_2_24_x86_64",
                "manylinux_2_17_x86_64",
                "manylinux2014_x86_64",
            ]),
            (Cpu, "linux", "aarch64") => Ok(&[
                "manylinux_2_28_aarch64",
                "manylinux_2_27_aarch64",
                "manylinux_2_17_aarch64",
            ]),
            (Cuda | OpenVino, "linux", "aarch64") => Err(RuntimeError::BuildNotForPlatform(self)),
            _ => Err(RuntimeError::UnsupportedPlatform),
        }
    }
}

/// Size of the wheel of a release for this machine, if it is known before the wheel is downloaded.
pub(super) fn size_of_download(release: Release) -> Option<Bytes> {
    known(release).map(|(_, size)| size)
}

/// Checks the wheel of a download, and takes the library, those that it needs and their licences
/// out of it. The manifest has no files yet.
pub(super) fn unpack(
    download: &Download,
    release: Release,
    unpacked: &mut Unpacked,
) -> Result<Manifest> {
    let wheel = download.wheels[0].as_path();
    let name = file_name(wheel);
    let folder = unpacked.folder.clone();
    let failed = |source| bad(wheel, &folder, source);
    let wheel_sha256 = hash::of_file(wheel).map_err(failed)?;
    let verified_against = verify(&name, release, &wheel_sha256)?
        .unwrap_or_else(|| download.compared(std::slice::from_ref(&wheel_sha256))[0]);
    let (library, library_sha256) = extract(wheel, unpacked).map_err(failed)?;
    Ok(Manifest {
        build: release.build,
        version: release.version.to_string(),
        library,
        library_sha256,
        wheel: name,
        wheel_sha256,
        verified_against,
        companions: Vec::new(),
        files: Vec::new(),
        size_bytes: None,
    })
}

/// The error for a wheel that cannot be unpacked into `folder`.
pub(super) fn bad(wheel: &Path, folder: &Path, source: io::Error) -> RuntimeError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            RuntimeError::no_space_for(folder)
        }
        _ => RuntimeError::BadWheel(file_name(wheel), source),
    }
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// SHA-256 and size of the wheel of a release for this machine, if they are known here.
fn known(release: Release) -> Option<(&'static str, Bytes)> {
    let version = release.version.to_string();
    let (.., sha256, size) = PUBLISHED
        .into_iter()
        .find(|row| (row.0, row.1, row.2) == (release.build, version.as_str(), ARCH))?;
    Some((sha256, Bytes(size)))
}

fn verify(wheel: &str, release: Release, found: &str) -> Result<Option<Verification>> {
    match known(release) {
        Some((expected, _)) if expected != found => Err(RuntimeError::WrongHash {
            wheel: wheel.into(),
            found: found.into(),
            expected,
        }),
        pinned => Ok(pinned.map(|_| Verification::Pinned)),
    }
}

/// Returns the library's file name and SHA-256.
fn extract(wheel: &Path, unpacked: &mut Unpacked) -> io::Result<(String, String)> {
    unpacked.take(wheel, name_to_keep)?;
    unpacked
        .files
        .iter()
        .find(|file| file.name.starts_with(LIBRARY_PREFIX))
        .map(|library| (library.name.clone(), library.sha256.clone()))
        .ok_or_else(|| io::Error::other(format!("it has no `{LIBRARIES}{LIBRARY_PREFIX}*`")))
}

/// Under which name an entry of the wheel is unpacked; `None` if it is not.
fn name_to_keep(entry: &str) -> Option<String> {
    let name = if PAPERS.contains(&entry) {
        entry.rsplit('/').next()
    } else {
        entry
            .strip_prefix(LIBRARIES)
            .filter(|name| is_library(name))
    };
    name.map(str::to_owned)
}

fn is_library(name: &str) -> bool {
    !name.contains('/') && unpack::is_shared_library(name) && !name.starts_with(PYTHON_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_and_licences_are_kept_and_python_is_not() {
        for (entry, name) in [
            ("onnxruntime/LICENSE", "LICENSE"),
            (
                "onnxruntime/capi/libonnxruntime.so.1.24.1",
                "libonnxruntime.so.1.24.1",
            ),
            (
                "onnxruntime/capi/libonnxruntime_providers_openvino.so",
                "libonnxruntime_providers_openvino.so",
            ),
            (
                "onnxruntime/capi/libopenvino.so.2541",
                "libopenvino.so.2541",
            ),
        ] {
            assert_eq!(name_to_keep(entry).as_deref(), Some(name));
        }
        for entry in [
            "onnxruntime/capi/onnxruntime_pybind11_state.cpython-312-x86_64-linux-gnu.so",
            "onnxruntime/capi/_pybind_state.py",
            "onnxruntime/capi/training/libx.so",
            "onnxruntime/transformers/libx.so",
            "LICENSE",
        ] {
            assert_eq!(name_to_keep(entry), None, "{entry}");
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn a_known_wheel_with_another_hash_is_refused() {
        let version = "1.24.1".parse().unwrap();
        let [release, other] = [OpenVino, Cpu].map(|build| Release { build, version });
        assert!(matches!(
            verify("w.whl", release, "00"),
            Err(RuntimeError::WrongHash { .. })
        ));
        assert_eq!(size_of_download(release), Some(Bytes(84_433_207)));
        assert_eq!(verify("w.whl", other, "00").unwrap(), None);
        assert_eq!(size_of_download(other), None);
    }
}
