//! What comes next when no heat is open: the grid, then one option at a time, then the final heat.

use super::afford::Purse;
use super::look;
use super::space::{self, Configuration};
use crate::analysis::tuning::{Judge, LOOKS, SloStanding, computes_alike, default_cell, metric};
use crate::metric::{Group, Metric, Unit};
use crate::plan::{CellKey, SessionSpec, TuningPlan};
use crate::record::{Decision, EndReason, Fate, Heat, Outcome, RunRecord, Stage, Tuning};
use crate::runner::{Clock, Move};
use crate::text::Plain;
use crate::units::Bytes;

/// Configurations of a heat besides the best one so far: each one more makes a round longer and a drop need more proof.
const CHALLENGERS: usize = 5;
/// Shares of the budget after which a stage begins no more heats.
const GRID_SHARE: f64 = 0.5;
const OPTIONS_SHARE: f64 = 0.75;
/// How many times the best one's cost is far from it.
const FAR: f64 = 1.5;
/// Share of the memory that is available which all processes of a heat may take.
const MEMORY_SHARE: f64 = 0.7;
/// Memory that a process is expected to take before any of its variant was measured: so many times the model, and this.
const MODEL_FACTOR: u64 = 3;
const PROCESS_MEMORY: Bytes = Bytes(150 << 20);

struct Course<'a> {
    judge: &'a Judge<'a>,
    record: &'a RunRecord,
    plan: &'a TuningPlan,
    tuning: &'a Tuning,
    purse: Purse,
}

pub(super) fn next(judge: &Judge<'_>, tuning: &Tuning, clock: Clock) -> Move {
    let default = default_cell(judge.record);
    match Course::of(judge, tuning, clock).zip(default) {
        Some((course, default)) => course.next(default, clock.spent_ratio),
        None => Move::End(EndReason::NothingLeft),
    }
}

pub(super) fn has_untried(judge: &Judge<'_>, tuning: &Tuning, clock: Clock) -> bool {
    Course::of(judge, tuning, clock).is_some_and(|course| !course.untried(course.grid()).is_empty())
}

fn decided(decisions: Vec<Decision>) -> Move {
    Move::Look {
        decisions,
        champion: None,
    }
}

pub(super) fn is_to_score(record: &RunRecord, session: usize) -> bool {
    let readable = record.variants[record.plan.sessions[session].variant]
        .outcome
        .is_ok();
    let failed = record
        .cells
        .iter()
        .any(|cell| cell.key.session == session && matches!(cell.outcome, Outcome::Failed(_)));
    let loaded = !record
        .launches
        .iter()
        .any(|launch| launch.session == session && !launch.outcome.is_ok());
    readable
        && loaded
        && !failed
        && !record
            .accuracy
            .iter()
            .any(|scored| scored.session == session)
}

impl<'a> Course<'a> {
    /// `None` for a run that is no search.
    fn of(judge: &'a Judge<'a>, tuning: &'a Tuning, clock: Clock) -> Option<Self> {
        let record = judge.record;
        Some(Course {
            judge,
            record,
            plan: record.plan.tuning.as_ref()?,
            tuning,
            purse: Purse::of(record, clock.left),
        })
    }
}

