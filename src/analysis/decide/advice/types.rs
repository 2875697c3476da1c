//! Advice, the figures behind it, and possibilities that were not tried. Data only; read [`Advice`]
//! first.

use serde::Serialize;

use crate::analysis::{AccuracyChange, Caveat, Counted, Estimate, Verdict};
use crate::metric::Metric;
use crate::plan::CellKey;
use crate::text::Plain;
use crate::units::Nanos;

/// Something to do, with the evidence for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// The step to take.
    pub action: Action,
    /// How much it matters, by [`Priority`]'s rule.
    pub priority: Priority,
    /// Measured gain as a factor: 2 is twice as fast, or twice as many.
    pub gain: Estimate,
    /// The metric that gains.
    pub metric: Metric,
    /// Measurements that say so.
    pub evidence: Vec<Evidence>,
    /// Change of the leading score against the baseline; absent where it stays the same model or
    /// was not scored.
    pub accuracy: Option<AccuracyChange>,
    /// Peak memory with the advice / without it.
    pub memory_factor: Option<f64>,
    /// Latency of one inference with the advice / without it.
    pub latency_factor: Option<f64>,
    /// Effort to follow it.
    pub effort: Level,
    /// Risk.
    pub risk: Level,
    /// Why the risk is what it is.
    pub caveats: Vec<Caveat>,
    /// Words of the command that measures the evidence again.
    pub command: Vec<String>,
}

/// The step to take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Ship this session instead of the baseline.
    Ship {
        /// The cell that shows the gain.
        key: CellKey,
    },
    /// Keep the baseline's model, and run it with other settings.
    Switch {
        /// The cell that shows the gain.
        key: CellKey,
        /// Differences from the baseline's session.
        settings: Vec<Setting>,
    },
    /// Collect requests into batches of this size.
    Batch {
        /// The cell to run.
        key: CellKey,
        /// The batch size that it is compared with.
        from: u64,
    },
    /// Set an entry of the session configuration.
    SetOption {
        /// The session and batch size that show the gain.
        key: CellKey,
        /// The entry: `session.set_denormal_as_zero=1`.
        option: Plain,
    },
    /// Let no pause between predictions be longer than this.
    KeepWarm {
        /// The session and batch size that show the gain.
        key: CellKey,
        /// The longest measured pause after which a prediction is not shown to be slower.
        longest_ns: Nanos,
        /// The pause after which the gain was measured.
        idle_ns: Nanos,
    },
    /// Load the session and run it once before requests arrive.
    LoadBeforeTraffic {
        /// The session, at its smallest measured batch size.
        key: CellKey,
    },
}

impl Action {
    /// The session, batch size and load mode that it is about.
    #[must_use]
    pub fn key(&self) -> CellKey {
        match self {
            Action::Ship { key }
            | Action::Switch { key, .. }
            | Action::Batch { key, .. }
            | Action::SetOption { key, .. }
            | Action::KeepWarm { key, .. }
            | Action::LoadBeforeTraffic { key } => *key,
        }
    }
}

/// A setting in which two sessions of one model differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// The ONNX Runtime library.
    Runtime {
        /// Version that the library reports; its path, if it was never opened.
        version: String,
    },
    /// The execution provider, by ONNX Runtime's identifier.
    ExecutionProvider(String),
    /// Inputs and outputs lie in the device's memory, or in the host's.
    Binding(crate::plan::Binding),
    /// Threads that run one operator.
    IntraThreads(u64),
    /// Further session options, as they tell the session from the variant's other ones.
    Options,
}

/// Measurements that an advice rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// The cell, or the session and batch size, that was measured.
    pub key: CellKey,
    /// The cell that it was held against.
    pub against: Against,
    /// How many stand behind it.
    pub n: u64,
    /// Kind of observations that `n` counts.
    pub n_of: Counted,
    /// Verdict on the comparison; absent where none was judged.
    pub verdict: Option<Verdict>,
}

/// Cells that a cell is held against.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The baseline's cell of the same batch size and load mode, in blocks that took turns.
    Baseline(CellKey),
    /// The same session at another batch size, launch by launch.
    BatchSize(u64),
    /// The same session without an option, in launches that took turns.
    WithoutOption(Plain),
    /// The same session without a pause before each prediction, launch by launch.
    WithoutPause,
    /// The session's own predictions once it is loaded.
    Loaded,
}

/// How much an advice matters. Of what every prediction gains: high if the lower end of the gain's
/// interval is at least 1.5, medium from 1.1, else low. Of what only the first prediction or those
/// after a pause gain: medium from 1.5, else low. Of size and threads: low.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the rule stands on the type")]
pub enum Priority {
    High,
    Medium,
    Low,
}

/// Effort or risk.
///
/// Effort: low where a model file or a session option is replaced; medium where another library is
/// deployed, or the program changes how it starts or sends requests; high where other hardware is
/// needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words say it")]
pub enum Level {
    Low,
    Medium,
    High,
}

/// Something that could bring more and that the run did not measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotTried {
    /// The difference.
    pub what: Untried,
    /// Words of the command that tries it; words in capitals are to be filled in.
    pub command: Vec<String>,
}

/// A setting that a run did not measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Untried {
    /// A file with fewer bits per weight: all that were given are in full precision.
    Quantization,
    /// Larger batches, although throughput still rose at this one.
    LargerBatches(u64),
    /// Another number of threads than this one.
    Threads(u64),
    /// An execution provider that the library offers.
    ExecutionProvider(String),
    /// An execution provider that an official build for the CPUs of this machine has, and no library
    /// of the run.
    OfAnotherBuild(String),
    /// Inputs and outputs in the device's memory.
    DeviceBinding,
    /// Kernels captured once and handed over as one: a trace shows that the device waits for the
    /// host.
    CapturedGraphs,
    /// Another version of ONNX Runtime than this one.
    AnotherRuntime(Plain),
    /// Several requests in flight.
    Concurrency,
    /// Other sizes of a dimension that the model leaves open.
    OpenDimension(String),
    /// Latency after idle gaps.
    IdleGaps,
    /// Loading from storage instead of the page cache.
    ColdStart,
    /// Accuracy of the outputs on labelled data.
    Labels,
    /// A search over session options.
    Tuning,
}
