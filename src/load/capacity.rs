//! The search for the highest rate that keeps the SLO.
//!
//! A first round brackets it for each candidate: from what the time of an inference allows, up or
//! down until one rate keeps the SLO and one a little higher breaks it. Rounds at the edge follow,
//! each in fresh processes at a few rates about it, until the intervals over rounds are as narrow
//! as asked for.

use super::course::{self, Course};
use crate::analysis::load::capacity::{self as found, Seen};
use crate::record::{EndReason, LoadKey, LoadStage};
use crate::runner::LoadMove;
use crate::stats::MIN_LAUNCHES;
use crate::units::Nanos;

/// Where a search begins, as a share of what the time of an inference allows.
const FIRST: f64 = 0.7;
/// From one rate to the next while there is no bracket.
const STEP: f64 = 1.5;
/// A bracket is narrow where its ends are this close.
const NARROW: f64 = 1.12;
/// Rates that are tried before a candidate counts as one that keeps the SLO at none, or at all.
const MOST_TRIALS: usize = 24;
/// Trials that may come to nothing, because requests were sent late.
const MOST_UNCOUNTED: usize = 3;
/// Rates of a round at the edge, over the centre.
const EDGE: [f64; 5] = [0.92, 0.96, 1.0, 1.04, 1.08];
/// Requests that may break a limit are to be so many in a segment, if there is time.
const BROKEN_WANTED: f64 = 40.0;
/// A segment has at least so many requests, if there is time.
const LEAST_REQUESTS: f64 = 500.0;
/// No segment at the edge is shorter.
const SHORTEST: Nanos = Nanos(250_000_000);
/// Share of the time that is left that segments are planned to fill: processes are launched too.
const FILLED: f64 = 0.8;
/// More rounds tell little.
const MOST_ROUNDS: u64 = 20;
/// The round in which the edge is bracketed.
const BRACKET_ROUND: u64 = 0;

/// How far the bracket of a candidate has come.
enum Bracket {
    /// Its next rate.
    Open(f64),
    /// The middle of a narrow one.
    Closed(f64),
    /// No rate was found that keeps the SLO, or none that breaks it.
    None,
}

pub(super) fn next(course: &Course<'_>) -> LoadMove {
    let brackets: Vec<(LoadKey, Bracket)> = course
        .candidates
        .iter()
        .map(|&key| (key, bracket(course, key)))
        .collect();
    let open = brackets.iter().filter_map(|(key, bracket)| match bracket {
        Bracket::Open(rate) => Some((*key, *rate)),
        Bracket::Closed(_) | Bracket::None => None,
    });
    // Those with the fewest trials first, so that candidates take turns.
    if let Some((key, rate)) = open.min_by_key(|(key, _)| trials(course, *key).count()) {
        let length = length(course, rate, &[key], MIN_LAUNCHES);
        let offer = course.offer(rate, length, course.seed(BRACKET_ROUND, 0));
        return course.segment(key, BRACKET_ROUND, LoadStage::Bracket, offer);
    }
    let sought: Vec<Sought> = brackets
        .iter()
        .filter_map(|(key, bracket)| match bracket {
            Bracket::Closed(middle) => Some(Sought {
                key: *key,
                middle: *middle,
            }),
            Bracket::Open(_) | Bracket::None => None,
        })
        .collect();
    at_edge(course, &sought)
}

/// A candidate whose edge is bracketed.
struct Sought {
    key: LoadKey,
    middle: f64,
}

fn trials<'a>(course: &'a Course<'_>, key: LoadKey) -> impl Iterator<Item = &'a Seen> {
    let seen = course.seen.iter().copied();
    seen.filter(move |one| one.key == key && one.stage == LoadStage::Bracket)
}

fn bracket(course: &Course<'_>, key: LoadKey) -> Bracket {
    let of_stage = course
        .segments()
        .iter()
        .filter(|one| (one.key, one.stage) == (key, LoadStage::Bracket));
    let (asked, counted) = (of_stage.count(), trials(course, key).count());
    if asked >= MOST_TRIALS || asked - counted >= MOST_UNCOUNTED {
        return Bracket::None;
    }
    let (mut keeps, mut breaks) = (None, None);
    for trial in trials(course, key) {
        if trial.holds(&course.limits) {
            keeps = highest(keeps, trial.rate);
        }
    }
    for trial in trials(course, key).filter(|trial| !trial.holds(&course.limits)) {
        if keeps.is_none_or(|rate| trial.rate > rate) {
            breaks = lowest(breaks, trial.rate);
        }
    }
    match (keeps, breaks) {
        (None, None) => Bracket::Open(FIRST * course.nominal(key)),
        (Some(rate), None) if rate >= 1e6 => Bracket::None,
        (Some(rate), None) => Bracket::Open(rate * STEP),
        (None, Some(rate)) => Bracket::Open(rate / STEP),
        (Some(low), Some(high)) if high / low > NARROW => Bracket::Open((low * high).sqrt()),
        (Some(low), Some(high)) => Bracket::Closed((low * high).sqrt()),
    }
}

