//! The answer of a search, and every configuration that it came to.

use serde::Serialize;

use super::standing::{Judge, SloStanding, Standing};
use super::{contest, floor};
use crate::analysis::estimate::{Counted, Measured};
use crate::analysis::{AccuracyChange, Estimate, Figure, Findings, Interval};
use crate::plan::{CellKey, Objective};
use crate::record::{Direction, Fate, Metric, RunRecord, Stage, Tuning};

/// What the front is drawn over: latency, throughput, memory and accuracy, as far as they were measured.
pub const AXES: [Metric; 4] = [Metric::LatencyP50, Metric::Throughput, Metric::PeakMemory, Metric::AccuracyTop1];

/// What a search found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TuningFindings {
    /// What was made as good as possible.
    pub objective: Objective,
    /// The figure that it is.
    pub metric: Metric,
    /// What came of it.
    pub verdict: TuningVerdict,
    /// Index of the best configuration, or of the one that comes closest; absent if nothing was measured.
    pub best: Option<usize>,
    /// Index of the defaults; absent if they were not measured.
    pub defaults: Option<usize>,
    /// Cost of the best one over the defaults', from blocks that took turns: below 1 is better. Absent where the best
    /// one is the defaults, and where both took no turns.
    pub gain: Option<Estimate>,
    /// Every configuration that was measured or decided about, in the order in which the search came to it.
    pub candidates: Vec<Candidate>,
    /// Indices of the measured configurations of which none is better on one of [`AXES`] and as good on the others.
    pub front: Vec<usize>,
    /// Heats that were held.
    pub heats_count: u64,
    /// Rounds of all heats.
    pub rounds_count: u64,
}

/// What a search came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TuningVerdict {
    /// A configuration keeps the SLO, and it is shown.
    Found,
    /// No configuration is shown to keep the SLO, but not all are shown to break it.
    NotShown,
    /// Every configuration that was tried breaks the SLO.
    NothingMeets,
    /// Nothing was measured.
    NothingMeasured,
}

/// A configuration and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// Its cell.
    pub key: CellKey,
    /// Whether it may be the answer.
    pub standing: Standing,
    /// What each check of the SLO says of it.
    pub slo: Vec<SloStanding>,
    /// What was decided last about it; absent where nothing was: it is undecided.
    pub fate: Option<Fate>,
    /// The figures of [`AXES`] and of the objective, and the p99 latency.
    pub figures: Vec<Figure>,
    /// The change of accuracy against the baseline's; absent for what computes the same, and without labels.
    pub accuracy_change: Option<AccuracyChange>,
}

impl TuningFindings {
    /// The best configuration, or the one that comes closest.
    #[must_use]
    pub fn best(&self) -> Option<&Candidate> {
        self.best.map(|best| &self.candidates[best])
    }

    /// Configurations that are neither the best one nor out of the race: ties, and those that nothing was decided about.
    pub fn undecided(&self) -> impl Iterator<Item = &Candidate> {
        let is_best = |place: usize| Some(place) == self.best;
        let open = self.candidates.iter().enumerate().filter(move |(place, _)| !is_best(*place));
        open.map(|(_, one)| one).filter(|one| one.is_measured() && !one.fate.as_ref().is_some_and(Fate::is_out))
    }
}

impl Candidate {
    /// The estimate of one of its figures.
    #[must_use]
    pub fn figure(&self, metric: Metric) -> Option<&Estimate> {
        crate::analysis::find(&self.figures, metric)
    }

    /// Whether it was timed.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        self.figure(Metric::LatencyP50).is_some_and(|p50| p50.measured().is_some())
    }

    fn value(&self, metric: Metric) -> Option<f64> {
        self.figure(metric).and_then(Estimate::value)
    }
}

/// What a search found; `None` if the run is none.
pub(in crate::analysis) fn of(record: &RunRecord, findings: &Findings) -> Option<TuningFindings> {
    let (plan, tuning) = (record.plan.tuning.as_ref()?, record.tuning.as_ref()?);
    let judge = Judge::new(record, findings);
    let default = default_key(record);
    let champion = tuning.champion().or(default);
    let on_gpu = champion.is_some_and(|key| record.plan.sessions[key.session].nvidia_device().is_some());
    let metric = contest::metric(plan.objective, on_gpu);
    let candidates: Vec<Candidate> =
        keys(tuning).into_iter().map(|key| candidate(&judge, findings, tuning, key, metric)).collect();
    let place = |key: Option<CellKey>| candidates.iter().position(|one| Some(one.key) == key && one.is_measured());
    let (best, defaults) = (place(champion), place(default));
    let verdict = match best.map(|best| candidates[best].standing) {
        None => TuningVerdict::NothingMeasured,
        Some(Standing::Meets) => TuningVerdict::Found,
        Some(Standing::Open) => TuningVerdict::NotShown,
        Some(Standing::Violates) => {
            match candidates.iter().any(|one| one.standing == Standing::Open && one.is_measured()) {
                true => TuningVerdict::NotShown,
                false => TuningVerdict::NothingMeets,
            }
        }
    };
    let gain = champion.zip(default).filter(|(one, other)| one != other);
    Some(TuningFindings {
        objective: plan.objective,
        metric,
        verdict,
        best,
        defaults,
        gain: gain.and_then(|(best, default)| gain_over(&judge, tuning, best, default)),
        front: front(&candidates, metric, floor(plan.objective)),
        candidates,
        heats_count: tuning.heats.len() as u64,
        rounds_count: tuning.heats.iter().map(|heat| heat.rounds.len() as u64).sum(),
    })
}

