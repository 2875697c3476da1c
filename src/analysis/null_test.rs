//! The smallest difference that may be claimed on a machine, from a model compared with itself.

use serde::Serialize;

use super::figures::source::{OfCell, OfSession, Source, source};
use super::{Change, Comparison, Estimate, Findings, Index, Interval, Measured};
use crate::metric::{Group, Metric};
use crate::observed::Observed;
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
    /// What was compared with what.
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
    /// The latencies of all launches, of which those of one round belong together.
    Rounds,
    /// One value a launch on each side, in no order.
    Launches,
}

impl SmallestClaim {
    fn new(metric: Metric, pairing: Pairing, ratio: Estimate) -> Self {
        let floor = metric.noise_floor().unwrap_or_default();

        let end = ratio.interval().map(farther_end);
        SmallestClaim {
            metric,
            pairing,
            ratio,
            noise_floor: metric.noise_floor(),
            smallest_ratio: end.map(|end| Ratio(end.max(floor.0))),
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
    let (key, comparison) = findings
        .cells
        .iter()
        .find_map(|cell| Some((cell.key, cell.comparison.as_ref()?)))?;
    let mut claims = paired(comparison);
    claims.extend(unpaired(&index, key, comparison.baseline));
    Some(claims)
}

fn paired(comparison: &Comparison) -> Vec<SmallestClaim> {
    vec![
        of_blocks(Metric::LatencyP50RatioToBaseline, &comparison.p50),
        of_blocks(Metric::LatencyP10RatioToBaseline, &comparison.p10),
        SmallestClaim::new(
            Metric::LatencyP99RatioToBaseline,
            Pairing::Rounds,
            of_tails(&comparison.p99),
        ),
        of_blocks(Metric::ThroughputRatioToBaseline, &comparison.throughput),
    ]
}

fn of_blocks(metric: Metric, change: &Change) -> SmallestClaim {
    SmallestClaim::new(metric, Pairing::Blocks, change.ratio.clone())
}

fn of_tails(p99: &Observed<Change>) -> Estimate {
    match p99 {
        Ok(change) => change.ratio.clone(),
        Err(reason) => Estimate::absent(reason.clone()),
    }
}

/// Figures that every launch has once: those of loading, and the peak of the memory.
fn unpaired(index: &Index<'_>, copy: CellKey, original: CellKey) -> Vec<SmallestClaim> {
    Group::Loading
        .metrics()
        .chain([Metric::PeakMemory])
        .map(|metric| {
            let (copy, original) = (values(index, metric, copy), values(index, metric, original));
            SmallestClaim::new(metric, Pairing::Launches, of_launches(&copy, &original))
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
        Source::Cell(OfCell::Launches(value, _)) => index
            .launch_cells(key)
            .iter()
            .filter_map(|(launch, cell)| value(launch, cell))
            .collect(),
        _ => Vec::new(),
    }
}

fn of_launches(copy: &[f64], original: &[f64]) -> Estimate {
    match UnpairedRatio::of(copy, original) {
        _ if copy.is_empty() || original.is_empty() => Estimate::absent("no launch reported it"),
        Some(unpaired) => Estimate::Measured(Measured::over_launches(&unpaired.ratio())),
        None => Estimate::absent("a launch's value is not positive, so that it has no ratio"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(copy: &[f64], original: &[f64]) -> SmallestClaim {
        let ratio = of_launches(copy, original);
        SmallestClaim::new(Metric::SessionLoad, Pairing::Launches, ratio)
    }

    #[test]
    fn the_farther_end_counts_in_either_direction() {
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
            claim(&[2.0; 6], &[2.0; 6]).smallest_ratio,
            Some(Ratio(0.05))
        );
        let original = [1.0, 1.2, 0.9, 1.1, 1.0, 0.8];
        let claim = claim(&original, &original);
        let smallest = claim.smallest_ratio.unwrap().0;
        assert!(
            smallest > 0.05
                && (smallest - farther_end(claim.ratio.interval().unwrap())).abs() < 1e-12,
            "{claim:?}"
        );
    }

    #[test]
    fn few_launches_support_no_claim_and_say_why_as_do_figures_that_none_has() {
        let few = claim(&[1.0; 5], &[1.0; 5]);
        assert_eq!(few.smallest_ratio, None);
        assert_eq!(
            few.ratio.measured().unwrap().remark.as_ref().unwrap(),
            "no interval: needs 6 launches, has 5"
        );
        assert_eq!(
            claim(&[], &[1.0]).ratio,
            Estimate::absent("no launch reported it")
        );
        assert_eq!(claim(&[0.0], &[1.0]).ratio.measured(), None);
    }
}
