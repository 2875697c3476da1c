//! The official builds of ONNX Runtime, told apart by the execution providers that they have.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An official build of ONNX Runtime. Displays as the word that asks for it, such as `cpu`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Build {
    /// For the CPU alone.
    #[default]
    Cpu,
    /// With the CUDA and TensorRT execution providers.
    Cuda,
    /// With the OpenVINO execution provider.
    OpenVino,
}

impl Build {
    /// Every build.
    pub const ALL: [Build; 3] = [Build::Cpu, Build::Cuda, Build::OpenVino];

    /// The word that asks for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Build::Cpu => "cpu",
            Build::Cuda => "cuda",
            Build::OpenVino => "openvino",
        }
    }

    /// Name of the Python package whose wheels carry it.
    #[must_use]
    pub fn package(self) -> &'static str {
        match self {
            Build::Cpu => "onnxruntime",
            Build::Cuda => "onnxruntime-gpu",
            Build::OpenVino => "onnxruntime-openvino",
        }
    }

    /// Hardware or interface that it is for, in words.
    #[must_use]
    pub fn purpose(self) -> &'static str {
        match self {
            Build::Cpu => "the CPU",
            Build::Cuda => "CUDA",
            Build::OpenVino => "OpenVINO",
        }
    }
}

impl fmt::Display for Build {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}
