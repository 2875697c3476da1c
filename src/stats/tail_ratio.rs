//! The ratio of one percentile of two sides, from launches whose latencies are pooled.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::paired::more_rounds;
use super::{
    Buckets, CONFIDENCE, Counted, END_ERROR, Evidence, Interval, LaunchLatencies, MIN_LAUNCHES,
    OverLaunches, Quantile, TooFew,
};
use crate::units::Nanos;

/// They know a standard error to 5% of itself.
const RESAMPLES: usize = 200;
const SEED: u64 = 1;

/// The ratio of a candidate's percentile to the baseline's, each that of all its latencies.
///
/// A launch alone seldom has inferences enough for a percentile of the tail, so that those of all
/// launches are pooled; but latencies of one launch are alike. Whole launches are therefore
/// resampled (a bootstrap over clusters), and whole rounds where both sides took turns. The standard
/// deviation of the resampled log-ratio, times the root of L/(L-1), is its standard error, and the
/// interval that of Student's t with L-1 degrees of freedom. Of two runs the variances add up, and
/// the degrees of freedom are Welch's.
///
/// Sources: Davison and Hinkley, *Bootstrap Methods and their Application* (1997), sections 2.4 and
/// 3.8; Welch, *Biometrika* 34 (1947).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TailRatio {
    centre: f64,
    variation: Variation,
    /// Probability that the interval leaves the truth out.
    error: f64,
    launches: u64,
}

impl TailRatio {
    /// Of sides that took turns: rounds in which both were launched count. The interval leaves the
    /// truth out with probability [`END_ERROR`] at most.
    ///
    /// # Errors
    /// A side has fewer latencies than bound the percentile.
    pub fn paired(
        quantile: Quantile,
        candidate: &[LaunchLatencies],
        baseline: &[LaunchLatencies],
    ) -> Result<Self, TooFew> {
        let rounds: Vec<u64> = rounds(candidate)
            .intersection(&rounds(baseline))
            .copied()
            .collect();
        let own = Side::of(quantile, candidate, &rounds)?;
        let other = Side::of(quantile, baseline, &rounds)?;
        Ok(TailRatio {
            centre: own.of_all() - other.of_all(),
            variation: Variation::of(rounds.len(), |weights| {
                own.logarithm(weights) - other.logarithm(weights)
            }),
            error: END_ERROR,
            launches: rounds.len() as u64,
        })
    }

    /// Of two runs, with an interval of 95%. It holds the spread from launch to launch of both, and
    /// not what changed between them.
    ///
    /// # Errors
    /// A side has fewer latencies than bound the percentile.
    pub fn unpaired(
        quantile: Quantile,
        candidate: &[LaunchLatencies],
        baseline: &[LaunchLatencies],
    ) -> Result<Self, TooFew> {
        let own = Side::of(quantile, candidate, &Vec::from_iter(rounds(candidate)))?;
        let other = Side::of(quantile, baseline, &Vec::from_iter(rounds(baseline)))?;
        Ok(TailRatio {
            centre: own.of_all() - other.of_all(),
            variation: own.variation().with(other.variation()),
            error: 1.0 - CONFIDENCE,
            launches: own.counts.len().min(other.counts.len()) as u64,
        })
    }

    /// The ratio with its interval. Its n is the number of rounds, or the smaller one of launches;
    /// there is no interval below [`MIN_LAUNCHES`].
    #[must_use]
    pub fn ratio(&self) -> OverLaunches {
        OverLaunches::of(self.centre, self.interval(), self.launches).map(f64::exp)
    }

    /// Evidence on the log-ratio; `floor` is on its scale. Too few launches are none.
    #[must_use]
    pub fn evidence(&self, floor: f64) -> Evidence {
        if self.launches < MIN_LAUNCHES {
            return Evidence {
                centre: self.centre,
                floor,
                p_different: 1.0,
                p_same: 1.0,
            };
        }
        Evidence::from_one_sided(
            self.centre,
            floor,
            |bound| self.variation.p_as_far_above(self.centre - bound),
            |bound| self.variation.p_as_far_above(bound - self.centre),
        )
    }

    /// Like [`PairedRatio::more_rounds_for`](super::PairedRatio::more_rounds_for).
    #[must_use]
    pub fn more_rounds_for(&self, target: f64) -> Option<u64> {
        more_rounds(self.launches, self.half_width()?, target)
    }

