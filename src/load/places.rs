//! Rounds that all hold the same segments: rates or users that were asked for, a stress, a soak.

use super::course::{self, Course};
use crate::plan::{Question, Scenario};
use crate::record::{EndReason, Fall, LoadKey, LoadStage, Offer};
use crate::runner::LoadMove;
use crate::stats::MIN_LAUNCHES;
use crate::units::{Nanos, PerSecond};

/// More than can be served, by the time of an inference: it shows how much is.
const BEYOND: f64 = 1.5;
/// Rates where none are named, as shares of what was served at most.
const SHARES: [f64; 7] = [0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1];
/// The rate that is held before a ramp and after it, and in a soak.
const HALF: f64 = 0.5;
/// Where a ramp ends.
const RAMP: f64 = 2.0;
/// Segments that a ramp lasts for, and the time after it.
const RAMP_SEGMENTS: u64 = 4;
/// Requests that wait for each thread where there is always work.
const OFFLINE: u64 = 4;
/// Virtual users of MLPerf's MultiStream: the samples of a query.
const MULTI_STREAM: f64 = 8.0;

/// A segment of each round.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    key: LoadKey,
    stage: LoadStage,
    offer: Offer,
}

pub(super) fn next(course: &Course<'_>) -> LoadMove {
    if let Some(probe) = probe(course) {
        return probe;
    }
    let is_soak = matches!(course.plan.question, Question::Soak { .. });
    let rounds = course.rounds_or(if is_soak { 1 } else { MIN_LAUNCHES });
    for round in 0..rounds {
        let open = places(course, round)
            .into_iter()
            .find(|place| !is_done(course, round, place));
        if let Some(Place { key, stage, offer }) = open {
            return course.segment(key, round, stage, offer);
        }
    }
    course::end(EndReason::LoadAnswered)
}

/// A segment that shows how much is served at most, for candidates of which that has to be known.
fn probe(course: &Course<'_>) -> Option<LoadMove> {
    let needs = match &course.plan.question {
        Question::Curve { rates } => rates.is_empty(),
        Question::Stress => true,
        Question::Soak { rate, .. } => rate.is_none(),
        Question::Capacity | Question::Users { .. } | Question::Scenario(_) => false,
    };
    if !needs {
        return None;
    }
    // A segment that does not count is not repeated.
    let was_tried = |key: &LoadKey| {
        let mut segments = course.segments().iter();
        segments.any(|one| one.key == *key && one.stage == LoadStage::Bracket)
    };
    let key = course
        .candidates
        .iter()
        .copied()
        .find(|key| !was_tried(key))?;
    let rate = BEYOND * course.nominal(key);
    let offer = course.offer(rate, course.plan.segment_ns, course.seed(0, 0));
    Some(course.segment(key, 0, LoadStage::Bracket, offer))
}

/// Segments of a round in their order: back and forth, so that none is always the first.
fn places(course: &Course<'_>, round: u64) -> Vec<Place> {
    let steps = steps(course, round);
    let mut order: Vec<usize> = (0..steps).collect();
    if round % 2 == 1 && !is_sequence(course) {
        order.reverse();
    }
    let mut places = Vec::new();
    for (turn, step) in order.into_iter().enumerate() {
        let mut keys = course.candidates.clone();
        if (turn as u64 + round) % 2 == 1 {
            keys.reverse();
        }
        places.extend(keys.into_iter().map(|key| place(course, round, step, key)));
    }
    places
}

/// Whether segments of a candidate follow each other in one order.
fn is_sequence(course: &Course<'_>) -> bool {
    matches!(course.plan.question, Question::Stress)
}

fn steps(course: &Course<'_>, _round: u64) -> usize {
    match &course.plan.question {
        Question::Curve { rates } if rates.is_empty() => SHARES.len(),
        Question::Curve { rates } => rates.len(),
        Question::Users { counts } => counts.len(),
        Question::Stress => 2,
        Question::Soak { .. } | Question::Capacity | Question::Scenario(_) => 1,
    }
}

fn place(course: &Course<'_>, round: u64, step: usize, key: LoadKey) -> Place {
    let segment = course.plan.segment_ns;
    let seed = course.seed(round, step);
    let (stage, offer) = match &course.plan.question {
        Question::Curve { rates } => {
            let named = rates.get(step).map(|rate| rate.0);
            let rate = named.unwrap_or_else(|| SHARES[step] * most(course, course.candidates[0]));
            (LoadStage::Asked, course.offer(rate, segment, seed))
        }
        Question::Users { counts } => (
            LoadStage::Asked,
            course.offer(counts[step] as f64, segment, seed),
        ),
        Question::Soak { rate, length_ns } => {
            let rate = rate.map_or_else(|| HALF * most(course, key), |rate| rate.0);
            (LoadStage::Soak, course.offer(rate, *length_ns, seed))
        }
        Question::Stress if step == 0 => (
            LoadStage::Before,
            course.offer(HALF * most(course, key), segment, seed),
        ),
        Question::Stress => (LoadStage::Ramp, ramp(course, key, seed)),
        Question::Scenario(scenario) => (
            LoadStage::Asked,
            course.offer(users(course, *scenario, key), segment, seed),
        ),
        Question::Capacity => (
            LoadStage::Asked,
            course.offer(most(course, key), segment, seed),
        ),
    };
    Place { key, stage, offer }
}

/// Requests per second that a candidate serves at most.
fn most(course: &Course<'_>, key: LoadKey) -> f64 {
    course
        .served_at_most(key)
        .unwrap_or_else(|| course.nominal(key))
}

/// From the rate that was held to beyond what is served, and back to it at once.
fn ramp(course: &Course<'_>, key: LoadKey, seed: u64) -> Offer {
    let most = most(course, key);
    let length_ns = Nanos(course.plan.segment_ns.0 * RAMP_SEGMENTS);
    let held = PerSecond((HALF * most).min(1e6));
    Offer {
        from: held,
        to: PerSecond((RAMP * most).min(1e6)),
        length_ns,
        seed,
        fall: Some(Fall {
            to: held,
            length_ns,
        }),
    }
}

/// Virtual users of a scenario of MLPerf.
fn users(course: &Course<'_>, scenario: Scenario, key: LoadKey) -> f64 {
    let serving = &course.plan.servings[key.serving];
    match scenario {
        Scenario::SingleStream | Scenario::Server => 1.0,
        Scenario::MultiStream => MULTI_STREAM,
        Scenario::Offline => {
            (OFFLINE * serving.processes * serving.callers * serving.max_batch()) as f64
        }
    }
}

/// Whether a segment was measured, whatever became of it.
fn is_done(course: &Course<'_>, round: u64, place: &Place) -> bool {
    course.segments().iter().any(|one| {
        (one.key, one.round, one.stage, one.offer.seed)
            == (place.key, round, place.stage, place.offer.seed)
    })
}
