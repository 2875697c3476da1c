//! The Python wheel that carries the library.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::Path;

use zip::ZipArchive;

use super::cache::{self, Manifest, Verification};
use super::{RuntimeError, Version};
use crate::hash;

/// SHA-256 of published wheels by version and platform. pip checks every other version against the hash that the index
/// states.
const PUBLISHED: [(&str, &str, &str); 6] = [
    ("1.23.2", "manylinux_2_28_x86_64", "0f9b4ae77f8e3c9bee50c27bc1beede83f786fe1d52e99ac85aa8d65a01e9b77"),
    ("1.23.2", "manylinux_2_28_aarch64", "76ff670550dc23e58ea9bc53b5149b99a44e63b34b524f7b8547469aaa0dcb8c"),
    ("1.31.1", "manylinux_2_28_x86_64", "1f3dea47f2f0e5117c2404cea7d21fd253ae7836a3bf167a501cdfbb2600d536"),
    ("1.31.1", "manylinux_2_28_aarch64", "0b9a492176886992e0e875f06bc0367e333f5fff11711a2d642e18b02f3009cc"),
    ("1.32.0", "manylinux_2_28_x86_64", "99e1074c4b2197accd5073052a465361be17b89c093b8ffb6e6bd8f986c52df8"),
    ("1.32.0", "manylinux_2_28_aarch64", "e36c187006e7a7c8b8d6d57f1a209dd63f52430dca6c282b177718ad6b841054"),
];

/// Where the wheel keeps the library.
const LIBRARY_PREFIX: &str = "onnxruntime/capi/libonnxruntime.so.";

/// What must accompany the library, or tells what it does.
const PAPERS: [&str; 3] = ["onnxruntime/LICENSE", "onnxruntime/ThirdPartyNotices.txt", "onnxruntime/Privacy.md"];

/// The wheel's platform tag for this machine. The wheels need glibc 2.28.
pub(super) fn platform() -> Result<&'static str, RuntimeError> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("manylinux_2_28_x86_64"),
        ("linux", "aarch64") => Ok("manylinux_2_28_aarch64"),
        (os, architecture) => Err(RuntimeError::UnsupportedPlatform { os, architecture }),
    }
}

/// Checks a wheel, unpacks the library and its licences from it into `folder`, and writes the manifest beside them.
/// Everything is on the disk when this returns.
pub(super) fn unpack(wheel: &Path, version: Version, folder: &Path) -> Result<(), RuntimeError> {
    let name = wheel.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::StorageFull => RuntimeError::no_space_for(folder),
        _ => RuntimeError::BadWheel { wheel: name.clone(), source },
    };
    let wheel_sha256 = hash::of_file(wheel).map_err(failed)?;
    let verified_against = verify(&name, version, &wheel_sha256)?;
    let (library, library_sha256) = extract(wheel, folder).map_err(failed)?;
    let manifest = Manifest {
        version: version.to_string(),
        library,
        library_sha256,
        wheel: name.clone(),
        wheel_sha256,
        verified_against,
    };
    cache::write_manifest(folder, &manifest).map_err(failed)
}

/// Compares the wheel's hash with the published one, if that is known.
fn verify(wheel: &str, version: Version, found: &str) -> Result<Verification, RuntimeError> {
    let (platform, version) = (platform()?, version.to_string());
    match PUBLISHED.iter().find(|row| row.0 == version && row.1 == platform) {
        None => Ok(Verification::Index),
        Some((.., expected)) if *expected == found => Ok(Verification::Pinned),
        Some((.., expected)) => Err(RuntimeError::WrongHash { wheel: wheel.into(), found: found.into(), expected }),
    }
}

/// Unpacks, and returns the library's file name and SHA-256.
fn extract(wheel: &Path, folder: &Path) -> io::Result<(String, String)> {
    let mut archive = ZipArchive::new(File::open(wheel)?)?;
    let entry = archive.file_names().flatten().find(|entry| entry.starts_with(LIBRARY_PREFIX)).map(Cow::into_owned);
    let entry = entry.ok_or_else(|| io::Error::other(format!("it has no `{LIBRARY_PREFIX}*`")))?;
    let library = extract_entry(&mut archive, &entry, folder)?;
    for paper in PAPERS {
        if archive.index_for_name(paper).is_some() {
            extract_entry(&mut archive, paper, folder)?;
        }
    }
    Ok(library)
}

/// Unpacks one entry under its base name, and returns that and the SHA-256.
fn extract_entry(archive: &mut ZipArchive<File>, entry: &str, folder: &Path) -> io::Result<(String, String)> {
    let name = entry.rsplit('/').next().unwrap_or(entry).to_owned();
    let mut file = File::create_new(folder.join(&name))?;
    let sha256 = hash::copy(&mut archive.by_name(entry)?, &mut file)?;
    file.sync_all()?;
    Ok((name, sha256))
}
