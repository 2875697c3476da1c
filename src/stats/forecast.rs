//! How narrow an interval a number of rounds will buy, from the spread that few rounds have shown.

use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};

use super::launches::logarithms;
use super::{END_ERROR, MIN_LAUNCHES, median};

/// The spread of log-ratios (or of logarithms of a figure) on two levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Variance between the pairs of one round.
    within: f64,
    /// Variance between rounds of what is the same for all pairs of a round: the launches.
    between: f64,
    /// Degrees of freedom of the variance between rounds.
    freedom: f64,
}

/// The signed-rank interval's wider half, which is what is shown and stopped by, over half the
/// width of Student's: 1.04 in the median of simulated normal rounds, 6 to 40 of them, with a long
/// tail upwards, in the middle of which this is.
const WIDER: f64 = 1.1;

impl Spread {
    /// From several comparisons that are taken to spread alike, each with its rounds of log-ratios.
    ///
    /// `None` where no comparison has two rounds.
    #[must_use]
    pub fn of(comparisons: &[Vec<Vec<f64>>]) -> Option<Self> {
        let rounds = comparisons
            .iter()
            .flatten()
            .filter(|pairs| !pairs.is_empty());
        let pairs_per_round = mean(rounds.clone().map(|pairs| pairs.len() as f64))?;
        let within = Pooled::of(rounds).map_or(0.0, |pooled| pooled.variance);
        let centres: Vec<Vec<f64>> = comparisons
            .iter()
            .map(|rounds| rounds.iter().filter_map(|pairs| median(pairs)).collect())
            .collect();
        let of_centres = Pooled::of(&centres)?;
        Some(Spread {
            within,
            between: (of_centres.variance - within / pairs_per_round).max(0.0),
            freedom: of_centres.freedom,
        })
    }

    /// The variance between rounds.
    #[must_use]
    pub fn between(&self) -> f64 {
        self.between
    }

    /// The same, counting like no more rounds than `freedom` has: rounds within seconds share the
    /// machine's speed, and many of them say little more about slow changes than few.
    #[must_use]
    pub fn counting_at_most(self, freedom: f64) -> Self {
        Spread {
            freedom: self.freedom.min(freedom),
            ..self
        }
    }

    /// The same with what is known beforehand of the variance between rounds, which counts like
    /// that of so many more rounds: few rounds alone say little about their spread.
    #[must_use]
    pub fn with_known(self, between: f64, freedom: f64) -> Self {
        let sum = self.between * self.freedom + between * freedom;
        Spread {
            between: sum / (self.freedom + freedom),
            freedom: self.freedom + freedom,
            ..self
        }
    }

    /// Factors between which the true standard deviation lies in the stated share of cases, of the
    /// one that was estimated: by the chi-squared distribution of its degrees of freedom, as for
    /// normal noise.
    #[must_use]
    pub fn uncertainty(&self, covered: f64) -> (f64, f64) {
        let Ok(squares) = ChiSquared::new(self.freedom) else {
            return (0.0, f64::INFINITY);
        };
        [
            f64::midpoint(1.0, covered),
            f64::midpoint(0.0, 1.0 - covered),
        ]
        .map(|share| (self.freedom / squares.inverse_cdf(share)).sqrt())
        .into()
    }

    /// About the wider half of the interval after so many rounds of so many alternations each, as a
    /// share; `None` below the rounds that an interval takes.
    ///
    /// That of Student's t, which the signed-rank interval comes close to where noise is about
    /// normal. A forecast, not a promise: it rests on the few rounds that were seen.
    #[must_use]
    pub fn half_width(&self, rounds: u64, alternations: u64) -> Option<f64> {
        if rounds < MIN_LAUNCHES {
            return None;
        }
        let quantile = StudentsT::new(0.0, 1.0, rounds as f64 - 1.0)
            .ok()?
            .inverse_cdf(1.0 - END_ERROR / 2.0);
        let variance = self.between + self.within / alternations.max(1) as f64;
        Some(WIDER * quantile * (variance / rounds as f64).sqrt())
    }
}

