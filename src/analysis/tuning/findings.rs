//! The answer of a search, and every configuration that it came to.

use serde::Serialize;

use super::candidate::{Candidate, State, front};
use super::contest;
use super::gain::{Field, Scale};
use super::preference::{Preference, preferred};
use super::split::split;
use super::standing::Judge;
use super::verdict::{Contender, Race, TuningVerdict};
use crate::analysis::figures::{CellFindings, Estimate, Figure, Figures};
use crate::analysis::{Between, GainSplit};
use crate::metric::Metric;
use crate::plan::{CellKey, Objective};
use crate::record::{Fate, RunRecord, Tuning};

/// Findings of a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TuningFindings {
    /// The objective.
    pub objective: Objective,
    /// The figure that it is.
    pub metric: Metric,
    /// The verdict.
    pub verdict: TuningVerdict,
    /// Index of the best configuration, or of the one that comes closest; absent if nothing was
    /// measured.
    pub best: Option<usize>,
    /// Why the best one was taken instead of one that won the race and does as well; absent where
    /// it won itself.
    pub preference: Option<Preference>,
    /// Index of the defaults; absent if they were not measured.
    pub defaults: Option<usize>,
    /// Cost of the best one over the defaults', from blocks that took turns with each other or, by
    /// way of others, with the same ones: below 1 is better. Absent where the best one is the
    /// defaults, and where no such way leads there.
    pub gain: Option<Estimate>,
    /// The configuration that may be better than the defaults and is not shown to be, where the
    /// verdict is undecided.
    pub contender: Option<Contender>,
    /// Every configuration that was measured or decided about, in the order in which the search
    /// came to it.
    pub candidates: Vec<Candidate>,
    /// Indices of the measured configurations that no other one is better than on one of
    /// [`AXES`](super::AXES) and as good as on the others.
    pub front: Vec<usize>,
    /// Heats that were held.
    pub heats_count: u64,
    /// Rounds of all heats.
    pub rounds_count: u64,
}

impl TuningFindings {
    /// The best configuration, or the one that comes closest.
    #[must_use]
    pub fn best(&self) -> Option<&Candidate> {
        self.best.map(|best| &self.candidates[best])
    }

    /// What runs where nothing is set.
    #[must_use]
    pub fn default(&self) -> Option<&Candidate> {
        self.defaults.map(|place| &self.candidates[place])
    }

    /// The places of all configurations: the best one, then those that are still in, then those
    /// that are out, each by the objective.
    #[must_use]
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.candidates.len()).collect();
        order.sort_by(|&one, &other| {
            self.rank(one)
                .cmp(&self.rank(other))
                .then(self.cost(one).total_cmp(&self.cost(other)))
        });
        order
    }

    fn rank(&self, place: usize) -> (bool, bool, bool) {
        let one = &self.candidates[place];
        (
            Some(place) != self.best,
            one.state == State::Out,
            !one.is_measured(),
        )
    }

    fn cost(&self, place: usize) -> f64 {
        let relative = self.candidates[place].relative.as_ref();
        relative
            .and_then(|relative| relative.cost_ratio.value())
            .unwrap_or(f64::INFINITY)
    }

    /// The measured configurations of one state.
    pub fn of_state(&self, state: State) -> impl Iterator<Item = &Candidate> {
        self.candidates
            .iter()
            .filter(move |one| one.is_measured() && one.state == state)
    }
}

/// Findings of a search, and where its gain comes from.
pub(in crate::analysis) struct Searched {
    pub(in crate::analysis) findings: TuningFindings,
    /// Absent where fewer than two things differ between the best one and the defaults.
    pub(in crate::analysis) split: Option<GainSplit>,
}

pub(in crate::analysis) fn of(record: &RunRecord, figures: Figures<'_>) -> Option<Searched> {
    let (plan, tuning) = (record.plan.tuning.as_ref()?, record.tuning.as_ref()?);
    let judge = Judge::new(record, figures);
    let default = default_cell(record);
    let chosen = Chosen::of(&judge, tuning, default);
    let taken = chosen.as_ref().map(|chosen| chosen.taken);
    let metric = metric(record, plan.objective, taken);
    let mut candidates: Vec<Candidate> = keys(tuning)
        .into_iter()
        .map(|key| candidate(&judge, tuning, key, metric))
        .collect();
    let field = Field {
        judge: &judge,
        tuning,
        objective: plan.objective,
    };
    let front = chosen.as_ref().map_or_else(Vec::new, |chosen| {
        let scale = Scale::new(field, chosen.taken);
        for one in &mut candidates {
            one.state = chosen.state(tuning, one.key);
            one.relative = scale.relative(one.key).filter(|_| one.is_measured());
        }
        front(&candidates, &scale)
    });
    let gain = taken
        .zip(default)
        .filter(|(one, other)| one != other)
        .and_then(|(best, default)| field.gain(best, default));
    let split = default.zip(taken).and_then(|(from, to)| {
        let between = Between { metric, from, to };
        split(field, &between)
    });
    let preference = chosen.and_then(|chosen| chosen.preference);
    let race = Race {
        record,
        tuning,
        objective: plan.objective,
        candidates: &candidates,
        best: place(&candidates, taken),
        defaults: place(&candidates, default),
        gain: gain.as_ref(),
        preferred_over: preference.as_ref().map(|preference| preference.over),
    };
    let verdict = race.verdict();
    let contender = race
        .contender(&|key| field.gain(key, default?))
        .filter(|_| verdict == TuningVerdict::Undecided);
    Some(Searched {
        split,
        findings: TuningFindings {
            objective: plan.objective,
            metric,
            verdict,
            contender,
            best: race.best,
            preference,
            defaults: race.defaults,
            gain: gain.map(|gain| gain.cost_ratio),
            front,
            candidates,
            heats_count: tuning.heats.len() as u64,
            rounds_count: tuning.rounds().count() as u64,
        },
    })
}

