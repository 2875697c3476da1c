//! What the builds of ONNX Runtime run on, and releases: a build in a version.

use std::fmt;
use std::str::FromStr;

use super::{Build, RuntimeError, Version};

impl Build {
    /// Platform tags of its wheels that run on this machine. pip takes each word as it is, and knows no order of glibc
    /// versions, so that every tag that was ever used has to be named.
    pub(super) fn platforms(self) -> Result<&'static [&'static str], RuntimeError> {
        let (os, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
        match (self, os, architecture) {
            (_, "linux", "x86_64") => Ok(&[
                "manylinux_2_28_x86_64",
                "manylinux_2_27_x86_64",
                "manylinux_2_24_x86_64",
                "manylinux_2_17_x86_64",
                "manylinux2014_x86_64",
            ]),
            (Build::Cpu, "linux", "aarch64") => {
                Ok(&["manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux_2_17_aarch64"])
            }
            (Build::Cuda | Build::OpenVino, "linux", "aarch64") => {
                Err(RuntimeError::BuildNotForPlatform { build: self, os, architecture })
            }
            _ => Err(RuntimeError::UnsupportedPlatform { os, architecture }),
        }
    }
}

impl FromStr for Build {
    type Err = RuntimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Build::ALL.into_iter().find(|build| build.word() == text);
        known.ok_or_else(|| RuntimeError::UnknownBuild { build: text.into() })
    }
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
        Release { build: Build::Cpu, version }
    }

    /// Its name in a sentence: `ONNX Runtime 1.24.1 for OpenVINO`.
    #[must_use]
    pub fn title(self) -> String {
        format!("ONNX Runtime {} for {}", self.version, self.build.purpose())
    }

    /// Name of its folder in the cache.
    pub(super) fn folder_name(self) -> String {
        format!("{}-{}", self.build, self.version)
    }

    /// The release that a folder of the cache is for; `None` if it is for none.
    pub(super) fn of_folder(name: &str) -> Option<Self> {
        let (build, version) = name.split_once('-')?;
        Some(Release { build: build.parse().ok()?, version: version.parse().ok()? })
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
    fn a_release_reads_back_from_its_folder() {
        for build in Build::ALL {
            let release = Release { build, version: "1.24.1".parse().unwrap() };
            assert_eq!(Release::of_folder(&release.folder_name()), Some(release));
        }
        for name in [".lock", "cpu", "gpu-1.31.1", "cpu-1.31", ".unfinished-abc"] {
            assert_eq!(Release::of_folder(name), None, "{name}");
        }
    }

    #[test]
    fn a_release_is_named_by_its_word_and_in_a_sentence() {
        let release = Release { build: Build::OpenVino, version: "1.24.1".parse().unwrap() };
        assert_eq!(release.to_string(), "openvino@1.24.1");
        assert_eq!(release.title(), "ONNX Runtime 1.24.1 for OpenVINO");
    }
}
