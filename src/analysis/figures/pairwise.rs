//! Each cell against each other one, as if that were the baseline's.

use super::change::{Change, judge, median_change};
use super::index::Index;
use crate::metric::Metric;
use crate::plan::CellKey;
use crate::record::{Pairs, RunRecord};
use crate::stats::END_ERROR;

/// Median latencies of cells against those of each of them: a row for each reference, with a change
/// for each cell, in the order of `keys`. `None` for the reference itself, and where the two never
/// took turns. The changes of a row are judged together, and open where the state of the machine does
/// not bear a verdict.
#[must_use]
pub fn pairwise(record: &RunRecord, keys: &[CellKey]) -> Vec<Vec<Option<Change>>> {
    let index = Index::new(record);
    let against = |&reference| against(&index, keys, reference);
    keys.iter().map(against).collect()
}

fn against(index: &Index<'_>, keys: &[CellKey], reference: CellKey) -> Vec<Option<Change>> {
    let base = index.blocks(reference);
    let mut changes: Vec<Option<Change>> = keys
        .iter()
        .map(|&key| match key == reference {
            true => None,
            false => median_change(&Pairs::new(index.blocks(key), base)),
        })
        .collect();
    let metric = Metric::LatencyP50RatioToBaseline;
    judge(metric, changes.iter_mut().flatten(), END_ERROR);
    for (key, change) in keys.iter().zip(&mut changes) {
        if let Some(change) = change
            && !index.bears_verdict(key.session, reference.session)
        {
            change.withhold();
        }
    }
    changes
}
