//! The slope of a series in time.

use super::median;

/// One value of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When.
    pub x: f64,
    /// The value.
    pub y: f64,
}

/// The median slope of all pairs of points; `None` if no two of them are apart.
///
/// Source: Sen, *Journal of the American Statistical Association* 63 (1968) 1379-1389.
#[must_use]
pub fn theil_sen(points: &[Point]) -> Option<f64> {
    median(&slopes(points))
}

fn slopes(points: &[Point]) -> Vec<f64> {
    points
        .iter()
        .enumerate()
        .flat_map(|(place, one)| points[place + 1..].iter().map(move |other| (one, other)))
        .filter(|(one, other)| one.x != other.x)
        .map(|(one, other)| (other.y - one.y) / (other.x - one.x))
        .collect()
}
