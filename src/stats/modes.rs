//! Whether a machine switched between two speeds while a cell was measured, or latencies have two
//! modes.

use serde::{Deserialize, Serialize};

use super::launches::{are_usable, logarithms};
use super::percentile::ascending;
use super::{Buckets, median, running_sums};
use crate::units::Ratio;

/// Two speeds between which the machine switched.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpeedStates {
    /// Median latency of the slow state over that of the fast one, above 1.
    pub slow_to_fast_ratio: Ratio,
    /// Share of the blocks that ran in the slow state.
    pub slow_share_ratio: Ratio,
}

/// Two modes of the latencies of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyModes {
    /// Median latency of the fast mode, in nanoseconds.
    pub fast_ns: f64,
    /// Median latency of the slow mode, in nanoseconds.
    pub slow_ns: f64,
    /// Share of the latencies in the slow mode.
    pub slow_share_ratio: Ratio,
}

/// Quantiles that stand for a distribution of latencies; noise in their place is far below what is
/// told apart.
const LATENCY_POINTS: u64 = 200;
/// States closer than this are not told apart: launches of one binary differ by some percent on
/// their own.
const MIN_SLOW_OVER_FAST: f64 = 1.1;
/// A state holds at least this share of the blocks; fewer are outliers.
const MIN_SHARE: f64 = 0.1;
/// A state holds at least this many blocks.
const MIN_BLOCKS: usize = 5;
/// The states' centres are at least this many of the wider state's standard deviations apart.
const MIN_SEPARATION: f64 = 4.0;
/// Blocks in the middle half between the centres, as a share of the smaller state: a valley has
/// few.
const MAX_VALLEY: f64 = 0.2;
/// Median absolute deviation to standard deviation, for normal noise.
const MAD_TO_SD: f64 = 1.4826;

/// Recognizes two speed states in the median latencies of a cell's blocks, in any order.
///
/// The logarithms are split where the absolute deviations from both sides' medians are least (the
/// one-dimensional 2-medians problem, solved exactly on the sorted values). Two medians always
/// exist, so the split counts only if both sides hold enough blocks, their centres are far apart
/// both as a ratio and against their own spread, and the valley between them is nearly empty: the
/// split of one heavy-tailed hump fails that, because its middle is full.
///
/// The bounds were set by simulation, which the tests repeat: at 24 to 200 blocks, normal, Student
/// t, Cauchy, exponential and Pareto noise is called two states in at most 3% of series, and states
/// 1.25 and 1.8 apart with 1% noise are found in more than 95%. Median and MAD instead of mean and
/// deviation follow Leys et al., *J. Exp. Soc. Psychol.* 49 (2013); the demand for separation in
/// units of spread follows Ashman, Bird and Zepf, *Astron. J.* 108 (1994).
#[must_use]
pub fn speed_states(block_medians: &[f64]) -> Option<SpeedStates> {
    let modes = two_modes(block_medians)?;
    Some(SpeedStates {
        slow_to_fast_ratio: Ratio((modes.slow - modes.fast).exp()),
        slow_share_ratio: Ratio(modes.slow_share),
    })
}

/// Recognizes two modes among latencies, by the rule of [`speed_states`] on evenly spaced quantiles
/// of them.
///
/// `None` as well below 200 latencies, whose quantiles would repeat each other.
#[must_use]
pub fn latency_modes(latencies: &Buckets) -> Option<LatencyModes> {
    let n = latencies.count();
    if n < LATENCY_POINTS {
        return None;
    }
    let points: Vec<f64> = (0..LATENCY_POINTS)
        .map(|part| Some(latencies.at_rank(middle_rank(part, n))?.as_f64()))
        .collect::<Option<_>>()?;
    let modes = two_modes(&points)?;
    Some(LatencyModes {
        fast_ns: modes.fast.exp(),
        slow_ns: modes.slow.exp(),
        slow_share_ratio: Ratio(modes.slow_share),
    })
}

