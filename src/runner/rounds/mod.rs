//! The order of a run: single predictions of every session first, then larger batches, then what lies beside them.

pub(in crate::runner) mod bindings;
pub(in crate::runner) mod block;
pub(in crate::runner) mod order;
pub(in crate::runner) mod pace;
pub(in crate::runner) mod round;
pub(in crate::runner) mod sizes;
pub(in crate::runner) mod stop;
pub(in crate::runner) mod sweep;
pub(in crate::runner) mod turns;

use std::time::{Duration, Instant};

use crate::record::{EndReason, Event};
use crate::runner::rounds::round::Run;
use crate::runner::{Extent, RunError};
use crate::stats::MIN_LAUNCHES;
use crate::store::StoreError;

/// Share of what is left of the budget that the first rounds may fill with alternations, where others come after them.
const FIRST_SHARE: f64 = 0.4;

/// Where a round measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::runner) enum Scope {
    /// The smallest batch size of every session, at every shape.
    Smallest,
    /// Every batch size.
    Everything,
}

impl Run<'_> {
    /// Measures until there is a reason to end.
    ///
    /// Every session has as many launches at its smallest batch size as an interval takes before anything else is done;
    /// larger batches follow, and what is found out beside the rounds comes then, within the share of the budget that is
    /// kept free for it; further rounds take what it leaves. Rounds that were asked for by their number are all alike.
    pub(in crate::runner) async fn measure(&mut self) -> Result<EndReason, RunError> {
        self.close_unsupported()?;
        self.note_monitoring()?;
        if self.extent == Extent::Whole {
            self.place_all().await?;
        }
        self.time.hold(self.beside_share() + self.rest_share());
        let mut reason = self.rounds().await?;
        // What is settled rests from rounds alone.
        let resting = std::mem::take(&mut self.resting);
        self.time.hold(self.rest_share());
        if self.extent == Extent::Whole {
            self.beside().await?;
        }
        self.resting = resting;
        // What was kept free and not needed goes to the rounds.
        if reason == EndReason::BudgetSpent && self.may_measure() {
            reason = self.rounds().await?;
        }
        self.resting.clear();
        self.time.hold(Duration::ZERO);
        if self.extent == Extent::Whole {
            self.profile_rest().await?;
        }
        Ok(reason)
    }

    /// Rounds until there is a reason to end.
    async fn rounds(&mut self) -> Result<EndReason, RunError> {
        let schedule = self.plan.schedule.clone();
        let mut alternations = schedule.alternations_count.unwrap_or(1);
        let mut scope = None;
        loop {
            if schedule.rounds_count.is_some_and(|rounds| self.rounds_done >= rounds) {
                return Ok(EndReason::RoundsDone);
            }
            if (0..self.plan.sessions.len()).all(|session| !self.has_open_cells(session)) {
                return Ok(EndReason::NothingLeft);
            }
            if self.rounds_done > 0 && self.is_late() {
                return Ok(EndReason::BudgetSpent);
            }
            let number = self.rounds_done;
            let next = self.scope(number);
            if scope.replace(next) != Some(next) {
                alternations = schedule.alternations_count.unwrap_or(1);
            }
            let blocks_before = self.blocks_count;
            let cost = self.round(number, alternations, next).await?;
            self.rounds_done += 1;
            self.has_swept |= next == Scope::Everything;
            self.checkpoint()?;
            if stop::look_rounds(&self.plan).contains(&self.rounds_done) && self.look(self.rounds_done)? {
                return Ok(EndReason::TargetReached);
            }
            let remaining = self.remaining();
            if schedule.alternations_count.is_none() && schedule.rounds_count.is_none() {
                alternations = self.alternations(number + 1, next, cost);
            }
            let is_open = (0..self.plan.sessions.len()).any(|session| self.has_open_cells(session));
            let had_no_time = schedule.budget_ns.is_some() && is_open && self.blocks_count == blocks_before;
            if self.is_late() || had_no_time || pace::too_late_for_another(remaining, cost, alternations) {
                return Ok(EndReason::BudgetSpent);
            }
        }
    }

    /// Where a round measures.
    fn scope(&self, round: u64) -> Scope {
        let is_first = self.plan.schedule.rounds_count.is_none() && round < MIN_LAUNCHES;
        if is_first { Scope::Smallest } else { Scope::Everything }
    }

    /// Alternations of the rounds that follow a number of others.
    fn alternations(&self, rounds_done: u64, scope: Scope, cost: pace::RoundCost) -> u64 {
        let remaining = self.remaining();
        let has_more = (0..self.plan.shapes.len())
            .any(|shape| self.batch_sizes_of(shape, Scope::Everything) != self.batch_sizes_of(shape, Scope::Smallest));
        match scope {
            _ if !has_more => pace::alternations(remaining, pace::TARGET_ROUNDS.saturating_sub(rounds_done), cost),
            Scope::Smallest => {
                let share = if remaining == Duration::MAX { remaining } else { remaining.mul_f64(FIRST_SHARE) };
                pace::alternations(share, MIN_LAUNCHES.saturating_sub(rounds_done), cost)
            }
            Scope::Everything => {
                let done = rounds_done.saturating_sub(MIN_LAUNCHES);
                pace::alternations(remaining, pace::TARGET_ROUNDS.saturating_sub(done), cost)
            }
        }
    }

    /// The batch sizes of a scope at a shape that are not closed.
    pub(in crate::runner) fn batch_sizes_of(&self, shape: usize, scope: Scope) -> Vec<u64> {
        let open = |session: usize| {
            let cells = self.plan.cells().filter(move |key| key.session == session && key.shape == shape);
            cells.filter(|key| !self.closed.contains(key)).map(|key| key.batch_size)
        };
        let sessions = 0..self.plan.sessions.len();
        let mut sizes: Vec<u64> = match scope {
            Scope::Smallest => sessions.filter_map(|session| open(session).min()).collect(),
            Scope::Everything => sessions.flat_map(open).collect(),
        };
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// Writes the record down as it is now, and learns how long that takes. Where it cannot be written, the journal still has
    /// all of it.
    pub(in crate::runner) fn checkpoint(&mut self) -> Result<(), RunError> {
        let began = Instant::now();
        match self.journal.checkpoint() {
            Ok(()) | Err(StoreError::Write { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.time.wrote(began.elapsed());
        Ok(())
    }

    /// Looks at the figures after `rounds`: whether they are as sure as asked for, and which cells rest until the next
    /// look.
    fn look(&mut self, rounds: u64) -> Result<bool, RunError> {
        let standing = stop::standing(self.journal.record(), &self.closed);
        for &key in &standing.settled {
            let known = self.journal.record().cell(key).is_some_and(|cell| cell.settled_after_rounds.is_some());
            if !known {
                self.journal.append(Event::Settled { key, rounds })?;
            }
        }
        self.resting = standing.resting;
        Ok(standing.done)
    }
}
