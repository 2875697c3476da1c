//! How large a budget would have been enough for a verdict, judged by what launches and inferences
//! took.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::decide::conclusions::NotReached;
use crate::plan::{BESIDE_SHARE, SweepEnd};
use crate::record::{BlockRecord, EndReason, LaunchRecord, RunRecord};
use crate::stats::MIN_LAUNCHES;
use crate::units::Nanos;

/// Starting a worker, and what else a launch takes besides loading and running.
const STARTING: f64 = 100e6;
/// Inferences of a launch at a batch size: the first, one that warms up, and one that is timed.
const INFERENCES: f64 = 3.0;
/// Beginning a run and writing its reports.
const AROUND: f64 = 2e9;

/// For as many launches of every session as an interval takes, at its smallest batch size; `None`
/// where all have them.
pub(super) fn budget(record: &RunRecord) -> Option<Nanos> {
    if record.blocks.is_empty() && record.run.ended_by == Some(EndReason::BudgetSpent) {
        return untimed(record);
    }
    let sessions: Vec<Session<'_>> = sessions(record).collect();
    let needed = sessions.iter().map(Session::launch).sum::<Option<f64>>()?;
    sessions
        .iter()
        .any(|session| session.launches_count() < MIN_LAUNCHES)
        .then(|| around(needed * MIN_LAUNCHES as f64))
}

fn sessions(record: &RunRecord) -> impl Iterator<Item = Session<'_>> {
    let mut blocks = vec![Vec::new(); record.plan.sessions.len()];
    for block in &record.blocks {
        blocks[block.key.session].push(block);
    }
    (0..).zip(blocks).map(|(session, blocks)| Session {
        record,
        session,
        blocks,
    })
}

/// A session, and what was measured of it.
struct Session<'r> {
    record: &'r RunRecord,
    session: usize,
    blocks: Vec<&'r BlockRecord>,
}

impl<'r> Session<'r> {
    fn at_smallest(&self) -> impl Iterator<Item = &'r BlockRecord> {
        let smallest = self.blocks.iter().map(|block| block.key.batch_size).min();
        self.blocks
            .iter()
            .copied()
            .filter(move |block| Some(block.key.batch_size) == smallest)
    }

    fn launches(&self) -> impl Iterator<Item = &'r LaunchRecord> {
        self.record
            .launches
            .iter()
            .filter(|launch| launch.session == self.session)
    }

    /// Those that timed something at its smallest batch size.
    fn launches_count(&self) -> u64 {
        let launches: BTreeSet<u64> = self.at_smallest().map(|block| block.launch).collect();
        launches.len() as u64
    }

    fn block_ns(&self) -> f64 {
        self.record.plan.schedule.block_ns.as_f64()
    }

    /// In nanoseconds, of a launch that times one block.
    fn launch(&self) -> Option<f64> {
        let load = self.launches().filter_map(load).reduce(f64::min)?;
        let first_run = self
            .launches()
            .filter_map(|launch| launch.first_run_ns)
            .map(Nanos::as_f64)
            .reduce(f64::min);
        let inference = fastest(self.at_smallest()).or(first_run)?;
        // One inference that warms up, and one that is timed, or a whole block of them.
        Some(
            STARTING
                + load
                + first_run.unwrap_or(inference)
                + (2.0 * inference).max(self.block_ns()),
        )
    }

    /// In nanoseconds, at the smallest batch size and at `batch_sizes`.
    fn round(&self, shape: usize, batch_sizes: &[u64]) -> Option<f64> {
        let at_each = batch_sizes
            .iter()
            .map(|&size| Some(INFERENCES * self.inference_at(shape, size)?));
        // The smallest size has rounds of its own before the others.
        Some(2.0 * self.launch()? + at_each.sum::<Option<f64>>()?)
    }

    /// In nanoseconds: as it was measured there, or else longer than at the smallest size as the
    /// batch is larger, at worst.
    fn inference_at(&self, shape: usize, batch_size: u64) -> Option<f64> {
        let here = self
            .blocks
            .iter()
            .copied()
            .filter(|block| (block.key.shape, block.key.batch_size) == (shape, batch_size));
        if let Some(mean) = fastest(here) {
            return Some(mean.max(self.block_ns() / INFERENCES));
        }
        Some(
            fastest(self.at_smallest())? * batch_size as f64
                / self.at_smallest().next()?.key.batch_size as f64,
        )
    }
}