/// The rank of the middle of a part, of as many equal ones as stand for a distribution.
fn middle_rank(part: u64, n: u64) -> u64 {
    let middle = (2 * u128::from(part) + 1) * u128::from(n) / (2 * u128::from(LATENCY_POINTS));
    middle as u64 + 1
}

struct Modes {
    fast: f64,
    slow: f64,
    slow_share: f64,
}

fn two_modes(values: &[f64]) -> Option<Modes> {
    if !are_usable(values) {
        return None;
    }
    let logarithms = ascending(&logarithms(values));
    let (fast, slow) = logarithms.split_at(best_split(&logarithms)?);
    let fast_centre = median(fast)?;
    let slow_centre = median(slow)?;

    let distance = slow_centre - fast_centre;
    let spread = MAD_TO_SD * deviation(fast, fast_centre)?.max(deviation(slow, slow_centre)?);
    let apart = distance >= MIN_SLOW_OVER_FAST.ln() && distance >= MIN_SEPARATION * spread;
    let hollow = valley_count(&logarithms, fast_centre, slow_centre) as f64
        <= MAX_VALLEY * fast.len().min(slow.len()) as f64;
    let slow_share = slow.len() as f64 / logarithms.len() as f64;
    (apart && hollow).then_some(Modes {
        fast: fast_centre,
        slow: slow_centre,
        slow_share,
    })
}

/// How many values lie in the middle half between two centres.
fn valley_count(values: &[f64], low: f64, high: f64) -> usize {
    let distance = high - low;
    let valley = (low + distance / 4.0)..(high - distance / 4.0);
    values.iter().filter(|value| valley.contains(value)).count()
}

/// Median absolute deviation from `centre`.
fn deviation(values: &[f64], centre: f64) -> Option<f64> {
    let deviations: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    median(&deviations)
}

/// How many of the ascending values the lower side of the best split takes; `None` if there are too
/// few for two sides.
fn best_split(sorted: &[f64]) -> Option<usize> {
    let smallest = MIN_BLOCKS.max((MIN_SHARE * sorted.len() as f64).ceil() as usize);
    let mut sums = vec![0.0];
    sums.extend(running_sums(sorted.iter().copied()));
    let last = sorted.len().checked_sub(smallest)?;
    (smallest..=last).min_by(|&a, &b| {
        let a = deviations(&sums, 0, a) + deviations(&sums, a, sorted.len());
        let b = deviations(&sums, 0, b) + deviations(&sums, b, sorted.len());
        a.total_cmp(&b)
    })
}

