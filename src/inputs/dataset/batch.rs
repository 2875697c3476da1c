//! Batches of samples, and sets of inputs.

use std::io;

use super::segments::Segment;
use super::{Dataset, INPUT_SETS_LIMIT, Input, InputSet};
use crate::inputs::argument::{Argument, Value};
use crate::inputs::column::Column;
use crate::inputs::{InputError, TensorData};

impl Dataset {
    /// The `length` samples from `start` on; after the last sample follows the first again, which pads the last batch
    /// of a model whose batch size is fixed.
    ///
    /// # Errors
    /// `length` is 0, the model has no batch dimension and `length` is not 1, or samples differ in shape.
    pub fn batch(&self, start: u64, length: u64) -> Result<InputSet, InputError> {
        let segments = self.segments(start, length)?;
        let take = |(index, input): (usize, &Input)| {
            let name = input.name.clone();
            let column = segments
                .first()
                .map(|segment| &self.sets[segment.set].columns[index]);
            if let Some(value) = column
                .map(|column| column.whole(length))
                .transpose()?
                .flatten()
            {
                return Ok(Argument { name, value });
            }
            let parts = segments.iter().map(|segment| self.part(index, segment));
            let read = |source| InputError::Read(self.path.clone(), source);
            let parts: Vec<Option<TensorData>> = parts.collect::<io::Result<_>>().map_err(read)?;
            let parts: Vec<TensorData> = parts.into_iter().flatten().collect();
            let whole = match (input.axes.first(), parts.len()) {
                (None, _) | (_, 1) => parts.into_iter().next(),
                (Some(growing), _) => TensorData::concatenated(&parts, growing.axis),
            };
            let ragged = || InputError::Ragged(self.path.clone(), input.name.clone(), length);
            let data = whole.ok_or_else(ragged)?;
            Ok(Argument {
                name,
                value: Value::Tensor(data),
            })
        };
        self.inputs.iter().enumerate().map(take).collect()
    }

    /// Up to [`INPUT_SETS_LIMIT`] distinct sets of `batch_size` samples. Test sets of that size stay as they are;
    /// otherwise samples are taken in turn, from the first again after the last.
    ///
    /// # Errors
    /// As [`Dataset::batch`].
    pub fn input_sets(&self, batch_size: u64) -> Result<Vec<InputSet>, InputError> {
        let limit = INPUT_SETS_LIMIT as usize;
        let mut starts = Vec::new();
        let mut start = 0_u64;
        for set in &self.sets {
            if set.samples as u64 == batch_size {
                starts.push(start);
            }
            start = start.saturating_add(set.samples as u64);
        }
        if self.sets.len() == 1 || starts.is_empty() {
            starts = (0..self.sets_count(batch_size))
                .map(|index| index.saturating_mul(batch_size))
                .collect();
        }
        starts
            .into_iter()
            .take(limit)
            .map(|start| self.batch(start, batch_size))
            .collect()
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
        let samples = &segment.rows;
        let (part, others) = match (column, input.axes.split_first()) {
            (Column::Stored(array), None) => (array.tensor()?, &[][..]),
            (Column::Counted(..) | Column::Whole(_), _) => return Ok(None),
            (Column::Made(data), None) => (Some(data.clone()), &[][..]),
            (Column::Stored(array), Some((first, others))) => {
                (array.rows(first.axis, first.rows(samples))?, others)
            }
            (Column::Made(data), Some((first, others))) => {
                (Some(data.rows(first.axis, first.rows(samples))), others)
            }
        };
        let Some(mut part) = part else {
            return Ok(None);
        };
        for growing in others {
            let rows = growing.rows(samples);
            if part
                .shape()
                .get(growing.axis)
                .is_none_or(|&size| size < rows.end)
            {
                return Ok(None);
            }
            part = part.rows(growing.axis, rows);
        }
        Ok(part.cast(input.element_type))
    }
}
