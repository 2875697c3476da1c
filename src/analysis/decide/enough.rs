//! How large a budget would have been enough for a verdict, judged by what launches and inferences
//! took.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::analysis::decide::conclusions::NotReached;
use crate::plan::{BESIDE_SHARE, CellKey, SweepEnd};
use crate::record::{BlockRecord, EndReason, LaunchRecord, NOT_REACHED, Outcome, RunRecord};
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
pub(in crate::analysis) fn budget(record: &RunRecord) -> Option<Nanos> {
    if record.blocks.is_empty() && record.run.ended_by == Some(EndReason::BudgetSpent) {
        return untimed(record);
    }
    let needed = sessions(record)
        .map(|session| launch(record, session))
        .sum::<Option<f64>>()?;
    let is_short = sessions(record).any(|session| launches_count(record, session) < MIN_LAUNCHES);
    is_short.then(|| around(needed * MIN_LAUNCHES as f64))
}

fn sessions(record: &RunRecord) -> Range<usize> {
    0..record.plan.sessions.len()
}

/// Launches in which its smallest batch size was timed.
fn launches_count(record: &RunRecord, session: usize) -> u64 {
    let launches: BTreeSet<u64> = at_smallest(record, session)
        .map(|block| block.launch)
        .collect();
    launches.len() as u64
}

/// Takes all sessions to be like the slowest that was launched, or else to have loaded for as long
/// as the run took.
fn untimed(record: &RunRecord) -> Option<Nanos> {
    let count = record.plan.sessions.len() as f64;
    let slowest = sessions(record)
        .filter_map(|session| launch(record, session))
        .reduce(f64::max);
    let one = slowest.or_else(|| tried(record))?;
    Some(around(one * count * MIN_LAUNCHES as f64))
}

/// In nanoseconds: a launch as what was tried before the first one tells it.
fn tried(record: &RunRecord) -> Option<f64> {
    let inference = record.untimed_inference_ns()?.as_f64();
    let load = (record.run.elapsed_ns?.as_f64() - inference).max(STARTING);
    Some(load + (INFERENCES * inference).max(record.plan.schedule.block_ns.as_f64()))
}

/// Both in nanoseconds.
fn around(rounds: f64) -> Nanos {
    Nanos(((rounds + AROUND) / (1.0 - BESIDE_SHARE)) as u64)
}

/// The same at some batch sizes of a shape, if nothing but these and the smallest one were
/// measured.
pub(in crate::analysis) fn budget_at(
    record: &RunRecord,
    shape: usize,
    batch_sizes: &[u64],
) -> Option<Nanos> {
    let rounds = sessions(record)
        .filter(|&session| blocks(record, session).next().is_some())
        .map(|session| round(record, session, shape, batch_sizes))
        .sum::<Option<f64>>()?
        * MIN_LAUNCHES as f64;
    (rounds > 0.0).then(|| around(rounds))
}

/// In nanoseconds, of one session at the smallest batch size and at `batch_sizes`.
fn round(record: &RunRecord, session: usize, shape: usize, batch_sizes: &[u64]) -> Option<f64> {
    let at_each = batch_sizes
        .iter()
        .map(|&size| Some(INFERENCES * inference_at(record, session, shape, size)?));
    // The smallest size has rounds of its own before the others.
    Some(2.0 * launch(record, session)? + at_each.sum::<Option<f64>>()?)
}

/// For lack of time: all batch sizes that were named, else the first and what would have followed;
/// `None` without any.
pub(in crate::analysis) fn not_reached(record: &RunRecord) -> Option<NotReached> {
    let plan = &record.plan;
    if record.run.ended_by != Some(EndReason::BudgetSpent) || plan.tuning.is_some() {
        return None;
    }
    let left = left(record);
    let batch_sizes: BTreeSet<u64> = left.iter().map(|key| key.batch_size).collect();
    let batch_sizes: Vec<u64> = batch_sizes.into_iter().collect();
    if batch_sizes.is_empty() {
        return None;
    }
    let wanted = if plan.sweep_end == SweepEnd::Listed {
        batch_sizes.len()
    } else {
        1
    };
    let enough_budget_ns = budget_at(record, 0, batch_sizes.get(..wanted)?);
    Some(NotReached {
        batch_sizes,
        by_session: by_session(&left),
        enough_budget_ns,
    })
}

