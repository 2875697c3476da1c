//! Percentiles by nearest rank, given only where the sample is large enough to bound them.

use super::effective::Launches;
use super::{
    Binomial, Buckets, CONFIDENCE, Counted, Interval, LaunchLatencies, Quantile, TAIL, TooFew,
};

/// A percentile that the sample is large enough for.
///
/// Nearest rank: the smallest recorded value with at least `ceil(n q)` samples at or below it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percentile {
    /// The percentile, in the unit of the sample.
    pub value: f64,
    /// Its interval from order statistics of the effective sample, if that is large enough to bound
    /// it from both sides.
    pub interval: Result<Interval, Unbounded>,
    /// Samples that it was read from.
    pub n: u64,
    /// Independent samples that these are worth; `None` where that is not known, and all of them
    /// count.
    pub effective_n: Option<u64>,
}

/// A percentile that the sample is too small to bound from both sides.
///
/// Each bound holds on its own with 95% confidence, in the unit of the sample; it is absent where
/// the sample is too small for it as well.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{too_few}")]
pub struct Unbounded {
    /// Sample that both sides would need, and the one that there is.
    pub too_few: TooFew,
    /// Lower bound of the percentile.
    pub at_least: Option<f64>,
    /// Upper bound of the percentile.
    pub at_most: Option<f64>,
}

/// Where a percentile and its bounds stand in a sorted sample of `n`, of which `effective` are
/// independent; rank 1 is the smallest value.
pub(super) struct Ranks {
    quantile: Quantile,
    successes: Binomial,
    effective: u64,
    n: u64,
}

impl Ranks {
    fn low(&self, tail: f64) -> Option<u64> {
        Some(
            (self.scaled(self.successes.first_above(tail).checked_sub(1)?)
                / u128::from(self.effective)) as u64
                + 1,
        )
    }

    fn high(&self, tail: f64) -> Option<u64> {
        let rank = self.successes.quantile(1.0 - tail) + 1;
        (rank <= self.effective)
            .then(|| self.scaled(rank).div_ceil(u128::from(self.effective)) as u64)
    }

    fn scaled(&self, rank: u64) -> u128 {
        u128::from(rank) * u128::from(self.n)
    }

    /// The nearest rank among `n`, and the ranks that bound the quantile with 95% confidence if the
    /// sample is worth `effective` independent ones.
    ///
    /// For X binomial(effective, q), the bounds are the largest l with P(X < l) <= 2.5% and the
    /// smallest u with P(X >= u) <= 2.5%; a bound that stands alone has 5%. A rank of the effective
    /// sample stands for a share of the distribution, whose outer end is the rank in the whole
    /// sample. Below the smallest sample for both bounds, no more than all `n` count.
    ///
    /// Sources: Hahn and Meeker, *Statistical Intervals* (1991), section 5.2; for the shares
    /// Woodruff, *Journal of the American Statistical Association* 47 (1952) 635-646.
    pub(super) fn of(quantile: Quantile, n: u64, effective: u64) -> Self {
        let effective = if n < quantile.needs() {
            effective.min(n)
        } else {
            effective
        };
        Ranks {
            quantile,
            successes: Binomial::new(effective, quantile.share()),
            effective,
            n,
        }
    }

    /// The ends of the interval; `None` if the sample is too small for both.
    pub(super) fn two_sided(&self) -> Option<(u64, u64)> {
        self.low(TAIL)
            .zip(self.high(TAIL))
            .filter(|_| self.effective >= self.quantile.needs())
    }

    fn percentile(
        &self,
        effective_n: Option<u64>,
        at: impl Fn(u64) -> f64,
    ) -> Result<Percentile, Unbounded> {
        let n = self.n;
        let needs = self.quantile.needs();
        let is_too_small = n < needs;
        let unbounded = Unbounded {
            too_few: TooFew {
                needs,
                has: if is_too_small { n } else { self.effective },
                counted: Counted::Inferences,
            },
            at_least: self.low(1.0 - CONFIDENCE).map(&at),
            at_most: self.high(1.0 - CONFIDENCE).map(&at),
        };
        if is_too_small {
            return Err(unbounded);
        }
        let interval = self.two_sided().map(|(low, high)| Interval {
            low: at(low),
            high: at(high),
        });
        Ok(Percentile {
            value: at(self.quantile.rank(n)),
            interval: interval.ok_or(unbounded),
            n,
            effective_n,
        })
    }
}

