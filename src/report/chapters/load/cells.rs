//! Cells of tables on rates: times, shares and rates, as narrow as a screen needs them.

use crate::analysis::Estimate;
use crate::analysis::load::LoadPoint;
use crate::metric::Unit;
use crate::report::words::{self, ABSENT, number};

/// A percentile in a narrow column: what it is not above, or the value where that is not known.
pub(super) fn percentile(estimate: &Estimate) -> String {
    words::bound(Unit::Ns, estimate).unwrap_or_else(|| value(Unit::Ns, estimate))
}

/// Without its interval.
pub(super) fn value(unit: Unit, estimate: &Estimate) -> String {
    match estimate.value() {
        Some(value) => number::value(unit, value, None),
        None => ABSENT.into(),
    }
}

/// A rate per second, without its unit, which the head of the column has.
pub(super) fn rate(estimate: &Estimate) -> String {
    value(Unit::PerSec, estimate).trim_end_matches("/s").into()
}

/// `1,240 ± 3%`.
pub(super) fn rate_with_half_width(estimate: &Estimate) -> String {
    match estimate.value().zip(estimate.interval()) {
        Some((value, interval)) => {
            number::with_whole_half_width(Unit::PerSec, value, interval).replacen("/s", "", 1)
        }
        None => words::bound(Unit::PerSec, estimate)
            .map(|bound| bound.replacen("/s", "", 1))
            .unwrap_or_else(|| rate(estimate)),
    }
}

/// Share of the mean response that requests wait.
pub(super) fn waiting_share(point: &LoadPoint) -> String {
    let waiting = point.waiting.mean.value();
    match waiting.zip(point.response.mean.value()) {
        Some((waiting, response)) if response > 0.0 => number::percent(waiting / response),
        _ => ABSENT.into(),
    }
}

/// A share of requests, never rounded to nothing.
pub(super) fn errors(estimate: &Estimate) -> String {
    match estimate.value() {
        Some(0.0) => "0".into(),
        Some(share) => number::percent(share),
        None => ABSENT.into(),
    }
}

/// A small share with its interval, `0.13% (0.07% to 0.23%)`; of none the most that it may be: `0 (≤
/// 0.063%)`.
pub(in crate::report) fn small_share(estimate: &Estimate) -> String {
    match (estimate.value(), estimate.interval()) {
        (Some(0.0), Some(ends)) if ends.high > 0.0 => {
            format!("0 ({})", number::at_most(Unit::Ratio, ends.high, None))
        }
        (Some(0.0), _) => "0".into(),
        (Some(share), Some(ends)) => format!(
            "{} ({} to {})",
            fine_percent(share),
            fine_percent(ends.low),
            fine_percent(ends.high)
        ),
        (Some(share), None) => fine_percent(share),
        (None, _) => ABSENT.into(),
    }
}

/// In percent, with two digits.
fn fine_percent(share: f64) -> String {
    let percent = share * 100.0;
    let decimals = (1.0 - percent.max(1e-9).log10().floor()).clamp(0.0, 6.0);
    if percent == 0.0 {
        "0%".into()
    } else {
        format!("{percent:.*}%", decimals as usize)
    }
}

/// With its interval; `0` where both are none at all.
pub(super) fn amount(unit: Unit, estimate: &Estimate) -> String {
    let is_nothing = estimate.value() == Some(0.0)
        && estimate
            .interval()
            .is_none_or(|ends| ends.low == 0.0 && ends.high == 0.0);
    if is_nothing {
        "0".into()
    } else {
        words::amount(unit, estimate)
    }
}

/// A time with its interval; a histogram has nothing shorter than a nanosecond.
pub(super) fn time(estimate: &Estimate) -> String {
    let is_nothing = estimate.value().is_some_and(|value| value <= 1.0);
    match estimate.interval() {
        Some(ends) if is_nothing && ends.high <= 1.0 => "0".into(),
        None if is_nothing => "0".into(),
        Some(_) | None => words::amount(Unit::Ns, estimate),
    }
}

pub(super) fn share(estimate: &Estimate) -> String {
    match estimate.value() {
        Some(share) => number::percent(share),
        None => ABSENT.into(),
    }
}

pub(super) fn memory(point: &LoadPoint) -> String {
    match point.usage.peak_memory_bytes {
        Some(bytes) => number::about_size(bytes.as_f64()),
        None => ABSENT.into(),
    }
}

/// A slope with its sign and its interval.
pub(super) fn slope(unit: Unit, estimate: &Estimate) -> String {
    match estimate.value() {
        Some(0.0) if estimate.interval().is_none_or(|ends| ends.low == ends.high) => "0".into(),
        Some(value) => number::signed(unit, value, estimate.interval()),
        None => ABSENT.into(),
    }
}
