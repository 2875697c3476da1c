//! Whether the latency of a cell kept its level while it was measured.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use super::percentile::{ascending, median};
use super::wander::Wander;

/// How the latency of a cell went while it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SteadyClass {
    /// No trend and no wandering that the blocks could tell from noise.
    Flat,
    /// It falls: from block to block of a launch, or from launch to launch.
    WarmingUp,
    /// It rises.
    SlowingDown,
    /// It wanders: neighbouring blocks are alike, without a direction that launches share.
    NoSteadyState,
}

/// Probability of calling a flat series anything else, over all tests of a cell.
const ERROR: f64 = 0.01;
/// The least change over a launch or the run, and the least deviation of a wandering level, that
/// matters: what medians of one model differ by from run to run.
const FLOOR_RATIO: f64 = 0.02;

/// Points of a launch: more blocks are joined to medians of neighbours, since all pairs are looked
/// at.
const MOST_POINTS: usize = 100;
/// Points of all launches together, among each other: more of them are joined likewise.
const MOST_LAUNCHES: usize = 2_048;
/// Pairs of points within launches, whose slopes are kept: where there are more than 2,000, each
/// has fewer points.
const MOST_PAIRS: usize = 10_000_000;
/// The fewest points of a launch: a series of three cannot be seen to wander.
const LEAST_POINTS: usize = 4;

/// Classifies block medians, by launch and in time order; `None` where no series, however steep,
/// would be called anything but flat. Values that are not positive and finite are left out.
///
/// Three tests, whose error of 1% is divided among those that there are blocks for:
/// - a trend within launches: Mann and Kendall's S summed over launches (Hirsch and Slack, *Water Resources Research*
///   20 (1984) 727-732). Where launches differ by more than independent blocks would, as wandering ones do, the
///   variance of S is that between launches. Its size is the median slope of all pairs of a launch's blocks (Theil and
///   Sen), times the length of the longest launch.
/// - a trend across launches: S of the launches' medians, and their median slope times the length of the run.
/// - dependence within launches: Bartels' rank version of von Neumann's ratio (*Journal of the American Statistical
///   Association* 77 (1982) 40-46), summed over launches, on the side of neighbours that are alike. Its size is the
///   root of the covariance of neighbours: the standard deviation of the level that they share.
///
/// Blocks of launches with more than 100, or with fewer where there are more than 2,000 launches,
/// are joined to the medians of neighbours, and so are launches beyond 2,048. A size counts from 2%
/// on. Trends that contradict each other are no steady state.
#[must_use]
pub fn steady_class(launches: &[Vec<f64>]) -> Option<SteadyClass> {
    let series = series(launches)?;
    let medians: Vec<f64> = series.iter().filter_map(|launch| median(launch)).collect();
    let medians = joined(&medians, medians.len().div_ceil(MOST_LAUNCHES));
    let across = std::slice::from_ref(&medians);
    let trends: Vec<Trend> = trend(&series).into_iter().chain(trend(across)).collect();
    let wander = Wander::of(&series);
    let tests = trends.len() + usize::from(wander.is_some());
    let error = ERROR / tests.max(1) as f64;
    let smoothest = wander.as_ref().map(|wander| wander.smoothest);
    [steepest(&series), steepest(across)]
        .into_iter()
        .chain(smoothest)
        .any(|p| p < ERROR / 3.0)
        .then(|| class_of(&trends, wander.as_ref(), error))
}

/// Logarithms of the medians of each launch, joined where they are many; absent without a launch.
fn series(launches: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let neighbours = launches
        .iter()
        .map(Vec::len)
        .max()?
        .div_ceil(most_points(launches.len()));
    Some(
        launches
            .iter()
            .map(|launch| joined(&logarithms(launch), neighbours))
            .collect(),
    )
}

/// Those of the values that are positive and finite.
fn logarithms(values: &[f64]) -> Vec<f64> {
    values
        .iter()
        .filter(|value| value.is_finite() && **value > 0.0)
        .map(|value| value.ln())
        .collect()
}

fn class_of(trends: &[Trend], wander: Option<&Wander>, error: f64) -> SteadyClass {
    let signs: Vec<f64> = trends
        .iter()
        .filter(|trend| trend.p < error && trend.change.abs() >= FLOOR_RATIO.ln_1p())
        .map(|trend| trend.change.signum())
        .collect();
    match signs.as_slice() {
        [] if wander.is_some_and(|wander| wander.p < error && wander.deviation >= FLOOR_RATIO) => {
            SteadyClass::NoSteadyState
        }
        [] => SteadyClass::Flat,
        [first, ..] if signs.iter().any(|sign| sign != first) => SteadyClass::NoSteadyState,
        [first, ..] if *first < 0.0 => SteadyClass::WarmingUp,
        _ => SteadyClass::SlowingDown,
    }
}

