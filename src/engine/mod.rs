//! Executing models: ONNX Runtime, a server that has the model loaded, or a script of latencies for
//! tests of the harness.
//!
//! The only module that speaks to `ort`. A caller opens a [`Runtime`] once per process, loads one
//! [`Session`] from it and binds inputs to it; [`Inference::run`] is what is timed. Read those
//! three traits first.

mod assignment;
mod bound_outputs;
mod buffer;
mod builder;
mod ep;
mod error;
mod gathered;
mod io_binding;
mod library;
mod log;
mod message;
mod null;
mod onnxruntime;
mod peaks;
mod placement;
mod profile;
mod raw;
mod remote;
mod run;
mod served;
mod strips;
mod tensor;
mod traits;
mod value;
mod warming;

pub use error::{EngineError, Result, ServerStep};
pub use library::{LibraryError, describe_library};
pub use null::ScriptedRuntime;
pub use onnxruntime::OnnxRuntime;
pub use remote::{ServedModel, ServerRuntime, check_address, served_model};
pub use traits::{
    BatchInputs, Distortion, Effect, Inference, LogCounts, ProfileTarget, Runtime, ServedInference,
    ServedInputs, Session, SessionProfile,
};

use crate::plan::RuntimeChoice;
use crate::runtime::LibraryInfo;

/// Checks that a runtime offers an execution provider.
///
/// # Errors
/// [`EngineError::UnknownProvider`], which lists those present.
pub fn require_provider(info: &LibraryInfo, name: &str) -> Result<()> {
    let present = &info.execution_providers;
    if present.iter().any(|one| one == name) {
        return Ok(());
    }
    Err(EngineError::UnknownProvider {
        name: name.to_owned(),
        present: present.clone(),
    })
}

/// Opens the runtime that a session asks for.
///
/// # Errors
/// [`EngineError::Library`] if the library cannot be opened or is too old; [`EngineError::Script`]
/// if a script is none; [`EngineError::Server`] if a server does not answer.
pub fn open(choice: &RuntimeChoice) -> Result<Box<dyn Runtime>> {
    Ok(match choice {
        RuntimeChoice::Library(path) => Box::new(OnnxRuntime::open(path)?),
        RuntimeChoice::Script(path) => Box::new(ScriptedRuntime::open(path)?),
        RuntimeChoice::Server(server) => Box::new(ServerRuntime::open(server)?),
    })
}
