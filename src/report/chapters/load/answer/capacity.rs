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

/// The best one beside the first, or the first beside all others; empty where there is nothing to
/// compare.
fn beside_others(load: Load<'_>, best: &LoadCandidate) -> String {
    let comparisons = &load.found.comparisons;
    match comparisons.iter().find(|one| one.key == best.key) {
        Some(comparison) => beside_first(load, comparison),
        None if comparisons.is_empty() => String::new(),
        None if comparisons.iter().all(is_less) => ", more than any other".into(),
        None => String::new(),
    }
}

fn is_less(comparison: &LoadComparison) -> bool {
    let ratio = comparison.capacity_ratio.interval();
    ratio.is_some_and(|ratio| ratio.high < 1.0)
}

fn beside_first(load: Load<'_>, comparison: &LoadComparison) -> String {
    let first = load.name(comparison.reference);
    let Some(ratio) = comparison.capacity_ratio.measured() else {
        return String::new();
    };
    match ratio.interval {
        Some(ends) if ends.low > 1.0 => format!(
            ", {} as many as {first}",
            number::times(ratio.value, ratio.interval)
        ),
        _ => format!("; whether that is more than {first} holds is open"),
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
