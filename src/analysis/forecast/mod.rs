//! What a budget will buy, from a short probe of the plan and from what earlier runs reached.

mod seen;

pub use seen::{SeenRun, seen_run};

use crate::observed::Observed;
use crate::plan::{At, Plan, SessionSpec};
use crate::record::{BlockRecord, FitnessVerdict, NOT_REACHED, Pairs, RunRecord};
use crate::stats::{MIN_LAUNCHES, Spread};

use crate::analysis::figures::index::Index;

/// The precision to be expected in one place of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedWidth {
    /// Shape, batch size and load mode.
    pub at: At,
    /// About the wider half of the 95% interval of a ratio to the baseline (of a median latency, where there is one
    /// session); or why it cannot be told.
    pub half_width: Observed<HalfWidth>,
}

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
const COVERED: f64 = 0.95;
/// What a probe shows of the spread between launches in one place, and again in all of them, counts like so many independent
/// rounds at most: those within seconds share the machine's speed.
const PROBE_FREEDOM: f64 = 3.0;
/// What runs of any models, or the verdict alone, say of it likewise.
const MACHINE_FREEDOM: f64 = 3.0;

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

/// The variance between launches that is known before a probe is looked at: what runs of any models showed where the
/// machine had the same verdict, or else what the verdict alone says.
fn of_machine(probe: &RunRecord, earlier: &[SeenRun]) -> f64 {
    let (is_of_ratios, verdict) = (is_compared(&probe.plan), verdict(probe));
    let by_verdict = if is_of_ratios { spread_of_ratios(verdict) } else { spread_of_medians(verdict) };
    seen::middle_variance(earlier, is_of_ratios, verdict).unwrap_or(by_verdict.powi(2))
}

fn is_compared(plan: &Plan) -> bool {
    plan.sessions.len() > 1 && plan.baseline_session().is_some()
}

/// What the machine was found to be; latencies from a script are what no machine disturbs.
fn verdict(run: &RunRecord) -> FitnessVerdict {
    let found = run.fitness.as_ref().map_or(FitnessVerdict::Suspect, |fitness| fitness.verdict);
    if is_scripted(&run.plan) { FitnessVerdict::Valid } else { found }
}

/// Whether some latencies come from a script.
fn is_scripted(plan: &Plan) -> bool {
    plan.sessions.iter().any(SessionSpec::is_scripted)
}

/// The precision that a number of rounds of `alternations` each will buy, for every place that the probe came to: as enough
/// earlier runs of the same models reached it there, or else by the spread that the probe showed.
#[must_use]
pub fn precision(
    probe: &RunRecord,
    earlier: &[SeenRun],
    rounds: &dyn Fn(At) -> u64,
    alternations: u64,
) -> Vec<ExpectedWidth> {
    let index = Index::new(probe);
    let all: Vec<_> = probe.plan.places().flat_map(|at| comparisons(&index, &probe.plan, at)).collect();
    let of_all = Spread::of(&all);
    let of_machine = of_machine(probe, earlier);
    let by_probe = |comparisons: &[Vec<Vec<f64>>], rounds: u64| -> Observed<HalfWidth> {
        if rounds < MIN_LAUNCHES {
            let plural = if rounds == 1 { "round is" } else { "rounds are" };
            return Err(format!("{rounds} {plural} too few for an interval; it needs {MIN_LAUNCHES}").into());
        }
        let (of_place, of_all) =
            Spread::of(comparisons).zip(of_all).ok_or("the probe had no time for two rounds of it")?;
        let of_probe = of_place.counting_at_most(PROBE_FREEDOM).with_known(of_all.between(), PROBE_FREEDOM);
        let spread = of_probe.with_known(of_machine, MACHINE_FREEDOM);
        let middle = spread.half_width(rounds, alternations).ok_or("it cannot be told from the probe")?;
        let (low, high) = spread.uncertainty(COVERED);
        Ok(HalfWidth { middle, low: middle * low, high: middle * high, runs: 0 })
    };
    let precision = |at| {
        let comparisons = comparisons(&index, &probe.plan, at);
        let rounds = rounds(at);
        if comparisons.is_empty() {
            let half_width = Err("the probe had no time for it".into());
            return is_left(probe, at).then_some(ExpectedWidth { at, half_width });
        }
        let reached = seen::half_width(probe, earlier, at, rounds).filter(|_| rounds >= MIN_LAUNCHES);
        let half_width = reached.map_or_else(|| by_probe(&comparisons, rounds), Ok);
        Some(ExpectedWidth { at, half_width })
    };
    probe.plan.places().filter_map(precision).collect()
}

/// Whether the probe left a place out because there was no time for it, and for no other reason.
fn is_left(probe: &RunRecord, at: At) -> bool {
    let is_not_reached = |session: usize| {
        probe.cell(at.of(session)).is_some_and(|cell| cell.outcome.reason().is_some_and(|reason| reason == NOT_REACHED))
    };
    (0..probe.plan.sessions.len()).any(is_not_reached)
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
