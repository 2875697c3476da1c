//! The batch size with the most throughput for its latency.

use super::launches::{CurveLaunches, LaunchPoint, in_common};
use crate::analysis::{CurvePoint, Knee, KneePlace};
use crate::stats;

/// `None` where there are fewer than two batch sizes to choose from.
pub(super) fn knee(measured: &CurveLaunches<'_>) -> Option<Knee> {
    let (batch_size, place) = most_power(&measured.curve.points)?;
    let most = measured.at(batch_size);
    let ties = measured
        .points
        .iter()
        .filter(|(size, launches)| *size != batch_size && !is_less(launches, most));
    Some(Knee {
        batch_size,
        place,
        ties: ties.map(|(size, _)| *size).collect(),
    })
}

/// By throughput / median latency, and where it lies; `None` where there are fewer than two.
fn most_power(points: &[CurvePoint]) -> Option<(u64, KneePlace)> {
    let (smallest, largest) = (points.first()?.batch_size, points.last()?.batch_size);
    let knee = points
        .iter()
        .max_by(|one, other| power(one).total_cmp(&power(other)))?
        .batch_size;
    let place = match knee {
        _ if points.len() < 2 => return None,
        _ if knee == smallest => KneePlace::Smallest,
        _ if knee == largest => KneePlace::Largest,
        _ => KneePlace::Within,
    };
    Some((knee, place))
}

fn power(point: &CurvePoint) -> f64 {
    point.throughput_per_sec / point.latency_p50_ns
}

/// Whether the interval of the power over that of `most`, launch by launch, lies below 1.
fn is_less(launches: &[LaunchPoint], most: &[LaunchPoint]) -> bool {
    let interval = stats::over_launches(
        &in_common(launches, most)
            .map(|(own, most)| own.power() / most.power())
            .collect::<Vec<_>>(),
    )
    .and_then(|found| found.interval.ok());
    interval.is_some_and(|interval| interval.high < 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::figures::Support;

    /// Points of a latency of 80 + 20 n: their power is n / (80 + 20 n)^2, which is largest at n =
    /// 80 / 20.
    fn points(batch_sizes: &[u64]) -> Vec<CurvePoint> {
        batch_sizes
            .iter()
            .map(|&batch_size| {
                let latency_p50_ns = 80.0 + 20.0 * batch_size as f64;
                CurvePoint {
                    batch_size,
                    throughput_per_sec: batch_size as f64 / latency_p50_ns * 1e9,
                    latency_p50_ns,
                    support: Support::Interval,
                }
            })
            .collect()
    }

    #[test]
    fn knee_is_told_from_the_ends_of_what_was_measured() {
        for (batch_sizes, expected) in [
            (&[1, 2, 4, 8, 16][..], Some((4, KneePlace::Within))),
            (&[4, 8, 16], Some((4, KneePlace::Smallest))),
            (&[1, 2, 4], Some((4, KneePlace::Largest))),
            (&[4], None),
        ] {
            assert_eq!(
                most_power(&points(batch_sizes)),
                expected,
                "{batch_sizes:?}"
            );
        }
    }

    #[test]
    fn power_is_less_where_launches_agree_on_it() {
        let [most, less, unsure, half] =
            [[1.0; 6], [0.9; 6], [0.9, 0.9, 0.9, 1.1, 0.9, 0.9], [0.5; 6]].map(launches);
        assert!(is_less(&less, &most));
        assert!(!is_less(&unsure, &most));
        assert!(
            !is_less(&half[..5], &most),
            "five launches have no interval"
        );
    }

    fn launches(ratios: [f64; 6]) -> Vec<LaunchPoint> {
        (0..)
            .zip(ratios)
            .map(|(launch, ratio)| LaunchPoint {
                launch,
                median_ns: [10.0, 20.0][launch as usize % 2],
                throughput_per_sec: ratio * [100.0, 50.0][launch as usize % 2],
            })
            .collect()
    }
}
