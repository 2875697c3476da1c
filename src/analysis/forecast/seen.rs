//! How precise finished runs became, which forecasts of later ones on the same machine rest on: a
//! probe of seconds does not see how the machine's speed changes within a minute.

use serde::{Deserialize, Serialize};

use crate::analysis::figures::over_launches::{median_of, per_launch};
use crate::analysis::{CellFindings, Index};
use crate::metric::Metric;
use crate::plan::{LoadMode, Plan, SessionSpec, Workload};
use crate::record::{BlockRecord, FitnessVerdict, Pairs, RunRecord};
use crate::stats::{MIN_LAUNCHES, Prediction, Spread};
use crate::text::Plain;

/// Runs of the same models that a forecast rests on; with fewer it rests on its probe.
const RUNS_WANTED: usize = 3;
/// How half-widths after the same rounds spread from run to run on a steady machine, as a standard
/// deviation of their logarithms: about 1 / sqrt(2 (n - 1)) for n rounds, 0.2 to 0.3 for the 8 to
/// 16 of a usual run.
const KNOWN_SPREAD: f64 = 0.3;
/// Number of runs that this knowledge counts like.
const KNOWN_FREEDOM: f64 = 3.0;

/// Evidence of a finished run on the precision that its machine allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeenRun {
    /// SHA-256 of the model files, ascending.
    models: Vec<Plain>,
    sessions: Vec<SessionSpec>,
    verdict: FitnessVerdict,
    /// Whether ratios to the baseline were judged, or else median latencies.
    is_of_ratios: bool,
    /// Variance between launches, of natural logarithms.
    variance: f64,
    reached: Vec<Reached>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Reached {
    /// Swept sizes, in words.
    shape: String,
    batch_size: u64,
    load_mode: LoadMode,
    /// The half-width, as a share, times the square root of the rounds that it was reached in.
    scaled: f64,
}

impl Reached {
    fn is_at(&self, shape_words: &str, at: Workload) -> bool {
        self.shape == shape_words && self.batch_size == at.batch_size && self.load_mode == at.load
    }
}

/// Evidence of a finished run; `None` where nothing was looked at in as many launches as an
/// interval takes, and of scripted runs, which no machine has shown.
#[must_use]
pub fn seen_run(run: &RunRecord) -> Option<SeenRun> {
    if is_scripted(&run.plan) {
        return None;
    }
    let index = Index::new(run);
    let mut all: Vec<_> = run
        .plan
        .workloads()
        .flat_map(|at| comparisons(&index, at))
        .collect();
    all.retain(|rounds| rounds.len() as u64 >= MIN_LAUNCHES);
    let cells = crate::analysis::findings(run).cells;
    Some(SeenRun {
        models: models(run),
        sessions: run.plan.sessions.clone(),
        verdict: verdict(run),
        is_of_ratios: is_compared(&run.plan),
        variance: Spread::of(&all)?.between(),
        reached: run
            .plan
            .workloads()
            .filter_map(|at| reached(&index, &cells, at))
            .collect(),
    })
}

/// The middle of the half-widths that a run reached in a place, of ratios or of median latencies.
fn reached(index: &Index<'_>, cells: &[CellFindings], at: Workload) -> Option<Reached> {
    let plan = &index.record.plan;
    let metric = if is_compared(plan) {
        Metric::LatencyP50RatioToBaseline
    } else {
        Metric::LatencyP50
    };
    let widths = cells
        .iter()
        .filter(|cell| cell.key.workload() == at)
        .filter_map(|cell| cell.figure(metric)?.measured()?.half_width_ratio());
    let rounds = comparisons(index, at).iter().map(Vec::len).max()?;
    Some(Reached {
        shape: plan.shape_words(at.shape),
        batch_size: at.batch_size,
        load_mode: at.load,
        scaled: median_of(widths)? * (rounds as f64).sqrt(),
    })
}

