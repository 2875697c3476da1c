//! What the package index has.

use super::pip::Pip;
use super::{Build, OLDEST_VERSION, Release, RuntimeError, Version};

/// Versions of a build that the package index has for this machine and that can be loaded, newest first.
///
/// # Errors
///
/// No pip, no network, or no such build for this machine.
pub fn available(build: Build) -> Result<Vec<Version>, RuntimeError> {
    build.platforms()?;
    let mut versions = Pip::find()?.versions(build)?;
    versions.retain(|version| *version >= OLDEST_VERSION);
    versions.reverse();
    Ok(versions)
}

/// The newest release of a build that the package index has for this machine. ONNX Runtime's API only grows, so that a newer
/// library has all that an older one has.
///
/// # Errors
///
/// As [`available`], and where no version is new enough.
pub fn latest(build: Build) -> Result<Release, RuntimeError> {
    let version = available(build)?.into_iter().next();
    version.map(|version| Release { build, version }).ok_or(RuntimeError::NoLatest { build })
}