/// How many points each of several launches may have.
fn most_points(launches: usize) -> usize {
    (2 * MOST_PAIRS / launches.max(1))
        .isqrt()
        .clamp(LEAST_POINTS, MOST_POINTS)
}

/// The medians of as many neighbours as are given.
fn joined(values: &[f64], neighbours: usize) -> Vec<f64> {
    values
        .chunks(neighbours.max(1))
        .filter_map(median)
        .collect()
}

struct Trend {
    /// Probability of an S as far from zero if there were none.
    p: f64,
    /// Change over the longest series, in the unit of the values.
    change: f64,
}

/// The common trend of `series`; `None` if no two values of one differ.
fn trend(series: &[Vec<f64>]) -> Option<Trend> {
    let scores: Vec<f64> = series.iter().map(|values| score(values)).collect();
    let slopes: Vec<f64> = series.iter().flat_map(|values| slopes(values)).collect();
    let longest = series.iter().map(Vec::len).max()?.saturating_sub(1) as f64;
    let variance = series
        .iter()
        .map(|values| score_variance(values))
        .sum::<f64>()
        .max(variance_between(&scores));
    let change = median(&slopes)? * longest;
    (variance > 0.0).then(|| Trend {
        p: two_sided(scores.iter().sum(), variance),
        change,
    })
}

/// The smallest probability that a trend of series of these lengths can have.
fn steepest(series: &[Vec<f64>]) -> f64 {
    let pairs: f64 = series
        .iter()
        .map(|values| (values.len() * values.len().saturating_sub(1) / 2) as f64)
        .sum();
    let variance: f64 = series
        .iter()
        .map(|values| variance_of_untied(values.len()))
        .sum();
    if variance > 0.0 {
        two_sided(pairs, variance)
    } else {
        1.0
    }
}

/// Probability of a sum of scores at least as far from zero, with the correction for continuity.
fn two_sided(score: f64, variance: f64) -> f64 {
    let z = (score.abs() - 1.0).max(0.0) / variance.sqrt();
    2.0 * Normal::standard().sf(z)
}

fn pairs(values: &[f64]) -> impl Iterator<Item = (usize, usize)> {
    let n = values.len();
    (0..n).flat_map(move |first| (first + 1..n).map(move |second| (first, second)))
}

/// Mann and Kendall's S: pairs that rise less pairs that fall.
fn score(values: &[f64]) -> f64 {
    pairs(values)
        .map(|(first, second)| f64::from(values[second].total_cmp(&values[first]) as i8))
        .sum()
}

fn slopes(values: &[f64]) -> impl Iterator<Item = f64> {
    pairs(values).map(|(first, second)| (values[second] - values[first]) / (second - first) as f64)
}

fn variance_of_untied(n: usize) -> f64 {
    let n = n as f64;
    n * (n - 1.0) * (2.0 * n + 5.0) / 18.0
}

/// Variance of S among independent values, less what ties take.
fn score_variance(values: &[f64]) -> f64 {
    let ties: f64 = ascending(values)
        .chunk_by(|one, other| one == other)
        .map(|tied| variance_of_untied(tied.len()))
        .sum();
    variance_of_untied(values.len()) - ties
}

