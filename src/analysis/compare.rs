//! A cell against the baseline's: neighbours in one alternation, then rounds, then a verdict.

use std::collections::HashMap;

use super::estimate::{Counted, Estimate, Interval, Measured};
use super::findings::{CellFindings, Change, Comparison, Verdict};
use super::index::Index;
use crate::plan::CellKey;
use crate::record::{BlockRecord, Direction, Metric, Pairs};
use crate::stats::{self, PairedRatio};
use crate::units::Ratio;

/// The cell at `key` against the baseline's of the same batch size and load mode; `None` where there is none, or
/// where no alternation holds blocks of both.
pub(super) fn to_baseline(index: &Index<'_>, key: CellKey) -> Option<Comparison> {
    let baseline = baseline_of(index, key)?;
    let pairs = Pairs::new(index.blocks(key), index.blocks(baseline));
    let change = |metric, figure: fn(&BlockRecord) -> f64| change(metric, &pairs.log_ratios(figure));
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

fn change(metric: Metric, rounds: &[Vec<f64>]) -> Option<Change> {
    let paired = stats::paired_ratio(rounds)?;
    // Ratios to the baseline all have a floor; without one, any change whose interval excludes 1 counts.
    let noise_floor = metric.noise_floor().unwrap_or(Ratio(0.0));
    let verdict = verdict(&paired, noise_floor, metric.direction());
    let ratio = Estimate::Measured(Measured {
        value: paired.ratio.value,
        interval: paired.interval().map(|interval| Interval { low: interval.low, high: interval.high }),
        range: None,
        n: paired.ratio.n,
        n_of: Counted::Launches,
        remark: paired.ratio.interval.as_ref().err().map(|too_few| format!("no interval: {too_few}")),
    });
    let rounds_to_settle = match verdict {
        Verdict::Inconclusive => paired.more_rounds_for(settling_half_width(paired.ratio.value, noise_floor)),
        _ => None,
    };
    Some(Change { ratio, noise_floor, verdict, rounds_to_settle })
}

/// What a ratio to the baseline amounts to: better or worse only if the interval excludes 1 *and* the change exceeds
/// the noise floor; the same if the whole interval lies within the floor.
fn verdict(paired: &PairedRatio, noise_floor: Ratio, direction: Direction) -> Verdict {
    let Some(interval) = paired.interval() else { return Verdict::Inconclusive };
    let floor = noise_floor.0.ln_1p();
    let beyond = paired.ratio.value.ln().abs() > floor;
    if interval.low.ln() >= -floor && interval.high.ln() <= floor {
        return Verdict::Same;
    }
    let better_is_less = direction == Direction::Lower;
    match (interval.low > 1.0, interval.high < 1.0) {
        (true, _) if beyond => {
            if better_is_less {
                Verdict::Slower
            } else {
                Verdict::Faster
            }
        }
        (_, true) if beyond => {
            if better_is_less {
                Verdict::Faster
            } else {
                Verdict::Slower
            }
        }
        _ => Verdict::Inconclusive,
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
        change(metric, &rounds).unwrap()
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
