//! Cells take turns: a block of each, then the next alternation.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::plan::CellKey;
use crate::record::{Event, Failure, LaunchCell};
use crate::runner::RunError;
use crate::runner::launch::Launch;
use crate::runner::rounds::block::{self, BlockPlace};
use crate::runner::rounds::order::{self, Draw};
use crate::runner::rounds::round::{Round, Run};
use crate::stats::{Latencies, MIN_LAUNCHES};

/// How often a disturbed block is run again.
const MAX_REPEATS: u64 = 1;
/// Share of disturbed blocks above which none is run again: on a loaded machine the next try is disturbed as well, and
/// takes the time from the other blocks.
const MAX_DISTURBED_SHARE: f64 = 0.25;

/// One session's part in a group of cells that take turns.
pub(in crate::runner) struct Turn {
    pub place: usize,
    pub key: CellKey,
    pub cell: LaunchCell,
    /// What an inference takes, as far as it is known.
    pub single: Duration,
    /// Whether its outputs were to be bound anew.
    pub is_asked_anew: bool,
    /// Encoded latencies of the launch's blocks so far: decoded, they would take some hundred times the memory.
    pub histograms: Vec<String>,
}

impl Run<'_> {
    /// Cells take turns, each at its place of the round.
    pub(in crate::runner) async fn take_turns(
        &mut self,
        round: &mut Round,
        members: &BTreeMap<usize, CellKey>,
        draw: Draw,
    ) -> Result<(), RunError> {
        let mut turns = self.begin_all(round, members, draw).await?;
        let began = Instant::now();
        for alternation in 0..round.alternations {
            if !self.may_measure() {
                break;
            }
            self.alternate(round, &mut turns, draw, alternation).await?;
            if self.may_measure() && self.are_unlike(members, &turns) {
                for turn in turns {
                    self.end_cell(round, turn).await?;
                }
                turns = self.begin_all(round, members, draw).await?;
            }
        }
        round.cost.alternation += began.elapsed();
        for turn in turns {
            self.end_cell(round, turn).await?;
        }
        Ok(())
    }

    /// One block of every session, and of those that were disturbed once more.
    async fn alternate(
        &mut self,
        round: &mut Round,
        turns: &mut Vec<Turn>,
        draw: Draw,
        alternation: u64,
    ) -> Result<(), RunError> {
        let places: Vec<usize> = turns.iter().map(|turn| turn.place).collect();
        let to_come = rounds_to_come(round);
        for (position, place) in order::turns(&places, draw, alternation).into_iter().enumerate() {
            if !self.may_measure() {
                break;
            }
            let Some(turn) = turns.iter().position(|turn| turn.place == place) else { continue };
            let key = turns[turn].key;
            let Some(launch) = &mut round.launches[place] else { continue };
            let time = self.block_time(places.len(), to_come, turns[turn].single);
            let place = BlockPlace { key, alternation, position: position as u64, started_ns: self.elapsed(), time };
            if let Err(failure) = self.block(launch, &mut turns[turn], place).await? {
                let turn = turns.remove(turn);
                self.fail_turn(round, turn, &failure)?;
            }
        }
        Ok(())
    }

    /// A block failed: unless sizes of outputs are to blame, so does its cell, of which the launch keeps what it measured.
    fn fail_turn(&mut self, round: &mut Round, turn: Turn, failure: &Failure) -> Result<(), RunError> {
        if self.is_put_down_to_sizes(&turn, failure)? {
            return Ok(());
        }
        if let Some(launch) = &mut round.launches[turn.place] {
            let cell = LaunchCell { latency_histogram: merged(&turn.histograms), ..turn.cell };
            self.journal.append(Event::LaunchCell { launch: launch.record.launch, cell: Box::new(cell.clone()) })?;
            launch.record.cells.push(cell);
            self.fail_launch(launch, turn.key, failure)?;
        }
        self.fail_cell(turn.key, failure)
    }

    /// Measures a block, again if it was disturbed; every try is written down.
    async fn block(
        &mut self,
        launch: &mut Launch,
        turn: &mut Turn,
        place: BlockPlace,
    ) -> Result<Result<(), Failure>, RunError> {
        let key = turn.key;
        for _ in 0..=MAX_REPEATS {
            let place = BlockPlace { started_ns: self.elapsed(), ..place };
            let measured = match block::measure(launch, &self.sampler, place).await {
                Ok(measured) => measured,
                Err(failure) => return Ok(Err(failure)),
            };
            self.sampling_costs.push(measured.sampling_cost_ns);
            let disturbed = !measured.block.disturbances.is_empty();
            self.blocks_count += 1;
            self.disturbed_count += u64::from(disturbed);
            self.mark_measured(key)?;
            turn.single = measured.block.mean_ns.into();
            turn.histograms.push(measured.histogram.clone());
            self.journal.append(Event::Block { block: Box::new(measured.block), histogram: measured.histogram })?;
            let has_time = self.remaining() > turn.single * 2;
            if !disturbed || !has_time || self.is_disturbed_throughout() {
                break;
            }
        }
        Ok(Ok(()))
    }

    async fn end_cell(&mut self, round: &mut Round, turn: Turn) -> Result<(), RunError> {
        let Some(launch) = &mut round.launches[turn.place] else { return Ok(()) };
        let ended = match self.gpu_use(launch, turn.key).await {
            Ok(gpu) => {
                let gpu_memory = self.energy.memory_without_stretch(launch, gpu.as_ref());
                launch.end_cell(&self.launcher.roots, LaunchCell { gpu, gpu_memory, ..turn.cell }).await
            }
            Err(failure) => Err(failure),
        };
        match ended {
            Ok(mut cell) => {
                cell.latency_histogram = merged(&turn.histograms);
                self.journal
                    .append(Event::LaunchCell { launch: launch.record.launch, cell: Box::new(cell.clone()) })?;
                launch.record.cells.push(cell);
                Ok(())
            }
            Err(failure) => {
                self.fail_launch(launch, turn.key, &failure)?;
                self.fail_cell(turn.key, &failure)
            }
        }
    }

    fn is_disturbed_throughout(&self) -> bool {
        self.disturbed_count as f64 > self.blocks_count as f64 * MAX_DISTURBED_SHARE
    }
}

/// Rounds until there are as many launches as an interval takes; one, once there are.
pub(in crate::runner) fn rounds_to_come(round: &Round) -> u64 {
    MIN_LAUNCHES.saturating_sub(round.number).max(1)
}

/// What an inference of a cell takes, judged by its warm-up, or by its first inference where there was no warm-up.
pub(in crate::runner) fn single(cell: &LaunchCell) -> Duration {
    match cell.warmup.inferences_count {
        0 => cell.first_run_ns.into(),
        count => Duration::from(cell.warmup.elapsed_ns).div_f64(count as f64),
    }
}

/// The encoded sum of encoded histograms; absent if there are none or one cannot be read.
fn merged(histograms: &[String]) -> Option<String> {
    let mut sum = Latencies::new();
    for histogram in histograms {
        sum.merge(&Latencies::decode(histogram).ok()?);
    }
    (!sum.is_empty()).then(|| sum.encode())
}
