//! Conclusions from the figures: the answer, the bottlenecks of the sessions, and advice. Data
//! only.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::{Bound, Change, DeviceFindings, DeviceVerdict, Estimate};
use crate::metric::Metric;
use crate::observed::Observed;
use crate::plan::CellKey;
use crate::text::Plain;
use crate::units::{Nanos, Ratio};

/// Choices of sessions to ship, for either goal: at the first shape that was measured, and at the
/// others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// For the shortest single prediction.
    pub latency: Choice,
    /// For the most predictions per second.
    pub throughput: Choice,
    /// Sessions that are faster than the choice or were in the running, and why they are not it.
    pub rejected: Vec<Rejection>,
    /// A budget that would be enough for every session to have an interval; absent where each has
    /// one, and where nothing is known of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enough_budget_ns: Option<Nanos>,
    /// Batch sizes that the budget did not suffice for; absent where each was measured, or left out
    /// for a reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_reached: Option<NotReached>,
    /// The choices at every other shape. How long a sequence is, is not chosen: each shape has an
    /// answer of its own.
    pub other_shapes: Vec<ShapeAnswer>,
}

/// Batch sizes that the budget did not suffice for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NotReached {
    /// The sizes, ascending.
    pub batch_sizes: Vec<u64>,
    /// Indices of the sessions that did not come to some of them, with these.
    pub by_session: BTreeMap<usize, Vec<u64>>,
    /// A budget that would be enough for all of them where somebody named them, else for the first;
    /// absent where nothing is known of one.
    pub enough_budget_ns: Option<Nanos>,
}

/// Choices at one shape, for either goal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShapeAnswer {
    /// Index into the plan's shapes.
    pub shape: usize,
    /// For the shortest single prediction.
    pub latency: Choice,
    /// For the most predictions per second.
    pub throughput: Choice,
}

/// A choice, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "choice")]
pub enum Choice {
    /// Ship this.
    Ship(Pick),
    /// Nothing can be recommended.
    None {
        /// Why not.
        reason: Plain,
    },
}

impl Choice {
    /// The pick, if there is one.
    #[must_use]
    pub fn pick(&self) -> Option<&Pick> {
        match self {
            Choice::Ship(pick) => Some(pick),
            Choice::None { .. } => None,
        }
    }
}

/// A cell to ship.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pick {
    /// The cell.
    pub key: CellKey,
    /// Why this one.
    pub basis: Basis,
    /// Cells of other sessions that are not told apart from it: each the one that its session would
    /// be chosen at.
    pub ties: Vec<CellKey>,
    /// The cell that looks better and is not shown to be, of a choice for throughput; absent where
    /// nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rival: Option<Rival>,
    /// Caveats of the choice.
    pub caveats: Vec<Caveat>,
}

/// A cell with more throughput than the one picked, beyond what saturation leaves open, that is not
/// shown to be better: it has no interval, or its session is not shown to be better than the
/// baseline's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rival {
    /// The cell.
    pub key: CellKey,
    /// A budget within which it would have an interval if nothing but its batch size and the
    /// smallest one were measured; absent where it has one, and where nothing is known of such a
    /// budget.
    pub enough_budget_ns: Option<Nanos>,
}

/// Why a cell was picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// It is measurably better than the baseline, and the best of those that are.
    BeatsBaseline,
    /// It is the baseline, and nothing usable was shown to be better.
    NothingBetter,
    /// There is nothing to compare with: it is the only session that could be used.
    OnlyUsable,
    /// The baseline could not be measured: it has the best figure of those that could, unpaired.
    BestWithoutBaseline,
}

/// Caveats of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Caveat {
    /// Whether the outputs are right was not measured.
    AccuracyNotMeasured,
    /// No labels: only agreement with the reference is known.
    AgreementOnly,
    /// Whether outputs agree with the reference closely enough is open.
    AgreementOpen,
    /// Whether the score fell by more than it may is open.
    AccuracyOpen,
    /// The score surely fell, and surely by no more than it may.
    AccuracyFellLittle,
    /// Throughput was still rising at the largest batch size.
    StillRising,
    /// The 99th percentile is worse than the baseline's.
    WorseTail,
    /// The run is incomplete.
    Incomplete,
    /// Too few launches for an interval.
    NoInterval,
}

/// A session that is not recommended, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rejection {
    /// Index of the session.
    pub session: usize,
    /// Why not.
    pub reason: RejectionReason,
}

/// Why a session is not recommended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionReason {
    /// It could not be measured.
    NotMeasured(Plain),
    /// Its outputs hold values that are not numbers.
    NotFinite,
    /// Its score surely fell by more than it may.
    AccuracyFell,
    /// Its outputs differ from the baseline's by more than they may.
    OutputsDiffer,
    /// Whether it is better is not settled.
    Inconclusive,
}

/// The facts of the one sentence that a reader looks for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Headline {
    /// Index of the session.
    pub session: usize,
    /// Index of the first shape that both the session and the baseline were measured at.
    pub shape: usize,
    /// The smallest batch size that both were measured at there.
    pub batch_size: Option<u64>,
    /// Change of the median latency there.
    pub change: Option<Change>,
    /// File size of the baseline / file size of the session.
    pub size_factor: Option<f64>,
}

