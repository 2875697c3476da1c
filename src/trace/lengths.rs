//! Lengths of inferences, counted: memory goes with how many unlike ones there are, up to a bound.

use std::collections::BTreeMap;

use crate::units::Nanos;

/// Unlike lengths that are told apart. ONNX Runtime writes whole microseconds, so that those of up
/// to a second are no more; where there are more, the last bits of all are left out until there are
/// not.
const MOST_UNLIKE: usize = 1 << 20;

#[derive(Debug, Default)]
pub(super) struct Lengths {
    /// How many there are of each length, without its last bits.
    counts: BTreeMap<u64, u64>,
    pub count: u64,
    bits_out: u32,
}

impl Lengths {
    pub(super) fn add(&mut self, length: Nanos) {
        self.add_within(length, MOST_UNLIKE);
    }

    fn add_within(&mut self, length: Nanos, most: usize) {
        *self.counts.entry(length.0 >> self.bits_out).or_default() += 1;
        self.count += 1;
        while self.counts.len() > most {
            self.bits_out += 1;
            for (length, count) in std::mem::take(&mut self.counts) {
                *self.counts.entry(length >> 1).or_default() += count;
            }
        }
    }

    /// The length that one of so many parts of all are no longer than; `None` if there are none.
    pub(super) fn quantile(&self, parts: u64) -> Option<Nanos> {
        self.at(self.count.saturating_sub(1) / parts)
    }

    /// The length of a rank, that of the shortest being 0; `None` if there are not so many.
    fn at(&self, rank: u64) -> Option<Nanos> {
        let mut up_to = 0;
        for (length, count) in &self.counts {
            up_to += count;
            if up_to > rank {
                return Some(Nanos(length << self.bits_out));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lengths: impl IntoIterator<Item = u64>, most: usize) -> Lengths {
        let mut all = Lengths::default();
        lengths
            .into_iter()
            .for_each(|length| all.add_within(Nanos(length), most));
        all
    }

    #[test]
    fn ranks_are_those_of_the_sorted_lengths() {
        let lengths = of([5, 3, 9, 3, 7, 3], MOST_UNLIKE);
        let sorted = [3, 3, 3, 5, 7, 9];
        assert_eq!(lengths.count, 6);
        assert_eq!(
            sorted.map(Nanos).map(Some),
            [0, 1, 2, 3, 4, 5].map(|rank| lengths.at(rank))
        );
        assert_eq!((lengths.at(6), Lengths::default().at(0)), (None, None));
    }

    #[test]
    fn more_unlike_lengths_than_are_kept_lose_their_last_bits() {
        let lengths = of(1_000_000..1_001_000, 100);
        assert!(lengths.counts.len() <= 100 && lengths.count == 1_000);
        for rank in [0, 1, 499, 998, 999] {
            let length = lengths.at(rank).unwrap().0;
            assert!(
                length <= 1_000_000 + rank && length + 16 > 1_000_000 + rank,
                "{rank}: {length}"
            );
        }
        // However far apart they are.
        let lengths = of((0..64).map(|bit| 1_u64 << bit), 8);
        assert!(
            lengths.counts.len() <= 8 && lengths.at(63) == Some(Nanos(1 << 63)),
            "{lengths:?}"
        );
    }
}
