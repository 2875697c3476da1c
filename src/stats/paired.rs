//! The ratio of a candidate to the baseline, from blocks that ran next to each other.

use super::forecast::Pooled;
use super::{
    END_ERROR, Evidence, Interval, MIN_LAUNCHES, OverLaunches, SignedRank, Z, estimate, median,
};

/// A ratio to the baseline, over rounds.
///
/// The median of the pairs stands for a round, because a launch is the unit of repetition and a
/// pair hit by a change of the machine's speed lies far out; then Hodges-Lehmann over rounds, on
/// logarithms.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedRatio {
    ranks: SignedRank,
    /// Half the width of the normal 95% interval of a mean; absent below two rounds.
    normal_half_width: Option<f64>,
}

impl PairedRatio {
    /// The ratio of `rounds` of logarithms of candidate over baseline, one for each pair of
    /// neighbouring blocks.
    ///
    /// Rounds without pairs do not count. `None` if there is no pair at all, or a logarithm is not
    /// finite.
    #[must_use]
    pub fn of(rounds: &[Vec<f64>]) -> Option<Self> {
        let centres: Vec<f64> = rounds
            .iter()
            .filter(|pairs| !pairs.is_empty())
            .map(|pairs| median(pairs))
            .collect::<Option<_>>()?;
        Some(PairedRatio {
            ranks: SignedRank::new(&centres)?,
            normal_half_width: Pooled::of([&centres])
                .map(|pooled| Z * (pooled.variance / centres.len() as f64).sqrt()),
        })
    }

    /// The ratio and its interval, which leaves the truth out with probability [`END_ERROR`] at
    /// most. Its n is the number of rounds.
    #[must_use]
    pub fn ratio(&self) -> OverLaunches {
        estimate(&self.ranks, END_ERROR).map(f64::exp)
    }

    /// The interval of the ratio, if there are rounds enough.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        self.ratio().interval.ok()
    }

    /// Evidence of the rounds on the log-ratio; `floor` is on its scale.
    #[must_use]
    pub fn evidence(&self, floor: f64) -> Evidence {
        self.ranks.evidence(floor)
    }

    /// The [half-width](Interval::factor_half_width_ratio) of the ratio; estimated from the rounds'
    /// standard deviation while there are too few for an interval; absent below two rounds.
    #[must_use]
    pub fn half_width_ratio(&self) -> Option<f64> {
        self.log_half_width().map(f64::exp_m1)
    }

    /// The wider half of the interval of the log-ratio.
    fn log_half_width(&self) -> Option<f64> {
        match self.ranks.interval(END_ERROR) {
            Some(interval) => Some(interval.wider_half(self.ranks.centre())),
            None => self.normal_half_width,
        }
    }

    /// How many more rounds would bring the half-width down to `target` (0.02 is 2%): it shrinks
    /// with the square root of their number, so `n * (half-width / target)^2` in all, and at least
    /// the six that an interval takes.
    ///
    /// A forecast from the spread seen so far, not a promise. 0 if the target is reached; `None` if
    /// one round is all there is, or `target` is not positive.
    #[must_use]
    pub fn more_rounds_for(&self, target: f64) -> Option<u64> {
        more_rounds(self.ranks.n, self.log_half_width()?, target)
    }
}

/// By how wide an interval `n` rounds have.
pub(super) fn more_rounds(n: u64, half_width: f64, target: f64) -> Option<u64> {
    if target.is_nan() || target <= 0.0 {
        return None;
    }
    let in_all = (n as f64 * (half_width / target).powi(2)).ceil() as u64;
    Some(in_all.max(MIN_LAUNCHES).saturating_sub(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::testing::assert_near;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    /// Rounds of 8 pairs around a true ratio, one pair in ten hit by a change of speed.
    fn rounds(count: usize, ratio: f64, seed: u64) -> Vec<Vec<f64>> {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut pair = |launch: f64| {
            let flip = if rng.random_bool(0.1) { 0.5 } else { 0.0 };
            ratio.ln() + launch + rng.random_range(-0.01..0.01) + flip
        };
        (0..count)
            .map(|round| {
                (0..8)
                    .map(|_| pair(0.004 * (round % 3) as f64 - 0.004))
                    .collect()
            })
            .collect()
    }

    #[test]
    fn planted_ratio_lies_within_the_interval() {
        let paired = PairedRatio::of(&rounds(9, 1.25, 5)).unwrap();
        let interval = paired.interval().unwrap();
        assert!(
            interval.contains(1.25) && !interval.contains(1.0),
            "{paired:?}"
        );
        assert_eq!(paired.ratio().n, 9);
        assert!(paired.half_width_ratio().unwrap() < 0.02, "{paired:?}");
    }

    #[test]
    fn median_of_pairs_stands_for_the_round() {
        let paired = PairedRatio::of(&[vec![0.0, 0.1, 9.0], vec![0.1], vec![]]).unwrap();
        assert_near(paired.ratio().value, 0.1_f64.exp(), 1e-12);
        assert_eq!((paired.ratio().n, paired.interval()), (2, None));
    }

    #[test]
    fn no_pairs_have_no_ratio() {
        for rounds in [
            vec![],
            vec![vec![]],
            vec![vec![f64::NAN]],
            vec![vec![f64::INFINITY]],
        ] {
            assert_eq!(PairedRatio::of(&rounds), None, "{rounds:?}");
        }
    }

    #[test]
    fn rounds_to_go_grow_with_the_square_of_the_target() {
        let paired = PairedRatio::of(&rounds(9, 1.0, 6)).unwrap();
        let half_width = paired.half_width_ratio().unwrap();
        assert_eq!(paired.more_rounds_for(half_width * 1.001), Some(0));
        assert_eq!(paired.more_rounds_for(half_width * 1.001 / 2.0), Some(27));
        assert_eq!(paired.more_rounds_for(0.0), None);
    }

    #[test]
    fn first_rounds_forecast_at_least_as_many_as_an_interval_takes() {
        assert_eq!(
            PairedRatio::of(&[vec![0.010], vec![0.011]])
                .unwrap()
                .more_rounds_for(0.02),
            Some(4)
        );
        assert_eq!(
            PairedRatio::of(&[vec![0.01]])
                .unwrap()
                .more_rounds_for(0.02),
            None
        );
    }
}
