//! Parts of an explanation. Data only; read [`Explanation`] first.

use serde::Serialize;

use crate::analysis::{Change, Interval};
use crate::record::Quantization;
use crate::text::Plain;
use crate::units::Ratio;

/// Why a session takes the time that it takes, against another session of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Explanation {
    /// Index of the session.
    pub session: usize,
    /// Index of the session that it is explained against: the baseline's, or the first one of the
    /// same variant.
    pub reference: usize,
    /// The latencies between which the steps lead; absent where no batch size was measured with
    /// both.
    pub latency: Option<LatencyStep>,
    /// From the reference's median to the session's; empty where there is nothing to tell, for
    /// `steps_absent_reason`. Their changes add up to the difference of the medians exactly.
    pub steps: Vec<Step>,
    /// Why there are no steps, as a lowercase fragment.
    pub steps_absent_reason: Option<Plain>,
    /// Profiles that the steps rest on; absent without steps.
    pub profiles: Option<ProfileBasis>,
    /// Operators whose time or number changed, the largest change first; empty without steps.
    pub operators: Vec<OperatorChange>,
    /// Operators of which the optimizer absorbed more nodes in one of both than in the other; empty
    /// without steps, and where an execution provider compiled subgraphs.
    pub fusions: Vec<FusionChange>,
    /// How the session's model is quantized; absent where the model was not read, and in records
    /// before version 1.3.
    pub quantization: Option<Quantization>,
    /// Instructions that its arithmetic wants; absent for arithmetic that every processor has, and
    /// on accelerators.
    pub instructions: Option<Instructions>,
    /// Whether both sessions run one file in one way, by its SHA-256, so that any difference is of
    /// the measurement.
    pub is_same_file: bool,
    /// Evidence of figures on the change, in the order of telling.
    pub clauses: Vec<Clause>,
}

impl Explanation {
    /// Whether a part of the difference is sure enough to be told.
    #[must_use]
    pub fn names_parts(&self) -> bool {
        self.clauses.iter().any(Clause::names_part)
    }

    /// Whether a difference was shown of which no part is sure.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let is_unnamed = |clause: &Clause| matches!(clause, Clause::Unnamed { .. });
        !self.names_parts() && self.clauses.iter().any(is_unnamed)
    }
}

/// Two medians and the ratio between them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LatencyStep {
    /// Index of the shape.
    pub shape: usize,
    /// Samples per inference.
    pub batch_size: u64,
    /// Median latency of the reference, in nanoseconds.
    pub reference_ns: i64,
    /// Median latency of the session, in nanoseconds.
    pub session_ns: i64,
    /// Session / reference, from neighbouring blocks, with its interval and verdict.
    pub change: Change,
}

impl LatencyStep {
    /// Sum of the steps, in nanoseconds: above 0 where the session is slower.
    #[must_use]
    pub fn difference_ns(&self) -> i64 {
        self.session_ns - self.reference_ns
    }
}

/// One step of the way from the reference's median to the session's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Of which operators.
    pub kind: StepKind,
    /// Their time in the reference, in nanoseconds an inference.
    pub before_ns: i64,
    /// Their time in the session, in nanoseconds an inference.
    pub after_ns: i64,
    /// Nodes in the reference that ran; 0 for [`StepKind::Rest`].
    pub before_nodes_count: u64,
    /// Nodes in the session that ran; 0 for [`StepKind::Rest`].
    pub after_nodes_count: u64,
    /// Between what `after_ns - before_ns` lies: profiles count whole microseconds; what the
    /// profiler adds to each run of a node is known to about a fifth; where the nodes took more
    /// than the inference without the profiler, their times are unsure by as much; and the
    /// session's times share the interval of its ratio to the reference. No part takes more than
    /// all others leave of the median, nor less. Absent without such an interval.
    pub bounds: Option<Interval>,
}

