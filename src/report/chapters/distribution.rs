//! Latencies of single predictions, variant by variant, over one axis.

use serde::Serialize;

use crate::analysis::{CellFindings, CellSpread, spread};
use crate::metric::Metric;
use crate::report::words::{self, Source, number};
use crate::stats::Quantile;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Distributions {
    pub title: String,
    pub ends: [String; 2],
    pub note: String,
    pub rows: Vec<Distribution>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Distribution {
    pub name: String,
    /// Height of each column, from 0 to [`HIGHEST`], of which the column that holds most has all.
    pub heights: Vec<u8>,
    /// Its median.
    pub remark: String,
}

pub const HIGHEST: u8 = 8;

const COLUMNS: u32 = 28;

/// A column that holds a smaller share of the latencies than this is empty: single outliers would
/// look like a tail.
const VISIBLE_SHARE: f64 = 0.001;

/// The distributions at the smallest measured batch size; `None` where nothing was timed.
pub(super) fn distributions(source: Source<'_>) -> Option<Distributions> {
    let single = source.single().into_iter().map(|cell| cell.key);
    let spread = spread(source.record, single, COLUMNS)?;
    let at = source.at(spread.cells.first()?.key);
    let rows = spread.cells.iter().map(|cell| Distribution {
        name: source.name(cell.key.session),
        heights: heights(cell),
        remark: source.cell(cell.key).map(remark).unwrap_or_default(),
    });
    Some(Distributions {
        title: format!("Latencies {at}: how often does each occur?"),
        ends: [spread.low_ns, spread.high_ns].map(number::time),
        note: format!(
            "taller: more inferences; logarithmic axis, without the fastest and slowest {} at most",
            number::limit(Quantile::P1.share())
        ),
        rows: rows.collect(),
    })
}

fn remark(cell: &CellFindings) -> String {
    match words::shown(Metric::LatencyP50, cell.figure(Metric::LatencyP50)) {
        none if none.is_empty() => none,
        median => format!("median {median}"),
    }
}

/// How many latencies lie in each column, as a height; whatever holds enough to be seen has at
/// least 1.
fn heights(cell: &CellSpread) -> Vec<u8> {
    let most = cell.counts.iter().copied().max().unwrap_or(0).max(1);
    cell.counts
        .iter()
        .map(|&count| match count as f64 / cell.inferences_count as f64 {
            share if share < VISIBLE_SHARE => 0,
            _ => (count * u64::from(HIGHEST)).div_ceil(most) as u8,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{CellKey, LoadMode};

    fn heights_of(counts: &[u64], inferences_count: u64) -> Vec<u8> {
        let key = CellKey {
            session: 0,
            shape: 0,
            batch_size: 1,
            load_mode: LoadMode::Closed { concurrency: 1 },
        };
        heights(&CellSpread {
            key,
            counts: counts.to_vec(),
            inferences_count,
        })
    }

    #[test]
    fn heights_follow_the_counts_and_single_outliers_are_no_tail() {
        assert_eq!(heights_of(&[1, 80, 40, 0], 123), [1, 8, 4, 0]);
        assert_eq!(heights_of(&[5_000, 1], 5_001), [8, 0]);
    }
}
