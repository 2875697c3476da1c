//! What a rising rate did, and what came after it.

use super::breaking::{self, Broken, of_failure};
use super::over_rounds::centre;
use super::pool::{Loaded, Pool, Read};
use super::recovery::{self, Recovered};
use super::types::{FailureMode, Stress};
use crate::analysis::figures::{Bounds, Estimate};
use crate::observed::Observed;
use crate::record::LoadStage;
use crate::text::Plain;
use crate::units::{Nanos, PerSecond};

pub(super) fn of(loaded: Loaded<'_>, pools: &[Pool<'_>]) -> Observed<Stress> {
    let ramps = of_stage(pools, LoadStage::Ramp);
    if ramps.is_empty() {
        return Err("the run has no ramp".into());
    }
    let before = of_stage(pools, LoadStage::Before);
    let broken: Vec<Broken> = ramps
        .iter()
        .filter_map(|ramp| breaking::of(loaded, ramp))
        .collect();
    let highest = ramps
        .iter()
        .map(|ramp| ramp.segment.offer.from.0.max(ramp.segment.offer.to.0))
        .fold(0.0, f64::max);
    Ok(Stress {
        breaking_point: breaking_point(&broken, highest),
        highest_offered_per_sec: PerSecond(highest),
        failure_mode: failure_mode(&ramps, &broken),
        recovery: recovery(&ramps, &before),
        recovered_up_to_ns: recovery::level_before(&before),
        rounds_count: ramps.len() as u64,
    })
}

/// A ramp that failed says how; one whose requests were sent late says nothing.
fn of_stage<'a, 'b>(pools: &'b [Pool<'a>], stage: LoadStage) -> Vec<&'b Read<'a>> {
    pools
        .iter()
        .filter(|pool| pool.stage == stage)
        .flat_map(|pool| &pool.segments)
        .filter(|read| read.invalid.is_none())
        .collect()
}

fn breaking_point(broken: &[Broken], highest: f64) -> Estimate {
    let rates: Vec<f64> = broken.iter().filter_map(|broken| broken.from).collect();
    if broken.is_empty() {
        return Estimate::absent("the ramps have too few parts");
    }
    if rates.len() * 2 > broken.len() {
        return centre(&rates, "no ramp broke it");
    }
    if broken.iter().any(|broken| broken.mode.is_some()) {
        return Estimate::absent("it failed before the ramp showed at which rate");
    }
    Estimate::Absent {
        reason: "all that was offered was completed".into(),
        bounds: Some(Bounds {
            at_least: Some(highest),
            at_most: None,
        }),
    }
}

/// The one that most rounds show; of equals the worst. That of a ramp that did not come to its end
/// counts whatever else is shown.
fn failure_mode(ramps: &[&Read<'_>], broken: &[Broken]) -> Option<FailureMode> {
    let ended = ramps
        .iter()
        .filter_map(|ramp| Some(of_failure(ramp.segment.failure.as_ref()?.kind)))
        .max();
    let modes: Vec<FailureMode> = broken.iter().filter_map(|broken| broken.mode).collect();
    let rounds = |mode: FailureMode| modes.iter().filter(|&&other| other == mode).count();
    ended.or_else(|| {
        modes
            .iter()
            .copied()
            .max_by_key(|&mode| (rounds(mode), mode))
    })
}

fn recovery(ramps: &[&Read<'_>], before: &[&Read<'_>]) -> Estimate {
    let mut times = Vec::new();
    let mut not_within: Option<Nanos> = None;
    for ramp in ramps {
        let of_round: Vec<&Read<'_>> = before
            .iter()
            .copied()
            .filter(|one| one.segment.round == ramp.segment.round)
            .collect();
        match recovery::level_before(&of_round).and_then(|level| recovery::of(ramp, level)) {
            Some(Recovered::After(time)) => times.push(time.as_f64()),
            Some(Recovered::NotWithin(time)) => not_within = not_within.max(Some(time)),
            None => {}
        }
    }
    match not_within {
        Some(time) => Estimate::Absent {
            reason: not_recovered(time),
            bounds: Some(Bounds {
                at_least: Some(time.as_f64()),
                at_most: None,
            }),
        },
        None => centre(
            &times,
            "no ramp was followed by a lower rate and preceded by one",
        ),
    }
}

fn not_recovered(time: Nanos) -> Plain {
    format!(
        "responses were not again what they were before within {:.1} s",
        time.as_secs_f64()
    )
    .into()
}