/// Variance of the sum of `scores`, estimated from how they differ.
fn variance_between(scores: &[f64]) -> f64 {
    let n = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / n;
    let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
    if n > 1.0 {
        squares * n / (n - 1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::testing::assert_near;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    const TRIALS: usize = 2_000;

    fn normal(rng: &mut Pcg64) -> f64 {
        (-2.0 * rng.random_range(1e-12..1.0_f64).ln()).sqrt()
            * (std::f64::consts::TAU * rng.random_range(0.0..1.0)).cos()
    }

    fn share_of(class: SteadyClass, seed: u64, run: impl Fn(&mut Pcg64) -> Vec<Vec<f64>>) -> f64 {
        let mut rng = Pcg64::seed_from_u64(seed);
        (0..TRIALS)
            .filter(|_| steady_class(&run(&mut rng)) == Some(class))
            .count() as f64
            / TRIALS as f64
    }

    /// Share of runs of this many launches and blocks that are classified as `class`; `level` gives
    /// the logarithm of a block's level by launch and block, to which noise of 5% is added.
    fn share(
        class: SteadyClass,
        (launches, blocks): (usize, usize),
        level: impl Fn(f64, f64) -> f64,
    ) -> f64 {
        share_of(class, 84, |rng| {
            let mut block = |launch: usize, block: usize| {
                1e6 * (level(launch as f64, block as f64) + 0.05 * normal(rng)).exp()
            };
            (0..launches)
                .map(|launch| (0..blocks).map(|number| block(launch, number)).collect())
                .collect()
        })
    }

    /// As [`share`], of autoregressive blocks with a correlation of 0.8 and a deviation of 5%.
    fn share_of_wandering(class: SteadyClass, launches: usize, blocks: usize) -> f64 {
        share_of(class, 82, |rng| {
            let mut launch = || {
                let mut last = normal(rng);
                let mut next = || {
                    last = 0.8 * last + 0.6 * normal(rng);
                    (0.05 * last).exp()
                };
                (0..blocks).map(|_| next()).collect()
            };
            (0..launches).map(|_| launch()).collect()
        })
    }

    #[test]
    fn noise_is_flat() {
        for shape in [(1, 30), (6, 6), (8, 12), (10, 3), (12, 1)] {
            let flat = share(SteadyClass::Flat, shape, |_, _| 0.0);
            assert!(flat >= 0.98, "{shape:?}: {flat}");
        }
    }

    #[test]
    fn trends_are_told_by_their_direction() {
        let falls = share(SteadyClass::WarmingUp, (8, 12), |_, block| -0.01 * block);
        let rises = share(SteadyClass::SlowingDown, (10, 6), |launch, _| 0.03 * launch);
        assert!(falls >= 0.95 && rises >= 0.95, "{falls} {rises}");
    }

    #[test]
    fn trends_count_from_two_percent_on() {
        let run = |change: f64| -> Vec<Vec<f64>> {
            let block = |number: i32| 1e6 * (change * f64::from(number) / 299.0).exp();
            vec![(0..300).map(block).collect(); 4]
        };
        assert_eq!(
            [0.018, 0.022, -0.022].map(|change| steady_class(&run(change))),
            [
                SteadyClass::Flat,
                SteadyClass::SlowingDown,
                SteadyClass::WarmingUp
            ]
            .map(Some)
        );
    }

    #[test]
    fn wandering_without_a_common_direction_is_no_steady_state() {
        let wandering = share_of_wandering(SteadyClass::NoSteadyState, 8, 20);
        let falling = share_of_wandering(SteadyClass::WarmingUp, 8, 20);
        assert!(wandering >= 0.9 && falling <= 0.02, "{wandering} {falling}");
    }

    #[test]
    fn opposite_trends_are_no_steady_state() {
        let run: Vec<Vec<f64>> = (0..10)
            .map(|launch| {
                (0..10)
                    .map(|block| 1e6 + 1e5 * f64::from(launch) - 1e4 * f64::from(block))
                    .collect()
            })
            .collect();
        assert_eq!(steady_class(&run), Some(SteadyClass::NoSteadyState));
    }

    #[test]
    fn points_are_few_enough_to_look_at_all_pairs() {
        for (launches, points) in [
            (0, 100),
            (1, 100),
            (2_000, 100),
            (8_000, 50),
            (100_000, 14),
            (100_000_000, 4),
        ] {
            assert_eq!(most_points(launches), points, "{launches}");
        }
        assert_eq!(joined(&[1.0, 3.0, 7.0, 5.0, 6.0], 2), [2.0, 6.0, 6.0]);
        assert_eq!(joined(&[1.0, 3.0], 0), [1.0, 3.0]);
    }

    #[test]
    fn trend_across_many_launches_is_that_of_joined_ones() {
        let run = |launches: u32| -> Vec<Vec<f64>> {
            let level = |launch: u32| 1e6 * (0.03 * f64::from(launch) / f64::from(launches)).exp();
            (0..launches).map(|launch| vec![level(launch)]).collect()
        };
        assert_eq!(steady_class(&run(2_050)), Some(SteadyClass::SlowingDown));
        assert_eq!(
            steady_class(&vec![vec![1e6]; 2_050]),
            Some(SteadyClass::Flat)
        );
    }

    #[test]
    fn constant_series_are_flat_and_short_ones_unknown() {
        assert_eq!(
            steady_class(&vec![vec![5.0; 12]; 8]),
            Some(SteadyClass::Flat)
        );
        assert_eq!(steady_class(&[vec![1.0, 2.0, 3.0]]), None);
        assert_eq!(steady_class(&vec![vec![1.0]; 4]), None);
        assert_eq!(steady_class(&[]), None);
    }

    #[test]
    fn scores_are_computed_by_hand() {
        // 9 pairs rise and 1 falls; the two 2s tie in the second series: 4 rise, 1 falls; 26/3 - 1.
        assert_eq!(score(&[1.0, 2.0, 4.0, 3.0, 5.0]), 8.0);
        assert_eq!(score(&[1.0, 2.0, 2.0, 4.0]), 5.0);
        assert_near(
            score_variance(&[1.0, 2.0, 4.0, 3.0, 5.0]),
            50.0 / 3.0,
            1e-12,
        );
        assert_near(score_variance(&[1.0, 2.0, 2.0, 4.0]), 23.0 / 3.0, 1e-12);
    }
}
