//! The highest rate that keeps the SLO.

use serde::Serialize;

use crate::analysis::figures::Estimate;
use crate::units::{Nanos, PerSecond};

/// The highest rate that keeps the SLO, in a state that is steady.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Capacity {
    /// Requests per second, with its interval, n counted in rounds; or why there is none.
    pub rate_per_sec: Estimate,
    /// The lowest rate that is shown to break the SLO; absent where none is.
    pub broken_from_per_sec: Option<PerSecond>,
    /// Rounds behind it.
    pub rounds_count: u64,
    /// Requests behind it.
    pub requests_count: u64,
    /// Time that it took to measure.
    pub elapsed_ns: Nanos,
}

impl Capacity {
    /// None, and why.
    pub(super) fn absent(reason: &str) -> Self {
        Capacity {
            rate_per_sec: Estimate::absent(reason),
            broken_from_per_sec: None,
            rounds_count: 0,
            requests_count: 0,
            elapsed_ns: Nanos(0),
        }
    }
}