/// Deviations of ascending values from their median: what the upper half sums up to, less what the
/// lower half does.
fn deviations(sums: &[f64], from: usize, to: usize) -> f64 {
    let half = (to - from) / 2;
    (sums[to] - sums[to - half]) - (sums[from + half] - sums[from])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::testing::{assert_near, of};
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    const SERIES: usize = 300;

    type Noise = fn(&mut Pcg64) -> f64;

    fn uniform(rng: &mut Pcg64) -> f64 {
        rng.random_range(1e-9..1.0)
    }

    fn normal(rng: &mut Pcg64) -> f64 {
        (-2.0 * uniform(rng).ln()).sqrt() * (std::f64::consts::TAU * uniform(rng)).cos()
    }

    /// Share of series of `blocks` blocks, whose log medians `noise` draws, in which two states are
    /// seen.
    fn seen(blocks: usize, noise: impl Fn(&mut Pcg64) -> f64) -> f64 {
        let mut rng = Pcg64::seed_from_u64(17);
        (0..SERIES)
            .filter(|_| {
                let medians: Vec<f64> = (0..blocks).map(|_| 1e6 * noise(&mut rng).exp()).collect();
                speed_states(&medians).is_some()
            })
            .count() as f64
            / SERIES as f64
    }

    #[test]
    fn one_state_with_any_noise_is_not_called_two() {
        let noises: [(&str, Noise); 8] = [
            ("quiet", |rng| 0.01 * normal(rng)),
            ("normal", |rng| 0.05 * normal(rng)),
            ("loud", |rng| 0.2 * normal(rng)),
            ("student t, 2 degrees", |rng| {
                0.03 * normal(rng) / (-uniform(rng).ln()).sqrt()
            }),
            ("cauchy", |rng| {
                0.02 * (std::f64::consts::PI * (uniform(rng) - 0.5)).tan()
            }),
            ("exponential", |rng| -0.1 * uniform(rng).ln()),
            ("pareto", |rng| {
                (1.0 + 0.1 * (uniform(rng).powf(-0.5) - 1.0)).ln()
            }),
            ("uniform", |rng| 0.4 * uniform(rng)),
        ];
        for (name, noise) in noises {
            for blocks in [24, 64, 200] {
                let share = seen(blocks, noise);
                assert!(share <= 0.03, "{name}, {blocks} blocks: {share}");
            }
        }
    }

    #[test]
    fn two_states_are_found() {
        for ratio in [1.25_f64, 1.8] {
            for slow_share in [0.25, 0.5, 0.75] {
                let share = seen(64, |rng| {
                    let slow = if rng.random_bool(slow_share) {
                        ratio.ln()
                    } else {
                        0.0
                    };
                    slow + 0.01 * normal(rng)
                });
                assert!(share >= 0.95, "{ratio} apart, {slow_share} slow: {share}");
            }
        }
    }

    #[test]
    fn states_are_measured() {
        let medians: Vec<f64> = (0..40)
            .map(|block| if block % 4 == 0 { 3.78e3 } else { 2.1e3 })
            .collect();
        let states = speed_states(&medians).unwrap();
        assert_near(states.slow_to_fast_ratio.0, 1.8, 1e-9);
        assert_near(states.slow_share_ratio.0, 0.25, 1e-9);
    }

    #[test]
    fn lone_outliers_do_not_hide_two_states() {
        let mut medians: Vec<f64> = (0..40)
            .map(|block| if block % 2 == 0 { 1_000.0 } else { 1_250.0 })
            .collect();
        medians.extend([40_000.0, 90_000.0]);
        let states = speed_states(&medians).unwrap();
        assert_near(states.slow_to_fast_ratio.0, 1.25, 0.01);
    }

    /// `count` latencies, whose logarithms `noise` draws around 57 us.
    fn latencies(count: usize, noise: impl Fn(&mut Pcg64) -> f64) -> Buckets {
        let mut rng = Pcg64::seed_from_u64(19);
        Buckets::from(&of(
            (0..count).map(|_| (57_000.0 * noise(&mut rng).exp()) as u64)
        ))
    }

    #[test]
    fn two_modes_of_latencies_are_named() {
        let apart = (90.0_f64 / 57.0).ln();
        let modes = latency_modes(&latencies(5_000, |rng| {
            let slow = if rng.random_bool(0.3) { apart } else { 0.0 };
            slow + 0.02 * normal(rng)
        }))
        .unwrap();
        assert_near(modes.fast_ns / 57e3, 1.0, 0.01);
        assert_near(modes.slow_ns / 90e3, 1.0, 0.01);
        assert_near(modes.slow_share_ratio.0, 0.3, 0.03);
    }

    #[test]
    fn one_mode_with_a_tail_is_not_called_two() {
        let noises: [(usize, Noise); 4] = [
            (5_000, |rng| -0.3 * uniform(rng).ln()),
            (5_000, |rng| match rng.random_bool(0.03) {
                true => 0.8,
                false => 0.01 * normal(rng),
            }),
            (5_000, |_| 0.0),
            (199, |rng| 0.8 * f64::from(rng.random_bool(0.5))),
        ];
        for (count, noise) in noises {
            assert_eq!(latency_modes(&latencies(count, noise)), None);
        }
    }

    #[test]
    fn short_or_constant_series_have_no_states() {
        for medians in [&[][..], &[1.0, 1.0, 2.0, 2.0], &[5.0; 64], &[0.0; 64]] {
            assert_eq!(speed_states(medians), None, "{medians:?}");
        }
    }
}
