//! Findings in words: what a change, a size or a score amounts to, in few of them.

use crate::analysis::{
    Bounds, Caveat, Change, Estimate, Interval, Measured, SATURATION_SHARE, Verdict,
};
use crate::metric::{Metric, Unit};
use crate::observed::Observed;
use crate::report::words::{number, plain};
use crate::text::Shown;
use crate::units::Nanos;

/// A figure in full: value, interval, n, and what a reader has to know about it; or that it was not
/// measured, and why.
pub(in crate::report) fn full(metric: Metric, estimate: &Estimate) -> String {
    figure(metric, estimate).unwrap_or_else(|reason| not_measured(&reason))
}

pub(in crate::report) fn figure(metric: Metric, estimate: &Estimate) -> Observed<String> {
    match estimate {
        Estimate::Measured(measured) => Ok(format!(
            "{}, n = {}{}{}{}",
            value(metric, estimate),
            counted(measured),
            range(metric, measured),
            remark(measured),
            bounded(metric, measured.bounds)
        )),
        Estimate::Absent { reason, bounds } => {
            Err(format!("{}{}", reason.exact(), bounded(metric, *bounds)).into())
        }
    }
}

fn remark(measured: &Measured) -> String {
    let remark = measured.remark.as_ref();
    remark
        .map(|remark| format!("; {remark}"))
        .unwrap_or_default()
}

/// `; at least 5.3 ms with 95% confidence`, or what else is known of a value that has no interval.
fn bounded(metric: Metric, bounds: Option<Bounds>) -> String {
    match bounds.and_then(|bounds| sides(metric, bounds)) {
        Some(sides) => format!("; {sides} with 95% confidence"),
        None => String::new(),
    }
}

fn sides(metric: Metric, bounds: Bounds) -> Option<String> {
    let [least, most] = [bounds.at_least, bounds.at_most]
        .map(|bound| bound.map(|bound| number::value(metric.unit(), bound, None)));
    match (least, most) {
        (Some(least), Some(most)) => Some(format!(
            "at least {least} and, apart from that, at most {most}, each"
        )),
        (Some(least), None) => Some(format!("at least {least}")),
        (None, Some(most)) => Some(format!("at most {most}")),
        (None, None) => None,
    }
}

pub(in crate::report) fn not_measured<T: Shown + ?Sized>(reason: &T) -> String {
    format!("not measured: {}", plain(reason))
}

/// A measured figure with its interval; empty if it is absent.
pub(in crate::report) fn value(metric: Metric, estimate: &Estimate) -> String {
    amount(metric.unit(), estimate)
}

/// The same of a figure that need not be there.
pub(in crate::report) fn shown(metric: Metric, estimate: Option<&Estimate>) -> String {
    estimate
        .map(|found| value(metric, found))
        .unwrap_or_default()
}

pub(in crate::report) fn amount(unit: Unit, estimate: &Estimate) -> String {
    let Some(measured) = estimate.measured() else {
        return String::new();
    };
    match (measured.interval, measured.bounds) {
        (Some(interval), _) => number::with_interval(unit, measured.value, interval),
        (None, Some(_)) => bound(unit, estimate).unwrap_or_default(),
        (None, None) => number::value(unit, measured.value, None),
    }
}

/// Meaning of the mark before a [`bound`].
pub(in crate::report) const BOUND: &str =
    "≤ and ≥: at most, and at least, that, by the end of the 95% interval or with 95% confidence";

/// What a percentile is not above, `≤ 350 µs`, or what it is not below where nothing else is known:
/// it is never shown as if it were sure. `None` where there is no bound.
pub(in crate::report) fn bound(unit: Unit, estimate: &Estimate) -> Option<String> {
    let (interval, bounds) = match estimate {
        Estimate::Measured(measured) => (measured.interval, measured.bounds),
        Estimate::Absent { bounds, .. } => (None, *bounds),
    };
    if let Some(interval) = interval {
        return Some(number::at_most(unit, interval.high, Some(interval)));
    }
    let Bounds { at_least, at_most } = bounds?;
    at_most
        .map(|most| number::at_most(unit, most, None))
        .or_else(|| Some(number::at_least(unit, at_least?)))
}

/// A measured figure alone; empty if it is absent.
pub(in crate::report) fn short(metric: Metric, estimate: &Estimate) -> String {
    estimate
        .value()
        .map(|value| number::value(metric.unit(), value, None))
        .unwrap_or_default()
}

/// `12 launches`.
pub(in crate::report) fn counted(measured: &Measured) -> String {
    format!(
        "{} {}",
        number::count(measured.n),
        measured.n_of.noun(measured.n)
    )
}

fn range(metric: Metric, measured: &Measured) -> String {
    match (measured.interval, measured.range) {
        (None, Some(range)) if range.low < range.high => {
            format!(", range {}", number::ends(metric.unit(), range))
        }
        _ => String::new(),
    }
}

/// A change in words, in two parts so that `than fp32` may stand between them.
pub(in crate::report) struct Comparison {
    /// `2.1x faster`.
    pub(in crate::report) phrase: String,
    /// ` (2.0 to 2.2)`; empty without an interval.
    pub(in crate::report) interval: String,
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}{}", self.phrase, self.interval)
    }
}

pub(in crate::report) fn latency_change(change: &Change) -> Comparison {
    compared(change.verdict, change.speedup())
}

