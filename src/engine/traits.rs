//! The traits of what executes models, and the data that they give and take.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Result;
use crate::inputs::{Argument, InputSet, Tensor};
use crate::measure::EngineClock;
use crate::observed::Observed;
use crate::plan::{SessionOptions, SessionSpec};
use crate::provider::Options;
use crate::record::{ArenaStats, Exchanged, PeakRates, Placement, Profiled};
use crate::runtime::LibraryInfo;
use crate::text::Plain;
use crate::units::{Bytes, Nanos};

/// An opened runtime.
pub trait Runtime {
    /// The runtime's facts about itself.
    fn info(&self) -> &LibraryInfo;

    /// The clock that inferences run on.
    fn clock(&self) -> EngineClock;

    /// Registers a library that brings an execution provider called `name`, for sessions that ask
    /// for it.
    ///
    /// # Errors
    /// [`EngineError::EpLibrary`](super::EngineError::EpLibrary) with the runtime's own words.
    fn register_library(&mut self, name: &str, path: &Path) -> Result<()>;

    /// Creates a session of a model file.
    ///
    /// # Errors
    /// [`EngineError::Load`](super::EngineError::Load) or
    /// [`EngineError::Provider`](super::EngineError::Provider) with the runtime's own words;
    /// [`EngineError::FellBack`](super::EngineError::FellBack) if it would not run on the execution
    /// provider that was asked for.
    fn load(&self, model: &Path, spec: &SessionSpec) -> Result<Box<dyn Session>>;

    /// Runs `inputs` a few times through a session that the runtime profiles, in turns with one
    /// that it does not, and returns where its nodes ran and for how long. The trace is kept as
    /// `target` says.
    ///
    /// # Errors
    /// Those of [`Runtime::load`] and of an inference;
    /// [`EngineError::Profile`](super::EngineError::Profile) if there is nothing
    /// to read.
    fn profile(
        &self,
        model: &Path,
        spec: &SessionSpec,
        inputs: InputSet,
        target: &ProfileTarget,
    ) -> Result<SessionProfile>;

    /// Measures the most that the machine does with the threads of `options`; each figure takes
    /// about `length`, and the one of memory adds up tensors of `tensor_size`.
    fn peaks(
        &self,
        options: &SessionOptions,
        length: Nanos,
        tensor_size: Observed<Bytes>,
    ) -> PeakRates;

    /// Warnings and errors that the runtime has logged so far.
    fn log_counts(&self) -> LogCounts;
}

/// Operators and nodes of a profiled session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionProfile {
    /// Where its nodes ran.
    pub placement: Placement,
    /// For how long. It names no trace file: where that lies is known to who asked for it.
    pub operators: Profiled,
}

/// A loaded model.
pub trait Session: Sync {
    /// Settings that the session was created with.
    fn effect(&self) -> Effect;

    /// Binds each set of inputs for each of `requests` in flight, and every output to memory that
    /// is reused, so that neither generating inputs nor allocating outputs is part of an inference.
    /// Where that memory is, and whether copies are part of an inference, is the session's
    /// [`Binding`](crate::plan::Binding). In host memory the inputs are held once, however many
    /// requests there are.
    ///
    /// # Errors
    /// [`EngineError::Bind`](super::EngineError::Bind) if the runtime does not take the inputs.
    fn bind(&self, sets: Vec<InputSet>, requests: u64) -> Result<Vec<Box<dyn Inference + '_>>>;

    /// Binds samples for each of so many callers that serve requests, and memory in which batches
    /// of them are put together. All of it has been run when this returns.
    ///
    /// # Errors
    /// [`EngineError::Bind`](super::EngineError::Bind) if the runtime does not take the inputs, or
    /// samples cannot be put together or outputs not be parted; that of an inference.
    fn serve(
        &self,
        inputs: &ServedInputs,
        callers: u64,
    ) -> Result<Vec<Box<dyn ServedInference + '_>>>;

    /// Runs one inference and returns the outputs that are tensors, and those of sequences of
    /// tensors, called `NAME[0]` and so on; a sequence of maps with the same keys, as classifiers
    /// of `ai.onnx.ml` give it, is a tensor of a row for each map and a column for each key.
    ///
    /// # Errors
    /// [`EngineError::Run`](super::EngineError::Run) with the runtime's own words.
    fn evaluate(&mut self, inputs: &[Argument]) -> Result<Vec<Tensor>>;

