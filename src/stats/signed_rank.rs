//! Wilcoxon's signed-rank statistic, and the interval and tests that follow from it.

use std::sync::LazyLock;

use super::{Evidence, Interval, LowerTail, PairRanks, running_sums};

/// Up to this many values the distribution is exact; beyond, it is taken as normal, with correction
/// for continuity.
const EXACT_UP_TO: u64 = 50;
/// P(T <= t), by the number of values: to work one out takes longer than what is read from it, and
/// a report of many cells reads thousands.
static EXACT: LazyLock<Vec<Vec<f64>>> = LazyLock::new(|| {
    (0..=EXACT_UP_TO)
        .map(|n| running_sums(distribution(n)).collect())
        .collect()
});

/// The means of all pairs of values, each value with itself included (Walsh averages), by their
/// ranks.
///
/// The Hodges-Lehmann estimate is their median, the signed-rank statistic of a centre is the number
/// of them above it, and the interval at any level is bounded by two of them. All three assume only
/// that noise is symmetric about the centre. For log-ratios of a model to itself that holds
/// whatever the noise, because either of both might have been called the candidate.
///
/// Source: Hollander, Wolfe and Chicken, *Nonparametric Statistical Methods* (3rd ed., 2014),
/// sections 3.1 to 3.3.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SignedRank {
    means: PairRanks,
    pub(super) n: u64,
}

impl SignedRank {
    /// `None` if there is no value, or one is not finite.
    pub(super) fn new(values: &[f64]) -> Option<Self> {
        if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        Some(SignedRank {
            means: PairRanks::means(values),
            n: values.len() as u64,
        })
    }

    pub(super) fn centre(&self) -> f64 {
        self.means.median()
    }

    pub(super) fn interval(&self, error: f64) -> Option<Interval> {
        self.means.interval(&lower_tail(self.n), error)
    }

    pub(super) fn evidence(&self, floor: f64) -> Evidence {
        self.means.evidence(&lower_tail(self.n), floor)
    }
}

/// The distribution of the signed-rank statistic T of n values about their true centre.
fn lower_tail(n: u64) -> LowerTail {
    if let Some(exact) = EXACT.get(n as usize) {
        return LowerTail::Exact(exact.into());
    }
    let n = n as f64;
    let mean = n * (n + 1.0) / 4.0;
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0;
    LowerTail::Approximate {
        mean,
        deviation: variance.sqrt(),
    }
}

/// P(T = t) for t = 0, 1, ..., n(n+1)/2: each rank counts with probability 1/2, independently.
fn distribution(n: u64) -> Vec<f64> {
    let largest = (n * (n + 1) / 2) as usize;
    let mut probabilities = vec![0.0; largest + 1];
    probabilities[0] = 1.0;
    for rank in 1..=n as usize {
        for sum in (0..=largest).rev() {
            let with = if sum >= rank {
                probabilities[sum - rank]
            } else {
                0.0
            };
            probabilities[sum] = f64::midpoint(probabilities[sum], with);
        }
    }
    probabilities
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{END_ERROR, Relation, testing::assert_near};

    /// Hollander and Wolfe, example 3.1 (Hamilton depression scale, 9 patients), after minus
    /// before.
    fn depression_scale() -> SignedRank {
        let before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
        #[expect(clippy::approx_constant, reason = "3.14 was measured")]
        let after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
        let change: Vec<f64> = after
            .iter()
            .zip(before)
            .map(|(after, before)| after - before)
            .collect();
        SignedRank::new(&change).unwrap()
    }

    #[test]
    fn depression_scale_example_has_the_published_figures() {
        // Estimate -0.46, 96.1% interval -0.786 to -0.010, P = 0.0195 one-sided; R's wilcox.test
        // gives the same.
        let ranks = depression_scale();
        let interval = ranks.interval(0.05).unwrap();
        assert_near(ranks.centre(), -0.46, 1e-9);
        assert_near(interval.low, -0.786, 1e-9);
        assert_near(interval.high, -0.010, 1e-9);
        assert_near(ranks.evidence(0.0).p_different, 2.0 * 10.0 / 512.0, 1e-9);
    }

    #[test]
    fn cuts_are_the_tabulated_ones() {
        // Critical values of Wilcoxon's signed-rank test, two-sided 5%: reject at T <= k.
        for (n, k) in [
            (6, 0),
            (7, 2),
            (8, 3),
            (9, 5),
            (10, 8),
            (15, 25),
            (20, 52),
            (25, 89),
            (30, 137),
            (50, 434),
        ] {
            let lower_tail = lower_tail(n);
            assert!(
                lower_tail.at_most(k) <= 0.025 && lower_tail.at_most(k + 1) > 0.025,
                "n = {n}"
            );
        }
    }

    #[test]
    fn normal_approximation_joins_the_exact_distribution() {
        let exact = LowerTail::exact(distribution(EXACT_UP_TO + 1));
        let approximate = lower_tail(EXACT_UP_TO + 1);
        for t in [434, 500, 637] {
            assert_near(approximate.at_most(t) / exact.at_most(t), 1.0, 0.05);
        }
    }

    #[test]
    fn interval_excludes_zero_exactly_where_the_test_rejects_it() {
        for shift in -40..40 {
            let values: Vec<f64> = (0..9)
                .map(|i| f64::from(shift) / 10.0 + [-2.0, 1.1, 0.3][i % 3] * i as f64)
                .collect();
            let ranks = SignedRank::new(&values).unwrap();
            for error in [0.002, END_ERROR, 0.05, 0.2] {
                assert_eq!(
                    ranks
                        .interval(error)
                        .is_some_and(|interval| !interval.contains(0.0)),
                    ranks.evidence(0.0).p_different <= error,
                    "shift {shift}, error {error}"
                );
            }
        }
    }

    #[test]
    fn equivalence_is_an_interval_within_the_floor() {
        for spread in 1..60 {
            let values: Vec<f64> = (0..10)
                .map(|i| f64::from(spread) * 0.001 * (f64::from(i) - 4.6))
                .collect();
            let ranks = SignedRank::new(&values).unwrap();
            let interval = ranks.interval(END_ERROR).unwrap();
            assert_eq!(
                ranks.evidence(0.02).relation(END_ERROR) == Relation::Same,
                interval.low > -0.02 && interval.high < 0.02,
                "spread {spread}"
            );
        }
    }

    #[test]
    fn many_values_are_bounded_without_a_table() {
        let values: Vec<f64> = (0..20_000).map(f64::from).collect();
        let ranks = SignedRank::new(&values).unwrap();
        let interval = ranks.interval(0.05).unwrap();
        // T is about normal, with mean 100,005,000 and deviation 816,527: 98,404,636 means lie
        // below the interval, which is more than the 9,919 * 9,920 up to 9,918.5, and fewer than
        // the 9,920 * 9,920 up to 9,919.
        assert_eq!(
            (interval.low, ranks.centre(), interval.high),
            (9_919.0, 9_999.5, 10_080.0)
        );
    }

    #[test]
    fn few_values_reject_nothing() {
        let five = SignedRank::new(&[3.0; 5]).unwrap();
        assert_eq!(five.interval(0.05), None);
        assert_eq!(five.evidence(0.02).relation(0.05), Relation::Undecided);
    }
}