impl Course<'_> {
    fn next(&self, default: CellKey, spent_ratio: f64) -> Move {
        let excluded = self.excluded();
        if !excluded.is_empty() {
            return decided(excluded);
        }
        if !self.plan.cells.contains(&default) {
            return Move::Admit {
                sessions: Vec::new(),
                cells: vec![default],
            };
        }
        let reference = self.tuning.champion().unwrap_or(default);
        let grid = self.promising_first(self.untried(self.grid()), reference);
        if self.tuning.heats.is_empty() {
            return self.first_heat(reference, grid);
        }
        let best = space::configuration(self.record, reference);
        let (grid, slow) = self.purse.part(&best, grid);
        if !grid.is_empty() && spent_ratio < GRID_SHARE {
            return self.heat(Stage::Grid, reference, grid);
        }
        let neighbours = self.untried(self.neighbours(&best));
        let (neighbours, slow_neighbours) = self.purse.part(&best, neighbours);
        if !neighbours.is_empty() && spent_ratio < OPTIONS_SHARE {
            return self.heat(Stage::Options, reference, neighbours);
        }
        let left = [grid, slow, neighbours, slow_neighbours];
        match self.finalists(reference, default) {
            Some(cells) => self.begin(Stage::Final, reference, cells),
            None => Move::End(self.end(&left)),
        }
    }

    /// Of the grid, or of the defaults alone where time is short.
    fn first_heat(&self, reference: CellKey, grid: Vec<Configuration>) -> Move {
        let first = &grid[..grid.len().min(CHALLENGERS + 1)];
        let candidates = if self.purse.is_tight(first) {
            Vec::new()
        } else {
            grid
        };
        self.heat(Stage::Grid, reference, candidates)
    }

    fn end(&self, left: &[Vec<Configuration>]) -> EndReason {
        if left.iter().all(Vec::is_empty) && !self.was_cut_off() {
            EndReason::SearchDone
        } else {
            EndReason::BudgetSpent
        }
    }

    fn grid(&self) -> Vec<Configuration> {
        space::grid(self.record, self.plan)
    }

    fn neighbours(&self, best: &Configuration) -> Vec<Configuration> {
        let executions = space::executions(self.record, &self.plan.space, best);
        space::neighbours(&self.plan.space, best, executions)
    }

    /// All cells of all heats.
    fn raced(&self) -> impl Iterator<Item = CellKey> {
        self.tuning
            .heats
            .iter()
            .flat_map(|heat| heat.cells.iter().copied())
    }

    /// Sessions that are out before anything was timed, for their outputs or an unreadable model, each decided once.
    fn excluded(&self) -> Vec<Decision> {
        if !self.tuning.heats.is_empty() {
            return Vec::new();
        }
        (0..self.plan.base_sessions_count)
            .filter_map(|session| self.exclusion(session))
            .collect()
    }

    fn exclusion(&self, session: usize) -> Option<Decision> {
        let key = CellKey {
            session,
            ..default_cell(self.record)?
        };
        let fate = self.why_excluded(key)?;
        self.tuning
            .fate(key)
            .is_none()
            .then_some(untimed(key, fate))
    }

    fn why_excluded(&self, key: CellKey) -> Option<Fate> {
        if let Some(reason) = self.why_not_started(key.session) {
            return Some(Fate::Failed {
                reason: reason.clone(),
            });
        }
        match self.judge.breach(key) {
            Some(fate @ (Fate::LessAccurate { .. } | Fate::NotFinite)) => Some(fate),
            _ => None,
        }
    }

    /// For its model, or else its first launch.
    fn why_not_started(&self, session: usize) -> Option<&Plain> {
        let variant = &self.record.variants[self.record.plan.sessions[session].variant];
        let mut launches = self.record.launches.iter();
        variant.outcome.reason().or_else(|| {
            launches
                .find(|launch| launch.session == session)?
                .outcome
                .reason()
        })
    }

    /// Whether the last heat ended before it had the rounds after which configurations are told from each other.
    fn was_cut_off(&self) -> bool {
        let Some(heat) = self.tuning.heats.last() else {
            return false;
        };
        look::members(self.record, self.tuning, heat).len() > 1
            && (heat.rounds.len() as u64) < LOOKS[0].0
    }

    fn is_excluded(&self, configuration: &Configuration) -> bool {
        let mut decisions = self.tuning.decisions.iter();
        decisions.any(|decision| self.excludes(decision, configuration))
    }

    fn excludes(&self, decision: &Decision, configuration: &Configuration) -> bool {
        let spec = &self.record.plan.sessions[decision.key.session];
        match (&decision.fate, decision.heat) {
            (Fate::LessAccurate { .. } | Fate::NotFinite, _) | (Fate::Failed { .. }, None) => {
                computes_alike(spec, &configuration.spec)
            }
            // What failed at one batch size is not tried at larger ones.
            (Fate::Failed { .. }, Some(_)) => {
                *spec == configuration.spec && decision.key.batch_size <= configuration.batch_size
            }
            _ => false,
        }
    }

    /// Those that were in no heat yet, and are worth one.
    fn untried(&self, mut configurations: Vec<Configuration>) -> Vec<Configuration> {
        configurations.retain(|one| !self.is_tried(one) && !self.is_excluded(one));
        configurations
    }

    fn is_tried(&self, configuration: &Configuration) -> bool {
        space::cell_of(self.record, configuration).is_some_and(|key| {
            self.raced().any(|raced| raced == key) || self.tuning.fate(key).is_some()
        })
    }

    /// Configurations of variants and execution providers first of which one came near the best one so far, or of which
    /// none was tried: where time is short, larger batches of what is far slower are worth least.
    fn promising_first(
        &self,
        mut configurations: Vec<Configuration>,
        reference: CellKey,
    ) -> Vec<Configuration> {
        let far = FAR * above_zero(self.cost(reference));
        configurations
            .sort_by_cached_key(|one| self.least_cost_like(one).is_some_and(|least| least > far));
        configurations
    }

    /// Of those tried of the same variant, library and execution provider; `None` where there were none.
    fn least_cost_like(&self, configuration: &Configuration) -> Option<f64> {
        let sessions = &self.record.plan.sessions;
        self.raced()
            .filter(|key| is_of_one_base(&sessions[key.session], &configuration.spec))
            .map(|key| above_zero(self.cost(key)))
            .reduce(f64::min)
    }

    /// The next heat of a stage; before it, what it needs.
    fn heat(&self, stage: Stage, reference: CellKey, candidates: Vec<Configuration>) -> Move {
        let beyond = self.beyond_slo(&candidates);
        if !beyond.is_empty() {
            return decided(beyond);
        }
        let chosen = self.with_room(reference, candidates);
        let sessions = self.new_sessions(&chosen);
        let cells: Vec<CellKey> = chosen
            .iter()
            .filter_map(|one| self.cell(one, &sessions))
            .collect();
        if cells.iter().any(|key| !self.plan.cells.contains(key)) {
            return Move::Admit { sessions, cells };
        }
        let cells = std::iter::once(reference).chain(cells).collect();
        self.begin(stage, reference, cells)
    }

    /// As many of the first ones as there is memory and time for beside the best one, and one in any case.
    fn with_room(
        &self,
        reference: CellKey,
        mut candidates: Vec<Configuration>,
    ) -> Vec<Configuration> {
        let reference = space::configuration(self.record, reference);
        candidates.retain(|candidate| *candidate != reference);
        let mut memory = self.memory(&reference);
        let mut time = self.purse.turn(&reference);
        let available = self.memory_for_all();
        let mut chosen: Vec<Configuration> = Vec::new();
        for candidate in candidates {
            memory += self.memory(&candidate);
            time += self.purse.turn(&candidate);
            let has_room = memory <= available && self.purse.has_room_for(time);
            if chosen.len() == CHALLENGERS || (!chosen.is_empty() && !has_room) {
                break;
            }
            chosen.push(candidate);
        }
        chosen
    }

    /// Those that the plan does not hold yet.
    fn new_sessions(&self, chosen: &[Configuration]) -> Vec<SessionSpec> {
        let known = &self.record.plan.sessions;
        let mut new = Vec::new();
        for Configuration { spec, .. } in chosen {
            if !known.contains(spec) && !new.contains(spec) {
                new.push(spec.clone());
            }
        }
        new
    }

    /// Once `new` sessions follow those of the plan.
    fn cell(&self, one: &Configuration, new: &[SessionSpec]) -> Option<CellKey> {
        let mut sessions = self.record.plan.sessions.iter().chain(new);
        Some(CellKey {
            session: sessions.position(|known| *known == one.spec)?,
            shape: 0,
            batch_size: one.batch_size,
            load_mode: space::LOAD,
        })
    }

    /// Begins a heat; before it, scores what has to be known to be accurate enough.
    fn begin(&self, stage: Stage, reference: CellKey, cells: Vec<CellKey>) -> Move {
        let wanted = cells
            .iter()
            .filter(|&&key| {
                self.has_unknown_accuracy(key.session)
                    || (stage == Stage::Final && key == reference)
            })
            .map(|key| key.session);
        if let Some(session) = wanted
            .into_iter()
            .find(|&session| is_to_score(self.record, session))
        {
            return Move::Score(session);
        }
        let number = self.tuning.heats.len() as u64;
        let (rounds, looks) = (Vec::new(), Vec::new());
        Move::Begin(Heat {
            number,
            stage,
            reference,
            cells,
            rounds,
            looks,
            champion: None,
        })
    }

    /// Although a limit was set.
    fn has_unknown_accuracy(&self, session: usize) -> bool {
        self.plan.max_accuracy_drop_ratio.is_some() && self.judge.scored(session).is_none()
    }

    /// Larger batches of sessions of which a smaller one takes too long or too much memory already.
    fn beyond_slo(&self, candidates: &[Configuration]) -> Vec<Decision> {
        candidates
            .iter()
            .filter_map(|candidate| {
                let key = space::cell_of(self.record, candidate)?;
                Some(untimed(key, self.broken_below(key)?))
            })
            .collect()
    }

    /// What a smaller batch of the session broke that a larger one breaks as well.
    fn broken_below(&self, key: CellKey) -> Option<Fate> {
        let smaller = self.tuning.decisions.iter().filter(|decision| {
            decision.key.session == key.session && decision.key.batch_size < key.batch_size
        });
        smaller
            .into_iter()
            .find_map(|decision| match &decision.fate {
                Fate::BreaksSlo(breach) if grows_with_batch(breach.check.metric) => {
                    Some(Fate::BeyondSlo {
                        batch_size: decision.key.batch_size,
                        check: breach.check.clone(),
                    })
                }
                _ => None,
            })
    }

    /// Memory that all processes of a heat may take, in bytes.
    fn memory_for_all(&self) -> f64 {
        self.record
            .host
            .usable_memory()
            .map_or(f64::INFINITY, Bytes::as_f64)
            * MEMORY_SHARE
    }

    /// Memory that a process is expected to take, in bytes.
    fn memory(&self, configuration: &Configuration) -> f64 {
        let measured = self.measured_memory(configuration);
        if measured > 0.0 {
            return measured;
        }
        let model = self.record.variants[configuration.spec.variant]
            .model
            .as_ref();
        let size = model.map_or(0, |model| model.file_size_bytes.0);
        Bytes(
            size.saturating_mul(MODEL_FACTOR)
                .saturating_add(PROCESS_MEMORY.0),
        )
        .as_f64()
    }

    /// The most of any session of the variant at batches as large, in bytes; 0 where none was measured.
    fn measured_memory(&self, configuration: &Configuration) -> f64 {
        let sessions = &self.record.plan.sessions;
        self.raced()
            .filter(|key| sessions[key.session].variant == configuration.spec.variant)
            .filter(|key| key.batch_size >= configuration.batch_size)
            .filter_map(|key| self.judge.value(key, Metric::PeakMemory))
            .fold(0.0, f64::max)
    }

    /// The best one, the defaults, and those neither out nor known the same; `None` after a final heat.
    fn finalists(&self, reference: CellKey, default: CellKey) -> Option<Vec<CellKey>> {
        if self
            .tuning
            .heats
            .last()
            .is_some_and(|heat| heat.stage == Stage::Final)
        {
            return None;
        }
        let mut cells = vec![reference];
        if default != reference && !matches!(self.tuning.fate(default), Some(Fate::Failed { .. })) {
            cells.push(default);
        }
        self.add_open(&mut cells);
        let unproven = self.judge.standing(reference) == SloStanding::Open;
        (cells.len() > 1 || unproven).then_some(cells)
    }

    /// The best ones of those that are open, as far as there is memory.
    fn add_open(&self, cells: &mut Vec<CellKey>) {
        let mut memory: f64 = cells.iter().map(|&key| self.memory_of(key)).sum();
        for key in self.open_beside(cells) {
            memory += self.memory_of(key);
            if cells.len() > CHALLENGERS || memory > self.memory_for_all() {
                break;
            }
            cells.push(key);
        }
    }

    fn memory_of(&self, key: CellKey) -> f64 {
        self.memory(&space::configuration(self.record, key))
    }

    /// Those raced that are not settled, the best one first.
    fn open_beside(&self, cells: &[CellKey]) -> Vec<CellKey> {
        let mut open: Vec<CellKey> = self.raced().collect();
        open.sort_unstable();
        open.dedup();
        open.retain(|key| !cells.contains(key) && self.is_open(*key));
        open.sort_by(|one, other| self.cost(*one).total_cmp(&self.cost(*other)));
        open
    }

    fn is_open(&self, key: CellKey) -> bool {
        let settled =
            self.tuning.is_out(key) || matches!(self.tuning.fate(key), Some(Fate::Tied(_)));
        !settled && self.judge.standing(key) != SloStanding::Violates
    }

    /// The objective's figure, less of which is better; infinite where it is absent.
    fn cost(&self, key: CellKey) -> f64 {
        let on_gpu = self.record.plan.sessions[key.session]
            .nvidia_device()
            .is_some();
        let metric = metric(self.plan.objective, on_gpu);
        self.judge
            .value(key, metric)
            .map_or(f64::INFINITY, |value| metric.direction().cost(value))
    }
}

fn untimed(key: CellKey, fate: Fate) -> Decision {
    Decision {
        key,
        heat: None,
        rounds_count: 0,
        fate,
    }
}

fn is_of_one_base(one: &SessionSpec, other: &SessionSpec) -> bool {
    one.variant == other.variant
        && one.runtime == other.runtime
        && one.execution_provider == other.execution_provider
}

/// A cost of which less is better on a scale on which it can be multiplied.
fn above_zero(cost: f64) -> f64 {
    if cost < 0.0 { -1.0 / cost } else { cost }
}

/// Whether a metric only grows with the batch size: latencies and memory of the process.
fn grows_with_batch(metric: Metric) -> bool {
    let is_latency = metric.group() == Group::Timing && metric.unit() == Unit::Ns;
    is_latency || matches!(metric, Metric::PeakMemory | Metric::PeakMemoryAboveLoad)
}
