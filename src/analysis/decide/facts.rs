//! Facts that a choice is made from, and the place of single predictions: the cells whose figures
//! are those of one prediction.

use std::collections::BTreeMap;

use crate::analysis::decide::conclusions::RejectionReason;
use crate::analysis::decide::judgement::{
    JudgedBy, MachineEffect, OutputsJudgement, OutputsStanding, machine_effect,
};
use crate::analysis::figures::index::Index;
use crate::analysis::figures::{BatchCurve, CellFindings, Cells, SessionFindings};
use crate::metric::Metric;
use crate::plan::{CellKey, Plan, Workload};

pub(in crate::analysis) struct Facts<'a> {
    pub(in crate::analysis) index: &'a Index<'a>,
    pub(in crate::analysis) sessions: &'a [SessionFindings],
    pub(in crate::analysis) cells: &'a Cells,
    pub(in crate::analysis) curves: &'a [BatchCurve],
    /// Of each session.
    pub(in crate::analysis) outputs: Vec<OutputsJudgement>,
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
        let outputs = &self.outputs[session];
        if outputs.standing != OutputsStanding::Refused {
            return None;
        }
        Some(match outputs.by {
            JudgedBy::NotFinite(_) => RejectionReason::NotFinite,
            JudgedBy::Score(_) => RejectionReason::AccuracyFell,
            JudgedBy::Agreement(_)
            | JudgedBy::DiffersBeyondNumbers(_)
            | JudgedBy::Identity
            | JudgedBy::Nothing => RejectionReason::OutputsDiffer,
        })
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

    /// Whether its outputs are good enough, and the machine allows to compare it.
    pub(super) fn may_ship(&self, session: usize) -> bool {
        let machine = machine_effect(self.index.record, session);
        self.usable(session)
            && self.outputs[session].standing == OutputsStanding::Kept
            && matches!(machine, MachineEffect::None | MachineEffect::Little)
    }

    pub(super) fn is_baseline(&self, session: usize) -> bool {
        self.index.baseline == Some(session)
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
