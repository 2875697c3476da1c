//! What executes models: ONNX Runtime, or a script of latencies for tests of the harness.
//!
//! The only module that speaks to `ort`. A caller opens a [`Runtime`] once per process, loads one [`Session`] from it
//! and binds inputs to it; [`Inference::run`] is what is timed. Read those three traits first.

mod error;
mod library;
mod null;
mod onnxruntime;
mod tensor;
mod words;

pub use error::EngineError;
pub use library::{LibraryError, describe_library};
pub use null::ScriptedRuntime;
pub use onnxruntime::OnnxRuntime;

use std::collections::BTreeMap;
use std::path::Path;

use crate::inputs::Tensor;
use crate::measure::EngineClock;
use crate::plan::{RuntimeChoice, SessionSpec};
use crate::record::ArenaStats;
use crate::runtime::LibraryInfo;

/// ONNX Runtime's identifier of the execution provider that every library has.
const CPU_PROVIDER: &str = "CPUExecutionProvider";

/// An opened runtime.
pub trait Runtime {
    /// What the runtime says about itself.
    fn info(&self) -> &LibraryInfo;

    /// The clock that inferences run on.
    fn clock(&self) -> EngineClock;

    /// Creates a session of a model file.
    ///
    /// # Errors
    /// [`EngineError::Load`] with the runtime's own words.
    fn load(&self, model: &Path, spec: &SessionSpec) -> Result<Box<dyn Session>, EngineError>;

    /// Warnings and errors that the runtime has logged so far.
    fn log_counts(&self) -> LogCounts;
}

/// A loaded model.
pub trait Session: Sync {
    /// Session configuration entries, read back from the runtime.
    fn config_entries(&self) -> BTreeMap<String, String>;

    /// Binds each set of inputs, and every output to host memory that is reused, so that neither generating inputs
    /// nor allocating outputs is part of an inference.
    ///
    /// # Errors
    /// [`EngineError::Bind`] if the runtime does not take the inputs.
    fn bind(&self, sets: &[Vec<Tensor>]) -> Result<Box<dyn Inference + '_>, EngineError>;

    /// Runs one inference and returns the outputs that are tensors.
    ///
    /// # Errors
    /// [`EngineError::Run`] with the runtime's own words.
    fn evaluate(&mut self, inputs: &[Tensor]) -> Result<Vec<Tensor>, EngineError>;

    /// Statistics of the arena of the session's device, or why there are none.
    fn arena(&self) -> Result<ArenaStats, String>;
}

/// A request in flight: runs the bound sets of inputs in turn.
pub trait Inference: Send {
    /// Runs one inference.
    ///
    /// # Errors
    /// [`EngineError::Run`] with the runtime's own words.
    fn run(&mut self) -> Result<(), EngineError>;
}

/// Warnings and errors that a runtime has logged so far in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Warnings.
    pub warnings: u64,
    /// Errors.
    pub errors: u64,
}

/// Checks that a runtime offers an execution provider, and that onnxprof can run on it: a session must never fall back to
/// another in silence.
///
/// # Errors
/// [`EngineError::UnknownProvider`], which lists those present, or [`EngineError::UnsupportedProvider`].
pub fn require_provider(info: &LibraryInfo, name: &str) -> Result<(), EngineError> {
    if !info.execution_providers.iter().any(|present| present == name) {
        let present = info.execution_providers.clone();
        return Err(EngineError::UnknownProvider { name: name.to_owned(), present });
    }
    if name != CPU_PROVIDER {
        return Err(EngineError::UnsupportedProvider { name: name.to_owned() });
    }
    Ok(())
}

/// Opens the runtime that a session asks for.
///
/// # Errors
/// [`EngineError::Library`] if the library cannot be opened or is too old; [`EngineError::Script`] if a script is none.
pub fn open(choice: &RuntimeChoice) -> Result<Box<dyn Runtime>, EngineError> {
    Ok(match choice {
        RuntimeChoice::Library(path) => Box::new(OnnxRuntime::open(path)?),
        RuntimeChoice::Script(path) => Box::new(ScriptedRuntime::open(path)?),
    })
}
