//! Numbers for people: units by size, and as many digits as the interval supports.

mod digits;
mod factor;
#[cfg(test)]
mod tests;

pub use digits::count;
pub(in crate::report) use digits::{in_words, probability, span, with_decimals};
pub(in crate::report) use factor::{
    Ways, change, factor, factor_interval, points, relative, times,
};

use digits::{ROUNDS_UP, half_width, magnitude, rounded};

use crate::analysis::Interval;
use crate::metric::Unit;
use crate::units::{Bytes, Nanos};

/// A unit for people, and how many base units it is.
type Scale = (&'static str, f64);

const TIMES: [Scale; 3] = [(" s", 1e9), (" ms", 1e6), (" µs", 1e3)];

const NANOSECONDS: &str = " ns";

const ENERGIES: [Scale; 3] = [(" J", 1.0), (" mJ", 1e-3), (" µJ", 1e-6)];

const SIZES: [Scale; 3] = [
    (" GiB", 1_073_741_824.0),
    (" MiB", 1_048_576.0),
    (" KiB", 1024.0),
];

const DECIMAL_SIZES: [Scale; 3] = [(" GB", 1e9), (" MB", 1e6), (" kB", 1e3)];

const ONE_BYTE: Scale = (" B", 1.0);

fn scale(unit: Unit, value: f64) -> Scale {
    match unit {
        Unit::Ns => fitting(&TIMES, value).unwrap_or((NANOSECONDS, 1.0)),
        Unit::Bytes => fitting(&SIZES, value).unwrap_or(ONE_BYTE),
        Unit::Joules => fitting(&ENERGIES, value).unwrap_or((" nJ", 1e-9)),
        Unit::Watts => (" W", 1.0),
        Unit::PerSec => ("/s", 1.0),
        Unit::Ratio => ("%", 0.01),
        Unit::Count | Unit::OutputUnit => ("", 1.0),
    }
}

/// The largest unit of which `value` is at least one.
fn fitting(scales_down: &[Scale], value: f64) -> Option<Scale> {
    let mut scales_down = scales_down.iter().copied();
    scales_down.find(|(_, factor)| value.abs() >= factor * ROUNDS_UP)
}

/// The unit in which an axis up to `largest` is drawn, such as `ms`, and how many base units it is.
pub(in crate::report) fn unit_of_axis(unit: Unit, largest: f64) -> (&'static str, f64) {
    let (suffix, factor) = scale(unit, largest);
    (suffix.trim_start(), factor)
}

/// A span of time.
#[must_use]
pub fn time(time: Nanos) -> String {
    value(Unit::Ns, time.as_f64(), None)
}

/// A share in percent, with three digits.
pub(in crate::report) fn share(share: f64) -> String {
    value(Unit::Ratio, share, None)
}

/// A share in percent, never rounded to nothing.
pub(in crate::report) fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 0.0 && percent < 0.1 => "<0.1%".into(),
        percent if percent > 0.0 && percent < 9.95 => format!("{percent:.1}%"),
        percent => format!("{percent:.0}%"),
    }
}

/// A share in whole percents, rounded neither to nothing nor to all.
pub(in crate::report) fn about_percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 0.0 && percent < 1.0 => "less than 1%".into(),
        percent if percent > 99.0 && percent < 100.0 => "more than 99%".into(),
        _ => whole_percent(share),
    }
}

pub(in crate::report) fn whole_percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

pub(in crate::report) fn bytes(bytes: Bytes) -> String {
    value(Unit::Bytes, bytes.as_f64(), None)
}

/// `value` with its unit, rounded to what `interval` supports, or to three significant digits.
#[must_use]
pub fn value(unit: Unit, value: f64, interval: Option<Interval>) -> String {
    let (suffix, factor) = scale(unit, value);
    let half_width = interval.map(|interval| half_width(interval) / factor);
    let value = value / factor;
    format!(
        "{}{suffix}",
        rounded(value, place(suffix, unit, value, half_width))
    )
}

/// An upper bound, rounded up to what `interval` supports, or to two digits: `≤ 350 µs`.
pub(in crate::report) fn at_most(unit: Unit, bound: f64, interval: Option<Interval>) -> String {
    format!("≤ {}", outward(unit, bound, interval, f64::ceil))
}

/// A lower bound, rounded down to two digits: `≥ 350 µs`.
pub(in crate::report) fn at_least(unit: Unit, bound: f64) -> String {
    format!("≥ {}", outward(unit, bound, None, f64::floor))
}

fn outward(unit: Unit, bound: f64, interval: Option<Interval>, round: fn(f64) -> f64) -> String {
    let (suffix, factor) = scale(unit, bound);
    let scaled = bound / factor;
    let place = match interval.map(|interval| half_width(interval) / factor) {
        Some(half_width) => place(suffix, unit, scaled, Some(half_width)),
        None if suffix == NANOSECONDS => (magnitude(scaled) - 1).max(0),
        None => magnitude(scaled) - 1,
    };
    let step = 10f64.powi(place);
    // What a bound is a multiple of is not one in binary: 340.00000000000006 is 340.
    let steps = scaled / step;
    let whole = if (steps - steps.round()).abs() < 1e-9 * steps.abs() {
        steps.round()
    } else {
        round(steps)
    };
    format!("{}{suffix}", rounded(whole * step, place))
}

/// `value` with its unit and its interval in the same unit: `2.13 ms (2.10 to 2.16)`.
#[must_use]
pub fn with_interval(unit: Unit, value: f64, interval: Interval) -> String {
    let (suffix, factor) = scale(unit, value);
    in_scale(suffix, factor, unit, value, interval)
}

