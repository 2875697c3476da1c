//! A share of a distribution.

use super::TAIL;

/// A share of the distribution, exact in steps of 0.001%.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantile {
    pub(super) per_100k: u32,
}

impl Quantile {
    /// The 1st percentile.
    pub const P1: Quantile = Quantile { per_100k: 1_000 };
    /// The 10th percentile.
    pub const P10: Quantile = Quantile { per_100k: 10_000 };
    /// The median.
    pub const P50: Quantile = Quantile { per_100k: 50_000 };
    /// The 90th percentile.
    pub const P90: Quantile = Quantile { per_100k: 90_000 };
    /// The 95th percentile.
    pub const P95: Quantile = Quantile { per_100k: 95_000 };
    /// The 99th percentile.
    pub const P99: Quantile = Quantile { per_100k: 99_000 };
    /// The 99.9th percentile.
    pub const P999: Quantile = Quantile { per_100k: 99_900 };

    /// The quantile of a share in 0..=1, to the nearest step; `None` of another.
    #[must_use]
    pub fn of_share(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then(|| Quantile {
            per_100k: (share * 100_000.0).round() as u32,
        })
    }

    /// The quantile as a share in 0..=1.
    #[must_use]
    pub fn share(self) -> f64 {
        f64::from(self.per_100k) / 100_000.0
    }

    /// The nearest rank in a sample of `n`: `ceil(n q)`, at least 1. Computed in integers, so that
    /// 7% of 100 is 7.
    #[must_use]
    pub fn rank(self, n: u64) -> u64 {
        let scaled = u128::from(n) * u128::from(self.per_100k);
        (scaled.div_ceil(100_000) as u64).max(1)
    }

    /// The smallest sample that bounds this quantile from both sides with 95% confidence.
    ///
    /// The whole range of n samples leaves the quantile out below with probability `(1-q)^n` and
    /// above with `q^n`; neither may exceed 2.5%. For q > 1/2 that is n >= ln(0.025)/ln(q), about
    /// `3.69 / (1 - q)`: 6 for the median, 36 for p90, 72 for p95, 368 for p99, 3,688 for p99.9.
    #[must_use]
    pub fn needs(self) -> u64 {
        let share = self.share();
        (TAIL.ln() / share.max(1.0 - share).ln()).ceil() as u64
    }
}
