//! Versions of ONNX Runtime, and releases: a build in a version.

use std::fmt;
use std::str::FromStr;

use super::Build;

/// The version that is installed where no library is found: the newest that everything here was
/// tried with.
pub const DEFAULT_VERSION: Version = Version {
    major: 1,
    minor: 31,
    patch: 1,
};

/// The oldest version that can be loaded: the first with allocator statistics in its API.
pub const OLDEST_VERSION: Version = Version {
    major: 1,
    minor: 23,
    patch: 0,
};

/// A released version of ONNX Runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// First number.
    pub major: u32,
    /// Second number, which is the version of the API as well.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Three numbers separated by dots were expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version is three numbers, such as {DEFAULT_VERSION}")]
pub struct NotAVersion;

impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Option<Vec<u32>> = text.split('.').map(number).collect();
        match numbers.as_deref() {
            Some(&[major, minor, patch]) => Ok(Version {
                major,
                minor,
                patch,
            }),
            _ => Err(NotAVersion),
        }
    }
}

fn number(part: &str) -> Option<u32> {
    part.parse()
        .ok()
        .filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A build in a version. Displays as the word that asks for it, such as `openvino@1.24.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// The build.
    pub build: Build,
    /// The version.
    pub version: Version,
}

impl Release {
    /// A version of the CPU build.
    #[must_use]
    pub fn cpu(version: Version) -> Self {
        Release {
            build: Build::Cpu,
            version,
        }
    }

    /// Its name in a sentence: `ONNX Runtime 1.24.1 for OpenVINO`.
    #[must_use]
    pub fn title(self) -> String {
        format!("ONNX Runtime {} for {}", self.version, self.build.purpose())
    }

    pub(super) fn folder_name(self) -> String {
        format!("{}-{}", self.build, self.version)
    }

    /// The release that a folder of the cache is for; `None` if it is for none.
    pub(super) fn of_folder(name: &str) -> Option<Self> {
        let (build, version) = name.split_once('-')?;
        Some(Release {
            build: build.parse().ok()?,
            version: version.parse().ok()?,
        })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}@{}", self.build, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_order_by_number_not_by_text() {
        let parse = |text: &str| text.parse::<Version>().unwrap();
        assert!(parse("1.9.0") < parse("1.23.0"));
        assert!(parse("1.31.1") < parse("2.0.0"));
        assert_eq!(parse("1.31.1"), DEFAULT_VERSION);
    }

    #[test]
    fn anything_but_three_numbers_is_no_version() {
        for text in [
            "",
            "1",
            "1.31",
            "1.31.1.0",
            "1.+31.1",
            "1.x.1",
            "1..1",
            "../1.2.3",
            "1.99999999999.0",
        ] {
            assert_eq!(text.parse::<Version>(), Err(NotAVersion), "{text}");
        }
    }

    #[test]
    fn a_release_is_named_by_its_word_in_a_sentence_and_by_its_folder() {
        let version = "1.24.1".parse().unwrap();
        let of = |build| Release { build, version };
        assert_eq!(of(Build::OpenVino).to_string(), "openvino@1.24.1");
        assert_eq!(
            of(Build::OpenVino).title(),
            "ONNX Runtime 1.24.1 for OpenVINO"
        );
        for release in Build::ALL.map(of) {
            assert_eq!(Release::of_folder(&release.folder_name()), Some(release));
        }
        for name in [".lock", "cpu", "gpu-1.31.1", "cpu-1.31", ".unfinished-abc"] {
            assert_eq!(Release::of_folder(name), None, "{name}");
        }
    }
}
