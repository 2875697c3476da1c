//! What changes most beside the verdict, what spoils figures first.

use super::super::cells;
use super::{soak, stress};
use crate::analysis::load::{
    Leak, LoadCandidate, LoadPoint, OutputsUnderLoad, Saturation, SaturationSign,
};
use crate::metric::Unit;
use crate::plan::{Question, Serving};
use crate::record::Failure;
use crate::report::words::load::{Load, asked, asked_rate};
use crate::report::words::{self, number, plain};

/// All of them, ranked.
pub(in crate::report::chapters) fn remarks(load: Load<'_>) -> Vec<String> {
    let each: [fn(Load<'_>, &LoadCandidate) -> Option<String>; 8] = [
        invalid,
        failed,
        wrong_outputs,
        no_capacity,
        oversubscribed,
        saturated,
        broken,
        leaks,
    ];
    each.into_iter()
        .flat_map(|remark| {
            load.candidates()
                .filter_map(move |candidate| remark(load, candidate))
        })
        .collect()
}

/// Where nothing counts because requests were sent too late: that, and of no capacity.
pub(super) fn all_invalid(load: Load<'_>) -> Option<String> {
    let has_figures = load
        .candidates()
        .flat_map(|candidate| &candidate.points)
        .any(LoadPoint::is_valid);
    let reason = load.candidates().find_map(first_reason)?;
    (!has_figures).then(|| format!("INVALID: {reason}. No figure of this run counts."))
}

fn first_reason(candidate: &LoadCandidate) -> Option<String> {
    let points = candidate.points.iter();
    let mut invalid = points.flat_map(|point| &point.segments.invalid);
    Some(plain(&invalid.next()?.reason))
}

/// `INVALID: 3 of 40 segments of int8 count for nothing: requests were sent late: ...`.
fn invalid(load: Load<'_>, candidate: &LoadCandidate) -> Option<String> {
    let reason = first_reason(candidate)?;
    let points = candidate.points.iter().map(|point| &point.segments);
    let invalid: usize = points.clone().map(|one| one.invalid.len()).sum();
    let valid: u64 = points.map(|one| one.valid_count).sum();
    Some(format!(
        "INVALID: {} of {} segments of {} count for nothing: {reason}.",
        number::count(invalid as u64),
        number::count(invalid as u64 + valid),
        load.name(candidate.key)
    ))
}

/// `2 segments of int8 failed: ...`.
fn failed(load: Load<'_>, candidate: &LoadCandidate) -> Option<String> {
    let failures: Vec<&Failure> = candidate
        .points
        .iter()
        .flat_map(|point| &point.segments.failures)
        .collect();
    let first = failures.first()?;
    let hint = first.hint.as_ref().map(|hint| format!(" (hint: {hint})"));
    Some(format!(
        "{} of {} failed: {}{}.",
        words::counted_noun(failures.len() as u64, "segment"),
        load.name(candidate.key),
        plain(&first.message),
        hint.unwrap_or_default()
    ))
}

fn wrong_outputs(load: Load<'_>, candidate: &LoadCandidate) -> Option<String> {
    let found = candidate.integrity.as_ref().ok()?;
    (found.wrong_count > 0).then(|| format!("{}: {}.", load.name(candidate.key), wrong(found)))
}

/// `12 of 9,000 outputs under load are not those without load (0.13%, 0.07% to 0.23%)`.
pub(in crate::report) fn wrong(found: &OutputsUnderLoad) -> String {
    if found.wrong_count == 0 {
        return format!(
            "all {} outputs compared are those without load; share of wrong ones: {}",
            number::count(found.checked_count),
            cells::small_share(&found.wrong_ratio)
        );
    }
    format!(
        "{} of {} outputs under load are not those without load ({})",
        number::count(found.wrong_count),
        number::count(found.checked_count),
        cells::small_share(&found.wrong_ratio)
    )
}

/// `int8: 4 threads of 2 sessions compute at once on 2 CPUs`, where they are more than the CPUs.
fn oversubscribed(load: Load<'_>, candidate: &LoadCandidate) -> Option<String> {
    let serving = load.serving(candidate.key)?;
    let spec = load
        .source
        .record
        .plan
        .sessions
        .get(candidate.key.session)?;
    let threads = computing(serving, spec.options.intra_threads);
    let cpus = load.source.record.host.usable_cpus_count;
    (threads > cpus).then(|| {
        format!(
            "{}: {} compute at once on {}.",
            load.name(candidate.key),
            words::number_of(threads, "thread"),
            words::number_of(cpus, "CPU")
        )
    })
}

/// Threads of all processes that compute at once: callers, and those of the sessions' pools, of
/// which each caller is one.
fn computing(serving: &Serving, pool: u64) -> u64 {
    serving.processes * (serving.sessions * pool.saturating_sub(1) + serving.callers)
}

/// Why a candidate has no capacity, where another one has.
fn no_capacity(load: Load<'_>, candidate: &LoadCandidate) -> Option<String> {
    let reason = candidate.capacity.rate_per_sec.absent_reason()?;
    let mut others = load.candidates();
    let is_told = load.is_of_capacity()
        && others.any(|other| other.capacity.rate_per_sec.measured().is_some());
    is_told.then(|| {
        format!(
            "No capacity is named for {}: {}.",
            load.name(candidate.key),
            plain(reason)
        )
    })
}

/// A search goes beyond saturation: there it says nothing.
fn saturated(load: Load<'_>, candidate: &LoadCandidate) -> Option<String> {
    if load.is_of_capacity() {
        return None;
    }
    let Saturation::From {
        rate_per_sec,
        sign,
        kept_up_per_sec,
    } = candidate.saturation.as_ref().ok()?
    else {
        return None;
    };
    let below = kept_up_per_sec.map(|rate| format!("; at {} it keeps up", asked(rate)));
    Some(format!(
        "{} saturates from {}: {}{}.",
        load.name(candidate.key),
        asked_rate(*rate_per_sec),
        self::sign(sign),
        below.unwrap_or_default()
    ))
}

pub(in crate::report::chapters::load) fn sign(sign: &SaturationSign) -> String {
    match sign {
        SaturationSign::Behind { achieved_ratio } => format!(
            "{} of what comes is completed",
            words::amount(Unit::Ratio, achieved_ratio)
        ),
        SaturationSign::QueueGrows { slope_per_sec } => format!(
            "the queue grows by {} a second",
            words::amount(Unit::Count, slope_per_sec)
        ),
    }
}

fn broken(load: Load<'_>, candidate: &LoadCandidate) -> Option<String> {
    let stress = candidate.stress.as_ref().ok()?;
    (load.plan.question != Question::Stress)
        .then(|| format!("{} {}.", load.name(candidate.key), stress::broken(stress)))
}

fn leaks(load: Load<'_>, candidate: &LoadCandidate) -> Option<String> {
    let found = candidate.soak.as_ref().ok()?;
    let is_asked = matches!(load.plan.question, Question::Soak { .. });
    let leaks = match found.leak {
        Leak::Memory { .. } | Leak::Files { .. } => true,
        Leak::No | Leak::Undecided { .. } => false,
    };
    (leaks && !is_asked).then(|| format!("{}: {}.", load.name(candidate.key), soak::told(found)))
}
