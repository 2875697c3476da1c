//! A cell against the baseline's: neighbours in one alternation, then rounds, then a verdict.

use std::collections::HashMap;

use super::figures::{CellFindings, Change, Comparison, Verdict};
use super::figures::{Counted, Estimate, Interval, Measured};
use super::index::Index;
use crate::metric::{Direction, Metric};
use crate::plan::CellKey;
use crate::record::{BlockRecord, Pairs};
use crate::stats::{self, END_ERROR, Evidence, PairedRatio, Relation, UnpairedRatio, relations};
use crate::units::Ratio;

/// The cell at `key` against the baseline's of the same batch size and load mode; `None` where there is none, or
/// where no alternation holds blocks of both.
pub(super) fn to_baseline(index: &Index<'_>, key: CellKey) -> Option<Comparison> {
    let baseline = baseline_of(index, key)?;
    let pairs = Pairs::new(index.blocks(key), index.blocks(baseline));
    let change = |metric, figure: fn(&BlockRecord) -> f64| Change::paired(metric, &pairs.log_ratios(figure));
    Some(Comparison {
        baseline,
        p50: change(Metric::LatencyP50RatioToBaseline, |block| block.median_ns.as_f64())?,
        p10: change(Metric::LatencyP10RatioToBaseline, |block| block.p10_ns.as_f64())?,
        throughput: change(Metric::ThroughputRatioToBaseline, |block| {
            block.inferences_count as f64 / block.elapsed_ns.as_secs_f64()
        })?,
        worse_tail: false,
    })
}

/// The change of the median between two cells that took turns, not judged yet; `None` if there is no ratio.
pub(super) fn median_change(pairs: &Pairs<'_>) -> Option<Change> {
    Change::paired(Metric::LatencyP50RatioToBaseline, &pairs.log_ratios(|block| block.median_ns.as_f64()))
}

fn baseline_of(index: &Index<'_>, key: CellKey) -> Option<CellKey> {
    let session = index.baseline.filter(|&session| session != key.session)?;
    Some(CellKey { session, ..key })
}

