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
    let record = judge.record;
    let (Some(plan), Some(default)) = (&record.plan.tuning, default_cell(record)) else {
        return Move::End(EndReason::NothingLeft);
    };
    let course = Course {
        judge,
        record,
        plan,
        tuning,
        purse: Purse::of(record, clock.left),
    };
    let excluded = course.excluded();
    if !excluded.is_empty() {
        return Move::Look {
            decisions: excluded,
            champion: None,
        };
    }
    let reference = tuning.champion().unwrap_or(default);
    if record
        .plan
        .tuning
        .as_ref()
        .is_some_and(|tuning| !tuning.cells.contains(&default))
    {
        return Move::Admit {
            sessions: Vec::new(),
            cells: vec![default],
        };
    }
    let best = space::configuration(record, reference);
    let grid = course.promising_first(course.untried(space::grid(record, plan)), reference);
    if tuning.heats.is_empty() {
        let is_tight = course
            .purse
            .is_tight(&grid[..grid.len().min(CHALLENGERS + 1)]);
        return course.heat(
            Stage::Grid,
            reference,
            if is_tight { Vec::new() } else { grid },
        );
    }
    let (grid, slow) = course.purse.part(&best, grid);
    if !grid.is_empty() && clock.spent_ratio < GRID_SHARE {
        return course.heat(Stage::Grid, reference, grid);
    }
    let neighbours = space::neighbours(
        &plan.space,
        &best,
        space::executions(record, &plan.space, &best),
    );
    let (neighbours, slow_neighbours) = course.purse.part(&best, course.untried(neighbours));
    if !neighbours.is_empty() && clock.spent_ratio < OPTIONS_SHARE {
        return course.heat(Stage::Options, reference, neighbours);
    }
    match course.finalists(reference, default) {
        Some(cells) => course.begin(Stage::Final, reference, cells),
        None if !course.was_cut_off()
            && [grid, slow, neighbours, slow_neighbours]
                .iter()
                .all(Vec::is_empty) =>
        {
            Move::End(EndReason::SearchDone)
        }
        None => Move::End(EndReason::BudgetSpent),
    }
}