/// Cells of measured sessions at batch sizes that there was no time for.
fn left(record: &RunRecord) -> Vec<CellKey> {
    let begun: BTreeSet<(usize, u64)> = record
        .blocks
        .iter()
        .map(|block| (block.key.session, block.key.batch_size))
        .collect();
    let measured: BTreeSet<usize> = begun.iter().map(|(session, _)| *session).collect();
    record
        .plan
        .cells()
        .filter(|key| measured.contains(&key.session))
        .filter(|key| !begun.contains(&(key.session, key.batch_size)))
        .filter(|&key| is_not_reached(record, key))
        .collect()
}

fn is_not_reached(record: &RunRecord, key: CellKey) -> bool {
    record.cell(key).is_some_and(|cell| match &cell.outcome {
        Outcome::Skipped { reason } => reason.exact() == NOT_REACHED,
        _ => false,
    })
}

/// Their batch sizes, ascending.
fn by_session(cells: &[CellKey]) -> BTreeMap<usize, Vec<u64>> {
    let mut sizes: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
    for key in cells {
        sizes.entry(key.session).or_default().insert(key.batch_size);
    }
    sizes
        .into_iter()
        .map(|(session, sizes)| (session, sizes.into_iter().collect()))
        .collect()
}

fn blocks(record: &RunRecord, session: usize) -> impl Iterator<Item = &BlockRecord> {
    record
        .blocks
        .iter()
        .filter(move |block| block.key.session == session)
}

fn at_smallest(record: &RunRecord, session: usize) -> impl Iterator<Item = &BlockRecord> {
    let smallest = blocks(record, session)
        .map(|block| block.key.batch_size)
        .min();
    blocks(record, session).filter(move |block| Some(block.key.batch_size) == smallest)
}

/// In nanoseconds: as it was measured there, or else longer than at the smallest size as the batch
/// is larger, at worst.
fn inference_at(record: &RunRecord, session: usize, shape: usize, batch_size: u64) -> Option<f64> {
    let here = blocks(record, session)
        .filter(|block| (block.key.shape, block.key.batch_size) == (shape, batch_size));
    if let Some(mean) = fastest(here) {
        return Some(mean.max(record.plan.schedule.block_ns.as_f64() / INFERENCES));
    }
    let mean = fastest(at_smallest(record, session))?;
    let smallest = at_smallest(record, session).next()?.key.batch_size;
    Some(mean * batch_size as f64 / smallest as f64)
}

/// The shortest mean latency of some blocks, in nanoseconds.
fn fastest<'a>(blocks: impl Iterator<Item = &'a BlockRecord>) -> Option<f64> {
    blocks.map(|block| block.mean_ns.as_f64()).reduce(f64::min)
}

/// In nanoseconds, of a launch that times one block.
fn launch(record: &RunRecord, session: usize) -> Option<f64> {
    let load = launches(record, session)
        .filter_map(load)
        .reduce(f64::min)?;
    let first_run = launches(record, session)
        .filter_map(|launch| Some(launch.first_run_ns?.as_f64()))
        .reduce(f64::min);
    let inference = fastest(at_smallest(record, session)).or(first_run)?;
    // One inference that warms up, and one that is timed, or a whole block of them.
    let timed = (2.0 * inference).max(record.plan.schedule.block_ns.as_f64());
    Some(STARTING + load + first_run.unwrap_or(inference) + timed)
}

fn launches(record: &RunRecord, session: usize) -> impl Iterator<Item = &LaunchRecord> {
    record
        .launches
        .iter()
        .filter(move |launch| launch.session == session)
}

/// In nanoseconds: opening the library, and creating the session.
fn load(launch: &LaunchRecord) -> Option<f64> {
    let start = launch.runtime_start_ns.unwrap_or_default();
    Some(launch.session_load_ns?.as_f64() + start.as_f64())
}
