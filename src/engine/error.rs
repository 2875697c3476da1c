//! Errors of an engine, and what to do about each.

use std::fmt;
use std::path::PathBuf;

use super::LibraryError;
use crate::provider;
use crate::record::{Failure, FailureKind};
use crate::text::Plain;

/// Result of an operation on a runtime, a session or an inference.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

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
        /// The name asked for.
        name: String,
        /// Those that the library offers.
        present: Vec<String>,
    },
    /// A library that is to bring an execution provider could not be registered.
    #[error("failed to register the execution provider library `{path}`: {message}")]
    EpLibrary {
        /// The library.
        path: PathBuf,
        /// The runtime's own words.
        message: String,
    },
    /// The execution provider could not be set up, for one because it rejects an option.
    #[error("failed to set up `{name}`: {message}")]
    Provider {
        /// The execution provider.
        name: String,
        /// Its own words.
        message: String,
    },
    /// A library of custom operators could not be registered.
    #[error("failed to register the custom operators of `{path}`: {message}")]
    CustomOps {
        /// The library.
        path: PathBuf,
        /// The runtime's own words.
        message: String,
    },
    /// The execution provider does not have the device.
    #[error("`{name}` has no device {device}; it has {}", listed(present))]
    NoDevice {
        /// The execution provider.
        name: String,
        /// The number asked for.
        device: u64,
        /// Those that there are.
        present: Vec<String>,
    },
    /// Nodes do not run where the session was asked to run.
    #[error(
        "{} of `{model}` fell back from `{name}` to {}",
        share(*fallen_count, *nodes_count),
        others.join(", ")
    )]
    FellBack {
        /// The model file.
        model: PathBuf,
        /// The execution provider that was asked for.
        name: String,
        /// Nodes that run elsewhere.
        fallen_count: u64,
        /// All nodes.
        nodes_count: u64,
        /// Where else nodes run, with their operators.
        others: Vec<String>,
    },
    /// The runtime's profile could not be had.
    #[error("failed to profile where nodes run: {0}")]
    Profile(String),
    /// The session could not be created.
    #[error("failed to load model `{model}`: {message}")]
    Load {
        /// The model file.
        model: PathBuf,
        /// The runtime's own words.
        message: String,
    },
    /// The session could not be created on another execution provider than the CPU's.
    #[error("failed to load model `{model}` on `{name}`: {message}")]
    LoadOn {
        /// The model file.
        model: PathBuf,
        /// The execution provider.
        name: String,
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
    /// The address names no model in a server, or leads to another machine that the user did not
    /// say to be theirs.
    #[error("`{url}` cannot be loaded: {message}")]
    Address {
        /// The address.
        url: String,
        /// Why.
        message: String,
        /// A remedy.
        hint: &'static str,
    },
    /// A server did not do what it was asked for.
    #[error("{step}: the server at `{url}` {message}")]
    Server {
        /// What it was asked for.
        step: ServerStep,
        /// The address that was asked.
        url: String,
        /// What it did, as a sentence without its subject.
        message: String,
        /// A remedy, where one is known.
        hint: Option<&'static str>,
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

/// What a server was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerStep {
    /// What it is.
    Open,
    /// A model.
    Load,
    /// An inference.
    Infer,
}

impl fmt::Display for ServerStep {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            ServerStep::Open => "failed to reach a server",
            ServerStep::Load => "failed to find the model in a server",
            ServerStep::Infer => "inference failed",
        })
    }
}

