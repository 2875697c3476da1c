//! Requests made with `--runtime`, and the versions that the package index has for them.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::pip::Pip;
use super::{Build, OLDEST_VERSION, Release, Result, RuntimeError, Version};

const LATEST: &str = "latest";

/// A request of a user, with `--runtime` or `runtime install`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A library, or a folder that holds one.
    Path(PathBuf),
    /// A build in a version, from the cache or to be installed.
    Release(Release),
    /// The newest version of a build that the package index has.
    Latest(Build),
}

impl FromStr for Request {
    type Err = RuntimeError;

    /// Reads `openvino@1.24.1`, `cuda@latest` and `1.31.1` (of the CPU build) as releases, whatever
    /// lies around under such a name, and everything else as a path.
    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(RuntimeError::NotARequest(text.into()));
        }
        let Some((build, version)) = text.split_once('@').filter(|(build, _)| {
            is_word(build) && (build.parse::<Build>().is_ok() || !Path::new(text).exists())
        }) else {
            return match text.parse() {
                Ok(version) => loadable(Release::cpu(version)),
                Err(_) => Ok(Request::Path(text.into())),
            };
        };
        let build = build.parse()?;
        if version == LATEST {
            return Ok(Request::Latest(build));
        }
        match version.parse() {
            Ok(version) => loadable(Release { build, version }),
            Err(_) => Err(RuntimeError::NotARequest(text.into())),
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn loadable(release: Release) -> Result<Request> {
    if release.version < OLDEST_VERSION {
        return Err(RuntimeError::TooOld(release.version));
    }
    Ok(Request::Release(release))
}

impl FromStr for Build {
    type Err = RuntimeError;

    fn from_str(text: &str) -> Result<Self> {
        Build::ALL
            .into_iter()
            .find(|build| build.word() == text)
            .ok_or_else(|| RuntimeError::UnknownBuild(text.into()))
    }
}

/// Versions of a build that the package index has for this machine and that can be loaded, newest
/// first.
///
/// # Errors
/// No pip, no network, or no such build for this machine.
pub fn available(build: Build) -> Result<Vec<Version>> {
    build.platforms()?;
    let mut versions = Pip::find()?.versions(build)?;
    versions.retain(|version| *version >= OLDEST_VERSION);
    versions.reverse();
    Ok(versions)
}

/// The newest release of a build that the package index has for this machine. ONNX Runtime's API
/// only grows, so that a newer library has all that an older one has.
///
/// # Errors
/// As [`available`], and where no version is new enough.
pub fn latest(build: Build) -> Result<Release> {
    match available(build)?[..] {
        [version, ..] => Ok(Release { build, version }),
        [] => Err(RuntimeError::NoLatest(build)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_asked_for_with_and_without_the_build_and_everything_else_is_a_path() {
        let read = |text: &str| text.parse::<Request>().unwrap();
        for build in Build::ALL {
            let version = "1.23.2".parse().unwrap();
            let release = Release { build, version };
            assert_eq!(read(&format!("{build}@1.23.2")), Request::Release(release));
            assert_eq!(read(&format!("{build}@latest")), Request::Latest(build));
        }
        assert_eq!(
            read("1.31.1"),
            Request::Release(Release::cpu("1.31.1".parse().unwrap()))
        );
        for text in [
            "libonnxruntime.so.1.31.1",
            "/opt/ort/lib",
            "./a@b/c",
            "/x@1.2.3",
            "1.31",
            "latest",
        ] {
            assert_eq!(read(text), Request::Path(text.into()), "{text}");
        }
    }

    #[test]
    fn a_build_that_there_is_not_and_a_version_that_is_none_or_too_old_are_refused() {
        let refused = |text: &str| text.parse::<Request>().unwrap_err();
        assert!(
            matches!(refused("gpu@1.31.1"), RuntimeError::UnknownBuild(build) if build == "gpu")
        );
        for text in ["cpu@newest", ""] {
            assert!(
                matches!(refused(text), RuntimeError::NotARequest(_)),
                "{text}"
            );
        }
        for text in ["1.22.1", "openvino@1.22.0"] {
            assert!(matches!(refused(text), RuntimeError::TooOld(_)), "{text}");
        }
    }
}
