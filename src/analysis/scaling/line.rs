//! A straight line through a figure of several batch sizes: a fixed part, and a part for each
//! sample.

use std::collections::BTreeMap;

use super::{BatchFit, CurveLaunches, Deviation, Facts};
use crate::analysis::figures::over_launches::median_of;
use crate::analysis::figures::{BatchCurve, Estimate, centre};
use crate::observed::Observed;

use crate::units::Ratio;

/// Batch sizes that a line needs, so that it can be wrong.
pub(super) const LEAST_POINTS: usize = 3;
/// A line holds where no batch size lies further off it than this share: more than speed states
/// move a median, and less than what a kernel that changes its algorithm does.
pub const LINE_TOLERANCE: f64 = 0.1;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) fixed: f64,
    pub(super) per_sample: f64,
}

impl Line {
    /// Least squares with weights `1 / y^2`, so that a small batch counts as much as a large one;
    /// `None` of too few points. Source of the normal equations: Draper and Smith, *Applied
    /// Regression Analysis* (3rd ed., 1998), section 9.2.
    pub(super) fn through(points: &[(f64, f64)]) -> Option<Line> {
        if points.len() < LEAST_POINTS || points.iter().any(|&(_, y)| y <= 0.0) {
            return None;
        }
        let w = weighted_sum(points, |_, _| 1.0);
        let wx = weighted_sum(points, |x, _| x);
        let wy = weighted_sum(points, |_, y| y);
        let wxx = weighted_sum(points, |x, _| x * x);
        let wxy = weighted_sum(points, |x, y| x * y);
        let determinant = w * wxx - wx * wx;
        let per_sample = (w * wxy - wx * wy) / determinant;
        let line = Line {
            fixed: (wy - per_sample * wx) / w,
            per_sample,
        };
        (determinant > 0.0 && line.fixed.is_finite()).then_some(line)
    }

    /// The fixed time and the time of a sample, over launches with a line each.
    pub(super) fn centres(
        lines: impl Iterator<Item = Line> + Clone,
        absent: &str,
    ) -> [Estimate; 2] {
        let parts: [fn(Line) -> f64; 2] = [|line| line.fixed, |line| line.per_sample];
        parts.map(|part| centre(&lines.clone().map(part).collect::<Vec<_>>(), absent))
    }

    pub(super) fn at(self, batch_size: u64) -> f64 {
        self.fixed + self.per_sample * batch_size as f64
    }
}

/// With weights `1 / y^2`.
fn weighted_sum(points: &[(f64, f64)], term: fn(f64, f64) -> f64) -> f64 {
    points.iter().map(|&(x, y)| term(x, y) / (y * y)).sum()
}

/// The median latencies of a launch by batch size, and the line through them.
struct LaunchLine {
    line: Line,
    medians: Vec<(f64, f64)>,
}

impl LaunchLine {
    fn through(medians: Vec<(f64, f64)>) -> Option<Self> {
        Some(LaunchLine {
            line: Line::through(&medians)?,
            medians,
        })
    }

    /// Of the launch at this batch size, as a share of its own line.
    fn deviation(&self, batch_size: u64) -> Option<f64> {
        let (_, median) = self
            .medians
            .iter()
            .find(|(size, _)| *size == batch_size as f64)?;
        Some(median / self.line.at(batch_size) - 1.0).filter(|deviation| deviation.is_finite())
    }
}

fn launch_lines(measured: &CurveLaunches<'_>) -> Vec<LaunchLine> {
    let mut launches: BTreeMap<u64, Vec<(f64, f64)>> = BTreeMap::new();
    for (batch_size, points) in &measured.points {
        for point in points {
            launches
                .entry(point.launch)
                .or_default()
                .push((*batch_size as f64, point.median_ns));
        }
    }
    launches
        .into_values()
        .filter_map(LaunchLine::through)
        .collect()
}

