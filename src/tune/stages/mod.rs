//! The next move when no heat is open: the grid, then one option at a time, then the final heat.

mod candidates;
mod course;
mod heat;
mod memory;

use super::look;
use super::space::{self, Configuration};
use crate::analysis::tuning::{Judge, LOOKS, default_cell};
use crate::plan::CellKey;
use crate::record::{EndReason, Stage, Tuning};
use crate::runner::{Clock, Move};

pub(super) use heat::is_to_score;

use candidates::decided;
use course::Course;
use heat::CHALLENGERS;

/// Shares of the budget after which a stage begins no more heats.
const GRID_SHARE: f64 = 0.5;
const OPTIONS_SHARE: f64 = 0.75;

pub(super) fn next(judge: &Judge<'_>, tuning: &Tuning, clock: Clock) -> Move {
    match Course::of(judge, tuning, clock).zip(default_cell(judge.record)) {
        Some((course, default)) => course.next(default, clock.spent_ratio),
        None => Move::End(EndReason::NothingLeft),
    }
}

pub(super) fn has_untried(judge: &Judge<'_>, tuning: &Tuning, clock: Clock) -> bool {
    Course::of(judge, tuning, clock).is_some_and(|course| !course.untried(course.grid()).is_empty())
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
        let executions = space::executions(self.record, &self.plan.space, &best.spec);
        let neighbours = space::neighbours(&self.plan.space, &best, executions);
        let (neighbours, slow_neighbours) = self.purse.part(&best, self.untried(neighbours));
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
    fn first_heat(&self, reference: CellKey, mut grid: Vec<Configuration>) -> Move {
        if self
            .purse
            .is_tight(&grid[..grid.len().min(CHALLENGERS + 1)])
        {
            grid.clear();
        }
        self.heat(Stage::Grid, reference, grid)
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

    /// Whether the last heat ended before it had the rounds after which configurations are told
    /// from each other.
    fn was_cut_off(&self) -> bool {
        self.tuning.heats.last().is_some_and(|heat| {
            (heat.rounds.len() as u64) < LOOKS[0].0
                && look::members(self.record, self.tuning, heat).len() > 1
        })
    }
}