/// The configuration that is taken, and the one that won the race.
struct Chosen {
    taken: CellKey,
    winner: CellKey,
    preference: Option<Preference>,
}

impl Chosen {
    /// Of the defaults, where no heat was decided.
    fn of(judge: &Judge<'_>, tuning: &Tuning, default: Option<CellKey>) -> Option<Self> {
        let winner = tuning.champion().or(default)?;
        // What runs today is kept where nothing is better.
        let (taken, preference) = preferred(judge, tuning, winner)
            .filter(|_| Some(winner) != default)
            .unzip();
        Some(Chosen {
            taken: taken.unwrap_or(winner),
            winner,
            preference,
        })
    }

    fn state(&self, tuning: &Tuning, key: CellKey) -> State {
        if key == self.taken {
            State::Best
        } else {
            state(tuning, key, self.winner)
        }
    }
}

/// The objective's figure where the best configuration runs.
fn metric(record: &RunRecord, objective: Objective, best: Option<CellKey>) -> Metric {
    let sessions = &record.plan.sessions;
    contest::metric(
        objective,
        best.is_some_and(|key| sessions[key.session].nvidia_device().is_some()),
    )
}

/// `None` where it was not measured.
fn place(candidates: &[Candidate], key: Option<CellKey>) -> Option<usize> {
    candidates
        .iter()
        .position(|one| Some(one.key) == key && one.is_measured())
}

/// Of one that is not taken: the winner of the race does as well as that one, and so does what is
/// tied with the winner.
fn state(tuning: &Tuning, key: CellKey, winner: CellKey) -> State {
    let mut at = key;
    // One that is tied with a former best one shares its lot.
    for _ in 0..=tuning.heats.len() {
        match tuning.fate(at) {
            _ if at == winner => return State::AsGood,
            Some(Fate::Tied(contest)) => at = contest.against,
            Some(fate) if fate.is_out() => return State::Out,
            _ => return State::Undecided,
        }
    }
    State::Undecided
}

/// The configuration that somebody has who sets nothing: the baseline's variant at the first batch
/// size.
#[must_use]
pub fn default_cell(record: &RunRecord) -> Option<CellKey> {
    Some(CellKey {
        session: record.plan.baseline_session()?,
        shape: 0,
        batch_size: *record.plan.tuning.as_ref()?.space.batch_sizes.first()?,
        load_mode: *record.plan.load_modes.first()?,
    })
}

/// The configurations in the order in which the search came to them.
fn keys(tuning: &Tuning) -> Vec<CellKey> {
    let raced = tuning.heats.iter().flat_map(|heat| &heat.cells).copied();
    let decided = tuning.decisions.iter().map(|decision| decision.key);
    let mut keys = Vec::new();
    for key in raced.chain(decided) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

fn candidate(judge: &Judge<'_>, tuning: &Tuning, key: CellKey, objective: Metric) -> Candidate {
    let mut metrics = vec![
        objective,
        Metric::LatencyP50,
        Metric::LatencyP99,
        Metric::Throughput,
        Metric::PeakMemory,
    ];
    metrics.dedup();
    let cell = judge.figures.cells.at(key);
    let mut figures: Vec<Figure> = metrics
        .into_iter()
        .map(|metric| figure(cell, metric))
        .collect();
    figures.push(score(judge, key.session));
    Candidate {
        key,
        standing: judge.standing(key),
        slo: judge.slo(key),
        fate: tuning.fate(key).cloned(),
        state: State::Undecided,
        relative: None,
        figures,
        accuracy_change: judge.accuracy(key.session),
    }
}

fn figure(cell: Option<&CellFindings>, metric: Metric) -> Figure {
    Figure {
        metric,
        estimate: cell
            .and_then(|cell| cell.figure(metric))
            .cloned()
            .unwrap_or_else(|| Estimate::absent("it was not measured")),
    }
}

/// The leading score of a session, or of one that computes the same.
fn score(judge: &Judge<'_>, session: usize) -> Figure {
    judge
        .scored(session)
        .and_then(|record| judge.figures.sessions.get(record.session))
        .and_then(|session| {
            Metric::SCORES.into_iter().find_map(|metric| {
                Some(Figure {
                    metric,
                    estimate: session.figure(metric)?.clone(),
                })
            })
        })
        .unwrap_or_else(|| Figure {
            metric: Metric::AccuracyTop1,
            estimate: Estimate::absent("outputs were not scored against labels"),
        })
}
