//! Expected outputs of samples.

use super::Dataset;
use super::segments::Segment;
use crate::inputs::argument::of_sequence;
use crate::inputs::protobuf::Stored;
use crate::inputs::{Tensor, TensorData};

impl Dataset {
    /// Expected values of an output, or of a tensor of one that is a sequence, for the `length`
    /// samples from `start` on; absent where the data has none, or where they cannot be split into
    /// samples.
    #[must_use]
    pub fn expected(&self, output: &str, start: u64, length: u64) -> Option<Tensor> {
        let (index, place) = match (self.output(output), of_sequence(output)) {
            (Some(index), _) => (index, None),
            (None, Some((sequence, place))) => (self.output(sequence)?, Some(place)),
            (None, None) => return None,
        };
        let mut parts = Vec::new();
        for segment in self.segments(start, length).ok()? {
            parts.push(self.expected_part(index, place, &segment)?);
        }
        Some(Tensor {
            name: output.to_owned(),
            data: joined(parts)?,
        })
    }

    fn output(&self, name: &str) -> Option<usize> {
        self.outputs.iter().position(|known| known == name)
    }

    /// Expected rows of an output, or of the tensor at a place of one that is a sequence.
    fn expected_part(
        &self,
        index: usize,
        place: Option<usize>,
        segment: &Segment,
    ) -> Option<TensorData> {
        let set = &self.sets[segment.set];
        let array = match (set.outputs.get(index)?.as_ref()?, place) {
            (Stored::Tensor(array), None) => array,
            (Stored::Sequence(tensors), Some(place)) => tensors.get(place)?,
            _ => return None,
        };
        match array.shape().first() {
            _ if segment.rows.len() == set.samples => array.tensor().ok()?,
            Some(&size) if size == set.samples => array.rows(0, segment.rows.clone()).ok()?,
            _ => None,
        }
    }

    /// How many tensors an output that is a sequence is to hold at a sample; absent where the data
    /// does not say.
    #[must_use]
    pub fn expected_length(&self, sequence: &str, sample: u64) -> Option<usize> {
        let index = self.output(sequence)?;
        let set = self.segments(sample, 1).ok()?.first()?.set;
        match self.sets[set].outputs.get(index)?.as_ref()? {
            Stored::Sequence(tensors) => Some(tensors.len()),
            Stored::Tensor(_) | Stored::Nothing => None,
        }
    }
}

fn joined(mut parts: Vec<TensorData>) -> Option<TensorData> {
    if parts.len() == 1 {
        return parts.pop();
    }
    TensorData::concatenated(&parts, 0)
}
