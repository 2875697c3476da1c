//! How outputs are bound: once for all, or anew before each inference, but in one way for all that
//! are compared.

use std::collections::BTreeMap;

use crate::plan::{CellKey, Workload};
use crate::protocol::{Request, Response};
use crate::record::{Event, Failure, FailureKind, RunRecord};
use crate::runner::launch::single;
use crate::runner::rounds::order;
use crate::runner::rounds::round::{Group, Round, Turn};
use crate::runner::{Result, Run};

use crate::text::Plain;

const BOUND_ANEW: &str = "outputs are bound anew before each inference";

/// Places where an earlier part of the run bound outputs anew, with the reason.
pub(in crate::runner) fn known(record: &RunRecord) -> BTreeMap<Workload, Plain> {
    record
        .launches
        .iter()
        .flat_map(|launch| &launch.cells)
        .filter_map(|cell| Some((cell.workload(), cell.outputs_anew.clone()?)))
        .collect()
}

pub(super) async fn begin_all(
    run: &mut Run<'_>,
    round: &mut Round,
    group: &Group,
) -> Result<Vec<Turn>> {
    let places: Vec<usize> = group.members.keys().copied().collect();
    let mut begun = Vec::new();
    for place in order::turns(&places, group.draw, 0) {
        let key = group.members[&place];
        if run.is_open(key) && round.launch_if_needed(run, place, key.session).await? {
            begun.extend(begin_cell(run, round, group, place).await?);
        }
    }
    bind_alike(run, &begun)?;
    let mut turns = Vec::new();
    for turn in begun {
        if is_bound_once(&turn) && run.outputs_anew(turn.key.workload()).is_some() {
            turns.extend(begin_again(run, round, group, turn).await?);
        } else {
            turns.push(turn);
        }
    }
    for turn in &mut turns {
        run.append(Event::Warmup {
            key: turn.key,
            histogram: std::mem::take(&mut turn.warmup),
        })?;
    }
    Ok(turns)
}

/// Where one cell of a group binds outputs anew, all of them do.
fn bind_alike(run: &mut Run<'_>, begun: &[Turn]) -> Result<()> {
    let mut reasons = begun.iter().filter_map(|turn| {
        let reason = turn.cell.outputs_anew.as_ref()?;
        Some(if turn.is_asked_anew {
            reason.clone()
        } else {
            format!("{}: {}", run.label(turn.key.session), reason.exact()).into()
        })
    });
    match reasons.next() {
        Some(reason) => bind_anew(run, begun.iter().map(|turn| turn.key), &reason),
        None => Ok(()),
    }
}

/// Has outputs bound anew where these cells are, from here on; the first reason of a run is
/// said.
fn bind_anew(run: &mut Run<'_>, keys: impl Iterator<Item = CellKey>, reason: &Plain) -> Result<()> {
    for key in keys {
        run.bound_anew
            .entry(key.workload())
            .or_insert_with(|| reason.clone());
    }
    if run
        .record()
        .notes
        .iter()
        .any(|note| note.starts_with(BOUND_ANEW))
    {
        return Ok(());
    }
    run.note(format!(
        "{BOUND_ANEW}, outside its latency, which includes their allocation: {}",
        reason.exact()
    ))
}

async fn begin_again(
    run: &mut Run<'_>,
    round: &mut Round,
    group: &Group,
    turn: Turn,
) -> Result<Option<Turn>> {
    let Some(launch) = &mut round.launches[turn.place] else {
        return Ok(None);
    };
    let failure = match launch.worker.ask(&Request::End, "end a batch size").await {
        Ok(Response::Ended { .. }) => {
            let mut again = begin_cell(run, round, group, turn.place).await?;
            if let Some(again) = &mut again {
                again.cell.first_run_ns = turn.cell.first_run_ns;
            }
            return Ok(again);
        }
        Ok(other) => launch.worker.unexpected(&other).await,
        Err(failure) => failure,
    };
    run.fail_cell_of(launch, turn.key, &failure)?;
    Ok(None)
}

async fn begin_cell(
    run: &mut Run<'_>,
    round: &mut Round,
    group: &Group,
    place: usize,
) -> Result<Option<Turn>> {
    let key = group.members[&place];
    let limit = run.warmup_limit(group.members.len(), round.rounds_to_come());
    let (Some(launch), Ok(described)) = (&mut round.launches[place], run.description(key.session))
    else {
        return Ok(None);
    };
    let Ok(inputs) = described.inputs_at(key.shape) else {
        return Ok(None);
    };
    let level = run.energy.level(key.session);
    let request = run.cell_request(key, inputs, limit);
    let is_asked_anew = request.outputs_anew.is_some();
    match launch
        .begin(
            &run.launcher.roots,
            key.shape,
            request,
            run.beginning_time(key),
        )
        .await
    {
        Ok((cell, warmup)) => {
            run.energy.worked(key.session, launch, level);
            Ok(Some(Turn {
                place,
                key,
                single: single(&cell),
                cell,
                warmup,
                is_asked_anew,
                histograms: Vec::new(),
            }))
        }
        Err(failure) => {
            run.fail_cell_of(launch, key, &failure)?;
            Ok(None)
        }
    }
}

/// An output of another size than the first one's does not fit memory that is bound once, and
/// is bound anew from here on.
pub(super) fn is_put_down_to_sizes(
    run: &mut Run<'_>,
    turn: &Turn,
    failure: &Failure,
) -> Result<bool> {
    if !is_bound_once(turn) || failure.kind != FailureKind::Inference {
        return Ok(false);
    }
    let label = run.label(turn.key.session);
    let why = failure.message.exact();
    let reason = format!("{label}: an inference after the first failed: {why}").into();
    bind_anew(run, std::iter::once(turn.key), &reason)?;
    Ok(true)
}

pub(super) fn are_bound_unlike(run: &Run<'_>, group: &Group, turns: &[Turn]) -> bool {
    group
        .members
        .values()
        .any(|key| run.bound_anew.contains_key(&key.workload()))
        && (turns.iter().any(is_bound_once)
            || group.members.iter().any(|(place, key)| {
                run.is_open(*key) && turns.iter().all(|turn| turn.place != *place)
            }))
}

/// Whether the outputs of a cell are bound once because nothing was known that is against it.
fn is_bound_once(turn: &Turn) -> bool {
    !turn.is_asked_anew && turn.cell.outputs_anew.is_none()
}
