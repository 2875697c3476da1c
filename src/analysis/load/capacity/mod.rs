//! The highest rate that keeps an SLO, from segments near the edge.
//!
//! Each round, which has fresh processes, gives one estimate (`fit`); the answer is the centre of
//! the rounds with the interval of the signed-rank test, as everywhere. It is one only where the
//! queue does not grow over a segment below that rate: what is not steady has no capacity. Segments
//! that failed, or whose requests were sent late, do not count.

mod fit;
mod limit;
mod seen;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::figures::{Estimate, Measured};
use crate::record::{EndReason, LoadKey, LoadStage, RunRecord};
use crate::stats::early_stopping::{Under, is_under};
use crate::stats::{MIN_LAUNCHES, OverLaunches, Quantile, over_launches};
use crate::text::Plain;
use crate::units::{Nanos, PerSecond};

pub use limit::{BrokenBy, Limit, limits};
pub use seen::Seen;

/// An edge is only told where it lies among what was measured, or this close to it.
const BEYOND: f64 = 0.1;
/// Segments up to this rate above the capacity show whether its queue grows.
const AT_EDGE: f64 = 0.02;
/// A queue grows only where it does by more than this share of what waits on average.
const LEAST_GROWTH: f64 = 0.5;
/// Rounds whose interval is wider than this share of its centre name no rate.
const WIDEST: f64 = 0.5;
/// Confidence of a proof that a limit is kept.
const PROVEN: f64 = 0.95;
/// Rates within this share of each other count as one where a proof is sought.
const ALIKE: f64 = 0.03;

/// The highest rate that keeps the SLO, in a state that is steady.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Capacity {
    /// Requests per second, with its interval, n counted in rounds; or why there is none.
    pub rate_per_sec: Estimate,
    /// The limit that is broken first, as it was written; absent without a rate.
    pub limited_by: Option<Plain>,
    /// The highest rate at which every limit is proven to be kept, by early stopping with the
    /// number of independent requests that those of the segments are worth; absent where none is.
    pub proven_per_sec: Option<PerSecond>,
    /// The lowest rate that is shown to break the SLO, likewise; absent where none is.
    pub broken_from_per_sec: Option<PerSecond>,
    /// Rounds behind it.
    pub rounds_count: u64,
    /// Requests behind it.
    pub requests_count: u64,
    /// Time that it took to measure, rates far from it included.
    pub elapsed_ns: Nanos,
}

impl Capacity {
    /// None, and why, as a lowercase fragment.
    #[must_use]
    pub fn absent(reason: &str) -> Self {
        Capacity {
            rate_per_sec: Estimate::absent(reason),
            limited_by: None,
            proven_per_sec: None,
            broken_from_per_sec: None,
            rounds_count: 0,
            requests_count: 0,
            elapsed_ns: Nanos(0),
        }
    }
}

/// Segments that count, in the order in which they were measured.
#[must_use]
pub fn seen(record: &RunRecord, limits: &[Limit]) -> Vec<Seen> {
    let segments = record.load.iter().flat_map(|load| &load.segments);
    segments
        .filter_map(|segment| Seen::of(segment, limits))
        .collect()
}

/// The highest rate at which a candidate keeps the SLO of a run.
#[must_use]
pub fn capacity(record: &RunRecord, key: LoadKey) -> Capacity {
    let Some(plan) = &record.plan.load else {
        return Capacity::absent("the run is not one under load");
    };
    if record.run.ended_by == Some(EndReason::SloBroken) {
        return Capacity::absent("single requests without load break the SLO already");
    }
    let limits = limits(&plan.slo);
    if limits.is_empty() {
        return Capacity::absent("no limit on responses or errors was given");
    }
    let mut seen = seen(record, &limits);
    seen.retain(|one| one.key == key);
    let elapsed: f64 = seen.iter().map(|one| one.elapsed).sum();
    seen.retain(|one| one.stage == LoadStage::Edge);
    Capacity {
        elapsed_ns: Nanos((elapsed * 1e9) as u64),
        ..of_edge(&seen.iter().collect::<Vec<_>>(), &limits)
    }
}

