//! The rounds of a run that is no search: the smallest batch size of every session first, then
//! larger ones.

pub(in crate::runner) mod bindings;
pub(in crate::runner) mod order;
pub(in crate::runner) mod pace;
pub(in crate::runner) mod round;
pub(in crate::runner) mod sizes;
pub(in crate::runner) mod stop;
pub(in crate::runner) mod sweep;
pub(in crate::runner) mod turns;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::plan::{CellKey, SweepEnd, Workload};
use crate::record::{EndReason, Event, Outcome};
use crate::runner::{Progress, Run, RunError};
use crate::stats::MIN_LAUNCHES;
use crate::units::Nanos;
use order::Draw;
use pace::RoundCost;
use round::Round;

/// Share of what is left of the budget that the first rounds may fill with alternations, where
/// others come after them.
const FIRST_SHARE: f64 = 0.4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Smallest,
    Everything,
}

#[derive(Debug, Default)]
pub(in crate::runner) struct Rounds {
    done: u64,
    /// A whole round of every batch size was measured.
    have_swept: bool,
}

struct Sweep {
    shape: usize,
    steps: Vec<sweep::Step>,
    /// Time of the round's alternations before them.
    before: Duration,
}

impl Rounds {
    pub(in crate::runner) async fn measure(
        &mut self,
        run: &mut Run<'_>,
    ) -> Result<EndReason, RunError> {
        let schedule = run.plan().schedule.clone();
        let mut alternations = schedule.alternations_count.unwrap_or(1);
        let mut scope = None;
        loop {
            if schedule
                .rounds_count
                .is_some_and(|rounds| self.done >= rounds)
            {
                return Ok(EndReason::RoundsDone);
            }
            if !has_open_cells(run) {
                return Ok(EndReason::NothingLeft);
            }
            if self.done > 0 && run.is_late() {
                return Ok(EndReason::BudgetSpent);
            }
            let number = self.done;
            let is_first = schedule.rounds_count.is_none() && number < MIN_LAUNCHES;
            let next = if is_first {
                Scope::Smallest
            } else {
                Scope::Everything
            };
            if scope.replace(next) != Some(next) {
                alternations = schedule.alternations_count.unwrap_or(1);
            }
            let blocks_before = run.meter.blocks_count;
            let cost = self.round(run, next, alternations).await?;
            self.done += 1;
            self.have_swept |= next == Scope::Everything;
            run.checkpoint()?;
            if stop::look_rounds(run.plan()).contains(&self.done) && look(run, self.done)? {
                return Ok(EndReason::TargetReached);
            }
            let remaining = run.remaining();
            if schedule.alternations_count.is_none() && schedule.rounds_count.is_none() {
                alternations = alternations_after(run, number + 1, next, cost);
            }
            let had_no_time = schedule.budget_ns.is_some()
                && has_open_cells(run)
                && run.meter.blocks_count == blocks_before;
            if run.is_late()
                || had_no_time
                || pace::too_late_for_another(remaining, cost, alternations)
            {
                return Ok(EndReason::BudgetSpent);
            }
        }
    }

    async fn round(
        &self,
        run: &mut Run<'_>,
        scope: Scope,
        alternations: u64,
    ) -> Result<RoundCost, RunError> {
        let began = Instant::now();
        let budget = run.budget();
        run.observer.observe(&Progress::Round {
            round: self.done + 1,
            elapsed: run.time.of_part(),
            budget,
        });
        let mut round = Round::new(self.done, alternations, run.plan().sessions.len());
        for shape in 0..run.plan().shapes.len() {
            if !run.may_measure() {
                break;
            }
            self.batch_sizes(run, &mut round, shape, scope).await?;
        }
        round.end(run, began).await
    }

    async fn batch_sizes(
        &self,
        run: &mut Run<'_>,
        round: &mut Round,
        shape: usize,
        scope: Scope,
    ) -> Result<(), RunError> {
        let mut sweep = Sweep {
            shape,
            steps: Vec::new(),
            before: round.cost.alternation,
        };
        let is_first = scope == Scope::Everything && !self.have_swept;
        for batch_size in batch_sizes_of(run, shape, scope) {
            if !run.may_measure() {
                break;
            }
            for load in run.plan().load_modes.clone() {
                cells(
                    run,
                    round,
                    Workload {
                        shape,
                        batch_size,
                        load,
                    },
                )
                .await?;
            }
            if is_first && run.plan().sweep_end == SweepEnd::Saturation {
                sweep.maybe_end(run, round, batch_size)?;
            }
        }
        Ok(())
    }
}

async fn cells(run: &mut Run<'_>, round: &mut Round, at: Workload) -> Result<(), RunError> {
    let mut open: Vec<usize> = (0..run.plan().sessions.len())
        .filter(|&session| run.is_open(at.of(session)))
        .collect();
    let cells: Vec<CellKey> = open.iter().map(|&session| at.of(session)).collect();
    let smallest = batch_sizes_of(run, at.shape, Scope::Smallest)
        .into_iter()
        .min()
        .unwrap_or(at.batch_size);
    let grown = at.batch_size as f64 / smallest as f64;
    if grown > 1.0 && !run.has_time_for(&cells, grown) {
        open.retain(|&session| takes_only(run, at.of(session)));
    }
    if open.is_empty() {
        return Ok(());
    }
    let place = run.place(at.of(open[0]));
    run.observer.observe(&Progress::Cells {
        round: round.number + 1,
        place: &place,
        load_mode: at.load,
        elapsed: run.time.of_part(),
    });
    let draw = Draw {
        seed: run.plan().schedule.seed,
        round: round.number,
        at,
    };
    let members: BTreeMap<usize, CellKey> = open
        .into_iter()
        .map(|session| (session, at.of(session)))
        .collect();
    turns::take_turns(run, round, &members, draw).await
}

