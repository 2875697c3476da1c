//! A round: one launch of every session, or of every configuration of a heat, and the turns of its
//! cells.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::plan::CellKey;
use crate::record::{Event, LaunchCell};
use crate::runner::rounds::order::Draw;
use crate::runner::rounds::pace::RoundCost;
use crate::runner::time::times;
use crate::runner::{Launch, Result, Run};
use crate::stats::MIN_LAUNCHES;

/// Launches lie at the places of their sessions in the plan, or of their configurations in the heat
/// of a search.
pub(in crate::runner) struct Round {
    pub number: u64,
    pub alternations: u64,
    pub launches: Vec<Option<Launch>>,
    pub cost: RoundCost,
}

/// Cells that take turns, by the places of their launches.
pub(in crate::runner) struct Group {
    pub members: BTreeMap<usize, CellKey>,
    pub draw: Draw,
}

pub(super) struct Turn {
    pub place: usize,
    pub key: CellKey,
    pub cell: LaunchCell,
    /// Encoded latencies of the warm-up.
    pub warmup: String,
    pub single: Duration,
    pub is_asked_anew: bool,
    /// Encoded latencies of the launch's blocks so far: decoded, they would take some hundred times
    /// the memory.
    pub histograms: Vec<String>,
}

impl Round {
    pub(in crate::runner) fn new(number: u64, alternations: u64, places: usize) -> Self {
        Round {
            number,
            alternations,
            launches: (0..places).map(|_| None).collect(),
            cost: RoundCost::default(),
        }
    }

    /// Rounds until there are as many launches as an interval takes; one, once there are.
    pub(super) fn rounds_to_come(&self) -> u64 {
        MIN_LAUNCHES.saturating_sub(self.number).max(1)
    }

    pub(in crate::runner) async fn end(
        mut self,
        run: &mut Run<'_>,
        began: Instant,
    ) -> Result<RoundCost> {
        for launch in self.launches.into_iter().flatten() {
            run.append(Event::Launch(Box::new(launch.record)))?;
            launch.worker.end().await;
        }
        let in_blocks = self.cost.alternation;
        self.cost.alternation = in_blocks / times(self.alternations).max(1);
        self.cost.fixed = began.elapsed().saturating_sub(in_blocks);
        Ok(self.cost)
    }

    /// Makes sure that a session has a living worker in this round; false if it cannot have one.
    pub(super) async fn launch_if_needed(
        &mut self,
        run: &mut Run<'_>,
        place: usize,
        session: usize,
    ) -> Result<bool> {
        let slot = &mut self.launches[place];
        if slot.as_ref().is_some_and(|launch| launch.worker.is_alive()) {
            return Ok(true);
        }
        if let Some(dead) = slot.take() {
            run.append(Event::Launch(Box::new(dead.record)))?;
        }
        *slot = match run.take_warm(session, self.number)? {
            None if run.may_launch(session) => run.launch(session, self.number).await?,
            warm => warm,
        };
        Ok(slot.is_some())
    }
}
