//! The rounds of a run that is no search: the smallest batch size of every session first, then
//! larger ones.

pub(super) mod bindings;
pub(super) mod order;
pub(super) mod pace;
pub(super) mod round;
pub(super) mod sizes;
pub(super) mod stop;
mod sweep;
pub(super) mod turns;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::plan::{CellKey, Plan, SweepEnd, Workload};
use crate::record::{EndReason, Event, Outcome};
use crate::runner::{Goal, Progress, Result, Run};
use crate::stats::MIN_LAUNCHES;
use crate::units::Nanos;
use order::Draw;
use pace::RoundCost;
use round::{Group, Round};

/// Share of what is left of the budget that the first rounds may fill with alternations, where
/// others come after them.
const FIRST_SHARE: f64 = 0.4;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Smallest,
    Everything,
}

#[derive(Default)]
pub(super) struct Rounds {
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
    /// Rounds that are done.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    pub(super) async fn measure(
        &mut self,
        run: &mut Run<'_>,
        goal: Option<&dyn Goal>,
    ) -> Result<EndReason> {
        let schedule = run.plan().schedule.clone();
        let usual = schedule.alternations_count.unwrap_or(1);
        let mut alternations = usual;
        let mut scope = None;
        loop {
            if let Some(reason) = self.end_before_next(run) {
                return Ok(reason);
            }
            let is_first = rounds_asked(run.plan()).is_none() && self.done < MIN_LAUNCHES;
            let next = if is_first {
                Scope::Smallest
            } else {
                Scope::Everything
            };
            if scope.replace(next) != Some(next) {
                alternations = usual;
            }
            let blocks_before = run.meter.blocks_count;
            let cost = self.round(run, next, alternations).await?;
            self.done += 1;
            self.have_swept |= next == Scope::Everything;
            run.checkpoint()?;
            let is_look = stop::look_rounds(run.plan()).contains(&self.done);
            if is_look || self.done == MIN_LAUNCHES {
                run.tell_so_far(self.done);
            }
            if is_look && let Some(reason) = look_at_figures(run, self.done, goal)? {
                return Ok(reason);
            }
            let remaining = run.remaining();
            if schedule.alternations_count.is_none() && schedule.rounds_count.is_none() {
                alternations = alternations_after(run, self.done, next, cost);
            }
            let had_no_time = schedule.budget_ns.is_some()
                && has_any_open_cell(run)
                && run.meter.blocks_count == blocks_before;
            if run.is_late()
                || had_no_time
                || pace::too_late_for_another(remaining, cost, alternations)
            {
                return Ok(EndReason::BudgetSpent);
            }
        }
    }

    /// Why there is no further round, if there is none.
    fn end_before_next(&self, run: &Run<'_>) -> Option<EndReason> {
        if rounds_asked(run.plan()).is_some_and(|rounds| self.done >= rounds) {
            return Some(EndReason::RoundsDone);
        }
        if !has_any_open_cell(run) {
            return Some(EndReason::NothingLeft);
        }
        (self.done > 0 && run.is_late()).then_some(EndReason::BudgetSpent)
    }

    async fn round(&self, run: &mut Run<'_>, scope: Scope, alternations: u64) -> Result<RoundCost> {
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
    ) -> Result<()> {
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
                let at = Workload {
                    shape,
                    batch_size,
                    load,
                };
                measure_cells(run, round, at).await?;
            }
            if is_first && run.plan().sweep_end == SweepEnd::Saturation {
                sweep.maybe_end(run, round, batch_size)?;
            }
        }
        Ok(())
    }
}

/// So many rounds, where that is settled: under load others follow.
fn rounds_asked(plan: &Plan) -> Option<u64> {
    let under_load = plan.load.as_ref().map(|_| MIN_LAUNCHES);
    plan.schedule.rounds_count.or(under_load)
}

async fn measure_cells(run: &mut Run<'_>, round: &mut Round, at: Workload) -> Result<()> {
    let mut open: Vec<CellKey> = run
        .sessions()
        .map(|session| at.of(session))
        .filter(|&key| run.is_open(key))
        .collect();
    let smallest = batch_sizes_of(run, at.shape, Scope::Smallest)
        .first()
        .copied()
        .unwrap_or(at.batch_size);
    let grown = at.batch_size as f64 / smallest as f64;
    if grown > 1.0 && !run.has_time_for(&open, grown) {
        open.retain(|&key| takes_only(run, key));
    }
    let Some(&first) = open.first() else {
        return Ok(());
    };
    let place = run.place(first);
    run.observer.observe(&Progress::Cells {
        round: round.number + 1,
        place: &place,
        load_mode: at.load,
        elapsed: run.time.of_part(),
    });
    turns::take_turns(
        run,
        round,
        &Group {
            members: open.into_iter().map(|key| (key.session, key)).collect(),
            draw: draw(run, round, at),
        },
    )
    .await
}

