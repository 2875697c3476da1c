//! What a probe and finished runs are both asked.

use crate::analysis::figures::index::Index;
use crate::plan::{Plan, SessionSpec, Workload};
use crate::record::{BlockRecord, FitnessVerdict, Pairs, RunRecord};

/// A half-width that is to be expected, as a share: 95 of 100 runs should reach one between `low` and `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HalfWidth {
    /// The middle of what is to be expected.
    pub middle: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Finished runs of the same models on this machine that it is taken from; without any, it is from the probe.
    pub runs: u64,
}

impl HalfWidth {
    /// Whether the middle alone may be told: what is reached should lie within 0.5 and 1.5 times it.
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        self.low >= 0.5 * self.middle && self.high <= 1.5 * self.middle
    }
}

/// Share of runs that should reach a half-width between the ends of one that is expected.
pub const FORECAST_COVERAGE: f64 = 0.95;

pub(super) fn is_compared(plan: &Plan) -> bool {
    plan.sessions.len() > 1 && plan.baseline_session().is_some()
}

/// Verdict on the machine; no machine disturbs latencies from a script.
pub(super) fn verdict(run: &RunRecord) -> FitnessVerdict {
    let found = run.fitness.as_ref().map_or(FitnessVerdict::Suspect, |fitness| fitness.verdict);
    if is_scripted(&run.plan) { FitnessVerdict::Valid } else { found }
}

pub(super) fn is_scripted(plan: &Plan) -> bool {
    plan.sessions.iter().any(SessionSpec::is_scripted)
}

/// Rounds of log-ratios to the baseline of each other session; of logarithms of block medians, where there is one session.
pub(super) fn comparisons(index: &Index<'_>, plan: &Plan, at: Workload) -> Vec<Vec<Vec<f64>>> {
    let blocks = |session| index.blocks(at.of(session));
    let median = |block: &BlockRecord| block.median_ns.as_f64();
    let rounds: Vec<Vec<Vec<f64>>> = match plan.baseline_session().filter(|_| plan.sessions.len() > 1) {
        Some(baseline) => {
            let others = (0..plan.sessions.len()).filter(|&session| session != baseline);
            others.map(|session| Pairs::new(blocks(session), blocks(baseline)).log_ratios(median)).collect()
        }
        None => (0..plan.sessions.len()).map(|session| by_launch(blocks(session), median)).collect(),
    };
    rounds.into_iter().filter(|rounds| !rounds.is_empty()).collect()
}

fn by_launch(blocks: &[&BlockRecord], figure: impl Fn(&BlockRecord) -> f64) -> Vec<Vec<f64>> {
    let launches = blocks.chunk_by(|one, other| one.launch == other.launch);
    launches.map(|blocks| blocks.iter().map(|block| figure(block).ln()).collect()).collect()
}
