//! Intervals by resampling, for figures whose interval has no formula.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::{Counted, Interval, TAIL, TooFew};

/// Resamples of a small dataset; the ends of the interval are then the 50th values from each side.
const MAX_RESAMPLES: usize = 2_000;
/// Resamples of a large dataset: the least that still puts 5 values beyond each end.
const MIN_RESAMPLES: usize = 200;
/// Draws that one interval may cost, which bounds it to about a second.
const MAX_DRAWS: usize = 20_000_000;
/// Below this many samples a percentile interval is far too narrow.
const MIN_SAMPLES: usize = 10;

/// The percentile bootstrap interval of a figure over `samples_count` samples.
///
/// `figure` computes it from the indices of a resample, drawn with replacement. A difference
/// between two models is paired by reading both at the same indices. The same seed gives the same
/// interval. There are 2,000 resamples, fewer (at least 200) where there are more than 10,000
/// samples. Resamples whose figure is not finite are left out.
///
/// Source: Efron and Tibshirani, *An Introduction to the Bootstrap* (1993), chapter 13.
pub fn bootstrap(
    samples_count: usize,
    seed: u64,
    figure: impl Fn(&[usize]) -> f64,
) -> Result<Interval, TooFew> {
    let too_few = TooFew {
        needs: MIN_SAMPLES as u64,
        has: samples_count as u64,
        counted: Counted::Samples,
    };
    if samples_count < MIN_SAMPLES {
        return Err(too_few);
    }
    let mut rng = Pcg64::seed_from_u64(seed);
    let resamples = (MAX_DRAWS / samples_count).clamp(MIN_RESAMPLES, MAX_RESAMPLES);
    let mut indices = vec![0; samples_count];
    let mut figures: Vec<f64> = (0..resamples)
        .map(|_| {
            indices.fill_with(|| rng.random_range(0..samples_count));
            figure(&indices)
        })
        .filter(|figure| figure.is_finite())
        .collect();
    figures.sort_unstable_by(f64::total_cmp);
    let beyond = (TAIL * figures.len() as f64).floor() as usize;
    Ok(Interval {
        low: figures.get(beyond).copied().ok_or(too_few)?,
        high: figures[figures.len() - 1 - beyond],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::testing::assert_near;

    fn mean(values: &[f64], indices: &[usize]) -> f64 {
        indices.iter().map(|&index| values[index]).sum::<f64>() / indices.len() as f64
    }

    #[test]
    fn interval_of_a_mean_is_about_that_of_the_normal_formula() {
        let values: Vec<f64> = (0..400).map(|index| f64::from(index % 20)).collect();
        let interval = bootstrap(values.len(), 3, |indices| mean(&values, indices)).unwrap();
        // Mean 9.5, standard deviation sqrt(33.25), 1.96 standard errors: 0.565.
        assert_near(interval.low, 9.5 - 0.565, 0.06);
        assert_near(interval.high, 9.5 + 0.565, 0.06);
    }

    #[test]
    fn pairing_removes_what_both_models_share() {
        let baseline: Vec<f64> = (0..100).map(|index| f64::from(index * index)).collect();
        let candidate: Vec<f64> = baseline.iter().map(|error| error + 1.0).collect();
        let interval = bootstrap(100, 3, |indices| {
            mean(&candidate, indices) - mean(&baseline, indices)
        })
        .unwrap();
        assert_near(interval.low, 1.0, 1e-9);
        assert_near(interval.high, 1.0, 1e-9);
    }

    #[test]
    fn same_seed_gives_the_same_interval() {
        let figure = |indices: &[usize]| indices.iter().sum::<usize>() as f64;
        assert_eq!(bootstrap(50, 9, figure), bootstrap(50, 9, figure));
        assert_ne!(bootstrap(50, 9, figure), bootstrap(50, 10, figure));
    }

    #[test]
    fn few_samples_are_refused() {
        assert_eq!(
            bootstrap(9, 0, |_| 1.0).unwrap_err().to_string(),
            "needs 10 samples, has 9"
        );
    }
}