pub(in crate::report) fn throughput_change(change: &Change) -> Comparison {
    compared(
        change.verdict,
        change
            .ratio
            .measured()
            .map(|ratio| (ratio.value, ratio.interval)),
    )
}

/// How many times as fast, above 1, or the reciprocal as how many times as slow.
fn compared(verdict: Verdict, speedup: Option<(f64, Option<Interval>)>) -> Comparison {
    let Some((speedup, interval)) = speedup else {
        return Comparison {
            phrase: "not compared".into(),
            interval: String::new(),
        };
    };
    let (factor, interval) = match verdict {
        Verdict::Slower => (1.0 / speedup, interval.map(Interval::reciprocal)),
        _ => (speedup, interval),
    };
    let shown = number::factor(factor, interval);
    let phrase = match verdict {
        Verdict::Faster => format!("{shown}x faster"),
        Verdict::Slower => format!("{shown}x slower"),
        Verdict::Same => "as fast".into(),
        Verdict::Inconclusive => format!("not settled: {shown}x as fast"),
    };
    Comparison {
        phrase,
        interval: number::factor_interval(factor, interval),
    }
}

/// Longer than this nobody measures.
pub(in crate::report) const LONG: Nanos = Nanos(24 * 3_600_000_000_000);

/// What is missing for a verdict: `about 40 s more would settle it`.
pub(in crate::report) fn to_settle(change: &Change) -> String {
    if change.is_withheld {
        return "a quiet machine would settle it, since other work slows both down unlike".into();
    }
    match (kept_open(change), change.time_to_settle_ns) {
        (Some(kept_open), _) => kept_open,
        (None, Some(time)) => would_settle(time),
        (None, None) => "more time is needed to settle it".into(),
    }
}

pub(in crate::report) fn would_settle(time: Nanos) -> String {
    if time > LONG {
        "more than a day would be needed to settle it".into()
    } else {
        format!("about {} more would settle it", rounded_time(time))
    }
}

/// Why a verdict is open although the interval alone would give one.
fn kept_open(change: &Change) -> Option<String> {
    let verdict = match change.alone? {
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::Same => "the same",
        Verdict::Inconclusive => return None,
    };
    Some(format!(
        "alone it would be {verdict}; judged together with the other comparisons and checks of the run it is open"
    ))
}

/// Meaning of `open` of changes whose interval alone would give a verdict, if any is.
pub(in crate::report) fn kept_open_note<'c>(
    mut changes: impl Iterator<Item = &'c Change>,
) -> Option<String> {
    changes.any(|change| change.alone.is_some()).then(|| {
        "open although the interval alone gives a verdict: all comparisons of a figure, and all checks of a run, are judged \
         together, so that few of the verdicts given are false"
            .into()
    })
}

/// A time to plan by, rounded up: `40 s`, `5 minutes`, `3 hours`.
pub(in crate::report) fn rounded_time(time: Nanos) -> String {
    const MINUTES_IN_ALL: u64 = 120;
    let minutes = time.0.div_ceil(60_000_000_000);
    if minutes > MINUTES_IN_ALL {
        format!("{} hours", minutes.div_ceil(60))
    } else {
        in_units(time, " s", " minutes")
    }
}

/// A time to plan by as a budget is written: `40s`, `5m`.
pub(in crate::report) fn budget(time: Nanos) -> String {
    in_units(time, "s", "m")
}

fn in_units(time: Nanos, second: &str, minute: &str) -> String {
    let seconds = time.0.div_ceil(1_000_000_000).max(1);
    // Rounded up to what somebody would ask for.
    match seconds.next_multiple_of(if seconds <= 10 { 1 } else { 5 }) {
        seconds if seconds < 120 => format!("{seconds}{second}"),
        seconds => format!("{}{minute}", seconds.div_ceil(60)),
    }
}

/// `3.8x smaller`, of a file size factor; `None` where both are nearly the same.
pub(in crate::report) fn size_change(factor: f64) -> Option<String> {
    let (times, word) = if factor > 1.0 {
        (factor, "smaller")
    } else {
        (1.0 / factor, "larger")
    };
    (!(0.98..=1.02).contains(&factor)).then(|| format!("{}x {word}", number::factor(times, None)))
}

pub(in crate::report) fn caveat(caveat: Caveat) -> &'static str {
    match caveat {
        Caveat::AgreementOpen => {
            "without labels, whether its outputs agree closely enough with the reference is open"
        }
        Caveat::AccuracyFellLittle => "its score fell, by no more than it may",
        Caveat::AccuracyNotMeasured => "what its outputs are worth was not measured",
        Caveat::AgreementOnly => "without labels, only the agreement with the reference is known",
        Caveat::AccuracyOpen => "whether its score fell by more than it may is open",
        Caveat::StillRising => {
            "throughput still rose at the largest batch size; larger ones may bring more"
        }
        Caveat::WorseTail => "its p99 latency is worse than the baseline's",
        Caveat::Incomplete => "the run is incomplete",
        Caveat::NoInterval => "there were too few launches for an interval",
    }
}

/// `larger batches, up to 64, bring less than 5% more`, with what stands between the commas, if
/// anything.
pub(in crate::report) fn saturated(up_to: &str) -> String {
    format!(
        "larger batches{up_to} bring less than {} more",
        number::limit(1.0 - SATURATION_SHARE)
    )
}
