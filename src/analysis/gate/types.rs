//! The answer of a gate.

use serde::Serialize;

use super::{GateVerdict, Held, Judgement};
use crate::analysis::figures::index::Index;
use crate::analysis::{Estimate, Findings};
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

/// Verdicts on all rules.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gate {
    /// The worst of the checks' verdicts.
    pub verdict: GateVerdict,
    /// Each rule on each cell or session that it is for, in the order of the file.
    pub checks: Vec<Checked>,
    /// Cells that a rule for every batch size does not count, because the run had no reason to
    /// measure them.
    pub left_out: Vec<LeftOut>,
    /// Remarks on all verdicts, as lowercase fragments.
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
    /// Suffix of the batch size in the cell's name, such as `, seq 64`; empty where no dimension is
    /// swept.
    #[serde(skip)]
    pub shape_words: Plain,
    /// The metric that is checked.
    pub metric: Metric,
    /// Meaning of `figure` and `budget`.
    pub held: Held,
    /// The figure that is held against the budget.
    pub figure: Estimate,
    /// The budget, in the unit of the figure.
    pub budget: f64,
    /// The verdict.
    #[serde(flatten)]
    pub judgement: Judgement,
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
    /// Suffix of the batch size in the cell's name, such as `, seq 64`; empty where no dimension is
    /// swept.
    #[serde(skip)]
    pub shape_words: Plain,
    /// Why it was not measured.
    pub reason: Plain,
}

pub(super) struct Runs<'a> {
    pub(super) run: Run<'a>,
    pub(super) index: Index<'a>,
    pub(super) against: Option<(Run<'a>, Index<'a>)>,
}
