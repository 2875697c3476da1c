//! The run record, complete and versioned, and the events it is built from.
//!
//! A run appends one [`Event`] for everything that finishes; [`RunRecord`] is the fold over them.
//! Everything right of the record (analysis, reports) works from it alone, on any machine, without
//! ONNX Runtime. Read [`RunRecord`] first.

mod accuracy;
mod batch;
mod conditions;
mod diagnosis;
mod event;
mod gpu;
mod host;
mod label;
mod launch;
mod load;
mod model;
mod operators;
mod outcome;
mod pairs;
mod quantization;
mod sameness;
mod statistics;
mod tuning;

pub use crate::plan::{Fall, Offer};
pub use accuracy::{
    AccuracyRecord, Agreement, DatasetInfo, ElementScores, ElementUnit, Hits, LabelledScores,
    NotComparable, OutputHealth, OutputKind, Overlap, RightOf, Scores, SeveralScores,
};
pub use batch::{AxisReason, BatchAxis, BatchProof, Coupling, ProbeRecord};
pub use conditions::{Conditions, Fitness, FitnessReason, FitnessVerdict, Frequency, Throttling};
pub use diagnosis::{Contrast, Contrasted, IdleGap, IdleGaps, MachinePeaks, Peak, PeakRates};
pub use event::{Event, NOT_REACHED};
pub use gpu::{
    ClockEvent, CpuEnergy, CpuPower, EnergyMethod, GpuConditions, GpuDriver, GpuEnergy, GpuIdle,
    GpuInfo, GpuMemory, GpuMemoryScope, GpuSampling, GpuUse, Monitoring,
};
pub use host::{CgroupLimits, CpuCache, CpuInfo, Host};
pub use launch::{
    ArenaStats, BlockRecord, Disturbance, EffectiveOptions, LaunchCell, LaunchRecord, LostWorker,
    Phase, TRIED_OUT_BEFORE, Warmup,
};
pub use load::{
    BatchRuns, Exchanged, Integrity, LoadCounts, LoadKey, LoadRecord, LoadSegment, LoadStage,
    LoadTimes, LoadWindow, ProcessLoad, ProcessSample, SenderPlace, ServedLoad,
};
pub(crate) use model::without_domain;
pub use model::{
    Dim, FedInput, FillKind, ModelSummary, NoTensor, OpsetImport, Precision, PrecisionShare,
    SizeSource, TensorInfo, ValueType, WeightBytes,
};
pub use operators::{
    CopyNodes, DeviceProfile, DeviceTime, NodeProfile, OperatorProfile, Placement, PlacementRecord,
    PlacementSource, Profiled, ProviderNodes, TensorShape,
};
pub use outcome::{Failure, FailureKind, Outcome};
pub use pairs::Pairs;
pub use quantization::{Granularity, Quantization, QuantizationFormat};
pub use statistics::Statistics;
pub use tuning::{Bounded, Contest, Decision, Fate, Heat, SloBreach, Stage, Tuning};

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::plan::{CellKey, Plan};
use crate::text::Plain;
use crate::units::{Bytes, Nanos};

/// Version of the record's schema that this build writes.
pub const SCHEMA_VERSION: SchemaVersion = SchemaVersion { major: 1, minor: 4 };

/// Version of the record's schema: a reader understands every minor version of its major version.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct SchemaVersion {
    /// Changes when a field is removed or its meaning changes.
    pub major: u64,
    /// Changes when a field is added.
    pub minor: u64,
}

/// JSON Schema (draft 2020-12) of [`RunRecord`], as a reader may rely on it: fields that a minor
/// version added are not required. Its `$id` and title carry the version.
#[must_use]
pub fn json_schema() -> Schema {
    let version = format!("{}.{}", SCHEMA_VERSION.major, SCHEMA_VERSION.minor);
    let mut schema = SchemaGenerator::default().into_root_schema_for::<RunRecord>();
    schema.insert(
        "$id".into(),
        format!("urn:onnxprof:run-record:{version}").into(),
    );
    schema.insert(
        "title".into(),
        format!("onnxprof run record {version}").into(),
    );
    schema
}

