//! Findings of launches of their own that explain the figures: peaks of the machine, an option
//! against none, idle gaps.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observed::Observed;
use crate::text::Plain;
use crate::units::Nanos;

/// The most that this machine was seen to do through one library with one number of threads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MachinePeaks {
    /// The library's file.
    pub runtime: PathBuf,
    /// Version of the library.
    pub runtime_version: Plain,
    /// Threads that run one operator.
    pub intra_threads: u64,
    /// The rates.
    #[serde(flatten)]
    pub rates: PeakRates,
    /// When this was measured, RFC 3339: it is kept for later runs on the same machine with the
    /// same library.
    pub measured_at: Plain,
}

/// The most that was seen, or why it could not be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PeakRates {
    /// Floating-point operations per second of a large product of fp32 matrices.
    pub fp32_flops_per_sec: Observed<Peak>,
    /// Integer operations per second of a large product of int8 matrices.
    pub int8_ops_per_sec: Observed<Peak>,
    /// Bytes read and written per second by an addition of tensors that no cache holds.
    pub memory_bytes_per_sec: Observed<Peak>,
}

/// The highest of several rates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Peak {
    /// The highest, per second.
    pub highest_per_sec: f64,
    /// The median, per second.
    pub median_per_sec: f64,
    /// How many there are.
    pub n: u64,
}

/// A session against itself with one option changed, in launches that took turns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Contrast {
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions).
    pub session: usize,
    /// Index into [`Plan::shapes`](crate::plan::Plan::shapes).
    #[serde(default)]
    pub shape: usize,
    /// Samples per inference.
    pub batch_size: u64,
    /// The changed option, as a session configuration entry: `session.set_denormal_as_zero=1`.
    pub option: Plain,
    /// The finding, or why there is none, as a lowercase fragment.
    pub found: Observed<Contrasted>,
}

/// Blocks of a session with one option changed, beside blocks without the change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Contrasted {
    /// Natural logarithms of the median latency with the change / without it: a list for each pair
    /// of fresh workers, with a value for each pair of neighbouring blocks.
    pub log_ratios: Vec<Vec<f64>>,
    /// Latency with the change: median of the blocks' medians.
    pub changed_ns: Nanos,
    /// Latency without the change: median of the blocks' medians.
    pub unchanged_ns: Nanos,
}

/// Latencies of single inferences after idle gaps, in launches of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IdleGaps {
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions).
    pub session: usize,
    /// Index into [`Plan::shapes`](crate::plan::Plan::shapes).
    #[serde(default)]
    pub shape: usize,
    /// Samples per inference.
    pub batch_size: u64,
    /// The findings for each gap, ascending, or why there are none.
    pub gaps: Observed<Vec<IdleGap>>,
}

/// Latencies after one length of idle gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdleGap {
    /// Time during which nothing was asked for.
    pub gap_ns: Nanos,
    /// Latency of the inference that followed: a list for each launch, with a value for each gap;
    /// or why it was not measured. A launch that had no time for a gap this long has an empty list.
    pub latencies_ns: Observed<Vec<Vec<Nanos>>>,
}