/// Something that limits a session, as measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bottleneck {
    /// Index of the session.
    pub session: usize,
    /// The limit.
    pub kind: BottleneckKind,
}

impl Bottleneck {
    /// Whether a device waits for the host, which hands work over to it.
    pub(crate) fn waits_for_host(&self) -> bool {
        matches!(
            self.kind,
            BottleneckKind::Device {
                verdict: DeviceVerdict::EnqueueBound | DeviceVerdict::Gaps,
                ..
            }
        )
    }
}

/// A kernel that attains more of the machine's peak for the same work.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BetterKernel {
    /// Index of the session that has it.
    pub session: usize,
    /// Its operator.
    pub operator: Plain,
    /// Share of the measured peak that it attains.
    pub attained: Ratio,
}

/// Limits of a session.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BottleneckKind {
    /// Outputs hold values that are not numbers.
    NotFiniteOutputs {
        /// Samples with such values.
        affected_samples_count: u64,
        /// Samples scored.
        samples_count: u64,
    },
    /// A variant with fewer bits per weight is slower than the baseline.
    SlowerThanBaseline {
        /// Index of the shape.
        shape: usize,
        /// Where.
        batch_size: u64,
        /// Change of the median latency.
        change: Change,
        /// The session's precision, as its file says.
        precision: Option<Plain>,
        /// The baseline's precision, as its file says.
        baseline_precision: Option<Plain>,
    },
    /// Threads are idle for part of an inference.
    IdleThreads {
        /// Index of the shape.
        shape: usize,
        /// Where.
        batch_size: u64,
        /// CPU time / (elapsed x CPUs).
        utilization: Estimate,
        /// CPUs that the process may use.
        cpus_count: u64,
        /// Share of all CPUs' time that other processes took, where that is most of what the
        /// session left unused; absent otherwise.
        others_ratio: Option<Ratio>,
    },
    /// Larger batches bring no more throughput.
    ThroughputSaturates {
        /// Index of the shape.
        shape: usize,
        /// Smallest batch size that is enough.
        batch_size: u64,
        /// Throughput there / throughput at the smallest batch size.
        gain: f64,
        /// CPU utilization there.
        utilization: Option<f64>,
        /// Share of the time in nodes of those that memory limits there; absent where the session
        /// was not profiled there.
        memory_bound: Option<Ratio>,
    },
    /// Larger batches lose throughput: the largest one has surely less than the best one.
    ThroughputFalls {
        /// Index of the shape.
        shape: usize,
        /// Best batch size.
        best: u64,
        /// Largest measured batch size.
        largest: u64,
        /// Throughput at the largest / at the best, paired within launches.
        ratio: Estimate,
    },
    /// One operator takes most of the time.
    DominatingOperator {
        /// Where.
        batch_size: u64,
        /// The operator.
        operator: Plain,
        /// Its share of the time in nodes.
        share: Ratio,
        /// Limit of the longest of its nodes, or why that is not known.
        bound: Observed<Bound>,
        /// Share that the node attains of the measured peak of what limits it; absent where that is
        /// not known.
        attained: Option<Ratio>,
        /// Whether it computes with whole numbers.
        is_quantized: bool,
    },
    /// The operator that takes most of the time computes with whole numbers, and its kernel attains
    /// little of their peak.
    InefficientKernel {
        /// Where.
        batch_size: u64,
        /// The operator.
        operator: Plain,
        /// Its share of the time in nodes.
        share: Ratio,
        /// Share of the measured peak that the longest of its nodes attains.
        attained: Ratio,
        /// The kernel of another session that computes as much there and attains most; absent where
        /// none attains twice as much.
        better: Option<BetterKernel>,
    },
    /// Changes of precision, layout or device take a notable part of the time.
    Conversions {
        /// Where.
        batch_size: u64,
        /// Their share of the time in nodes.
        share: Ratio,
        /// Their operators.
        operators: Vec<Plain>,
        /// How many nodes there are.
        nodes_count: u64,
    },
    /// Nodes take a notable part of the time whose work is too small to matter.
    SmallNodes {
        /// Where.
        batch_size: u64,
        /// Their share of the time in nodes.
        share: Ratio,
    },
    /// A device did not compute all the time, by its own kernels and copies in a trace.
    Device {
        /// Where.
        batch_size: u64,
        /// What the trace shows.
        verdict: DeviceVerdict,
        /// The figures that show it.
        device: DeviceFindings,
    },
    /// One part dominates the time to the first prediction.
    LoadTime {
        /// The part: runtime start, session load or first run.
        part: Metric,
        /// Its share of the time to the first prediction.
        share: Ratio,
        /// Its time.
        estimate: Estimate,
        /// That time / the median latency at the smallest batch size.
        predictions: Option<f64>,
    },
    /// The session takes a multiple of its file's size in memory.
    ModelMemory {
        /// Private memory of the session.
        memory: Estimate,
        /// That / the file size.
        per_file_size: f64,
    },
}
