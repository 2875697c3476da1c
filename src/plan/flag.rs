//! The flags that ask for a plan, each spelled once: the command line's definitions and printed
//! commands take them from here.

use std::fmt;

macro_rules! flags {
    ($($(#[$doc:meta])* $flag:ident = $word:literal,)*) => {
        /// A flag of a command that measures.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Flag {
            $($(#[$doc])* $flag,)*
        }

        impl Flag {
            /// Every flag.
            pub const ALL: &[Flag] = &[$(Flag::$flag,)*];

            /// Its word without the dashes, as in `batch`.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Flag::$flag => $word,)*
                }
            }
        }
    };
}

flags! {
    /// Variant that the others are compared with.
    Baseline = "baseline",
    /// File or folder with inputs.
    Data = "data",
    /// File with labels.
    Labels = "labels",
    /// Size of a dimension that the model leaves open.
    Dim = "dim",
    /// Dimension along which samples lie.
    BatchDim = "batch-dim",
    /// Range of made-up values.
    Range = "range",
    /// Kind of prediction that the model makes.
    Task = "task",
    /// Samples that outputs are scored on.
    ScoreSamples = "score-samples",
    /// How far an output may lie from the baseline's.
    Tolerance = "tolerance",
    /// Batch sizes.
    Batch = "batch",
    /// Sizes of a dimension that the model leaves open, each measured.
    Sweep = "sweep",
    /// Times without a request.
    IdleGaps = "idle-gaps",
    /// Latency within which the best batch size is looked for.
    LatencyLimit = "latency-limit",
    /// Requests in flight.
    Concurrency = "concurrency",
    /// ONNX Runtime libraries.
    Runtime = "runtime",
    /// Threads that run one operator.
    IntraThreads = "intra-threads",
    /// Threads that run independent operators.
    InterThreads = "inter-threads",
    /// Graph optimization level.
    GraphOptimization = "graph-optimization",
    /// Whether independent operators may run at once.
    ExecutionMode = "execution-mode",
    /// Whether idle threads spin.
    AllowSpinning = "allow-spinning",
    /// Whether memory on the CPU comes from an arena.
    MemoryArena = "memory-arena",
    /// Whether memory is planned ahead.
    MemoryPattern = "memory-pattern",
    /// Session configuration entry.
    SessionConfig = "session-config",
    /// Library of custom operators.
    CustomOps = "custom-ops",
    /// Execution providers.
    Ep = "ep",
    /// Index of the device.
    Device = "device",
    /// Option of an execution provider.
    EpOption = "ep-option",
    /// Library that brings an execution provider.
    EpLibrary = "ep-library",
    /// Whether a node on another execution provider is an error.
    RequireEp = "require-ep",
    /// Where inputs and outputs lie.
    Bind = "bind",
    /// Wall time.
    Budget = "budget",
    /// Half-width at which the run ends.
    Target = "target",
    /// Rounds.
    Rounds = "rounds",
    /// Alternations in each round.
    Alternations = "alternations",
    /// Length of a block.
    Block = "block",
    /// Time after which a worker that does not answer is killed.
    Timeout = "timeout",
    /// CPUs of the workers.
    Pin = "pin",
    /// Whether models leave the page cache before each launch.
    Cold = "cold",
    /// Seed of orders and made-up inputs.
    Seed = "seed",
    /// Limits that every configuration of a search must keep, or a rate.
    Slo = "slo",
    /// How far accuracy may fall in a search.
    MaxAccuracyDrop = "max-accuracy-drop",
    /// Quantity that a search makes as good as possible.
    Objective = "objective",
    /// How requests arrive.
    Arrivals = "arrivals",
    /// Requests per second.
    Rate = "rate",
    /// Drives the load up until it breaks.
    Stress = "stress",
    /// Loads for a long time at one rate.
    Soak = "soak",
    /// Virtual users.
    Users = "users",
    /// Scenario of MLPerf Inference.
    Scenario = "scenario",
    /// Threads that run inferences.
    Callers = "callers",
    /// Sessions of each process.
    Sessions = "sessions",
    /// Processes that serve.
    Processes = "processes",
    /// Requests that may wait.
    Queue = "queue",
    /// How requests are gathered into batches.
    Batcher = "batcher",
    /// Length of a segment under load.
    Segment = "segment",
    /// Address of a model in a server.
    Url = "url",
    /// Process of that server.
    ServerPid = "server-pid",
    /// Whether it may be loaded on another machine.
    OwnServer = "i-own-this-server",
    /// Options that a search leaves as they are.
    Keep = "keep",
}

/// As on a command line: `--batch`.
impl fmt::Display for Flag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "--{}", self.word())
    }
}
