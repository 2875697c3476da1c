//! What a model compared with itself says about the machine: the smallest difference that may be
//! claimed on it.

use serde::Serialize;

use super::figures::source::{OfCell, OfSession, Source, source};
use super::{Comparison, Estimate, Findings, Index, Interval, Measured};
use crate::metric::{Group, Metric};
use crate::plan::CellKey;
use crate::record::RunRecord;
use crate::stats::UnpairedRatio;
use crate::units::Ratio;

/// The smallest difference of one metric that may be claimed on a machine, from a run of a model
/// against itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SmallestClaim {
    /// The metric.
    pub metric: Metric,
    /// Whether neighbouring blocks were paired, or launches compared.
    pub pairing: Pairing,
    /// Copy / original, with its interval and n; 1 but for noise.
    pub ratio: Estimate,
    /// Changes within this share of 1 are not claimed on any machine; absent for a metric without a
    /// floor.
    pub noise_floor: Option<Ratio>,
    /// The smallest difference, as a share of 1 in the worse direction: the noise floor, or the end
    /// of the interval that is farther from 1, whichever is larger. Absent where the ratio has no
    /// interval.
    pub smallest_ratio: Option<Ratio>,
}

/// Kinds of observations that a ratio is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pairing {
    /// Neighbouring blocks of one alternation.
    Blocks,
    /// One value a launch on each side, in no order.
    Launches,
}

impl SmallestClaim {
    fn new(metric: Metric, pairing: Pairing, noise_floor: Option<Ratio>, ratio: Estimate) -> Self {
        let floor = noise_floor.unwrap_or_default();
        let smallest_ratio = ratio
            .interval()
            .map(|interval| Ratio(farther_end(interval).max(floor.0)));
        SmallestClaim {
            metric,
            pairing,
            ratio,
            noise_floor,
            smallest_ratio,
        }
    }
}

/// How far from 1 the farther end of a ratio is. Half is as far as double: ratios are compared by
/// their logarithms.
fn farther_end(interval: Interval) -> f64 {
    interval.high.max(1.0 / interval.low) - 1.0
}

/// The smallest claims that a run of one model against a copy of itself supports, metric by metric.
/// `None` if the run did not compare two sessions.
#[must_use]
pub fn null_test(record: &RunRecord, findings: &Findings) -> Option<Vec<SmallestClaim>> {
    let index = Index::new(record);
    let cell = findings
        .cells
        .iter()
        .find(|cell| cell.comparison.is_some())?;
    let comparison = cell.comparison.as_ref()?;
    let mut claims = paired(comparison);
    claims.extend(unpaired(&index, cell.key, comparison.baseline));
    Some(claims)
}

fn paired(comparison: &Comparison) -> Vec<SmallestClaim> {
    [
        (Metric::LatencyP50RatioToBaseline, &comparison.p50),
        (Metric::LatencyP10RatioToBaseline, &comparison.p10),
        (Metric::ThroughputRatioToBaseline, &comparison.throughput),
    ]
    .into_iter()
    .map(|(metric, change)| {
        let (floor, ratio) = (Some(change.noise_floor), change.ratio.clone());
        SmallestClaim::new(metric, Pairing::Blocks, floor, ratio)
    })
    .collect()
}

/// Figures that every launch has once: those of loading, and the peak of the memory.
fn unpaired(index: &Index<'_>, copy: CellKey, original: CellKey) -> Vec<SmallestClaim> {
    Group::Loading
        .metrics()
        .chain([Metric::PeakMemory])
        .map(|metric| {
            let (copy, original) = (values(index, metric, copy), values(index, metric, original));
            let ratio = of_launches(&copy, &original);
            SmallestClaim::new(metric, Pairing::Launches, metric.noise_floor(), ratio)
        })
        .collect()
}

fn values(index: &Index<'_>, metric: Metric, key: CellKey) -> Vec<f64> {
    match source(metric) {
        Source::Session(OfSession::Launches(value)) => index
            .launches(key.session)
            .iter()
            .filter_map(|launch| value(launch))
            .collect(),
        Source::Cell(OfCell::Launches(of)) => index
            .launch_cells(key)
            .iter()
            .filter_map(|(launch, cell)| (of.value)(launch, cell))
            .collect(),
        _ => Vec::new(),
    }
}

fn of_launches(copy: &[f64], original: &[f64]) -> Estimate {
    if copy.is_empty() || original.is_empty() {
        return Estimate::absent("no launch reported it");
    }
    let Some(found) = UnpairedRatio::of(copy, original).map(|unpaired| unpaired.ratio()) else {
        return Estimate::absent("a launch's value is not positive, so that it has no ratio");
    };
    Estimate::Measured(Measured::over_launches(&found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(copy: &[f64], original: &[f64], floor: f64) -> SmallestClaim {
        let ratio = of_launches(copy, original);
        SmallestClaim::new(
            Metric::SessionLoad,
            Pairing::Launches,
            Some(Ratio(floor)),
            ratio,
        )
    }

    #[test]
    fn the_farther_end_counts_in_either_direction() {
        // An interval that leaves 1 out is a false verdict about this machine, which the claim must
        // cover.
        for (low, high, end) in [(0.8, 1.1, 0.25), (0.99, 1.2, 0.2), (1.1, 1.2, 0.2)] {
            assert!(
                (farther_end(Interval { low, high }) - end).abs() < 1e-12,
                "{low} to {high}"
            );
        }
    }

    #[test]
    fn the_floor_or_noise_beyond_it_is_what_may_be_claimed() {
        assert_eq!(
            claim(&[2.0; 6], &[2.0; 6], 0.05).smallest_ratio,
            Some(Ratio(0.05)),
            "without noise"
        );
        let original = [1.0, 1.2, 0.9, 1.1, 1.0, 0.8];
        let claim = claim(&original, &original, 0.05);
        let smallest = claim.smallest_ratio.unwrap().0;
        let interval = claim.ratio.interval().unwrap();
        assert!(
            smallest > 0.05 && (smallest - farther_end(interval)).abs() < 1e-12,
            "{claim:?}"
        );
    }

    #[test]
    fn few_launches_support_no_claim_and_say_why_as_do_figures_that_none_has() {
        let few = claim(&[1.0; 5], &[1.0; 5], 0.05);
        assert_eq!(few.smallest_ratio, None);
        assert_eq!(
            few.ratio.measured().unwrap().remark,
            Some("no interval: needs 6 launches, has 5".into())
        );
        assert_eq!(
            claim(&[], &[1.0], 0.05).ratio,
            Estimate::absent("no launch reported it")
        );
        assert!(matches!(
            claim(&[0.0], &[1.0], 0.05).ratio,
            Estimate::Absent { .. }
        ));
    }
}
