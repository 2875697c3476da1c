//! How latency, throughput and memory go with batch size and shape, and what an idle gap costs.
//!
//! Begin at [`Scaling`].

mod cliff;
mod curve;
mod first_run;
mod idle;
mod knee;
mod limit;
mod line;
mod memory;
mod types;

pub(super) use cliff::throughput_change;
pub(super) use curve::batch_curves;
pub(super) use idle::idle_gaps;
pub use line::LINE_TOLERANCE;
pub use types::{
    BatchFit, Cliff, CliffEvidence, CliffSign, Deviation, FirstRun, GapFindings, IdleFindings, Knee, KneePlace,
    MemoryFit, Scaling, Within, WithinLimit,
};

use super::decide::facts::Facts;
use super::figures::BatchCurve;
use crate::analysis::figures::index::Index;
use crate::analysis::figures::over_launches::{median_of_blocks, per_launch, predictions_per_sec};
use crate::record::BlockRecord;

/// What every curve shows, in the order of the curves.
pub(super) fn scaling(facts: &Facts<'_>) -> Vec<Scaling> {
    let first_mode = facts.index.record.plan.load_modes.first();
    let curves: Vec<CurveLaunches<'_>> =
        facts.curves.iter().map(|curve| CurveLaunches::of(facts.index, curve)).collect();
    let mut cliffs = cliff::cliffs(facts.index, &curves).into_iter();
    let of = |launches: &CurveLaunches<'_>| {
        let curve = launches.curve;
        let is_first = Some(&curve.load_mode) == first_mode;
        Scaling {
            session: curve.session,
            shape: curve.shape,
            load_mode: curve.load_mode,
            knee: knee::knee(launches),
            fit: line::fit(facts, launches),
            limits: limit::within(facts, curve),
            cliffs: cliffs.next().unwrap_or_default(),
            memory: is_first.then(|| memory::fit(facts.index, curve)),
            first_runs: if is_first { first_run::first_runs(facts.index, launches) } else { Vec::new() },
        }
    };
    curves.iter().map(of).collect()
}

/// A curve with what each launch measured at its batch sizes.
struct CurveLaunches<'a> {
    curve: &'a BatchCurve,
    /// In the order of the curve's points, launch by launch in ascending order.
    points: Vec<Vec<LaunchPoint>>,
}

/// What one launch measured at one batch size.
#[derive(Clone, Copy, Debug, PartialEq)]
struct LaunchPoint {
    launch: u64,
    /// Median of its blocks' medians, in nanoseconds.
    median_ns: f64,
    /// Predictions per second over its blocks.
    throughput_per_sec: f64,
}

impl<'a> CurveLaunches<'a> {
    fn of(index: &Index<'_>, curve: &'a BatchCurve) -> Self {
        let points = curve.points.iter().map(|point| launch_points(index.blocks(curve.key(point.batch_size))));
        CurveLaunches { curve, points: points.collect() }
    }

    /// Batch sizes with what their launches measured.
    fn batch_sizes(&self) -> impl Iterator<Item = (u64, &[LaunchPoint])> {
        self.curve.points.iter().map(|point| point.batch_size).zip(self.points.iter().map(Vec::as_slice))
    }

    /// What the launches of a batch size measured; nothing for one that is none of the curve's.
    fn at(&self, batch_size: u64) -> &[LaunchPoint] {
        self.batch_sizes().find(|(size, _)| *size == batch_size).map_or(&[], |(_, launches)| launches)
    }
}

fn launch_points(blocks: &[&BlockRecord]) -> Vec<LaunchPoint> {
    let point = |blocks: &[&BlockRecord]| {
        Some(LaunchPoint {
            launch: blocks.first()?.launch,
            median_ns: median_of_blocks(blocks, |block| block.median_ns)?,
            throughput_per_sec: predictions_per_sec(blocks)?,
        })
    };
    let mut points = per_launch(blocks, point);
    points.sort_by_key(|point| point.launch);
    points
}

/// What two batch sizes have in each launch that measured both.
fn in_common<'a>(
    one: &'a [LaunchPoint],
    other: &'a [LaunchPoint],
) -> impl Iterator<Item = (&'a LaunchPoint, &'a LaunchPoint)> {
    one.iter().filter_map(|own| {
        let place = other.binary_search_by_key(&own.launch, |point| point.launch).ok()?;
        Some((own, &other[place]))
    })
}
