//! The distribution of a rank statistic, exact for few values and normal for many.

use statrs::distribution::{ContinuousCDF, Normal};

/// P(T <= t) of a statistic T that counts.
pub(super) enum LowerTail {
    /// P(T <= t) for t = 0, 1, ...
    Exact(Vec<f64>),
    /// As if it were normal, with correction for continuity.
    Approximate { mean: f64, deviation: f64 },
}

impl LowerTail {
    /// From P(T = t) for t = 0, 1, ...
    pub(super) fn exact(probabilities: Vec<f64>) -> Self {
        let cumulative = probabilities.into_iter().scan(0.0, |sum, probability| {
            *sum += probability;
            Some(*sum)
        });
        LowerTail::Exact(cumulative.collect())
    }

    pub(super) fn at_most(&self, t: usize) -> f64 {
        match self {
            LowerTail::Exact(cumulative) => cumulative.get(t).copied().unwrap_or(1.0),
            LowerTail::Approximate { mean, deviation } => Normal::standard().cdf((t as f64 + 0.5 - mean) / deviation),
        }
    }
}