/// A size in multiples of 1000 bytes, as budgets in MB are written: `2.73 MB`.
pub(in crate::report) fn decimal_size(bytes: f64, interval: Option<Interval>) -> String {
    let (suffix, factor) = fitting(&DECIMAL_SIZES, bytes).unwrap_or(ONE_BYTE);
    match interval {
        Some(interval) => in_scale(suffix, factor, Unit::Bytes, bytes, interval),
        None => {
            let value = bytes / factor;
            let place = place(suffix, Unit::Bytes, value, None);
            format!("{}{suffix}", rounded(value, place))
        }
    }
}

fn in_scale(suffix: &str, factor: f64, unit: Unit, value: f64, interval: Interval) -> String {
    let place = place(
        suffix,
        unit,
        value / factor,
        Some(half_width(interval) / factor),
    );
    // An end that is many times the value has no more digits than the value.
    let ends = span(interval, |end| {
        let times = if value == 0.0 { 1.0 } else { end / value };
        rounded(end / factor, place + magnitude(times.max(1.0)))
    });
    format!("{}{suffix} ({ends})", rounded(value / factor, place))
}

/// A change with its sign, and its interval in the unit of whichever end is larger: `+120 µs (40 to
/// 200)`; the change alone without one.
pub(in crate::report) fn signed(unit: Unit, change: f64, interval: Option<Interval>) -> String {
    let ends = interval.map_or(0.0, |interval| interval.low.abs().max(interval.high.abs()));
    let largest = ends.max(change.abs());
    let (suffix, factor) = scale(unit, largest);
    let half_width = interval.map(|interval| half_width(interval) / factor);
    let place = place(suffix, unit, largest / factor, half_width);
    // No sign on a zero.
    let shown = match rounded(change / factor, place) {
        text if text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.')) => "0".into(),
        text if change > 0.0 => format!("+{text}"),
        text => text,
    };
    match interval {
        None => format!("{shown}{suffix}"),
        Some(interval) => {
            let ends = span(interval, |end| rounded(end / factor, place));
            format!("{shown}{suffix} ({ends})")
        }
    }
}

/// The ends of `interval` in the unit that suits its upper end: `2.10 to 2.16 ms`.
pub(in crate::report) fn ends(unit: Unit, interval: Interval) -> String {
    let (suffix, factor) = scale(unit, interval.high);
    let place = place(
        suffix,
        unit,
        interval.high / factor,
        Some(half_width(interval) / factor),
    );
    span(interval, |end| rounded(end / factor, place)) + suffix
}

/// `2.13 ms ± 1.4%`, with the wider half of the interval; alone where the value is 0, of which
/// nothing is a share.
pub(in crate::report) fn with_half_width(unit: Unit, centre: f64, interval: Interval) -> String {
    let shown = value(unit, centre, Some(interval));
    match interval.half_width_ratio(centre) {
        Some(half_width) => format!("{shown} {}", plus_or_minus(half_width)),
        None => shown,
    }
}

/// `± 1.4%`.
pub(in crate::report) fn plus_or_minus(half_width: f64) -> String {
    let decimals = usize::from(half_width < 0.1);
    format!("± {:.decimals$}%", half_width * 100.0)
}

/// `214 µs ± 2%`, for narrow columns: at most three digits, and whole percents of the half-width,
/// rounded up.
pub(in crate::report) fn with_whole_half_width(
    unit: Unit,
    centre: f64,
    interval: Interval,
) -> String {
    let Some(half_width) = interval.half_width_ratio(centre) else {
        return value(unit, centre, None);
    };
    let percent = (half_width * 100.0).ceil().max(1.0);
    let shown = if half_width < NARROW {
        value(unit, centre, None)
    } else {
        value(unit, centre, Some(interval))
    };
    format!("{shown} ± {percent:.0}%")
}

/// Two digits of a size, for narrow columns: `1.5 MiB`.
pub(in crate::report) fn about_size(bytes: f64) -> String {
    let (suffix, factor) = scale(Unit::Bytes, bytes);
    let scaled = bytes / factor;
    let place = magnitude(scaled) - 1;
    // Whole ones have all their digits: 770 KiB is not 7.7e2.
    format!("{}{suffix}", rounded(scaled, place.min(0)))
}

/// A share that a rule names, in percent, with no more digits than it has: `5%`, `2.5%`.
pub(in crate::report) fn limit(share: f64) -> String {
    format!("{}%", (share * 1000.0).round() / 10.0)
}

/// A half-width below this share of the value leaves three digits of it standing.
const NARROW: f64 = 0.05;

/// The power of ten of the last digit worth showing: the first digit of the half-width; but of the
/// value at most four digits, and at least two, or three where the interval is narrow. Three digits
/// without an interval. Shares have tenths of a percent, nanoseconds no fractions.
fn place(suffix: &str, unit: Unit, value: f64, half_width: Option<f64>) -> i32 {
    let size = magnitude(value);
    let place = match half_width {
        _ if unit == Unit::Ratio => -1,
        Some(half_width) if half_width > 0.0 => {
            let is_narrow = half_width < NARROW * value.abs();
            magnitude(half_width).clamp(size - 3, size - 1 - i32::from(is_narrow))
        }
        _ => size - 2,
    };
    // Clocks count whole nanoseconds.
    if suffix == NANOSECONDS {
        place.max(0)
    } else {
        place
    }
}
