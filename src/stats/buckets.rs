//! Latencies as a record holds them, for reading alone.

use std::collections::BTreeMap;

use super::{HistogramError, Latencies, Quantile, codec};
use crate::units::Nanos;

/// The buckets of a histogram that hold any latencies, each of which counts as the middle of its
/// bucket.
///
/// The form that analysis reads: a record has one histogram for each cell and launch, and most of
/// them hold a few hundred buckets of the 35,000 that a [`Latencies`] has room for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets {
    /// Middles of the buckets, ascending.
    middles: Vec<Nanos>,
    /// Latencies up to and in each bucket.
    up_to: Vec<u64>,
}

/// The latencies of one launch.
#[derive(Clone, Debug)]
pub struct LaunchLatencies {
    /// Its round. Where both sides took turns, launches of one round belong together.
    pub round: u64,
    /// Its timed latencies.
    pub latencies: Buckets,
}

impl Buckets {
    /// Reads what [`Latencies::encode`] wrote. Bounded in time and memory whatever the text holds.
    pub fn decode(text: &str) -> Result<Self, HistogramError> {
        let mut buckets = Buckets::default();
        for (index, count) in codec::decode_counts(text)? {
            buckets.push(codec::middle(index), count);
        }
        Ok(buckets)
    }

    /// Adds a bucket beyond those that there are.
    pub(super) fn push(&mut self, middle: Nanos, count: u64) {
        if count > 0 {
            self.middles.push(middle);
            self.up_to.push(self.count() + count);
        }
    }

    /// All latencies of several, together.
    pub fn pooled<'a>(parts: impl IntoIterator<Item = &'a Buckets>) -> Self {
        let mut counts: BTreeMap<Nanos, u64> = BTreeMap::new();
        for (middle, count) in parts.into_iter().flat_map(Buckets::counts) {
            *counts.entry(middle).or_default() += count;
        }
        let mut pooled = Buckets::default();
        for (middle, count) in counts {
            pooled.push(middle, count);
        }
        pooled
    }

    /// The arithmetic mean in nanoseconds; `None` if there are no latencies.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let sum: f64 = self
            .counts()
            .map(|(middle, count)| middle.as_f64() * count as f64)
            .sum();
        (!self.is_empty()).then(|| sum / self.count() as f64)
    }

    /// Latencies recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.up_to.last().copied().unwrap_or(0)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.middles.is_empty()
    }

    /// The smallest latency; `None` if there are none.
    #[must_use]
    pub fn min(&self) -> Option<Nanos> {
        self.middles.first().copied()
    }

    /// The largest latency; `None` if there are none.
    #[must_use]
    pub fn max(&self) -> Option<Nanos> {
        self.middles.last().copied()
    }

    /// The middle of each bucket and how many latencies it holds, ascending.
    pub(super) fn counts(&self) -> impl Iterator<Item = (Nanos, u64)> {
        let before = std::iter::once(&0).chain(&self.up_to);
        self.middles
            .iter()
            .zip(self.up_to.iter().zip(before))
            .map(|(&middle, (up_to, before))| (middle, up_to - before))
    }

    /// Latencies at or below `bound`.
    pub(super) fn count_up_to(&self, bound: Nanos) -> u64 {
        self.middles
            .partition_point(|&middle| middle <= bound)
            .checked_sub(1)
            .map_or(0, |last| self.up_to[last])
    }

    /// Latencies above `bound`.
    #[must_use]
    pub fn count_above(&self, bound: Nanos) -> u64 {
        self.count() - self.count_up_to(bound)
    }

    /// The latency at a rank. Rank 1 is the smallest latency and rank [`count`](Self::count) the
    /// largest; `None` for 0 and beyond the count.
    #[must_use]
    pub fn at_rank(&self, rank: u64) -> Option<Nanos> {
        self.middles
            .get(self.up_to.partition_point(|&up_to| up_to < rank))
            .copied()
            .filter(|_| rank > 0)
    }

    /// The value of nearest rank at a quantile, whatever the number of latencies. A figure of a
    /// report comes from [`Buckets::percentiles`], which refuses where there are too few.
    #[must_use]
    pub fn nearest_rank(&self, quantile: Quantile) -> Option<Nanos> {
        self.at_rank(quantile.rank(self.count()))
    }
}

impl From<&Latencies> for Buckets {
    fn from(latencies: &Latencies) -> Self {
        let mut buckets = Buckets::default();
        for (middle, count) in latencies.recorded() {
            buckets.push(middle, count);
        }
        buckets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::testing::{of, spread};

    #[test]
    fn text_keeps_a_histogram_and_its_buckets() {
        for values in [
            vec![],
            vec![1],
            vec![0, u64::MAX, 3_600_000_000_000],
            vec![7; 300],
            spread(7, 10_000),
        ] {
            let latencies = of(values);
            let text = latencies.encode();
            assert_eq!(Latencies::decode(&text).unwrap(), latencies);
            let buckets = Buckets::decode(&text).unwrap();
            assert_eq!(buckets, Buckets::from(&latencies));
            assert_eq!(
                (buckets.count(), buckets.is_empty()),
                (latencies.count(), latencies.is_empty())
            );
            assert_eq!(
                (buckets.min(), buckets.max()),
                (latencies.min(), latencies.max())
            );
            for rank in (1..=latencies.count()).step_by(97) {
                assert_eq!(buckets.at_rank(rank), latencies.at_rank(rank), "{rank}");
            }
        }
    }

    #[test]
    fn ranks_that_do_not_exist_have_no_latency() {
        let buckets = Buckets::from(&of([1, 2, 3]));
        assert_eq!(
            [0, 1, 3, 4].map(|rank| buckets.at_rank(rank)),
            [None, Some(Nanos(1)), Some(Nanos(3)), None]
        );
        assert_eq!(Buckets::default().nearest_rank(Quantile::P50), None);
    }

    #[test]
    fn latencies_above_a_bound_agree_with_the_ranks() {
        let buckets = Buckets::from(&of(spread(5, 1_000)));
        for rank in [1, 10, 500, 900, 1_000] {
            let bound = buckets.at_rank(rank).unwrap();
            let above = buckets.count_above(bound);
            assert!(
                above <= 1_000 - rank && buckets.count_above(Nanos(bound.0 - 1)) > above,
                "{rank}: {above}"
            );
        }
        assert_eq!(Buckets::from(&of([10, 20, 30])).count_above(Nanos(20)), 1);
        assert_eq!(
            (
                buckets.count_above(Nanos(0)),
                buckets.count_above(Nanos(u64::MAX))
            ),
            (1_000, 0)
        );
    }
}
