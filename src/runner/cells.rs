//! What becomes of cells: which are still open, and why the others are not.

use std::collections::BTreeMap;

use super::before::describe;
use super::launch::Launch;
use super::rounds::round::Run;
use super::rounds::sizes;
use super::{Progress, RunError};
use crate::plan::CellKey;
use crate::protocol::Described;
use crate::record::{Event, Failure, FailureKind, LostWorker, Outcome};
use crate::text::Plain;

impl Run<'_> {
    /// Whether a cell is to be measured, for the first time or again.
    pub(super) fn is_open(&self, key: CellKey) -> bool {
        !self.closed.contains(&key) && !self.resting.contains(&key)
    }

    /// Whether a session has a cell that is to be measured.
    pub(super) fn has_open_cells(&self, session: usize) -> bool {
        self.plan.cells().any(|key| key.session == session && self.is_open(key))
    }

    /// A cell has its first block.
    pub(super) fn mark_measured(&mut self, key: CellKey) -> Result<(), RunError> {
        if !self.is_measured(key) {
            self.journal.append(Event::Cell { key, outcome: Outcome::Ok })?;
        }
        Ok(())
    }

    /// Closes the batch sizes that a model does not take, and the variants that could not be read.
    pub(super) fn close_unsupported(&mut self) -> Result<(), RunError> {
        let mut skipped: BTreeMap<(usize, Plain), Vec<CellKey>> = BTreeMap::new();
        for key in self.keys(|_| true) {
            if self.closed.contains(&key) {
                continue;
            }
            let outcome = match &self.descriptions[self.plan.sessions[key.session].variant] {
                Err(failure) => Outcome::Failed(failure.clone()),
                Ok(described) => match unsupported(described, key) {
                    Some(reason) => Outcome::Skipped { reason: reason.into() },
                    None => continue,
                },
            };
            if let Outcome::Skipped { reason } = &outcome {
                skipped.entry((key.session, reason.clone())).or_default().push(key);
            }
            self.close(key, outcome)?;
        }
        for ((session, reason), keys) in skipped {
            let label = self.journal.record().session_label(session);
            let text = format!("{label} is not measured at {}: {}", self.places(&keys), reason.exact());
            self.observer.observe(&Progress::Note(&text));
        }
        Ok(())
    }

    /// Where cells are measured: the first few of them, and how many there are besides.
    fn places(&self, keys: &[CellKey]) -> String {
        const NAMED: usize = 3;
        let mut places: Vec<String> = keys.iter().take(NAMED).map(|&key| self.place(key)).collect();
        places.dedup();
        let more = keys.len().saturating_sub(NAMED);
        if more > 0 { format!("{} and {more} more", places.join(", ")) } else { places.join(", ") }
    }

    /// Where a cell is measured: `batch size 8, seq 64`.
    pub(super) fn place(&self, key: CellKey) -> String {
        format!("batch size {}{}", key.batch_size, self.plan.shape_words(key.shape))
    }

    /// Closes all cells of a shape from a batch size on, but for the sizes that are a model's own.
    pub(super) fn close_from(&mut self, shape: usize, batch_size: u64, reason: &str) -> Result<(), RunError> {
        let words = self.plan.shape_words(shape);
        let own = describe::own_batch_sizes(&self.descriptions);
        let larger = self.keys(|key| key.shape == shape);
        let left_out: Vec<CellKey> =
            larger.into_iter().filter(|key| sizes::is_left_out(key.batch_size, batch_size, &own)).collect();
        if !left_out.is_empty() {
            let left_out = format!("batch sizes from {batch_size} on{words} are left out: {reason}");
            self.observer.observe(&Progress::Note(&left_out));
        }
        for key in left_out {
            self.close(key, Outcome::Skipped { reason: reason.into() })?;
        }
        Ok(())
    }

    /// A cell failed: it is not tried again, and neither is what cannot go better.
    pub(super) fn fail_cell(&mut self, key: CellKey, failure: &Failure) -> Result<(), RunError> {
        let failure = &self.energy.explained(key.session, failure);
        self.announce(key.session, Some(key), failure);
        self.close(key, Outcome::Failed(failure.clone()))?;
        let place = self.place(key);
        let is_all = failure.kind == FailureKind::TimedOut;
        let reason = match failure.kind {
            FailureKind::OutOfMemory => format!("{place} ran out of memory"),
            FailureKind::TimedOut => format!("not tried, because {place} did not end in time"),
            _ => return Ok(()),
        };
        let shapes = self.plan.shapes.clone();
        let is_larger =
            |other: &CellKey| other.batch_size >= key.batch_size && shapes[other.shape].covers(&shapes[key.shape]);
        for other in self.keys(|other| other.session == key.session && (is_all || is_larger(other))) {
            self.close(other, Outcome::Skipped { reason: reason.clone().into() })?;
        }
        Ok(())
    }

    /// A session could not be launched: it is not tried again.
    pub(super) fn fail_session(&mut self, session: usize, failure: &Failure) -> Result<(), RunError> {
        let failure = &self.energy.explained(session, failure);
        self.announce(session, None, failure);
        for key in self.keys(|key| key.session == session) {
            self.close(key, Outcome::Failed(failure.clone()))?;
        }
        Ok(())
    }

    /// Takes note of a failure beside the launches that are recorded, if it is that of a worker.
    pub(super) fn lose(&mut self, session: usize, failure: &Failure) -> Result<(), RunError> {
        if failure.kind.is_loss() {
            self.journal.append(Event::Lost(LostWorker { session, failure: failure.clone() }))?;
        }
        Ok(())
    }

    /// A launch failed where its worker is gone, and where the cell that it failed in keeps what was measured before; else
    /// the cell alone has failed.
    pub(super) fn fail_launch(&mut self, launch: &mut Launch, key: CellKey, failure: &Failure) -> Result<(), RunError> {
        if launch.worker.is_alive() && !self.is_measured(key) {
            return Ok(());
        }
        self.put_failed(launch, failure)
    }

    fn put_failed(&mut self, launch: &mut Launch, failure: &Failure) -> Result<(), RunError> {
        launch.record.outcome = Outcome::Failed(failure.clone());
        Ok(self.journal.append(Event::Launch(Box::new(launch.record.clone())))?)
    }

    /// A launch beside the rounds failed, if its worker is gone.
    pub(super) fn fail_beside(&mut self, launch: &mut Launch, failure: &Failure) -> Result<(), RunError> {
        if launch.worker.is_alive() { Ok(()) } else { self.put_failed(launch, failure) }
    }

    pub(super) fn announce(&mut self, session: usize, key: Option<CellKey>, failure: &Failure) {
        let label = self.journal.record().session_label(session);
        let place = key.map(|key| self.place(key));
        self.observer.observe(&Progress::Failed { session: &label, place: place.as_deref(), failure });
    }

    /// Says something that belongs to no cell, and writes it down.
    pub(super) fn note(&mut self, note: String) -> Result<(), RunError> {
        self.observer.observe(&Progress::Note(&note));
        Ok(self.journal.append(Event::Note(note))?)
    }

    fn is_measured(&self, key: CellKey) -> bool {
        self.journal.record().cell(key).is_some_and(|cell| cell.outcome.is_ok())
    }

    fn keys(&self, wanted: impl Fn(&CellKey) -> bool) -> Vec<CellKey> {
        self.plan.cells().filter(wanted).collect()
    }

    /// Closes an open cell. What earlier launches measured in it stays, and a note says that it goes no further.
    fn close(&mut self, key: CellKey, outcome: Outcome) -> Result<(), RunError> {
        if !self.closed.insert(key) {
            return Ok(());
        }
        let event = match (self.is_measured(key), outcome.reason()) {
            (true, Some(reason)) => Event::Note(format!(
                "`{}` at {} was measured no further: {}",
                self.journal.record().session_label(key.session),
                self.place(key),
                reason.exact()
            )),
            _ => Event::Cell { key, outcome },
        };
        Ok(self.journal.append(event)?)
    }
}

/// Why a model does not take a shape and batch size; `None` if it does.
pub(super) fn unsupported(described: &Described, key: CellKey) -> Option<String> {
    match described.inputs_at(key.shape) {
        Ok(inputs) => inputs.supports_batch(key.batch_size).err(),
        Err(reason) => Some(reason.to_owned()),
    }
}