/// Why a measured cell has no ratio to the baseline.
pub(super) fn why_not(index: &Index<'_>, key: CellKey) -> &'static str {
    match index.baseline {
        None => "the run has no baseline session",
        Some(session) if session == key.session => "this is the baseline",
        Some(_) => "the baseline has no blocks beside this cell's",
    }
}

impl Change {
    /// The change that rounds of log-ratios show, not judged yet; `None` if there is no ratio.
    pub(super) fn paired(metric: Metric, rounds: &[Vec<f64>]) -> Option<Self> {
        let paired = PairedRatio::of(rounds)?;
        let found = paired.ratio();
        let noise_floor = floor(metric);
        let evidence = paired.evidence(noise_floor.0.ln_1p());
        let settling = paired.more_rounds_for(settling_half_width(found.value, noise_floor));
        Some(Change { rounds_forecast: settling, ..Change::unsettled(&found, noise_floor, evidence) })
    }

    /// The change between launches that did not take turns, one value a launch, not judged yet; `None` if a value is
    /// not positive, or one side has none.
    pub(super) fn unpaired(metric: Metric, candidate: &[f64], baseline: &[f64]) -> Option<Self> {
        let unpaired = UnpairedRatio::of(candidate, baseline)?;
        let noise_floor = floor(metric);
        let evidence = unpaired.evidence(noise_floor.0.ln_1p());
        Some(Change::unsettled(&unpaired.ratio(), noise_floor, evidence))
    }

    /// The change between two values that carry no noise, not judged yet; `None` if one of them is not positive.
    pub(super) fn exact(candidate: &Measured, baseline: &Measured) -> Option<Self> {
        let centre = (candidate.value / baseline.value).ln();
        let differs = candidate.value != baseline.value;
        let probability = |holds: bool| if holds { 0.0 } else { 1.0 };
        centre.is_finite().then(|| Change {
            ratio: Estimate::exact(centre.exp(), candidate.n, candidate.n_of),
            noise_floor: Ratio(0.0),
            verdict: Verdict::Inconclusive,
            rounds_to_settle: None,
            rounds_forecast: None,
            evidence: Evidence { centre, floor: 0.0, p_different: probability(differs), p_same: probability(!differs) },
        })
    }

    fn unsettled(found: &stats::Estimate, noise_floor: Ratio, evidence: Evidence) -> Self {
        let interval = found.interval.as_ref().ok().map(|interval| Interval { low: interval.low, high: interval.high });
        let ratio = Estimate::Measured(Measured {
            value: found.value,
            interval,
            range: None,
            n: found.n,
            n_of: Counted::Launches,
            bounds: None,
            remark: found.interval.err().map(|too_few| format!("no interval: {too_few}").into()),
        });
        Change {
            ratio,
            noise_floor,
            verdict: Verdict::Inconclusive,
            rounds_to_settle: None,
            evidence,
            rounds_forecast: None,
        }
    }

    /// Takes the verdict that a relation amounts to; once there is one, nothing is left to settle.
    fn settle(&mut self, metric: Metric, relation: Relation) {
        self.verdict = Verdict::of(relation, metric.direction());
        // A forecast of none is wrong where the verdict is open: the interval is narrow enough, but lopsided.
        let open = self.verdict == Verdict::Inconclusive;
        self.rounds_to_settle = self.rounds_forecast.filter(|&rounds| open && rounds > 0);
    }
}

/// The noise floor of a metric; without one, any change whose interval excludes 1 counts.
fn floor(metric: Metric) -> Ratio {
    metric.noise_floor().unwrap_or_default()
}

/// Judges changes of one metric together, so that the share of false verdicts among those given stays within `error`.
pub(super) fn judge(metric: Metric, changes: &mut [&mut Change], error: f64) {
    let evidence: Vec<Evidence> = changes.iter().map(|change| change.evidence).collect();
    for (change, relation) in changes.iter_mut().zip(relations(&evidence, error)) {
        change.settle(metric, relation);
    }
}

impl Verdict {
    /// What a relation to the baseline amounts to for a metric of which less, or more, is better.
    #[must_use]
    pub fn of(relation: Relation, direction: Direction) -> Self {
        match (relation, direction) {
            (Relation::Same, _) => Verdict::Same,
            (Relation::Undecided, _) => Verdict::Inconclusive,
            (Relation::Below, Direction::Higher) | (Relation::Above, Direction::Lower | Direction::Neutral) => {
                Verdict::Slower
            }
            (Relation::Above, Direction::Higher) | (Relation::Below, Direction::Lower | Direction::Neutral) => {
                Verdict::Faster
            }
        }
    }
}

/// One of the changes of a comparison.
type ChangeOf = fn(&mut Comparison) -> &mut Change;

/// Judges all comparisons of a metric together, so that the share of false verdicts among those given stays bounded.
pub(super) fn judge_together(cells: &mut [CellFindings]) {
    let families: [(Metric, ChangeOf); 3] = [
        (Metric::LatencyP50RatioToBaseline, |comparison| &mut comparison.p50),
        (Metric::LatencyP10RatioToBaseline, |comparison| &mut comparison.p10),
        (Metric::ThroughputRatioToBaseline, |comparison| &mut comparison.throughput),
    ];
    for (metric, change_of) in families {
        let mut changes: Vec<&mut Change> =
            cells.iter_mut().filter_map(|cell| cell.comparison.as_mut()).map(change_of).collect();
        judge(metric, &mut changes, END_ERROR);
    }
}

/// The relative half-width at which the verdict on a ratio that stays where it is would be settled: small enough to
/// exclude 1 if the change exceeds the floor, else small enough to lie within the floor.
fn settling_half_width(ratio: f64, noise_floor: Ratio) -> f64 {
    let floor = noise_floor.0.ln_1p();
    let change = ratio.ln().abs();
    if change > floor { change } else { floor - change }
}

/// Marks the cells whose 99th percentile is worse than the baseline's although their median is not: its whole interval
/// lies above the baseline's by more than the metric's noise floor.
pub(super) fn mark_worse_tails(cells: &mut [CellFindings], places: &HashMap<CellKey, usize>) {
    let p99 = |cell: &CellFindings| cell.figure(Metric::LatencyP99).and_then(Estimate::interval);
    let floor = 1.0 + Metric::LatencyP99.noise_floor().unwrap_or_default().0;
    let worse: Vec<bool> = cells
        .iter()
        .map(|cell| {
            let Some(comparison) = &cell.comparison else { return false };
            let baseline = places.get(&comparison.baseline).and_then(|&place| p99(&cells[place]));
            let apart = p99(cell).zip(baseline).is_some_and(|(own, base)| own.low > base.high * floor);
            apart && comparison.p50.verdict != Verdict::Slower
        })
        .collect();
    for (cell, worse) in cells.iter_mut().zip(worse) {
        if let Some(comparison) = &mut cell.comparison {
            comparison.worse_tail = worse;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The change that eight rounds of two pairs give, each pair off by up to `noise` from `ratio`.
    fn change_of(metric: Metric, ratio: f64, noise: f64) -> Change {
        let pair = |round: u64, sign: f64| ratio.ln() + sign * noise * (round as f64 - 3.5) / 3.5;
        let rounds: Vec<Vec<f64>> = (0..8).map(|round| vec![pair(round, 1.0), pair(round, 0.9)]).collect();
        let mut change = Change::paired(metric, &rounds).unwrap();
        change.settle(metric, change.evidence.relation(END_ERROR));
        change
    }

    fn latency(ratio: f64, noise: f64) -> Change {
        change_of(Metric::LatencyP50RatioToBaseline, ratio, noise)
    }

    #[test]
    fn half_the_latency_is_faster_and_half_the_throughput_slower() {
        assert_eq!(latency(0.5, 0.01).verdict, Verdict::Faster);
        assert_eq!(latency(2.0, 0.01).verdict, Verdict::Slower);
        assert_eq!(change_of(Metric::ThroughputRatioToBaseline, 0.5, 0.01).verdict, Verdict::Slower);
        assert_eq!(change_of(Metric::ThroughputRatioToBaseline, 2.0, 0.01).verdict, Verdict::Faster);
    }

    #[test]
    fn sure_change_within_the_noise_floor_is_the_same() {
        let change = latency(0.99, 0.002);
        assert!(change.ratio.interval().unwrap().high < 1.0, "{change:?}");
        assert_eq!(change.verdict, Verdict::Same);
    }

    #[test]
    fn wide_interval_settles_nothing_and_says_what_would() {
        let change = latency(0.95, 0.2);
        assert_eq!(change.verdict, Verdict::Inconclusive);
        assert!(change.rounds_to_settle.unwrap() > 8, "{change:?}");
        assert_eq!(latency(0.5, 0.01).rounds_to_settle, None);
    }

    #[test]
    fn interval_that_ends_just_beyond_the_floor_is_not_the_same() {
        assert_eq!(latency(1.0, 0.005).verdict, Verdict::Same);
        assert_eq!(latency(1.01, 0.03).verdict, Verdict::Inconclusive);
    }
}