impl Step {
    /// Time that the step adds, in nanoseconds: below 0 where it makes the session faster.
    #[must_use]
    pub fn change_ns(&self) -> i64 {
        self.after_ns - self.before_ns
    }

    /// Whether its bounds lie on one side of no change.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        is_resolved(self.bounds)
    }
}

fn is_resolved(bounds: Option<Interval>) -> bool {
    bounds.is_some_and(|bounds| bounds.low > 0.0 || bounds.high < 0.0)
}

/// Which operators a step is about, in the order of telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Convolutions, matrix products, attention and recurrent layers, but for those of the next
    /// kind.
    Matrix,
    /// The same in a model of reduced precision, where they run in float nevertheless, against the
    /// nodes of the same name or shapes in the reference.
    FullPrecision,
    /// Changes of precision, layout or device: Quantize, Dequantize, Cast, Transpose, Reorder,
    /// Memcpy.
    Conversion,
    /// Operators that more nodes of run in one of both because the optimizer absorbed fewer of them
    /// there.
    Fusion,
    /// Subgraphs that an execution provider compiled into single nodes.
    Compiled,
    /// All other operators.
    Other,
    /// Time in no node: the way between nodes, and what the profiler cannot tell.
    Rest,
}

/// Profiles that steps rest on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ProfileBasis {
    /// By what times of the reference's nodes are multiplied to be times of its timed launches:
    /// timed median / median of the profiled launch with the profiler off, or / the sum of its
    /// nodes where that is more.
    pub reference_scale: Ratio,
    /// The same for the session.
    pub session_scale: Ratio,
    /// Median with the profiler on / off in the reference's launch.
    pub reference_distortion: Option<Ratio>,
    /// The same for the session.
    pub session_distortion: Option<Ratio>,
}

/// An operator in the reference and in the session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperatorChange {
    /// Operator, without its domain.
    pub operator: Plain,
    /// Its time in the reference, in nanoseconds an inference.
    pub before_ns: i64,
    /// Its time in the session, in nanoseconds an inference.
    pub after_ns: i64,
    /// Nodes in the reference that ran.
    pub before_nodes_count: u64,
    /// Nodes in the session that ran.
    pub after_nodes_count: u64,
    /// Between what the change lies, as in [`Step::bounds`].
    pub bounds: Option<Interval>,
}

impl OperatorChange {
    /// Whether its bounds lie on one side of no change.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        is_resolved(self.bounds)
    }

    /// Time that the operator takes more in the session, in nanoseconds an inference.
    #[must_use]
    pub fn change_ns(&self) -> i64 {
        self.after_ns - self.before_ns
    }
}

/// An operator of which the optimizer absorbed more nodes on one side than on the other: fused them
/// into others, or did without them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FusionChange {
    /// The operator, such as `Relu`.
    pub operator: Plain,
    /// Nodes of the reference's file less nodes that ran; below 0 for an operator that the
    /// optimizer makes.
    pub before_absorbed_count: i64,
    /// The same of the session.
    pub after_absorbed_count: i64,
}

/// Instructions that a session's arithmetic wants, and which the processor has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Instructions {
    /// The arithmetic.
    pub arithmetic: ReducedArithmetic,
    /// Extensions that would do, by the kernel's names, the fastest first.
    pub wanted: Vec<&'static str>,
    /// Those of them that the processor has.
    pub present: Vec<&'static str>,
    /// Whether ONNX Runtime's own kernels for this architecture use such instructions at all.
    pub has_kernels: bool,
    /// Whether sums of products of unsigned and signed 8-bit numbers may overflow 16 bits for want
    /// of them (x86-64).
    pub saturates: bool,
}

/// Arithmetic that not every processor has instructions for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReducedArithmetic {
    /// Products of 8-bit integers, summed in 32 bits.
    Int8,
    /// Half-precision floating point.
    Float16,
}

