//! Throughput over batch sizes.

use serde::Serialize;

use super::cell::Support;
use crate::plan::LoadMode;

/// Share of the largest throughput from which on a batch size counts as large enough: what is still missing is
/// less than what one more doubling usually costs in latency.
pub const SATURATION_SHARE: f64 = 0.95;

/// Throughput over batch sizes of one session under one load mode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BatchCurve {
    /// Index of the session.
    pub session: usize,
    /// Index of the shape.
    pub shape: usize,
    /// How requests arrive.
    pub load_mode: LoadMode,
    /// Measured batch sizes, ascending.
    pub points: Vec<CurvePoint>,
    /// Batch size of the largest throughput.
    pub best: u64,
    /// Smallest batch size whose throughput is at least [`SATURATION_SHARE`] of the largest.
    pub enough: u64,
    /// Whether a batch size larger than `enough` was measured, so that throughput is known to have saturated.
    pub saturated: bool,
}

/// One batch size of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Samples per inference.
    pub batch_size: u64,
    /// Predictions per second.
    pub throughput_per_sec: f64,
    /// Median latency of one inference, in nanoseconds.
    pub latency_p50_ns: f64,
    /// Observations behind both.
    pub support: Support,
}
