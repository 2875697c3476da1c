//! How large a budget would have been enough for a verdict, judged by what launches and inferences took.

use crate::plan::BESIDE_SHARE;
use crate::record::RunRecord;
use crate::stats::MIN_LAUNCHES;
use crate::units::Nanos;

/// Starting a worker, and what else a launch takes besides loading and running.
const STARTING: f64 = 100e6;
/// Beginning a run and writing its reports.
const AROUND: f64 = 2e9;

/// The budget within which every session would have as many launches as an interval takes, at its smallest batch size;
/// `None` where all have, and where nothing is known of one.
pub(super) fn budget(record: &RunRecord) -> Option<Nanos> {
    let sessions = || 0..record.plan.sessions.len();
    let needed = sessions().map(|session| launch(record, session)).sum::<Option<f64>>()?;
    let is_short = sessions().any(|session| launches_count(record, session) < MIN_LAUNCHES);
    let rounds = needed * MIN_LAUNCHES as f64;
    is_short.then(|| Nanos(((rounds + AROUND) / (1.0 - BESIDE_SHARE)) as u64))
}

/// Launches of a session that timed anything at its smallest batch size.
fn launches_count(record: &RunRecord, session: usize) -> u64 {
    let smallest = smallest(record, session);
    let own = record.blocks.iter().filter(|block| block.key.session == session);
    let mut launches: Vec<u64> =
        own.filter(|block| Some(block.key.batch_size) == smallest).map(|block| block.launch).collect();
    launches.sort_unstable();
    launches.dedup();
    launches.len() as u64
}

fn smallest(record: &RunRecord, session: usize) -> Option<u64> {
    record.blocks.iter().filter(|block| block.key.session == session).map(|block| block.key.batch_size).min()
}

/// What a launch of a session takes that times one block, in nanoseconds.
fn launch(record: &RunRecord, session: usize) -> Option<f64> {
    let launches = || record.launches.iter().filter(|launch| launch.session == session);
    let loaded = launches().filter_map(|launch| {
        Some(launch.session_load_ns?.as_f64() + launch.runtime_start_ns.unwrap_or_default().as_f64())
    });
    let load = loaded.reduce(f64::min)?;
    let first_run = launches().filter_map(|launch| Some(launch.first_run_ns?.as_f64())).reduce(f64::min);
    let smallest = smallest(record, session);
    let own = record.blocks.iter().filter(|block| block.key.session == session);
    let own = own.filter(|block| Some(block.key.batch_size) == smallest);
    let inference = own.map(|block| block.mean_ns.as_f64()).reduce(f64::min).or(first_run)?;
    // One inference that warms up, and one that is timed, or a whole block of them.
    let timed = (2.0 * inference).max(record.plan.schedule.block_ns.as_f64());
    Some(STARTING + load + first_run.unwrap_or(inference) + timed)
}
