//! How many alternations a round holds, so that enough rounds fit into the budget.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::plan::{LoadMode, Schedule};
use crate::record::RunRecord;
use crate::stats::LOOK_ROUNDS;
use crate::units::Nanos;

/// Rounds that a run aims at: those after which it first looks at its figures.
const TARGET_ROUNDS: u64 = LOOK_ROUNDS[0];
/// More alternations than this tell less than another launch would.
const MAX_ALTERNATIONS: u64 = 8;
/// If starting and loading every session once takes more than this share of the remaining time for every target round,
/// there are fewer rounds with more alternations each.
const MAX_LAUNCH_SHARE: f64 = 0.6;

/// What the first round took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RoundCost {
    /// Starting, loading and warming up everything once.
    pub fixed: Duration,
    /// One alternation at every batch size.
    pub alternation: Duration,
}

/// Alternations in each of the remaining rounds.
pub(super) fn alternations(remaining: Duration, rounds_done: u64, cost: RoundCost) -> u64 {
    let wanted = TARGET_ROUNDS.saturating_sub(rounds_done).max(1);
    let affordable = (remaining.as_secs_f64() * MAX_LAUNCH_SHARE / cost.fixed.as_secs_f64().max(1e-6)).floor() as u64;
    let rounds = wanted.min(affordable.max(1));
    let per_round = remaining.as_secs_f64() / rounds as f64 - cost.fixed.as_secs_f64();
    let alternations = (per_round / cost.alternation.as_secs_f64().max(1e-6)).floor();
    (alternations.max(1.0) as u64).min(MAX_ALTERNATIONS)
}

/// Whether so little time is left that another round would be cut off early.
pub(super) fn too_late_for_another(remaining: Duration, cost: RoundCost, alternations: u64) -> bool {
    let round = cost.fixed + cost.alternation * u32::try_from(alternations).unwrap_or(u32::MAX);
    remaining < round / 2
}

/// What a plan is expected to take, judged by a probe of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Rounds that there is time for.
    pub rounds: u64,
    /// Alternations in each of them.
    pub alternations: u64,
    /// Wall time of one round.
    pub round: Duration,
}

/// What the plan of `schedule` is expected to take, judged by `probe`; `None` if the probe did not come to one round.
#[must_use]
pub fn expected(probe: &RunRecord, schedule: &Schedule) -> Option<Expected> {
    let cost = cost(probe)?;
    let budget = schedule.budget_ns.map_or(Duration::MAX, Duration::from);
    let chosen = match schedule.rounds_count {
        Some(_) => schedule.alternations_count.unwrap_or(1),
        None => schedule.alternations_count.unwrap_or_else(|| alternations(budget, 0, cost)),
    };
    let round = cost.fixed + cost.alternation * u32::try_from(chosen).unwrap_or(u32::MAX);
    let affordable = (budget.as_secs_f64() / round.as_secs_f64().max(1e-6)).round() as u64;
    let rounds = schedule.rounds_count.unwrap_or(u64::MAX).min(affordable);
    Some(Expected { rounds, alternations: chosen, round })
}

/// What a round of a finished run took: its span from the first launch on, divided by its rounds, of which the
/// alternations are what lies between the first and the last block of each batch size.
fn cost(run: &RunRecord) -> Option<RoundCost> {
    let began = run.launches.iter().map(|launch| launch.started_ns).min()?;
    let whole = Duration::from(run.run.elapsed_ns?.since(began));
    let mut stretches: BTreeMap<(u64, u64, LoadMode), (Nanos, Nanos, u64)> = BTreeMap::new();
    for block in &run.blocks {
        let end = block.started_ns + block.elapsed_ns;
        let place = (block.round, block.key.batch_size, block.key.load_mode);
        let stretch = stretches.entry(place).or_insert((block.started_ns, end, 0));
        *stretch = (stretch.0.min(block.started_ns), stretch.1.max(end), stretch.2.max(block.alternation + 1));
    }
    let rounds = run.blocks.iter().map(|block| block.round + 1).max()?;
    let of_rounds = |time: Duration| time.div_f64(rounds as f64);
    let in_blocks: Duration = stretches.values().map(|(start, end, _)| Duration::from(end.since(*start))).sum();
    let alternation =
        stretches.values().map(|(start, end, n)| Duration::from(end.since(*start)).div_f64(*n as f64)).sum();
    Some(RoundCost { fixed: of_rounds(whole.saturating_sub(in_blocks)), alternation: of_rounds(alternation) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: RoundCost = RoundCost { fixed: Duration::from_millis(500), alternation: Duration::from_millis(840) };

    #[test]
    fn a_generous_budget_buys_many_alternations() {
        assert_eq!(alternations(Duration::from_secs(80), 1, CHEAP), 8);
    }

    #[test]
    fn a_small_budget_keeps_the_rounds_and_gives_up_alternations() {
        assert_eq!(alternations(Duration::from_secs(20), 1, CHEAP), 2);
        assert_eq!(alternations(Duration::from_secs(3), 1, CHEAP), 1);
    }

    #[test]
    fn slow_loading_buys_fewer_rounds() {
        let slow = RoundCost { fixed: Duration::from_secs(9), alternation: Duration::from_secs(1) };
        assert_eq!(alternations(Duration::from_secs(60), 1, slow), 6);
    }

    #[test]
    fn a_round_that_could_only_begin_is_not_begun() {
        assert!(too_late_for_another(Duration::from_millis(600), CHEAP, 2));
        assert!(!too_late_for_another(Duration::from_secs(2), CHEAP, 2));
    }
}
