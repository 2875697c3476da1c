//! The lines between parent and worker: one JSON object per line, a request on the worker's stdin,
//! a response on its stdout.
//!
//! The worker says [`Response::Hello`] first, unasked. Every request has exactly one response,
//! which may be [`Response::Failed`]. The worker ends when its stdin closes. Read [`Request`]
//! first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::inputs::InputPlan;
use crate::observed::Observed;
use crate::plan::{
    Arrivals, FloatRounding, InputRequest, LoadMode, RuntimeChoice, Serving, SessionOptions,
    SessionSpec, Shape, Share, Task,
};
use crate::record::{
    AccuracyRecord, ArenaStats, Coupling, DatasetInfo, Failure, ModelSummary, Offer, PeakRates,
    Placement, ProbeRecord, Profiled, ServedLoad, TensorShape, Warmup,
};
use crate::text::Plain;
use crate::units::{Bytes, Nanos};

/// Version of the protocol: both sides must speak the same.
pub const VERSION: u64 = 1;

/// A request of the parent to a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "request")]
pub enum Request {
    /// Read a model file without a runtime, and plan its inputs.
    Describe {
        /// The model file.
        model: PathBuf,
        /// The user's words on inputs.
        inputs: InputRequest,
        /// Shapes that inputs are to be planned for.
        shapes: Vec<Shape>,
    },
    /// Open a runtime.
    Open {
        /// The runtime.
        runtime: RuntimeChoice,
        /// The execution provider that it must offer.
        execution_provider: String,
        /// Library that brings the execution provider, where the runtime does not have it.
        #[serde(default)]
        ep_library: Option<PathBuf>,
    },
    /// Create the session.
    Load {
        /// The model file.
        model: PathBuf,
        /// The session.
        spec: Box<SessionSpec>,
    },
    /// Create a session that ONNX Runtime profiles, run it a few times, and leave it: asked instead
    /// of [`Request::Load`].
    Profile(Box<ProfileRequest>),
    /// Measure the most that the machine does: asked instead of [`Request::Load`].
    Peaks(Box<PeaksRequest>),
    /// Try the session out: find inputs that run. Asked after [`Request::Load`].
    Probe(Box<ProbeRequest>),
    /// Find random outputs, and prove along which axis samples lie. Asked after [`Request::Probe`],
    /// once.
    Prove {
        /// Nothing is begun that would end later than this.
        limit_ns: Nanos,
    },
    /// Make a cell the current one: bind inputs, run the first inference, warm up.
    Begin(Box<CellRequest>),
    /// Measure a block of the current cell.
    Block {
        /// Length of the block.
        length_ns: Nanos,
        /// Inferences that it holds at least, as far as the limit allows.
        min_inferences: u64,
        /// After the first inference none is begun that would end after this much time; absent:
        /// there is no limit.
        limit_ns: Option<Nanos>,
    },
    /// Measure single inferences of the current cell, each after a time in which nothing was asked
    /// for.
    Idle {
        /// That time.
        gap_ns: Nanos,
        /// Inferences to measure.
        count: u64,
    },
    /// Serve requests that arrive by themselves. Asked after [`Request::Load`], outside cells.
    Serve(Box<ServeRequest>),
    /// Leave the current cell.
    End,
    /// Score the session's outputs.
    Evaluate(Box<Evaluation>),
    /// Score the outputs of the inputs that ran first while the session was tried out, which runs
    /// nothing. Asked after [`Request::Prove`]; fails where the first samples are other inputs, or
    /// are not at hand any more.
    Rehearse(Box<Evaluation>),
    /// Find out whether samples of a batch change each other's outputs. Asked after
    /// [`Request::Load`].
    Couple(Box<CouplingRequest>),
}

/// A cell that is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CellRequest {
    /// Samples per inference.
    pub batch_size: u64,
    /// How requests arrive.
    pub load_mode: LoadMode,
    /// The inputs.
    pub inputs: InputPlan,
    /// After the first inference none is begun that would end after this much time; absent: there
    /// is no limit.
    pub limit_ns: Option<Nanos>,
    /// Time of one inference, where the process has run the model before: the first one is then
    /// left out where it and another one would not end in time.
    pub known_ns: Option<Nanos>,
    /// Why outputs are to be bound anew before each inference; absent: they are bound once, if that
    /// does.
    #[serde(default)]
    pub outputs_anew: Option<Plain>,
}

/// Requests that arrive by themselves, and how they are served.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServeRequest {
    /// The model file, of which further sessions may be created.
    pub model: PathBuf,
    /// The session.
    pub spec: SessionSpec,
    /// The inputs.
    pub inputs: InputPlan,
    /// How requests arrive.
    pub arrivals: Arrivals,
    /// The requests of all processes.
    pub offer: Offer,
    /// The part of them that comes to this process.
    pub share: Share,
    /// How they are served.
    pub serving: Serving,
    /// Different samples that requests carry in turn.
    pub samples_count: u64,
    /// When the first request may come, on the system's monotonic clock, which processes share;
    /// absent: as soon as everything is bound.
    pub start_at_ns: Option<Nanos>,
    /// Parts that the segment is counted in.
    pub windows_count: u64,
    /// Outputs that are random, by name: nothing is compared by them.
    pub random_outputs: BTreeSet<String>,
    /// No inference is begun after this much time, whatever still waits; what waits then has
    /// failed.
    pub limit_ns: Nanos,
}

