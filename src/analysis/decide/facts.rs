//! Facts that a choice is made from, and the place of single predictions: the cells whose figures
//! are those of one prediction.

use std::collections::BTreeMap;

use crate::analysis::decide::conclusions::RejectionReason;
use crate::analysis::figures::index::Index;
use crate::analysis::figures::{
    AccuracyChange, AccuracyVerdict, BatchCurve, CellFindings, Cells, SessionFindings,
};
use crate::metric::{Direction, Metric};
use crate::plan::{CellKey, Plan, Workload};

/// Loss of a score that is a share up to which a variant may be shipped: a tenth of a point, one
/// sample in a thousand.
pub const SHARE_LOSS_FLOOR: f64 = 0.001;

/// Growth of an error up to which a variant may be shipped, as a share of what it was.
pub const ERROR_LOSS_FLOOR: f64 = 0.01;

/// Share of samples on which a variant without labels must agree with the baseline to pass as the
/// same model: one disagreement in a hundred is about what a quantized image classifier shows.
pub const AGREEMENT_FLOOR: f64 = 0.99;

pub(in crate::analysis) struct Facts<'a> {
    pub(in crate::analysis) index: &'a Index<'a>,
    pub(in crate::analysis) sessions: &'a [SessionFindings],
    pub(in crate::analysis) cells: &'a Cells,
    pub(in crate::analysis) curves: &'a [BatchCurve],
}

impl Facts<'_> {
    /// At the first shape at which anything was measured.
    pub(super) fn single(&self) -> Vec<&CellFindings> {
        self.at(self.single_places().into_values().next())
    }

    pub(super) fn single_at(&self, shape: usize) -> Vec<&CellFindings> {
        self.at(self.single_places().remove(&shape))
    }

    fn single_places(&self) -> BTreeMap<usize, Workload> {
        single_places(&self.index.record.plan, self.cells)
    }

    fn at(&self, place: Option<Workload>) -> Vec<&CellFindings> {
        self.cells
            .iter()
            .filter(|cell| cell.outcome.is_ok() && Some(cell.key.workload()) == place)
            .collect()
    }

    pub(super) fn measured_shapes(&self) -> Vec<usize> {
        self.single_places().into_keys().collect()
    }

    pub(in crate::analysis) fn cell(&self, key: CellKey) -> Option<&CellFindings> {
        self.cells.at(key)
    }

    pub(super) fn rejection(&self, session: usize) -> Option<RejectionReason> {
        let found = &self.sessions[session];
        if let Some(reason) = found.outcome.reason() {
            return Some(RejectionReason::NotMeasured(reason.to_owned()));
        }
        if !found.accuracy.unhealthy_outputs.is_empty() {
            return Some(RejectionReason::NotFinite);
        }
        found
            .accuracy
            .change
            .as_ref()
            .is_some_and(|change| {
                change.verdict == AccuracyVerdict::Worse
                    && self
                        .loss(change)
                        .is_none_or(|loss| loss > loss_floor(change))
            })
            .then_some(RejectionReason::AccuracyFell)
    }

    /// A share in itself, an error as a share of the baseline's.
    pub(super) fn loss(&self, change: &AccuracyChange) -> Option<f64> {
        let difference = change.difference.value()?;
        if change.metric.direction() == Direction::Higher {
            return Some(-difference);
        }
        Some(
            difference
                / self.sessions[self.index.baseline?]
                    .figure(change.metric)?
                    .value()?,
        )
    }

    pub(in crate::analysis) fn size_factor(&self, session: usize) -> Option<f64> {
        Some(self.file_size(self.index.baseline?)? / self.file_size(session)?)
    }

    /// In bytes.
    fn file_size(&self, session: usize) -> Option<f64> {
        self.sessions[session].figure(Metric::FileSize)?.value()
    }

    pub(super) fn usable(&self, session: usize) -> bool {
        self.rejection(session).is_none()
    }

    pub(super) fn is_baseline(&self, session: usize) -> bool {
        self.index.baseline == Some(session)
    }
}

/// Up to this a loss is let pass though it is significant: with many samples, any rounding is.
fn loss_floor(change: &AccuracyChange) -> f64 {
    match change.metric.direction() {
        Direction::Higher => SHARE_LOSS_FLOOR,
        _ => ERROR_LOSS_FLOOR,
    }
}

/// Where single predictions were measured: at the first shape and the smallest batch size there
/// that anything was measured at, both under the plan's first load mode; `None` where nothing was
/// measured under it.
#[must_use]
pub fn single_place(plan: &Plan, cells: &[CellFindings]) -> Option<Workload> {
    single_places(plan, cells).into_values().next()
}

/// By shape: at the smallest batch size that anything was measured at under the plan's first load
/// mode.
fn single_places(plan: &Plan, cells: &[CellFindings]) -> BTreeMap<usize, Workload> {
    let first = plan.load_modes.first();
    let mut places: Vec<Workload> = cells
        .iter()
        .filter(|cell| cell.outcome.is_ok() && Some(&cell.key.load_mode) == first)
        .map(|cell| cell.key.workload())
        .collect();
    places.sort_by_key(|at| std::cmp::Reverse(at.batch_size));
    places.into_iter().map(|at| (at.shape, at)).collect()
}
