//! States of cells: which are still open, and why the others are not.

use std::collections::BTreeMap;

use super::Run;
use crate::plan::CellKey;

use crate::record::{Event, Failure, FailureKind, Outcome};
use crate::runner::{Description, Launch, Progress, Result};
use crate::text::Plain;

impl Run<'_> {
    pub(in crate::runner) fn is_open(&self, key: CellKey) -> bool {
        !self.closed.contains(&key) && !self.resting.contains(&key)
    }

    pub(in crate::runner) fn has_open_cells(&self, session: usize) -> bool {
        self.plan()
            .cells()
            .any(|key| key.session == session && self.is_open(key))
    }

    pub(in crate::runner) fn mark_measured(&mut self, key: CellKey) -> Result<()> {
        if !self.is_measured(key) {
            self.append(Event::Cell {
                key,
                outcome: Outcome::Ok,
            })?;
        }
        Ok(())
    }

    pub(in crate::runner) fn close_unsupported(&mut self) -> Result<()> {
        let mut skipped: BTreeMap<(usize, Plain), Vec<CellKey>> = BTreeMap::new();
        for key in self.keys(|key| !self.closed.contains(key)) {
            let Some(outcome) = unmeasured(self.description(key.session), key) else {
                continue;
            };
            if let Outcome::Skipped { reason } = &outcome {
                skipped
                    .entry((key.session, reason.clone()))
                    .or_default()
                    .push(key);
            }
            self.close(key, outcome)?;
        }
        for ((session, reason), keys) in skipped {
            let label = self.label(session);
            let places = self.places(&keys);
            let reason = reason.exact();
            self.observer.observe(&Progress::Note(&format!(
                "{label} is not measured at {places}: {reason}"
            )));
        }
        Ok(())
    }

    fn places(&self, keys: &[CellKey]) -> String {
        const NAMED: usize = 3;
        let mut places: Vec<String> = keys
            .iter()
            .take(NAMED)
            .map(|&key| self.place(key))
            .collect();
        places.dedup();
        let places = places.join(", ");
        match keys.len().saturating_sub(NAMED) {
            0 => places,
            more => format!("{places} and {more} more"),
        }
    }

    /// Where a cell is measured: `batch size 8, seq 64`.
    pub(in crate::runner) fn place(&self, key: CellKey) -> String {
        format!(
            "batch size {}{}",
            key.batch_size,
            self.plan().shape_words(key.shape)
        )
    }

    /// A cell failed: it is not tried again, and neither is what cannot go better.
    fn fail_cell(&mut self, key: CellKey, failure: &Failure) -> Result<()> {
        let failure = &self.energy.explained(key.session, failure);
        let place = self.place(key);
        self.announce(key.session, Some(&place), failure);
        self.close(key, Outcome::Failed(failure.clone()))?;
        let is_all = failure.kind == FailureKind::TimedOut;
        let reason = match failure.kind {
            FailureKind::OutOfMemory => format!("{place} ran out of memory"),
            FailureKind::TimedOut => format!("not tried, because {place} did not end in time"),
            _ => return Ok(()),
        };
        let shapes = &self.plan().shapes;
        self.keys(|other| {
            let is_larger = other.batch_size >= key.batch_size
                && shapes[other.shape].covers(&shapes[key.shape]);
            other.session == key.session && (is_all || is_larger)
        })
        .into_iter()
        .try_for_each(|other| self.close(other, Outcome::skipped(reason.clone())))
    }

    pub(in crate::runner) fn fail_session(
        &mut self,
        session: usize,
        failure: &Failure,
    ) -> Result<()> {
        let failure = &self.energy.explained(session, failure);
        self.announce(session, None, failure);
        self.keys(|key| key.session == session)
            .into_iter()
            .try_for_each(|key| self.close(key, Outcome::Failed(failure.clone())))
    }

    /// A cell failed in a launch, which has failed too where its worker is gone, or the cell keeps
    /// what was measured before.
    pub(in crate::runner) fn fail_cell_of(
        &mut self,
        launch: &mut Launch,
        key: CellKey,
        failure: &Failure,
    ) -> Result<()> {
        if !launch.worker.is_alive() || self.is_measured(key) {
            self.put_failed(launch, failure)?;
        }
        self.fail_cell(key, failure)
    }

    fn put_failed(&mut self, launch: &mut Launch, failure: &Failure) -> Result<()> {
        launch.record.outcome = Outcome::Failed(failure.clone());
        self.put_launch(launch)
    }

    pub(in crate::runner) fn fail_beside(
        &mut self,
        launch: &mut Launch,
        failure: &Failure,
    ) -> Result<()> {
        if launch.worker.is_alive() {
            return Ok(());
        }
        self.put_failed(launch, failure)
    }

    fn is_measured(&self, key: CellKey) -> bool {
        self.record()
            .cell(key)
            .is_some_and(|cell| cell.outcome.is_ok())
    }

    fn keys(&self, wanted: impl Fn(&CellKey) -> bool) -> Vec<CellKey> {
        self.plan().cells().filter(wanted).collect()
    }

    /// Closes an open cell. What earlier launches measured in it stays, and a note says that it
    /// goes no further.
    pub(in crate::runner) fn close(&mut self, key: CellKey, outcome: Outcome) -> Result<()> {
        if !self.closed.insert(key) {
            return Ok(());
        }
        let event = match outcome.reason() {
            Some(reason) if self.is_measured(key) => Event::Note(
                format!(
                    "`{}` at {} was measured no further: {}",
                    self.label(key.session),
                    self.place(key),
                    reason.exact()
                )
                .into(),
            ),
            _ => Event::Cell { key, outcome },
        };
        self.append(event)
    }

    /// Sessions that can be profiled, the baseline's first.
    pub(in crate::runner) fn in_turn(&self) -> Vec<usize> {
        let mut sessions: Vec<usize> = self.real_sessions().collect();
        sessions.sort_by_key(|&session| Some(session) != self.baseline());
        sessions
    }
}

/// The outcome of a cell that cannot be measured; `None` if it can.
fn unmeasured(description: &Description, key: CellKey) -> Option<Outcome> {
    let inputs = match description {
        Ok(described) => described.inputs_at(key.shape),
        Err(failure) => return Some(Outcome::Failed(failure.clone())),
    };
    let reason = match inputs {
        Ok(inputs) => inputs.supports_batch(key.batch_size).err()?,
        Err(reason) => reason.to_owned(),
    };
    Some(Outcome::skipped(reason))
}
