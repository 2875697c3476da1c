//! Ranks among the figures of all pairs of values, found without a table of the pairs.

use super::percentile::ascending;
use super::{Evidence, Interval, LowerTail};

const SIGN: u64 = 1 << 63;
/// Figures up to which a table of them is the faster way: those of 64 values.
const IN_TABLE: usize = 64 * 65 / 2;

/// The figures of all pairs of values, of which any can be read by its rank.
///
/// There are about as many as the square of the values, and a table of those of 100,000 would take
/// 40 GB. Of more than a few values none is made: with both values of a pair in order the figure
/// rises, so that those below a bound are counted in one pass over the values, and halving what a
/// figure may be finds the one of a rank in 64 passes, exactly.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PairRanks {
    /// Ascending.
    values: Vec<f64>,
    /// The other sample, descending; `None` where both values of a pair are of one sample.
    others: Option<Vec<f64>>,
    /// All figures, ascending; empty where they are many.
    table: Vec<f64>,
}

impl PairRanks {
    /// The means of all pairs of values, each with itself included (Walsh averages), of one value
    /// at least, all finite.
    pub(super) fn means(values: &[f64]) -> Self {
        PairRanks::new(ascending(values), None)
    }

    /// The logarithms of each value over each of the others: at least one of either, all positive
    /// and finite.
    pub(super) fn log_ratios(values: &[f64], others: &[f64]) -> Self {
        let mut others = ascending(others);
        others.reverse();
        PairRanks::new(ascending(values), Some(others))
    }

    fn new(values: Vec<f64>, others: Option<Vec<f64>>) -> Self {
        let mut ranks = PairRanks {
            values,
            others,
            table: Vec::new(),
        };
        if ranks.count() <= IN_TABLE {
            ranks.table = ascending(&ranks.figures());
        }
        ranks
    }

    /// All figures, in no order.
    fn figures(&self) -> Vec<f64> {
        self.values
            .iter()
            .enumerate()
            .flat_map(|(place, &value)| {
                let others = self.others.as_deref().unwrap_or(&self.values[place..]);
                others.iter().map(move |&other| self.figure(value, other))
            })
            .collect()
    }

    pub(super) fn count(&self) -> usize {
        let n = self.values.len();
        self.others
            .as_ref()
            .map_or(n * (n + 1) / 2, |others| n * others.len())
    }

    /// The figure of a rank; the smallest one's is 0.
    pub(super) fn at(&self, rank: usize) -> f64 {
        if let Some(&figure) = self.table.get(rank) {
            return figure;
        }
        let mut low = place(f64::NEG_INFINITY);
        let mut high = place(f64::INFINITY);
        while low < high {
            let middle = low.midpoint(high);
            let bound = at_place(middle);
            if self.count_while(|figure| figure.total_cmp(&bound).is_le()) > rank {
                high = middle
            } else {
                low = middle + 1
            }
        }
        at_place(low)
    }

    /// The median: the estimate of Hodges and Lehmann.
    pub(super) fn median(&self) -> f64 {
        let middle = self.count() / 2;
        let upper = self.at(middle);
        if self.count() % 2 == 1 {
            upper
        } else {
            f64::midpoint(self.at(middle - 1), upper)
        }
    }

    /// The interval that leaves the centre out with probability `error` at most, half of it on each
    /// side; `None` if there are too few values for one. `lower_tail` is the distribution of the
    /// number of figures below the centre.
    pub(super) fn interval(&self, lower_tail: &LowerTail, error: f64) -> Option<Interval> {
        let k = self.cut(lower_tail, error / 2.0)?;
        let low = self.at(k);
        let high = self.at(self.count() - 1 - k);
        (low <= high).then_some(Interval { low, high })
    }

    /// Evidence of the figures about a centre of zero, and about one within `floor` of it.
    pub(super) fn evidence(&self, lower_tail: &LowerTail, floor: f64) -> Evidence {
        // Figures on the bound itself count against the claim.
        Evidence::from_one_sided(
            self.median(),
            floor,
            |bound| lower_tail.at_most(self.count_while(|figure| figure <= bound)),
            |bound| lower_tail.at_most(self.count() - self.count_while(|figure| figure < bound)),
        )
    }

    /// The largest k, below the number of figures, with P(T <= k) <= `bound`: the rank at which the
    /// interval begins.
    fn cut(&self, lower_tail: &LowerTail, bound: f64) -> Option<usize> {
        let mut last = 0_usize;
        let mut beyond = self.count();
        while beyond - last > 1 {
            let middle = last.midpoint(beyond);
            if lower_tail.at_most(middle) <= bound {
                last = middle
            } else {
                beyond = middle
            }
        }
        (lower_tail.at_most(last) <= bound).then_some(last)
    }

    /// How many figures a condition holds for that holds up to some figure and for none above it.
    fn count_while(&self, holds: impl Fn(f64) -> bool) -> usize {
        if !self.table.is_empty() {
            return self.table.partition_point(|&figure| holds(figure));
        }
        let others = self.others.as_deref().unwrap_or(&self.values);
        let mut end = others.len();
        let mut count = 0;
        for &value in &self.values {
            while end > 0 && !holds(self.figure(value, others[end - 1])) {
                end -= 1;
            }
            count += end;
        }
        if self.others.is_some() {
            return count;
        }
        // The mean of two values was counted twice, that of a value with itself once.
        (count
            + self
                .values
                .partition_point(|&value| holds(self.figure(value, value))))
            / 2
    }

    fn figure(&self, value: f64, other: f64) -> f64 {
        match self.others {
            None => f64::midpoint(value, other),
            Some(_) => (value / other).ln(),
        }
    }
}

