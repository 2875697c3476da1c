//! The precision that a budget will buy, from a short probe of the plan and from what earlier runs
//! reached.

mod seen;

pub use seen::{FORECAST_COVERAGE, HalfWidth, SeenRun, seen_run};

use crate::observed::Observed;
use crate::plan::{Plan, Workload};
use crate::record::{FitnessVerdict, RunRecord};
use crate::stats::{MIN_LAUNCHES, Spread};

use crate::analysis::figures::index::Index;
use seen::{comparisons, is_compared, verdict};

/// The precision to be expected in one place of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedWidth {
    /// Shape, batch size and load mode.
    pub at: Workload,
    /// About the wider half of the 95% interval of a ratio to the baseline (of a median latency,
    /// where there is one session); or why it cannot be told.
    pub half_width: Observed<HalfWidth>,
}

/// A probe's spreads count like so many independent rounds at most: those within seconds share the
/// machine's speed.
const PROBE_FREEDOM: f64 = 3.0;
/// Runs of any models, or the verdict alone, count likewise.
const MACHINE_FREEDOM: f64 = 3.0;

/// Standard deviation between launches as machines of each verdict were seen to have it: of a ratio
/// to the baseline about 1% on a quiet one, several times that on one that others load; more of a
/// median latency, which follows the machine's speed.
fn usual_spread(is_of_ratios: bool, verdict: FitnessVerdict) -> f64 {
    let (of_ratios, of_medians) = match verdict {
        FitnessVerdict::Valid => (0.012, 0.02),
        FitnessVerdict::Suspect => (0.02, 0.05),
        FitnessVerdict::Invalid => (0.04, 0.1),
    };
    if is_of_ratios { of_ratios } else { of_medians }
}

/// Known before a probe is looked at: what runs of any models showed under the same verdict, or
/// else the verdict alone.
fn of_machine(probe: &RunRecord, earlier: &[SeenRun]) -> f64 {
    let (is_of_ratios, verdict) = (is_compared(&probe.plan), verdict(probe));
    seen::middle_variance(earlier, is_of_ratios, verdict)
        .unwrap_or(usual_spread(is_of_ratios, verdict).powi(2))
}

/// The rounds that there is time for.
#[derive(Clone, Debug)]
pub struct AffordableRounds {
    /// How many there are at every batch size.
    pub most: u64,
    /// Further ones at the smallest batch size alone, which come first.
    pub first: u64,
    /// Alternations in each.
    pub alternations: u64,
    /// Rounds after which a run looks whether it is done, ascending.
    pub looks: Vec<u64>,
}

/// Rounds that a run is expected to come to, and their precision.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Rounds at every batch size.
    pub rounds: u64,
    /// The precision that they buy.
    pub precision: Vec<ExpectedWidth>,
}

/// The first look at which every half-width is expected within the plan's target, or else all
/// rounds that there is time for.
#[must_use]
pub fn sufficient_rounds(
    probe: &RunRecord,
    plan: &Plan,
    earlier: &[SeenRun],
    affordable: &AffordableRounds,
) -> Expectation {
    let target = plan.schedule.target_half_width_ratio.0;
    affordable
        .looks
        .iter()
        .filter(|&&look| look < affordable.most)
        .map(|&rounds| expectation(probe, plan, earlier, affordable, rounds))
        .find(|expected| expected.is_within(target))
        .unwrap_or_else(|| expectation(probe, plan, earlier, affordable, affordable.most))
}

/// With the further rounds at the smallest batch size.
fn expectation(
    probe: &RunRecord,
    plan: &Plan,
    earlier: &[SeenRun],
    affordable: &AffordableRounds,
    rounds: u64,
) -> Expectation {
    let smallest = plan.batch_sizes.first().copied();
    let at_each = |at: Workload| match Some(at.batch_size) == smallest {
        true => rounds + affordable.first,
        false => rounds,
    };
    Expectation {
        rounds,
        precision: precision(probe, earlier, &at_each, affordable.alternations),
    }
}

impl Expectation {
    fn is_within(&self, target: f64) -> bool {
        self.precision
            .iter()
            .map(|expected| &expected.half_width)
            .all(|width| width.as_ref().is_ok_and(|width| width.middle <= target))
    }
}

/// The precision that a number of rounds of `alternations` each will buy, for every place that the
/// probe came to: as enough earlier runs of the same models reached it there, or else by the spread
/// that the probe showed.
#[must_use]
pub fn precision(
    probe: &RunRecord,
    earlier: &[SeenRun],
    rounds: &dyn Fn(Workload) -> u64,
    alternations: u64,
) -> Vec<ExpectedWidth> {
    let index = Index::new(probe);
    let all: Vec<_> = probe
        .plan
        .workloads()
        .flat_map(|at| comparisons(&index, at))
        .collect();
    let forecast = Forecast {
        index,
        of_all: Spread::of(&all),
        of_machine: of_machine(probe, earlier),
        earlier,
        alternations,
    };
    probe
        .plan
        .workloads()
        .filter_map(|at| forecast.at(at, rounds(at)))
        .collect()
}

struct Forecast<'a> {
    index: Index<'a>,
    /// Spread over all places of the probe.
    of_all: Option<Spread>,
    /// Variance between launches that is known before the probe is looked at.
    of_machine: f64,
    earlier: &'a [SeenRun],
    alternations: u64,
}

impl Forecast<'_> {
    /// The precision that `rounds` will buy in a place; `None` where the probe had other reasons
    /// than time to leave it out.
    fn at(&self, at: Workload, rounds: u64) -> Option<ExpectedWidth> {
        let probe = self.index.record;
        let comparisons = comparisons(&self.index, at);
        if comparisons.is_empty() {
            return is_left(probe, at).then_some(ExpectedWidth {
                at,
                half_width: Err("the probe had no time for it".into()),
            });
        }
        let half_width = seen::half_width(probe, self.earlier, at, rounds)
            .filter(|_| rounds >= MIN_LAUNCHES)
            .map_or_else(|| self.by_probe(&comparisons, rounds), Ok);
        Some(ExpectedWidth { at, half_width })
    }

    fn by_probe(&self, comparisons: &[Vec<Vec<f64>>], rounds: u64) -> Observed<HalfWidth> {
        if rounds < MIN_LAUNCHES {
            let plural = if rounds == 1 {
                "round is"
            } else {
                "rounds are"
            };
            return Err(format!(
                "{rounds} {plural} too few for an interval; it needs {MIN_LAUNCHES}"
            )
            .into());
        }
        let (of_place, of_all) = Spread::of(comparisons)
            .zip(self.of_all)
            .ok_or("the probe had no time for two rounds of it")?;
        let spread = of_place
            .counting_at_most(PROBE_FREEDOM)
            .with_known(of_all.between(), PROBE_FREEDOM)
            .with_known(self.of_machine, MACHINE_FREEDOM);
        let middle = spread
            .half_width(rounds, self.alternations)
            .ok_or("it cannot be told from the probe")?;
        let (low, high) = spread.uncertainty(FORECAST_COVERAGE);
        Ok(HalfWidth {
            middle,
            low: middle * low,
            high: middle * high,
            runs: 0,
        })
    }
}

/// Whether the probe left a place out because there was no time for it, and for no other reason.
fn is_left(probe: &RunRecord, at: Workload) -> bool {
    (0..probe.plan.sessions.len()).any(|session| probe.is_not_reached(at.of(session)))
}
