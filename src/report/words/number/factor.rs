//! Ratios: factors, the ways in which figures differ, and changes in percent and in points.

use super::digits::{half_width, magnitude, rounded, span, with_decimals};
use crate::analysis::Interval;
use crate::metric::Unit;

/// A factor such as `2.10`, with the digits that its interval supports.
pub(in crate::report) fn factor(value: f64, interval: Option<Interval>) -> String {
    rounded(value, factor_place(value, interval))
}

/// A factor's interval such as `2.04 to 2.16`, with the digits of [`factor`].
fn factor_ends(value: f64, interval: Interval) -> String {
    let place = factor_place(value, Some(interval));
    span(interval, |end| rounded(end, place))
}

/// ` (2.04 to 2.16)`, behind a [`factor`]; empty without an interval.
pub(in crate::report) fn factor_interval(value: f64, interval: Option<Interval>) -> String {
    interval
        .map(|interval| format!(" ({})", factor_ends(value, interval)))
        .unwrap_or_default()
}

/// `2.10x (2.04 to 2.16)`.
pub(in crate::report) fn times(factor: f64, interval: Option<Interval>) -> String {
    format!(
        "{}x{}",
        self::factor(factor, interval),
        factor_interval(factor, interval)
    )
}

/// Hundredths at the finest, because a factor is read at a glance and its full digits are in
/// cells.csv; thousandths where the interval's ends would otherwise be the same.
fn factor_place(value: f64, interval: Option<Interval>) -> i32 {
    match interval.map(half_width) {
        Some(half_width) if half_width < 0.005 => magnitude(half_width).clamp(-3, 0),
        Some(half_width) => magnitude(half_width).clamp(-2, 0),
        None => (magnitude(value) - 1).clamp(-2, 0),
    }
}

/// Words for the two ways in which a figure may differ from another.
#[derive(Clone, Copy)]
pub(in crate::report) struct Ways {
    pub(in crate::report) below: &'static str,
    pub(in crate::report) above: &'static str,
}

impl Ways {
    pub(in crate::report) const TIME: Ways = Ways {
        below: "faster",
        above: "slower",
    };
    pub(in crate::report) const RATE: Ways = Ways {
        below: "slower",
        above: "faster",
    };
    pub(in crate::report) const SIZE: Ways = Ways {
        below: "smaller",
        above: "larger",
    };
    pub(in crate::report) const AMOUNT: Ways = Ways {
        below: "lower",
        above: "higher",
    };

    pub(in crate::report) fn of(unit: Unit) -> Self {
        match unit {
            Unit::Ns => Ways::TIME,
            Unit::PerSec => Ways::RATE,
            Unit::Bytes => Ways::SIZE,
            Unit::Joules | Unit::Watts | Unit::Ratio | Unit::Count | Unit::OutputUnit => {
                Ways::AMOUNT
            }
        }
    }
}

/// A ratio as a factor above 1 and its way, whatever its size: `1.05x faster (1.03 to 1.06)`;
/// `unchanged`, or `1.00x (0.98 to 1.02)`, where it has none.
pub(in crate::report) fn relative(ratio: f64, interval: Option<Interval>, ways: Ways) -> String {
    let (factor, interval, way) = if ratio < 1.0 {
        (1.0 / ratio, interval.map(Interval::reciprocal), ways.below)
    } else {
        (ratio, interval, ways.above)
    };
    let shown = match interval {
        None if factor < 2.0 => with_decimals(factor, 2),
        _ => self::factor(factor, interval),
    };
    let is_one = shown.trim_end_matches('0') == "1.";
    let ends = factor_interval(factor, interval);
    match interval {
        Some(_) if is_one => format!("{shown}x{ends}"),
        None if factor == 1.0 => "unchanged".into(),
        _ => format!("{shown}x {way}{ends}"),
    }
}

/// A factor as the change that it is, in whole percent: `-9%`.
pub(in crate::report) fn change(factor: f64) -> String {
    let rounded = (factor * 100.0 - 100.0).round();
    // No sign on a zero.
    if rounded == 0.0 {
        "±0%".into()
    } else {
        format!("{rounded:+.0}%")
    }
}

/// A share's change in percentage points, signed: `-0.3 points`.
pub(in crate::report) fn points(difference: f64) -> String {
    let rounded = (difference * 1000.0).round() / 10.0;
    // No sign on a zero.
    if rounded == 0.0 {
        "±0.0 points".into()
    } else {
        format!("{rounded:+.1} points")
    }
}
