//! A figure over launches: its estimate, and how far another set of launches might have put it.

use serde::{Deserialize, Serialize};

use super::percentile::median;
use super::{CONFIDENCE, Counted, Interval, TAIL, TooFew, Z};

/// Launches that a 95% interval needs: with 5, even the whole range leaves the centre out in 2 of 32 cases.
pub const MIN_LAUNCHES: u64 = 6;

/// Up to this many values the signed-rank distribution is exact; beyond, it is taken as normal.
const EXACT_UP_TO: u64 = 50;

/// An estimate over launches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate, in the unit of the figure.
    pub value: f64,
    /// Its interval, or why there is none.
    pub interval: Result<Interval, TooFew>,
    /// Launches behind it.
    pub n: u64,
}

impl Estimate {
    /// Half the width of the interval as a share of the value; `None` without an interval.
    #[must_use]
    pub fn half_width_ratio(&self) -> Option<f64> {
        let interval = self.interval.ok()?;
        (self.value != 0.0).then(|| interval.half_width() / self.value.abs())
    }

    /// The same estimate on the scale of an increasing function.
    pub(super) fn map(self, increasing: impl Fn(f64) -> f64) -> Self {
        let interval = self.interval.map(|interval| Interval {
            low: increasing(interval.low),
            high: increasing(interval.high),
            ..interval
        });
        Estimate { value: increasing(self.value), interval, n: self.n }
    }
}

/// Estimates a figure from one value a launch. `None` if there is no value, or one is not finite.
///
/// The estimate is Hodges and Lehmann's, the median of the means of all pairs of launches, with the
/// interval of Wilcoxon's signed-rank test; there is none below [`MIN_LAUNCHES`]. Values that are
/// all positive (times, rates, sizes) are taken as logarithms, where their noise is closer to
/// symmetric, and the estimate is taken back; otherwise they are taken as they are.
#[must_use]
pub fn over_launches(values: &[f64]) -> Option<Estimate> {
    if values.iter().all(|&value| value > 0.0) {
        let logarithms: Vec<f64> = values.iter().map(|value| value.ln()).collect();
        Some(hodges_lehmann(&logarithms)?.map(f64::exp))
    } else {
        hodges_lehmann(values)
    }
}

/// The Hodges-Lehmann estimate: the median of the means of all pairs, each value with itself included.
///
/// Its interval holds every centre that Wilcoxon's signed-rank test would not reject at 5%. Both are
/// robust against single outlying launches, and assume only that noise is symmetric about the centre.
/// Time and memory grow with the square of the number of values. `None` if there is none, or one is
/// not finite; no interval below [`MIN_LAUNCHES`].
///
/// Source: Hollander, Wolfe and Chicken, *Nonparametric Statistical Methods* (3rd ed., 2014), sections 3.2 and 3.3.
pub(super) fn hodges_lehmann(values: &[f64]) -> Option<Estimate> {
    if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let n = values.len() as u64;
    let mut means: Vec<f64> = Vec::with_capacity(values.len() * (values.len() + 1) / 2);
    for (index, first) in values.iter().enumerate() {
        means.extend(values[index..].iter().map(|second| f64::midpoint(*first, *second)));
    }
    means.sort_unstable_by(f64::total_cmp);
    let interval = match signed_rank_cut(n) {
        None => Err(TooFew { needs: MIN_LAUNCHES, has: n, counted: Counted::Launches }),
        Some(cut) => {
            let (low, high) = (means[cut.rank - 1], means[means.len() - cut.rank]);
            Ok(Interval { low, high, confidence: cut.confidence })
        }
    };
    Some(Estimate { value: median(&means)?, interval, n })
}

/// Which of the sorted means bound the interval.
struct Cut {
    /// Rank of the lower end from below and of the upper end from above; 1 is the outermost mean.
    rank: usize,
    confidence: f64,
}

/// The cut at k + 1, where k is the largest with P(T <= k) <= 2.5%, T the signed-rank statistic of `n` values.
fn signed_rank_cut(n: u64) -> Option<Cut> {
    if n < MIN_LAUNCHES {
        return None;
    }
    if n > EXACT_UP_TO {
        let (mean, variance) = (n * (n + 1), n * (n + 1) * (2 * n + 1));
        let (mean, variance) = (mean as f64 / 4.0, variance as f64 / 24.0);
        let rank = (mean - Z * variance.sqrt()).floor() as usize;
        return Some(Cut { rank, confidence: CONFIDENCE });
    }
    let mut rank = 0;
    let mut below = 0.0;
    for probability in signed_rank_distribution(n) {
        if below + probability > TAIL {
            break;
        }
        below += probability;
        rank += 1;
    }
    Some(Cut { rank, confidence: 1.0 - 2.0 * below })
}