pub(super) fn has_untried(judge: &Judge<'_>, tuning: &Tuning, clock: Clock) -> bool {
    let record = judge.record;
    let Some(plan) = &record.plan.tuning else {
        return false;
    };
    let course = Course {
        judge,
        record,
        plan,
        tuning,
        purse: Purse::of(record, clock.left),
    };
    !course.untried(space::grid(record, plan)).is_empty()
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

impl Course<'_> {
    /// Sessions that are out before anything was timed, for their outputs or an unreadable model, each decided once.
    fn excluded(&self) -> Vec<Decision> {
        if !self.tuning.heats.is_empty() {
            return Vec::new();
        }
        let decide = |session: usize| {
            let key = CellKey {
                session,
                ..default_cell(self.record)?
            };
            let fate = self.why_excluded(key)?;
            self.tuning.fate(key).is_none().then_some(Decision {
                key,
                heat: None,
                rounds_count: 0,
                fate,
            })
        };
        (0..self.plan.base_sessions_count)
            .filter_map(decide)
            .collect()
    }

    fn why_excluded(&self, key: CellKey) -> Option<Fate> {
        let failed = |reason: &Plain| {
            Some(Fate::Failed {
                reason: reason.clone(),
            })
        };
        let variant = &self.record.variants[self.record.plan.sessions[key.session].variant];
        if let Some(reason) = variant.outcome.reason() {
            return failed(reason);
        }
        if let Some(launch) = self
            .record
            .launches
            .iter()
            .find(|launch| launch.session == key.session)
            && let Some(reason) = launch.outcome.reason()
        {
            return failed(reason);
        }
        match self.judge.breach(key) {
            Some(fate @ (Fate::LessAccurate { .. } | Fate::NotFinite)) => Some(fate),
            _ => None,
        }
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
        let out = |decision: &Decision| {
            let spec = &self.record.plan.sessions[decision.key.session];
            match (&decision.fate, decision.heat) {
                (Fate::LessAccurate { .. } | Fate::NotFinite, _) | (Fate::Failed { .. }, None) => {
                    computes_alike(spec, &configuration.spec)
                }
                // What failed at one batch size is not tried at larger ones.
                (Fate::Failed { .. }, Some(_)) => {
                    *spec == configuration.spec
                        && decision.key.batch_size <= configuration.batch_size
                }
                _ => false,
            }
        };
        self.tuning.decisions.iter().any(out)
    }

    /// Those that were in no heat yet, and are worth one.
    fn untried(&self, configurations: Vec<Configuration>) -> Vec<Configuration> {
        let tried = |configuration: &Configuration| {
            let key = space::cell_of(self.record, configuration);
            key.is_some_and(|key| {
                self.tuning
                    .heats
                    .iter()
                    .any(|heat| heat.cells.contains(&key))
                    || self.tuning.fate(key).is_some()
            })
        };
        let mut left = configurations;
        left.retain(|configuration| !tried(configuration) && !self.is_excluded(configuration));
        left
    }

    /// Configurations of variants and execution providers first of which one came near the best one so far, or of which
    /// none was tried: where time is short, larger batches of what is far slower are worth least.
    fn promising_first(
        &self,
        mut configurations: Vec<Configuration>,
        reference: CellKey,
    ) -> Vec<Configuration> {
        let base = |spec: &SessionSpec| {
            (
                spec.variant,
                spec.runtime.clone(),
                spec.execution_provider.clone(),
            )
        };
        let positive = |key: CellKey| {
            let cost = self.cost(key);
            if cost < 0.0 { -1.0 / cost } else { cost }
        };
        let best = positive(reference);
        let tried: Vec<CellKey> = self
            .tuning
            .heats
            .iter()
            .flat_map(|heat| heat.cells.iter().copied())
            .collect();
        let is_far = |configuration: &Configuration| {
            let alike = tried.iter().filter(|key| {
                base(&self.record.plan.sessions[key.session]) == base(&configuration.spec)
            });
            let least = alike.map(|&key| positive(key)).reduce(f64::min);
            least.is_some_and(|least| least > best * FAR)
        };
        configurations.sort_by_cached_key(is_far);
        configurations
    }

    /// The next heat of a stage; before it, what it needs.
    fn heat(&self, stage: Stage, reference: CellKey, candidates: Vec<Configuration>) -> Move {
        let beyond = self.beyond_slo(&candidates);
        if !beyond.is_empty() {
            return Move::Look {
                decisions: beyond,
                champion: None,
            };
        }
        let reference_configuration = space::configuration(self.record, reference);
        let mut memory = self.memory(&reference_configuration);
        let mut time = self.purse.turn(&reference_configuration);
        let available = self.memory_for_all();
        let mut chosen: Vec<Configuration> = Vec::new();
        for candidate in candidates
            .into_iter()
            .filter(|candidate| *candidate != reference_configuration)
        {
            memory += self.memory(&candidate);
            time += self.purse.turn(&candidate);
            let has_room = memory <= available && self.purse.has_room_for(time);
            if chosen.len() == CHALLENGERS || (!chosen.is_empty() && !has_room) {
                break;
            }
            chosen.push(candidate);
        }
        let mut sessions = Vec::new();
        for candidate in &chosen {
            if !self.record.plan.sessions.contains(&candidate.spec)
                && !sessions.contains(&candidate.spec)
            {
                sessions.push(candidate.spec.clone());
            }
        }
        let index = |spec: &SessionSpec| {
            self.record
                .plan
                .sessions
                .iter()
                .chain(&sessions)
                .position(|known| known == spec)
        };
        let cell = |one: &Configuration| {
            Some(CellKey {
                session: index(&one.spec)?,
                shape: 0,
                batch_size: one.batch_size,
                load_mode: space::LOAD,
            })
        };
        let cells: Vec<CellKey> = chosen.iter().filter_map(cell).collect();
        if cells.iter().any(|key| !self.plan.cells.contains(key)) {
            return Move::Admit { sessions, cells };
        }
        self.begin(
            stage,
            reference,
            std::iter::once(reference).chain(cells).collect(),
        )
    }

    /// Begins a heat; before it, scores what has to be known to be accurate enough.
    fn begin(&self, stage: Stage, reference: CellKey, cells: Vec<CellKey>) -> Move {
        let limited = self.plan.max_accuracy_drop_ratio.is_some();
        let unknown = |key: &&CellKey| limited && self.judge.scored(key.session).is_none();
        let winner = |key: &&CellKey| stage == Stage::Final && **key == reference;
        let wanted = cells
            .iter()
            .filter(|key| unknown(key) || winner(key))
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

    /// Larger batches of sessions of which a smaller one takes too long or too much memory already.
    fn beyond_slo(&self, candidates: &[Configuration]) -> Vec<Decision> {
        let beyond = |candidate: &Configuration| {
            let key = space::cell_of(self.record, candidate)?;
            let smaller = self.tuning.decisions.iter().filter(|decision| {
                decision.key.session == key.session && decision.key.batch_size < key.batch_size
            });
            let broken = smaller
                .into_iter()
                .find_map(|decision| match &decision.fate {
                    Fate::BreaksSlo(breach) if grows_with_batch(breach.check.metric) => {
                        Some((decision.key.batch_size, breach))
                    }
                    _ => None,
                });
            let (batch_size, breach) = broken?;
            let fate = Fate::BeyondSlo {
                batch_size,
                check: breach.check.clone(),
            };
            Some(Decision {
                key,
                heat: None,
                rounds_count: 0,
                fate,
            })
        };
        candidates.iter().filter_map(beyond).collect()
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
        let alike = self.tuning.heats.iter().flat_map(|heat| &heat.cells);
        let alike = alike.filter(|key| {
            self.record.plan.sessions[key.session].variant == configuration.spec.variant
        });
        let measured = alike.filter(|key| key.batch_size >= configuration.batch_size);
        let measured = measured
            .filter_map(|&key| self.judge.value(key, Metric::PeakMemory))
            .fold(0.0, f64::max);
        let model = self.record.variants[configuration.spec.variant]
            .model
            .as_ref();
        let size = model.map_or(0, |model| model.file_size_bytes.0);
        let expected = Bytes(
            size.saturating_mul(MODEL_FACTOR)
                .saturating_add(PROCESS_MEMORY.0),
        )
        .as_f64();
        if measured > 0.0 { measured } else { expected }
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
        let mut open: Vec<CellKey> = self
            .tuning
            .heats
            .iter()
            .flat_map(|heat| heat.cells.iter().copied())
            .collect();
        open.sort_unstable();
        open.dedup();
        let is_open = |key: &CellKey| {
            let settled =
                self.tuning.is_out(*key) || matches!(self.tuning.fate(*key), Some(Fate::Tied(_)));
            !cells.contains(key) && !settled && self.judge.standing(*key) != SloStanding::Violates
        };
        open.retain(is_open);
        open.sort_by(|one, other| self.cost(*one).total_cmp(&self.cost(*other)));
        let mut memory: f64 = cells
            .iter()
            .map(|&key| self.memory(&space::configuration(self.record, key)))
            .sum();
        for key in open {
            memory += self.memory(&space::configuration(self.record, key));
            if cells.len() > CHALLENGERS || memory > self.memory_for_all() {
                break;
            }
            cells.push(key);
        }
        let unproven = self.judge.standing(reference) == SloStanding::Open;
        (cells.len() > 1 || unproven).then_some(cells)
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

/// Whether a metric only grows with the batch size: latencies and memory of the process.
fn grows_with_batch(metric: Metric) -> bool {
    let is_latency = metric.group() == Group::Timing && metric.unit() == Unit::Ns;
    is_latency || matches!(metric, Metric::PeakMemory | Metric::PeakMemoryAboveLoad)
}