impl Buckets {
    /// Percentiles of the latencies, in nanoseconds, each with its interval; of `quantiles` in
    /// ascending order.
    ///
    /// `launches` are the latencies by launch. With two or more, the interval is that of the
    /// effective sample size; else it takes the latencies for independent, which neighbours are
    /// not, and is the least that a percentile may be doubted.
    ///
    /// Each percentile has an effective sample size of its own, so that the upper bound of a lower
    /// one may lie above that of a higher one. Bounds are made to ascend: a lower bound is the
    /// largest of those up to it (a running maximum), an upper bound the smallest of those from it
    /// on (a running minimum). Percentiles ascend themselves, so that where all bounds held before,
    /// all of them hold afterwards.
    ///
    /// # Errors
    /// One for each percentile that there are too few latencies to bound from both sides: the p99
    /// of 100 samples is the second largest of them.
    pub fn percentiles<const N: usize>(
        &self,
        quantiles: [Quantile; N],
        launches: &[LaunchLatencies],
    ) -> [Result<Percentile, Unbounded>; N] {
        let counts = launches.iter().map(|launch| launch.latencies.count());
        let worth = Launches::of(counts.collect());
        let mut found = quantiles.map(|quantile| {
            let effective = worth
                .as_ref()
                .map(|worth| self.effective_n(quantile, launches, worth));
            Ranks::of(quantile, self.count(), effective.unwrap_or(self.count()))
                .percentile(effective, |rank| {
                    self.at_rank(rank).unwrap_or_default().as_f64()
                })
        });
        make_ascend(&mut found);
        found
    }

    /// Of the latencies that the launches are about, at a quantile.
    fn effective_n(
        &self,
        quantile: Quantile,
        launches: &[LaunchLatencies],
        worth: &Launches,
    ) -> u64 {
        let threshold = self.nearest_rank(quantile).unwrap_or_default();
        let at_most: Vec<u64> = launches
            .iter()
            .map(|launch| launch.latencies.count_up_to(threshold))
            .collect();
        worth.effective_n(&at_most, self.count())
    }
}

fn make_ascend(found: &mut [Result<Percentile, Unbounded>]) {
    let mut least = f64::NEG_INFINITY;
    for bound in found.iter_mut().filter_map(lower) {
        *bound = bound.max(least);
        least = *bound;
    }
    let mut most = f64::INFINITY;
    for bound in found.iter_mut().rev().filter_map(upper) {
        *bound = bound.min(most);
        most = *bound;
    }
}

/// A percentile whose bounds are no lower than the ends of `interval`, which is that of a lower
/// percentile.
///
/// # Errors
/// That of `found`, with such bounds.
pub fn above(
    mut found: Result<Percentile, Unbounded>,
    interval: Interval,
) -> Result<Percentile, Unbounded> {
    if let Some(bound) = lower(&mut found) {
        *bound = bound.max(interval.low);
    }
    if let Some(bound) = upper(&mut found) {
        *bound = bound.max(interval.high);
    }
    found
}

/// The lower bound of a percentile.
fn lower(found: &mut Result<Percentile, Unbounded>) -> Option<&mut f64> {
    match found {
        Ok(Percentile {
            interval: Ok(interval),
            ..
        }) => Some(&mut interval.low),
        Ok(Percentile {
            interval: Err(unbounded),
            ..
        })
        | Err(unbounded) => unbounded.at_least.as_mut(),
    }
}

/// The upper bound of a percentile.
fn upper(found: &mut Result<Percentile, Unbounded>) -> Option<&mut f64> {
    match found {
        Ok(Percentile {
            interval: Ok(interval),
            ..
        }) => Some(&mut interval.high),
        Ok(Percentile {
            interval: Err(unbounded),
            ..
        })
        | Err(unbounded) => unbounded.at_most.as_mut(),
    }
}

/// The median of a sample in any order: the middle value, or the mean of both middle values. `None`
/// if it is empty or holds a NaN.
///
/// For figures of blocks and launches, of which there are few; percentiles of latencies use the
/// nearest rank.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    if values.is_empty() || values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let sorted = ascending(values);
    let middle = sorted.len() / 2;
    Some(if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    })
}