    fn interval(&self) -> Option<Interval> {
        let half_width = self
            .half_width()
            .filter(|_| self.launches >= MIN_LAUNCHES)?;
        Some(Interval {
            low: self.centre - half_width,
            high: self.centre + half_width,
        })
    }

    fn half_width(&self) -> Option<f64> {
        let student = self.variation.student()?;
        Some(student.inverse_cdf(1.0 - self.error / 2.0) * self.variation.variance.sqrt())
    }
}

fn rounds(launches: &[LaunchLatencies]) -> BTreeSet<u64> {
    launches.iter().map(|launch| launch.round).collect()
}

/// What a figure varies by from one set of launches to another.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Variation {
    variance: f64,
    /// Degrees of freedom of the variance.
    freedom: f64,
}

impl Variation {
    /// Of a figure of weighted launches, of which there are so many.
    fn of(launches: usize, figure: impl Fn(&[u64]) -> f64) -> Self {
        let freedom = launches.saturating_sub(1) as f64;
        let mut random = Pcg64::seed_from_u64(SEED);
        let mut weights = vec![0; launches];
        let figures: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                weights.fill(0);
                for _ in 0..launches {
                    weights[random.random_range(0..launches)] += 1;
                }
                figure(&weights)
            })
            .collect();
        // From one of them, so that there is no variance at all where all are the same.
        let deviations = figures.iter().map(|figure| figure - figures[0]);
        let mean = deviations.clone().sum::<f64>() / RESAMPLES as f64;
        let squares: f64 = deviations.map(|deviation| (deviation - mean).powi(2)).sum();
        Variation {
            variance: squares / (RESAMPLES as f64 - 1.0) * launches as f64 / freedom.max(1.0),
            freedom,
        }
    }

    /// Of the difference of two independent figures.
    fn with(self, other: Variation) -> Self {
        let variance = self.variance + other.variance;
        let parts = [self, other].map(|part| part.variance.powi(2) / part.freedom);
        let welch = variance.powi(2) / parts.iter().sum::<f64>();
        Variation {
            variance,
            freedom: if welch.is_finite() {
                welch
            } else {
                self.freedom.min(other.freedom)
            },
        }
    }

    fn student(&self) -> Option<StudentsT> {
        StudentsT::new(0.0, 1.0, self.freedom).ok()
    }

    /// The probability of an estimate so far above the truth, or farther.
    fn p_as_far_above(&self, distance: f64) -> f64 {
        match self.student() {
            Some(student) if self.variance > 0.0 => student.sf(distance / self.variance.sqrt()),
            _ if distance > 0.0 => 0.0,
            _ => 1.0,
        }
    }
}

/// The latencies of all launches of one side.
struct Side {
    quantile: Quantile,
    /// Latencies of each launch, or round.
    counts: Vec<u64>,
    /// The longest latency first.
    latencies: Vec<Counts>,
}

/// Latencies of one launch, or round, in one bucket.
struct Counts {
    latency: Nanos,
    launch: usize,
    count: u64,
}

impl Side {
    fn of(
        quantile: Quantile,
        launches: &[LaunchLatencies],
        rounds: &[u64],
    ) -> Result<Self, TooFew> {
        let mut side = Side {
            quantile,
            counts: vec![0; rounds.len()],
            latencies: Vec::new(),
        };
        for LaunchLatencies { round, latencies } in launches {
            if let Ok(launch) = rounds.binary_search(round) {
                side.add(launch, latencies);
            }
        }
        side.latencies
            .sort_unstable_by_key(|counts| Reverse(counts.latency));
        let (needs, has) = (quantile.needs(), side.counts.iter().sum());
        if has < needs {
            return Err(TooFew {
                needs,
                has,
                counted: Counted::Inferences,
            });
        }
        Ok(side)
    }

    fn add(&mut self, launch: usize, latencies: &Buckets) {
        self.counts[launch] += latencies.count();
        self.latencies
            .extend(latencies.counts().map(|(latency, count)| Counts {
                latency,
                launch,
                count,
            }));
    }

    /// Of the percentile, in nanoseconds, by nearest rank, where each launch counts as often as its weight says.
    fn logarithm(&self, weights: &[u64]) -> f64 {
        let all: u64 = self
            .counts
            .iter()
            .zip(weights)
            .map(|(count, weight)| count * weight)
            .sum();
        let most_above = all.saturating_sub(self.quantile.rank(all));
        let mut above = 0;
        let reached = self.latencies.iter().find(|latency| {
            above += latency.count * weights[latency.launch];
            above > most_above
        });
        reached
            .or(self.latencies.last())
            .map_or(0.0, |counts| counts.latency.as_f64().max(1.0).ln())
    }

