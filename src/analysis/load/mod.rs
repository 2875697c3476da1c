//! Findings under load, from segments: what became of requests at each rate, and what follows.
//!
//! Segments of one candidate at one rate are pooled, histograms exactly; a round, whose processes
//! were started afresh, is the unit of repetition. What was sent too late counts for nothing. Read
//! [`LoadFindings`] first.

#![warn(clippy::wildcard_enum_match_arm)]

mod at_rate;
mod candidate;
pub mod capacity;
mod errors;
mod kept;
mod over_rounds;
mod percentiles;
mod point;
mod pool;
mod queue;
mod slo;
#[cfg(test)]
mod tests;
mod types;
mod validity;
mod windows;

pub use capacity::Capacity;
pub use kept::{Kept, kept};
pub use point::{Flow, InvalidSegment, LoadPoint, LoadUsage, Percentiles, SegmentCounts};
pub use types::{
    CapacityWorth, Drift, FailureMode, Leak, LevelShift, LoadCandidate, LoadComparison,
    LoadFindings, OutputsUnderLoad, RateComparison, Saturation, SaturationSign, Soak, Stress,
};
pub use validity::MOST_LAG_SHARE;
pub use windows::joined;

use pool::Loaded;

use crate::record::{LoadKey, RunRecord};

/// Findings under load; `None` of a run that is not under load.
#[must_use]
pub fn findings(record: &RunRecord) -> Option<LoadFindings> {
    let loaded = Loaded::of(record)?;
    Some(LoadFindings {
        candidates: keys(record)
            .map(|key| candidate::candidate(loaded, key))
            .collect(),
        comparisons: Vec::new(),
    })
}

/// What is loaded, in the order of sessions, then of ways of serving.
pub fn keys(record: &RunRecord) -> impl Iterator<Item = LoadKey> {
    let servings = record
        .plan
        .load
        .as_ref()
        .map_or(0, |plan| plan.servings.len());
    (0..record.plan.sessions.len())
        .flat_map(move |session| (0..servings).map(move |serving| LoadKey { session, serving }))
}