/// The values in their order.
pub(super) fn ascending(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::testing;

    fn of(values: impl IntoIterator<Item = u64>) -> Buckets {
        Buckets::from(&testing::of(values))
    }

    /// A percentile of the sample of `n` whose value at each rank is the rank.
    fn percentile(n: u64, quantile: Quantile) -> Result<Percentile, Unbounded> {
        Ranks::of(quantile, n, n).percentile(None, |rank| rank as f64)
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
            (Quantile::P99, 10_000_000, 9_899_383.0, 9_900_617.0),
            (Quantile::P999, 10_000, 9_983.0, 9_997.0),
        ];
        for (quantile, n, low, high) in expected {
            let interval = percentile(n, quantile).unwrap().interval.unwrap();
            assert_eq!(
                (interval.low, interval.high),
                (low, high),
                "{quantile:?} of {n}"
            );
            let successes = Binomial::new(n, quantile.share());
            let coverage = successes.at_most(high as u64 - 1) - successes.at_most(low as u64 - 1);
            assert!(coverage >= 0.95, "{quantile:?} of {n}: {coverage}");
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
            assert_eq!(
                percentile(needs - 1, quantile).unwrap_err().to_string(),
                format!("needs {needs} inferences, has {}", needs - 1)
            );
            assert!(
                percentile(needs, quantile).unwrap().interval.is_ok(),
                "{quantile:?}"
            );
        }
    }

    #[test]
    fn refusal_says_how_many_are_needed_and_bounds_one_side_where_it_can() {
        // P(X < 97) = 0.018 and P(X < 98) = 0.079 for X binomial(100, 0.99); 0.99^100 = 0.37 leaves
        // the top open.
        let error = percentile(100, Quantile::P99).unwrap_err();
        assert_eq!((error.at_least, error.at_most), (Some(97.0), None));
        assert_eq!(error.to_string(), "needs 368 inferences, has 100");
        // 0.99^298 > 5% >= 0.99^299.
        assert_eq!(percentile(298, Quantile::P99).unwrap_err().at_most, None);
        assert_eq!(
            percentile(299, Quantile::P99).unwrap_err().at_most,
            Some(299.0)
        );
        let error = percentile(0, Quantile::P50).unwrap_err();
        assert_eq!((error.at_least, error.at_most), (None, None));
    }

    #[test]
    fn launches_that_differ_widen_the_interval() {
        let launches: Vec<LaunchLatencies> = (0..8)
            .map(|round| LaunchLatencies {
                round,
                latencies: of((1..=100).map(|value| 4 * round + value)),
            })
            .collect();
        let all = of((0..8).flat_map(|number| (1..=100).map(move |value| 4 * number + value)));
        let [alone, p99] = [&[], &launches[..]]
            .map(|launches| all.percentiles([Quantile::P90], launches)[0].unwrap());
        assert_eq!(
            (alone.value, alone.n, alone.effective_n),
            (p99.value, p99.n, None)
        );
        let alone = alone.interval.unwrap();
        let wide = p99.interval.unwrap();
        assert!(
            p99.effective_n.unwrap() < 200 && wide.low < alone.low && wide.high > alone.high,
            "{p99:?}"
        );
    }

    /// Launches that are alike above the 95th percentile, and of which two have most of what lies
    /// between it and the 90th.
    fn of_unlike_upper_tenths() -> Vec<LaunchLatencies> {
        (0..12)
            .map(|round| LaunchLatencies {
                round,
                latencies: of((1..=60).map(|rank| match rank {
                    58.. => 5_000 + rank,
                    40.. if round < 2 => 1_000 + rank,
                    _ => 100 + rank,
                })),
            })
            .collect()
    }

    fn uppers(found: [Result<Percentile, Unbounded>; 4]) -> Vec<f64> {
        found
            .into_iter()
            .filter_map(|mut one| upper(&mut one).copied())
            .collect()
    }

    #[test]
    fn bounds_of_percentiles_ascend_with_them() {
        const ALL: [Quantile; 4] = [Quantile::P90, Quantile::P95, Quantile::P99, Quantile::P999];
        let launches = of_unlike_upper_tenths();
        let all = of(launches.iter().flat_map(|launch| {
            let latencies = &launch.latencies;
            (1..=latencies.count()).filter_map(|rank| latencies.at_rank(rank).map(|found| found.0))
        }));
        let alone = ALL.map(|quantile| all.percentiles([quantile], &launches)[0]);
        let mut together = all.percentiles(ALL, &launches);
        assert!(!uppers(alone).is_sorted(), "{alone:?}");
        assert!(uppers(together).is_sorted(), "{together:?}");
        let lowers = together.iter_mut().filter_map(lower);
        assert!(lowers.map(|bound| *bound).is_sorted(), "{together:?}");
        for (one, other) in alone.iter().zip(&together) {
            let values = [one, other].map(|found| found.map(|found| found.value).ok());
            assert_eq!(values[0], values[1]);
            let interval = other.ok().and_then(|found| found.interval.ok());
            assert!(
                interval.is_none_or(|interval| interval.contains(values[0].unwrap())),
                "{other:?}"
            );
        }
    }

    #[test]
    fn bounds_that_stand_alone_ascend_as_well() {
        let few = of((1..=298).map(|value| value * 10));
        let [p90, p99] = few.percentiles([Quantile::P90, Quantile::P99], &[]);
        let high = p90.unwrap().interval.unwrap().high;
        let unbounded = p99.unwrap_err();
        assert!(unbounded.at_least.unwrap() > 2_800.0 && unbounded.at_most.is_none());
        let raised = above(
            p99,
            Interval {
                low: 2_950.0,
                high: 2_970.0,
            },
        );
        assert_eq!(raised.unwrap_err().at_least, Some(2_950.0));
        let raised = above(
            p90,
            Interval {
                low: 0.0,
                high: high + 1.0,
            },
        );
        assert_eq!(raised.unwrap().interval.unwrap().high, high + 1.0);
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
    fn histogram_and_ranks_agree() {
        let latencies = of(1..=1_000);
        for quantile in [Quantile::P10, Quantile::P50, Quantile::P90, Quantile::P99] {
            let [read] = latencies.percentiles([quantile], &[]);
            assert_eq!(read, percentile(1_000, quantile));
        }
    }

    #[test]
    fn median_of_an_even_sample_is_between_the_middle_values() {
        assert_eq!(median(&[4.0, 1.0, 2.0, 9.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[1.0, f64::NAN]), None);
    }
}
