//! A run under way: what all its steps share, and what each may do with it.
//!
//! Steps are functions over a [`Run`] in the modules that say when they come: `before`, `rounds`,
//! `beside` and `schedule`.

mod cells;
mod launches;
mod time;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::plan::{CellKey, Plan, Workload};
use crate::record::{Event, Failure, LostWorker};
use crate::runner::block::Meter;
use crate::runner::energy::EnergyWatch;
use crate::runner::time::Time;
use crate::runner::{Description, Extent, Launch, Launcher, Observer, Progress, RunError};
use crate::store::{Journal, StoreError};
use crate::text::Plain;
use crate::units::Nanos;

pub(in crate::runner) struct Run<'a> {
    pub journal: Journal,
    pub descriptions: Vec<Description>,
    pub launcher: Launcher,
    pub energy: EnergyWatch,
    pub meter: Meter,
    pub time: Time,
    pub extent: Extent,
    /// A launch that inputs were tried out in, and that is still to serve the first round.
    pub warm: Option<Launch>,
    /// Places where outputs are bound anew before each inference, with the reason.
    pub bound_anew: BTreeMap<Workload, Plain>,
    /// Cells that are not measured (any more).
    pub closed: BTreeSet<CellKey>,
    /// Cells that are not measured until the next look.
    pub resting: BTreeSet<CellKey>,
    pub observer: &'a mut dyn Observer,
}

impl Run<'_> {
    pub(in crate::runner) fn plan(&self) -> &Plan {
        &self.journal.record().plan
    }

    pub(in crate::runner) fn description(&self, session: usize) -> &Description {
        &self.descriptions[self.plan().sessions[session].variant]
    }

    pub(in crate::runner) fn label(&self, session: usize) -> String {
        self.journal.record().session_label(session)
    }

    pub(in crate::runner) fn elapsed(&self) -> Nanos {
        self.time.elapsed()
    }

    pub(in crate::runner) fn announce(
        &mut self,
        session: usize,
        key: Option<CellKey>,
        failure: &Failure,
    ) {
        let label = self.label(session);
        let place = key.map(|key| self.place(key));
        self.observer.observe(&Progress::Failed {
            session: &label,
            place: place.as_deref(),
            failure,
        });
    }

    pub(in crate::runner) fn note(&mut self, note: String) -> Result<(), RunError> {
        self.observer.observe(&Progress::Note(&note));
        Ok(self.journal.append(Event::Note(note.into()))?)
    }

    pub(in crate::runner) fn lose(
        &mut self,
        session: usize,
        failure: &Failure,
    ) -> Result<(), RunError> {
        if failure.kind.is_loss() {
            self.journal.append(Event::Lost(LostWorker {
                session,
                failure: failure.clone(),
            }))?;
        }
        Ok(())
    }

    /// Learns how long writing takes. Where the record cannot be written, the journal still has all
    /// of it.
    pub(in crate::runner) fn checkpoint(&mut self) -> Result<(), RunError> {
        let began = Instant::now();
        match self.journal.checkpoint() {
            Ok(()) | Err(StoreError::Write { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.time.wrote(began.elapsed());
        Ok(())
    }

    pub(in crate::runner) fn note_monitoring(&mut self) -> Result<(), RunError> {
        let monitoring = self.energy.monitoring();
        Ok(self
            .journal
            .append(Event::Monitored(Box::new(monitoring)))?)
    }
}
