//! Shares of samples, and how they differ between two models on the same samples.

use serde::{Deserialize, Serialize};

use super::{Binomial, Interval, Z};

/// A share of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proportion {
    /// Samples that count, at most `n`.
    pub count: u64,
    /// Samples in all, at least 1.
    pub n: u64,
}

impl Proportion {
    /// `count` of `n`; `None` without samples, or if `count` exceeds `n`.
    #[must_use]
    pub fn new(count: u64, n: u64) -> Option<Self> {
        (n > 0 && count <= n).then_some(Proportion { count, n })
    }

    /// The share, in 0..=1.
    #[must_use]
    pub fn share(self) -> f64 {
        self.count as f64 / self.n as f64
    }

    /// Wilson's score interval of the share, without continuity correction.
    ///
    /// Source: Wilson, *J. Am. Stat. Assoc.* 22 (1927); recommended by Newcombe, *Statist. Med.* 17
    /// (1998), 857-872.
    #[must_use]
    pub fn interval(self) -> Interval {
        let share = self.share();
        let n = self.n as f64;
        let centre = share + Z * Z / (2.0 * n);
        let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        // At the ends the formula gives 0 and 1 but for rounding.
        Interval {
            low: if self.count == 0 {
                0.0
            } else {
                (centre - spread) / scale
            },
            high: if self.count == self.n {
                1.0
            } else {
                (centre + spread) / scale
            },
        }
    }

    /// How far the interval reaches below the share.
    fn down(self) -> f64 {
        self.share() - self.interval().low
    }

    /// How far it reaches above.
    fn up(self) -> f64 {
        self.interval().high - self.share()
    }

    /// The interval of this share less `other`, for shares of independent samples: Wilson's
    /// interval of each, combined ("method 10").
    ///
    /// Source: Newcombe, *Statist. Med.* 17 (1998), 873-890.
    #[must_use]
    pub fn less(self, other: Proportion) -> Interval {
        let difference = self.share() - other.share();
        Interval {
            low: difference - self.down().hypot(other.up()),
            high: difference + self.up().hypot(other.down()),
        }
    }
}

/// How two models fared on the same samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairedCounts {
    /// Samples that both got right.
    pub both_right_count: u64,
    /// Samples that the baseline got right and the candidate wrong.
    pub lost_count: u64,
    /// Samples that the baseline got wrong and the candidate right.
    pub gained_count: u64,
    /// Samples that both got wrong.
    pub both_wrong_count: u64,
}

/// Change of a share from baseline to candidate, on the same samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedChange {
    /// Share of the candidate less share of the baseline.
    pub difference: f64,
    /// Interval of the difference.
    pub interval: Interval,
    /// How likely flips are to be at least as one-sided as these if both models are equally good.
    pub p_value: f64,
}

impl PairedCounts {
    /// Samples in all.
    #[must_use]
    pub fn n(self) -> u64 {
        self.both_right_count + self.lost_count + self.gained_count + self.both_wrong_count
    }

    /// The change with its interval and p-value; `None` without samples.
    #[must_use]
    pub fn change(self) -> Option<PairedChange> {
        let candidate = Proportion::new(self.both_right_count + self.gained_count, self.n())?;
        let baseline = Proportion::new(self.both_right_count + self.lost_count, self.n())?;
        let difference = candidate.share() - baseline.share();
        // Newcombe's hybrid score interval for paired data ("method 10"): Wilson's interval of each
        // share, combined with the correlation of the two answers. Source: Newcombe, *Statist. Med.*
        // 17 (1998), 2635-2650.
        Some(PairedChange {
            difference,
            interval: Interval {
                low: difference - self.combined(candidate.down(), baseline.up()),
                high: difference + self.combined(candidate.up(), baseline.down()),
            },
            p_value: self.p_value(),
        })
    }

    /// McNemar's test, exact and two-sided: flips each way are binomial with probability 1/2.
    ///
    /// Source: McNemar, *Psychometrika* 12 (1947); exact: Agresti, *Categorical Data Analysis*
    /// (2002), section 10.1.
    fn p_value(self) -> f64 {
        (2.0 * Binomial::new(self.lost_count + self.gained_count, 0.5)
            .at_most(self.lost_count.min(self.gained_count)))
        .min(1.0)
    }

    /// A distance of each share, together, as the two answers are correlated.
    fn combined(self, one: f64, other: f64) -> f64 {
        (one * one - 2.0 * self.correlation() * one * other + other * other)
            .max(0.0)
            .sqrt()
    }