fn default_key(record: &RunRecord) -> Option<CellKey> {
    let batch_size = *record.plan.tuning.as_ref()?.space.batch_sizes.first()?;
    let load_mode = *record.plan.load_modes.first()?;
    Some(CellKey { session: record.plan.baseline_session()?, shape: 0, batch_size, load_mode })
}

/// The configurations in the order in which the search came to them.
fn keys(tuning: &Tuning) -> Vec<CellKey> {
    let mut keys = Vec::new();
    let raced = tuning.heats.iter().flat_map(|heat| heat.cells.iter().copied());
    for key in raced.chain(tuning.decisions.iter().map(|decision| decision.key)) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

fn candidate(judge: &Judge<'_>, findings: &Findings, tuning: &Tuning, key: CellKey, objective: Metric) -> Candidate {
    let mut metrics = vec![objective, Metric::LatencyP50, Metric::LatencyP99, Metric::Throughput, Metric::PeakMemory];
    metrics.dedup();
    let cell = findings.cell(key);
    let figure = |&metric: &Metric| {
        let estimate = cell.and_then(|cell| cell.figure(metric)).cloned();
        Figure { metric, estimate: estimate.unwrap_or_else(|| Estimate::absent("it was not measured")) }
    };
    let mut figures: Vec<Figure> = metrics.iter().map(figure).collect();
    let scored = judge.scored(key.session).and_then(|record| findings.sessions.get(record.session));
    let accuracy = scored.and_then(|session| session.figure(Metric::AccuracyTop1)).cloned();
    let estimate = accuracy.unwrap_or_else(|| Estimate::absent("outputs were not scored against labels"));
    figures.push(Figure { metric: Metric::AccuracyTop1, estimate });
    let accuracy_change = judge.accuracy(key.session);
    let fate = tuning.fate(key).cloned();
    Candidate { key, standing: judge.standing(key), slo: judge.slo(key), fate, figures, accuracy_change }
}

/// The cost of the best one over the defaults', from the rounds of the final heats where both took part, which chose
/// nothing before; without any, from all rounds that both took part in.
fn gain_over(judge: &Judge<'_>, tuning: &Tuning, best: CellKey, default: CellKey) -> Option<Estimate> {
    let rounds = |stages: &[Stage]| -> Vec<u64> {
        let heats = tuning.heats.iter().filter(|heat| stages.contains(&heat.stage));
        heats.flat_map(|heat| heat.rounds.iter().copied()).collect()
    };
    let paired = judge
        .contest([best, default], &rounds(&[Stage::Final]))
        .or_else(|| judge.contest([best, default], &rounds(&[Stage::Grid, Stage::Options, Stage::Final])))?;
    let ratio = paired.ratio();
    let interval = ratio.interval.as_ref().ok().map(|interval| Interval { low: interval.low, high: interval.high });
    Some(Estimate::Measured(Measured {
        value: ratio.value,
        interval,
        range: None,
        n: ratio.n,
        n_of: Counted::Launches,
        bounds: None,
        remark: ratio.interval.err().map(|too_few| format!("no interval: {too_few}")),
    }))
}

/// The configurations that no other one dominates, by the objective from the best on: one dominates another if it is
/// better by more than the noise floor on one axis and as good on the others.
fn front(candidates: &[Candidate], objective: Metric, floor: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..candidates.len()).filter(|&place| candidates[place].is_measured()).collect();
    order.sort_by(|&one, &other| {
        let cost = |place: usize| cost(&candidates[place], objective).unwrap_or(f64::INFINITY);
        cost(one).total_cmp(&cost(other))
    });
    let mut front: Vec<usize> = Vec::new();
    for place in order {
        if !front.iter().any(|&other| dominates(&candidates[other], &candidates[place], floor)) {
            front.retain(|&other| !dominates(&candidates[place], &candidates[other], floor));
            front.push(place);
        }
    }
    front
}

/// A figure as a cost: less is better.
fn cost(candidate: &Candidate, metric: Metric) -> Option<f64> {
    let value = candidate.value(metric)?;
    Some(if metric.direction() == Direction::Higher { -value } else { value })
}

fn dominates(one: &Candidate, other: &Candidate, floor: f64) -> bool {
    let mut is_better = false;
    for metric in AXES {
        let (Some(own), Some(theirs)) = (one.value(metric), other.value(metric)) else { continue };
        // Scores carry no noise of the machine.
        let tolerance = if metric == Metric::AccuracyTop1 { 0.0 } else { floor * theirs.abs() };
        let gained = match metric.direction() {
            Direction::Higher => own - theirs,
            _ => theirs - own,
        };
        if gained < -tolerance {
            return false;
        }
        is_better |= gained > tolerance;
    }
    is_better
}