/// The place of a number among all numbers in ascending order.
fn place(number: f64) -> u64 {
    let bits = number.to_bits();
    if number.is_sign_negative() {
        !bits
    } else {
        bits | SIGN
    }
}

fn at_place(place: u64) -> f64 {
    f64::from_bits(if place & SIGN == 0 {
        !place
    } else {
        place & !SIGN
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{median, testing::assert_near};
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    /// Random values, of which every other sample has many that are the same.
    fn sample(rng: &mut Pcg64, n: usize, low: f64) -> Vec<f64> {
        let step = if rng.random_bool(0.5) { 0.25 } else { 1e-9 };
        (0..n)
            .map(|_| (rng.random_range(low..low + 2.0) / step).round() * step)
            .collect()
    }

    /// Checks every few ranks, the median and some counts against all figures, with a table and
    /// without one.
    fn assert_as_in(figures: Vec<f64>, ranks: &PairRanks) {
        let figures = ascending(&figures);
        assert_eq!(
            ranks.table.len(),
            if figures.len() <= IN_TABLE {
                figures.len()
            } else {
                0
            }
        );
        assert_ranks(&figures, ranks);
        assert_ranks(
            &figures,
            &PairRanks {
                table: Vec::new(),
                ..ranks.clone()
            },
        );
    }

    fn assert_ranks(table: &[f64], ranks: &PairRanks) {
        assert_eq!(ranks.count(), table.len());
        let step = table.len() / 40 + 1;
        for rank in (0..table.len()).step_by(step).chain([table.len() - 1]) {
            assert_eq!(
                ranks.at(rank).to_bits(),
                table[rank].to_bits(),
                "rank {rank} of {}",
                table.len()
            );
            let bound = table[rank];
            assert_eq!(
                ranks.count_while(|figure| figure <= bound),
                table.partition_point(|&figure| figure <= bound)
            );
            assert_eq!(
                ranks.count_while(|figure| figure < bound),
                table.partition_point(|&figure| figure < bound)
            );
        }
        assert_eq!(Some(ranks.median()), median(table));
    }

    #[test]
    fn means_are_those_of_a_table() {
        let mut rng = Pcg64::seed_from_u64(31);
        for n in [1, 2, 3, 5, 6, 7, 12, 33, 60, 6, 60, 64, 65] {
            let values = sample(&mut rng, n, -1.0);
            let pairs = |first: usize| values[first..].iter().map(move |other| (first, *other));
            assert_as_in(
                (0..n)
                    .flat_map(pairs)
                    .map(|(first, other)| f64::midpoint(values[first], other))
                    .collect(),
                &PairRanks::means(&values),
            );
        }
    }

    #[test]
    fn log_ratios_are_those_of_a_table() {
        let mut rng = Pcg64::seed_from_u64(32);
        for (n, m) in [(1, 1), (1, 7), (6, 6), (5, 12), (60, 33), (6, 9), (60, 60)] {
            let values = sample(&mut rng, n, 0.5);
            let others = sample(&mut rng, m, 0.5);
            assert_as_in(
                values
                    .iter()
                    .flat_map(|own| others.iter().map(move |other| (own / other).ln()))
                    .collect(),
                &PairRanks::log_ratios(&values, &others),
            );
        }
    }

    #[test]
    fn cut_is_the_last_that_fits() {
        let lower_tail = LowerTail::exact(vec![0.125, 0.125, 0.25, 0.25, 0.125, 0.125]);
        let ranks = PairRanks::means(&[1.0, 2.0, 3.0]);
        for (bound, cut) in [
            (0.1, None),
            (0.125, Some(0)),
            (0.3, Some(1)),
            (0.5, Some(2)),
            (0.9, Some(4)),
            (1.0, Some(5)),
        ] {
            assert_eq!(ranks.cut(&lower_tail, bound), cut, "{bound}");
        }
    }

    #[test]
    fn places_are_in_the_order_of_numbers() {
        let numbers = [
            f64::NEG_INFINITY,
            -1.5,
            -f64::MIN_POSITIVE,
            -0.0,
            0.0,
            5e-324,
            1.0,
            f64::MAX,
            f64::INFINITY,
        ];
        assert!(numbers.map(place).is_sorted());
        assert_eq!(
            numbers.map(|number| at_place(place(number)).to_bits()),
            numbers.map(f64::to_bits)
        );
        assert_eq!(place(-0.0) + 1, place(0.0));
    }

    #[test]
    fn two_hundred_million_means_need_no_table() {
        // The mean of i and j is s/2 where i + j = s; (s+1)/2 * (s+3)/2 pairs have no larger sum,
        // for odd s below n.
        let values: Vec<f64> = (0..20_000).map(f64::from).collect();
        let ranks = PairRanks::means(&values);
        assert_eq!((ranks.count(), ranks.median()), (200_010_000, 9_999.5));
        let up_to = 5_000 * 5_001;
        assert_eq!((ranks.at(up_to - 1), ranks.at(up_to)), (4_999.5, 5_000.0));
    }

    #[test]
    fn four_hundred_million_ratios_need_no_table() {
        // Sides that differ by a factor alone have it as the median of their ratios.
        let side = |factor: f64| -> Vec<f64> {
            (0..20_000)
                .map(|place| factor * (f64::from(place) * 1e-5).exp())
                .collect()
        };
        let ranks = PairRanks::log_ratios(&side(1.5), &side(1.0));
        assert_eq!(ranks.count(), 400_000_000);
        assert_near(ranks.median(), 1.5_f64.ln(), 1e-9);
    }
}
