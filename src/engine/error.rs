//! What can go wrong in an engine.

use std::path::PathBuf;

use super::LibraryError;
use crate::record::{Failure, FailureKind};

/// An error of a runtime, a session or an inference.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The library could not be opened, is none, or is too old.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The library was opened, but refused to begin.
    #[error("failed to create the environment of `{path}`: {message}")]
    Environment {
        /// The library.
        path: PathBuf,
        /// The library's own words.
        message: String,
    },
    /// The library does not offer the execution provider.
    #[error("this ONNX Runtime library has no `{name}`; it offers {}", present.join(", "))]
    UnknownProvider {
        /// What was asked for.
        name: String,
        /// What the library offers.
        present: Vec<String>,
    },
    /// The library offers the execution provider, but onnxprof cannot run on it.
    #[error("onnxprof cannot run on `{name}`, which this ONNX Runtime library offers")]
    UnsupportedProvider {
        /// What was asked for.
        name: String,
    },
    /// The session could not be created.
    #[error("failed to load model `{model}`: {message}")]
    Load {
        /// The model file.
        model: PathBuf,
        /// The runtime's own words.
        message: String,
    },
    /// Inputs or outputs could not be bound.
    #[error("failed to bind `{name}`: {message}")]
    Bind {
        /// The input or output.
        name: String,
        /// The runtime's own words.
        message: String,
    },
    /// An inference failed.
    #[error("inference failed: {message}")]
    Run {
        /// The runtime's own words.
        message: String,
    },
    /// A script of latencies could not be read.
    #[error("failed to read the script `{path}`: {message}")]
    Script {
        /// The script.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

impl EngineError {
    /// The same, as it stands in the record.
    #[must_use]
    pub fn to_failure(&self) -> Failure {
        let failure = Failure::new(FailureKind::Runtime, self, None);
        let kind = match self {
            _ if is_out_of_memory(&failure.message) => FailureKind::OutOfMemory,
            EngineError::Library(_)
            | EngineError::Environment { .. }
            | EngineError::UnknownProvider { .. }
            | EngineError::UnsupportedProvider { .. }
            | EngineError::Script { .. } => FailureKind::Runtime,
            EngineError::Load { .. } => FailureKind::SessionLoad,
            EngineError::Bind { .. } => FailureKind::BadInput,
            EngineError::Run { .. } => FailureKind::Inference,
        };
        Failure { kind, hint: hint(self, &failure.message), ..failure }
    }
}

/// Whether the words are those of ONNX Runtime or the C++ library when an allocation failed.
fn is_out_of_memory(message: &str) -> bool {
    ["bad_alloc", "bad allocation", "Failed to allocate memory", "Cannot allocate memory", "std::length_error"]
        .iter()
        .any(|sign| message.contains(sign))
}

fn hint(error: &EngineError, message: &str) -> Option<String> {
    let hint = match error {
        EngineError::Run { .. } | EngineError::Bind { .. } if is_out_of_memory(message) => {
            "try smaller batch sizes with `--batch`, or give the process more memory"
        }
        _ if is_out_of_memory(message) => "give the process more memory, or use a smaller model",
        EngineError::Library(error) => return Some(error.hint()),
        EngineError::UnknownProvider { .. } => "name one of those with `--ep`, or another library with `--runtime`",
        EngineError::UnsupportedProvider { .. } => "leave out `--ep` to run on CPUExecutionProvider",
        EngineError::Load { .. } if message.contains("opset") || message.contains("IR version") => {
            "use a newer library with `--runtime cpu@VERSION`, or export the model for an older opset"
        }
        EngineError::Load { .. }
            if message.contains("is not a registered function/op") || message.contains("No Op registered") =>
        {
            "the library has no such operator: use a build that has it with `--runtime`, or export without it"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}