/// The capacity by segments near the edge.
#[must_use]
pub fn of_edge(seen: &[&Seen], limits: &[Limit]) -> Capacity {
    let Some(edge) = edge(seen, limits) else {
        return Capacity::absent(
            "no edge was found between rates that keep the SLO and rates that break it",
        );
    };
    let value = edge.over_rounds.value;
    if let Some(reason) = disagreement(&edge.over_rounds) {
        return Capacity::absent(&reason);
    }
    if let Some(growth) = growth(seen, value) {
        return Capacity::absent(&format!(
            "it is not steady: at {value:.0} requests per second the queue grows by {growth:.1} requests within a \
             segment"
        ));
    }
    let sought = Sought {
        groups: by_rate(&rounds(seen)),
        limits,
        dispersion: edge.dispersion,
    };
    Capacity {
        rate_per_sec: Estimate::Measured(Measured::over_launches(&edge.over_rounds)),
        limited_by: Some(edge.limit.text.as_str().into()),
        proven_per_sec: sought.proven().map(PerSecond),
        broken_from_per_sec: sought.refuted().map(PerSecond),
        rounds_count: edge.over_rounds.n,
        requests_count: seen.iter().map(|one| one.counts.offered).sum(),
        elapsed_ns: Nanos(0),
    }
}

/// Why rounds name no rate, where they lie too far apart; their number alone is told elsewhere.
fn disagreement(over_rounds: &OverLaunches) -> Option<String> {
    let interval = over_rounds.interval.ok()?;
    (over_rounds.half_width_ratio()? > WIDEST).then(|| {
        format!(
            "its rounds disagree, {:.0} to {:.0} requests per second: a longer `--budget` or a quieter machine would tell",
            interval.low, interval.high
        )
    })
}

/// Where a limit is broken.
#[derive(Clone, Debug)]
pub struct Edge<'a> {
    /// Requests per second.
    pub over_rounds: OverLaunches,
    /// The limit that is broken first.
    pub limit: &'a Limit,
    /// How many times the requests that break it vary more than independent ones would.
    dispersion: f64,
}

/// The edge by all rounds, whatever the queue does; `None` where no limit is broken more at higher
/// rates, or the edge lies beyond what was measured.
#[must_use]
pub fn edge<'a>(seen: &[&Seen], limits: &'a [Limit]) -> Option<Edge<'a>> {
    let rounds = rounds(seen);
    let found = limits.iter().filter_map(|limit| {
        let shares: Vec<Vec<fit::Share>> = rounds
            .values()
            .map(|segments| segments.iter().map(|one| one.share(limit)).collect())
            .collect();
        Some((limit, fit::crossings(&shares, limit.allowed)?))
    });
    let (limit, crossings) = found.min_by(|one, other| mean(&one.1).total_cmp(&mean(&other.1)))?;
    let rates: Vec<f64> = crossings.iter().map(|log| log.exp()).collect();
    let over_rounds = over_launches(&rates)?;
    let lowest = seen.iter().map(|one| one.rate).reduce(f64::min)?;
    let highest = seen.iter().map(|one| one.rate).reduce(f64::max)?;
    let is_near = over_rounds.value >= lowest * (1.0 - BEYOND)
        && over_rounds.value <= highest * (1.0 + BEYOND);
    is_near.then(|| Edge {
        over_rounds,
        limit,
        dispersion: dispersion(&rounds, limit),
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn rounds<'a>(seen: &[&'a Seen]) -> BTreeMap<u64, Vec<&'a Seen>> {
    let mut rounds: BTreeMap<u64, Vec<&Seen>> = BTreeMap::new();
    for &one in seen {
        rounds.entry(one.round).or_default().push(one);
    }
    rounds
}

/// Requests by which the queue grows over a segment at the edge or below it, where it does so over
/// rounds and by more than chance leaves behind; `None` where it is steady.
fn growth(seen: &[&Seen], edge: f64) -> Option<f64> {
    let below: Vec<&Seen> = seen
        .iter()
        .filter(|one| one.rate <= edge * (1.0 + AT_EDGE))
        .copied()
        .collect();
    let of_rounds: Vec<f64> = rounds(&below)
        .values()
        .map(|segments| segments.iter().map(|one| one.growth).sum::<f64>() / segments.len() as f64)
        .collect();
    let waiting = below.iter().map(|one| one.queue).sum::<f64>() / below.len().max(1) as f64;
    let growth = over_launches(&of_rounds)?;
    let grows = growth.interval.is_ok_and(|interval| interval.low > 0.0)
        && growth.value > (LEAST_GROWTH * waiting).max(1.0);
    grows.then_some(growth.value)
}