fn highest(one: Option<f64>, other: f64) -> Option<f64> {
    Some(one.map_or(other, |one| one.max(other)))
}

fn lowest(one: Option<f64>, other: f64) -> Option<f64> {
    Some(one.map_or(other, |one| one.min(other)))
}

fn at_edge(course: &Course<'_>, sought: &[Sought]) -> LoadMove {
    let mut round = BRACKET_ROUND + 1;
    loop {
        if let Some(segment) = of_round(course, sought, round) {
            return segment;
        }
        let done = round - BRACKET_ROUND;
        let is_asked = course.record.plan.schedule.rounds_count;
        let is_enough = match is_asked {
            Some(rounds) => done >= rounds,
            None => {
                done >= MOST_ROUNDS || (done >= MIN_LAUNCHES && are_known(course, sought, round))
            }
        };
        if sought.is_empty() || is_enough {
            return course::end(EndReason::LoadAnswered);
        }
        round += 1;
    }
}

/// The next segment of a round, unless all are there.
fn of_round(course: &Course<'_>, sought: &[Sought], round: u64) -> Option<LoadMove> {
    let keys: Vec<LoadKey> = sought.iter().map(|one| one.key).collect();
    for (turn, place) in order(course, round).into_iter().enumerate() {
        let mut turns: Vec<&Sought> = sought.iter().collect();
        if (turn as u64 + round) % 2 == 1 {
            turns.reverse();
        }
        let seed = course.seed(round, place);
        let mut segments = course.segments().iter();
        let open = turns.into_iter().find(|one| {
            !segments.clone().any(|segment| {
                (segment.key, segment.round, segment.offer.seed) == (one.key, round, seed)
            })
        });
        let Some(one) = open else { continue };
        let rate = centre(course, one, round) * EDGE[place];
        let begun = segments.find(|segment| segment.round == round);
        let length = begun.map_or_else(
            || length(course, rate, &keys, rounds_to_come(course, round)),
            |segment| segment.offer.length_ns,
        );
        let offer = course.offer(rate, length, seed);
        return Some(course.segment(one.key, round, LoadStage::Edge, offer));
    }
    None
}

/// Places of a round, in an order of its own.
fn order(course: &Course<'_>, round: u64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..EDGE.len()).collect();
    places.sort_by_key(|&place| course.seed(round, place + EDGE.len()));
    places
}

fn rounds_to_come(course: &Course<'_>, round: u64) -> u64 {
    let wanted = course.rounds_or(MIN_LAUNCHES);
    (wanted + 1).saturating_sub(round - BRACKET_ROUND).max(1)
}

/// By the rounds before, not far from the bracket.
fn centre(course: &Course<'_>, sought: &Sought, round: u64) -> f64 {
    let before = edge_of(course, sought.key, round);
    let edge = found::edge(&before, &course.limits).map(|edge| edge.over_rounds.value);
    edge.map_or(sought.middle, |edge| {
        edge.clamp(sought.middle / STEP, sought.middle * STEP)
    })
}

/// Segments of a candidate at the edge, of the rounds before this one.
fn edge_of<'a>(course: &Course<'a>, key: LoadKey, round: u64) -> Vec<&'a Seen> {
    let seen = course
        .seen
        .iter()
        .filter(|one| one.key == key && one.stage == LoadStage::Edge && one.round < round);
    seen.copied().collect()
}

fn are_known(course: &Course<'_>, sought: &[Sought], round: u64) -> bool {
    let target = course.record.plan.schedule.target_half_width_ratio.0;
    sought.iter().all(|one| {
        let seen = edge_of(course, one.key, round + 1);
        found::edge(&seen, &course.limits).is_some_and(|edge| found::is_known(&edge, target))
    })
}

/// As long as it takes for enough requests to come, if there is time for that in every round that
/// is to come.
fn length(course: &Course<'_>, rate: f64, keys: &[LoadKey], rounds: u64) -> Nanos {
    let allowed = course
        .limits
        .iter()
        .map(|limit| limit.allowed)
        .fold(1.0, f64::min);
    let requests = (BROKEN_WANTED / allowed.max(1e-9)).max(LEAST_REQUESTS);
    let wanted = (requests / rate * 1e9).max(course.plan.segment_ns.as_f64());
    let segments = (rounds * (keys.len() * EDGE.len()) as u64) as f64;
    let share = course.clock.left.as_secs_f64() * 1e9 * FILLED / segments;
    Nanos(wanted.min(share) as u64).max(SHORTEST)
}
