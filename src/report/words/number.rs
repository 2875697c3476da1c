//! Numbers for people: units by size, and as many digits as the interval supports.

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

/// A value beyond this share of a unit is shown in that unit, so that 999.6 µs does not become
/// `1000 µs`.
const ROUNDS_UP: f64 = 0.9995;

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
        rounded(end / factor, place + magnitude((end / value).max(1.0)))
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

/// The ends of `interval`, each as `shown`: `2.10 to 2.16`.
pub(in crate::report) fn span(interval: Interval, shown: impl Fn(f64) -> String) -> String {
    format!("{} to {}", shown(interval.low), shown(interval.high))
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

/// A factor such as `2.10`, with the digits that its interval supports.
pub(in crate::report) fn factor(value: f64, interval: Option<Interval>) -> String {
    rounded(value, factor_place(value, interval))
}

/// A factor's interval such as `2.04 to 2.16`, with the digits of [`factor`].
pub(in crate::report) fn factor_ends(value: f64, interval: Interval) -> String {
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

/// A share that a rule names, in percent, with no more digits than it has: `5%`, `2.5%`.
pub(in crate::report) fn limit(share: f64) -> String {
    format!("{}%", (share * 1000.0).round() / 10.0)
}

/// A small whole number in a sentence: `six`.
pub(in crate::report) fn in_words(count: usize) -> String {
    const WORDS: [&str; 10] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ];
    WORDS
        .get(count)
        .map_or_else(|| count.to_string(), |word| (*word).to_owned())
}

/// A whole number with separators: `12,345`.
#[must_use]
pub fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// A probability: `= 0.031`, or `< 0.001`.
pub(in crate::report) fn probability(p: f64) -> String {
    if p < 0.001 {
        "< 0.001".into()
    } else {
        format!("= {p:.3}")
    }
}

/// `value` with so many decimals, and separators: `1,234.5`; no sign on a zero.
pub(in crate::report) fn with_decimals(value: f64, decimals: usize) -> String {
    rounded(value + 0.0, -i32::try_from(decimals).unwrap_or(i32::MAX))
}

fn half_width(interval: Interval) -> f64 {
    (interval.high - interval.low) / 2.0
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

/// The power of ten of the first digit; that of 1 for zero.
fn magnitude(value: f64) -> i32 {
    // A value that rounds up to the next power of ten has its magnitude.
    if value == 0.0 {
        0
    } else {
        (value.abs() / ROUNDS_UP).log10().floor() as i32
    }
}

/// Numbers from here on are shown as `1.36e12`: nobody counts so many digits.
const BEYOND_READING: f64 = 1e12;

fn rounded(value: f64, place: i32) -> String {
    if value.abs() >= BEYOND_READING {
        return format!("{value:.2e}");
    }
    if place >= 0 {
        let step = 10f64.powi(place);
        return grouped(&format!("{:.0}", (value / step).round() * step));
    }
    let text = format!("{value:.*}", place.unsigned_abs() as usize);
    match text.split_once('.') {
        Some((whole, decimals)) => format!("{}.{decimals}", grouped(whole)),
        None => text,
    }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or(("", digits), |rest| ("-", rest));
    let mut out = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn interval(low: f64, high: f64) -> Interval {
        Interval { low, high }
    }

    #[test]
    fn signed_changes_have_the_unit_and_the_digits_that_their_interval_suits() {
        for (change, ends, shown) in [
            (
                118_000.0,
                Some((36_000.0, 141_000.0)),
                "+120 µs (40 to 140)",
            ),
            (-1.0, Some((-24_000.0, 24_000.0)), "0 µs (-24 to 24)"),
            (
                -59_100.0,
                Some((-66_200.0, -50_300.0)),
                "-59 µs (-66 to -50)",
            ),
            (-245_000.0, None, "-245 µs"),
            (0.0, None, "0 ns"),
        ] {
            let interval = ends.map(|(low, high)| interval(low, high));
            assert_eq!(signed(Unit::Ns, change, interval), shown);
        }
    }

    #[test]
    fn changes_without_size_have_no_sign() {
        assert_eq!(
            ["0.906", "0.998", "1.02"].map(|factor| change(factor.parse().unwrap())),
            ["-9%", "±0%", "+2%"]
        );
    }

    #[test]
    fn values_take_the_unit_of_their_size() {
        for (unit, number, expected) in [
            (Unit::Ns, 812.0, "812 ns"),
            (Unit::Ns, 2_130.0, "2.13 µs"),
            (Unit::Ns, 999_960.0, "1.00 ms"),
            (Unit::Ns, 1_234_567_890.0, "1.23 s"),
            (Unit::Ns, 0.0, "0 ns"),
            (Unit::Ns, -1.0, "-1 ns"),
            (Unit::Ns, 81.25, "81 ns"),
            (Unit::Joules, 0.001_234, "1.23 mJ"),
            (Unit::Joules, 0.000_081_2, "81.2 µJ"),
            (Unit::Watts, 412.6, "413 W"),
            (Unit::Bytes, 1_574_542.0, "1.50 MiB"),
            (Unit::Bytes, 512.0, "512 B"),
            (Unit::Ratio, 0.988, "98.8%"),
            (Unit::Ratio, 1.361e42, "1.36e44%"),
            (Unit::PerSec, 999_000_000_000.0, "999,000,000,000/s"),
        ] {
            assert_eq!(value(unit, number, None), expected);
        }
    }

    #[test]
    fn a_wide_interval_costs_digits() {
        assert_eq!(
            with_interval(Unit::Ns, 2_134_567.0, interval(2_104_000.0, 2_161_000.0)),
            "2.13 ms (2.10 to 2.16)"
        );
        assert_eq!(
            with_interval(Unit::Ns, 2_134_567.0, interval(1_700_000.0, 2_600_000.0)),
            "2.1 ms (1.7 to 2.6)"
        );
        assert_eq!(
            value(
                Unit::Ns,
                2_134_567.0,
                Some(interval(2_134_000.0, 2_135_000.0))
            ),
            "2.135 ms"
        );
        assert_eq!(
            with_interval(Unit::Ratio, 0.988, interval(0.976, 0.994)),
            "98.8% (97.6 to 99.4)"
        );
    }

    #[test]
    fn sizes_stand_in_the_multiples_that_a_budget_has() {
        assert_eq!(decimal_size(2_730_000.0, None), "2.73 MB");
        assert_eq!(value(Unit::Bytes, 2_730_000.0, None), "2.60 MiB");
        assert_eq!(
            decimal_size(30_000_000.0, Some(interval(29_800_000.0, 30_100_000.0))),
            "30.0 MB (29.8 to 30.1)"
        );
    }

    #[test]
    fn bounds_are_rounded_away_from_what_they_bound() {
        let wide = interval(132_000.0, 351_200.0);
        let narrow = interval(101_000.0, 102_410.0);
        for (shown, expected) in [
            (at_most(Unit::Ns, 351_200.0, Some(wide)), "≤ 360 µs"),
            (at_most(Unit::Ns, 102_410.0, Some(narrow)), "≤ 102.5 µs"),
            (at_most(Unit::Ns, 340_000.0, None), "≤ 340 µs"),
            (at_most(Unit::Ns, 999_900.0, None), "≤ 1.0 ms"),
            (at_most(Unit::Ns, 7.0, None), "≤ 7 ns"),
            (at_least(Unit::Ns, 351_200.0), "≥ 350 µs"),
        ] {
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn an_end_that_is_many_times_the_value_has_no_more_digits_than_it() {
        assert_eq!(
            with_interval(Unit::Ns, 169_000.0, interval(132_000.0, 8_312_000.0)),
            "170 µs (130 to 8,300)"
        );
    }

    #[test]
    fn rates_have_separators_and_no_false_digits() {
        assert_eq!(
            with_interval(Unit::PerSec, 12_345.6, interval(12_100.0, 12_600.0)),
            "12,300/s (12,100 to 12,600)"
        );
        assert_eq!(
            with_half_width(Unit::PerSec, 12_345.6, interval(12_100.0, 12_600.0)),
            "12,300/s ± 2.1%"
        );
        assert_eq!(with_half_width(Unit::Ns, 0.0, interval(0.0, 0.0)), "0 ns");
    }

    #[test]
    fn factors_and_points_are_short() {
        for (low, high, shown) in [
            (2.0, 2.2, "2.1x (2.0 to 2.2)"),
            (2.08, 2.13, "2.10x (2.08 to 2.13)"),
            (1.5, 2.9, "2.1x (1.5 to 2.9)"),
            (2.103, 2.105, "2.104x (2.103 to 2.105)"),
        ] {
            assert_eq!(times(2.104, Some(interval(low, high))), shown);
        }
        assert_eq!(factor(3.861, None), "3.9");
        assert_eq!(points(-0.0034), "-0.3 points");
        assert_eq!(points(-0.0001), "±0.0 points");
    }

    #[test]
    fn ratios_are_factors_in_one_form_whatever_their_size_and_direction() {
        for (ratio, ends, ways, expected) in [
            (
                0.952,
                Some((0.94, 0.9654)),
                Ways::TIME,
                "1.05x faster (1.04 to 1.06)",
            ),
            (
                1.05,
                Some((1.03, 1.07)),
                Ways::TIME,
                "1.05x slower (1.03 to 1.07)",
            ),
            (
                2.104,
                Some((2.04, 2.16)),
                Ways::RATE,
                "2.10x faster (2.04 to 2.16)",
            ),
            (0.25, None, Ways::SIZE, "4.0x smaller"),
            (1.043, None, Ways::TIME, "1.04x slower"),
            (1.0, None, Ways::SIZE, "unchanged"),
            (
                1.001,
                Some((0.98, 1.02)),
                Ways::TIME,
                "1.00x (0.98 to 1.02)",
            ),
            (0.48, None, Ways::AMOUNT, "2.1x lower"),
        ] {
            let ends = ends.map(|(low, high)| interval(low, high));
            assert_eq!(relative(ratio, ends, ways), expected);
        }
    }

    #[test]
    fn shares_are_not_rounded_away() {
        assert_eq!(
            [0.0, 0.004, 0.5, 0.996, 1.0].map(about_percent),
            ["0%", "less than 1%", "50%", "more than 99%", "100%"]
        );
    }
}