pub(super) fn draw(run: &Run<'_>, round: &Round, at: Workload) -> Draw {
    Draw {
        seed: run.plan().schedule.seed,
        round: round.number,
        at,
    }
}

/// Whether a session can be measured at no other batch size of the shape.
fn takes_only(run: &Run<'_>, key: CellKey) -> bool {
    open_sizes(run, key.session, key.shape).all(|size| size == key.batch_size)
}

/// Closes all cells of a shape from a batch size on, but for the sizes that are a model's own.
fn close_from(run: &mut Run<'_>, shape: usize, batch_size: u64, reason: &str) -> Result<()> {
    let described = run.descriptions.iter().flatten();
    let only: Vec<Option<u64>> = described
        .map(|described| sizes::only(&described.inputs.batch_axis))
        .collect();
    let own = sizes::own(&only);
    let left_out: Vec<CellKey> = run
        .plan()
        .cells()
        .filter(|key| key.shape == shape)
        .filter(|key| sizes::is_left_out(key.batch_size, batch_size, &own))
        .collect();
    if !left_out.is_empty() {
        let words = run.plan().shape_words(shape);
        run.observer.observe(&Progress::Note(&format!(
            "batch sizes from {batch_size} on{words} are left out: {reason}"
        )));
    }
    left_out
        .into_iter()
        .try_for_each(|key| run.close(key, Outcome::skipped(reason)))
}

fn has_any_open_cell(run: &Run<'_>) -> bool {
    run.plan().cells().any(|key| run.is_open(key))
}

fn alternations_after(run: &Run<'_>, rounds_done: u64, scope: Scope, cost: RoundCost) -> u64 {
    let has_more = (0..run.plan().shapes.len()).any(|shape| {
        batch_sizes_of(run, shape, Scope::Everything) != batch_sizes_of(run, shape, Scope::Smallest)
    });
    let remaining = run.remaining();
    let (time, rounds, done) = match scope {
        _ if !has_more => (remaining, pace::TARGET_ROUNDS, rounds_done),
        Scope::Smallest => (remaining.mul_f64(FIRST_SHARE), MIN_LAUNCHES, rounds_done),
        Scope::Everything => (
            remaining,
            pace::TARGET_ROUNDS,
            rounds_done.saturating_sub(MIN_LAUNCHES),
        ),
    };
    pace::alternations(time, rounds.saturating_sub(done), cost)
}

fn open_sizes(run: &Run<'_>, session: usize, shape: usize) -> impl Iterator<Item = u64> {
    run.plan()
        .cells()
        .filter(move |key| (key.session, key.shape) == (session, shape))
        .filter(|key| !run.closed.contains(key))
        .map(|key| key.batch_size)
}

fn batch_sizes_of(run: &Run<'_>, shape: usize, scope: Scope) -> BTreeSet<u64> {
    let mut sizes = BTreeSet::new();
    for session in run.sessions() {
        let open = open_sizes(run, session, shape);
        match scope {
            Scope::Smallest => sizes.extend(open.min()),
            Scope::Everything => sizes.extend(open),
        }
    }
    sizes
}

/// Looks at the figures after `rounds`: why the run ends, if they are as sure as asked for, and which
/// cells rest until the next look.
fn look_at_figures(
    run: &mut Run<'_>,
    rounds: u64,
    goal: Option<&dyn Goal>,
) -> Result<Option<EndReason>> {
    if let Some(goal) = goal {
        run.resting = stop::at_rest(&run.record().plan, &goal.undecided(run.record()));
        let is_open = run.plan().cells().any(|key| run.is_open(key));
        return Ok((!is_open).then_some(EndReason::RulesDecided));
    }
    let outcome = stop::look_at(run.record(), &run.closed);
    for &key in &outcome.settled {
        let cell = run.record().cell(key);
        if cell.is_none_or(|cell| cell.settled_after_rounds.is_none()) {
            run.append(Event::Settled { key, rounds })?;
        }
    }
    run.resting = outcome.resting;
    Ok(outcome.done.then_some(EndReason::TargetReached))
}

impl Sweep {
    fn maybe_end(&mut self, run: &mut Run<'_>, round: &Round, batch_size: u64) -> Result<()> {
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
        let taken = round.cost.alternation.saturating_sub(self.before);
        let share = taken.as_secs_f64() / budget - spent;
        let step = sweep::step(run.record(), self.shape, batch_size, share);
        // What was not measured says nothing about larger batches.
        if step.throughput.iter().all(Option::is_none) {
            return Ok(());
        }
        self.steps.push(step);
        match sweep::end(&self.steps, next, run.record().host.usable_memory()) {
            Some(reason) => close_from(run, self.shape, next, &reason),
            None => Ok(()),
        }
    }
}