/// Whether a session can be measured at no other batch size of the shape.
fn takes_only(run: &Run<'_>, key: CellKey) -> bool {
    let mut others = run
        .plan()
        .cells()
        .filter(|other| other.session == key.session && other.shape == key.shape);
    others.all(|other| other.batch_size == key.batch_size || run.closed.contains(&other))
}

impl Sweep {
    fn maybe_end(
        &mut self,
        run: &mut Run<'_>,
        round: &Round,
        batch_size: u64,
    ) -> Result<(), RunError> {
        let plan = run.plan();
        let Some(next) = plan
            .batch_sizes
            .iter()
            .copied()
            .find(|&next| next > batch_size)
        else {
            return Ok(());
        };
        let spent: f64 = self.steps.iter().map(|step| step.budget_share).sum();
        let budget = plan
            .schedule
            .budget_ns
            .map_or(f64::INFINITY, Nanos::as_secs_f64);
        let share = round
            .cost
            .alternation
            .saturating_sub(self.before)
            .as_secs_f64()
            / budget
            - spent;
        let step = sweep::step(run.journal.record(), self.shape, batch_size, share);
        // What was not measured says nothing about larger batches.
        if step.throughput.iter().all(Option::is_none) {
            return Ok(());
        }
        self.steps.push(step);
        let available = run.journal.record().host.usable_memory();
        match sweep::end(&self.steps, next, available) {
            Some(reason) => close_from(run, self.shape, next, &reason),
            None => Ok(()),
        }
    }
}

/// Closes all cells of a shape from a batch size on, but for the sizes that are a model's own.
fn close_from(
    run: &mut Run<'_>,
    shape: usize,
    batch_size: u64,
    reason: &str,
) -> Result<(), RunError> {
    let own = sizes::own(&run.descriptions.iter().map(sizes::only).collect::<Vec<_>>());
    let left_out: Vec<CellKey> = run
        .plan()
        .cells()
        .filter(|key| key.shape == shape)
        .filter(|key| sizes::is_left_out(key.batch_size, batch_size, &own))
        .collect();
    if !left_out.is_empty() {
        let words = run.plan().shape_words(shape);
        let left_out = format!("batch sizes from {batch_size} on{words} are left out: {reason}");
        run.observer.observe(&Progress::Note(&left_out));
    }
    for key in left_out {
        run.close(
            key,
            Outcome::Skipped {
                reason: reason.into(),
            },
        )?;
    }
    Ok(())
}

fn has_open_cells(run: &Run<'_>) -> bool {
    (0..run.plan().sessions.len()).any(|session| run.has_open_cells(session))
}

fn alternations_after(run: &Run<'_>, rounds_done: u64, scope: Scope, cost: RoundCost) -> u64 {
    let remaining = run.remaining();
    let has_more = (0..run.plan().shapes.len()).any(|shape| {
        batch_sizes_of(run, shape, Scope::Everything) != batch_sizes_of(run, shape, Scope::Smallest)
    });
    match scope {
        _ if !has_more => pace::alternations(
            remaining,
            pace::TARGET_ROUNDS.saturating_sub(rounds_done),
            cost,
        ),
        Scope::Smallest => {
            let share = if remaining == Duration::MAX {
                remaining
            } else {
                remaining.mul_f64(FIRST_SHARE)
            };
            pace::alternations(share, MIN_LAUNCHES.saturating_sub(rounds_done), cost)
        }
        Scope::Everything => {
            let done = rounds_done.saturating_sub(MIN_LAUNCHES);
            pace::alternations(remaining, pace::TARGET_ROUNDS.saturating_sub(done), cost)
        }
    }
}

fn open_sizes(run: &Run<'_>, session: usize, shape: usize) -> impl Iterator<Item = u64> {
    run.plan()
        .cells()
        .filter(move |key| key.session == session && key.shape == shape)
        .filter(move |key| !run.closed.contains(key))
        .map(|key| key.batch_size)
}

fn batch_sizes_of(run: &Run<'_>, shape: usize, scope: Scope) -> Vec<u64> {
    let sessions = 0..run.plan().sessions.len();
    let mut sizes: Vec<u64> = match scope {
        Scope::Smallest => sessions
            .filter_map(|session| open_sizes(run, session, shape).min())
            .collect(),
        Scope::Everything => sessions
            .flat_map(|session| open_sizes(run, session, shape))
            .collect(),
    };
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// Looks at the figures after `rounds`: whether they are as sure as asked for, and which cells rest
/// until the next look.
fn look(run: &mut Run<'_>, rounds: u64) -> Result<bool, RunError> {
    let outcome = stop::look_at(run.journal.record(), &run.closed);
    for &key in &outcome.settled {
        let known = run
            .journal
            .record()
            .cell(key)
            .is_some_and(|cell| cell.settled_after_rounds.is_some());
        if !known {
            run.journal.append(Event::Settled { key, rounds })?;
        }
    }
    run.resting = outcome.resting;
    Ok(outcome.done)
}
