//! Throughput over batch sizes: which is the best, and from which on larger ones bring nothing.

use std::collections::BTreeMap;

use crate::analysis::figures::{BatchCurve, CellFindings, CurvePoint, SATURATION_SHARE, Support};
use crate::metric::Metric;
use crate::plan::{CellKey, LoadMode};

/// The curve of every session and load mode with at least one measured cell, in that order.
pub(in crate::analysis) fn batch_curves(cells: &[CellFindings]) -> Vec<BatchCurve> {
    let mut points: BTreeMap<(usize, usize, LoadMode), Vec<CurvePoint>> = BTreeMap::new();
    for cell in cells {
        points
            .entry((cell.key.session, cell.key.shape, cell.key.load_mode))
            .or_default()
            .extend(point(cell));
    }
    points
        .into_iter()
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
    Some(BatchCurve {
        session,
        shape,
        load_mode,
        best,
        enough,
        saturated: points.last().is_some_and(|last| last.batch_size > enough),
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
        enough(self.points.iter().filter(|point| point.support == support))
            .filter(|_| support > Support::FewInferences)
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

    fn curve_of(throughputs: &[(u64, f64)], supports: [Support; 4]) -> BatchCurve {
        let points = throughputs.iter().zip(supports);
        let points = points.map(|(&(batch_size, throughput_per_sec), support)| CurvePoint {
            batch_size,
            throughput_per_sec,
            latency_p50_ns: batch_size as f64 / throughput_per_sec * 1e9,
            support,
        });
        curve(0, 0, LoadMode::SINGLE, points.collect()).unwrap()
    }

    #[test]
    fn every_batch_size_is_in_the_curve_and_those_with_most_behind_them_are_shown() {
        use Support::{FewInferences, FewLaunches, Interval};
        const RATES: [(u64, f64); 4] = [(1, 40.0), (2, 50.0), (4, 106.0), (8, 143.0)];
        for (supports, shown) in [
            (
                [Interval, FewInferences, FewInferences, FewInferences],
                Some(1),
            ),
            (
                [FewLaunches, FewLaunches, FewInferences, FewInferences],
                Some(2),
            ),
            ([Interval, Interval, FewLaunches, FewLaunches], Some(2)),
            ([FewInferences; 4], None),
            ([Interval; 4], Some(8)),
        ] {
            let curve = curve_of(&RATES, supports);
            assert_eq!((curve.best, curve.enough, curve.saturated), (8, 8, false));
            assert_eq!(curve.shown(), shown, "{supports:?}");
        }
    }

    #[test]
    fn smallest_batch_near_the_best_is_enough_and_throughput_that_still_rises_has_not_saturated() {
        const RATES: [(u64, f64); 4] = [(1, 100.0), (2, 180.0), (4, 290.0), (8, 300.0)];
        for (rates, expected) in [(&RATES[..], (8, 4, true)), (&RATES[..3], (4, 4, false))] {
            let BatchCurve {
                best,
                enough,
                saturated,
                ..
            } = curve_of(rates, [Support::Interval; 4]);
            assert_eq!((best, enough, saturated), expected, "{rates:?}");
        }
    }
}
