//! Percentiles by nearest rank, given only where the sample is large enough to bound them.

use serde::{Deserialize, Serialize};

use super::binomial::Binomial;
use super::{Counted, Interval, Latencies, TAIL, TooFew};

/// A share of the distribution, exact in steps of 0.001%.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantile {
    per_100k: u32,
}

/// A percentile that the sample is large enough for.
///
/// Nearest rank: the smallest recorded value with at least `ceil(n q)` samples at or below it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentile {
    /// The percentile, in the unit of the sample.
    pub value: f64,
    /// Its interval from order statistics, as if the samples were independent.
    ///
    /// Neighbouring inferences are not, so this interval is the least that a percentile may be
    /// doubted; the one over launches is for comparing.
    pub interval: Interval,
    /// Samples that it was read from.
    pub n: u64,
}

impl Quantile {
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

    /// The quantile as a share in 0..=1.
    #[must_use]
    pub fn share(self) -> f64 {
        f64::from(self.per_100k) / 100_000.0
    }

    /// The nearest rank in a sample of `n`: `ceil(n q)`, at least 1. Computed in integers, so that 7% of 100 is 7.
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

/// Where a percentile and the ends of its interval stand in a sorted sample; rank 1 is the smallest value.
struct Ranks {
    low: u64,
    value: u64,
    high: u64,
    confidence: f64,
}

impl Ranks {
    /// The nearest rank, and the ranks that bound the quantile with 95% confidence: the largest l with
    /// P(X < l) <= 2.5% and the smallest u with P(X >= u) <= 2.5%, X binomial(n, q).
    ///
    /// Source: Hahn and Meeker, *Statistical Intervals* (1991), section 5.2.
    fn of(quantile: Quantile, n: u64) -> Result<Self, TooFew> {
        let needs = quantile.needs();
        if n < needs {
            return Err(TooFew { needs, has: n, counted: Counted::Inferences });
        }
        let successes = Binomial::new(n, quantile.share());
        let low = successes.first_above(TAIL);
        let high = successes.quantile(1.0 - TAIL) + 1;
        let confidence = successes.at_most(high - 1) - successes.at_most(low - 1);
        Ok(Ranks { low, value: quantile.rank(n), high, confidence })
    }

    fn percentile(&self, n: u64, at: impl Fn(u64) -> f64) -> Percentile {
        let interval = Interval { low: at(self.low), high: at(self.high), confidence: self.confidence };
        Percentile { value: at(self.value), interval, n }
    }
}

impl Latencies {
    /// Percentiles of the latencies, in nanoseconds, each with its interval, in one pass over the histogram.
    ///
    /// # Errors
    /// One for each percentile that there are too few latencies to bound from both sides: the
    /// p99 of 100 samples is the second largest of them.
    pub fn percentiles<const N: usize>(&self, quantiles: [Quantile; N]) -> [Result<Percentile, TooFew>; N] {
        let ranks = quantiles.map(|quantile| Ranks::of(quantile, self.count()));
        let mut wanted: Vec<u64> =
            ranks.iter().flatten().flat_map(|ranks| [ranks.low, ranks.value, ranks.high]).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let values = self.at_ranks(&wanted).unwrap_or_default();
        let at = |rank: u64| values[wanted.partition_point(|&other| other < rank)].as_f64();
        ranks.map(|ranks| ranks.map(|ranks| ranks.percentile(self.count(), at)))
    }

    /// One percentile of the latencies, in nanoseconds, with its interval.
    ///
    /// # Errors
    /// Too few latencies to bound it from both sides.
    pub fn percentile(&self, quantile: Quantile) -> Result<Percentile, TooFew> {
        let [percentile] = self.percentiles([quantile]);
        percentile
    }
}

/// A percentile of an ascending sample, with its interval.
///
/// # Errors
/// Too few values to bound it from both sides.
pub fn percentile_of_sorted(sorted: &[f64], quantile: Quantile) -> Result<Percentile, TooFew> {
    let n = sorted.len() as u64;
    Ok(Ranks::of(quantile, n)?.percentile(n, |rank| sorted[rank as usize - 1]))
}

/// The median of a sample in any order: the middle value, or the mean of both middle values. `None` if it is empty
/// or holds a NaN.
///
/// For figures of blocks and launches, of which there are few; percentiles of latencies use the nearest rank.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    if values.is_empty() || values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    Some(if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Nanos;