    /// The phi coefficient of both models' answers, corrected as method 10 has it: n/2 is taken off
    /// a positive numerator, down to 0; 0 where a margin is empty.
    fn correlation(self) -> f64 {
        let [right, gained, lost, wrong] = [
            self.both_right_count,
            self.gained_count,
            self.lost_count,
            self.both_wrong_count,
        ]
        .map(|count| count as f64);
        let margins = (right + gained) * (lost + wrong) * (right + lost) * (gained + wrong);
        if margins == 0.0 {
            return 0.0;
        }
        let numerator = right * wrong - gained * lost;
        let corrected = if numerator > 0.0 {
            (numerator - self.n() as f64 / 2.0).max(0.0)
        } else {
            numerator
        };
        corrected / margins.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::testing::assert_near;

    #[track_caller]
    fn assert_ends(interval: Interval, low: f64, high: f64) {
        assert_near(interval.low, low, 5e-5);
        assert_near(interval.high, high, 5e-5);
    }

    fn counts(
        both_right_count: u64,
        gained_count: u64,
        lost_count: u64,
        both_wrong_count: u64,
    ) -> PairedCounts {
        PairedCounts {
            both_right_count,
            gained_count,
            lost_count,
            both_wrong_count,
        }
    }

    #[test]
    fn wilson_intervals_are_the_published_ones() {
        // Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I,
        // method 3.
        for (count, n, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            assert_ends(Proportion::new(count, n).unwrap().interval(), low, high);
        }
    }

    #[test]
    fn all_right_is_not_certain() {
        let interval = Proportion::new(360, 360).unwrap().interval();
        assert!(
            interval.high == 1.0 && interval.low < 0.99 && interval.low > 0.98,
            "{interval:?}"
        );
    }

    #[test]
    fn impossible_proportions_are_refused() {
        assert_eq!(Proportion::new(0, 0), None);
        assert_eq!(Proportion::new(2, 1), None);
    }

    #[test]
    fn independent_intervals_are_the_published_ones() {
        // Newcombe (1998), "Interval estimation for the difference between independent
        // proportions", table II, method 10.
        for ((own, n), (other, m), low, high) in [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((10, 10), (0, 20), 0.6791, 1.0),
        ] {
            let interval = Proportion::new(own, n)
                .unwrap()
                .less(Proportion::new(other, m).unwrap());
            assert_ends(interval, low, high);
        }
    }

    #[test]
    fn paired_intervals_are_the_published_ones() {
        // The first is the example that Newcombe (1998) prints; the others follow from an
        // independent implementation of the paper's formulas.
        for (table, difference, low, high) in [
            (counts(36, 12, 2, 0), 0.20, 0.0569, 0.3404),
            (counts(36, 14, 0, 0), 0.28, 0.1528, 0.4167),
            (counts(1, 97, 1, 1), 0.96, 0.8737, 0.9850),
            (counts(30, 0, 0, 0), 0.0, -0.1135, 0.1135),
            (counts(0, 30, 0, 0), 1.0, 0.8395, 1.0),
        ] {
            let change = table.change().unwrap();
            assert_near(change.difference, difference, 1e-12);
            assert_ends(change.interval, low, high);
        }
    }

    #[test]
    fn exact_mcnemar_is_the_published_one() {
        // Approval ratings in Agresti's table 10.1; R's exact2x2::mcnemar.exact gives p =
        // 3.716e-05.
        assert_near(
            counts(794, 86, 150, 570).change().unwrap().p_value,
            3.716e-5,
            5e-9,
        );
        // By hand: 2 * (C(14,0) + C(14,1) + C(14,2)) / 2^14.
        assert_near(
            counts(36, 12, 2, 0).change().unwrap().p_value,
            2.0 * 106.0 / 16_384.0,
            1e-15,
        );
    }

    #[test]
    fn no_flips_are_no_evidence() {
        let change = counts(90, 0, 0, 10).change().unwrap();
        assert_eq!((change.p_value, change.difference), (1.0, 0.0));
        assert!(change.interval.contains(0.0));
        assert_eq!(PairedCounts::default().change(), None);
    }

    #[test]
    fn swapping_the_models_turns_the_change_round() {
        let there = counts(300, 25, 12, 23).change().unwrap();
        let back = counts(300, 12, 25, 23).change().unwrap();
        assert_near(there.interval.low, -back.interval.high, 1e-12);
        assert_eq!(there.p_value, back.p_value);
    }
}
