//! How many alternations a round holds, so that enough rounds fit into the budget.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::plan::{Plan, Schedule, Workload};
use crate::record::{LaunchRecord, RunRecord};
use crate::runner::energy::stretch::Stretches;
use crate::runner::time::times;
use crate::stats::{LOOK_ROUNDS, MIN_LAUNCHES};
use crate::units::Nanos;

/// Rounds that a run aims at: those after which it first looks at its figures.
pub(super) const TARGET_ROUNDS: u64 = LOOK_ROUNDS[0];
/// More alternations than this tell less than another launch would.
const MAX_ALTERNATIONS: u64 = 8;
/// Where launching takes more than this share of the time, there are fewer rounds with more
/// alternations each.
const MAX_LAUNCH_SHARE: f64 = 0.6;

#[derive(Clone, Copy, Debug, Default)]
pub(in crate::runner) struct RoundCost {
    /// Starting, loading and warming up everything once.
    pub fixed: Duration,
    /// One alternation at every batch size.
    pub alternation: Duration,
}

pub(super) fn alternations(remaining: Duration, wanted: u64, cost: RoundCost) -> u64 {
    let wanted = wanted.max(1);
    let affordable = (remaining.as_secs_f64() * MAX_LAUNCH_SHARE
        / cost.fixed.as_secs_f64().max(1e-6))
    .floor() as u64;
    let rounds = wanted.min(affordable.max(1));
    let per_round = remaining.as_secs_f64() / rounds as f64 - cost.fixed.as_secs_f64();
    ((per_round / cost.alternation.as_secs_f64().max(1e-6))
        .floor()
        .max(1.0) as u64)
        .min(MAX_ALTERNATIONS)
}

/// Whether so little time is left that another round would be cut off early.
pub(in crate::runner) fn too_late_for_another(
    remaining: Duration,
    cost: RoundCost,
    alternations: u64,
) -> bool {
    remaining < cost.of_round(alternations) / 2
}

impl RoundCost {
    fn of_round(self, alternations: u64) -> Duration {
        self.fixed + self.alternation * times(alternations)
    }
}

/// The extent and time that a plan is expected to have, judged by a probe of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Rounds that there is time for.
    pub rounds: u64,
    /// Alternations in each of them.
    pub alternations: u64,
    /// Wall time of one round, less [`Expected::stretches`].
    pub round: Duration,
    /// Wall time of the uninterrupted stretches of one round, in which GPUs are looked at.
    pub stretches: Duration,
    /// Most time for the stretches of all rounds together.
    pub stretches_most: Duration,
}

impl Expected {
    /// Wall time of the stretches of so many rounds.
    #[must_use]
    pub fn stretches_in(&self, rounds: u64) -> Duration {
        self.stretches
            .saturating_mul(times(rounds))
            .min(self.stretches_most)
    }

    /// Wall time of so many rounds.
    #[must_use]
    pub fn time_of(&self, rounds: u64) -> Duration {
        self.round.saturating_mul(times(rounds)) + self.stretches_in(rounds)
    }

    fn rounds_in(&self, budget: Duration) -> u64 {
        let with_all = how_often(budget, self.round + self.stretches);
        if self.stretches.saturating_mul(times(with_all)) <= self.stretches_most {
            return with_all;
        }
        how_often(budget.saturating_sub(self.stretches_most), self.round)
    }
}

fn how_often(budget: Duration, round: Duration) -> u64 {
    (budget.as_secs_f64() / round.as_secs_f64().max(1e-6)).round() as u64
}

/// The expected extent of the plan of `schedule`, judged by `probe`; `None` if the probe did not
/// come to one round.
#[must_use]
pub fn expected(probe: &RunRecord, schedule: &Schedule) -> Option<Expected> {
    let without = cost(probe)?;
    let (stretches, stretches_most) = stretches(probe, schedule);
    let cost = RoundCost {
        fixed: without.fixed + stretches,
        ..without
    };
    let budget = schedule.budget_ns.map_or(Duration::MAX, Duration::from);
    let chosen = match (schedule.alternations_count, schedule.rounds_count) {
        (Some(asked), _) => asked,
        (None, Some(_)) => 1,
        (None, None) => alternations(budget, TARGET_ROUNDS, cost),
    };
    let most = Expected {
        rounds: schedule.rounds_count.unwrap_or(u64::MAX),
        alternations: chosen,
        round: without.of_round(chosen),
        stretches,
        stretches_most,
    };
    Some(Expected {
        rounds: most.rounds.min(most.rounds_in(budget)),
        ..most
    })
}

/// The rounds that come first, at the smallest batch sizes alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirstRounds {
    /// How many there are; none where there is only one batch size, or rounds were asked for by
    /// their number.
    pub rounds: u64,
    /// Time that they are expected to take.
    pub time: Duration,
}

