//! Findings under load, from segments: what became of requests at each rate, and what follows.
//!
//! Segments of one candidate at one rate are pooled, histograms exactly; a round, whose processes
//! were started afresh, is the unit of repetition. What was sent too late counts for nothing. Read
//! [`LoadFindings`] first.

#![warn(clippy::wildcard_enum_match_arm)]

mod at_rate;
mod batches;
mod breaking;
mod candidate;
pub mod capacity;
mod comparison;
mod drift;
mod errors;
mod fewest;
mod integrity;
mod kept;
mod over_rounds;
mod percentiles;
mod point;
mod pool;
mod queue;
mod recovery;
mod saturation;
mod slo;
mod soak;
mod stress;
#[cfg(test)]
mod tests;
mod types;
mod validity;
pub mod what_if;
mod windows;
mod worth;

pub use batches::{BatchShare, batches};
pub use capacity::Capacity;
pub use comparison::quotient;
pub use kept::{Kept, kept};
pub use point::{
    Flow, InvalidSegment, LoadPoint, LoadUsage, Percentiles, SaturationSign, SegmentCounts,
};
pub use types::{
    CapacityWorth, Drift, FailureMode, Fewest, Leak, LevelShift, LoadCandidate, LoadComparison,
    LoadFindings, OutputsUnderLoad, RateComparison, Saturation, Soak, Stress,
};
pub use validity::MOST_LAG_SHARE;
pub use windows::joined;
pub use worth::{USER_CYCLE, cost_per_million, virtual_users};

use pool::Loaded;

use crate::record::{LoadKey, RunRecord};

/// Findings under load; `None` of a run that is not under load.
#[must_use]
pub fn findings(record: &RunRecord) -> Option<LoadFindings> {
    let loaded = Loaded::of(record)?;
    let candidates: Vec<LoadCandidate> = keys(record)
        .map(|key| candidate::candidate(loaded, key))
        .collect();
    Some(LoadFindings {
        comparisons: comparison::all(loaded, &candidates),
        fewest: fewest::all(loaded, &candidates),
        candidates,
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
