//! The next heat: its cells, and what is needed before it begins.

use super::candidates::decided;
use super::course::Course;
use crate::analysis::tuning::SloStanding;
use crate::plan::{CellKey, SessionSpec};
use crate::record::{Fate, Heat, Outcome, RunRecord, Stage};
use crate::runner::Move;
use crate::tune::space::{self, Configuration};

/// Configurations of a heat besides the best one so far: each one more makes a round longer and a
/// drop need more proof.
pub(super) const CHALLENGERS: usize = 5;

impl Course<'_> {
    /// The next heat of a stage; before it, what it needs.
    pub(super) fn heat(
        &self,
        stage: Stage,
        reference: CellKey,
        candidates: Vec<Configuration>,
    ) -> Move {
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

    /// As many of the first ones as there is memory and time for beside the best one, and one in
    /// any case.
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
    pub(super) fn begin(&self, stage: Stage, reference: CellKey, cells: Vec<CellKey>) -> Move {
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

    /// The best one, the defaults, and those neither out nor known the same; `None` after a final
    /// heat.
    pub(super) fn finalists(&self, reference: CellKey, default: CellKey) -> Option<Vec<CellKey>> {
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
}

pub(in crate::tune) fn is_to_score(record: &RunRecord, session: usize) -> bool {
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
