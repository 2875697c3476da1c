//! Cells take turns: a block of each, then the next alternation.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::plan::CellKey;
use crate::record::{Event, Failure, LaunchCell};
use crate::runner::block::BlockPlace;
use crate::runner::energy::stretch::Leave;
use crate::runner::rounds::bindings;
use crate::runner::rounds::order::{self, Draw};
use crate::runner::rounds::round::{Round, Turn, rounds_to_come};
use crate::runner::{Launch, Run, RunError};
use crate::stats::Latencies;

const MAX_REPEATS: u64 = 1;

pub(in crate::runner) async fn take_turns(
    run: &mut Run<'_>,
    round: &mut Round,
    members: &BTreeMap<usize, CellKey>,
    draw: Draw,
) -> Result<(), RunError> {
    let mut turns = bindings::begin_all(run, round, members, draw).await?;
    let began = Instant::now();
    for alternation in 0..round.alternations {
        if !run.may_measure() {
            break;
        }
        alternate(run, round, &mut turns, draw, alternation).await?;
        if run.may_measure() && bindings::are_unlike(run, members, &turns) {
            for turn in turns {
                end_cell(run, round, turn).await?;
            }
            turns = bindings::begin_all(run, round, members, draw).await?;
        }
    }
    round.cost.alternation += began.elapsed();
    for turn in turns {
        end_cell(run, round, turn).await?;
    }
    Ok(())
}

async fn alternate(
    run: &mut Run<'_>,
    round: &mut Round,
    turns: &mut Vec<Turn>,
    draw: Draw,
    alternation: u64,
) -> Result<(), RunError> {
    let places: Vec<usize> = turns.iter().map(|turn| turn.place).collect();
    let to_come = rounds_to_come(round);
    for (position, place) in order::turns(&places, draw, alternation)
        .into_iter()
        .enumerate()
    {
        if !run.may_measure() {
            break;
        }
        let Some(turn) = turns.iter().position(|turn| turn.place == place) else {
            continue;
        };
        let key = turns[turn].key;
        let Some(launch) = &mut round.launches[place] else {
            continue;
        };
        let time = run.block_time(places.len(), to_come, turns[turn].single);
        let place = BlockPlace {
            key,
            alternation,
            position: position as u64,
            started_ns: run.elapsed(),
            time,
        };
        if let Err(failure) = block(run, launch, &mut turns[turn], place).await? {
            let turn = turns.remove(turn);
            fail_turn(run, round, turn, &failure)?;
        }
    }
    Ok(())
}

/// A block failed: unless sizes of outputs are to blame, so does its cell, of which the launch
/// keeps what it measured.
fn fail_turn(
    run: &mut Run<'_>,
    round: &mut Round,
    turn: Turn,
    failure: &Failure,
) -> Result<(), RunError> {
    if bindings::is_put_down_to_sizes(run, &turn, failure)? {
        return Ok(());
    }
    let Some(launch) = &mut round.launches[turn.place] else {
        return Ok(());
    };
    let cell = LaunchCell {
        latency_histogram: merged(&turn.histograms),
        ..turn.cell
    };
    run.journal.append(Event::LaunchCell {
        launch: launch.record.launch,
        cell: Box::new(cell.clone()),
    })?;
    launch.record.cells.push(cell);
    run.fail_cell_of(launch, turn.key, failure)
}

/// Measures a block, again if it was disturbed; every try is written down.
async fn block(
    run: &mut Run<'_>,
    launch: &mut Launch,
    turn: &mut Turn,
    place: BlockPlace,
) -> Result<Result<(), Failure>, RunError> {
    let key = turn.key;
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
        let disturbed = !measured.block.disturbances.is_empty();
        run.mark_measured(key)?;
        turn.single = measured.block.mean_ns.into();
        turn.histograms.push(measured.histogram.clone());
        run.journal.append(Event::Block {
            block: Box::new(measured.block),
            histogram: measured.histogram,
        })?;
        let has_time = run.remaining() > turn.single * 2;
        if !disturbed || !has_time || run.meter.is_disturbed_throughout() {
            break;
        }
    }
    Ok(Ok(()))
}

async fn end_cell(run: &mut Run<'_>, round: &mut Round, turn: Turn) -> Result<(), RunError> {
    let Some(launch) = &mut round.launches[turn.place] else {
        return Ok(());
    };
    let leave = Leave {
        plan: &run.journal.record().plan,
        extent: run.extent,
        remaining: run.remaining(),
        limit: run.limit(),
    };
    let ended = match run.energy.gpu_use(launch, turn.key, &leave).await {
        Ok(gpu) => {
            let gpu_memory = run.energy.memory_without_stretch(launch, gpu.as_ref());
            launch
                .end_cell(
                    &run.launcher.roots,
                    LaunchCell {
                        gpu,
                        gpu_memory,
                        ..turn.cell
                    },
                )
                .await
        }
        Err(failure) => Err(failure),
    };
    match ended {
        Ok(mut cell) => {
            cell.latency_histogram = merged(&turn.histograms);
            run.journal.append(Event::LaunchCell {
                launch: launch.record.launch,
                cell: Box::new(cell.clone()),
            })?;
            launch.record.cells.push(cell);
            Ok(())
        }
        Err(failure) => run.fail_cell_of(launch, turn.key, &failure),
    }
}

fn merged(histograms: &[String]) -> Option<String> {
    let mut sum = Latencies::new();
    for histogram in histograms {
        sum.merge(&Latencies::decode(histogram).ok()?);
    }
    (!sum.is_empty()).then(|| sum.encode())
}