/// The same, as it stands in the record.
impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Failure {
        let failure = Failure::new(FailureKind::Runtime, &error, None);
        let kind = match error {
            _ if is_out_of_memory(failure.message.exact()) => FailureKind::OutOfMemory,
            EngineError::Library(_)
            | EngineError::Environment { .. }
            | EngineError::UnknownProvider { .. }
            | EngineError::EpLibrary { .. }
            | EngineError::CustomOps { .. }
            | EngineError::Provider { .. }
            | EngineError::NoDevice { .. }
            | EngineError::FellBack { .. }
            | EngineError::Address { .. }
            | EngineError::Server {
                step: ServerStep::Open,
                ..
            }
            | EngineError::Script { .. } => FailureKind::Runtime,
            EngineError::Load { .. }
            | EngineError::LoadOn { .. }
            | EngineError::Server {
                step: ServerStep::Load,
                ..
            } => FailureKind::SessionLoad,
            EngineError::Bind { .. } => FailureKind::BadInput,
            EngineError::Run { .. }
            | EngineError::Profile { .. }
            | EngineError::Server {
                step: ServerStep::Infer,
                ..
            } => FailureKind::Inference,
        };
        Failure {
            kind,
            hint: hint(&error, failure.message.exact()).map(Plain::from),
            ..failure
        }
    }
}

/// `all 12 nodes`, or `3 of 12 nodes`.
fn share(part: u64, all: u64) -> String {
    match part {
        1 if all == 1 => "the only node".into(),
        part if part == all => format!("all {all} nodes"),
        part => format!("{part} of {all} nodes"),
    }
}

fn listed(present: &[String]) -> String {
    if present.is_empty() {
        "none on this machine".into()
    } else {
        present.join(", ")
    }
}

/// Whether the words are those of ONNX Runtime, the C++ library or CUDA's libraries when an
/// allocation failed.
fn is_out_of_memory(message: &str) -> bool {
    const SIGNS: [&str; 9] = [
        "bad_alloc",
        "bad allocation",
        "Failed to allocate memory",
        "Cannot allocate memory",
        "std::length_error",
        "out of memory",
        "is smaller than requested bytes",
        "STATUS_ALLOC_FAILED",
        "DEVICE_ALLOCATION_FAILED",
    ];
    SIGNS.iter().any(|sign| message.contains(sign))
}

