//! A search: one step after the other, as its guide says.

pub(in crate::runner) mod guide;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::plan::{At, CellKey, SessionSpec};
use crate::record::{EndReason, Event, Outcome};
use crate::runner::rounds::order::Draw;
use crate::runner::rounds::pace::{self, RoundCost};
use crate::runner::rounds::round::{Round, Run};
use crate::runner::search::guide::{Clock, Guide, Move};
use crate::runner::{Progress, RunError};

impl Run<'_> {
    /// Searches until the guide has enough.
    pub(in crate::runner) async fn search(&mut self, guide: &mut dyn Guide) -> Result<EndReason, RunError> {
        self.close_failed();
        self.note_monitoring()?;
        let mut cost = None;
        loop {
            match guide.next(self.journal.record(), self.clock(cost)) {
                Move::Admit { sessions, cells } => self.admit(sessions, cells)?,
                Move::Score(session) => self.score_one(session).await?,
                Move::Begin(heat) => self.journal.append(Event::Heat(heat))?,
                Move::Round { cells, alternations } => {
                    let spent = self.heat_round(&cells, alternations).await?;
                    cost = Some((spent, alternations));
                    self.checkpoint()?;
                }
                Move::Look { decisions, champion } => {
                    self.journal.append(Event::Looked { decisions, champion })?;
                    cost = cost.filter(|_| champion.is_none());
                }
                Move::End(reason) => return Ok(reason),
            }
        }
    }

    /// How much of the time is spent; it is over where another round like the last would be cut off early.
    fn clock(&self, cost: Option<(RoundCost, u64)>) -> Clock {
        let remaining = self.remaining();
        let budget = self.plan.schedule.budget_ns.map(|budget| Duration::from(budget).saturating_sub(self.before));
        let spent_ratio = budget.map_or(0.0, |budget| 1.0 - remaining.as_secs_f64() / budget.as_secs_f64().max(1e-9));
        let is_late =
            cost.is_some_and(|(cost, alternations)| pace::too_late_for_another(remaining, cost, alternations));
        Clock { spent_ratio: spent_ratio.clamp(0.0, 1.0), left: remaining, is_over: self.is_late() || is_late }
    }

    /// What failed before the search was taken up again is not tried once more.
    fn close_failed(&mut self) {
        let failed = self.journal.record().cells.iter().filter(|cell| matches!(cell.outcome, Outcome::Failed(_)));
        let failed: Vec<CellKey> = failed.map(|cell| cell.key).collect();
        self.closed.extend(failed);
    }

    fn admit(&mut self, sessions: Vec<SessionSpec>, cells: Vec<CellKey>) -> Result<(), RunError> {
        self.journal.append(Event::Admitted { sessions, cells })?;
        self.plan = self.journal.record().plan.clone();
        self.energy.extend(&self.plan.sessions);
        self.close_unsupported()
    }

    async fn heat_round(&mut self, cells: &[CellKey], alternations: u64) -> Result<RoundCost, RunError> {
        let began = Instant::now();
        self.announce_heat(cells.len() as u64);
        let number = self.next_round;
        self.next_round += 1;
        let mut round = Round::new(number, alternations, cells.len());
        let open = cells.iter().copied().enumerate().filter(|(_, key)| self.is_open(*key));
        let members: BTreeMap<usize, CellKey> = open.collect();
        let at = At { shape: 0, batch_size: 0, load_mode: self.plan.load_modes[0] };
        let draw = Draw { seed: self.plan.schedule.seed, round: number, at };
        self.take_turns(&mut round, &members, draw).await?;
        let cost = self.end_round(round, began).await?;
        // A round that was cut off before all had a block counts for none of them.
        let blocks = || self.journal.record().blocks.iter().rev().take_while(|block| block.round == number);
        if !self.is_late() || members.values().all(|key| blocks().any(|block| block.key == *key)) {
            self.journal.append(Event::HeatRound { round: number })?;
        }
        Ok(cost)
    }

    fn announce_heat(&mut self, configurations_count: u64) {
        let Some(heat) = self.journal.record().tuning.as_ref().and_then(|tuning| tuning.heats.last()) else { return };
        self.observer.observe(&Progress::HeatRound {
            heat: heat.number + 1,
            stage: heat.stage,
            rounds_done: heat.rounds.len() as u64,
            configurations_count,
            elapsed: self.started.elapsed(),
            budget: self.plan.schedule.budget_ns.map(Duration::from),
        });
    }
}
