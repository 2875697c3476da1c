//! Block histograms into the histograms of their cells.

use std::collections::BTreeMap;

use crate::plan::CellKey;
use crate::record::{CellRecord, Outcome, Phase, RunRecord};
use crate::stats::{HistogramError, Latencies};

/// Blocks wait encoded, since a decoded histogram takes some hundred times the memory; this much of
/// it is waited with.
const PENDING_BOUND_BYTES: usize = 1 << 20;

/// Histograms of blocks that are not yet part of their cells' histograms.
///
/// Blocks of different cells alternate, so merging each at once would decode and encode a whole
/// cell for every block.
#[derive(Debug, Default)]
pub(super) struct Merger {
    pending: BTreeMap<CellKey, Pending>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Pending {
    timed: Vec<String>,
    warmup: Vec<String>,
}

impl Merger {
    /// Takes the encoded histogram of a block. All timed blocks count, disturbed or not: the tail
    /// of a distribution consists of what was disturbed.
    pub(super) fn push(&mut self, key: CellKey, phase: Phase, histogram: String) {
        self.bytes += histogram.len();
        let pending = self.pending.entry(key).or_default();
        match phase {
            Phase::Timed => pending.timed.push(histogram),
            Phase::Warmup => pending.warmup.push(histogram),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes >= PENDING_BOUND_BYTES
    }

    /// Merges all that is waiting into the cells of `record`. A histogram that cannot be decoded is
    /// left out, and the first such error returned after all others are merged.
    pub(super) fn flush(&mut self, record: &mut RunRecord) -> Result<(), HistogramError> {
        self.bytes = 0;
        let mut pending = std::mem::take(&mut self.pending);
        let mut result = Ok(());
        for cell in &mut record.cells {
            if let Some(pending) = pending.remove(&cell.key) {
                result = result.and(pending.merge_into(cell));
            }
        }
        for (key, pending) in pending {
            let mut cell = CellRecord::new(key, Outcome::Ok);
            result = result.and(pending.merge_into(&mut cell));
            record.cells.push(cell);
        }
        result
    }
}

impl Pending {
    fn merge_into(self, cell: &mut CellRecord) -> Result<(), HistogramError> {
        merge(&mut cell.latency_histogram, &self.timed)
            .and(merge(&mut cell.warmup_histogram, &self.warmup))
    }
}

fn merge(whole: &mut Option<String>, parts: &[String]) -> Result<(), HistogramError> {
    if parts.is_empty() {
        return Ok(());
    }
    let mut sum = match whole {
        Some(text) => Latencies::decode(text)?,
        None => Latencies::new(),
    };
    let mut result = Ok(());
    for part in parts {
        match Latencies::decode(part) {
            Ok(part) => sum.merge(&part),
            Err(error) => result = result.and(Err(error)),
        }
    }
    *whole = Some(sum.encode());
    result
}
