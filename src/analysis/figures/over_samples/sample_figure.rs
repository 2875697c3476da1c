//! What is found over samples, or why it is not.

use serde::{Deserialize, Serialize};

use crate::stats::{Interval, PairedChange, PairedCounts, TooFew};

/// Samples that only one of two classifiers gets right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flips {
    /// How both fared.
    pub counts: PairedCounts,
    /// Change of top-1 accuracy from baseline to candidate, with its interval and McNemar's exact p-value.
    pub change: PairedChange,
}

/// A figure over samples, with its bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleFigure {
    /// The figure.
    pub value: f64,
    /// Its interval, or why there is none.
    pub interval: Result<Interval, TooFew>,
    /// Samples behind it.
    pub n: u64,
}

/// Why there is no error over all samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NoFigure {
    /// Nothing was scored.
    #[error("no sample was scored")]
    NoSamples,
    /// Some samples have outputs or targets that are not finite; leaving them out would flatter the model.
    #[error("{count} of {n} samples have outputs or targets that are not finite")]
    NotFinite {
        /// Samples without a finite error.
        count: u64,
        /// Samples in all.
        n: u64,
    },
    /// Baseline and candidate were scored on different numbers of samples.
    #[error("baseline was scored on {baseline} samples, candidate on {candidate}")]
    UnlikeSamples {
        /// Samples of the baseline.
        baseline: u64,
        /// Samples of the candidate.
        candidate: u64,
    },
}

pub(super) fn check_alike(baseline: usize, candidate: usize) -> Result<(), NoFigure> {
    let (baseline, candidate) = (baseline as u64, candidate as u64);
    if baseline == candidate { Ok(()) } else { Err(NoFigure::UnlikeSamples { baseline, candidate }) }
}
