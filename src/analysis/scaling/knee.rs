//! The batch size with the most throughput for its latency.

use super::launches::{CurveLaunches, LaunchPoint, in_common};
use crate::analysis::{CurvePoint, Knee, KneePlace};
use crate::stats;

/// `None` where there are fewer than two batch sizes to choose from.
pub(super) fn knee(measured: &CurveLaunches<'_>) -> Option<Knee> {
    let (batch_size, place) = most_power(&measured.curve.points)?;
    let most = measured.at(batch_size);
    let ties = measured
        .batch_sizes()
        .filter(|(size, launches)| *size != batch_size && !is_less(launches, most));
    Some(Knee {
        batch_size,
        place,
        ties: ties.map(|(size, _)| size).collect(),
    })
}

/// By throughput / median latency, and where it lies; `None` where there are fewer than two.
fn most_power(points: &[CurvePoint]) -> Option<(u64, KneePlace)> {
    let knee = points
        .iter()
        .max_by(|one, other| power(one).total_cmp(&power(other)))?
        .batch_size;
    (points.len() > 1).then_some((knee, place(knee, points)?))
}

fn power(point: &CurvePoint) -> f64 {
    point.throughput_per_sec / point.latency_p50_ns
}

/// `None` among no points.
fn place(knee: u64, points: &[CurvePoint]) -> Option<KneePlace> {
    let (smallest, largest) = (points.first()?.batch_size, points.last()?.batch_size);
    Some(match knee {
        _ if knee == smallest => KneePlace::Smallest,
        _ if knee == largest => KneePlace::Largest,
        _ => KneePlace::Within,
    })
}

/// Whether the interval of the power over that of `most`, launch by launch, lies below 1.
fn is_less(launches: &[LaunchPoint], most: &[LaunchPoint]) -> bool {
    let power = |point: &LaunchPoint| point.throughput_per_sec / point.median_ns;
    let ratios: Vec<f64> = in_common(launches, most)
        .map(|(own, most)| power(own) / power(most))
        .collect();
    let interval = stats::over_launches(&ratios).and_then(|found| found.interval.ok());
    interval.is_some_and(|interval| interval.high < 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::figures::Support;

    /// Points of a latency of 80 + 20 n: their power is n / (80 + 20 n)^2, which is largest at n =
    /// 80 / 20.
    fn points(batch_sizes: &[u64]) -> Vec<CurvePoint> {
        let latency = |n: f64| 80.0 + 20.0 * n;
        let point = |&batch_size: &u64| CurvePoint {
            batch_size,
            throughput_per_sec: batch_size as f64 / latency(batch_size as f64) * 1e9,
            latency_p50_ns: latency(batch_size as f64),
            support: Support::Interval,
        };
        batch_sizes.iter().map(point).collect()
    }

    #[test]
    fn knee_is_told_from_the_ends_of_what_was_measured() {
        assert_eq!(
            most_power(&points(&[1, 2, 4, 8, 16])),
            Some((4, KneePlace::Within))
        );
        assert_eq!(
            most_power(&points(&[4, 8, 16])),
            Some((4, KneePlace::Smallest))
        );
        assert_eq!(
            most_power(&points(&[1, 2, 4])),
            Some((4, KneePlace::Largest))
        );
        assert_eq!(most_power(&points(&[4])), None);
    }

    #[test]
    fn power_is_less_where_launches_agree_on_it() {
        // Launches at two speeds, of which each has its own most: only the ratio within a launch
        // tells.
        let of = |ratio: fn(u64) -> f64| -> Vec<LaunchPoint> {
            let point = |launch: u64| LaunchPoint {
                launch,
                median_ns: [10.0, 20.0][launch as usize % 2],
                throughput_per_sec: ratio(launch) * [100.0, 50.0][launch as usize % 2],
            };
            (0..6).map(point).collect()
        };
        let most = of(|_| 1.0);
        assert!(is_less(&of(|_| 0.9), &most));
        assert!(!is_less(
            &of(|launch| if launch == 3 { 1.1 } else { 0.9 }),
            &most
        ));
        assert!(
            !is_less(&of(|_| 0.5)[..5], &most),
            "five launches have no interval"
        );
    }
}
