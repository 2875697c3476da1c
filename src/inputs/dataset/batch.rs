//! Batches of samples, and sets of inputs.

use std::io;
use std::ops::Range;

use super::segments::Segment;
use super::{Dataset, Growing, INPUT_SETS_LIMIT, InputSet, growing};
use crate::inputs::argument::{Argument, Value};
use crate::inputs::column::Column;
use crate::inputs::{InputError, Result, TensorData};

impl Dataset {
    /// The `length` samples from `start` on; after the last sample follows the first again, which
    /// pads the last batch of a model whose batch size is fixed.
    ///
    /// # Errors
    /// `length` is 0, the model has no batch dimension and `length` is not 1, or samples differ in
    /// shape.
    pub fn batch(&self, start: u64, length: u64) -> Result<InputSet> {
        let segments = self.segments(start, length)?;
        self.inputs
            .iter()
            .enumerate()
            .map(|(index, fed)| {
                let value = match self.sets[segments[0].set].columns[index].whole(fed, length)? {
                    Some(value) => value,
                    None => Value::Tensor(self.joined(index, &segments, length)?),
                };
                Ok(Argument::of(fed, value))
            })
            .collect()
    }

    /// The rows of an input in all segments, one after the other.
    fn joined(&self, index: usize, segments: &[Segment], length: u64) -> Result<TensorData> {
        let fed = &self.inputs[index];
        let mut parts = Vec::new();
        for segment in segments {
            parts.extend(
                self.part(index, segment)
                    .map_err(InputError::read(&self.path))?,
            );
        }
        let whole = match growing(fed).first() {
            Some(growing) if parts.len() != 1 => TensorData::concatenated(&parts, growing.axis),
            _ => parts.into_iter().next(),
        };
        whole.ok_or_else(|| {
            InputError::Ragged(self.path.clone(), fed.name.exact().to_owned(), length)
        })
    }

    /// Up to [`INPUT_SETS_LIMIT`] distinct sets of `batch_size` samples. Test sets of that size
    /// stay as they are; otherwise samples are taken in turn, from the first again after the last.
    ///
    /// # Errors
    /// As [`Dataset::batch`].
    pub fn input_sets(&self, batch_size: u64) -> Result<Vec<InputSet>> {
        let mut starts = self.sets_of_size(batch_size);
        if self.sets.len() == 1 || starts.is_empty() {
            starts = (0..self.sets_count(batch_size))
                .map(|index| index.saturating_mul(batch_size))
                .collect();
        }
        starts
            .into_iter()
            .take(INPUT_SETS_LIMIT as usize)
            .map(|start| self.batch(start, batch_size))
            .collect()
    }

    /// The first sample of each set that has so many.
    fn sets_of_size(&self, size: u64) -> Vec<u64> {
        let (mut starts, mut start) = (Vec::new(), 0_u64);
        for set in &self.sets {
            if set.samples as u64 == size {
                starts.push(start);
            }
            start = start.saturating_add(set.samples as u64);
        }
        starts
    }

    /// How many sets of inputs there are for a batch size, where no test set is of that size.
    pub(super) fn sets_count(&self, batch_size: u64) -> u64 {
        self.len()
            .div_ceil(batch_size.max(1))
            .clamp(1, INPUT_SETS_LIMIT)
    }

    /// Rows of an input; absent where the input has fewer, or elements that cannot be cast.
    fn part(&self, index: usize, segment: &Segment) -> io::Result<Option<TensorData>> {
        let fed = &self.inputs[index];
        let axes = growing(fed);
        let part = along_first(
            &self.sets[segment.set].columns[index],
            axes.first(),
            &segment.rows,
        )?;
        let others = axes.get(1..).unwrap_or_default();
        Ok(part
            .and_then(|part| narrowed(part, others, &segment.rows))
            .and_then(|part| part.cast(fed.element_type)))
    }
}

/// The rows of samples along the first axis that grows, or all there is where none does.
fn along_first(
    column: &Column,
    axis: Option<&Growing>,
    samples: &Range<usize>,
) -> io::Result<Option<TensorData>> {
    match (column, axis) {
        (Column::Counted(_) | Column::Whole(_), _) => Ok(None),
        (Column::Stored(array), None) => array.tensor(),
        (Column::Made(data), None) => Ok(Some(data.clone())),
        (Column::Stored(array), Some(first)) => array.rows(first.axis, first.rows(samples)),
        (Column::Made(data), Some(first)) => Ok(Some(data.rows(first.axis, first.rows(samples)))),
    }
}

/// The rows of samples along further axes; absent where one has fewer.
fn narrowed(mut part: TensorData, axes: &[Growing], samples: &Range<usize>) -> Option<TensorData> {
    for growing in axes {
        let rows = growing.rows(samples);
        if *part.shape().get(growing.axis)? < rows.end {
            return None;
        }
        part = part.rows(growing.axis, rows);
    }
    Some(part)
}
