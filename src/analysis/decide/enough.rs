//! How large a budget would have been enough for a verdict, judged by what launches and inferences took.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::decide::conclusions::NotReached;
use crate::plan::{BESIDE_SHARE, CellKey, SweepEnd};
use crate::record::{BlockRecord, EndReason, NOT_REACHED, Outcome, RunRecord};
use crate::stats::MIN_LAUNCHES;
use crate::units::Nanos;

/// Starting a worker, and what else a launch takes besides loading and running.
const STARTING: f64 = 100e6;
/// Inferences of a launch at a batch size: the first, one that warms up, and one that is timed.
const INFERENCES: f64 = 3.0;
/// Beginning a run and writing its reports.
const AROUND: f64 = 2e9;

/// For as many launches of every session as an interval takes, at its smallest batch size; `None` where all have them.
pub(in crate::analysis) fn budget(record: &RunRecord) -> Option<Nanos> {
    if record.blocks.is_empty() && record.run.ended_by == Some(EndReason::BudgetSpent) {
        return untimed(record);
    }
    let sessions = || 0..record.plan.sessions.len();
    let needed = sessions()
        .map(|session| launch(record, session))
        .sum::<Option<f64>>()?;
    let launches = |session| {
        at_smallest(record, session)
            .map(|block| block.launch)
            .collect::<BTreeSet<u64>>()
    };
    let is_short = sessions().any(|session| (launches(session).len() as u64) < MIN_LAUNCHES);
    is_short.then(|| around(needed * MIN_LAUNCHES as f64))
}

/// Takes all sessions to be like the slowest that was launched, or else to have loaded for as long as the run took.
fn untimed(record: &RunRecord) -> Option<Nanos> {
    let sessions = 0..record.plan.sessions.len();
    let count = sessions.len() as f64;
    let launched = sessions
        .filter_map(|session| launch(record, session))
        .reduce(f64::max);
    let tried = || {
        let inference = record.untimed_inference_ns()?.as_f64();
        let load = (record.run.elapsed_ns?.as_f64() - inference).max(STARTING);
        Some(load + (INFERENCES * inference).max(record.plan.schedule.block_ns.as_f64()))
    };
    Some(around(
        launched.or_else(tried)? * count * MIN_LAUNCHES as f64,
    ))
}

/// Both in nanoseconds.
fn around(rounds: f64) -> Nanos {
    Nanos(((rounds + AROUND) / (1.0 - BESIDE_SHARE)) as u64)
}

/// The same at some batch sizes of a shape, if nothing but these and the smallest one were measured.
pub(in crate::analysis) fn budget_at(
    record: &RunRecord,
    shape: usize,
    batch_sizes: &[u64],
) -> Option<Nanos> {
    let is_measured = |session: &usize| {
        record
            .blocks
            .iter()
            .any(|block| block.key.session == *session)
    };
    let round = |session: usize| {
        let at_each = batch_sizes
            .iter()
            .map(|&size| Some(INFERENCES * inference_at(record, session, shape, size)?));
        // The smallest size has rounds of its own before the others.
        Some(2.0 * launch(record, session)? + at_each.sum::<Option<f64>>()?)
    };
    let sessions = (0..record.plan.sessions.len()).filter(is_measured);
    let rounds = sessions.map(round).sum::<Option<f64>>()? * MIN_LAUNCHES as f64;
    (rounds > 0.0).then(|| around(rounds))
}

/// For lack of time: all batch sizes that were named, else the first and what would have followed; `None` without any.
pub(in crate::analysis) fn not_reached(record: &RunRecord) -> Option<NotReached> {
    let plan = &record.plan;
    if record.run.ended_by != Some(EndReason::BudgetSpent) || plan.tuning.is_some() {
        return None;
    }
    let place = |key: &CellKey| (key.session, key.batch_size);
    let begun: BTreeSet<(usize, u64)> = record
        .blocks
        .iter()
        .map(|block| place(&block.key))
        .collect();
    let is_measured = |session: usize| begun.iter().any(|&(begun, _)| begun == session);
    let is_left = |key: &CellKey| {
        let reason = record.cell(*key).and_then(|cell| match &cell.outcome {
            Outcome::Skipped { reason } => Some(reason.exact()),
            _ => None,
        });
        is_measured(key.session) && !begun.contains(&place(key)) && reason == Some(NOT_REACHED)
    };
    let left: Vec<CellKey> = plan.cells().filter(is_left).collect();
    let mut by_session: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
    for key in &left {
        by_session
            .entry(key.session)
            .or_default()
            .insert(key.batch_size);
    }
    let by_session = by_session
        .into_iter()
        .map(|(session, sizes)| (session, sizes.into_iter().collect()))
        .collect();
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
        by_session,
        enough_budget_ns,
    })
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

/// In nanoseconds: as it was measured there, or else longer than at the smallest size as the batch is larger, at worst.
fn inference_at(record: &RunRecord, session: usize, shape: usize, batch_size: u64) -> Option<f64> {
    let here = blocks(record, session)
        .filter(|block| (block.key.shape, block.key.batch_size) == (shape, batch_size));
    let fastest = |mean_ns: Option<f64>| {
        mean_ns.map(|mean| mean.max(record.plan.schedule.block_ns.as_f64() / INFERENCES))
    };
    let measured = fastest(here.map(|block| block.mean_ns.as_f64()).reduce(f64::min));
    measured.or_else(|| {
        let fastest = at_smallest(record, session)
            .map(|block| block.mean_ns.as_f64())
            .reduce(f64::min)?;
        let smallest = at_smallest(record, session).next()?.key.batch_size;
        Some(fastest * batch_size as f64 / smallest as f64)
    })
}

/// In nanoseconds, of a launch that times one block.
fn launch(record: &RunRecord, session: usize) -> Option<f64> {
    let launches = || {
        record
            .launches
            .iter()
            .filter(|launch| launch.session == session)
    };
    let loaded = launches().filter_map(|launch| {
        Some(
            launch.session_load_ns?.as_f64() + launch.runtime_start_ns.unwrap_or_default().as_f64(),
        )
    });
    let load = loaded.reduce(f64::min)?;
    let first_run = launches()
        .filter_map(|launch| Some(launch.first_run_ns?.as_f64()))
        .reduce(f64::min);
    let inference = at_smallest(record, session)
        .map(|block| block.mean_ns.as_f64())
        .reduce(f64::min)
        .or(first_run)?;
    // One inference that warms up, and one that is timed, or a whole block of them.
    let timed = (2.0 * inference).max(record.plan.schedule.block_ns.as_f64());
    Some(STARTING + load + first_run.unwrap_or(inference) + timed)
}
