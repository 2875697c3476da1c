//! What is found over samples, or why it is not.

use serde::{Deserialize, Serialize};

use crate::stats::{Interval, PairedChange, PairedCounts, TooFew};

/// Samples that only one of two classifiers gets right; `change` is from baseline to candidate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flips {
    pub counts: PairedCounts,
    pub change: PairedChange,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleFigure {
    pub value: f64,
    pub interval: Result<Interval, TooFew>,
    pub n: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NoFigure {
    #[error("no sample was scored")]
    NoSamples,
    /// Leaving them out would flatter the model.
    #[error("{count} of {n} samples have outputs or targets that are not finite")]
    NotFinite { count: u64, n: u64 },
    #[error("baseline was scored on {baseline} samples, candidate on {candidate}")]
    UnlikeSamples { baseline: u64, candidate: u64 },
}

pub(super) fn check_alike(baseline: usize, candidate: usize) -> Result<(), NoFigure> {
    let (baseline, candidate) = (baseline as u64, candidate as u64);
    if baseline == candidate { Ok(()) } else { Err(NoFigure::UnlikeSamples { baseline, candidate }) }
}
