//! Whether a level wanders: neighbours among independent values are no more alike than others.

use statrs::distribution::{ContinuousCDF, Normal};

/// The fewest values of a series that can be seen to wander.
const LEAST_VALUES: usize = 4;

/// How alike neighbours of several series are.
pub(super) struct Wander {
    /// Probability of neighbours as alike if all were independent.
    pub(super) p: f64,
    /// The smallest such probability that series of these lengths can have.
    pub(super) smoothest: f64,
    /// Standard deviation of the level that neighbours share, in the unit of the values.
    pub(super) deviation: f64,
}

impl Wander {
    /// `None` without a series of four values that are not all the same.
    pub(super) fn of(series: &[Vec<f64>]) -> Option<Self> {
        let mut sum = 0.0;
        let mut variance = 0.0;
        let mut covariances = Vec::new();
        let mut least = 0.0;
        for values in series.iter().filter(|values| values.len() >= LEAST_VALUES) {
            let n = values.len() as f64;
            let Some(ratio) = neumann_ratio(&ranks(values)) else {
                continue;
            };
            sum += ratio - 2.0;
            least += 12.0 / (n * (n + 1.0)) - 2.0;
            variance += ratio_variance(n);
            covariances.extend(products_of_neighbours(values));
        }
        let normal = Normal::standard();
        let covariance = covariances.iter().sum::<f64>() / covariances.len() as f64;
        (variance > 0.0).then(|| Wander {
            p: normal.cdf(sum / variance.sqrt()),
            smoothest: normal.cdf(least / variance.sqrt()),
            deviation: covariance.max(0.0).sqrt(),
        })
    }
}

/// Variance of the ratio of `n` independent values.
fn ratio_variance(n: f64) -> f64 {
    4.0 * (n - 2.0) * (5.0 * n * n - 2.0 * n - 9.0) / (5.0 * n * (n + 1.0) * (n - 1.0).powi(2))
}

/// Products of the deviations of neighbours from the mean.
fn products_of_neighbours(values: &[f64]) -> impl Iterator<Item = f64> {
    let centre = values.iter().sum::<f64>() / values.len() as f64;
    values
        .windows(2)
        .map(move |pair| (pair[0] - centre) * (pair[1] - centre))
}

/// Squared differences of neighbours over squared deviations from the mean: 2 on average among
/// independent values.
fn neumann_ratio(ranks: &[f64]) -> Option<f64> {
    let centre = (ranks.len() as f64 + 1.0) / 2.0;
    let deviations: f64 = ranks.iter().map(|rank| (rank - centre).powi(2)).sum();
    let differences: f64 = ranks
        .windows(2)
        .map(|pair| (pair[0] - pair[1]).powi(2))
        .sum();
    (deviations > 0.0).then(|| differences / deviations)
}

/// Ranks from 1; values that are the same share theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    values.iter().map(|&value| rank(value, values)).collect()
}

fn rank(value: f64, values: &[f64]) -> f64 {
    let below = values.iter().filter(|&&other| other < value).count();
    let same = values.iter().filter(|&&other| other == value).count();
    below as f64 + (same as f64 + 1.0) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_ratio_is_computed_by_hand() {
        // Differences 1, 2, 1, 2 squared sum up to 10; deviations to 10.
        assert_eq!(
            neumann_ratio(&ranks(&[10.0, 20.0, 40.0, 30.0, 50.0])),
            Some(1.0)
        );
        assert_eq!(ranks(&[7.0, 3.0, 7.0]), [2.5, 1.0, 2.5]);
        assert_eq!(neumann_ratio(&ranks(&[7.0; 4])), None);
    }
}