/// Expectation of the next one of several positive values, whose logarithms are about normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// The geometric mean of those that were seen.
    pub middle: f64,
    /// The lower end of the interval that should hold the next one.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Prediction {
    /// From values seen, with a standard deviation of logarithms that is known beforehand and
    /// counts like so many of them; `None` without any.
    ///
    /// Student's prediction interval: t * s * sqrt(1 + 1/n) about the mean.
    #[must_use]
    pub fn of(
        values: &[f64],
        known_deviation: f64,
        known_freedom: f64,
        covered: f64,
    ) -> Option<Self> {
        let logs = logarithms(values);
        let centre = mean(logs.iter().copied())?;
        let n = logs.len() as f64;
        let squares: f64 = logs.iter().map(|log| (log - centre).powi(2)).sum();
        let freedom = n - 1.0 + known_freedom;
        let deviation = ((squares + known_freedom * known_deviation.powi(2)) / freedom).sqrt();
        let reach = StudentsT::new(0.0, 1.0, freedom)
            .ok()?
            .inverse_cdf(f64::midpoint(1.0, covered))
            * deviation
            * (1.0 + 1.0 / n).sqrt();
        Some(Prediction {
            middle: centre.exp(),
            low: (centre - reach).exp(),
            high: (centre + reach).exp(),
        })
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The spread of values about the means of the groups that they are in.
pub(super) struct Pooled {
    pub(super) variance: f64,
    /// Degrees of freedom of the variance.
    freedom: f64,
}

impl Pooled {
    /// `None` if no group has two values.
    pub(super) fn of<'v>(groups: impl IntoIterator<Item = &'v Vec<f64>>) -> Option<Self> {
        let mut squares = 0.0;
        let mut freedom = 0.0;
        for group in groups.into_iter().filter(|group| group.len() > 1) {
            let centre = mean(group.iter().copied())?;
            let deviations = group.iter().map(|value| (value - centre).powi(2));
            squares += deviations.sum::<f64>();
            freedom += group.len() as f64 - 1.0;
        }
        (freedom > 0.0).then(|| Pooled {
            variance: squares / freedom,
            freedom,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::testing::assert_near;

    #[test]
    fn both_levels_are_told_apart() {
        // Pairs 0.02 apart within a round (variance 0.0002); round centres 0, 0.1, 0.2 (variance
        // 0.01).
        let rounds: Vec<Vec<f64>> = (0..3)
            .map(|round| f64::from(round) * 0.1)
            .map(|c| vec![c - 0.01, c + 0.01])
            .collect();
        let spread = Spread::of(&[rounds]).unwrap();
        assert_near(spread.within, 0.0002, 1e-12);
        assert_near(spread.between, 0.01 - 0.0001, 1e-12);
    }

    #[test]
    fn half_width_is_that_of_students_t() {
        // t(9 degrees of freedom, 98%) = 2.3984 (tables): 2.3984 * sqrt((0.0001 + 0.0004 / 4) /
        // 10).
        let spread = Spread {
            within: 0.0004,
            between: 0.0001,
            freedom: 9.0,
        };
        let half_width = spread.half_width(10, 4).unwrap();
        assert_near(half_width, 1.1 * 2.3984 * (0.0002_f64 / 10.0).sqrt(), 1e-5);
        assert_eq!(spread.half_width(5, 4), None);
    }

    #[test]
    fn what_is_known_beforehand_counts_like_more_rounds() {
        assert_near(
            Spread {
                within: 0.0,
                between: 0.0001,
                freedom: 2.0,
            }
            .with_known(0.0004, 4.0)
            .between(),
            0.0003,
            1e-12,
        );
    }

    #[test]
    fn uncertainty_is_that_of_chi_squared() {
        // Chi-squared with 9 degrees of freedom (tables): 2.5% lie below 2.7004, 2.5% above
        // 19.0228.
        let (low, high) = Spread {
            within: 0.0,
            between: 1.0,
            freedom: 9.0,
        }
        .uncertainty(0.95);
        assert_near(low, (9.0_f64 / 19.0228).sqrt(), 1e-4);
        assert_near(high, (9.0_f64 / 2.7004).sqrt(), 1e-4);
    }

    #[test]
    fn next_value_is_predicted_by_students_t_on_logarithms() {
        // Logarithms -0.1, 0, 0.1: s = 0.1 alone; t(2, 97.5%) = 4.3027 (tables).
        let values = [-0.1_f64, 0.0, 0.1].map(f64::exp);
        let alone = Prediction::of(&values, 1.0, 0.0, 0.95).unwrap();
        let reach = 4.3027 * 0.1 * (4.0_f64 / 3.0).sqrt();
        assert_near(alone.high.ln(), reach, 1e-4);
        assert_near(alone.low.ln(), -reach, 1e-4);
        // With 2 more degrees of freedom at 0.3: s^2 = (0.02 + 2 * 0.09) / 4, t(4) = 2.7764.
        let known = Prediction::of(&values, 0.3, 2.0, 0.95).unwrap();
        let reach = 2.7764 * (0.05_f64 * 4.0 / 3.0).sqrt();
        assert_near(known.high.ln(), reach, 1e-4);
        assert_eq!(Prediction::of(&[], 0.3, 2.0, 0.95), None);
    }

    #[test]
    fn one_round_tells_no_spread() {
        assert_eq!(Spread::of(&[vec![vec![0.1, 0.2]], vec![]]), None);
    }
}
