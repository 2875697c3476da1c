//! Where single predictions are: the cells that say what one prediction takes.

use std::collections::BTreeSet;

use crate::analysis::CellFindings;
use crate::plan::{Plan, Workload};

/// Where single predictions were measured: at the first shape and the smallest batch size there that anything was
/// measured at, both under the plan's first load mode; `None` where nothing was measured under it.
#[must_use]
pub fn single_place(plan: &Plan, cells: &[CellFindings]) -> Option<Workload> {
    let shape = *measured_shapes(plan, cells).first()?;
    single_place_at(plan, cells, shape)
}

pub(in crate::analysis) fn single_place_at(plan: &Plan, cells: &[CellFindings], shape: usize) -> Option<Workload> {
    singly_loaded(plan, cells)
        .map(|cell| cell.key.workload())
        .filter(|at| at.shape == shape)
        .min_by_key(|at| at.batch_size)
}

/// Ascending.
pub(in crate::analysis) fn measured_shapes(plan: &Plan, cells: &[CellFindings]) -> Vec<usize> {
    let shapes: BTreeSet<usize> = singly_loaded(plan, cells).map(|cell| cell.key.shape).collect();
    shapes.into_iter().collect()
}

fn singly_loaded<'a>(plan: &Plan, cells: &'a [CellFindings]) -> impl Iterator<Item = &'a CellFindings> + use<'a> {
    let first = plan.load_modes.first().copied();
    cells.iter().filter(move |cell| cell.outcome.is_ok() && Some(cell.key.load_mode) == first)
}
