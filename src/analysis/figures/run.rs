//! The figures of a run and of its sessions, before anything is concluded from them.

use std::collections::HashMap;
use std::ops::Deref;

use serde::Serialize;

use super::{AccuracyFindings, CellFindings, Estimate, Figure, find};
use crate::metric::Metric;
use crate::plan::CellKey;
use crate::record::Outcome;
use crate::text::Plain;

/// Figures of the sessions and the cells of a run.
#[derive(Clone, Copy, Debug)]
pub struct Figures<'a> {
    /// Each session, in the order of the plan.
    pub sessions: &'a [SessionFindings],
    /// Each cell of the plan.
    pub cells: &'a Cells,
}

/// Findings on one session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionFindings {
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions).
    pub session: usize,
    /// The variant's name, and what tells this session from the variant's other ones.
    pub label: String,
    /// Whether the others are compared with it.
    pub is_baseline: bool,
    /// Failed or skipped if nothing could be measured.
    pub outcome: Outcome,
    /// Launches that ended well.
    pub launches_count: u64,
    /// Launches that failed, those beside the rounds included.
    pub failed_launches_count: u64,
    /// Launches in all: those in the record, and those beside the rounds that failed.
    pub all_launches_count: u64,
    /// Why the first failed launch failed.
    pub launch_failure: Option<Plain>,
    /// Loading, memory, file size and accuracy.
    pub figures: Vec<Figure>,
    /// Accuracy of the outputs.
    pub accuracy: AccuracyFindings,
    /// Warnings that ONNX Runtime logged, over all launches that told.
    pub log_warnings_count: u64,
    /// Errors that ONNX Runtime logged, over all launches that told.
    pub log_errors_count: u64,
}

impl SessionFindings {
    /// The estimate of one of the session's figures.
    #[must_use]
    pub fn figure(&self, metric: Metric) -> Option<&Estimate> {
        find(&self.figures, metric)
    }

    pub(in crate::analysis) fn is_scored(&self) -> bool {
        Metric::SCORES
            .into_iter()
            .filter_map(|metric| self.figure(metric))
            .any(|score| score.measured().is_some())
    }
}

/// The cells of a plan, in the order of sessions, batch sizes and load modes; each is found by its
/// key.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Cells {
    found: Vec<CellFindings>,
    #[serde(skip)]
    places: HashMap<CellKey, usize>,
}

impl Cells {
    /// Findings on a cell; `None` of a cell that the plan does not have.
    #[must_use]
    pub fn at(&self, key: CellKey) -> Option<&CellFindings> {
        self.places.get(&key).map(|&place| &self.found[place])
    }

    pub(super) fn all_mut(&mut self) -> &mut [CellFindings] {
        &mut self.found
    }
}

impl From<Vec<CellFindings>> for Cells {
    fn from(found: Vec<CellFindings>) -> Self {
        let places = found
            .iter()
            .enumerate()
            .map(|(place, cell)| (cell.key, place))
            .collect();
        Cells { found, places }
    }
}

impl Deref for Cells {
    type Target = [CellFindings];

    fn deref(&self) -> &[CellFindings] {
        &self.found
    }
}

impl<'a> IntoIterator for &'a Cells {
    type Item = &'a CellFindings;
    type IntoIter = std::slice::Iter<'a, CellFindings>;

    fn into_iter(self) -> Self::IntoIter {
        self.found.iter()
    }
}
