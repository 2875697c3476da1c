//! Cells against the baseline's: neighbours in one alternation, then rounds, then a verdict.

use super::change::{judge, median_change};
use super::{CellFindings, Cells, Change, Comparison, Index, Interval, Verdict};
use crate::metric::Metric;
use crate::plan::CellKey;
use crate::record::Pairs;
use crate::stats::END_ERROR;

/// `None` where the baseline has no such cell, or where no alternation holds blocks of both.
pub(super) fn compare(index: &Index<'_>, key: CellKey) -> Option<Comparison> {
    let baseline = CellKey {
        session: index.baseline.filter(|&session| session != key.session)?,
        ..key
    };
    let pairs = Pairs::new(index.blocks(key), index.blocks(baseline));
    let p10 = pairs.log_ratios(|block| block.p10_ns.as_f64());
    let throughput =
        pairs.log_ratios(|block| block.inferences_count as f64 / block.elapsed_ns.as_secs_f64());
    Some(Comparison {
        baseline,
        p50: median_change(&pairs)?,
        p10: Change::paired(Metric::LatencyP10RatioToBaseline, &p10)?,
        throughput: Change::paired(Metric::ThroughputRatioToBaseline, &throughput)?,
        worse_tail: false,
    })
}

pub(super) fn why_not(index: &Index<'_>, key: CellKey) -> &'static str {
    match index.baseline {
        None => "the run has no baseline session",
        Some(session) if session == key.session => "this is the baseline",
        Some(_) => "the baseline has no blocks beside this cell's",
    }
}

type ChangeOf = fn(&mut Comparison) -> &mut Change;

/// Judges all comparisons of a metric together, so that the share of false verdicts among those
/// given stays bounded.
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
        let changes = cells
            .all_mut()
            .iter_mut()
            .filter_map(|cell| Some(change_of(cell.comparison.as_mut()?)));
        judge(metric, changes, END_ERROR);
    }
}

/// Marks the cells whose 99th percentile is worse than the baseline's although their median is not:
/// its whole interval lies above the baseline's by more than the metric's noise floor.
pub(in crate::analysis) fn mark_worse_tails(cells: &mut Cells) {
    let worse: Vec<bool> = cells
        .iter()
        .map(|cell| has_worse_tail(cells, cell).unwrap_or(false))
        .collect();
    for (cell, worse) in cells.all_mut().iter_mut().zip(worse) {
        if let Some(comparison) = &mut cell.comparison {
            comparison.worse_tail = worse;
        }
    }
}

/// `None` where nothing is known of it.
fn has_worse_tail(cells: &Cells, cell: &CellFindings) -> Option<bool> {
    let comparison = cell.comparison.as_ref()?;
    let (own, base) = (p99(cell)?, p99(cells.at(comparison.baseline)?)?);
    let floor = 1.0 + Metric::LatencyP99.noise_floor().unwrap_or_default().0;
    Some(own.low > base.high * floor && comparison.p50.verdict != Verdict::Slower)
}

fn p99(cell: &CellFindings) -> Option<Interval> {
    cell.figure(Metric::LatencyP99)?.interval()
}
