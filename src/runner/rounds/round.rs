//! A round: one launch of every session, or of every configuration of a heat, and the turns of its
//! cells.

use std::time::{Duration, Instant};

use crate::plan::CellKey;
use crate::record::{Event, LaunchCell};
use crate::runner::rounds::pace::RoundCost;
use crate::runner::{Launch, Run, RunError};
use crate::stats::MIN_LAUNCHES;

/// Launches lie at the places of their sessions in the plan, or of their configurations in the heat
/// of a search.
pub(in crate::runner) struct Round {
    pub number: u64,
    pub alternations: u64,
    pub launches: Vec<Option<Launch>>,
    pub cost: RoundCost,
}

pub(in crate::runner) struct Turn {
    pub place: usize,
    pub key: CellKey,
    pub cell: LaunchCell,
    pub single: Duration,
    pub is_asked_anew: bool,
    /// Encoded latencies of the launch's blocks so far: decoded, they would take some hundred times
    /// the memory.
    pub histograms: Vec<String>,
}

impl Round {
    pub(in crate::runner) fn new(number: u64, alternations: u64, places: usize) -> Self {
        let launches = (0..places).map(|_| None).collect();
        Round {
            number,
            alternations,
            launches,
            cost: RoundCost::default(),
        }
    }

    pub(in crate::runner) async fn end(
        mut self,
        run: &mut Run<'_>,
        began: Instant,
    ) -> Result<RoundCost, RunError> {
        for launch in self.launches.into_iter().flatten() {
            run.journal.append(Event::Launch(Box::new(launch.record)))?;
            launch.worker.end().await;
        }
        let in_blocks = self.cost.alternation;
        self.cost.alternation =
            in_blocks / u32::try_from(self.alternations).unwrap_or(u32::MAX).max(1);
        self.cost.fixed = began.elapsed().saturating_sub(in_blocks);
        Ok(self.cost)
    }

    /// Makes sure that a session has a living worker in this round; false if it cannot have one.
    pub(in crate::runner) async fn launch_if_needed(
        &mut self,
        run: &mut Run<'_>,
        place: usize,
        session: usize,
    ) -> Result<bool, RunError> {
        let slot = &mut self.launches[place];
        if slot.as_ref().is_some_and(|launch| launch.worker.is_alive()) {
            return Ok(true);
        }
        if let Some(dead) = slot.take() {
            run.journal.append(Event::Launch(Box::new(dead.record)))?;
        }
        let launched = match run.take_warm(session, self.number)? {
            Some(warm) => Some(warm),
            None if run.may_launch(session) => run.launch(session, self.number).await?,
            None => None,
        };
        let is_launched = launched.is_some();
        self.launches[place] = launched;
        Ok(is_launched)
    }
}

/// Rounds until there are as many launches as an interval takes; one, once there are.
pub(in crate::runner) fn rounds_to_come(round: &Round) -> u64 {
    MIN_LAUNCHES.saturating_sub(round.number).max(1)
}