fn models(run: &RunRecord) -> Vec<Plain> {
    let mut models: Vec<Plain> = run
        .variants
        .iter()
        .filter_map(|variant| variant.sha256.clone())
        .collect();
    models.sort();
    models
}

/// From runs of the same models in the same sessions and place, with the verdict of the probe;
/// `None` from too few.
pub(super) fn half_width(
    probe: &RunRecord,
    earlier: &[SeenRun],
    at: Workload,
    rounds: u64,
) -> Option<HalfWidth> {
    let widths: Vec<f64> = scaled_widths(probe, earlier, at)
        .into_iter()
        .map(|scaled| scaled / (rounds as f64).sqrt())
        .collect();
    if widths.len() < RUNS_WANTED {
        return None;
    }
    let Prediction { middle, low, high } =
        Prediction::of(&widths, KNOWN_SPREAD, KNOWN_FREEDOM, FORECAST_COVERAGE)?;
    Some(HalfWidth {
        middle,
        low,
        high,
        runs: widths.len() as u64,
    })
}

/// Times the square root of the rounds that they were reached in.
fn scaled_widths(probe: &RunRecord, earlier: &[SeenRun], at: Workload) -> Vec<f64> {
    let (models, shape) = (models(probe), probe.plan.shape_words(at.shape));
    earlier
        .iter()
        .filter(|seen| {
            seen.models == models
                && seen.sessions == probe.plan.sessions
                && seen.verdict == verdict(probe)
        })
        .filter_map(|seen| {
            seen.reached
                .iter()
                .find(|reached| reached.is_at(&shape, at))
        })
        .map(|reached| reached.scaled)
        .collect()
}

/// The middle one of the variances between launches that runs of any models showed; `None` without
/// any.
pub(super) fn middle_variance(
    earlier: &[SeenRun],
    is_of_ratios: bool,
    verdict: FitnessVerdict,
) -> Option<f64> {
    median_of(
        earlier
            .iter()
            .filter(|seen| seen.is_of_ratios == is_of_ratios && seen.verdict == verdict)
            .map(|seen| seen.variance),
    )
}

/// A half-width that is to be expected, as a share: 95 of 100 runs should reach one between `low`
/// and `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HalfWidth {
    /// The middle of what is to be expected.
    pub middle: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Finished runs of the same models on this machine that it is taken from; without any, it is
    /// from the probe.
    pub runs: u64,
}

impl HalfWidth {
    /// Whether the middle alone may be told: what is reached should lie within 0.5 and 1.5 times
    /// it.
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
    if is_scripted(&run.plan) {
        FitnessVerdict::Valid
    } else {
        run.fitness
            .as_ref()
            .map_or(FitnessVerdict::Suspect, |fitness| fitness.verdict)
    }
}

pub(super) fn is_scripted(plan: &Plan) -> bool {
    plan.sessions.iter().any(SessionSpec::is_scripted)
}

/// Rounds of log-ratios to the baseline of each other session; of logarithms of block medians,
/// where there is one session.
pub(super) fn comparisons(index: &Index<'_>, at: Workload) -> Vec<Vec<Vec<f64>>> {
    let plan = &index.record.plan;
    let sessions = 0..plan.sessions.len();
    let baseline = plan.baseline_session().filter(|_| sessions.len() > 1);
    let rounds = sessions
        .filter(|&session| baseline != Some(session))
        .map(|session| {
            let blocks = index.blocks(at.of(session));
            match baseline {
                Some(baseline) => {
                    Pairs::new(blocks, index.blocks(at.of(baseline))).log_ratios(median_ns)
                }
                None => per_launch(blocks, |blocks| {
                    Some(blocks.iter().map(|block| median_ns(block).ln()).collect())
                }),
            }
        });
    rounds.filter(|rounds| !rounds.is_empty()).collect()
}

fn median_ns(block: &BlockRecord) -> f64 {
    block.median_ns.as_f64()
}