/// Pearson's statistic over its degrees of freedom, of segments about their rounds' shares.
fn dispersion(rounds: &BTreeMap<u64, Vec<&Seen>>, limit: &Limit) -> f64 {
    let (mut squares, mut degrees) = (0.0, 0.0);
    for segments in by_rate(rounds) {
        let requests: f64 = segments.iter().map(|one| one.counts.offered as f64).sum();
        let broken: f64 = segments.iter().map(|one| one.broken(limit) as f64).sum();
        if broken == 0.0 || segments.len() < 2 {
            continue;
        }
        for one in &segments {
            let expected = broken * one.counts.offered as f64 / requests;
            squares += (one.broken(limit) as f64 - expected).powi(2) / expected.max(1e-9);
        }
        degrees += segments.len() as f64 - 1.0;
    }
    if degrees > 0.0 {
        (squares / degrees).max(1.0)
    } else {
        1.0
    }
}

/// Segments at rates that are alike, whatever their round.
fn by_rate<'a>(rounds: &BTreeMap<u64, Vec<&'a Seen>>) -> Vec<Vec<&'a Seen>> {
    let mut all: Vec<&Seen> = rounds.values().flatten().copied().collect();
    all.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    let mut groups: Vec<Vec<&Seen>> = Vec::new();
    for one in all {
        match groups.last_mut() {
            Some(group) if one.rate <= group[0].rate * (1.0 + ALIKE) => group.push(one),
            _ => groups.push(vec![one]),
        }
    }
    groups
}

/// Segments at alike rates, of which something is to be proven.
struct Sought<'a> {
    groups: Vec<Vec<&'a Seen>>,
    limits: &'a [Limit],
    dispersion: f64,
}

impl Sought<'_> {
    /// The highest rate at which every limit is proven to be kept.
    fn proven(&self) -> Option<f64> {
        let group = self.groups.iter().rev().find(|group| {
            self.limits
                .iter()
                .all(|limit| self.of(group, limit) == Some(Under::Proven))
        })?;
        Some(group[0].rate)
    }

    /// The lowest rate at which a limit is proven to be broken.
    fn refuted(&self) -> Option<f64> {
        let group = self.groups.iter().find(|group| {
            self.limits
                .iter()
                .any(|limit| self.of(group, limit) == Some(Under::Refuted))
        })?;
        Some(group[group.len() - 1].rate)
    }

    fn of(&self, group: &[&Seen], limit: &Limit) -> Option<Under> {
        let quantile = Quantile::of_share(1.0 - limit.allowed)?;
        let requests: u64 = group.iter().map(|one| one.counts.offered).sum();
        let broken: u64 = group.iter().map(|one| one.broken(limit)).sum();
        let n = (requests as f64 / self.dispersion) as u64;
        let overruns = (broken as f64 / self.dispersion).ceil() as u64;
        (n > 0).then(|| is_under(quantile, n, overruns.min(n), PROVEN))
    }
}

/// Whether enough is known: an interval that is as narrow as asked for.
#[must_use]
pub fn is_known(edge: &Edge<'_>, half_width: f64) -> bool {
    edge.over_rounds.n >= MIN_LAUNCHES
        && edge
            .over_rounds
            .half_width_ratio()
            .is_some_and(|ratio| ratio <= half_width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_that_lie_far_apart_name_no_rate() {
        let told = |rates: &[f64]| disagreement(&over_launches(rates).unwrap());
        assert_eq!(told(&[100.0, 101.0, 103.0, 99.0, 98.0, 102.0]), None);
        let reason = told(&[1_700.0, 2_900.0, 3_600.0, 3_800.0, 9_000.0, 32_600.0]).unwrap();
        assert!(
            reason.contains("1700 to 32600 requests per second"),
            "{reason}"
        );
    }
}
