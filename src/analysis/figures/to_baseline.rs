//! Cells against the baseline's: neighbours in one alternation, then rounds, then a verdict.

use super::change::{judge, median_change};
use super::{CellFindings, Cells, Change, Comparison, Estimate, Index, Verdict};
use crate::metric::Metric;
use crate::plan::CellKey;
use crate::record::{BlockRecord, Pairs};
use crate::stats::END_ERROR;

/// `None` where the baseline has no such cell, or where no alternation holds blocks of both.
pub(in crate::analysis) fn compare(index: &Index<'_>, key: CellKey) -> Option<Comparison> {
    let session = index.baseline.filter(|&session| session != key.session)?;
    let baseline = CellKey { session, ..key };
    let pairs = Pairs::new(index.blocks(key), index.blocks(baseline));
    let change =
        |metric, figure: fn(&BlockRecord) -> f64| Change::paired(metric, &pairs.log_ratios(figure));
    Some(Comparison {
        baseline,
        p50: median_change(&pairs)?,
        p10: change(Metric::LatencyP10RatioToBaseline, |block| {
            block.p10_ns.as_f64()
        })?,
        throughput: change(Metric::ThroughputRatioToBaseline, |block| {
            block.inferences_count as f64 / block.elapsed_ns.as_secs_f64()
        })?,
        worse_tail: false,
    })
}

pub(in crate::analysis) fn why_not(index: &Index<'_>, key: CellKey) -> &'static str {
    match index.baseline {
        None => "the run has no baseline session",
        Some(session) if session == key.session => "this is the baseline",
        Some(_) => "the baseline has no blocks beside this cell's",
    }
}

type ChangeOf = fn(&mut Comparison) -> &mut Change;

/// Judges all comparisons of a metric together, so that the share of false verdicts among those given stays bounded.
pub(in crate::analysis) fn judge_together(cells: &mut Cells) {
    let families: [(Metric, ChangeOf); 3] = [
        (Metric::LatencyP50RatioToBaseline, |comparison| {
            &mut comparison.p50
        }),
        (Metric::LatencyP10RatioToBaseline, |comparison| {
            &mut comparison.p10
        }),
        (Metric::ThroughputRatioToBaseline, |comparison| {
            &mut comparison.throughput
        }),
    ];
    for (metric, change_of) in families {
        let mut changes: Vec<&mut Change> = cells
            .all_mut()
            .iter_mut()
            .filter_map(|cell| cell.comparison.as_mut())
            .map(change_of)
            .collect();
        judge(metric, &mut changes, END_ERROR);
    }
}

/// Marks the cells whose 99th percentile is worse than the baseline's although their median is not: its whole interval
/// lies above the baseline's by more than the metric's noise floor.
pub(in crate::analysis) fn mark_worse_tails(cells: &mut Cells) {
    let p99 = |cell: &CellFindings| cell.figure(Metric::LatencyP99).and_then(Estimate::interval);
    let floor = 1.0 + Metric::LatencyP99.noise_floor().unwrap_or_default().0;
    let worse: Vec<bool> = cells
        .iter()
        .map(|cell| {
            let Some(comparison) = &cell.comparison else {
                return false;
            };
            let baseline = cells.at(comparison.baseline).and_then(p99);
            let apart = p99(cell)
                .zip(baseline)
                .is_some_and(|(own, base)| own.low > base.high * floor);
            apart && comparison.p50.verdict != Verdict::Slower
        })
        .collect();
    for (cell, worse) in cells.all_mut().iter_mut().zip(worse) {
        if let Some(comparison) = &mut cell.comparison {
            comparison.worse_tail = worse;
        }
    }
}
