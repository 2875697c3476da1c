//! What becomes of cells: which are still open, and why the others are not.

use super::round::Run;
use super::{Progress, RunError};
use crate::plan::CellKey;
use crate::record::{Event, Failure, FailureKind, Outcome};

/// The reason of a cell that no launch has come to yet.
pub(super) const NOT_REACHED: &str = "the run ended before it was reached";

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
        for key in self.keys(|_| true) {
            let outcome = match &self.descriptions[self.plan.sessions[key.session].variant] {
                Err(failure) => Outcome::Failed(failure.clone()),
                Ok(described) => match described.inputs.supports_batch(key.batch_size) {
                    Err(reason) => Outcome::Skipped { reason },
                    Ok(()) => continue,
                },
            };
            if let Outcome::Skipped { reason } = &outcome {
                let label = self.journal.record().session_label(key.session);
                let skipped = format!("{label} is not measured at batch size {}: {reason}", key.batch_size);
                self.observer.observe(&Progress::Note(&skipped));
            }
            self.close(key, outcome)?;
        }
        Ok(())
    }

    /// Closes all cells from a batch size on.
    pub(super) fn close_from(&mut self, batch_size: u64, reason: &str) -> Result<(), RunError> {
        self.observer.observe(&Progress::Note(&format!("batch sizes from {batch_size} on are left out: {reason}")));
        for key in self.keys(|key| key.batch_size >= batch_size) {
            self.close(key, Outcome::Skipped { reason: reason.to_owned() })?;
        }
        Ok(())
    }

    /// A cell failed: it is not tried again, and neither is what cannot go better.
    pub(super) fn fail_cell(&mut self, key: CellKey, failure: &Failure) -> Result<(), RunError> {
        let failure = &self.energy.explained(key.session, failure);
        self.announce(key.session, Some(key.batch_size), failure);
        self.close(key, Outcome::Failed(failure.clone()))?;
        let (from, reason) = match failure.kind {
            FailureKind::OutOfMemory => (key.batch_size, format!("batch size {} ran out of memory", key.batch_size)),
            FailureKind::TimedOut => {
                (0, format!("not tried, because batch size {} did not end in time", key.batch_size))
            }
            _ => return Ok(()),
        };
        for other in self.keys(|other| other.session == key.session && other.batch_size >= from) {
            self.close(other, Outcome::Skipped { reason: reason.clone() })?;
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

    pub(super) fn announce(&mut self, session: usize, batch_size: Option<u64>, failure: &Failure) {
        let label = self.journal.record().session_label(session);
        self.observer.observe(&Progress::Failed { session: &label, batch_size, failure });
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
                "`{}` at batch size {} was measured no further: {reason}",
                self.journal.record().session_label(key.session),
                key.batch_size
            )),
            _ => Event::Cell { key, outcome },
        };
        Ok(self.journal.append(event)?)
    }
}
