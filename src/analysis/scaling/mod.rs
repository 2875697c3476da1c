//! How latency, throughput and memory go with batch size and shape, and what an idle gap costs.
//!
//! Begin at [`Scaling`].

mod cliff;
mod curve;
mod first_run;
mod fit;
mod idle;
mod limit;
mod memory;
mod types;

pub(super) use curve::batch_curves;
pub(super) use idle::idle_gaps;
pub use types::{
    BatchFit, Cliff, CliffEvidence, Deviation, FirstRun, GapFindings, IdleFindings, MemoryFit, Scaling, Within,
    WithinLimit,
};

use std::collections::BTreeMap;

use super::findings::{BatchCurve, CellFindings};
use super::index::Index;
use crate::record::BlockRecord;

/// What every curve shows, in the order of the curves.
pub(super) fn scaling(index: &Index<'_>, cells: &[CellFindings], curves: &[BatchCurve]) -> Vec<Scaling> {
    let first_mode = index.record.plan.load_modes.first();
    let mut cliffs = cliff::cliffs(index, curves).into_iter();
    let of = |curve: &BatchCurve| {
        let is_first = Some(&curve.load_mode) == first_mode;
        Scaling {
            session: curve.session,
            shape: curve.shape,
            load_mode: curve.load_mode,
            knee: curve.knee(),
            fit: fit::fit(index, curve),
            limits: limit::within(index.record.plan.latency_limit_ns, cells, curve),
            cliffs: cliffs.next().unwrap_or_default(),
            memory: is_first.then(|| memory::fit(index, curve)),
            first_runs: if is_first { first_run::first_runs(index, curve) } else { Vec::new() },
        }
    };
    curves.iter().map(of).collect()
}

/// A figure of the blocks of each launch.
fn by_launch<T>(blocks: &[&BlockRecord], figure: impl Fn(&[&BlockRecord]) -> Option<T>) -> BTreeMap<u64, T> {
    let mut launches: BTreeMap<u64, Vec<&BlockRecord>> = BTreeMap::new();
    for &block in blocks {
        launches.entry(block.launch).or_default().push(block);
    }
    launches.into_iter().filter_map(|(launch, blocks)| Some((launch, figure(&blocks)?))).collect()
}
