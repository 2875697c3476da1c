//! Findings on batch sizes, shapes and idle gaps. Data only.

use serde::Serialize;

use crate::analysis::figures::{Change, Estimate};
use crate::metric::Metric;
use crate::observed::Observed;
use crate::plan::LoadMode;
use crate::text::Plain;
use crate::units::{Bytes, Nanos, Ratio};

/// Findings on the batch sizes of one session, shape and load mode together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scaling {
    /// Index of the session.
    pub session: usize,
    /// Index of the shape.
    pub shape: usize,
    /// How requests arrive.
    pub load_mode: LoadMode,
    /// Where larger batches begin to cost more than they bring; absent where fewer than two batch
    /// sizes were measured.
    pub knee: Option<Knee>,
    /// Latency as a fixed part and a part for each sample, or why that is not known.
    pub fit: Observed<BatchFit>,
    /// Best batch size under the latency limit, for the median and the 99th percentile; empty
    /// without a limit.
    pub limits: Vec<WithinLimit>,
    /// Batch sizes with less throughput than the next smaller one, beyond the noise floor.
    pub cliffs: Vec<Cliff>,
    /// Peak memory against batch size, or why that is not known; absent for other load modes than
    /// the plan's first.
    pub memory: Option<Observed<MemoryFit>>,
    /// First inference at each batch size; empty for other load modes than the plan's first.
    pub first_runs: Vec<FirstRun>,
}

/// The batch size with the most throughput for its median latency, which is Kleinrock's power: up
/// to it, throughput grows by a larger factor than latency, beyond it by a smaller one.
///
/// Source: Kleinrock, *Power and Deterministic Rules of Thumb for Probabilistic Problems in
/// Computer Communications* (ICC 1979).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Knee {
    /// Samples per inference.
    pub batch_size: u64,
    /// Where it lies among the measured batch sizes.
    pub place: KneePlace,
    /// Other batch sizes whose power is not told apart from it, within launches.
    pub ties: Vec<u64>,
}

/// Where a knee lies among the measured batch sizes: only one between two of them is seen from both
/// sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KneePlace {
    /// It is the smallest: from there on, latency grows by a larger factor than throughput.
    Smallest,
    /// There are smaller and larger ones.
    Within,
    /// It is the largest: up to there, throughput grows by a larger factor than latency.
    Largest,
}

/// Median latency as a straight line over batch sizes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BatchFit {
    /// Fixed part of the time of an inference, however few samples it holds, in nanoseconds. Below
    /// 0 where a larger batch costs more than its share.
    pub fixed_ns: Estimate,
    /// Part that each sample adds, in nanoseconds.
    pub per_sample_ns: Estimate,
    /// The largest deviation of a batch size from the line, as a share of the line: the centre of
    /// what each launch deviates from its own line.
    pub worst: Ratio,
    /// Batch sizes that lie off the line by more than a tenth; empty where the line holds.
    pub off: Vec<Deviation>,
    /// Batch sizes that were measured at two speeds of the machine, between whose lines this one
    /// lies.
    pub two_speeds_count: u64,
}

/// A batch size whose latency is not that of the line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Deviation {
    /// Samples per inference.
    pub batch_size: u64,
    /// Median latency of a launch / that of the launch's own line - 1: the centre over launches.
    pub deviation: Ratio,
}

/// The best batch size under a latency limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WithinLimit {
    /// The limit.
    pub limit_ns: Nanos,
    /// The latency that is held against it.
    pub metric: Metric,
    /// The batch size that keeps it.
    pub outcome: Within,
}

/// Batch sizes that keep a latency limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Within {
    /// The batch size with the most throughput among those that keep it.
    Best(u64),
    /// None does; this one comes closest.
    Closest(u64),
    /// The latency was not measured at any batch size, for this reason.
    Unknown(Plain),
}

/// A batch size with less throughput than the next smaller one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cliff {
    /// The smaller batch size.
    pub from: u64,
    /// The larger one.
    pub to: u64,
    /// Throughput at the larger one / at the smaller one, paired within launches.
    pub change: Change,
    /// Evidence beside it; empty where nothing was seen to.
    pub evidence: Vec<CliffEvidence>,
    /// Signs that were not looked at, because they are not known.
    pub unknown: Vec<CliffSign>,
}

/// Signs that a cliff is looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CliffSign {
    /// Extensions and peak of the memory arena.
    Arena,
    /// Sizes of the caches.
    Caches,
    /// Minor page faults.
    MinorFaults,
}

/// Evidence beside a cliff, which may be its cause.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum CliffEvidence {
    /// The memory arena took more from the system.
    ArenaExtensions {
        /// Median over launches.
        extensions_count: f64,
    },
    /// The arena's peak is larger than a cache that held the smaller batch size's.
    CacheExceeded {
        /// Level of the cache.
        level: u64,
        /// Size of the cache.
        cache_bytes: Bytes,
        /// Most bytes in use in the arena.
        arena_bytes: Bytes,
    },
    /// The kernel mapped more pages in each inference.
    MinorFaults {
        /// Faults of an inference at the smaller batch size.
        from: f64,
        /// Faults of an inference at the larger one.
        to: f64,
    },
}

/// Peak memory as a straight line over batch sizes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MemoryFit {
    /// Fixed part of the memory of the process, however few samples an inference holds, in bytes.
    pub fixed_bytes: Estimate,
    /// Part that each sample adds, in bytes.
    pub per_sample_bytes: Estimate,
    /// Memory that was available at the start of the run: the machine's or the control group's,
    /// whichever is less.
    pub available_bytes: Option<Bytes>,
    /// Largest batch size that fits into it by the upper ends of both parts; absent where it is not
    /// known how much there is.
    pub largest_batch: Option<u64>,
    /// Largest batch size behind the line, beyond which it is extrapolated.
    pub largest_measured: u64,
}

/// First inference at a batch size and shape.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FirstRun {
    /// Samples per inference.
    pub batch_size: u64,
    /// The first inference, in nanoseconds.
    pub first_run_ns: Estimate,
    /// The first inference / the median of the same launch.
    pub over_median: Estimate,
}

/// Costs of idle gaps for a session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IdleFindings {
    /// Index of the session.
    pub session: usize,
    /// Index of the shape.
    pub shape: usize,
    /// Samples per inference.
    pub batch_size: u64,
    /// Each gap, ascending, or why nothing was measured.
    pub gaps: Observed<Vec<GapFindings>>,
}

/// Cost of one length of idle gap.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GapFindings {
    /// Time without a request.
    pub gap_ns: Nanos,
    /// Latency of the inference that follows, in nanoseconds: the centre of the launches' medians.
    pub latency_ns: Estimate,
    /// Inferences behind it, over all launches.
    pub inferences_count: u64,
    /// That / the one without a gap, paired within launches; absent where either was not measured,
    /// and for no gap.
    pub change: Option<Change>,
}