/// P(T = t) for t = 0, 1, ..., n(n+1)/2: each rank counts with probability 1/2, independently.
fn signed_rank_distribution(n: u64) -> Vec<f64> {
    let largest = (n * (n + 1) / 2) as usize;
    let mut probabilities = vec![0.0; largest + 1];
    probabilities[0] = 1.0;
    for rank in 1..=n as usize {
        for sum in (0..=largest).rev() {
            let with = if sum >= rank { probabilities[sum - rank] } else { 0.0 };
            probabilities[sum] = f64::midpoint(probabilities[sum], with);
        }
    }
    probabilities
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    fn close(actual: f64, expected: f64) -> bool {
        (actual - expected).abs() < 1e-9
    }

    #[test]
    fn depression_scale_example_has_the_published_interval() {
        // Hollander and Wolfe, example 3.1 (Hamilton depression scale, 9 patients): estimate -0.46,
        // 96.1% interval -0.786 to -0.010; R's wilcox.test(conf.int = TRUE) gives the same.
        let before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
        #[expect(clippy::approx_constant, reason = "3.14 was measured")]
        let after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
        let change: Vec<f64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
        let estimate = hodges_lehmann(&change).unwrap();
        let interval = estimate.interval.unwrap();
        assert!(close(estimate.value, -0.46), "{estimate:?}");
        assert!(close(interval.low, -0.786) && close(interval.high, -0.010), "{estimate:?}");
        assert!(close(interval.confidence, 1.0 - 2.0 * 10.0 / 512.0), "{estimate:?}");
    }

    #[test]
    fn six_launches_are_bounded_by_their_range() {
        let estimate = hodges_lehmann(&[6.0, 1.0, 2.0, 4.0, 3.0, 5.0]).unwrap();
        let interval = estimate.interval.unwrap();
        assert_eq!((interval.low, estimate.value, interval.high), (1.0, 3.5, 6.0));
        assert!(close(interval.confidence, 1.0 - 2.0 / 64.0));
    }

    #[test]
    fn five_launches_have_an_estimate_and_the_reason_for_no_interval() {
        let estimate = over_launches(&[2.0; 5]).unwrap();
        assert!(close(estimate.value, 2.0));
        assert_eq!(estimate.interval.unwrap_err().to_string(), "needs 6 launches, has 5");
        assert_eq!(estimate.half_width_ratio(), None);
    }

    #[test]
    fn positive_figures_are_estimated_on_logarithms() {
        let estimate = over_launches(&[1.0, 1.0, 1.0, 100.0, 100.0, 100.0]).unwrap();
        assert!(close(estimate.value, 10.0), "{estimate:?}");
        let linear = over_launches(&[0.0, 0.0, 0.0, 100.0, 100.0, 100.0]).unwrap();
        assert!(close(linear.value, 50.0), "{linear:?}");
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
        assert!((over_launches(&launches).unwrap().value / calm - 1.0).abs() < 0.01);
    }

    #[test]
    fn signed_rank_cuts_are_the_tabulated_ones() {
        // Critical values of Wilcoxon's signed-rank test, two-sided 5%: reject at T <= k.
        for (n, k) in [(6, 0), (7, 2), (8, 3), (9, 5), (10, 8), (15, 25), (20, 52), (25, 89), (30, 137), (50, 434)] {
            assert_eq!(signed_rank_cut(n).unwrap().rank, k + 1, "n = {n}");
        }
    }

    #[test]
    fn normal_approximation_joins_the_exact_distribution() {
        // The last exact step from n - 1 to n is 20; so is the first approximate one, to rounding.
        let cut = |n| signed_rank_cut(n).unwrap().rank;
        let (exact, approximate) = (cut(50) - cut(49), cut(51) - cut(50));
        assert!(exact.abs_diff(approximate) <= 2, "{exact}, {approximate}");
    }

    #[test]
    fn interval_covers_the_centre_at_its_rate() {
        // 8 launches of symmetric heavy-tailed noise: the attained confidence is 1 - 2 * 5/256 = 96.1%.
        let mut rng = Pcg64::seed_from_u64(11);
        let trials = 2_000;
        let covered = (0..trials).filter(|_| {
            let launches: Vec<f64> = (0..8).map(|_| (rng.random_range(-1.5_f64..1.5)).tan() * 0.01).collect();
            hodges_lehmann(&launches).unwrap().interval.unwrap().contains(0.0)
        });
        let share = covered.count() as f64 / f64::from(trials);
        assert!((share - 0.961).abs() < 0.015, "{share}");
    }
}
