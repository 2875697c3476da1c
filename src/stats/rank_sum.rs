//! Two samples that were not interleaved: the shift between them, with the interval of the rank-sum
//! test.

use super::launches::are_usable;
use super::{CONFIDENCE, Evidence, Interval, LowerTail, MIN_LAUNCHES, OverLaunches, PairRanks};

/// Up to this product of both sizes the distribution is exact; beyond, it is taken as normal.
const EXACT_UP_TO: usize = 2_500;

/// The ratio of two figures that were measured in separate runs, from one value a launch of each.
///
/// It holds the launch-to-launch spread of both runs. It does not hold what changed between them,
/// such as another neighbour on the same machine.
///
/// Source: Hollander, Wolfe and Chicken, *Nonparametric Statistical Methods* (3rd ed., 2014),
/// sections 4.1 to 4.3.
#[derive(Clone, Debug, PartialEq)]
pub struct UnpairedRatio {
    /// Differences of logarithms of every launch of the candidate to every launch of the baseline.
    differences: PairRanks,
    candidates: u64,
    baselines: u64,
}

impl UnpairedRatio {
    /// Candidate over baseline. `None` if one side is empty, or a value is not positive and finite.
    #[must_use]
    pub fn of(candidate: &[f64], baseline: &[f64]) -> Option<Self> {
        (are_usable(candidate) && are_usable(baseline)).then(|| UnpairedRatio {
            differences: PairRanks::log_ratios(candidate, baseline),
            candidates: candidate.len() as u64,
            baselines: baseline.len() as u64,
        })
    }

    /// The ratio, Hodges and Lehmann's estimate of a shift, with its interval. Its n is the smaller
    /// number of launches; there is no interval below [`MIN_LAUNCHES`] of either.
    #[must_use]
    pub fn ratio(&self) -> OverLaunches {
        let n = self.candidates.min(self.baselines);
        let interval = (n >= MIN_LAUNCHES).then(|| self.interval()).flatten();
        OverLaunches::of(self.differences.median(), interval, n).map(f64::exp)
    }

    /// Evidence of the launches on the log-ratio.
    #[must_use]
    pub fn evidence(&self, floor: f64) -> Evidence {
        self.differences.evidence(&self.lower_tail(), floor)
    }

    fn interval(&self) -> Option<Interval> {
        self.differences
            .interval(&self.lower_tail(), 1.0 - CONFIDENCE)
    }

    fn lower_tail(&self) -> LowerTail {
        lower_tail(self.candidates as usize, self.baselines as usize)
    }
}

/// The distribution of the Mann-Whitney statistic U of two samples from one distribution.
fn lower_tail(one: usize, other: usize) -> LowerTail {
    if one * other <= EXACT_UP_TO {
        return LowerTail::exact(distribution(one, other));
    }
    let m = one as f64;
    let n = other as f64;
    LowerTail::Approximate {
        mean: m * n / 2.0,
        deviation: (m * n * (m + n + 1.0) / 12.0).sqrt(),
    }
}

/// P(U = u) for u = 0, 1, ..., one x other. The largest of all values is of the first sample with
/// probability m / (m + n), and then beats all n of the other.
fn distribution(one: usize, other: usize) -> Vec<f64> {
    let size = one * other + 1;
    // rows[n] is the distribution for the current m and n of the other sample.
    let mut certain = vec![0.0; size];
    certain[0] = 1.0;
    let mut rows = vec![certain.clone(); other + 1];
    for m in 1..=one {
        let mut next = vec![certain.clone()];
        for n in 1..=other {
            let share = m as f64 / (m + n) as f64;
            next.push(
                (0..size)
                    .map(|u| {
                        let beats = if u >= n { rows[n][u - n] } else { 0.0 };
                        share * beats + (1.0 - share) * next[n - 1][u]
                    })
                    .collect(),
            );
        }
        rows = next;
    }
    rows.swap_remove(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Relation, testing::assert_near};

    #[test]
    fn critical_values_are_the_tabulated_ones() {
        // Mann and Whitney's U, two-sided 5%: reject at U <= u.
        for (m, n, u) in [
            (4, 4, 0),
            (5, 5, 2),
            (6, 6, 5),
            (8, 8, 13),
            (10, 10, 23),
            (8, 12, 22),
            (20, 20, 127),
        ] {
            let lower_tail = lower_tail(m, n);
            assert!(
                lower_tail.at_most(u) <= 0.025 && lower_tail.at_most(u + 1) > 0.025,
                "{m}, {n}"
            );
        }
    }

    #[test]
    fn distribution_sums_to_one_and_is_symmetric() {
        let probabilities = distribution(5, 7);
        assert_near(probabilities.iter().sum(), 1.0, 1e-12);
        for u in 0..=35 {
            assert_near(probabilities[u], probabilities[35 - u], 1e-12);
        }
        // Two of the first sample below all three of the other: one arrangement in ten.
        assert_near(distribution(2, 3)[0], 0.1, 1e-12);
    }

    #[test]
    fn shifted_launches_have_their_ratio() {
        let baseline = [1.00, 1.02, 0.98, 1.01, 0.99, 1.03, 0.97, 1.00];
        let ratio = UnpairedRatio::of(&baseline.map(|value| value * 1.5), &baseline).unwrap();
        let interval = ratio.ratio().interval.unwrap();
        assert_near(ratio.ratio().value, 1.5, 0.01);
        assert!(interval.contains(1.5), "{interval:?}");
        assert_eq!(ratio.evidence(0.02).relation(0.05), Relation::Above);
    }

    #[test]
    fn few_launches_have_a_ratio_and_no_interval() {
        let ratio = UnpairedRatio::of(&[2.0; 5], &[1.0; 9]).unwrap().ratio();
        assert_near(ratio.value, 2.0, 1e-12);
        assert_eq!(
            ratio.interval.unwrap_err().to_string(),
            "needs 6 launches, has 5"
        );
    }

    #[test]
    fn normal_approximation_joins_the_exact_distribution() {
        let exact = LowerTail::exact(distribution(50, 51));
        let approximate = lower_tail(50, 51);
        for u in [900, 965, 1100] {
            assert_near(approximate.at_most(u) / exact.at_most(u), 1.0, 0.05);
        }
    }

    #[test]
    fn unusable_values_have_no_ratio() {
        for (one, other) in [
            (&[][..], &[1.0][..]),
            (&[1.0], &[0.0]),
            (&[f64::NAN], &[1.0]),
            (&[-1.0], &[1.0]),
        ] {
            assert_eq!(UnpairedRatio::of(one, other), None);
        }
    }
}