/// Everything that one run found. `run.json` holds exactly this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    /// Version of this schema.
    pub schema_version: SchemaVersion,
    /// The name, command, times and end of the run.
    pub run: RunInfo,
    /// The machine.
    pub host: Host,
    /// The plan.
    pub plan: Plan,
    /// The runtimes that sessions used.
    pub runtimes: Vec<RuntimeInfo>,
    /// The findings of each variant, by index of [`Plan::variants`].
    pub variants: Vec<VariantRecord>,
    /// The labelled or unlabelled data that inputs came from, where there were any.
    pub dataset: Option<DatasetInfo>,
    /// Every worker process, in the order of their start.
    pub launches: Vec<LaunchRecord>,
    /// Every cell of the plan, and its latency distribution over all launches.
    pub cells: Vec<CellRecord>,
    /// Every block, in the order in which they were measured.
    pub blocks: Vec<BlockRecord>,
    /// Scores of outputs, one for each session that was evaluated.
    pub accuracy: Vec<AccuracyRecord>,
    /// Notes that belong to no cell: defaults taken, options clamped.
    pub notes: Vec<Plain>,
    /// By which rules the figures are judged; absent in records of version 1.0.
    #[serde(default)]
    pub statistics: Option<Statistics>,
    /// Whether the machine was fit to measure on; absent in records of version 1.0 and while a run
    /// goes on.
    #[serde(default)]
    pub fitness: Option<Fitness>,
    /// Conditions of the machine during the run; absent in records of version 1.0 and while a run
    /// goes on.
    #[serde(default)]
    pub conditions: Option<Conditions>,
    /// Where nodes ran, one entry for each session that asked for another execution provider than
    /// the CPU's and got that far; absent in records before version 1.2.
    #[serde(default)]
    pub placements: Vec<PlacementRecord>,
    /// How GPUs and energy were observed; absent in records before version 1.2.
    #[serde(default)]
    pub monitoring: Option<Monitoring>,
    /// Operators of sessions, by ONNX Runtime's profiler; absent in records before version 1.3.
    #[serde(default)]
    pub operators: Vec<OperatorProfile>,
    /// Peak rates of the machine, one entry for each library and number of threads; absent in
    /// records before version 1.3.
    #[serde(default)]
    pub peaks: Vec<MachinePeaks>,
    /// Sessions against themselves with one option changed; absent in records before version 1.3.
    #[serde(default)]
    pub contrasts: Vec<Contrast>,
    /// Latencies after idle gaps; absent in records before version 1.3.
    #[serde(default)]
    pub idle_gaps: Vec<IdleGaps>,
    /// Workers that crashed, hung, ran out of memory or broke the protocol beside the launches that
    /// are recorded; empty in records before version 1.4.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost_workers: Vec<LostWorker>,
    /// The search for the best session options, where the run is one; absent in records before
    /// version 1.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuning: Option<Tuning>,
    /// What was found under load, where the run is one; absent in records before version 1.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadRecord>,
}

/// The name, command, times and end of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunInfo {
    /// Name of the run: the model's or the folder's.
    pub name: Plain,
    /// Version of onnxprof that measured.
    pub tool_version: Plain,
    /// The command line, word by word.
    pub command: Vec<Plain>,
    /// Folder in which the command was given.
    pub working_dir: PathBuf,
    /// Start of the run, RFC 3339.
    pub started_at: Plain,
    /// Wall time from the start of the run to the last measurement; absent while it is incomplete.
    pub elapsed_ns: Option<Nanos>,
    /// Why measuring ended; absent if the run never got there.
    pub ended_by: Option<EndReason>,
    /// The parent's cost of sampling a worker once, between blocks: median of this run.
    pub sampling_cost_ns: Option<Nanos>,
    /// Time that the timed loop adds to a bare inference on this machine: median of this run's
    /// probe.
    pub harness_cost_ns: Option<Nanos>,
    /// The parent's own peak resident memory at the end of the run.
    pub parent_peak_memory_bytes: Option<Bytes>,
}