/// A line through each launch's medians, then the centre of the lines: machines change their speed
/// between launches.
pub(super) fn fit(facts: &Facts<'_>, measured: &CurveLaunches<'_>) -> Observed<BatchFit> {
    let curve = measured.curve;
    let launches = launch_lines(measured);

    let why_none = format!("needs a launch with at least {LEAST_POINTS} batch sizes");
    let [fixed_ns, per_sample_ns] =
        Line::centres(launches.iter().map(|launch| launch.line), &why_none);
    if fixed_ns.value().is_none() {
        return Err(why_none.into());
    }
    let mut off = deviations(curve, &launches);
    let worst = off
        .iter()
        .map(|found| found.deviation.0.abs())
        .fold(0.0, f64::max);
    off.retain(|found| found.deviation.0.abs() > LINE_TOLERANCE);
    Ok(BatchFit {
        fixed_ns,
        per_sample_ns,
        worst: Ratio(worst),
        off,
        two_speeds_count: two_speeds_count(facts, curve),
    })
}

fn two_speeds_count(facts: &Facts<'_>, curve: &BatchCurve) -> u64 {
    curve
        .points
        .iter()
        .filter_map(|point| facts.cell(curve.key(point.batch_size)))
        .filter(|cell| cell.speed_states.is_some() || cell.modes.is_some())
        .count() as u64
}

/// The median over launches of what a batch size deviates from the launch's own line.
fn deviations(curve: &BatchCurve, launches: &[LaunchLine]) -> Vec<Deviation> {
    curve
        .points
        .iter()
        .map(|point| point.batch_size)
        .filter_map(|batch_size| {
            Some(Deviation {
                batch_size,
                deviation: Ratio(median_of(
                    launches
                        .iter()
                        .filter_map(|launch| launch.deviation(batch_size)),
                )?),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::figures::{CurvePoint, Support};
    use crate::plan::LoadMode;

    #[test]
    fn points_on_a_line_give_the_line() {
        let line = Line::through(&[(1.0, 130.0), (2.0, 160.0), (8.0, 340.0)]).unwrap();
        assert!(
            (line.fixed - 100.0).abs() < 1e-9 && (line.per_sample - 30.0).abs() < 1e-9,
            "{line:?}"
        );
    }

    #[test]
    fn deviations_count_relative_to_their_height_and_too_few_points_are_no_line() {
        // By hand with weights 1, 1/4, 1/16: w = 21/16, wx = 9/4, wxx = 5, wy = 7/4, wxy = 13/4 for
        // (1,1), (2,2), (4,4) lie on y = x; raising the last to 8 gives weights 1, 1/4, 1/64: w =
        // 81/64, wx = 25/16, wxx = 9/4, wy = 13/8, wxy = 5/2, slope = (w wxy - wx wy) / (w wxx -
        // wx^2) = (405/128 - 325/128) / (729/256 - 625/256) = 160/104 = 20/13, fixed = (13/8 -
        // 20/13 * 25/16) * 64/81 = -8/13.
        let line = Line::through(&[(1.0, 1.0), (2.0, 2.0), (4.0, 8.0)]).unwrap();
        assert!((line.per_sample - 20.0 / 13.0).abs() < 1e-12, "{line:?}");
        assert!(
            (line.fixed - (13.0 / 8.0 - 20.0 / 13.0 * 25.0 / 16.0) * 64.0 / 81.0).abs() < 1e-12,
            "{line:?}"
        );
        assert_eq!(Line::through(&[(1.0, 1.0), (2.0, 2.0)]), None);
        assert_eq!(Line::through(&[(2.0, 1.0), (2.0, 1.0), (2.0, 1.0)]), None);
    }

    #[test]
    fn a_launch_is_held_against_its_own_line() {
        let curve = BatchCurve {
            session: 0,
            shape: 0,
            load_mode: LoadMode::SINGLE,
            points: [1, 10]
                .map(|batch_size| CurvePoint {
                    batch_size,
                    throughput_per_sec: 1.0,
                    latency_p50_ns: 1.0,
                    support: Support::Interval,
                })
                .into(),
            best: 1,
            enough: 1,
            saturated: true,
        };
        let launches = [1.0, 2.0, 1.0].map(|factor| LaunchLine {
            line: Line {
                fixed: 100.0 * factor,
                per_sample: 10.0 * factor,
            },
            medians: vec![(1.0, 110.0 * factor), (10.0, 300.0 * factor)],
        });
        let found = deviations(&curve, &launches);
        let found: Vec<f64> = found.iter().map(|found| found.deviation.0).collect();
        assert_eq!(found, [0.0, 0.5]);
    }
}