/// The first rounds of a plan that fit into `budget`, judged by a probe of it: one at least.
#[must_use]
pub fn first_rounds(probe: &RunRecord, plan: &Plan, budget: Duration) -> FirstRounds {
    if plan.schedule.rounds_count.is_some() || plan.batch_sizes.len() < 2 {
        return FirstRounds::default();
    }
    let launching = launch_mean(probe) * times(plan.sessions.len());
    let places: BTreeSet<Workload> = probe
        .cells
        .iter()
        .filter(|cell| cell.outcome.is_ok())
        .map(|cell| cell.key.workload())
        .collect();
    let places = times(places.len()).max(1);
    let RoundCost { fixed, alternation } = cost(probe).unwrap_or_default();
    let smallest = RoundCost {
        fixed: launching + fixed.saturating_sub(launching) / places,
        alternation: alternation / places,
    };
    // As many alternations as leave time for all rounds, as the run itself has.
    let round = (1..=MAX_ALTERNATIONS)
        .rev()
        .map(|alternations| smallest.of_round(alternations))
        .find(|round| round.saturating_mul(MIN_LAUNCHES as u32) <= budget)
        .unwrap_or_else(|| smallest.of_round(1));
    let fitting = (budget.as_secs_f64() / round.as_secs_f64().max(1e-6)) as u64;
    let rounds = fitting.clamp(1, MIN_LAUNCHES);
    FirstRounds {
        rounds,
        time: (round * times(rounds)).min(budget),
    }
}

/// Mean time to open a runtime and create a session; zero where none was created.
fn launch_mean(probe: &RunRecord) -> Duration {
    let launches: Vec<Duration> = probe
        .launches
        .iter()
        .filter_map(LaunchRecord::start_time)
        .collect();
    launches.iter().sum::<Duration>() / times(launches.len()).max(1)
}

/// Time of one round's stretches, which a probe leaves out, and most time for those of all rounds.
fn stretches(probe: &RunRecord, schedule: &Schedule) -> (Duration, Duration) {
    let is_on_gpu = |session: usize| probe.plan.sessions[session].nvidia_device().is_some();
    let monitoring = probe.monitoring.as_ref();
    let are_watched = monitoring.is_some_and(|monitoring| monitoring.gpus.is_ok());
    let plan = Plan {
        schedule: schedule.clone(),
        ..probe.plan.clone()
    };
    let planned = plan
        .cells()
        .filter(|key| are_watched && is_on_gpu(key.session))
        .count();
    let on_gpu = probe
        .cells
        .iter()
        .filter(|cell| cell.outcome.is_ok())
        .filter(|cell| is_on_gpu(cell.key.session))
        .count();
    let Stretches { length, each, all } = Stretches::of(&plan, is_on_gpu);
    let most = length.saturating_mul(each.saturating_mul(times(planned)));
    (length * times(on_gpu.min(planned)), all.min(most))
}

/// Of all rounds from the first launch on, the mean; between first and last blocks of workloads lie
/// alternations.
fn cost(run: &RunRecord) -> Option<RoundCost> {
    let whole = Duration::from(
        run.run
            .elapsed_ns?
            .since(run.launches.iter().map(|launch| launch.started_ns).min()?),
    );
    let stretches = block_stretches(run);
    let rounds = run.blocks.iter().map(|block| block.round + 1).max()? as f64;
    let in_blocks: Duration = stretches.values().map(BlockStretch::length).sum();
    let alternation: Duration = stretches.values().map(BlockStretch::alternation).sum();
    Some(RoundCost {
        fixed: whole.saturating_sub(in_blocks).div_f64(rounds),
        alternation: alternation.div_f64(rounds),
    })
}

/// From the start of the first block of a round at a place to the end of the last.
struct BlockStretch {
    start: Nanos,
    end: Nanos,
    alternations: u64,
}

impl BlockStretch {
    fn length(&self) -> Duration {
        self.end.since(self.start).into()
    }

    fn alternation(&self) -> Duration {
        self.length().div_f64(self.alternations as f64)
    }
}

fn block_stretches(run: &RunRecord) -> BTreeMap<(u64, Workload), BlockStretch> {
    let mut stretches = BTreeMap::new();
    for block in &run.blocks {
        let end = block.started_ns + block.span();
        let stretch = stretches
            .entry((block.round, block.key.workload()))
            .or_insert(BlockStretch {
                start: block.started_ns,
                end,
                alternations: 0,
            });
        stretch.start = stretch.start.min(block.started_ns);
        stretch.end = stretch.end.max(end);
        stretch.alternations = stretch.alternations.max(block.alternation + 1);
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: RoundCost = RoundCost {
        fixed: Duration::from_millis(500),
        alternation: Duration::from_millis(840),
    };

    #[test]
    fn a_small_budget_gives_up_alternations_before_rounds_but_for_slow_loading() {
        let slow = RoundCost {
            fixed: Duration::from_secs(9),
            alternation: Duration::from_secs(1),
        };
        for (secs, cost, expected) in [(80, CHEAP, 8), (20, CHEAP, 2), (3, CHEAP, 1), (60, slow, 6)]
        {
            assert_eq!(
                alternations(Duration::from_secs(secs), 9, cost),
                expected,
                "{secs} s for {cost:?}"
            );
        }
    }

    #[test]
    fn stretches_are_expected_until_they_have_had_their_share() {
        let secs = Duration::from_secs;
        let expected = |most| Expected {
            rounds: 0,
            alternations: 1,
            round: secs(4),
            stretches: secs(2),
            stretches_most: secs(most),
        };
        // 10 rounds of 4 + 2 s; with 12 s for stretches, 48 s are left for 12 rounds of 4 s.
        for (most, rounds) in [(60, 10), (12, 12)] {
            let expected = expected(most);
            assert_eq!(expected.rounds_in(secs(60)), rounds);
            assert_eq!(expected.time_of(rounds), secs(60));
        }
        assert_eq!(expected(12).stretches_in(3), secs(6));
    }

    #[test]
    fn a_round_that_could_only_begin_is_not_begun() {
        assert!(too_late_for_another(Duration::from_millis(600), CHEAP, 2));
        assert!(!too_late_for_another(Duration::from_secs(2), CHEAP, 2));
    }
}
