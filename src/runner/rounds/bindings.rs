//! How outputs are bound: once for all, or anew before each inference, but in one way for all that
//! are compared.

use std::collections::BTreeMap;

use crate::plan::{CellKey, Workload};
use crate::protocol::{Request, Response};
use crate::record::{Event, Failure, FailureKind, LaunchCell, RunRecord};
use crate::runner::launch::{CellStart, single};
use crate::runner::rounds::order::{self, Draw};
use crate::runner::rounds::round::{Round, Turn, rounds_to_come};
use crate::runner::{Run, RunError};

use crate::text::Plain;

const BOUND_ANEW: &str = "outputs are bound anew before each inference";

/// Places where an earlier part of the run bound outputs anew, with the reason.
pub(in crate::runner) fn known(record: &RunRecord) -> BTreeMap<Workload, Plain> {
    let cells = record.launches.iter().flat_map(|launch| &launch.cells);
    cells
        .filter_map(|cell| Some((cell.workload(), cell.outputs_anew.clone()?)))
        .collect()
}

pub(in crate::runner) async fn begin_all(
    run: &mut Run<'_>,
    round: &mut Round,
    members: &BTreeMap<usize, CellKey>,
    draw: Draw,
) -> Result<Vec<Turn>, RunError> {
    let places: Vec<usize> = members.keys().copied().collect();
    let mut begun = Vec::new();
    for place in order::turns(&places, draw, 0) {
        let key = members[&place];
        if run.is_open(key) && round.launch_if_needed(run, place, key.session).await? {
            begun.extend(begin_cell(run, round, place, key, members.len()).await?);
        }
    }
    adopt(run, &begun)?;
    let mut turns = Vec::new();
    for begun in begun {
        if is_bound_once(&begun.turn) && run.outputs_anew(begun.turn.key.workload()).is_some() {
            turns.extend(begin_again(run, round, begun, members.len()).await?);
        } else {
            turns.push(begun);
        }
    }
    let mut all = Vec::new();
    for Begun { turn, warmup } in turns {
        run.journal.append(Event::Warmup {
            key: turn.key,
            histogram: warmup,
        })?;
        all.push(turn);
    }
    Ok(all)
}

/// Where one cell of a group binds outputs anew, all of them do.
fn adopt(run: &mut Run<'_>, begun: &[Begun]) -> Result<(), RunError> {
    let mut reasons = begun.iter().filter_map(|begun| {
        let label = run.label(begun.turn.key.session);
        let reason = begun.turn.cell.outputs_anew.as_ref()?;
        Some(if begun.turn.is_asked_anew {
            reason.clone()
        } else {
            format!("{label}: {}", reason.exact()).into()
        })
    });
    match reasons.next() {
        Some(reason) => bind_anew(run, begun.iter().map(|begun| begun.turn.key), &reason),
        None => Ok(()),
    }
}

/// Has outputs bound anew where these cells are, from here on; the first reason of a run is said.
fn bind_anew(
    run: &mut Run<'_>,
    keys: impl Iterator<Item = CellKey>,
    reason: &Plain,
) -> Result<(), RunError> {
    for key in keys {
        run.bound_anew
            .entry(key.workload())
            .or_insert_with(|| reason.clone());
    }
    if run
        .journal
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
    begun: Begun,
    cells_count: usize,
) -> Result<Option<Begun>, RunError> {
    let Turn {
        place, key, cell, ..
    } = begun.turn;
    let Some(launch) = &mut round.launches[place] else {
        return Ok(None);
    };
    let failure = match launch.worker.ask(&Request::End, "end a batch size").await {
        Ok(Response::Ended { .. }) => {
            let again = begin_cell(run, round, place, key, cells_count).await?;
            return Ok(again.map(|again| Begun {
                turn: Turn {
                    cell: LaunchCell {
                        first_run_ns: cell.first_run_ns,
                        ..again.turn.cell
                    },
                    ..again.turn
                },
                ..again
            }));
        }
        Ok(other) => launch.worker.unexpected(&other).await,
        Err(failure) => failure,
    };
    run.fail_cell_of(launch, key, &failure)?;
    Ok(None)
}

async fn begin_cell(
    run: &mut Run<'_>,
    round: &mut Round,
    place: usize,
    key: CellKey,
    cells_count: usize,
) -> Result<Option<Begun>, RunError> {
    let limit = run.warmup_limit(cells_count, rounds_to_come(round));
    let outputs_anew = run.outputs_anew(key.workload());
    let is_asked_anew = outputs_anew.is_some();
    let expected = run.beginning_time(key);
    let Some(launch) = &mut round.launches[place] else {
        return Ok(None);
    };
    let Ok(described) = run.description(key.session) else {
        return Ok(None);
    };
    let level = run.energy.level(key.session);
    let Ok(inputs) = described.inputs_at(key.shape) else {
        return Ok(None);
    };
    match launch
        .begin(
            &run.launcher.roots,
            CellStart {
                key,
                inputs,
                limit,
                outputs_anew,
                expected,
            },
        )
        .await
    {
        Ok((cell, warmup)) => {
            run.energy.worked(key.session, launch, level);
            Ok(Some(Begun {
                turn: Turn {
                    place,
                    key,
                    single: single(&cell),
                    cell,
                    is_asked_anew,
                    histograms: Vec::new(),
                },
                warmup,
            }))
        }
        Err(failure) => {
            run.fail_cell_of(launch, key, &failure)?;
            Ok(None)
        }
    }
}

/// An output of another size than the first one's does not fit memory that is bound once, and is
/// bound anew from here on.
pub(in crate::runner) fn is_put_down_to_sizes(
    run: &mut Run<'_>,
    turn: &Turn,
    failure: &Failure,
) -> Result<bool, RunError> {
    if !is_bound_once(turn) || failure.kind != FailureKind::Inference {
        return Ok(false);
    }
    let label = run.label(turn.key.session);
    let reason = format!(
        "{label}: an inference after the first failed: {}",
        failure.message.exact()
    )
    .into();
    bind_anew(run, std::iter::once(turn.key), &reason)?;
    Ok(true)
}

pub(in crate::runner) fn are_unlike(
    run: &Run<'_>,
    members: &BTreeMap<usize, CellKey>,
    turns: &[Turn],
) -> bool {
    members
        .values()
        .any(|key| run.bound_anew.contains_key(&key.workload()))
        && (turns.iter().any(is_bound_once)
            || members
                .iter()
                .filter(|(_, key)| run.is_open(**key))
                .any(|(place, _)| turns.iter().all(|turn| turn.place != *place)))
}

/// Whether the outputs of a cell are bound once because nothing was known that is against it.
fn is_bound_once(turn: &Turn) -> bool {
    !turn.is_asked_anew && turn.cell.outputs_anew.is_none()
}

struct Begun {
    turn: Turn,
    warmup: String,
}