    fn of_all(&self) -> f64 {
        self.logarithm(&vec![1; self.counts.len()])
    }

    fn variation(&self) -> Variation {
        Variation::of(self.counts.len(), |weights| self.logarithm(weights))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Relation;
    use crate::stats::testing::{self, assert_near};

    fn of(values: impl IntoIterator<Item = u64>) -> Buckets {
        Buckets::from(&testing::of(values))
    }

    /// Launches of a hundred latencies from `base` up, of which that of round r is longer by r%.
    fn launches(base: u64, count: u64) -> Vec<LaunchLatencies> {
        (0..count)
            .map(|round| LaunchLatencies {
                round,
                latencies: of((0..100).map(|step| base * (1_000 + step) * (100 + round) / 100)),
            })
            .collect()
    }

    fn paired(candidate: u64, baseline: u64, count: u64) -> TailRatio {
        TailRatio::paired(
            Quantile::P99,
            &launches(candidate, count),
            &launches(baseline, count),
        )
        .unwrap()
    }

    #[test]
    fn what_rounds_have_in_common_cancels_out() {
        let found = paired(1_200, 1_000, 8).ratio();
        let interval = found.interval.unwrap();
        assert_near(found.value, 1.2, 2e-3);
        assert!(
            interval.high - interval.low < 0.01 && interval.contains(1.2),
            "{found:?}"
        );
        let apart = TailRatio::unpaired(Quantile::P99, &launches(1_200, 8), &launches(1_000, 8));
        let apart = apart.unwrap().ratio();
        assert_near(apart.value, found.value, 1e-12);
        let wide = apart.interval.unwrap();
        assert!(
            wide.high - wide.low > 0.03 && wide.contains(1.2),
            "{apart:?}"
        );
    }

    #[test]
    fn a_tail_that_is_longer_beyond_the_floor_is_found_and_one_that_is_not_is_the_same() {
        let floor = 0.1_f64.ln_1p();
        for (candidate, relation) in [
            (1_000, Relation::Same),
            (1_050, Relation::Same),
            (1_200, Relation::Above),
            (800, Relation::Below),
        ] {
            let evidence = paired(candidate, 1_000, 8).evidence(floor);
            assert_eq!(evidence.relation(END_ERROR), relation, "{candidate}");
        }
    }

    #[test]
    fn launches_are_pooled_where_one_alone_has_too_few() {
        let few = TailRatio::paired(Quantile::P99, &launches(1_000, 3), &launches(1_000, 8));
        assert_eq!(
            few.unwrap_err().to_string(),
            "needs 368 inferences, has 300"
        );
        // Four launches have enough of them, and are too few for an interval or a verdict.
        let four = paired(2_000, 1_000, 4);
        assert_eq!(
            four.ratio().interval.unwrap_err().to_string(),
            "needs 6 launches, has 4"
        );
        assert_eq!(
            four.evidence(0.0).relation(END_ERROR),
            Relation::Undecided,
            "{four:?}"
        );
        assert!(paired(2_000, 1_000, 6).ratio().interval.is_ok());
    }

    #[test]
    fn a_tail_in_one_launch_alone_shows_nothing() {
        let mut slow = launches(1_000, 8);
        slow[3].latencies = of((0..100).map(|step| 3_000 * (1_000 + step)));
        let found = TailRatio::paired(Quantile::P99, &slow, &launches(1_000, 8)).unwrap();
        let interval = found.ratio().interval.unwrap();
        assert!(
            found.ratio().value > 2.0 && interval.contains(1.0),
            "{found:?}"
        );
        assert_eq!(found.evidence(0.0).relation(END_ERROR), Relation::Undecided);
        assert!(found.more_rounds_for(0.1).unwrap() > 100);
    }

    fn same(ns: u64) -> Vec<LaunchLatencies> {
        (0..6)
            .map(|round| LaunchLatencies {
                round,
                latencies: of(std::iter::repeat_n(ns, 80)),
            })
            .collect()
    }

    #[test]
    fn latencies_without_noise_are_told_exactly() {
        for (candidate, relation) in [(1_000, Relation::Same), (2_000, Relation::Above)] {
            let found = TailRatio::paired(Quantile::P99, &same(candidate), &same(1_000)).unwrap();
            let interval = found.ratio().interval.unwrap();
            assert_eq!(interval.low, interval.high);
            assert_eq!(found.evidence(0.1).relation(END_ERROR), relation);
        }
    }
}
