//! A curve launch by launch.

use crate::analysis::figures::over_launches::{median_of_blocks, per_launch, predictions_per_sec};
use crate::analysis::{BatchCurve, Index};
use crate::record::BlockRecord;

pub(super) struct CurveLaunches<'a> {
    pub(super) curve: &'a BatchCurve,
    /// In the order of the curve's points, each ascending by launch.
    pub(super) points: Vec<(u64, Vec<LaunchPoint>)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LaunchPoint {
    pub(super) launch: u64,
    /// Median of its blocks' medians, in nanoseconds.
    pub(super) median_ns: f64,
    /// Predictions per second over its blocks.
    pub(super) throughput_per_sec: f64,
}

impl LaunchPoint {
    /// Kleinrock's power: throughput over latency.
    pub(super) fn power(&self) -> f64 {
        self.throughput_per_sec / self.median_ns
    }
}

impl<'a> CurveLaunches<'a> {
    pub(super) fn of(index: &Index<'_>, curve: &'a BatchCurve) -> Self {
        let points = curve.points.iter().map(|point| {
            let blocks = index.blocks(curve.key(point.batch_size));
            (point.batch_size, launch_points(blocks))
        });
        CurveLaunches {
            curve,
            points: points.collect(),
        }
    }

    /// Nothing for a batch size that is none of the curve's.
    pub(super) fn at(&self, batch_size: u64) -> &[LaunchPoint] {
        let mut points = self.points.iter();
        points
            .find(|(size, _)| *size == batch_size)
            .map_or(&[], |(_, launches)| launches)
    }
}

pub(super) fn launch_points(blocks: &[&BlockRecord]) -> Vec<LaunchPoint> {
    per_launch(blocks, |blocks| {
        Some(LaunchPoint {
            launch: blocks.first()?.launch,
            median_ns: median_of_blocks(blocks, |block| block.median_ns)?,
            throughput_per_sec: predictions_per_sec(blocks)?,
        })
    })
}

/// One pair of each launch that measured both.
pub(super) fn in_common<'a>(
    one: &'a [LaunchPoint],
    other: &'a [LaunchPoint],
) -> impl Iterator<Item = (&'a LaunchPoint, &'a LaunchPoint)> {
    one.iter().filter_map(|own| {
        Some((
            own,
            &other[other
                .binary_search_by_key(&own.launch, |point| point.launch)
                .ok()?],
        ))
    })
}
