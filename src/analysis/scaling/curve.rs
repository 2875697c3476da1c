//! Throughput over batch sizes: which is the best, and from which on larger ones bring nothing.

use std::collections::BTreeMap;

use crate::analysis::findings::{BatchCurve, CellFindings, CurvePoint, SATURATION_SHARE};
use crate::plan::{CellKey, LoadMode};
use crate::record::Metric;

/// The curve of every session and load mode with at least one measured cell, in that order.
pub(in crate::analysis) fn batch_curves(cells: &[CellFindings]) -> Vec<BatchCurve> {
    let mut points: BTreeMap<(usize, usize, LoadMode), Vec<CurvePoint>> = BTreeMap::new();
    for cell in cells {
        if let Some(point) = point(cell) {
            points.entry((cell.key.session, cell.key.shape, cell.key.load_mode)).or_default().push(point);
        }
    }
    points
        .into_iter()
        .filter_map(|((session, shape, load_mode), points)| curve((session, shape), load_mode, points))
        .collect()
}

fn point(cell: &CellFindings) -> Option<CurvePoint> {
    Some(CurvePoint {
        batch_size: cell.key.batch_size,
        throughput_per_sec: cell.value(Metric::Throughput)?,
        latency_p50_ns: cell.decisive_median()?,
    })
}

fn curve((session, shape): (usize, usize), load_mode: LoadMode, mut points: Vec<CurvePoint>) -> Option<BatchCurve> {
    points.sort_by_key(|point| point.batch_size);
    let best = *points.iter().max_by(|one, other| one.throughput_per_sec.total_cmp(&other.throughput_per_sec))?;
    let enough = points.iter().find(|point| point.throughput_per_sec >= SATURATION_SHARE * best.throughput_per_sec)?;
    let enough = enough.batch_size;
    let saturated = points.last().is_some_and(|last| last.batch_size > enough);
    Some(BatchCurve { session, shape, load_mode, best: best.batch_size, enough, saturated, points })
}

impl BatchCurve {
    /// The cell of a batch size.
    #[must_use]
    pub fn key(&self, batch_size: u64) -> CellKey {
        CellKey { session: self.session, shape: self.shape, batch_size, load_mode: self.load_mode }
    }

    /// The point of a batch size, if it was measured.
    #[must_use]
    pub fn point(&self, batch_size: u64) -> Option<&CurvePoint> {
        self.points.iter().find(|point| point.batch_size == batch_size)
    }

    /// Throughput at a batch size that is one of the curve's; 0 for any other.
    pub(in crate::analysis) fn throughput(&self, batch_size: u64) -> f64 {
        self.point(batch_size).map_or(0.0, |point| point.throughput_per_sec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve_of(throughputs: &[(u64, f64)]) -> BatchCurve {
        let point = |&(batch_size, throughput_per_sec): &(u64, f64)| CurvePoint {
            batch_size,
            throughput_per_sec,
            latency_p50_ns: batch_size as f64 / throughput_per_sec * 1e9,
        };
        curve((0, 0), LoadMode::Closed { concurrency: 1 }, throughputs.iter().map(point).collect()).unwrap()
    }

    #[test]
    fn smallest_batch_near_the_best_is_enough() {
        let curve = curve_of(&[(1, 100.0), (2, 180.0), (4, 290.0), (8, 300.0)]);
        assert_eq!((curve.best, curve.enough, curve.saturated), (8, 4, true));
    }

    #[test]
    fn throughput_that_still_rises_has_not_saturated() {
        let curve = curve_of(&[(1, 100.0), (2, 180.0), (4, 290.0)]);
        assert_eq!((curve.best, curve.enough, curve.saturated), (4, 4, false));
    }
}
