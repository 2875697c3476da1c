//! What a gate says.

use serde::Serialize;

use super::verdict::{GateVerdict, Judgement};
use crate::analysis::comparison::RunIndex;
use crate::analysis::{Estimate, Findings};
use crate::check::Side;
use crate::metric::Metric;
use crate::plan::CellKey;
use crate::record::RunRecord;
use crate::text::Plain;

/// A run with what was found in it.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The record.
    pub record: &'a RunRecord,
    /// Its findings.
    pub findings: &'a Findings,
}

/// What became of all rules.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gate {
    /// The worst of the checks' verdicts.
    pub verdict: GateVerdict,
    /// Each rule on each cell or session that it is for, in the order of the file.
    pub checks: Vec<Checked>,
    /// Cells that a rule for every batch size does not count, because the run had no reason to measure them.
    pub left_out: Vec<LeftOut>,
    /// What bears on all verdicts, as lowercase fragments.
    pub remarks: Vec<Plain>,
}

/// One rule on one cell or session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checked {
    /// The check as written.
    pub check: Plain,
    /// Its line in the rule file, from 1.
    pub line: usize,
    /// Label of the session.
    pub session: Plain,
    /// The cell; absent for a figure of the session.
    pub cell: Option<CellKey>,
    /// What follows the batch size in the cell's name, such as `, seq 64`; empty where no dimension is swept.
    #[serde(skip)]
    pub shape_words: Plain,
    /// What is checked.
    pub metric: Metric,
    /// What `figure` and `budget` are.
    pub held: Held,
    /// What is held against the budget.
    pub figure: Estimate,
    /// The budget, in the unit of the figure.
    pub budget: f64,
    /// What came of it.
    #[serde(flatten)]
    pub judgement: Judgement,
}

/// What is held against a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// The figure itself, in the metric's base unit.
    Figure,
    /// The figure over the baseline's.
    RatioToBaseline,
    /// The figure less the baseline's, in the metric's base unit.
    DifferenceToBaseline,
}

/// A cell that was not counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Line of the rule, from 1.
    pub line: usize,
    /// Label of the session.
    pub session: Plain,
    /// Batch size of the cell.
    pub batch_size: u64,
    /// What follows the batch size in the cell's name, such as `, seq 64`; empty where no dimension is swept.
    #[serde(skip)]
    pub shape_words: Plain,
    /// Why it was not measured.
    pub reason: Plain,
}

/// The run and the baseline run, ready to be looked up.
pub(super) struct Runs<'a> {
    pub(super) run: Run<'a>,
    pub(super) index: RunIndex<'a>,
    pub(super) against: Option<(Run<'a>, RunIndex<'a>)>,
}

/// A figure and the budget that it is held against.
pub(super) struct Case {
    pub(super) held: Held,
    pub(super) figure: Estimate,
    pub(super) side: Side,
    pub(super) budget: f64,
}
