//! A figure over samples, or why there is none.

use crate::stats::{Interval, PairedChange, PairedCounts, TooFew, bootstrap};

/// Samples that only one of two classifiers gets right; `change` is from baseline to candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flips {
    pub counts: PairedCounts,
    pub change: PairedChange,
}

impl Flips {
    /// Of what the baseline and the candidate made of the same samples.
    pub(super) fn of<T>(
        baseline: &[T],
        candidate: &[T],
        is_right: fn(&T) -> bool,
    ) -> Result<Self, NoFigure> {
        check_alike(baseline.len(), candidate.len())?;
        let mut counts = PairedCounts::default();
        for (baseline, candidate) in baseline.iter().zip(candidate) {
            *match (is_right(baseline), is_right(candidate)) {
                (true, true) => &mut counts.both_right_count,
                (true, false) => &mut counts.lost_count,
                (false, true) => &mut counts.gained_count,
                (false, false) => &mut counts.both_wrong_count,
            } += 1;
        }
        Ok(Flips {
            counts,
            change: counts.change().ok_or(NoFigure::NoSamples)?,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleFigure {
    pub value: f64,
    pub interval: Result<Interval, TooFew>,
    pub n: u64,
}

impl SampleFigure {
    /// `figure` is of the samples at some indices.
    pub(super) fn over(samples_count: usize, seed: u64, figure: impl Fn(&[usize]) -> f64) -> Self {
        SampleFigure {
            value: figure(&(0..samples_count).collect::<Vec<_>>()),
            interval: bootstrap(samples_count, seed, figure),
            n: samples_count as u64,
        }
    }

    pub(super) fn if_finite(self) -> Option<Self> {
        self.value.is_finite().then_some(self)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
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
    if baseline == candidate {
        Ok(())
    } else {
        Err(NoFigure::UnlikeSamples {
            baseline,
            candidate,
        })
    }
}