/// Why measuring ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Every ratio to the baseline (every median, where there is one variant) is as narrow as asked
    /// for.
    TargetReached,
    /// The time budget is spent.
    BudgetSpent,
    /// Every rule of the gate that the run was made for is decided; not in records before version
    /// 1.4.
    RulesDecided,
    /// As many rounds as asked for are done.
    RoundsDone,
    /// The search for the best session options has nothing left to try.
    SearchDone,
    /// The user interrupted the run.
    Interrupted,
    /// No session could be measured.
    NothingLeft,
    /// What was asked of a run under load is answered; not in records before version 1.4.
    LoadAnswered,
    /// Single requests without load break the SLO already; not in records before version 1.4.
    SloBroken,
}

/// An ONNX Runtime library, as it describes itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuntimeInfo {
    /// The library's file, or the script's.
    pub path: PathBuf,
    /// Version that the library reports.
    pub version: Plain,
    /// Build information that the library reports.
    pub build_info: String,
    /// Execution providers that the library offers.
    pub execution_providers: Vec<Plain>,
    /// Why this library was used: which step of the look-up found it.
    pub found_by: Plain,
}

/// Findings of one variant before it was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VariantRecord {
    /// SHA-256 of the model file, lower-case hexadecimal; absent if it could not be read.
    pub sha256: Option<Plain>,
    /// SHA-256 of each file that holds weights outside the model file, by its path, lower-case
    /// hexadecimal. Empty where there is none, where they are larger than 4 GiB together or one of
    /// them could not be read, and in records before version 1.4.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub external_sha256: BTreeMap<PathBuf, Plain>,
    /// Summary of the file; absent if it could not be read.
    pub model: Option<ModelSummary>,
    /// The values of each input, at the first shape that the model takes.
    pub inputs: Vec<FedInput>,
    /// The values of each input at every shape, by index of [`Plan::shapes`], where there are
    /// several; nothing for a shape that the model does not take. Empty where there is one, and in
    /// records before version 1.4.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shape_inputs: Vec<Vec<FedInput>>,
    /// Findings of trying it out; absent if it was not tried, and in records before version 1.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeRecord>,
    /// Whether samples of a batch change each other's outputs, where the variant quantizes with
    /// scales that follow what it is fed; absent where it does not, where single samples are
    /// measured, where the batch was tried on this variant, and in records before version 1.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupling: Option<Coupling>,
    /// Whether the variant can be measured.
    pub outcome: Outcome,
}

/// One cell of the plan and what was measured in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CellRecord {
    /// Which cell.
    pub key: CellKey,
    /// How it ended.
    pub outcome: Outcome,
    /// Latencies of all timed blocks: an HDR histogram (1 ns to 1 h, 3 significant digits), V2
    /// compressed, base64; absent while nothing has been timed.
    pub latency_histogram: Option<String>,
    /// Latencies during warm-up, in the same form.
    pub warmup_histogram: Option<String>,
    /// Rounds after which its verdict was settled or its interval narrow enough, so that the time
    /// went to others; absent if that never was.
    #[serde(default)]
    pub settled_after_rounds: Option<u64>,
}

impl CellRecord {
    /// A cell without latencies.
    pub(crate) fn new(key: CellKey, outcome: Outcome) -> Self {
        CellRecord {
            key,
            outcome,
            latency_histogram: None,
            warmup_histogram: None,
            settled_after_rounds: None,
        }
    }
}

impl RunRecord {
    /// The record of a cell.
    #[must_use]
    pub fn cell(&self, key: CellKey) -> Option<&CellRecord> {
        self.cells.iter().find(|cell| cell.key == key)
    }