/// Takes all sessions to be like the slowest that was launched, or else to have loaded for as long
/// as the run took.
fn untimed(record: &RunRecord) -> Option<Nanos> {
    sessions(record)
        .filter_map(|session| session.launch())
        .reduce(f64::max)
        .or_else(|| tried(record))
        .map(|one| around(one * record.plan.sessions.len() as f64 * MIN_LAUNCHES as f64))
}

/// In nanoseconds: a launch as what was tried before the first one tells it.
fn tried(record: &RunRecord) -> Option<f64> {
    let inference = record.untimed_inference_ns()?.as_f64();
    Some(
        (record.run.elapsed_ns?.as_f64() - inference).max(STARTING)
            + (INFERENCES * inference).max(record.plan.schedule.block_ns.as_f64()),
    )
}

/// Both in nanoseconds.
fn around(rounds: f64) -> Nanos {
    Nanos(((rounds + AROUND) / (1.0 - BESIDE_SHARE)) as u64)
}

/// The same at some batch sizes of a shape, if nothing but these and the smallest one were
/// measured.
pub(super) fn budget_at(record: &RunRecord, shape: usize, batch_sizes: &[u64]) -> Option<Nanos> {
    let rounds = sessions(record)
        .filter(|session| !session.blocks.is_empty())
        .map(|session| session.round(shape, batch_sizes))
        .sum::<Option<f64>>()?
        * MIN_LAUNCHES as f64;
    (rounds > 0.0).then(|| around(rounds))
}

/// For lack of time: all batch sizes that were named, else the first and what would have followed;
/// `None` without any.
pub(super) fn not_reached(record: &RunRecord) -> Option<NotReached> {
    let plan = &record.plan;
    if record.run.ended_by != Some(EndReason::BudgetSpent) || plan.tuning.is_some() {
        return None;
    }
    let left = left(record);
    let batch_sizes: BTreeSet<u64> = left.iter().map(|(_, batch_size)| *batch_size).collect();
    let batch_sizes = Vec::from_iter(batch_sizes);
    if batch_sizes.is_empty() {
        return None;
    }
    let wanted = if plan.sweep_end == SweepEnd::Listed {
        batch_sizes.len()
    } else {
        1
    };
    let enough_budget_ns = budget_at(record, 0, batch_sizes.get(..wanted)?);
    let mut by_session: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    for (session, batch_size) in left {
        by_session.entry(session).or_default().push(batch_size);
    }
    Some(NotReached {
        batch_sizes,
        by_session,
        enough_budget_ns,
    })
}

/// Cells of measured sessions at batch sizes that there was no time for.
fn left(record: &RunRecord) -> BTreeSet<(usize, u64)> {
    let begun: BTreeSet<(usize, u64)> = record
        .blocks
        .iter()
        .map(|block| (block.key.session, block.key.batch_size))
        .collect();
    record
        .plan
        .cells()
        .filter(|key| begun.iter().any(|(session, _)| *session == key.session))
        .filter(|&key| record.is_not_reached(key))
        .map(|key| (key.session, key.batch_size))
        .filter(|place| !begun.contains(place))
        .collect()
}

/// The shortest mean latency of some blocks, in nanoseconds.
fn fastest<'a>(blocks: impl Iterator<Item = &'a BlockRecord>) -> Option<f64> {
    blocks.map(|block| block.mean_ns.as_f64()).reduce(f64::min)
}

/// In nanoseconds: opening the library, and creating the session.
fn load(launch: &LaunchRecord) -> Option<f64> {
    Some(launch.session_load_ns?.as_f64() + launch.runtime_start_ns.unwrap_or_default().as_f64())
}
