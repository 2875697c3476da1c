//! What is compared: a session of a run, or one of its cells, and one value of each of its
//! launches.

use std::collections::BTreeSet;

use crate::analysis::figures::index::Index;
use crate::observed::Observed;
use crate::plan::{CellKey, LoadMode, Workload};
use crate::record::{AccuracyRecord, BlockRecord, LaunchCell, LaunchRecord, RunRecord};
use crate::stats::{Buckets, Quantile};
use crate::text::Plain;

/// A record that can be looked up by session and cell. Build it once for a run and compare as often
/// as you like.
pub struct RunIndex<'a> {
    pub(super) index: Index<'a>,
}

impl<'a> RunIndex<'a> {
    /// Looks through `record` once. Its indices must lead somewhere, as those of every record do
    /// that [`store::load`](crate::store::load) returns.
    #[must_use]
    pub fn new(record: &'a RunRecord) -> Self {
        RunIndex {
            index: Index::new(record),
        }
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> &'a RunRecord {
        self.index.record
    }
}

/// One of two things that are compared.
#[derive(Clone, Copy)]
pub struct Side<'r> {
    /// The run that it was measured in.
    pub run: &'r RunIndex<'r>,
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions) of that run.
    pub session: usize,
    /// Shape of that run, batch size and load mode, for figures of a cell; absent for those of the
    /// whole session.
    pub at: Option<Workload>,
}

impl<'r> Side<'r> {
    fn key(self) -> Option<CellKey> {
        self.at.map(|at| at.of(self.session))
    }

    pub(super) fn blocks(self) -> &'r [&'r BlockRecord] {
        self.key().map_or(&[], |key| self.run.index.blocks(key))
    }

    pub(super) fn launch_cells(self) -> impl Iterator<Item = (&'r LaunchRecord, &'r LaunchCell)> {
        let cells = self
            .key()
            .map_or(&[][..], |key| self.run.index.launch_cells(key));
        cells.iter().copied()
    }

    /// Shapes, batch sizes and load modes that the session was measured at.
    pub(super) fn measured_at(self) -> BTreeSet<(String, u64, LoadMode)> {
        let plan = &self.run.record().plan;
        let cells = self
            .run
            .index
            .launches(self.session)
            .iter()
            .flat_map(|launch| &launch.cells);
        cells
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
        let plan = &self.run.record().plan;
        (plan.shape_words(0), plan.batch_sizes.first().copied())
    }

    pub(super) fn accuracy(self) -> Option<&'r AccuracyRecord> {
        self.run.index.accuracy(self.session)
    }

    /// Why there is nothing: how the cell or the variant ended, or else `otherwise`.
    pub(super) fn why_nothing(self, otherwise: &str) -> Plain {
        let record = self.run.record();
        let variant = record.plan.sessions[self.session].variant;
        let cell = self.key().and_then(|key| self.run.index.cell(key));
        let launches = self.run.index.launches(self.session).iter();
        let told = cell
            .map(|cell| &cell.outcome)
            .into_iter()
            .chain([&record.variants[variant].outcome])
            .chain(launches.map(|launch| &launch.outcome))
            .find_map(|outcome| outcome.reason());
        told.cloned().unwrap_or_else(|| otherwise.into())
    }
}

/// A value of one launch, and the round of the launch.
pub(super) type OfRound = (u64, f64);

pub(super) fn of_session(
    side: Side<'_>,
    value: impl Fn(&LaunchRecord) -> Option<f64>,
) -> Observed<Vec<OfRound>> {
    let launches = side.run.index.launches(side.session).iter();
    told(
        side,
        launches
            .filter_map(|launch| Some((launch.round, value(launch)?)))
            .collect(),
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
    let cells = side.launch_cells();
    told(
        side,
        cells
            .filter_map(|(launch, cell)| Some((launch.round, value(launch, cell)?)))
            .collect(),
    )
}

fn told(side: Side<'_>, values: Vec<OfRound>) -> Observed<Vec<OfRound>> {
    let is_told = !values.is_empty();
    is_told
        .then_some(values)
        .ok_or_else(|| side.why_nothing("no launch came so far, or the system does not tell"))
}

/// Every launch must have inferences enough: the slow ones have fewest, so that to leave them out
/// would flatter.
pub(super) fn percentiles(side: Side<'_>, quantile: Quantile) -> Observed<Vec<OfRound>> {
    let timed: BTreeSet<u64> = side.blocks().iter().map(|block| block.launch).collect();
    let values: Vec<OfRound> = side
        .launch_cells()
        .filter(|(launch, _)| timed.contains(&launch.launch))
        .map(|(launch, cell)| Ok((launch.round, percentile(launch.launch, cell, quantile)?)))
        .collect::<Observed<_>>()?;
    if values.is_empty() {
        Err(side.why_nothing("no launch measured it"))
    } else {
        Ok(values)
    }
}

/// In nanoseconds, of one launch.
fn percentile(launch: u64, cell: &LaunchCell, quantile: Quantile) -> Observed<f64> {
    let text = cell
        .latency_histogram
        .as_ref()
        .ok_or("the record does not keep the latencies of each launch")?;
    let latencies = Buckets::decode(text)
        .map_err(|error| format!("latencies of launch {launch} cannot be read: {error}"))?;
    let (needs, has) = (quantile.needs(), latencies.count());
    let value = latencies.nearest_rank(quantile).filter(|_| has >= needs);
    let value = value.ok_or_else(|| {
        format!("in each launch it needs {needs} inferences, launch {launch} has {has}")
    })?;
    Ok(value.as_f64())
}
