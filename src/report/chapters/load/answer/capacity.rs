//! How many requests per second are held.

use crate::analysis::load::{LoadCandidate, LoadComparison};
use crate::report::words::load::{Load, requests};
use crate::report::words::{self, number, plain};

/// `int8 holds 1,240 requests/s (1,210 to 1,270) at p99 response <= 20 ms, 1.9x (1.8 to 2.0) as many
/// as fp32.`
pub(super) fn verdict(load: Load<'_>) -> String {
    match most(load) {
        Some(best) => format!("{}{}.", holds(load, best), beside_others(load, best)),
        None => none(load),
    }
}

/// The candidate that is seen to hold the most.
fn most(load: Load<'_>) -> Option<&LoadCandidate> {
    let held = load
        .candidates()
        .filter_map(|one| Some((one, one.capacity.rate_per_sec.value()?)));
    held.max_by(|(_, one), (_, other)| one.total_cmp(other))
        .map(|(one, _)| one)
}

/// `int8 holds 1,240 requests/s (1,210 to 1,270) at p99 response <= 20 ms`, and why there is no
/// interval where there is none.
fn holds(load: Load<'_>, candidate: &LoadCandidate) -> String {
    let rate = &candidate.capacity.rate_per_sec;
    let at = load.slo().map(|slo| format!(" at {slo}"));
    let remark = rate
        .measured()
        .filter(|rate| rate.interval.is_none())
        .and_then(|rate| rate.remark.as_ref());
    let remark = remark.map(|remark| format!(" ({})", plain(remark)));
    format!(
        "{} holds {}{}{}",
        load.name(candidate.key),
        requests(rate),
        at.unwrap_or_default(),
        remark.unwrap_or_default()
    )
}

/// The best one beside the first, and beside those that may hold as many; empty where there is
/// nothing to compare.
fn beside_others(load: Load<'_>, best: &LoadCandidate) -> String {
    let of_best = load
        .found
        .comparisons
        .iter()
        .find(|one| one.key == best.key);
    let more = of_best.and_then(|comparison| more_than_first(load, comparison));
    let open = words::listed(
        load.candidates()
            .filter(|other| may_hold_as_many(best, other))
            .map(|other| load.name(other.key)),
    );
    let open = if open.is_empty() {
        open
    } else {
        format!("; whether that is more than {open} holds is open")
    };
    format!("{}{open}", more.unwrap_or_default())
}

/// `, 1.9x (1.8 to 2.0) as many as fp32`, where the interval of the ratio says so.
fn more_than_first(load: Load<'_>, comparison: &LoadComparison) -> Option<String> {
    let ratio = comparison.capacity_ratio.measured()?;
    let is_more = ratio.interval.is_some_and(|ends| ends.low > 1.0);
    is_more.then(|| {
        format!(
            ", {} as many as {}",
            number::times(ratio.value, ratio.interval),
            load.name(comparison.reference)
        )
    })
}

/// Whether the intervals of both overlap.
fn may_hold_as_many(best: &LoadCandidate, other: &LoadCandidate) -> bool {
    let rate = &other.capacity.rate_per_sec;
    if other.key == best.key || rate.measured().is_none() {
        return false;
    }
    match (best.capacity.rate_per_sec.interval(), rate.interval()) {
        (Some(best), Some(other)) => other.high >= best.low,
        _ => true,
    }
}

/// Why no capacity is named.
fn none(load: Load<'_>) -> String {
    let reasons = load.candidates().filter_map(|candidate| {
        let reason = candidate.capacity.rate_per_sec.absent_reason()?;
        Some((plain(reason), load.name(candidate.key)))
    });
    let reasons = words::grouped(reasons);
    let told = reasons
        .iter()
        .map(|(reason, names)| format!("for {}: {reason}", words::listed(names)));
    format!("No capacity is named {}.", words::joined(told, "; "))
}
