//! Cells take turns: a block of each, then the next alternation.

use std::time::Instant;

use crate::record::{Event, Failure, LaunchCell};
use crate::runner::block::{BlockPlace, Measured};
use crate::runner::energy::stretch::Leave;

use crate::runner::rounds::order;
use crate::runner::rounds::round::{Group, Round, Turn};
use crate::runner::{Launch, Result, Run};
use crate::stats::Latencies;

const MAX_REPEATS: u64 = 1;

impl Run<'_> {
    pub(in crate::runner) async fn take_turns(
        &mut self,
        round: &mut Round,
        group: &Group,
    ) -> Result<()> {
        let mut turns = self.begin_all(round, group).await?;
        let began = Instant::now();
        for alternation in 0..round.alternations {
            if !self.may_measure() {
                break;
            }
            self.alternate(round, group, &mut turns, alternation)
                .await?;
            if self.may_measure() && self.are_bound_unlike(group, &turns) {
                self.end_turns(round, turns).await?;
                turns = self.begin_all(round, group).await?;
            }
        }
        round.cost.alternation += began.elapsed();
        self.end_turns(round, turns).await
    }

    async fn alternate(
        &mut self,
        round: &mut Round,
        group: &Group,
        turns: &mut Vec<Turn>,
        alternation: u64,
    ) -> Result<()> {
        let places: Vec<usize> = turns.iter().map(|turn| turn.place).collect();
        let to_come = round.rounds_to_come();
        for (position, place) in order::turns(&places, group.draw, alternation)
            .into_iter()
            .enumerate()
        {
            if !self.may_measure() {
                break;
            }
            let (Some(found), Some(launch)) = (
                turns.iter().position(|turn| turn.place == place),
                &mut round.launches[place],
            ) else {
                continue;
            };
            let turn = &mut turns[found];
            let place = BlockPlace {
                key: turn.key,
                alternation,
                position: position as u64,
                started_ns: self.elapsed(),
                time: self.block_time(places.len(), to_come, turn.single),
            };
            if let Err(failure) = self.measure_block(launch, turn, place).await? {
                self.fail_turn(round, turns.remove(found), &failure)?;
            }
        }
        Ok(())
    }

    /// A block failed: unless sizes of outputs are to blame, so does its cell, of which the launch
    /// keeps what it measured.
    fn fail_turn(&mut self, round: &mut Round, turn: Turn, failure: &Failure) -> Result<()> {
        if self.is_put_down_to_sizes(&turn, failure)? {
            return Ok(());
        }
        let Some(launch) = &mut round.launches[turn.place] else {
            return Ok(());
        };
        self.put_cell(launch, turn.cell, &turn.histograms)?;
        self.fail_cell_of(launch, turn.key, failure)
    }

    /// Measures a block, again if it was disturbed; every try is written down.
    async fn measure_block(
        &mut self,
        launch: &mut Launch,
        turn: &mut Turn,
        place: BlockPlace,
    ) -> Result<Result<(), Failure>> {
        for _ in 0..=MAX_REPEATS {
            let place = BlockPlace {
                started_ns: self.elapsed(),
                ..place
            };
            let measured = match self.meter.measure(launch, place).await {
                Ok(measured) => measured,
                Err(failure) => return Ok(Err(failure)),
            };
            self.meter.count(&measured);
            let Measured {
                block, histogram, ..
            } = measured;
            self.mark_measured(turn.key)?;
            turn.single = block.mean_ns.into();
            turn.histograms.push(histogram.clone());
            let is_quiet = block.disturbances.is_empty();
            self.append(Event::Block {
                block: Box::new(block),
                histogram,
            })?;
            let has_time = self.remaining() > turn.single * 2;
            if is_quiet || !has_time || self.meter.is_disturbed_throughout() {
                break;
            }
        }
        Ok(Ok(()))
    }

    async fn end_turns(&mut self, round: &mut Round, turns: Vec<Turn>) -> Result<()> {
        for turn in turns {
            self.end_turn(round, turn).await?;
        }
        Ok(())
    }

    async fn end_turn(&mut self, round: &mut Round, turn: Turn) -> Result<()> {
        let Some(launch) = &mut round.launches[turn.place] else {
            return Ok(());
        };
        let leave = Leave {
            plan: &self.journal.record().plan,
            extent: self.extent,
            remaining: self.remaining(),
            limit: self.limit(),
        };
        let ended = async {
            let gpu = self.energy.gpu_use(launch, turn.key, &leave).await?;
            let cell = LaunchCell {
                gpu_memory: self.energy.memory_without_stretch(launch, gpu.as_ref()),
                gpu,
                ..turn.cell
            };
            launch.end_cell(&self.launcher.roots, cell).await
        }
        .await;
        match ended {
            Ok(cell) => self.put_cell(launch, cell, &turn.histograms),
            Err(failure) => self.fail_cell_of(launch, turn.key, &failure),
        }
    }

    /// Writes a cell down with the latencies of its blocks.
    fn put_cell(
        &mut self,
        launch: &mut Launch,
        cell: LaunchCell,
        histograms: &[String],
    ) -> Result<()> {
        let cell = LaunchCell {
            latency_histogram: merged(histograms),
            ..cell
        };
        self.append(Event::LaunchCell {
            launch: launch.record.launch,
            cell: Box::new(cell.clone()),
        })?;
        launch.record.cells.push(cell);
        Ok(())
    }
}

fn merged(histograms: &[String]) -> Option<String> {
    let mut sum = Latencies::new();
    for histogram in histograms {
        sum.merge(&Latencies::decode(histogram).ok()?);
    }
    (!sum.is_empty()).then(|| sum.encode())
}
