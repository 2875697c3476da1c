//! Sides of a comparison: a session of a run, or one of its cells, and one value of each of its
//! launches.

use std::collections::BTreeSet;

use crate::analysis::figures::index::Index;
use crate::analysis::figures::sessions::NOT_REPORTED;
use crate::analysis::figures::tails;
use crate::observed::Observed;
use crate::plan::{CellKey, LoadMode, SessionSpec, Workload};
use crate::record::{AccuracyRecord, BlockRecord, LaunchCell, LaunchRecord};
use crate::stats::LaunchLatencies;
use crate::text::Plain;

/// One of two things that are compared.
#[derive(Clone, Copy)]
pub(in crate::analysis) struct Side<'r> {
    /// The run that it was measured in.
    pub run: &'r Index<'r>,
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions) of that run.
    pub session: usize,
    /// Shape of that run, batch size and load mode, for figures of a cell; absent for those of the
    /// whole session.
    pub at: Option<Workload>,
}

/// The same of both sides of a comparison.
#[derive(Clone, Copy)]
pub(in crate::analysis) struct Sides<T> {
    pub candidate: T,
    pub baseline: T,
}

impl<T> Sides<T> {
    pub(super) fn map<U>(self, of: impl Fn(T) -> U) -> Sides<U> {
        Sides {
            candidate: of(self.candidate),
            baseline: of(self.baseline),
        }
    }

    pub(super) fn try_map<U>(self, of: impl Fn(T) -> Observed<U>) -> Observed<Sides<U>> {
        Ok(Sides {
            candidate: of(self.candidate)?,
            baseline: of(self.baseline)?,
        })
    }
}

impl Sides<Side<'_>> {
    /// Whether the state of the machine bears a verdict on times: it was quiet, or both sides use it
    /// alike.
    pub(in crate::analysis) fn are_borne(self) -> bool {
        let was_quiet = |side: Side<'_>| !side.run.record.was_disturbed();
        let are_quiet = was_quiet(self.candidate) && was_quiet(self.baseline);
        are_quiet
            || self
                .candidate
                .spec()
                .uses_machine_alike(self.baseline.spec())
    }
}

impl<'r> Side<'r> {
    fn spec(self) -> &'r SessionSpec {
        &self.run.record.plan.sessions[self.session]
    }

    fn key(self) -> Option<CellKey> {
        self.at.map(|at| at.of(self.session))
    }

    pub(super) fn blocks(self) -> &'r [&'r BlockRecord] {
        self.key().map_or(&[], |key| self.run.blocks(key))
    }

    pub(super) fn launch_cells(self) -> impl Iterator<Item = (&'r LaunchRecord, &'r LaunchCell)> {
        self.key()
            .map_or(&[][..], |key| self.run.launch_cells(key))
            .iter()
            .copied()
    }

    /// Shapes, batch sizes and load modes that the session was measured at.
    pub(super) fn measured_at(self) -> BTreeSet<(String, u64, LoadMode)> {
        let plan = &self.run.record.plan;
        self.run
            .launches(self.session)
            .iter()
            .flat_map(|launch| &launch.cells)
            .map(|cell| {
                (
                    plan.shape_words(cell.shape),
                    cell.batch_size,
                    cell.load_mode,
                )
            })
            .collect()
    }

    /// The first shape and batch size of the run.
    pub(super) fn first(self) -> (String, Option<u64>) {
        let plan = &self.run.record.plan;
        (plan.shape_words(0), plan.batch_sizes.first().copied())
    }

    pub(super) fn accuracy(self) -> Option<&'r AccuracyRecord> {
        self.run.accuracy(self.session)
    }

    /// Why there is nothing: how the cell or the variant ended, or else `otherwise`.
    pub(super) fn why_nothing(self, otherwise: &str) -> Plain {
        let record = self.run.record;
        let cell = self.key().and_then(|key| self.run.cell(key));
        cell.map(|cell| &cell.outcome)
            .into_iter()
            .chain([&record.variant_of(self.session).outcome])
            .chain(
                self.run
                    .launches(self.session)
                    .iter()
                    .map(|launch| &launch.outcome),
            )
            .find_map(|outcome| outcome.reason())
            .cloned()
            .unwrap_or_else(|| otherwise.into())
    }
}

/// A value of one launch, and the round of the launch.
pub(super) type OfRound = (u64, f64);

pub(super) fn of_session(
    side: Side<'_>,
    value: impl Fn(&LaunchRecord) -> Option<f64>,
) -> Observed<Vec<OfRound>> {
    told(
        side,
        side.run
            .launches(side.session)
            .iter()
            .filter_map(|launch| Some((launch.round, value(launch)?)))
            .collect(),
        NOT_REPORTED,
    )
}

/// One value for each launch that has one: of the cell, or the most of all cells for a side that is
/// a session.
pub(super) fn of_cell(
    side: Side<'_>,
    value: impl Fn(&LaunchRecord, &LaunchCell) -> Option<f64>,
) -> Observed<Vec<OfRound>> {
    if side.at.is_none() {
        return of_session(side, |launch| {
            launch
                .cells
                .iter()
                .filter_map(|cell| value(launch, cell))
                .reduce(f64::max)
        });
    }
    told(
        side,
        side.launch_cells()
            .filter_map(|(launch, cell)| Some((launch.round, value(launch, cell)?)))
            .collect(),
        NOT_REPORTED,
    )
}

fn told(side: Side<'_>, values: Vec<OfRound>, otherwise: &str) -> Observed<Vec<OfRound>> {
    if values.is_empty() {
        return Err(side.why_nothing(otherwise));
    }
    Ok(values)
}

/// Of each launch of the cell.
pub(super) fn latencies(side: Side<'_>) -> Observed<Vec<LaunchLatencies>> {
    let key = side.key().ok_or("it is a figure of a cell")?;
    if side.blocks().is_empty() {
        return Err(side.why_nothing("no launch measured it"));
    }
    tails::of_launches(side.run, key)
}
