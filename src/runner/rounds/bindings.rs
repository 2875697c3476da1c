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

impl Run<'_> {
    pub(super) async fn begin_all(
        &mut self,
        round: &mut Round,
        group: &Group,
    ) -> Result<Vec<Turn>> {
        let places: Vec<usize> = group.members.keys().copied().collect();
        let mut begun = Vec::new();
        for place in order::turns(&places, group.draw, 0) {
            let key = group.members[&place];
            if self.is_open(key) && round.launch_if_needed(self, place, key.session).await? {
                begun.extend(self.begin_cell(round, group, place).await?);
            }
        }
        self.bind_alike(&begun)?;
        let mut turns = Vec::new();
        for turn in begun {
            if is_bound_once(&turn) && self.outputs_anew(turn.key.workload()).is_some() {
                turns.extend(self.begin_again(round, group, turn).await?);
            } else {
                turns.push(turn);
            }
        }
        for turn in &mut turns {
            self.append(Event::Warmup {
                key: turn.key,
                histogram: std::mem::take(&mut turn.warmup),
            })?;
        }
        Ok(turns)
    }

    /// Where one cell of a group binds outputs anew, all of them do.
    fn bind_alike(&mut self, begun: &[Turn]) -> Result<()> {
        let mut reasons = begun.iter().filter_map(|turn| {
            let reason = turn.cell.outputs_anew.as_ref()?;
            Some(if turn.is_asked_anew {
                reason.clone()
            } else {
                format!("{}: {}", self.label(turn.key.session), reason.exact()).into()
            })
        });
        match reasons.next() {
            Some(reason) => self.bind_anew(begun.iter().map(|turn| turn.key), &reason),
            None => Ok(()),
        }
    }

    /// Has outputs bound anew where these cells are, from here on; the first reason of a run is
    /// said.
    fn bind_anew(&mut self, keys: impl Iterator<Item = CellKey>, reason: &Plain) -> Result<()> {
        for key in keys {
            self.bound_anew
                .entry(key.workload())
                .or_insert_with(|| reason.clone());
        }
        if self
            .record()
            .notes
            .iter()
            .any(|note| note.starts_with(BOUND_ANEW))
        {
            return Ok(());
        }
        self.note(format!(
            "{BOUND_ANEW}, outside its latency, which includes their allocation: {}",
            reason.exact()
        ))
    }

    async fn begin_again(
        &mut self,
        round: &mut Round,
        group: &Group,
        turn: Turn,
    ) -> Result<Option<Turn>> {
        let Some(launch) = &mut round.launches[turn.place] else {
            return Ok(None);
        };
        let failure = match launch.worker.ask(&Request::End, "end a batch size").await {
            Ok(Response::Ended { .. }) => {
                let mut again = self.begin_cell(round, group, turn.place).await?;
                if let Some(again) = &mut again {
                    again.cell.first_run_ns = turn.cell.first_run_ns;
                }
                return Ok(again);
            }
            Ok(other) => launch.worker.unexpected(&other).await,
            Err(failure) => failure,
        };
        self.fail_cell_of(launch, turn.key, &failure)?;
        Ok(None)
    }

    async fn begin_cell(
        &mut self,
        round: &mut Round,
        group: &Group,
        place: usize,
    ) -> Result<Option<Turn>> {
        let key = group.members[&place];
        let limit = self.warmup_limit(group.members.len(), round.rounds_to_come());
        let (Some(launch), Ok(described)) =
            (&mut round.launches[place], self.description(key.session))
        else {
            return Ok(None);
        };
        let Ok(inputs) = described.inputs_at(key.shape) else {
            return Ok(None);
        };
        let level = self.energy.level(key.session);
        let request = self.cell_request(key, inputs, limit);
        let is_asked_anew = request.outputs_anew.is_some();
        match launch
            .begin(
                &self.launcher.roots,
                key.shape,
                request,
                self.beginning_time(key),
            )
            .await
        {
            Ok((cell, warmup)) => {
                self.energy.worked(key.session, launch, level);
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
                self.fail_cell_of(launch, key, &failure)?;
                Ok(None)
            }
        }
    }

    /// An output of another size than the first one's does not fit memory that is bound once, and
    /// is bound anew from here on.
    pub(super) fn is_put_down_to_sizes(&mut self, turn: &Turn, failure: &Failure) -> Result<bool> {
        if !is_bound_once(turn) || failure.kind != FailureKind::Inference {
            return Ok(false);
        }
        let label = self.label(turn.key.session);
        let why = failure.message.exact();
        let reason = format!("{label}: an inference after the first failed: {why}").into();
        self.bind_anew(std::iter::once(turn.key), &reason)?;
        Ok(true)
    }

    pub(super) fn are_bound_unlike(&self, group: &Group, turns: &[Turn]) -> bool {
        group
            .members
            .values()
            .any(|key| self.bound_anew.contains_key(&key.workload()))
            && (turns.iter().any(is_bound_once)
                || group.members.iter().any(|(place, key)| {
                    self.is_open(*key) && turns.iter().all(|turn| turn.place != *place)
                }))
    }
}

/// Whether the outputs of a cell are bound once because nothing was known that is against it.
fn is_bound_once(turn: &Turn) -> bool {
    !turn.is_asked_anew && turn.cell.outputs_anew.is_none()
}
