//! What a budget will buy, from a short probe of the plan.

use crate::plan::{At, Plan};
use crate::record::{BlockRecord, FitnessVerdict, Pairs, RunRecord};
use crate::stats::Spread;

use super::index::Index;

/// The precision to be expected in one place of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Precision {
    /// Shape, batch size and load mode.
    pub at: At,
    /// About the wider half of the 95% interval of a ratio to the baseline (of a median latency, where there is one
    /// session), as a share; or why it cannot be told.
    pub half_width_ratio: Result<f64, String>,
}

/// What is known beforehand of the spread between launches counts like so many rounds of the probe.
const MACHINE_FREEDOM: f64 = 3.0;
/// What the other places of the probe show of it likewise.
const OTHERS_FREEDOM: f64 = 6.0;

/// Standard deviation between launches of a ratio to the baseline, as machines of each verdict were seen to have it:
/// about 1% on a quiet one, several times that on one that others load.
fn spread_of_ratios(verdict: FitnessVerdict) -> f64 {
    match verdict {
        FitnessVerdict::Valid => 0.012,
        FitnessVerdict::Suspect => 0.02,
        FitnessVerdict::Invalid => 0.04,
    }
}

/// That of a median latency, which follows the machine's speed from one launch to the next.
fn spread_of_medians(verdict: FitnessVerdict) -> f64 {
    match verdict {
        FitnessVerdict::Valid => 0.02,
        FitnessVerdict::Suspect => 0.05,
        FitnessVerdict::Invalid => 0.1,
    }
}

/// What is known of the spread before a place is looked at: of the machine by its verdict, and of all places together.
fn known(index: &Index<'_>, probe: &RunRecord) -> f64 {
    let verdict = probe.fitness.as_ref().map_or(FitnessVerdict::Suspect, |fitness| fitness.verdict);
    let is_compared = probe.plan.sessions.len() > 1 && probe.plan.baseline_session().is_some();
    let of_machine = if is_compared { spread_of_ratios(verdict) } else { spread_of_medians(verdict) }.powi(2);
    let all: Vec<_> = probe.plan.places().flat_map(|at| comparisons(index, &probe.plan, at)).collect();
    Spread::of(&all).map_or(of_machine, |spread| spread.with_known(of_machine, MACHINE_FREEDOM).between())
}

/// The precision that a number of rounds of `alternations` each will buy, for every place that the probe came to.
#[must_use]
pub fn precision(probe: &RunRecord, rounds: &dyn Fn(At) -> u64, alternations: u64) -> Vec<Precision> {
    let index = Index::new(probe);
    let known = known(&index, probe);
    let precision = |at| {
        let comparisons = comparisons(&index, &probe.plan, at);
        let is_measured = !comparisons.is_empty();
        let rounds = rounds(at);
        let half_width_ratio = match Spread::of(&comparisons) {
            None => Err("the probe did not come to two rounds of it".to_owned()),
            Some(spread) => spread
                .with_known(known, OTHERS_FREEDOM)
                .half_width(rounds, alternations)
                .ok_or_else(|| format!("{rounds} rounds are too few for an interval; it needs 6")),
        };
        is_measured.then_some(Precision { at, half_width_ratio })
    };
    probe.plan.places().filter_map(precision).collect()
}

/// Rounds of log-ratios to the baseline of each other session; of logarithms of block medians, where there is one session.
fn comparisons(index: &Index<'_>, plan: &Plan, at: At) -> Vec<Vec<Vec<f64>>> {
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