fn hint(error: &EngineError, message: &str) -> Option<String> {
    let hint = match error {
        EngineError::Run { .. } | EngineError::Bind { .. } if is_out_of_memory(message) => {
            "try smaller batch sizes with `--batch`, or give the process (or the GPU) more memory"
        }
        _ if is_out_of_memory(message) => "give the process more memory, or use a smaller model",
        EngineError::Library(error) => return Some(error.hint()),
        EngineError::Address { hint, .. } => hint,
        EngineError::Server { hint, .. } => return hint.map(str::to_owned),
        EngineError::UnknownProvider { name, .. } => return Some(where_to_find(name)),
        EngineError::EpLibrary { .. } => {
            "name a library of execution providers for this ONNX Runtime with `--ep-library`"
        }
        EngineError::CustomOps { .. } if wants_python(message) => {
            "the library was built into a Python package, and wants Python's own library to be there: run onnxprof with the \
             environment variable `LD_PRELOAD` set to that (`libpython3.X.so` of the same Python)"
        }
        EngineError::CustomOps { .. } => {
            "name a shared library that registers custom operators and is built for this machine with `--custom-ops`"
        }
        EngineError::NoDevice { present, .. } if present.is_empty() => {
            "its library finds no device here that it supports; leave it out with `--ep`"
        }
        EngineError::NoDevice { .. } => "choose one of those with `--device`",
        EngineError::FellBack {
            fallen_count,
            nodes_count,
            ..
        } if fallen_count == nodes_count => {
            "it takes none of the model's operators in this precision and with these options; the log of its process may say \
             why. Leave this execution provider out with `--ep`"
        }
        EngineError::FellBack { .. } => {
            "leave out `--require-ep` to measure with nodes on several execution providers"
        }
        EngineError::LoadOn { .. } if message.contains("explicitly disabled by the user") => {
            "leave out `--require-ep` to measure with nodes on several execution providers"
        }
        EngineError::LoadOn { .. } | EngineError::Provider { .. } | EngineError::Run { .. }
            if provider::hint(message).is_some() =>
        {
            return provider::hint(message);
        }
        EngineError::Provider { .. } => {
            "check its options, given with `--ep-option`, and what it needs on this machine"
        }
        EngineError::Load { .. } | EngineError::LoadOn { .. } if message.contains(COMPILED) => {
            return Some(compiled(message));
        }
        EngineError::Load { .. } | EngineError::LoadOn { .. }
            if message.contains("opset") || message.contains("IR version") =>
        {
            "use a newer library with `--runtime cpu@VERSION`, or export the model for an older opset"
        }
        EngineError::Load { .. } | EngineError::LoadOn { .. }
            if message.contains("is not a registered function/op")
                || message.contains("No Op registered") =>
        {
            "the library has no such operator: register the library of custom operators that has it with \
             `--custom-ops LIB`, use a build that has it with `--runtime`, or export without it"
        }
        EngineError::LoadOn { .. } => {
            "this execution provider does not take the model: try other options with `--ep-option` or another library \
             with `--runtime`, or leave it out with `--ep`"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Whether a library could not be opened because Python is not there.
fn wants_python(message: &str) -> bool {
    ["undefined symbol: Py", "undefined symbol: _Py"]
        .iter()
        .any(|sign| message.contains(sign))
}

/// The operator of a model that was compiled for an execution provider.
const COMPILED: &str = "EPContext";

/// The remedy for a model that was compiled for an execution provider, which the message names in
/// quotes.
fn compiled(message: &str) -> String {
    let provider = message
        .split_once("generated by '")
        .and_then(|(_, rest)| rest.split_once('\''));
    let (title, option) = match provider {
        Some((name, _)) => (format!("`{name}`"), format!("`--ep {name}`")),
        None => (
            "an execution provider that this session lacks".into(),
            "`--ep`".into(),
        ),
    };
    format!(
        "the model is compiled for {title}: measure it with {option} on a library that has it, or measure the model that \
         it was compiled from"
    )
}

fn where_to_find(name: &str) -> String {
    match provider::known(name).build {
        Some(build) => format!(
            "the build `{build}` has it: use `--runtime {build}@VERSION`, or name one of those present with `--ep`"
        ),
        None => "name one of those with `--ep`, or another library with `--runtime`".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_s_lack_of_memory_is_told_from_other_errors() {
        let kind = |message: &str| {
            Failure::from(EngineError::Run {
                message: message.into(),
            })
            .kind
        };
        for message in [
            "Failed to allocate memory for requested buffer of size 4294967296",
            "BFCArena: Available memory of 1024 is smaller than requested bytes of 4294967296",
            "CUDA failure 2: out of memory ; GPU=0 ; hostname=h",
            "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0",
            "CUDNN failure 4003: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED ; GPU=0",
        ] {
            assert_eq!(kind(message), FailureKind::OutOfMemory, "{message}");
        }
        assert_eq!(
            kind("CUDA failure 700: an illegal memory access was encountered"),
            FailureKind::Inference
        );
    }

    #[test]
    fn hints_go_with_what_the_words_say() {
        let ops = |message: &str| EngineError::CustomOps {
            path: "ops.so".into(),
            message: message.into(),
        };
        let load = |message: &str| EngineError::Load {
            model: "m.onnx".into(),
            message: message.into(),
        };
        let device = |present: &[&str]| {
            let present = present.iter().map(|&device| device.to_owned()).collect();
            EngineError::NoDevice {
                name: "ov".into(),
                device: 0,
                present,
            }
        };
        let compiled = "EPContext node generated by 'QNNExecutionProvider' is not compatible with any execution provider";
        for (error, said) in [
            (
                ops("ops.so: undefined symbol: PyInstanceMethod_Type"),
                "`LD_PRELOAD`",
            ),
            (ops("ops.so: file too short"), "`--custom-ops`"),
            (
                load(compiled),
                "compiled for `QNNExecutionProvider`: measure it with `--ep QNNExecutionProvider`",
            ),
            (
                load("no implementation for EPContext(1)"),
                "an execution provider that this session lacks",
            ),
            (device(&[]), "leave it out with `--ep`"),
            (device(&["0 (Intel GPU)"]), "`--device`"),
        ] {
            let failure = Failure::from(error);
            assert!(
                failure
                    .hint
                    .as_ref()
                    .is_some_and(|hint| hint.contains(said)),
                "{failure:?}"
            );
        }
    }
}
