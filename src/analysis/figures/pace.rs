//! How long rounds take, to tell waiting in time.

use std::collections::BTreeMap;

use super::over_launches::median_of;
use crate::record::RunRecord;
use crate::units::Nanos;

/// From a round's first launch to the end of its last block, in the median; `None` where nothing was
/// timed.
pub(in crate::analysis) fn round_time(record: &RunRecord) -> Option<Nanos> {
    let mut ends: BTreeMap<u64, Nanos> = BTreeMap::new();
    for block in &record.blocks {
        let end = ends.entry(block.round).or_default();
        *end = (block.started_ns + block.span()).max(*end);
    }
    let mut starts: BTreeMap<u64, Nanos> = BTreeMap::new();
    for launch in &record.launches {
        let start = starts.entry(launch.round).or_insert(launch.started_ns);
        *start = launch.started_ns.min(*start);
    }
    let spans = ends
        .iter()
        .filter_map(|(round, end)| end.0.checked_sub(starts.get(round)?.0));
    median_of(spans.map(|span| span as f64)).map(|span| Nanos(span as u64))
}

/// So many rounds.
pub(in crate::analysis) fn rounds(count: u64, round: Nanos) -> Nanos {
    Nanos(round.0.saturating_mul(count))
}
