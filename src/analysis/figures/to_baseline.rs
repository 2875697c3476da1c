//! Cells against the baseline's: neighbours in one alternation, then rounds, then a verdict.

use super::change::{judge, median_change};
use super::{Cells, Change, Comparison, Index, Verdict, tails};
use crate::metric::Metric;
use crate::observed::Observed;
use crate::plan::CellKey;
use crate::record::Pairs;
use crate::stats::{END_ERROR, LaunchLatencies, Quantile, TailRatio};
use crate::units::Nanos;

/// With the latencies of the cell's launches. `None` where the baseline has no such cell, or where
/// no alternation holds blocks of both.
pub(super) fn compare(
    index: &Index<'_>,
    key: CellKey,
    launches: &Observed<Vec<LaunchLatencies>>,
) -> Option<Comparison> {
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
        p99: p99(
            launches,
            index.baseline_latencies(baseline, tails::of_launches)?,
        ),
        throughput: Change::paired(Metric::ThroughputRatioToBaseline, &throughput)?,
        worse_tail: false,
    })
}

fn p99(
    candidate: &Observed<Vec<LaunchLatencies>>,
    baseline: &Observed<Vec<LaunchLatencies>>,
) -> Observed<Change> {
    let (candidate, baseline) = (candidate.as_ref(), baseline.as_ref());
    tails::change(
        Metric::LatencyP99RatioToBaseline,
        TailRatio::paired(
            Quantile::P99,
            candidate.map_err(Clone::clone)?,
            baseline.map_err(Clone::clone)?,
        ),
    )
}

pub(super) fn why_not(index: &Index<'_>, key: CellKey) -> &'static str {
    match index.baseline {
        None => "the run has no baseline session",
        Some(session) if session == key.session => "this is the baseline",
        Some(_) => "the baseline has no blocks beside this cell's",
    }
}

type ChangeOf = fn(&mut Comparison) -> Option<&mut Change>;

/// Judges all comparisons of a metric together, so that the share of false verdicts among those
/// given stays bounded. What is open is told in time by how long a `round` took.
pub(in crate::analysis) fn judge_together(
    index: &Index<'_>,
    cells: &mut Cells,
    round: Option<Nanos>,
) {
    let families: [(Metric, ChangeOf); 4] = [
        (Metric::LatencyP50RatioToBaseline, |comparison| {
            Some(&mut comparison.p50)
        }),
        (Metric::LatencyP10RatioToBaseline, |comparison| {
            Some(&mut comparison.p10)
        }),
        (Metric::LatencyP99RatioToBaseline, |comparison| {
            comparison.p99.as_mut().ok()
        }),
        (Metric::ThroughputRatioToBaseline, |comparison| {
            Some(&mut comparison.throughput)
        }),
    ];
    for (metric, change_of) in families {
        let changes = cells
            .all_mut()
            .iter_mut()
            .filter_map(|cell| change_of(cell.comparison.as_mut()?));
        judge(metric, changes, END_ERROR);
        for cell in cells.all_mut() {
            if let Some(change) = cell.comparison.as_mut().and_then(change_of) {
                change.time(round);
                let session = cell.key.session;
                if index
                    .baseline
                    .is_some_and(|baseline| !index.bears_verdict(session, baseline))
                {
                    change.withhold();
                }
            }
        }
    }
}

/// Marks the cells whose 99th percentile is worse than the baseline's although their median is not.
pub(in crate::analysis) fn mark_worse_tails(cells: &mut Cells) {
    let comparisons = cells
        .all_mut()
        .iter_mut()
        .filter_map(|cell| cell.comparison.as_mut());
    for comparison in comparisons {
        let p99 = comparison.p99.as_ref().map(|change| change.verdict);
        comparison.worse_tail =
            p99 == Ok(Verdict::Slower) && comparison.p50.verdict != Verdict::Slower;
    }
}