    /// Whether two variants are one model file, with the same weights in files beside it.
    #[must_use]
    pub fn is_one_file(&self, variant: usize, other: usize) -> bool {
        let both = self.variants.get(variant).zip(self.variants.get(other));
        variant == other || both.is_some_and(|(own, other)| own.is_same_files(other))
    }

    /// Whether the model of a session may be fed larger batches, as far as its file tells.
    #[must_use]
    pub fn takes_larger_batches(&self, session: usize) -> bool {
        let model = self.variant_of(session).model.as_ref();
        model.is_none_or(|model| model.batch_axis.fixed_size.is_none())
    }

    /// Whether the machine was judged, and was not `VALID`.
    #[must_use]
    pub fn was_disturbed(&self) -> bool {
        self.fitness
            .as_ref()
            .is_some_and(|fitness| fitness.verdict != FitnessVerdict::Valid)
    }

    /// Whether what the models were fed was made up.
    #[must_use]
    pub fn has_made_up_inputs(&self) -> bool {
        self.dataset
            .as_ref()
            .is_none_or(|data| data.source == DatasetInfo::SYNTHESIZED)
    }

    /// How launches failed that did, of one session or of all: those of the rounds, and those
    /// beside them.
    pub fn failed_launches(&self, session: Option<usize>) -> impl Iterator<Item = &Failure> {
        let is_of = move |one: usize| session.is_none_or(|session| session == one);
        let launches = self
            .launches
            .iter()
            .filter(move |launch| is_of(launch.session));
        let failed = launches.filter_map(|launch| match &launch.outcome {
            Outcome::Failed(failure) => Some(failure),
            Outcome::Ok | Outcome::Skipped { .. } => None,
        });
        failed.chain(
            self.lost_workers
                .iter()
                .filter(move |lost| is_of(lost.session))
                .map(|lost| &lost.failure),
        )
    }

    /// Time of one inference in a run in which none was timed: the first of a launch, or else one
    /// of those that inputs were tried out with; absent where there was none.
    #[must_use]
    pub fn untimed_inference_ns(&self) -> Option<Nanos> {
        self.launches
            .iter()
            .filter_map(|launch| launch.first_run_ns)
            .min()
            .or_else(|| {
                self.variants
                    .iter()
                    .filter_map(|variant| variant.probe.as_ref())
                    .filter(|probe| !probe.is_kept)
                    .filter_map(|probe| probe.inference_ns)
                    .min()
            })
    }

    pub(crate) fn launches_of(&self, session: usize) -> impl Iterator<Item = &LaunchRecord> {
        self.launches
            .iter()
            .filter(move |launch| launch.session == session)
    }

    pub(crate) fn timed_blocks(&self) -> HashMap<CellKey, Vec<&BlockRecord>> {
        let mut blocks = HashMap::<_, Vec<_>>::with_capacity(self.cells.len());
        for block in self
            .blocks
            .iter()
            .filter(|block| block.phase == Phase::Timed)
        {
            blocks.entry(block.key).or_default().push(block);
        }
        blocks
    }

    /// Outputs that are random in a variant, by name: nothing is compared by them.
    #[must_use]
    pub fn random_outputs(&self) -> BTreeSet<&str> {
        self.variants
            .iter()
            .filter_map(|variant| variant.probe.as_ref())
            .flat_map(|probe| &probe.random_outputs)
            .map(Plain::exact)
            .collect()
    }

    /// Wall time that the run has taken: until its end, or as far as it got.
    #[must_use]
    pub fn spent(&self) -> Nanos {
        self.run.elapsed_ns.unwrap_or_default().max(
            self.blocks
                .iter()
                .map(|block| block.started_ns + block.span())
                .max()
                .unwrap_or_default(),
        )
    }

    /// Whether the run came to its own end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.run
            .ended_by
            .is_some_and(|reason| reason != EndReason::Interrupted)
    }
}
