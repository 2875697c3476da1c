//! What a user asks for with `--runtime`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{OLDEST_VERSION, RuntimeError, Version};

/// The build that can be installed: ONNX Runtime's own for the CPU.
pub(super) const BUILD: &str = "cpu";

/// What a user asks for with `--runtime` or `runtime install`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A library, or a folder that holds one.
    Path(PathBuf),
    /// A version of the CPU build, from the cache or to be installed.
    Version(Version),
}

impl FromStr for Request {
    type Err = RuntimeError;

    /// Reads `cpu@1.31.1` or `1.31.1` as a version, everything else and everything that exists as a path.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(RuntimeError::NotARequest { text: text.into() });
        }
        let path = || Ok(Request::Path(text.into()));
        if Path::new(text).exists() {
            return path();
        }
        match text.split_once('@') {
            Some((BUILD, version)) => match version.parse() {
                Ok(version) => loadable(version).map(Request::Version),
                Err(_) => Err(RuntimeError::NotARequest { text: text.into() }),
            },
            Some((build, _)) if is_word(build) => Err(RuntimeError::UnknownBuild { build: build.into() }),
            _ => match text.parse() {
                Ok(version) => loadable(version).map(Request::Version),
                Err(_) => path(),
            },
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn loadable(version: Version) -> Result<Version, RuntimeError> {
    if version < OLDEST_VERSION { Err(RuntimeError::TooOld { version }) } else { Ok(version) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Request {
        Request::Version(text.parse().unwrap())
    }

    #[test]
    fn versions_are_asked_for_with_and_without_the_build() {
        assert_eq!("cpu@1.31.1".parse::<Request>().unwrap(), version("1.31.1"));
        assert_eq!("1.23.2".parse::<Request>().unwrap(), version("1.23.2"));
    }

    #[test]
    fn everything_else_is_a_path() {
        for text in ["libonnxruntime.so.1.31.1", "/opt/ort/lib", "./a@b/c", "/x@1.2.3", "1.31"] {
            assert_eq!(text.parse::<Request>().unwrap(), Request::Path(text.into()), "{text}");
        }
    }

    #[test]
    fn a_build_that_cannot_be_installed_is_named() {
        assert!(matches!("gpu@1.31.1".parse::<Request>(), Err(RuntimeError::UnknownBuild { build }) if build == "gpu"));
    }

    #[test]
    fn a_version_that_is_none_or_too_old_is_refused() {
        assert!(matches!("cpu@newest".parse::<Request>(), Err(RuntimeError::NotARequest { .. })));
        assert!(matches!("".parse::<Request>(), Err(RuntimeError::NotARequest { .. })));
        assert!(matches!("1.22.1".parse::<Request>(), Err(RuntimeError::TooOld { .. })));
    }
}
