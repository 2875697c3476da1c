//! The distribution of latencies of a cell, in constant memory.

use hdrhistogram::Histogram;

use super::Quantile;
use super::codec::{self, DIGITS, HIGHEST_NS, HistogramError, LOWEST_NS};
use crate::units::Nanos;

/// Latencies from 1 ns to 1 h with 3 significant digits (an HDR histogram).
///
/// Memory is constant (about 270 KB) and taken at the start: recording never allocates. A latency
/// outside the range counts as the end of the range that it lies beyond.
///
/// Latencies below 2,048 ns are exact. Above, neighbours share a bucket at most 0.1% wide, and each
/// counts as the bucket's middle, in every figure read from here, so that
/// `min <= any percentile <= max` holds and no figure is off by more than 0.05%.
#[derive(Clone, Debug, PartialEq)]
pub struct Latencies {
    histogram: Histogram<u64>,
}

impl Latencies {
    /// An empty histogram.
    #[must_use]
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(LOWEST_NS, HIGHEST_NS, DIGITS);
        #[expect(
            clippy::expect_used,
            reason = "the bounds are constants: 0 < low, 2 * low <= high, digits <= 5"
        )]
        Latencies {
            histogram: histogram.expect("constant bounds are valid"),
        }
    }

    /// Adds one latency. Does not allocate.
    #[inline]
    pub fn record(&mut self, latency: Nanos) {
        self.histogram
            .saturating_record(latency.0.clamp(LOWEST_NS, HIGHEST_NS));
    }

    /// Adds all latencies of `other`. The result is the same as if they had been recorded here.
    pub fn merge(&mut self, other: &Latencies) {
        self.histogram += &other.histogram;
    }

    /// Forgets all latencies and keeps the memory.
    pub fn reset(&mut self) {
        self.histogram.reset();
    }

    /// Latencies recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.histogram.is_empty()
    }

    /// The buckets that hold any latencies, ascending: their middles, and how many latencies each
    /// holds.
    pub(super) fn recorded(&self) -> impl Iterator<Item = (Nanos, u64)> + '_ {
        self.histogram
            .iter_recorded()
            .map(move |step| (self.middle(step.value_iterated_to()), step.count_at_value()))
    }

    /// The middle of the bucket that a value lies in.
    fn middle(&self, value: u64) -> Nanos {
        Nanos(self.histogram.median_equivalent(value))
    }

    /// The smallest latency; `None` if there are none.
    #[must_use]
    pub fn min(&self) -> Option<Nanos> {
        (!self.is_empty()).then(|| self.middle(self.histogram.min()))
    }

    /// The largest latency; `None` if there are none.
    #[must_use]
    pub fn max(&self) -> Option<Nanos> {
        (!self.is_empty()).then(|| self.middle(self.histogram.max()))
    }

    /// The arithmetic mean in nanoseconds; `None` if there are no latencies.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.histogram.mean())
    }

    /// The latency at a rank. Rank 1 is the smallest latency and rank [`count`](Self::count) the
    /// largest; `None` for 0 and beyond the count.
    pub(super) fn at_rank(&self, rank: u64) -> Option<Nanos> {
        let count = self.count();
        // Half a rank less survives rounding in the division: the histogram takes the ceiling of q * count.
        let quantile = (rank as f64 - 0.5) / count as f64;
        (1..=count)
            .contains(&rank)
            .then(|| self.middle(self.histogram.value_at_quantile(quantile)))
    }

    /// The value of nearest rank at a quantile, whatever the number of samples: for a block's own
    /// median. A figure of a report comes from
    /// [`Buckets::percentiles`](super::Buckets::percentiles), which refuses where the sample is too
    /// small.
    #[must_use]
    pub fn nearest_rank(&self, quantile: Quantile) -> Option<Nanos> {
        self.at_rank(quantile.rank(self.count()))
    }

    /// The histogram as text: HdrHistogram V2 compressed, in base64.
    #[must_use]
    pub fn encode(&self) -> String {
        codec::encode(&self.histogram)
    }

    /// Reads what [`encode`](Self::encode) wrote. Bounded in time and memory whatever the text
    /// holds.
    pub fn decode(text: &str) -> Result<Self, HistogramError> {
        Ok(Latencies {
            histogram: codec::decode(text)?,
        })
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_near, of, spread};
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    #[test]
    fn empty_histogram_has_no_figures() {
        let latencies = Latencies::new();
        assert_eq!(
            (latencies.count(), latencies.min(), latencies.max()),
            (0, None, None)
        );
        assert_eq!(latencies.mean(), None);
        assert_eq!(latencies.at_rank(1), None);
    }

    #[test]
    fn small_latencies_are_exact_and_ranks_out_of_range_have_none() {
        let latencies = of([5, 1, 2047, 3]);
        assert_eq!(
            [1, 2, 3, 4].map(|rank| latencies.at_rank(rank)),
            [1, 3, 5, 2047].map(|value| Some(Nanos(value)))
        );
        assert_eq!([0, 5].map(|rank| latencies.at_rank(rank)), [None; 2]);
        assert_eq!(latencies.mean(), Some(514.0));
    }

    #[test]
    fn figures_are_off_by_at_most_a_twentieth_of_a_percent() {
        let mut values = spread(1, 2_000);
        let latencies = of(values.iter().copied());
        values.sort_unstable();
        for (rank, value) in (1..).zip(values) {
            let value = value.max(1) as f64;
            assert_near(
                latencies.at_rank(rank).unwrap().as_f64(),
                value,
                0.000_5 * value,
            );
        }
    }

    #[test]
    fn latencies_outside_the_range_count_as_its_ends() {
        let latencies = of([0, u64::MAX]);
        assert_eq!(latencies.min(), Some(Nanos(1)));
        assert_near(latencies.max().unwrap().as_f64() / 3.6e12, 1.0, 0.000_5);
    }

    #[test]
    fn percentiles_lie_between_min_and_max() {
        let latencies = of([8_302_591, 8_302_592, 10_400_123]);
        let [least, most] = [1, 3].map(|rank| latencies.at_rank(rank));
        assert_eq!((latencies.min(), latencies.max()), (least, most));
        assert!(latencies.mean() >= least.map(Nanos::as_f64));
    }

    #[test]
    fn any_split_merges_to_the_whole_in_any_order() {
        for seed in 0..200 {
            let mut rng = Pcg64::seed_from_u64(seed);
            let values = spread(seed, rng.random_range(0..400));
            let mut parts = vec![Vec::new(); rng.random_range(1..12)];
            for &value in &values {
                let part = rng.random_range(0..parts.len());
                parts[part].push(value);
            }
            let mut merged = Latencies::new();
            while !parts.is_empty() {
                let part = of(parts.swap_remove(rng.random_range(0..parts.len())));
                let read = Latencies::decode(&part.encode()).unwrap();
                merged.merge(if rng.random_bool(0.5) { &part } else { &read });
            }
            let whole = of(values);
            assert_eq!(
                (&merged, merged.encode(), merged.mean()),
                (&whole, whole.encode(), whole.mean()),
                "seed {seed}"
            );
            assert_eq!((merged.min(), merged.max()), (whole.min(), whole.max()));
        }
    }

    #[test]
    fn reset_forgets_everything() {
        let mut latencies = of(spread(3, 100));
        latencies.reset();
        assert_eq!(latencies, Latencies::new());
    }
}
