//! When the figures are as sure as asked for, and where the time should go until then.

use std::collections::{BTreeSet, HashMap};

use crate::metric::Metric;
use crate::plan::{CellKey, Plan};
use crate::record::{BlockRecord, Pairs, RunRecord};
use crate::stats::{
    self, Buckets, LOOK_ROUNDS, Look, MIN_LAUNCHES, OverLaunches, PairedRatio, Quantile,
};

/// Rounds after which a run of this plan looks at its figures: none where the number of rounds was
/// asked for, so that whoever asks for ten gets ten. Where the first rounds leave larger batches
/// out, those have their full number at each look, and the smallest ones a few more; there are as
/// many looks in any case.
#[must_use]
pub fn look_rounds(plan: &Plan) -> &'static [u64] {
    match plan.schedule.rounds_count {
        Some(_) => &[],
        None if plan.batch_sizes.len() > 1 => &LATER_LOOK_ROUNDS,
        None => &LOOK_ROUNDS,
    }
}

const LATER_LOOK_ROUNDS: [u64; LOOK_ROUNDS.len()] = {
    let [first, second, third] = LOOK_ROUNDS;
    [
        first + MIN_LAUNCHES,
        second + MIN_LAUNCHES,
        third + MIN_LAUNCHES,
    ]
};

pub(super) struct LookOutcome {
    /// Cells that the next rounds leave out, because others need the time more.
    pub resting: BTreeSet<CellKey>,
    /// Cells whose verdict is settled.
    pub settled: Vec<CellKey>,
    /// Whether every interval is as narrow as asked for.
    pub done: bool,
}

/// Cells whose verdict is open come first, then those whose interval is wider than asked for. The
/// baseline's rest where all that are compared with them do.
pub(super) fn look_at(record: &RunRecord, closed: &BTreeSet<CellKey>) -> LookOutcome {
    let looks = looks(record, closed);
    let settled = without(&looks, Look::Open);
    let first = if settled.len() < looks.len() {
        Look::Open
    } else {
        Look::Settled
    };
    let mut resting: BTreeSet<CellKey> = without(&looks, first).into_iter().collect();
    resting.extend(baselines_at_rest(record, &looks, &resting));
    LookOutcome {
        resting,
        settled,
        done: !looks.is_empty() && looks.iter().all(|(_, look)| *look == Look::Narrow),
    }
}

/// Cells that are not wanted any more, where those that are not decided are compared with the
/// baseline of their workload.
pub(super) fn at_rest(plan: &Plan, undecided: &BTreeSet<CellKey>) -> BTreeSet<CellKey> {
    plan.cells()
        .filter(|key| !undecided.contains(key) && !is_compared(plan, *key, undecided))
        .collect()
}

/// Whether a cell is one of the baseline, and others are compared with it.
fn is_compared(plan: &Plan, key: CellKey, others: &BTreeSet<CellKey>) -> bool {
    plan.sessions[key.session].variant == plan.baseline
        && others
            .iter()
            .any(|other| other.workload() == key.workload())
}

/// Cells that look otherwise.
fn without(looks: &[(CellKey, Look)], left_out: Look) -> Vec<CellKey> {
    looks
        .iter()
        .filter(|(_, look)| *look != left_out)
        .map(|(key, _)| *key)
        .collect()
}

/// Cells of a baseline that others are compared with, where all of those rest.
fn baselines_at_rest(
    record: &RunRecord,
    looks: &[(CellKey, Look)],
    resting: &BTreeSet<CellKey>,
) -> Vec<CellKey> {
    let plan = &record.plan;
    let Some(session) = plan.baseline_session().filter(|_| plan.sessions.len() > 1) else {
        return Vec::new();
    };
    plan.cells()
        .filter(|key| key.session == session)
        .filter(|key| all_compared_rest(*key, looks, resting))
        .collect()
}

/// Whether cells are compared with one of the baseline, and all of them rest.
fn all_compared_rest(
    baseline: CellKey,
    looks: &[(CellKey, Look)],
    resting: &BTreeSet<CellKey>,
) -> bool {
    let workload = baseline.workload();
    let mut compared = looks
        .iter()
        .map(|(key, _)| key)
        .filter(|key| key.workload() == workload)
        .peekable();
    compared.peek().is_some() && compared.all(|key| *key == baseline || resting.contains(key))
}

fn looks(record: &RunRecord, closed: &BTreeSet<CellKey>) -> Vec<(CellKey, Look)> {
    let blocks = record.timed_blocks();
    let baseline = record.plan.baseline_session();
    let open = record
        .cells
        .iter()
        .filter(|cell| cell.outcome.is_ok())
        .map(|cell| cell.key)
        .filter(|key| !closed.contains(key));
    let is_compared = record.plan.sessions.len() > 1;
    let candidates: Vec<CellKey> = open
        .filter(|key| !is_compared || Some(key.session) != baseline)
        .collect();
    let comparisons = candidates.len() as u64;
    candidates
        .into_iter()
        .map(|key| (key, look(record, &blocks, key, comparisons)))
        .collect()
}

fn look(record: &RunRecord, blocks: &Blocks<'_>, key: CellKey, comparisons: u64) -> Look {
    let target = record.plan.schedule.target_half_width_ratio.0;
    let own = blocks.get(&key).map_or(&[][..], Vec::as_slice);
    let Some(partners) = record
        .plan
        .baseline_session()
        .filter(|&session| session != key.session)
        .and_then(|session| blocks.get(&CellKey { session, ..key }))
    else {
        let width = median(record, key, own).and_then(|estimate| estimate.half_width_ratio());
        return match width {
            Some(width) if width <= target => Look::Narrow,
            _ => Look::Open,
        };
    };
    let floor = Metric::LatencyP50RatioToBaseline
        .noise_floor()
        .unwrap_or_default()
        .0
        .ln_1p();
    PairedRatio::of(&Pairs::new(own, partners).log_ratios(|block| block.median_ns.as_f64()))
        .map_or(Look::Open, |paired| {
            stats::look(&paired, floor, target, comparisons)
        })
}

/// The median latency of a cell as reports show it: that of all inferences, with the interval over
/// launches.
fn median(record: &RunRecord, key: CellKey, blocks: &[&BlockRecord]) -> Option<OverLaunches> {
    let over_launches = stats::over_launches(&medians(blocks))?;
    let cell = record.cell(key);
    let of_all = cell.and_then(|cell| {
        Buckets::decode(cell.latency_histogram.as_deref()?)
            .ok()?
            .nearest_rank(Quantile::P50)
    });
    Some(of_all.map_or(over_launches, |of_all| {
        over_launches.around(of_all.as_f64())
    }))
}

fn medians(blocks: &[&BlockRecord]) -> Vec<f64> {
    let mut launches: HashMap<u64, Vec<f64>> = HashMap::new();
    for block in blocks {
        launches
            .entry(block.launch)
            .or_default()
            .push(block.median_ns.as_f64());
    }
    launches
        .values()
        .filter_map(|values| stats::median(values))
        .collect()
}

type Blocks<'a> = HashMap<CellKey, Vec<&'a BlockRecord>>;
