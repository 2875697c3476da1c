//! Why a model file cannot be read.

use std::io;
use std::path::PathBuf;

use super::skeleton::MOST_KEPT;
use crate::memory::TooMuch;

/// Why a model file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The file cannot be opened.
    #[error("failed to open model `{}`", .0.display())]
    Open(PathBuf, #[source] io::Error),
    /// The path is a folder or a device.
    #[error("`{}` is not a file", .0.display())]
    NotFile(PathBuf),
    /// The file has no bytes.
    #[error("model `{}` is empty", .0.display())]
    Empty(PathBuf),
    /// The bytes are something else than a model.
    #[error("`{}` is not an ONNX model", .0.display())]
    NotOnnx(PathBuf),
    /// The file ends within a field.
    #[error("model `{}` is truncated: the file ends early{}", .0.display(), missing(*.1))]
    Truncated(PathBuf, Option<u64>),
    /// The file begins as a model does, and is damaged further on.
    #[error("model `{}` is damaged", .0.display())]
    Damaged(PathBuf, #[source] Option<onnx_rs::Error>),
    /// Messages are nested deeper than protobuf allows.
    #[error("model `{}` nests its graphs deeper than protobuf's limit of 100 messages", .0.display())]
    TooDeep(PathBuf),
    /// The file without its weights is larger than that of any model.
    #[error("model `{}` has more than {} without its weights", .0.display(), MOST_KEPT.in_words())]
    TooLarge(PathBuf),
    /// The file without its weights would take more memory than there is.
    #[error("model `{}` does not fit into memory", .0.display())]
    Memory(PathBuf, #[source] TooMuch),
    /// The file is a model that lacks a part which every model has.
    #[error("model `{}` has no {}", .0.display(), .1)]
    Missing(PathBuf, &'static str),
    /// A file that holds weights is not where the model says.
    #[error("model `{}` keeps weight `{weight}` in `{}`, which cannot be opened", path.display(), file.display())]
    ExternalFile {
        /// The model file.
        path: PathBuf,
        /// Name of a weight in the file.
        weight: String,
        /// The file that is missing.
        file: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A file that holds weights is shorter than the model says.
    #[error(
        "model `{}` keeps weight `{weight}` in bytes up to {end} of `{}`, which has {size_bytes}",
        path.display(), file.display()
    )]
    ExternalShort {
        /// The model file.
        path: PathBuf,
        /// Name of the weight.
        weight: String,
        /// The file that is too short.
        file: PathBuf,
        /// Where the weight ends.
        end: u64,
        /// Size of the file.
        size_bytes: u64,
    },
}

impl OnnxError {
    /// A remedy, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            OnnxError::NotFile(_) => "name the model file itself",
            OnnxError::Empty(_) | OnnxError::Truncated { .. } | OnnxError::ExternalShort { .. } => {
                "copy or download the file again"
            }
            OnnxError::NotOnnx(_) => {
                "name a .onnx or .ort file; a model of another format must be converted first, and a Git LFS pointer fetched"
            }
            OnnxError::Damaged { .. }
            | OnnxError::Missing { .. }
            | OnnxError::TooDeep(_)
            | OnnxError::TooLarge(_) => "export the model again, or check it with `onnx.checker`",
            OnnxError::Memory { .. } => "free memory, or export the model with a smaller graph",
            OnnxError::ExternalFile { .. } => {
                "put the file beside the model, under the name that the model gives it"
            }
            OnnxError::Open { .. } => return None,
        })
    }
}

fn missing(bytes: Option<u64>) -> String {
    bytes
        .map(|bytes| format!(", {bytes} bytes are missing"))
        .unwrap_or_default()
}
