//! How a level goes over a soak.

use super::types::{Drift, LevelShift};
use crate::analysis::figures::{Counted, Estimate, Measured};
use crate::stats::slope::{LEAST_POINTS, Point, Slope, shift, slope};
use crate::stats::{CONFIDENCE, median};
use crate::units::Nanos;

/// Levels of a soak: of responses, memory and open files.
const LEVELS: u64 = 3;
/// Tests of a soak: a slope and a shift of each level.
pub(super) const TESTS: u64 = 2 * LEVELS;

const HOURS_OF_A_DAY: f64 = 24.0;
const SECONDS_OF_AN_HOUR: f64 = 3_600.0;

/// What a change must exceed to be called one.
#[derive(Clone, Copy)]
pub(super) struct Floor {
    /// In a day, by the slope.
    pub(super) per_day: f64,
    /// Over the soak.
    pub(super) over_soak: f64,
}

/// A series for each process, in seconds and the unit of the level.
pub(super) fn of(series: &[Vec<Point>], floor: Floor, absent: &str) -> Drift {
    let error = (1.0 - CONFIDENCE) / TESTS as f64;
    let values: Vec<f64> = series.iter().flatten().map(|point| point.y).collect();
    let found = slope(series, error);
    let shifts: Vec<LevelShift> = series
        .iter()
        .filter_map(|points| {
            let found = shift(points, error / series.len() as f64)?;
            ((found.after - found.before).abs() > floor.over_soak).then_some(LevelShift {
                at_ns: Nanos((found.at * 1e9) as u64),
                before: found.before,
                after: found.after,
            })
        })
        .collect();
    Drift {
        level: level(&values, absent),
        per_hour: per_hour(found.as_ref(), values.len(), absent),
        floor_per_day: floor.per_day,
        drifts: shifts.is_empty() && found.is_some_and(|found| is_drift(&found, series, floor)),
        shifts,
    }
}

fn level(values: &[f64], absent: &str) -> Estimate {
    median(values).map_or_else(
        || Estimate::absent(absent),
        |level| Estimate::exact(level, values.len() as u64, Counted::Parts),
    )
}

fn per_hour(found: Option<&Slope>, has: usize, absent: &str) -> Estimate {
    match found {
        Some(found) => Estimate::Measured(Measured {
            interval: Some(found.interval.scaled(SECONDS_OF_AN_HOUR)),
            ..Measured::exact(found.value * SECONDS_OF_AN_HOUR, found.n, Counted::Parts)
        }),
        None if has == 0 => Estimate::absent(absent),
        None => Estimate::absent(format!("needs {LEAST_POINTS} parts, has {has}")),
    }
}

/// Whether a slope is one that goes on: it excludes 0, is above the floors, and that of the second
/// half is at least half of the whole one, as that of what only fills up at first is not.
fn is_drift(found: &Slope, series: &[Vec<Point>], floor: Floor) -> bool {
    let per_day = found.value * SECONDS_OF_AN_HOUR * HOURS_OF_A_DAY;
    let longest = series
        .iter()
        .filter_map(|points| Some(points.last()?.x - points.first()?.x))
        .fold(0.0, f64::max);
    !found.interval.contains(0.0)
        && per_day.abs() > floor.per_day
        && (found.value * longest).abs() > floor.over_soak
        && second_half(series).is_some_and(|half| half / found.value >= 0.5)
}

fn second_half(series: &[Vec<Point>]) -> Option<f64> {
    let halves: Vec<Vec<Point>> = series
        .iter()
        .map(|points| points[points.len() / 2..].to_vec())
        .collect();
    let found = slope(&halves, 1.0 - CONFIDENCE)?;
    Some(found.value)
}
