//! Where a ramp breaks what is served, and how.

use super::errors::error_limit;
use super::pool::{Loaded, Read};
use super::types::FailureMode;
use crate::record::{FailureKind, LoadCounts, LoadWindow};

/// Parts of a ramp that it must have to show where it breaks.
const LEAST_PARTS: usize = 8;
/// Share of the requests of the end of a ramp that are completed where nothing breaks.
const KEPT_UP: f64 = 0.95;
/// The end of a ramp, as a share of it.
const END: f64 = 0.25;

/// What one ramp shows.
pub(super) struct Broken {
    /// Offered requests per second from which on it breaks; `None` where it does not.
    pub(super) from: Option<f64>,
    pub(super) mode: Option<FailureMode>,
}

/// One part of a ramp.
#[derive(Clone, Copy)]
struct Part {
    /// Offered rate in the middle of it, by the plan.
    rate: f64,
    /// Requests completed per second.
    completed: f64,
    counts: LoadCounts,
}

/// `None` where the ramp has too few parts, and has not failed.
pub(super) fn of(loaded: Loaded<'_>, read: &Read<'_>) -> Option<Broken> {
    let parts = parts(read);
    let failure = read.segment.failure.as_ref().map(|failure| failure.kind);
    if parts.len() < LEAST_PARTS {
        return failure.map(|kind| Broken {
            from: None,
            mode: Some(of_failure(kind)),
        });
    }
    let limit = error_limit(loaded.plan);
    let behind = behind(&parts);
    let erring = erring(&parts, limit);
    let from = [behind, erring].into_iter().flatten().reduce(f64::min);
    let mode = from.map(|from| mode(&parts, from, limit));
    Some(Broken {
        from,
        mode: failure.map(of_failure).or(mode),
    })
}

fn parts(read: &Read<'_>) -> Vec<Part> {
    let offer = &read.segment.offer;
    let length = offer.length_ns.as_secs_f64();
    let mut before = 0.0;
    let mut parts = Vec::new();
    for window in &read.windows {
        let end = window.end_ns.as_secs_f64();
        if end > length {
            break;
        }
        let middle = f64::midpoint(before, end) / length;
        parts.push(part(
            window,
            offer.from.0 + (offer.to.0 - offer.from.0) * middle,
            end - before,
        ));
        before = end;
    }
    parts
}

fn part(window: &LoadWindow, rate: f64, seconds: f64) -> Part {
    Part {
        rate,
        completed: window.counts.completed as f64 / seconds,
        counts: window.counts,
    }
}

/// The rate from which on completed requests do not follow: of all places to cut the ramp, the one
/// that leaves least between what is completed and, before it, what is offered and, after it, one
/// level. Where that level is what was offered at the cut, it is the rate; where less is completed
/// under overload than before, the rate at the cut is.
fn behind(parts: &[Part]) -> Option<f64> {
    let end = &parts[parts.len() - ((parts.len() as f64 * END) as usize).max(1)..];
    let offered: f64 = end.iter().map(|part| part.counts.offered as f64).sum();
    let completed: f64 = end.iter().map(|part| part.counts.completed as f64).sum();
    if completed >= KEPT_UP * offered {
        return None;
    }
    let cut = (0..parts.len())
        .min_by(|&one, &other| misfit(parts, one).total_cmp(&misfit(parts, other)))?;
    let rate = parts[cut].rate;
    let level = level(&parts[cut..]);
    Some(if level >= KEPT_UP * rate { level } else { rate })
}

/// Squared distances, each over what counts of such a rate vary by.
fn misfit(parts: &[Part], cut: usize) -> f64 {
    let (before, after) = parts.split_at(cut);
    let level = level(after);
    let of_before = before
        .iter()
        .map(|part| (part.completed - part.rate).powi(2) / part.rate.max(1.0));
    let of_after = after
        .iter()
        .map(|part| (part.completed - level).powi(2) / level.max(1.0));
    of_before.chain(of_after).sum()
}

fn level(parts: &[Part]) -> f64 {
    parts.iter().map(|part| part.completed).sum::<f64>() / parts.len() as f64
}

/// The rate from which on the share of errors is above the limit in every part.
fn erring(parts: &[Part], limit: f64) -> Option<f64> {
    let kept = parts
        .iter()
        .rposition(|part| part.counts.errors() as f64 <= limit * part.counts.offered as f64);
    parts
        .get(kept.map_or(0, |kept| kept + 1))
        .map(|part| part.rate)
}

fn mode(parts: &[Part], from: f64, limit: f64) -> FailureMode {
    let beyond = parts
        .iter()
        .filter(|part| part.rate >= from)
        .map(|part| part.counts)
        .fold(LoadCounts::default(), LoadCounts::plus);
    let share = |count: u64| count as f64 / beyond.offered.max(1) as f64;
    if share(beyond.failed) > limit && beyond.failed >= beyond.rejected {
        FailureMode::Errors
    } else if share(beyond.rejected) > limit {
        FailureMode::Rejections
    } else {
        FailureMode::Waiting
    }
}

pub(super) fn of_failure(kind: FailureKind) -> FailureMode {
    match kind {
        FailureKind::OutOfMemory => FailureMode::Memory,
        FailureKind::Inference => FailureMode::Errors,
        FailureKind::Crashed
        | FailureKind::TimedOut
        | FailureKind::BadModel
        | FailureKind::BadInput
        | FailureKind::Usage
        | FailureKind::Runtime
        | FailureKind::SessionLoad
        | FailureKind::Protocol => FailureMode::Crash,
    }
}
