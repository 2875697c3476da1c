//! Whether the queue grows.

use super::over_rounds::centre;
use super::pool::Read;
use crate::analysis::figures::Estimate;
use crate::stats::slope::{Point, theil_sen};

/// Windows that a segment must have for a slope.
const LEAST_WINDOWS: usize = 4;

/// Requests per second by which the queue grows, while requests arrive: the median slope of each
/// round's windows, over rounds.
pub(super) fn slope(rounds: &[Vec<&Read<'_>>]) -> Estimate {
    let slopes: Vec<f64> = rounds
        .iter()
        .flatten()
        .filter_map(|read| of_segment(read))
        .collect();
    centre(&slopes, "no segment that counts has enough parts")
}

pub(super) fn of_segment(read: &Read<'_>) -> Option<f64> {
    let length = read.segment.offer.whole_length();
    let points: Vec<Point> = read
        .windows
        .iter()
        .filter(|window| window.end_ns <= length)
        .map(|window| Point {
            x: window.end_ns.as_secs_f64(),
            y: window.queue as f64,
        })
        .collect();
    (points.len() >= LEAST_WINDOWS)
        .then(|| theil_sen(&points))
        .flatten()
}
