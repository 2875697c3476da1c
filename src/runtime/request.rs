//! What a user asks for with `--runtime`, and the versions that the package index has for it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::pip::Pip;
use super::{Build, OLDEST_VERSION, Release, RuntimeError, Version};

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
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(RuntimeError::NotARequest(text.into()));
        }
        match text.split_once('@') {
            Some((build, version))
                if is_word(build)
                    && !(build.parse::<Build>().is_err() && Path::new(text).exists()) =>
            {
                let build = build.parse()?;
                if version == LATEST {
                    return Ok(Request::Latest(build));
                }
                let version = version
                    .parse()
                    .map_err(|_| RuntimeError::NotARequest(text.into()))?;
                loadable(Release { build, version }).map(Request::Release)
            }
            _ => match text.parse::<Version>() {
                Ok(version) => loadable(Release::cpu(version)).map(Request::Release),
                Err(_) => Ok(Request::Path(text.into())),
            },
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn loadable(release: Release) -> Result<Release, RuntimeError> {
    if release.version < OLDEST_VERSION {
        Err(RuntimeError::TooOld(release.version))
    } else {
        Ok(release)
    }
}

impl FromStr for Build {
    type Err = RuntimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Build::ALL.into_iter().find(|build| build.word() == text);
        known.ok_or_else(|| RuntimeError::UnknownBuild(text.into()))
    }
}

/// Versions of a build that the package index has for this machine and that can be loaded, newest
/// first.
///
/// # Errors
/// No pip, no network, or no such build for this machine.
pub fn available(build: Build) -> Result<Vec<Version>, RuntimeError> {
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
pub fn latest(build: Build) -> Result<Release, RuntimeError> {
    let version = available(build)?.into_iter().next();
    version
        .map(|version| Release { build, version })
        .ok_or(RuntimeError::NoLatest(build))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_asked_for_with_and_without_the_build_and_everything_else_is_a_path() {
        for build in Build::ALL {
            let release = Release {
                build,
                version: "1.23.2".parse().unwrap(),
            };
            assert_eq!(
                format!("{build}@1.23.2").parse::<Request>().unwrap(),
                Request::Release(release)
            );
            assert_eq!(
                format!("{build}@latest").parse::<Request>().unwrap(),
                Request::Latest(build)
            );
        }
        let release = Release::cpu("1.31.1".parse().unwrap());
        assert_eq!(
            "1.31.1".parse::<Request>().unwrap(),
            Request::Release(release)
        );
        for text in [
            "libonnxruntime.so.1.31.1",
            "/opt/ort/lib",
            "./a@b/c",
            "/x@1.2.3",
            "1.31",
            "latest",
        ] {
            assert_eq!(
                text.parse::<Request>().unwrap(),
                Request::Path(text.into()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_build_that_there_is_not_and_a_version_that_is_none_or_too_old_are_refused() {
        assert!(
            matches!("gpu@1.31.1".parse::<Request>(), Err(RuntimeError::UnknownBuild(build)) if build == "gpu")
        );
        assert!(matches!(
            "cpu@newest".parse::<Request>(),
            Err(RuntimeError::NotARequest { .. })
        ));
        assert!(matches!(
            "".parse::<Request>(),
            Err(RuntimeError::NotARequest { .. })
        ));
        assert!(matches!(
            "1.22.1".parse::<Request>(),
            Err(RuntimeError::TooOld { .. })
        ));
        assert!(matches!(
            "openvino@1.22.0".parse::<Request>(),
            Err(RuntimeError::TooOld { .. })
        ));
    }
}
