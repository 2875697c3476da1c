//! Where samples lie: in which sets, and in which rows of those.

use std::ops::Range;

use super::Dataset;
use crate::inputs::{InputError, Result};

/// Batches that repeat the data more often than this are a slip of the finger.
const MOST_REPEATS: u64 = 1 << 24;

#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub set: usize,
    pub rows: Range<usize>,
}

impl Dataset {
    pub(super) fn segments(&self, start: u64, length: u64) -> Result<Vec<Segment>> {
        if let Some(reason) = self.no_batch(length) {
            return Err(InputError::BatchSize(length, reason.to_owned()));
        }
        let mut segments = Vec::new();
        let (mut next, mut left) = ((start % self.len()) as usize, length as usize);
        while left > 0 {
            let (set, row) = self.locate(next);
            let rows = row..self.sets[set].samples.min(row.saturating_add(left));
            left -= rows.len();
            next = (next + rows.len()) % self.len() as usize;
            segments.push(Segment { set, rows });
        }
        Ok(segments)
    }

    /// Why no batch has so many samples, where none has.
    fn no_batch(&self, length: u64) -> Option<&'static str> {
        let batched = self.inputs.iter().any(|fed| fed.dims.contains(&None));
        match (length, batched) {
            (0, _) => Some("a batch has at least one sample"),
            (2.., false) => Some("there is no batch"),
            _ if self.is_empty() => Some("the dataset has no samples"),
            _ if length / self.len() > MOST_REPEATS => Some("the data has far fewer samples"),
            _ => None,
        }
    }

    /// The set and the row within it of a sample, whose index is less than the number of samples.
    fn locate(&self, sample: usize) -> (usize, usize) {
        let mut row = sample;
        for (index, set) in self.sets.iter().enumerate() {
            if row < set.samples {
                return (index, row);
            }
            row -= set.samples;
        }
        (0, 0)
    }
}
