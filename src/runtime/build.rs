//! What the builds of ONNX Runtime run on.

use std::str::FromStr;

use super::{Build, RuntimeError};

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