/// A profile that is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProfileRequest {
    /// The model file.
    pub model: PathBuf,
    /// The session.
    pub spec: SessionSpec,
    /// The inputs.
    pub inputs: InputPlan,
    /// Samples per inference.
    pub batch_size: u64,
    /// Where the trace is to be kept, unless it is very large.
    pub trace_file: PathBuf,
    /// An empty folder in the same file system, where the profiler may write.
    pub scratch: PathBuf,
    /// Profiled inferences after the first, at most.
    pub max_inferences: u64,
    /// Time after which no inferences are begun, but for those that there must be.
    pub length_ns: Nanos,
    /// Whether a second session runs without the profiler, to tell how much it distorts.
    pub has_twin: bool,
}

/// How a session is to be tried out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProbeRequest {
    /// The model file.
    pub model: PathBuf,
    /// The user's words on inputs.
    pub inputs: InputRequest,
    /// Shapes that inputs are to be found for.
    pub shapes: Vec<Shape>,
    /// Whether the model may be asked about other shapes where none is swept.
    pub usual: UsualShapes,
    /// Nothing further is tried after this much time beside one inference of each shape.
    pub limit_ns: Nanos,
    /// Memory that inputs and outputs may take; absent where no bound is known.
    pub memory_bytes: Option<Bytes>,
    /// How the session rounds floats, which tells how far outputs that are the same may lie apart.
    #[serde(default)]
    pub float_rounding: FloatRounding,
}

/// Whether a model may be asked about other shapes than those of the plan where none is swept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsualShapes {
    /// About those that are usual for a model of its kind.
    Taken,
    /// About none but those of the plan.
    Left,
}

/// The findings of trying a session out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tried {
    /// Shapes that inputs were looked for.
    pub shapes: Vec<Shape>,
    /// Inputs of every shape that run, or why the model does not take it.
    pub plans: Vec<Observed<InputPlan>>,
    /// Inputs of the data's own shape, or else of the first one that the model takes.
    pub inputs: Option<Box<InputPlan>>,
    /// Time of the first inference of the process; absent where the first trial was refused.
    pub first_run_ns: Option<Nanos>,
    /// Whether something was left out for want of time.
    pub is_cut_short: bool,
    /// Its further findings.
    pub probe: ProbeRecord,
}

/// How the machine's peaks are to be measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PeaksRequest {
    /// Options of the sessions.
    pub options: SessionOptions,
    /// Time for each figure.
    pub length_ns: Nanos,
    /// Size of tensors that no cache holds, or why there can be none.
    pub tensor_bytes: Observed<Bytes>,
}

/// How outputs are to be scored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evaluation {
    /// Index of the session, for the record.
    pub session: usize,
    /// The inputs.
    pub inputs: InputPlan,
    /// Kind of the prediction.
    pub task: Task,
    /// Samples per inference.
    pub batch_size: u64,
    /// The role of this session's outputs beside the others'.
    pub role: EvaluationRole,
    /// Scoring ends with the batch that ends after this much time; absent: with the last sample.
    pub limit_ns: Option<Nanos>,
    /// Scoring ends after this many samples; absent: with the last sample.
    pub max_samples: Option<u64>,
    /// Outputs that are random, by name: nothing is compared by them.
    #[serde(default)]
    pub random_outputs: BTreeSet<String>,
}

/// How it is to be found out whether samples of a batch change each other's outputs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CouplingRequest {
    /// The inputs.
    pub inputs: InputPlan,
    /// Outputs that are random, by name: nothing is compared by them.
    pub random_outputs: BTreeSet<String>,
    /// Time of one inference, as far as it is known.
    pub inference_ns: Option<Nanos>,
    /// Nothing is begun that would end later than this.
    pub limit_ns: Nanos,
    /// Memory that inputs and outputs may take; absent where no bound is known.
    pub memory_bytes: Option<Bytes>,
    /// How the session rounds floats, which tells how far outputs that are the same may lie apart.
    #[serde(default)]
    pub float_rounding: FloatRounding,
}

/// The role of a session's outputs beside the others'.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvaluationRole {
    /// Outputs are compared with nothing.
    Alone,
    /// Outputs are kept in this file, for the others to be compared with.
    Baseline(PathBuf),
    /// Outputs are compared with those in this file.
    Candidate(PathBuf),
}

