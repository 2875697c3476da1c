//! Up to which rate, or number of users, the SLO is kept and all that comes is completed.

use crate::analysis::load::{Kept, LoadCandidate, LoadPoint, Saturation, kept};
use crate::record::LoadStage;
use crate::report::words::load::{Load, asked, asked_rate, requests};

pub(super) fn of(load: Load<'_>, candidate: &LoadCandidate) -> String {
    let name = load.name(candidate.key);
    let points: Vec<&LoadPoint> = candidate
        .of_stage(LoadStage::Asked)
        .filter(|point| point.is_valid())
        .collect();
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return match is_invalid(candidate) {
            true => format!("{name} is INVALID: its requests were sent late"),
            false => format!("{name} could not be measured at any rate"),
        };
    };
    let Some(slo) = slo(load, candidate) else {
        return format!("{name} {}", without_slo(load, candidate, last));
    };
    let held = points
        .iter()
        .take_while(|point| kept(point, &load.plan.slo) == Some(Kept::Yes))
        .count();
    match held {
        0 => format!("{name} {}", not_even(load, first, &slo)),
        all if all == points.len() => format!(
            "{name} keeps {slo} up to {}, the highest that was asked for",
            load.at(last)
        ),
        some => format!(
            "{name} keeps {slo} up to {}{}{}",
            load.at(points[some - 1]),
            open(load, points[some]),
            saturates(candidate)
        ),
    }
}

/// Whether segments count for nothing because requests were sent too late.
fn is_invalid(candidate: &LoadCandidate) -> bool {
    let mut points = candidate.points.iter();
    points.any(|point| !point.segments.invalid.is_empty())
}

/// In full for the first candidate.
fn slo(load: Load<'_>, candidate: &LoadCandidate) -> Option<String> {
    let is_first = load.candidates().next().map(|first| first.key) == Some(candidate.key);
    load.slo()
        .map(|slo| if is_first { slo } else { "that".into() })
}

/// The lowest rate does not keep the SLO, or that is open.
fn not_even(load: Load<'_>, first: &LoadPoint, slo: &str) -> String {
    let at = load.at(first);
    match kept(first, &load.plan.slo) {
        Some(Kept::No) => format!("breaks {slo} at {at} already"),
        Some(Kept::Open | Kept::Yes) | None => format!("may or may not keep {slo} at {at}"),
    }
}

fn open(load: Load<'_>, next: &LoadPoint) -> String {
    match kept(next, &load.plan.slo) {
        Some(Kept::Open) => format!(" (open at {})", asked(next.asked)),
        Some(Kept::Yes | Kept::No) | None => String::new(),
    }
}

fn saturates(candidate: &LoadCandidate) -> String {
    match &candidate.saturation {
        Ok(Saturation::From { rate_per_sec, .. }) => {
            format!(" and saturates from {}", asked(*rate_per_sec))
        }
        Ok(Saturation::No { .. }) | Err(_) => String::new(),
    }
}

fn without_slo(load: Load<'_>, candidate: &LoadCandidate, last: &LoadPoint) -> String {
    match &candidate.saturation {
        Ok(Saturation::From { rate_per_sec, .. }) => {
            format!("saturates from {}", asked_rate(*rate_per_sec))
        }
        Ok(Saturation::No { up_to_per_sec }) if !load.is_of_users() => {
            format!(
                "completes all that comes up to {}",
                asked_rate(*up_to_per_sec)
            )
        }
        Ok(Saturation::No { .. }) | Err(_) => format!(
            "completes {} at {}",
            requests(&last.flow.achieved_per_sec),
            load.at(last)
        ),
    }
}
