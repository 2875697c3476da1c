//! The answer of a gate.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{GateVerdict, Held, Judgement, LoadPlace};
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

/// What a run is held against, and on which terms.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms<'a> {
    /// What rules about the baseline compare with.
    pub against: Against<'a>,
    /// Whether figures of a machine that was not fit to measure on count.
    pub unfit: Unfit,
}

/// What rules about the baseline compare with.
#[derive(Clone, Copy, Debug, Default)]
pub enum Against<'a> {
    /// The baseline variant of the same run, for which those rules are not.
    #[default]
    OwnBaseline,
    /// The baseline variant of the same run, which is the older version of the other one: no rule is
    /// for it, and sessions are compared with those of the same options.
    OlderVersion,
    /// The same variant of another run.
    Run {
        /// The other run.
        run: Run<'a>,
        /// Variants whose files are the same in both runs, measured again.
        again: &'a [Again<'a>],
    },
}

/// A run that measured one variant of two others again, as their files are the same in both: as two
/// variants that took turns, the baseline first.
#[derive(Clone, Copy, Debug)]
pub struct Again<'a> {
    /// Index into the variants of the run that is gated.
    pub variant: usize,
    /// The run, with the sessions of that variant in their order for each side.
    pub run: Run<'a>,
}

/// Whether times count that were measured while the machine was not fit to measure on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unfit {
    /// They decide nothing, but for ratios of sides that took turns: both had the same load, and
    /// the interval holds what that did to the ratio.
    #[default]
    DecidesNothing,
    /// They count as any others do.
    Counts,
}

impl<'a> From<Against<'a>> for Terms<'a> {
    fn from(against: Against<'a>) -> Self {
        Terms {
            against,
            unfit: Unfit::default(),
        }
    }
}

impl<'a> Against<'a> {
    /// The other run, where there is one.
    pub(super) fn run(self) -> Option<Run<'a>> {
        match self {
            Against::OwnBaseline | Against::OlderVersion => None,
            Against::Run { run, .. } => Some(run),
        }
    }
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
    /// Where it was measured under load; absent for figures without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadPlace>,
    /// Suffix of the batch size in the cell's name, such as `, seq 64, 4 requests in flight`; empty
    /// where no dimension is swept and one request is in flight. Under load, of the session's name.
    #[serde(skip)]
    pub place_words: Plain,
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
    /// Suffix of the batch size in the cell's name, such as `, seq 64, 4 requests in flight`; empty
    /// where no dimension is swept and one request is in flight.
    #[serde(skip)]
    pub place_words: Plain,
    /// Why it was not measured.
    pub reason: Plain,
}

pub(super) struct Runs<'a> {
    pub(super) run: Indexed<'a>,
    pub(super) terms: Terms<'a>,
    pub(super) other: Option<Other<'a>>,
}

pub(super) struct Indexed<'a> {
    pub(super) run: Run<'a>,
    pub(super) index: Index<'a>,
}

pub(super) struct Other<'a> {
    pub(super) compared: Indexed<'a>,
    pub(super) is_same_run: bool,
    /// By index of the variant.
    pub(super) again: BTreeMap<usize, Indexed<'a>>,
}

impl<'a> Indexed<'a> {
    fn new(run: Run<'a>) -> Self {
        Indexed {
            run,
            index: Index::new(run.record),
        }
    }
}

impl<'a> Runs<'a> {
    pub(super) fn new(run: Run<'a>, terms: Terms<'a>) -> Self {
        let other = match terms.against {
            Against::OwnBaseline | Against::OlderVersion => None,
            Against::Run { run: other, again } => Some(Other {
                compared: Indexed::new(other),
                is_same_run: run.record == other.record,
                again: again
                    .iter()
                    .map(|again| (again.variant, Indexed::new(again.run)))
                    .collect(),
            }),
        };
        Runs {
            run: Indexed::new(run),
            terms,
            other,
        }
    }

    pub(super) fn record(&self) -> &'a RunRecord {
        self.run.run.record
    }
}