    /// Statistics of the arena of the session's device, or why there are none.
    fn arena(&self) -> Observed<ArenaStats>;
}

/// A request in flight: runs the bound sets of inputs in turn.
pub trait Inference: Send {
    /// Runs one inference.
    ///
    /// # Errors
    /// [`EngineError::Run`](super::EngineError::Run) with the runtime's own words.
    fn run(&mut self) -> Result<()>;

    /// Binds the outputs of the next inference anew, so that they may have other sizes than those
    /// of the last one.
    ///
    /// # Errors
    /// [`EngineError::Bind`](super::EngineError::Bind) with the runtime's own words.
    fn bind_outputs(&mut self) -> Result<()> {
        Ok(())
    }

    /// Has the next inference run this set of inputs, by its place among those bound.
    fn choose(&mut self, _set: usize) {}

    /// Outputs of the last inference that are in memory of the CPU.
    fn outputs(&self) -> Vec<Tensor> {
        Vec::new()
    }

    /// Whether [`Inference::bind_outputs`] leaves them where they are.
    fn keeps_outputs(&self) -> bool {
        false
    }

    /// An output of the last inference that has not the size that its model declares, as a fragment
    /// of a sentence: the runtime then takes the outputs of no further inference. `None` if there
    /// is none.
    fn undeclared_output(&self) -> Option<String> {
        None
    }
}

/// What a caller runs for requests, of which each carries one of the bound samples.
pub trait ServedInference: Send {
    /// Runs one inference for these requests, given by the places of their samples. Where samples
    /// are put together, they are copied in before, and outputs are copied out to each request
    /// after; allocates nothing.
    ///
    /// # Errors
    /// [`EngineError::Run`](super::EngineError::Run) with the runtime's own words.
    fn run(&mut self, samples: &[usize]) -> Result<()>;

    /// Makes ready for the next inference what the last one has left; asked after outputs were
    /// read.
    ///
    /// # Errors
    /// [`EngineError::Bind`](super::EngineError::Bind) with the runtime's own words.
    fn prepare(&mut self) -> Result<()> {
        Ok(())
    }

    /// Outputs of one of the requests of the last inference, by its place among them; those that
    /// are not in memory of the CPU are left out.
    fn outputs(&self, place: usize) -> Vec<Tensor>;

    /// Sizes of what was exchanged with a server so far; nothing where there is none.
    fn exchanged(&self) -> Exchanged {
        Exchanged::default()
    }
}

/// Inputs of requests that are served.
#[derive(Clone, Debug, Default)]
pub struct ServedInputs {
    /// Samples: the inputs of one request each.
    pub samples: Vec<InputSet>,
    /// Inputs of batches, ascending by their size; none: each request is run alone, on inputs of
    /// its own.
    pub batches: Vec<BatchInputs>,
    /// The axis of each input along which the samples of a batch lie, by the input's name; inputs
    /// without one are the batch's own.
    pub axes: BTreeMap<Plain, usize>,
    /// Seed of what is drawn where latencies are scripted.
    pub seed: u64,
}

/// Inputs of a batch.
#[derive(Clone, Debug)]
pub struct BatchInputs {
    /// Samples that it has room for.
    pub size: u64,
    /// Its inputs; those in which samples are put together are there in the largest batch alone.
    pub inputs: InputSet,
}

/// Settings that a session was created with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Session configuration entries, read back from the runtime.
    pub config_entries: Options,
    /// Execution providers registered with the session, in order of preference.
    pub execution_providers: Vec<String>,
    /// Options that the first of them was registered with.
    pub provider_options: Options,
}

/// Warnings and errors that a runtime has logged so far in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Warnings.
    pub warnings: u64,
    /// Errors.
    pub errors: u64,
}

/// The aim of profiling, and the time that it may take.
#[derive(Clone, Debug)]
pub struct ProfileTarget {
    /// Where the trace is to be kept.
    pub trace_file: PathBuf,
    /// An empty folder in the same file system, where the profiler may write.
    pub scratch: PathBuf,
    /// Profiled inferences after the first, at most.
    pub max_inferences: u64,
    /// Time after which no inferences are begun, but for the two that there must be.
    pub length: Nanos,
    /// Whether the distortion is measured.
    pub distortion: Distortion,
}

/// Whether it is measured how much the profiler distorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distortion {
    /// A second session of the same model runs without the profiler.
    Measured,
    /// There is no second session.
    Unknown,
}
