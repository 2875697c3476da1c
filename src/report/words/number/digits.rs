//! Digits: rounding, separators and small numbers in words.

use crate::analysis::Interval;

/// The ends of `interval`, each as `shown`: `2.10 to 2.16`.
pub(in crate::report) fn span(interval: Interval, shown: impl Fn(f64) -> String) -> String {
    format!("{} to {}", shown(interval.low), shown(interval.high))
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

pub(super) fn half_width(interval: Interval) -> f64 {
    (interval.high - interval.low) / 2.0
}

/// The power of ten of the first digit; that of 1 for zero.
pub(super) fn magnitude(value: f64) -> i32 {
    // A value that rounds up to the next power of ten has its magnitude.
    if value == 0.0 {
        0
    } else {
        (value.abs() / ROUNDS_UP).log10().floor() as i32
    }
}

/// Numbers from here on are shown as `1.36e12`: nobody counts so many digits.
const BEYOND_READING: f64 = 1e12;

pub(super) fn rounded(value: f64, place: i32) -> String {
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

/// A value beyond this share of a unit is shown in that unit, so that 999.6 µs does not become
/// `1000 µs`.
pub(super) const ROUNDS_UP: f64 = 0.9995;
