//! Which of several configurations that do as well is taken.

use serde::Serialize;

use super::contest::{Turns, estimate, floor};
use super::standing::{Judge, SloStanding};
use crate::analysis::Estimate;
use crate::plan::{CellKey, Objective, SessionSpec};
use crate::record::{Fate, RunRecord, Tuning};
use crate::stats::{PairedRatio, Relation};

/// Error of each claim that one of two configurations as good as each other is better by a
/// criterion.
const ERROR: f64 = 0.05;

/// Why a configuration was taken instead of another one that does as well by the objective.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preference {
    /// The other one.
    pub over: CellKey,
    /// The objective's cost of the one taken over that of the other: within the noise floor.
    pub cost_ratio: Estimate,
    /// The criterion that speaks for the one taken.
    pub criterion: Criterion,
    /// Its cost by that criterion over the other's, below 1; absent where options were counted.
    pub criterion_ratio: Option<Estimate>,
}

/// Criteria between configurations that do as well by the objective, in the order of [`criteria`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// Lower median latency.
    Latency,
    /// More predictions per second.
    Throughput,
    /// Lower peak memory.
    Memory,
    /// Fewer options that differ from the defaults.
    Changes,
}

impl Criterion {
    /// The objective that it would be; `None` where options are counted.
    fn figure(self) -> Option<Objective> {
        match self {
            Criterion::Latency => Some(Objective::Latency),
            Criterion::Throughput => Some(Objective::Throughput),
            Criterion::Memory => Some(Objective::Memory),
            Criterion::Changes => None,
        }
    }
}

/// Criteria between configurations that do as well by an objective, the most important first.
#[must_use]
pub fn criteria(objective: Objective) -> &'static [Criterion] {
    match objective {
        Objective::Throughput | Objective::Energy => {
            &[Criterion::Latency, Criterion::Memory, Criterion::Changes]
        }
        Objective::Latency => &[Criterion::Throughput, Criterion::Memory, Criterion::Changes],
        Objective::Memory => &[Criterion::Latency, Criterion::Changes],
    }
}

/// The configuration that is taken instead of the one that won the race, with the reason; `None`
/// where the winner itself is taken. Both took turns and keep everything, and the winner is not
/// better beyond the noise floor.
pub(super) fn preferred(
    judge: &Judge<'_>,
    tuning: &Tuning,
    winner: CellKey,
) -> Option<(CellKey, Preference)> {
    let objective = judge.record.plan.tuning.as_ref()?.objective;
    if judge.standing(winner) != SloStanding::Meets {
        return None;
    }
    let rounds: Vec<u64> = tuning.rounds().collect();
    tied(tuning, winner)
        .filter(|key| judge.standing(*key) == SloStanding::Meets)
        .filter_map(|key| {
            let turns = Turns {
                key,
                against: winner,
                rounds: &rounds,
            };
            preferable(judge, objective, turns)
        })
        .min_by(|one, other| {
            one.rank
                .cmp(&other.rank)
                .then(one.share.total_cmp(&other.share))
        })
        .map(|best| (best.key, best.preference))
}

/// `None` where the configuration took no turns with the winner, and where no criterion speaks for
/// it.
fn preferable(judge: &Judge<'_>, objective: Objective, turns: Turns<'_>) -> Option<Preferable> {
    let cost = judge.contest_on(objective, turns)?;
    let (rank, paired) = told_apart(judge, objective, turns)?;
    Some(Preferable {
        rank,
        key: turns.key,
        preference: Preference {
            over: turns.against,
            cost_ratio: estimate(&cost),
            criterion: criteria(objective)[rank],
            criterion_ratio: paired.as_ref().map(estimate),
        },
        share: paired.map_or(1.0, |paired| paired.ratio().value),
    })
}

struct Preferable {
    /// Of its criterion.
    rank: usize,
    key: CellKey,
    preference: Preference,
    /// Its cost by the criterion over the winner's; 1 where options were counted.
    share: f64,
}

/// Configurations of which the last word is that they do as well as the winner.
fn tied(tuning: &Tuning, winner: CellKey) -> impl Iterator<Item = CellKey> {
    let mut keys: Vec<CellKey> = tuning
        .decisions
        .iter()
        .map(|decision| decision.key)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .filter(move |&key| key != winner && is_tied(tuning, key, winner))
}

fn is_tied(tuning: &Tuning, key: CellKey, with: CellKey) -> bool {
    matches!(tuning.fate(key), Some(Fate::Tied(contest)) if contest.against == with)
}

/// The rank of the first criterion that tells the two apart, and what it rests on, if it speaks for
/// the first.
fn told_apart(
    judge: &Judge<'_>,
    objective: Objective,
    turns: Turns<'_>,
) -> Option<(usize, Option<PairedRatio>)> {
    for (rank, criterion) in criteria(objective).iter().enumerate() {
        let Some(figure) = criterion.figure() else {
            let [own, other] = [turns.key, turns.against].map(|key| changes(judge.record, key));
            return (own < other).then_some((rank, None));
        };
        let Some(paired) = judge.contest_on(figure, turns) else {
            continue;
        };
        match paired.evidence(floor(figure)).relation(ERROR) {
            Relation::Below => return Some((rank, Some(paired))),
            Relation::Above => return None,
            Relation::Same | Relation::Undecided => {}
        }
    }
    None
}

/// How many things differ from what somebody has who sets nothing.
fn changes(record: &RunRecord, key: CellKey) -> usize {
    let (Some(baseline), Some(tuning)) = (record.plan.baseline_session(), &record.plan.tuning)
    else {
        return 0;
    };
    let [own, default]: [&SessionSpec; 2] =
        [key.session, baseline].map(|session| &record.plan.sessions[session]);
    let (options, defaults) = (&own.options, &default.options);
    let differs = [
        tuning.space.batch_sizes.first() != Some(&key.batch_size),
        own.variant != default.variant,
        own.runtime != default.runtime,
        own.execution_provider != default.execution_provider,
        options.intra_threads != defaults.intra_threads,
        options.execution_mode != defaults.execution_mode,
        options.graph_optimization != defaults.graph_optimization,
        options.allow_spinning != defaults.allow_spinning,
        options.memory_arena != defaults.memory_arena,
        options.memory_pattern != defaults.memory_pattern,
    ];
    differs.into_iter().filter(|differs| *differs).count()
}
