//! Cells take turns: a block of each, then the next alternation.

use std::time::Instant;

use super::bindings;
use crate::record::{Event, Failure, LaunchCell};
use crate::runner::block::{BlockPlace, Measured};
use crate::runner::energy::stretch::Leave;

use crate::runner::rounds::order;
use crate::runner::rounds::round::{Group, Round, Turn};
use crate::runner::{Launch, Result, Run};
use crate::stats::Latencies;

const MAX_REPEATS: u64 = 1;

pub(in crate::runner) async fn take_turns(
    run: &mut Run<'_>,
    round: &mut Round,
    group: &Group,
) -> Result<()> {
    let mut turns = bindings::begin_all(run, round, group).await?;
    let began = Instant::now();
    for alternation in 0..round.alternations {
        if !run.may_measure() {
            break;
        }
        alternate(run, round, group, &mut turns, alternation).await?;
        if run.may_measure() && bindings::are_bound_unlike(run, group, &turns) {
            end_turns(run, round, turns).await?;
            turns = bindings::begin_all(run, round, group).await?;
        }
    }
    round.cost.alternation += began.elapsed();
    end_turns(run, round, turns).await
}

async fn alternate(
    run: &mut Run<'_>,
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
        if !run.may_measure() {
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
            started_ns: run.elapsed(),
            time: run.block_time(places.len(), to_come, turn.single),
        };
        if let Err(failure) = measure_block(run, launch, turn, place).await? {
            fail_turn(run, round, turns.remove(found), &failure)?;
        }
    }
    Ok(())
}

/// A block failed: unless sizes of outputs are to blame, so does its cell, of which the launch
/// keeps what it measured.
fn fail_turn(run: &mut Run<'_>, round: &mut Round, turn: Turn, failure: &Failure) -> Result<()> {
    if bindings::is_put_down_to_sizes(run, &turn, failure)? {
        return Ok(());
    }
    let Some(launch) = &mut round.launches[turn.place] else {
        return Ok(());
    };
    put_cell(run, launch, turn.cell, &turn.histograms)?;
    run.fail_cell_of(launch, turn.key, failure)
}

/// Measures a block, again if it was disturbed; every try is written down.
async fn measure_block(
    run: &mut Run<'_>,
    launch: &mut Launch,
    turn: &mut Turn,
    place: BlockPlace,
) -> Result<Result<(), Failure>> {
    for _ in 0..=MAX_REPEATS {
        let place = BlockPlace {
            started_ns: run.elapsed(),
            ..place
        };
        let measured = match run.meter.measure(launch, place).await {
            Ok(measured) => measured,
            Err(failure) => return Ok(Err(failure)),
        };
        run.meter.count(&measured);
        let Measured {
            block, histogram, ..
        } = measured;
        run.mark_measured(turn.key)?;
        turn.single = block.mean_ns.into();
        turn.histograms.push(histogram.clone());
        let is_quiet = block.disturbances.is_empty();
        run.append(Event::Block {
            block: Box::new(block),
            histogram,
        })?;
        let has_time = run.remaining() > turn.single * 2;
        if is_quiet || !has_time || run.meter.is_disturbed_throughout() {
            break;
        }
    }
    Ok(Ok(()))
}

async fn end_turns(run: &mut Run<'_>, round: &mut Round, turns: Vec<Turn>) -> Result<()> {
    for turn in turns {
        end_turn(run, round, turn).await?;
    }
    Ok(())
}

async fn end_turn(run: &mut Run<'_>, round: &mut Round, turn: Turn) -> Result<()> {
    let Some(launch) = &mut round.launches[turn.place] else {
        return Ok(());
    };
    let leave = Leave {
        plan: &run.journal.record().plan,
        extent: run.extent,
        remaining: run.remaining(),
        limit: run.limit(),
    };
    let ended = async {
        let gpu = run.energy.gpu_use(launch, turn.key, &leave).await?;
        let cell = LaunchCell {
            gpu_memory: run.energy.memory_without_stretch(launch, gpu.as_ref()),
            gpu,
            ..turn.cell
        };
        launch.end_cell(&run.launcher.roots, cell).await
    }
    .await;
    match ended {
        Ok(cell) => put_cell(run, launch, cell, &turn.histograms),
        Err(failure) => run.fail_cell_of(launch, turn.key, &failure),
    }
}

/// Writes a cell down with the latencies of its blocks.
fn put_cell(
    run: &mut Run<'_>,
    launch: &mut Launch,
    cell: LaunchCell,
    histograms: &[String],
) -> Result<()> {
    let cell = LaunchCell {
        latency_histogram: merged(histograms),
        ..cell
    };
    run.append(Event::LaunchCell {
        launch: launch.record.launch,
        cell: Box::new(cell.clone()),
    })?;
    launch.record.cells.push(cell);
    Ok(())
}

fn merged(histograms: &[String]) -> Option<String> {
    let mut sum = Latencies::new();
    for histogram in histograms {
        sum.merge(&Latencies::decode(histogram).ok()?);
    }
    (!sum.is_empty()).then(|| sum.encode())
}
