//! A figure over launches: its estimate, and how far another set of launches might have put it.

use serde::{Deserialize, Serialize};

use super::{CONFIDENCE, Counted, Interval, SignedRank, TooFew};

/// Launches that a 95% interval needs: with 5, even the whole range leaves the centre out in 2 of
/// 32 cases.
pub const MIN_LAUNCHES: u64 = 6;

/// An estimate over launches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverLaunches {
    /// The estimate, in the unit of the figure.
    pub value: f64,
    /// Its interval, or why there is none.
    pub interval: Result<Interval, TooFew>,
    /// Launches behind it.
    pub n: u64,
}

impl OverLaunches {
    /// The [half-width](Interval::half_width_ratio) of the interval; `None` without one.
    #[must_use]
    pub fn half_width_ratio(&self) -> Option<f64> {
        self.interval.ok()?.half_width_ratio(self.value)
    }

    /// The same about another centre, such as that of all inferences: the interval is widened to
    /// hold it.
    #[must_use]
    pub fn around(self, centre: f64) -> Self {
        OverLaunches {
            value: centre,
            interval: self.interval.map(|interval| Interval {
                low: interval.low.min(centre),
                high: interval.high.max(centre),
            }),
            ..self
        }
    }

    /// The same estimate on the scale of an increasing function.
    pub(super) fn map(self, increasing: impl Fn(f64) -> f64) -> Self {
        OverLaunches {
            value: increasing(self.value),
            interval: self.interval.map(|interval| Interval {
                low: increasing(interval.low),
                high: increasing(interval.high),
            }),
            n: self.n,
        }
    }

    /// An estimate over `n` launches, which are too few where it has no interval.
    pub(super) fn of(value: f64, interval: Option<Interval>, n: u64) -> Self {
        OverLaunches {
            value,
            interval: interval.ok_or(TooFew {
                needs: MIN_LAUNCHES,
                has: n,
                counted: Counted::Launches,
            }),
            n,
        }
    }
}

/// Estimates a figure from one value a launch. `None` if there is no value, or one is not finite.
///
/// The estimate is Hodges and Lehmann's, the median of the means of all pairs of launches, with the
/// interval of Wilcoxon's signed-rank test; there is none below [`MIN_LAUNCHES`]. Values that are
/// all positive (times, rates, sizes) are taken as logarithms, where their noise is closer to
/// symmetric, and the estimate is taken back; otherwise they are taken as they are.
#[must_use]
pub fn over_launches(values: &[f64]) -> Option<OverLaunches> {
    if values.iter().all(|&value| value > 0.0) {
        Some(hodges_lehmann(&logarithms(values))?.map(f64::exp))
    } else {
        hodges_lehmann(values)
    }
}

/// Whether there are values, and all are positive and finite.
pub(super) fn are_usable(values: &[f64]) -> bool {
    !values.is_empty() && values.iter().all(|&value| value.is_finite() && value > 0.0)
}

pub(super) fn logarithms(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| value.ln()).collect()
}

fn hodges_lehmann(values: &[f64]) -> Option<OverLaunches> {
    Some(estimate(&SignedRank::new(values)?, 1.0 - CONFIDENCE))
}

/// The estimate that ranks give, with the interval that leaves the centre out with probability
/// `error` at most.
pub(super) fn estimate(ranks: &SignedRank, error: f64) -> OverLaunches {
    OverLaunches::of(ranks.centre(), ranks.interval(error), ranks.n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::testing::assert_near;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    #[test]
    fn six_launches_are_bounded_by_their_range_and_the_centre_they_are_put_about() {
        let estimate = hodges_lehmann(&[6.0, 1.0, 2.0, 4.0, 3.0, 5.0]).unwrap();
        let interval = estimate.interval.unwrap();
        assert_eq!(
            (interval.low, estimate.value, interval.high),
            (1.0, 3.5, 6.0)
        );
        for (estimate, half_width) in [
            (estimate, 2.5 / 3.5),
            (estimate.around(2.0), 2.0),
            (estimate.around(0.5), 11.0),
        ] {
            assert_near(estimate.half_width_ratio().unwrap(), half_width, 1e-9);
        }
    }

    #[test]
    fn five_launches_have_an_estimate_and_the_reason_for_no_interval() {
        let estimate = over_launches(&[2.0; 5]).unwrap();
        assert_near(estimate.value, 2.0, 1e-9);
        assert_eq!(
            estimate.interval.unwrap_err().to_string(),
            "needs 6 launches, has 5"
        );
        assert_eq!(estimate.half_width_ratio(), None);
    }

    #[test]
    fn positive_figures_are_estimated_on_logarithms() {
        let estimate = over_launches(&[1.0, 1.0, 1.0, 100.0, 100.0, 100.0]).unwrap();
        assert_near(estimate.value, 10.0, 1e-9);
        let linear = over_launches(&[0.0, 0.0, 0.0, 100.0, 100.0, 100.0]).unwrap();
        assert_near(linear.value, 50.0, 1e-9);
    }

    #[test]
    fn nothing_and_not_a_number_have_no_estimate() {
        for values in [&[][..], &[1.0, f64::NAN], &[f64::INFINITY]] {
            assert_eq!(over_launches(values), None, "{values:?}");
        }
    }

    #[test]
    fn one_outlying_launch_hardly_moves_the_estimate() {
        let mut launches = [1.00, 1.01, 0.99, 1.02, 0.98, 1.00, 1.01, 0.99];
        let calm = over_launches(&launches).unwrap().value;
        launches[3] = 50.0;
        assert_near(over_launches(&launches).unwrap().value / calm, 1.0, 0.01);
    }

    #[test]
    fn interval_covers_the_centre_at_its_rate() {
        // 8 launches of symmetric heavy-tailed noise: the attained confidence is 1 - 2 * 5/256 =
        // 96.1%.
        let mut rng = Pcg64::seed_from_u64(11);
        let trials = 2_000;
        let share = (0..trials)
            .filter(|_| {
                let launches: Vec<f64> = (0..8)
                    .map(|_| (rng.random_range(-1.5_f64..1.5)).tan() * 0.01)
                    .collect();
                hodges_lehmann(&launches)
                    .unwrap()
                    .interval
                    .unwrap()
                    .contains(0.0)
            })
            .count() as f64
            / f64::from(trials);
        assert_near(share, 0.961, 0.015);
    }
}