/// A worker's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "response")]
pub enum Response {
    /// Said first, unasked.
    Hello {
        /// [`VERSION`].
        protocol: u64,
        /// Version of onnxprof.
        tool_version: String,
    },
    /// Answer to [`Request::Describe`].
    Described(Box<Described>),
    /// Answer to [`Request::Open`].
    Opened {
        /// Time to open the library and create its environment.
        runtime_start_ns: Nanos,
        /// Version of the runtime.
        version: String,
        /// Build information.
        build_info: String,
        /// Execution providers that the runtime offers.
        execution_providers: Vec<String>,
    },
    /// Answer to [`Request::Load`].
    Loaded {
        /// Time from the call that creates the session to its return.
        session_load_ns: Nanos,
        /// Session configuration entries, read back from the runtime.
        session_config: BTreeMap<Plain, Plain>,
        /// Execution providers registered with the session, in order of preference.
        execution_providers: Vec<String>,
        /// Options that the first of them was registered with.
        provider_options: BTreeMap<Plain, Plain>,
    },
    /// Answer to [`Request::Profile`].
    Profiled {
        /// Where the nodes ran.
        placement: Box<Placement>,
        /// For how long. The name of the trace's file is left to who chose it.
        operators: Box<Profiled>,
    },
    /// Answer to [`Request::Peaks`].
    Peaks(Box<PeakRates>),
    /// Answer to [`Request::Probe`] and [`Request::Prove`].
    Tried(Box<Tried>),
    /// Answer to [`Request::Begin`].
    Began {
        /// Time of the first inference of the cell.
        first_run_ns: Nanos,
        /// How warming up went.
        warmup: Warmup,
        /// Latencies during warm-up, encoded.
        histogram: String,
        /// Why outputs are bound anew before each inference; absent: they are bound once.
        #[serde(default)]
        outputs_anew: Option<Plain>,
    },
    /// Answer to [`Request::Block`].
    Block(BlockReport),
    /// Answer to [`Request::Idle`].
    Idled {
        /// Latency of each inference.
        latencies_ns: Vec<Nanos>,
    },
    /// Answer to [`Request::Serve`].
    Served(Box<ServedLoad>),
    /// Answer to [`Request::End`].
    Ended {
        /// Statistics of the arena, or why there are none.
        arena: Observed<ArenaStats>,
        /// Warnings that the runtime logged in this process so far.
        log_warnings_count: u64,
        /// Errors that it logged.
        log_errors_count: u64,
    },
    /// Answer to [`Request::Evaluate`] and [`Request::Rehearse`].
    Evaluated(Box<AccuracyRecord>),
    /// Answer to [`Request::Couple`].
    Coupled(Coupling),
    /// The request could not be served.
    Failed(Failure),
}

/// A model file and its inputs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Described {
    /// The summary of the file.
    pub model: ModelSummary,
    /// SHA-256 of the model file.
    pub sha256: String,
    /// SHA-256 of each file that holds weights outside it, if they were hashed.
    #[serde(default)]
    pub external_sha256: BTreeMap<PathBuf, Plain>,
    /// Inputs, planned: of the data's own shape, or else of the first one that the model takes.
    pub inputs: InputPlan,
    /// Inputs of every shape that was asked for, in that order, or why the model does not take it.
    pub shapes: Vec<Observed<InputPlan>>,
    /// The data, where there is a file.
    pub dataset: Option<DatasetInfo>,
    /// Time that the timed loop adds to a bare inference.
    pub harness_cost_ns: Nanos,
    /// Why outputs may differ in size from inference to inference, as a fragment of a sentence;
    /// absent where they cannot.
    #[serde(default)]
    pub outputs_vary: Option<String>,
    /// Weights of convolutions, products and the like, by the name of the node that reads them;
    /// those of nodes whose name another one has are left out.
    #[serde(default)]
    pub weights: BTreeMap<Plain, Vec<NodeWeight>>,
    /// Findings of trying the model out; absent if it was not tried.
    #[serde(default)]
    pub probe: Option<ProbeRecord>,
}

/// A weight that a node reads, as the model file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeWeight {
    /// Type and shape.
    pub shape: TensorShape,
    /// Size of the elements.
    pub bytes: Bytes,
}

impl Described {
    /// Inputs at a shape.
    ///
    /// # Errors
    /// Why the model does not take it, as a fragment of a sentence.
    pub fn inputs_at(&self, shape: usize) -> Result<&InputPlan, &str> {
        match self.shapes.get(shape) {
            Some(inputs) => inputs.as_ref().map_err(Plain::exact),
            None => Ok(&self.inputs),
        }
    }
}

/// The figures of a block.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BlockReport {
    /// From just before the first inference to just after the last, less `rebinding_ns`.
    pub elapsed_ns: Nanos,
    /// Time between inferences in which outputs were bound anew; absent where they are bound once.
    #[serde(default)]
    pub rebinding_ns: Option<Nanos>,
    /// Inferences completed.
    pub inferences_count: u64,
    /// Median latency.
    pub median_ns: Nanos,
    /// 10th percentile.
    pub p10_ns: Nanos,
    /// Mean latency.
    pub mean_ns: Nanos,
    /// CPU time of the process.
    pub cpu_time_ns: Nanos,
    /// Involuntary context switches of the process.
    pub involuntary_switches_count: u64,
    /// Major page faults of the process.
    pub major_faults_count: u64,
    /// Minor page faults of the process.
    pub minor_faults_count: u64,
    /// Latencies, encoded.
    pub histogram: String,
}

/// Size of a line beyond which it is not of this protocol: no answer comes near, and the parent's
/// memory is bounded.
pub const MAX_LINE: Bytes = Bytes(16 << 20);
