//! What says how a search goes on, and how one is taken up again.

use std::fmt::Debug;
use std::time::Duration;

use crate::plan::{CellKey, SessionSpec};
use crate::record::{Decision, EndReason, Heat, RunRecord};

/// The next step of a search.
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// Takes sessions and cells into the plan.
    Admit {
        /// Sessions that the plan does not have.
        sessions: Vec<SessionSpec>,
        /// Cells of these and others.
        cells: Vec<CellKey>,
    },
    /// Scores the outputs of a session.
    Score(usize),
    /// Begins a heat.
    Begin(Heat),
    /// Measures one more round of the open heat.
    Round {
        /// The configurations that take turns.
        cells: Vec<CellKey>,
        /// How often.
        alternations: u64,
    },
    /// Writes down what was decided, and the best configuration if the heat ends.
    Look {
        /// The decision.
        decisions: Vec<Decision>,
        /// The best configuration, if the heat ends.
        champion: Option<CellKey>,
    },
    /// Ends the search.
    End(EndReason),
}

/// How much of the time is spent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Share of the budget that is spent, 0 to 1; 0 without a budget.
    pub spent_ratio: f64,
    /// Time that is left; without a budget, more than anything takes.
    pub left: Duration,
    /// Whether no more may be measured.
    pub is_over: bool,
}

/// Says how a search goes on, from its record alone, so that it can be taken up again from there.
pub trait Guide: Debug {
    /// The next step. It is asked again after each.
    fn next(&mut self, record: &RunRecord, clock: Clock) -> Move;
}
