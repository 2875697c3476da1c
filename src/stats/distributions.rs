//! Distributions of statistics that count: the binomial one, and those of ranks.

use std::borrow::Cow;

use statrs::distribution::{ContinuousCDF, Normal};

/// The part of a binomial distribution that is not negligible, as a cumulative table, exact to
/// rounding for any n.
///
/// Probabilities follow from the recurrence `p(k+1)/p(k) = (n-k)/(k+1) * p/(1-p)`, started at the
/// mode with weight 1 and divided by their sum at the end, so nothing underflows. Terms below 1e-20
/// of the mode are left out: the table has about 20 standard deviations.
pub(super) struct Binomial {
    /// Number of successes that `cumulative[0]` belongs to.
    first: u64,
    /// P(X <= first + index).
    cumulative: Vec<f64>,
}

const NEGLIGIBLE: f64 = 1e-20;

/// The probability of `k + 1` successes in `n` trials over that of `k`.
fn step_up(n: u64, k: u64, odds: f64) -> f64 {
    (n - k) as f64 / (k + 1) as f64 * odds
}

impl Binomial {
    /// Successes in `n` trials that succeed with probability `p`, which lies in 0..=1.
    pub(super) fn new(n: u64, p: f64) -> Self {
        let odds = p / (1.0 - p);
        let mode = ((n as f64 + 1.0) * p).floor().min(n as f64) as u64;

        let mut first = mode;
        let mut weight = 1.0;
        let mut below = Vec::new();
        while first > 0 && weight > NEGLIGIBLE {
            first -= 1;
            weight /= step_up(n, first, odds);
            below.push(weight);
        }
        let mut last = mode;
        let mut weight = 1.0;
        let mut above = Vec::new();
        while last < n && weight > NEGLIGIBLE {
            weight *= step_up(n, last, odds);
            last += 1;
            above.push(weight);
        }

        let weights = below.iter().rev().chain(&[1.0]).chain(&above);
        let total: f64 = weights.clone().sum();
        Binomial {
            first,
            cumulative: running_sums(weights.map(|weight| weight / total)).collect(),
        }
    }

    /// P(X <= k).
    pub(super) fn at_most(&self, k: u64) -> f64 {
        let Some(index) = k.checked_sub(self.first) else {
            return 0.0;
        };
        let cumulative = self.cumulative.get(index as usize);
        cumulative.map_or(1.0, |cumulative| cumulative.min(1.0))
    }

    /// The smallest k with P(X <= k) >= `probability`.
    pub(super) fn quantile(&self, probability: f64) -> u64 {
        let index = self
            .cumulative
            .partition_point(|&cumulative| cumulative < probability);
        self.first + index.min(self.cumulative.len() - 1) as u64
    }

    /// The smallest k with P(X <= k) > `probability`.
    pub(super) fn first_above(&self, probability: f64) -> u64 {
        self.quantile(probability.next_up())
    }
}

/// P(T <= t) of a statistic T that counts.
pub(super) enum LowerTail {
    /// P(T <= t) for t = 0, 1, ...
    Exact(Cow<'static, [f64]>),
    /// As if it were normal, with correction for continuity.
    Approximate { mean: f64, deviation: f64 },
}

impl LowerTail {
    /// From P(T = t) for t = 0, 1, ...
    pub(super) fn exact(probabilities: Vec<f64>) -> Self {
        LowerTail::Exact(running_sums(probabilities).collect::<Vec<f64>>().into())
    }

    pub(super) fn at_most(&self, t: usize) -> f64 {
        match self {
            LowerTail::Exact(cumulative) => cumulative.get(t).copied().unwrap_or(1.0),
            LowerTail::Approximate { mean, deviation } => {
                Normal::standard().cdf((t as f64 + 0.5 - mean) / deviation)
            }
        }
    }
}

/// The sum of all values up to each.
pub(super) fn running_sums(values: impl IntoIterator<Item = f64>) -> impl Iterator<Item = f64> {
    values.into_iter().scan(0.0, |sum, value| {
        *sum += value;
        Some(*sum)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::testing::assert_near;

    #[test]
    fn small_cases_are_exact() {
        // (1/2)^6 * (1, 7, 22, 42, 57, 63, 64)
        let coin = Binomial::new(6, 0.5);
        for (k, expected) in [1.0, 7.0, 22.0, 42.0, 57.0, 63.0, 64.0]
            .into_iter()
            .enumerate()
        {
            assert_near(coin.at_most(k as u64), expected / 64.0, 1e-15);
        }
        assert_eq!((coin.quantile(0.34375), coin.first_above(0.34375)), (2, 3));
    }

    #[test]
    fn degenerate_probabilities_are_certain() {
        assert_eq!(Binomial::new(5, 0.0).quantile(0.5), 0);
        assert_eq!(Binomial::new(0, 0.5).at_most(0), 1.0);
    }
}
