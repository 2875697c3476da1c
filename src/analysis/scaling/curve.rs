//! Throughput over batch sizes: which is the best, and from which on larger ones bring nothing.

use std::collections::BTreeMap;

use crate::analysis::figures::{BatchCurve, CellFindings, CurvePoint, SATURATION_SHARE, Support};
use crate::metric::Metric;
use crate::plan::{CellKey, LoadMode};

/// The curve of every session and load mode with at least one measured cell, in that order.
pub(in crate::analysis) fn batch_curves(cells: &[CellFindings]) -> Vec<BatchCurve> {
    let mut points: BTreeMap<(usize, usize, LoadMode), Vec<CurvePoint>> = BTreeMap::new();
    for cell in cells {
        let CellKey {
            session,
            shape,
            load_mode,
            ..
        } = cell.key;
        points
            .entry((session, shape, load_mode))
            .or_default()
            .extend(point(cell));
    }
    let curves = points.into_iter();
    curves
        .filter_map(|((session, shape, load_mode), points)| {
            curve(session, shape, load_mode, points)
        })
        .collect()
}

fn point(cell: &CellFindings) -> Option<CurvePoint> {
    Some(CurvePoint {
        batch_size: cell.key.batch_size,
        throughput_per_sec: cell.value(Metric::Throughput)?,
        latency_p50_ns: cell.value(Metric::LatencyP50)?,
        support: cell.support()?,
    })
}

fn curve(
    session: usize,
    shape: usize,
    load_mode: LoadMode,
    mut points: Vec<CurvePoint>,
) -> Option<BatchCurve> {
    points.sort_by_key(|point| point.batch_size);
    let best = best(points.iter())?.batch_size;
    let enough = enough(points.iter())?;
    let saturated = points.last().is_some_and(|last| last.batch_size > enough);
    Some(BatchCurve {
        session,
        shape,
        load_mode,
        best,
        enough,
        saturated,
        points,
    })
}

fn best<'a>(points: impl Iterator<Item = &'a CurvePoint>) -> Option<&'a CurvePoint> {
    points.max_by(|one, other| one.throughput_per_sec.total_cmp(&other.throughput_per_sec))
}

/// Of points in ascending order.
fn enough<'a>(mut points: impl Iterator<Item = &'a CurvePoint> + Clone) -> Option<u64> {
    let best = best(points.clone())?.throughput_per_sec;
    Some(
        points
            .find(|point| point.throughput_per_sec >= SATURATION_SHARE * best)?
            .batch_size,
    )
}

impl BatchCurve {
    /// The cell of a batch size.
    #[must_use]
    pub fn key(&self, batch_size: u64) -> CellKey {
        CellKey {
            session: self.session,
            shape: self.shape,
            batch_size,
            load_mode: self.load_mode,
        }
    }

    /// Like `enough`, among the batch sizes that a choice may be made of: those with an interval,
    /// if there are any, else those of enough inferences for a median. `None` where all have fewer.
    #[must_use]
    pub fn shown(&self) -> Option<u64> {
        let support = self.points.iter().map(|point| point.support).max()?;
        let of_support = self.points.iter().filter(|point| point.support == support);
        enough(of_support).filter(|_| support > Support::FewInferences)
    }

    /// The point of a batch size, if it was measured.
    #[must_use]
    pub fn point(&self, batch_size: u64) -> Option<&CurvePoint> {
        self.points
            .iter()
            .find(|point| point.batch_size == batch_size)
    }

    /// 0 for a batch size that is none of the curve's.
    pub(in crate::analysis) fn throughput(&self, batch_size: u64) -> f64 {
        self.point(batch_size)
            .map_or(0.0, |point| point.throughput_per_sec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve_of(throughputs: &[(u64, f64)]) -> BatchCurve {
        with_support(throughputs, |_| Support::Interval)
    }

    fn with_support(throughputs: &[(u64, f64)], support: fn(u64) -> Support) -> BatchCurve {
        let point = |&(batch_size, throughput_per_sec): &(u64, f64)| CurvePoint {
            batch_size,
            throughput_per_sec,
            latency_p50_ns: batch_size as f64 / throughput_per_sec * 1e9,
            support: support(batch_size),
        };
        curve(
            0,
            0,
            LoadMode::SINGLE,
            throughputs.iter().map(point).collect(),
        )
        .unwrap()
    }

    #[test]
    fn every_batch_size_is_in_the_curve_and_those_with_most_behind_them_are_shown() {
        const RATES: [(u64, f64); 4] = [(1, 40.0), (2, 50.0), (4, 106.0), (8, 143.0)];
        let only_single = |size| {
            if size == 1 {
                Support::Interval
            } else {
                Support::FewInferences
            }
        };
        let curve = with_support(&RATES, only_single);
        assert_eq!(
            (curve.best, curve.enough, curve.saturated, curve.shown()),
            (8, 8, false, Some(1))
        );
        let few = |size| {
            if size < 4 {
                Support::FewLaunches
            } else {
                Support::FewInferences
            }
        };
        assert_eq!(with_support(&RATES, few).shown(), Some(2));
        let up_to_two = |size| {
            if size < 4 {
                Support::Interval
            } else {
                Support::FewLaunches
            }
        };
        assert_eq!(with_support(&RATES, up_to_two).shown(), Some(2));
        assert_eq!(
            with_support(&RATES, |_| Support::FewInferences).shown(),
            None
        );
        assert_eq!(curve_of(&RATES).shown(), Some(8));
    }

    #[test]
    fn smallest_batch_near_the_best_is_enough_and_throughput_that_still_rises_has_not_saturated() {
        const RATES: [(u64, f64); 4] = [(1, 100.0), (2, 180.0), (4, 290.0), (8, 300.0)];
        for (rates, expected) in [(&RATES[..], (8, 4, true)), (&RATES[..3], (4, 4, false))] {
            let curve = curve_of(rates);
            assert_eq!(
                (curve.best, curve.enough, curve.saturated),
                expected,
                "{rates:?}"
            );
        }
    }
}
