//! Batches of samples, and sets of inputs.

use std::io;
use std::ops::Range;

use super::segments::Segment;
use super::{Dataset, Growing, INPUT_SETS_LIMIT, InputSet};
use crate::inputs::argument::{Argument, Value};
use crate::inputs::column::Column;
use crate::inputs::{InputError, TensorData};

impl Dataset {
    /// The `length` samples from `start` on; after the last sample follows the first again, which
    /// pads the last batch of a model whose batch size is fixed.
    ///
    /// # Errors
    /// `length` is 0, the model has no batch dimension and `length` is not 1, or samples differ in
    /// shape.
    pub fn batch(&self, start: u64, length: u64) -> Result<InputSet, InputError> {
        let segments = self.segments(start, length)?;
        let mut set = InputSet::new();
        for (index, input) in self.inputs.iter().enumerate() {
            let column = segments
                .first()
                .map(|segment| &self.sets[segment.set].columns[index]);
            let whole = column.map(|column| column.whole(length)).transpose()?;
            let value = match whole.flatten() {
                Some(value) => value,
                None => Value::Tensor(self.joined(index, &segments, length)?),
            };
            let name = input.name.clone();
            set.push(Argument { name, value });
        }
        Ok(set)
    }

    /// The rows of an input in all segments, one after the other.
    fn joined(
        &self,
        index: usize,
        segments: &[Segment],
        length: u64,
    ) -> Result<TensorData, InputError> {
        let input = &self.inputs[index];
        let mut parts = Vec::new();
        for segment in segments {
            let part = self.part(index, segment);
            parts.extend(part.map_err(InputError::read(&self.path))?);
        }
        let whole = match (input.axes.first(), parts.len()) {
            (None, _) | (_, 1) => parts.into_iter().next(),
            (Some(growing), _) => TensorData::concatenated(&parts, growing.axis),
        };
        whole.ok_or_else(|| {
            InputError::Ragged(self.path.clone(), input.name.exact().to_owned(), length)
        })
    }

    /// Up to [`INPUT_SETS_LIMIT`] distinct sets of `batch_size` samples. Test sets of that size
    /// stay as they are; otherwise samples are taken in turn, from the first again after the last.
    ///
    /// # Errors
    /// As [`Dataset::batch`].
    pub fn input_sets(&self, batch_size: u64) -> Result<Vec<InputSet>, InputError> {
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
        let input = &self.inputs[index];
        let column = &self.sets[segment.set].columns[index];
        let part = along_first(column, input.axes.first(), &segment.rows)?;
        let others = input.axes.iter().skip(1);
        let part = part.and_then(|part| narrowed(part, others, &segment.rows));
        Ok(part.and_then(|part| part.cast(input.element_type)))
    }
}

/// The rows of samples along the first axis that grows, or all there is where none does.
fn along_first(
    column: &Column,
    axis: Option<&Growing>,
    samples: &Range<usize>,
) -> io::Result<Option<TensorData>> {
    match (column, axis) {
        (Column::Counted(..) | Column::Whole(_), _) => Ok(None),
        (Column::Stored(array), None) => array.tensor(),
        (Column::Made(data), None) => Ok(Some(data.clone())),
        (Column::Stored(array), Some(first)) => array.rows(first.axis, first.rows(samples)),
        (Column::Made(data), Some(first)) => Ok(Some(data.rows(first.axis, first.rows(samples)))),
    }
}

/// The rows of samples along further axes; absent where one has fewer.
fn narrowed<'g>(
    mut part: TensorData,
    axes: impl Iterator<Item = &'g Growing>,
    samples: &Range<usize>,
) -> Option<TensorData> {
    for growing in axes {
        let rows = growing.rows(samples);
        let size = *part.shape().get(growing.axis)?;
        if size < rows.end {
            return None;
        }
        part = part.rows(growing.axis, rows);
    }
    Some(part)
}