    /// The sample whose value at each rank is the rank.
    fn ranks(n: u64) -> Vec<f64> {
        (1..=n).map(|rank| rank as f64).collect()
    }

    #[test]
    fn interval_ranks_are_the_published_ones() {
        // Hahn and Meeker's method; the ranks agree with scipy.stats.binom.
        let expected = [
            (Quantile::P50, 100, 40.0, 61.0),
            (Quantile::P50, 500, 228.0, 273.0),
            (Quantile::P50, 1_000, 469.0, 532.0),
            (Quantile::P50, 10_000, 4_902.0, 5_099.0),
            (Quantile::P90, 100, 84.0, 96.0),
            (Quantile::P90, 500, 436.0, 464.0),
            (Quantile::P90, 1_000, 881.0, 919.0),
            (Quantile::P90, 10_000, 8_941.0, 9_059.0),
            (Quantile::P95, 100, 90.0, 100.0),
            (Quantile::P95, 500, 465.0, 485.0),
            (Quantile::P95, 1_000, 936.0, 964.0),
            (Quantile::P95, 10_000, 9_457.0, 9_543.0),
            (Quantile::P99, 500, 490.0, 500.0),
            (Quantile::P99, 1_000, 983.0, 997.0),
            (Quantile::P99, 10_000, 9_880.0, 9_920.0),
            (Quantile::P999, 10_000, 9_983.0, 9_997.0),
        ];
        for (quantile, n, low, high) in expected {
            let interval = percentile_of_sorted(&ranks(n), quantile).unwrap().interval;
            assert_eq!((interval.low, interval.high), (low, high), "{quantile:?} of {n}");
            assert!(interval.confidence >= 0.95, "{quantile:?} of {n}: {}", interval.confidence);
        }
    }

    #[test]
    fn smallest_samples_are_the_published_ones() {
        for (quantile, needs) in [
            (Quantile::P10, 36),
            (Quantile::P50, 6),
            (Quantile::P90, 36),
            (Quantile::P95, 72),
            (Quantile::P99, 368),
            (Quantile::P999, 3_688),
        ] {
            assert_eq!(quantile.needs(), needs);
            let refused = TooFew { needs, has: needs - 1, counted: Counted::Inferences };
            assert_eq!(percentile_of_sorted(&ranks(needs - 1), quantile), Err(refused));
            assert!(percentile_of_sorted(&ranks(needs), quantile).is_ok(), "{quantile:?}");
        }
    }

    #[test]
    fn refusal_says_how_many_are_needed() {
        let error = percentile_of_sorted(&ranks(100), Quantile::P99).unwrap_err();
        assert_eq!(error.to_string(), "needs 368 inferences, has 100");
    }

    #[test]
    fn nearest_rank_is_computed_without_rounding() {
        for (quantile, n, rank) in [
            (Quantile::P50, 1, 1),
            (Quantile::P50, 10, 5),
            (Quantile::P50, 11, 6),
            (Quantile::P10, 100, 10),
            (Quantile { per_100k: 7_000 }, 100, 7),
            (Quantile::P999, 1_000, 999),
            (Quantile::P999, u64::MAX, 18_428_297_329_635_842_064),
        ] {
            assert_eq!(quantile.rank(n), rank, "{quantile:?} of {n}");
        }
    }

    #[test]
    fn histogram_and_sorted_slice_agree() {
        let mut latencies = Latencies::new();
        (1..=1_000).for_each(|value| latencies.record(Nanos(value)));
        for quantile in [Quantile::P10, Quantile::P50, Quantile::P90, Quantile::P99] {
            assert_eq!(latencies.percentile(quantile), percentile_of_sorted(&ranks(1_000), quantile));
        }
    }

    #[test]
    fn ten_million_latencies_have_an_interval() {
        // scipy.stats.binom(10_000_000, 0.99): ppf(0.025) and ppf(0.975) + 1.
        let ranks = Ranks::of(Quantile::P99, 10_000_000).unwrap();
        assert_eq!((ranks.low, ranks.high), (9_899_383, 9_900_617));
    }

    #[test]
    fn median_of_an_even_sample_is_between_the_middle_values() {
        assert_eq!(median(&[4.0, 1.0, 2.0, 9.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[1.0, f64::NAN]), None);
    }
}
