//! A run under way: what all its steps share, and what each may do with it.
//!
//! Steps are methods of [`Run`] in the modules that say when they come: `before`, `rounds`,
//! `beside` and `schedule`.

mod cells;
mod launches;
mod time;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Instant;

use crate::plan::{CellKey, Plan, SessionSpec, Workload};
use crate::record::{Event, Failure, LostWorker, RunRecord};
use crate::runner::block::Meter;
use crate::runner::energy::EnergyWatch;
use crate::runner::time::Time;
use crate::runner::{Description, Extent, Launch, Launcher, Observer, Progress, Result};
use crate::stats::MIN_LAUNCHES;
use crate::store::{Journal, StoreError};
use crate::text::Plain;
use crate::units::Nanos;

pub(super) struct Run<'a> {
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
    pub(super) fn plan(&self) -> &Plan {
        &self.record().plan
    }

    pub(super) fn record(&self) -> &RunRecord {
        self.journal.record()
    }

    pub(super) fn append(&mut self, event: Event) -> Result<()> {
        Ok(self.journal.append(event)?)
    }

    pub(super) fn put_launch(&mut self, launch: &Launch) -> Result<()> {
        self.append(Event::Launch(Box::new(launch.record.clone())))
    }

    pub(super) fn sessions(&self) -> Range<usize> {
        0..self.plan().sessions.len()
    }

    /// Those whose model is executed in processes of the run.
    pub(super) fn real_sessions(&self) -> impl Iterator<Item = usize> {
        self.sessions()
            .filter(|&session| !self.spec(session).is_scripted() && !self.spec(session).is_remote())
    }

    pub(super) fn spec(&self, session: usize) -> &SessionSpec {
        &self.plan().sessions[session]
    }

    pub(super) fn baseline(&self) -> Option<usize> {
        self.plan().baseline_session()
    }

    pub(super) fn description(&self, session: usize) -> &Description {
        &self.descriptions[self.spec(session).variant]
    }

    pub(super) fn label(&self, session: usize) -> String {
        self.record().session_label(session)
    }

    /// The number of a round after those of which blocks were measured.
    pub(super) fn next_round(&self) -> u64 {
        let rounds = self.record().blocks.iter().map(|block| block.round + 1);
        rounds.max().unwrap_or(0)
    }

    pub(super) fn elapsed(&self) -> Nanos {
        self.time.elapsed()
    }

    pub(super) fn announce(&mut self, session: usize, place: Option<&str>, failure: &Failure) {
        self.observer.observe(&Progress::Failed {
            session: &self.label(session),
            place,
            failure,
        });
    }

    /// Says what is being done with a session beside the rounds.
    pub(super) fn begin_beside(&mut self, session: usize, what: fn(&str) -> Progress<'_>) {
        self.observer.observe(&what(&self.label(session)));
    }

    /// Tells what is known after so many rounds, where these are as many as an interval takes and the
    /// run is one that answers by itself.
    pub(super) fn tell_so_far(&mut self, rounds: u64) {
        if self.extent == Extent::Whole && rounds >= MIN_LAUNCHES {
            self.observer.observe(&Progress::SoFar {
                record: self.journal.record(),
                rounds,
                elapsed: self.time.of_part(),
            });
        }
    }

    pub(super) fn note(&mut self, note: String) -> Result<()> {
        self.observer.observe(&Progress::Note(&note));
        self.append(Event::Note(note.into()))
    }

    pub(super) fn lose(&mut self, session: usize, failure: &Failure) -> Result<()> {
        if failure.kind.is_loss() {
            self.append(Event::Lost(LostWorker {
                session,
                failure: failure.clone(),
            }))?;
        }
        Ok(())
    }

    /// Learns how long writing takes. Where the record cannot be written, the journal still has all
    /// of it.
    pub(super) fn checkpoint(&mut self) -> Result<()> {
        let began = Instant::now();
        match self.journal.checkpoint() {
            Ok(()) | Err(StoreError::Write { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.time.wrote(began.elapsed());
        Ok(())
    }

    pub(super) fn note_monitoring(&mut self) -> Result<()> {
        self.append(Event::Monitored(Box::new(self.energy.monitoring())))
    }
}
