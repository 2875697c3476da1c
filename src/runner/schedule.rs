//! The order of a run: single predictions of every session first, then larger batches, then what
//! lies beside them; or that of a search, as its guide says.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::rounds::Rounds;
use super::rounds::pace::{self, RoundCost};
use super::rounds::round::{Group, Round};
use super::{Clock, Extent, Guide, Move, Progress, Result, Run};
use crate::plan::{CellKey, Workload};
use crate::record::{EndReason, Event, Outcome};

impl Run<'_> {
    /// Every session has as many launches at its smallest batch size as an interval takes before
    /// anything else is done; larger batches follow, then what lies beside the rounds, within its
    /// share of the budget; further rounds take what it leaves. Rounds that were asked for by their
    /// number are all alike.
    pub(super) async fn measure(&mut self) -> Result<EndReason> {
        let mut rounds = Rounds::default();
        self.close_unsupported()?;
        self.note_monitoring()?;
        if self.extent == Extent::Whole {
            self.place_all().await?;
        }
        self.time.held = self.beside_share() + self.rest_share();
        let mut reason = rounds.measure(self).await?;
        // What is settled rests from rounds alone.
        let resting = std::mem::take(&mut self.resting);
        self.time.held = self.rest_share();
        if self.extent == Extent::Whole {
            self.measure_beside().await?;
        }
        self.resting = resting;
        // What was kept free and not needed goes to the rounds.
        if reason == EndReason::BudgetSpent && self.may_measure() {
            reason = rounds.measure(self).await?;
        }
        self.resting.clear();
        self.time.held = Duration::ZERO;
        if self.extent == Extent::Whole {
            self.profile_rest().await?;
        }
        Ok(reason)
    }

    /// Searches until the guide has enough.
    pub(super) async fn search(&mut self, guide: &mut dyn Guide) -> Result<EndReason> {
        self.close_failed();
        self.note_monitoring()?;
        let mut cost = None;
        let mut number = self.next_round();
        loop {
            match guide.next(self.record(), self.clock(cost)) {
                Move::Admit { sessions, cells } => {
                    self.append(Event::Admitted { sessions, cells })?;
                    self.energy.extend(&self.journal.record().plan.sessions);
                    self.close_unsupported()?;
                }
                Move::Score(session) => self.score_one(session).await?,
                Move::Begin(heat) => self.append(Event::Heat(heat))?,
                Move::Round {
                    cells,
                    alternations,
                } => {
                    let spent = self.heat_round(number, &cells, alternations).await?;
                    number += 1;
                    cost = Some((spent, alternations));
                    self.checkpoint()?;
                }
                Move::Look {
                    decisions,
                    champion,
                } => {
                    self.append(Event::Looked {
                        decisions,
                        champion,
                    })?;
                    cost = cost.filter(|_| champion.is_none());
                }
                Move::End(reason) => return Ok(reason),
            }
        }
    }

    /// Closes cells that failed before the search was taken up again.
    fn close_failed(&mut self) {
        self.closed.extend(
            self.journal
                .record()
                .cells
                .iter()
                .filter(|cell| matches!(cell.outcome, Outcome::Failed(_)))
                .map(|cell| cell.key),
        );
    }

    fn next_round(&self) -> u64 {
        self.record()
            .blocks
            .iter()
            .map(|block| block.round + 1)
            .max()
            .unwrap_or(0)
    }

    /// How much of the time is spent; it is over where another round like the last would be cut off
    /// early.
    fn clock(&self, cost: Option<(RoundCost, u64)>) -> Clock {
        let remaining = self.remaining();
        let spent_ratio = self.budget().map_or(0.0, |budget| {
            let budget = budget.saturating_sub(self.time.before).as_secs_f64();
            1.0 - remaining.as_secs_f64() / budget.max(1e-9)
        });
        let is_late = cost.is_some_and(|(cost, alternations)| {
            pace::too_late_for_another(remaining, cost, alternations)
        });
        Clock {
            spent_ratio: spent_ratio.clamp(0.0, 1.0),
            left: remaining,
            is_over: self.is_late() || is_late,
        }
    }

    async fn heat_round(
        &mut self,
        number: u64,
        cells: &[CellKey],
        alternations: u64,
    ) -> Result<RoundCost> {
        let began = Instant::now();
        self.announce_heat(cells.len() as u64);
        let mut round = Round::new(number, alternations, cells.len());
        let places = cells.iter().copied().enumerate();
        let at = Workload {
            shape: 0,
            batch_size: 0,
            load: self.plan().load_modes[0],
        };
        let group = Group {
            members: places.filter(|(_, key)| self.is_open(*key)).collect(),
            draw: self.draw(&round, at),
        };
        self.take_turns(&mut round, &group).await?;
        let cost = round.end(self, began).await?;
        // A round that was cut off before all had a block counts for none of them.
        if !self.is_late() || self.have_blocks(&group, number) {
            self.append(Event::HeatRound { round: number })?;
        }
        Ok(cost)
    }

    /// Whether each cell had a block in a round, which is the last one.
    fn have_blocks(&self, group: &Group, round: u64) -> bool {
        let measured: BTreeSet<CellKey> = self
            .record()
            .blocks
            .iter()
            .rev()
            .take_while(|block| block.round == round)
            .map(|block| block.key)
            .collect();
        group.members.values().all(|key| measured.contains(key))
    }

    fn announce_heat(&mut self, configurations_count: u64) {
        let tuning = self.journal.record().tuning.as_ref();
        let Some(heat) = tuning.and_then(|tuning| tuning.heats.last()) else {
            return;
        };
        self.observer.observe(&Progress::HeatRound {
            heat: heat.number + 1,
            stage: heat.stage,
            rounds_done: heat.rounds.len() as u64,
            configurations_count,
            elapsed: self.time.of_part(),
            budget: self.budget(),
        });
    }
}