/// One thing that a figure says about a session's time.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "clause")]
pub enum Clause {
    /// Quantized matrix nodes run in floating point, because their quantize and dequantize nodes
    /// were not fused into them.
    NotFused {
        /// Matrix nodes that the graph means to run quantized.
        meant_nodes_count: u64,
        /// Nodes that ran in integers.
        ran_nodes_count: u64,
        /// Time that the nodes which stayed in floating point take in the reference, in nanoseconds
        /// an inference.
        before_ns: i64,
        /// Time in the session, in nanoseconds an inference.
        after_ns: i64,
    },
    /// A step, as large as stated.
    Step {
        /// The step.
        step: Step,
        /// Operators of which the session has more nodes than the reference, the most time first.
        operators: Vec<AddedNodes>,
        /// The operator that both have and that makes up at least half of the step.
        mostly: Option<Plain>,
    },
    /// Single operators that surely changed, where no step did: what some add may be what others
    /// save.
    Operators {
        /// The operators, the largest change first.
        changes: Vec<OperatorChange>,
    },
    /// A difference that was shown, or a good part of it, lies in no step that is large and sure
    /// enough to be told.
    Unnamed {
        /// The rest beside what is told, in nanoseconds an inference; below 0 for time that is
        /// saved.
        change_ns: i64,
    },
    /// Matrix nodes that the model leaves in full precision.
    FullPrecision {
        /// How many there are.
        nodes_count: u64,
        /// Of how many.
        of_count: u64,
        /// Time of an inference, in nanoseconds.
        time_ns: i64,
        /// The same as a share of the session's median.
        share: Ratio,
    },
    /// A half-precision model computes in single precision.
    ComputedInFloat {
        /// Matrix nodes that take single precision.
        nodes_count: u64,
        /// Of how many.
        of_count: u64,
        /// Casts that ran.
        casts_count: u64,
        /// Time of an inference, in nanoseconds; absent where the profiler does not tell it from
        /// nothing.
        casts_ns: Option<i64>,
    },
    /// Weights have a scale for each channel, and nodes computed with integers all the same, or did
    /// not.
    PerChannel {
        /// Matrix nodes that ran in integers.
        ran_nodes_count: u64,
        /// Of how many.
        of_count: u64,
    },
    /// Nodes that moving data limits, from and to memory or a cache, take most of the time in
    /// nodes.
    MemoryBound {
        /// Their share of the time in nodes, by the peaks that were measured.
        share: Ratio,
    },
    /// The processor lacks all instructions that the arithmetic wants, or the kernels do without
    /// them.
    MissingInstructions(Instructions),
    /// Denormal numbers slow the session down.
    Denormals {
        /// Median latency with denormals flushed to zero / without.
        change: Change,
        /// Latency with denormals flushed to zero, in nanoseconds.
        flushed_ns: i64,
        /// Latency without, in nanoseconds.
        unchanged_ns: i64,
    },
}

impl Clause {
    /// Whether it tells of a part of the difference.
    #[must_use]
    pub fn names_part(&self) -> bool {
        matches!(
            self,
            Clause::Step { .. } | Clause::NotFused { .. } | Clause::Operators { .. }
        )
    }
}

/// Nodes of one operator that a session has more of than its reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AddedNodes {
    /// The operator.
    pub operator: Plain,
    /// How many more.
    pub nodes_count: u64,
}

/// A session against itself with denormals flushed to zero.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DenormalFindings {
    /// Index of the session.
    pub session: usize,
    /// Samples per inference.
    pub batch_size: u64,
    /// Median latency with denormals flushed to zero / without; absent for `absent_reason`.
    pub change: Option<Change>,
    /// Latency with denormals flushed to zero, in nanoseconds.
    pub flushed_ns: Option<i64>,
    /// Latency without, in nanoseconds.
    pub unchanged_ns: Option<i64>,
    /// Why there is no ratio, as a lowercase fragment.
    pub absent_reason: Option<Plain>,
}
