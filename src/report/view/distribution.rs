//! Latencies of single predictions, variant by variant, over one axis.

use serde::Serialize;

use super::number;
use super::words::{self, Source};
use crate::analysis::CellFindings;
use crate::record::{Metric, Unit};
use crate::stats::{Latencies, Quantile};
use crate::units::Nanos;

/// Distributions over one axis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Distributions {
    /// What they are of, and from where to where the axis goes.
    pub title: String,
    /// One for each variant.
    pub rows: Vec<Distribution>,
}

/// One distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Distribution {
    /// Whose it is.
    pub name: String,
    /// Height of each column, from 0 to [`HIGHEST`], of which the column that holds most has all.
    pub heights: Vec<u8>,
    /// Its median.
    pub remark: String,
}

/// Height of the column that holds most.
pub const HIGHEST: u8 = 8;

/// Columns of the axis.
const COLUMNS: u32 = 28;

/// The distributions at the smallest measured batch size; `None` where nothing was timed.
pub(super) fn distributions(source: Source<'_>) -> Option<Distributions> {
    let found: Vec<(&CellFindings, Latencies)> =
        source.single().into_iter().filter_map(|cell| Some((cell, latencies(source, cell)?))).collect();
    let low = found.iter().filter_map(|(_, latencies)| latencies.min()).min()?;
    let high = found.iter().filter_map(|(_, latencies)| latencies.nearest_rank(Quantile::P99)).max()?;
    let edges = edges(low.as_f64(), high.as_f64());
    let row = |(cell, latencies): &(&CellFindings, Latencies)| Distribution {
        name: source.name(cell.key.session),
        heights: heights(latencies, &edges),
        remark: remark(cell),
    };
    let end = |end: Nanos| number::value(Unit::Ns, end.as_f64(), None);
    let at = source.at(found.first()?.0.key);
    Some(Distributions {
        title: format!(
            "Latencies {at}, from {} to {} on a logarithmic axis (up to 1% lie beyond)",
            end(low),
            end(high)
        ),
        rows: found.iter().map(row).collect(),
    })
}

fn latencies(source: Source<'_>, cell: &CellFindings) -> Option<Latencies> {
    let text = source.record.cell(cell.key)?.latency_histogram.as_ref()?;
    Latencies::decode(text).ok().filter(|latencies| !latencies.is_empty())
}

fn remark(cell: &CellFindings) -> String {
    let median = cell.figure(Metric::LatencyP50).map(|p50| words::value(Metric::LatencyP50, p50));
    median.filter(|median| !median.is_empty()).map(|median| format!("median {median}")).unwrap_or_default()
}

/// The upper ends of columns of the same width on a logarithmic axis.
fn edges(low: f64, high: f64) -> Vec<f64> {
    let width = (high.max(low * 1.01) / low).powf(1.0 / f64::from(COLUMNS));
    (1..=COLUMNS).map(|column| low * width.powf(f64::from(column))).collect()
}

/// How many latencies lie in each column, as a height; whatever holds any has at least 1.
fn heights(latencies: &Latencies, edges: &[f64]) -> Vec<u8> {
    let mut above = latencies.count();
    let counts = edges.iter().map(|&edge| {
        let beyond = latencies.count_above(Nanos(edge as u64)).min(above);
        std::mem::replace(&mut above, beyond) - beyond
    });
    let counts: Vec<u64> = counts.collect();
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let height = |count: u64| (count * u64::from(HIGHEST)).div_ceil(most) as u8;
    counts.into_iter().map(height).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_follow_the_counts() {
        let mut latencies = Latencies::new();
        for (value, times) in [(1_000, 1), (2_000, 80), (4_000, 40)] {
            (0..times).for_each(|_| latencies.record(Nanos(value)));
        }
        assert_eq!(heights(&latencies, &[1_500.0, 3_000.0, 5_000.0, 9_000.0]), [1, 8, 4, 0]);
    }

    #[test]
    fn axis_has_columns_of_equal_ratio_and_ends_at_the_highest() {
        let edges = edges(100.0, 1600.0);
        assert_eq!(edges.len(), 28);
        assert!((edges[27] - 1600.0).abs() < 1e-6 && (edges[6] - 200.0).abs() < 1e-6, "{edges:?}");
    }
}
