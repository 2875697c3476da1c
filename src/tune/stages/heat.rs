//! The next heat: its cells, and what is needed before it begins.

use super::candidates::decided;
use super::course::Course;
use crate::analysis::tuning::SloStanding;
use crate::plan::{CellKey, SessionSpec};
use crate::record::{Fate, Heat, Outcome, RunRecord, Stage};
use crate::runner::Move;
use crate::text::distinct;
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
        let known = &self.record.plan.sessions;
        let mut cells: Vec<CellKey> = chosen
            .iter()
            .filter_map(|one| one.cell_among(known.iter().chain(&sessions)))
            .collect();
        if cells.iter().any(|key| !self.plan.cells.contains(key)) {
            return Move::Admit { sessions, cells };
        }
        cells.insert(0, reference);
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
        candidates.truncate(CHALLENGERS);
        let mut memory = self.memory(&reference);
        let mut time = self.purse.turn(&reference);
        let available = self.memory_for_all();
        let count = candidates
            .iter()
            .take_while(|candidate| {
                memory += self.memory(candidate);
                time += self.purse.turn(candidate);
                memory <= available && self.purse.has_room_for(time)
            })
            .count()
            .max(1);
        candidates.truncate(count);
        candidates
    }

    /// Those that the plan does not hold yet.
    fn new_sessions(&self, chosen: &[Configuration]) -> Vec<SessionSpec> {
        let mut new = distinct(chosen.iter().map(|one| one.spec.clone()));
        new.retain(|spec| !self.record.plan.sessions.contains(spec));
        new
    }

    /// Begins a heat; before it, scores what has to be known to be accurate enough.
    pub(super) fn begin(&self, stage: Stage, reference: CellKey, cells: Vec<CellKey>) -> Move {
        let unscored = cells.iter().find(|&&key| {
            let is_wanted = self.has_unknown_accuracy(key.session)
                || (stage == Stage::Final && key == reference);
            is_wanted && is_to_score(self.record, key.session)
        });
        if let Some(key) = unscored {
            return Move::Score(key.session);
        }
        Move::Begin(Heat {
            number: self.tuning.heats.len() as u64,
            stage,
            reference,
            cells,
            rounds: Vec::new(),
            looks: Vec::new(),
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
        !self.tuning.is_out(key)
            && !matches!(self.tuning.fate(key), Some(Fate::Tied(_)))
            && self.judge.standing(key) != SloStanding::Violates
    }
}

pub(in crate::tune) fn is_to_score(record: &RunRecord, session: usize) -> bool {
    let variant = &record.variants[record.plan.sessions[session].variant];
    variant.outcome.is_ok()
        && record
            .launches
            .iter()
            .filter(|launch| launch.session == session)
            .all(|launch| launch.outcome.is_ok())
        && !record
            .cells
            .iter()
            .filter(|cell| cell.key.session == session)
            .any(|cell| matches!(cell.outcome, Outcome::Failed(_)))
        && record
            .accuracy
            .iter()
            .all(|scored| scored.session != session)
}
