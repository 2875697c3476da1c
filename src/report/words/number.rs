//! Numbers for people: units by size, and as many digits as the interval supports.

use crate::analysis::Interval;
use crate::metric::Unit;
use crate::units::{Bytes, Nanos};

/// A unit for people, and how many base units it is.
type Scale = (&'static str, f64);

const TIMES: [Scale; 3] = [(" s", 1e9), (" ms", 1e6), (" µs", 1e3)];

const ENERGIES: [Scale; 3] = [(" J", 1.0), (" mJ", 1e-3), (" µJ", 1e-6)];

const SIZES: [Scale; 3] = [
    (" GiB", 1_073_741_824.0),
    (" MiB", 1_048_576.0),
    (" KiB", 1024.0),
];

/// A value beyond this share of a unit is shown in that unit, so that 999.6 µs does not become
/// `1000 µs`.
const ROUNDS_UP: f64 = 0.9995;

fn scale(unit: Unit, value: f64) -> Scale {
    match unit {
        Unit::Ns => fitting(&TIMES, value).unwrap_or((" ns", 1.0)),
        Unit::Bytes => fitting(&SIZES, value).unwrap_or((" B", 1.0)),
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
    format!("{}{suffix}", rounded(value, place(unit, value, half_width)))
}

/// `value` with its unit and its interval in the same unit: `2.13 ms (2.10 to 2.16)`.
#[must_use]
pub fn with_interval(unit: Unit, value: f64, interval: Interval) -> String {
    let (suffix, factor) = scale(unit, value);
    let place = place(unit, value / factor, Some(half_width(interval) / factor));
    let ends = span(interval, |end| rounded(end / factor, place));
    format!("{}{suffix} ({ends})", rounded(value / factor, place))
}

/// The ends of `interval`, each as `shown`: `2.10 to 2.16`.
pub(in crate::report) fn span(interval: Interval, shown: impl Fn(f64) -> String) -> String {
    format!("{} to {}", shown(interval.low), shown(interval.high))
}

/// The ends of `interval` in the unit that suits its upper end: `2.10 to 2.16 ms`.
pub(in crate::report) fn ends(unit: Unit, interval: Interval) -> String {
    let (suffix, factor) = scale(unit, interval.high);
    let place = place(
        unit,
        interval.high / factor,
        Some(half_width(interval) / factor),
    );
    span(interval, |end| rounded(end / factor, place)) + suffix
}

/// `2.13 ms ± 1.4%`, with the wider half of the interval; alone where the value is 0, of which
/// nothing is a share.
pub(in crate::report) fn with_half_width(unit: Unit, centre: f64, interval: Interval) -> String {
    if centre == 0.0 {
        return value(unit, centre, Some(interval));
    }
    let wider = (interval.high - centre).max(centre - interval.low) / centre.abs();
    let decimals = usize::from(wider < 0.1);
    format!(
        "{} ± {:.decimals$}%",
        value(unit, centre, Some(interval)),
        wider * 100.0
    )
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

/// `-4.8% (-6.0% to -3.5%)`; as a factor, `2.10x (2.04 to 2.16)`, where it is below half or above
/// twice as much.
pub(in crate::report) fn relative(ratio: f64, interval: Option<Interval>) -> String {
    if !(0.5..=2.0).contains(&ratio) {
        return times(ratio, interval);
    }
    let change = precise_change(ratio);
    match interval {
        Some(interval) => format!("{change} ({})", span(interval, precise_change)),
        None => change,
    }
}

/// A factor as the change that it is, in tenths of a percent: `-4.8%`.
fn precise_change(factor: f64) -> String {
    let rounded = (factor * 1000.0 - 1000.0).round() / 10.0;
    // No sign on a zero.
    if rounded == 0.0 {
        "0.0%".into()
    } else {
        format!("{rounded:+.1}%")
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
/// without an interval. Shares have tenths of a percent.
fn place(unit: Unit, value: f64, half_width: Option<f64>) -> i32 {
    let size = magnitude(value);
    match half_width {
        _ if unit == Unit::Ratio => -1,
        Some(half_width) if half_width > 0.0 => {
            let is_narrow = half_width < NARROW * value.abs();
            magnitude(half_width).clamp(size - 3, size - 1 - i32::from(is_narrow))
        }
        _ => size - 2,
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
            (Unit::Ns, 0.0, "0.00 ns"),
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
    fn rates_have_separators_and_no_false_digits() {
        assert_eq!(
            with_interval(Unit::PerSec, 12_345.6, interval(12_100.0, 12_600.0)),
            "12,300/s (12,100 to 12,600)"
        );
        assert_eq!(
            with_half_width(Unit::PerSec, 12_345.6, interval(12_100.0, 12_600.0)),
            "12,300/s ± 2.1%"
        );
        assert_eq!(
            with_half_width(Unit::Ns, 0.0, interval(0.0, 0.0)),
            "0.00 ns"
        );
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
    fn ratios_are_changes_in_percent_or_factors() {
        assert_eq!(
            relative(0.952, Some(interval(0.94, 0.9654))),
            "-4.8% (-6.0% to -3.5%)"
        );
        assert_eq!(relative(1.0, None), "0.0%");
        assert_eq!(
            relative(2.104, Some(interval(2.04, 2.16))),
            "2.10x (2.04 to 2.16)"
        );
        assert_eq!(relative(0.25, None), "0.25x");
    }

    #[test]
    fn shares_are_not_rounded_away() {
        assert_eq!(
            [0.0, 0.004, 0.5, 0.996, 1.0].map(about_percent),
            ["0%", "less than 1%", "50%", "more than 99%", "100%"]
        );
    }
}
