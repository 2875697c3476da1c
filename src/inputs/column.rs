//! The values that a set of samples has for one input.

use std::io;

use super::argument::Value;
use super::array::Array;
use super::protobuf::Stored;
use super::{Result, TensorData, fill};
use crate::plan::ElementType;
use crate::record::FedInput;

#[derive(Debug)]
pub(super) enum Column {
    Stored(Array),
    Made(TensorData),
    /// Made for each batch, with this seed, because values say how many samples there are.
    Counted(u64),
    /// No tensor, and without rows.
    Whole(Value),
}

impl Column {
    pub(super) fn of(stored: Stored, element_type: ElementType) -> io::Result<Column> {
        Ok(match stored {
            Stored::Tensor(array) => Column::Stored(array),
            Stored::Nothing => Column::Whole(Value::Nothing),
            Stored::Sequence(tensors) => {
                Column::Whole(Value::Sequence(element_type, cast(&tensors, element_type)?))
            }
        })
    }

    pub(super) fn made(fed: &FedInput, samples: u64, seed: u64) -> Result<Column> {
        if fill::follows_batch(&fed.fill) {
            return Ok(Column::Counted(seed));
        }
        Ok(match fill::value(fed, samples, seed)? {
            Value::Tensor(data) => Column::Made(data),
            whole => Column::Whole(whole),
        })
    }

    /// The value that is fed as it is to a batch of so many samples; absent where there are rows to
    /// choose.
    pub(super) fn whole(&self, fed: &FedInput, samples: u64) -> Result<Option<Value>> {
        match self {
            Column::Whole(value) => Ok(Some(value.clone())),
            Column::Counted(seed) => fill::value(fed, samples, *seed).map(Some),
            Column::Stored(_) | Column::Made(_) => Ok(None),
        }
    }
}

/// The tensors that can be cast to a type.
fn cast(tensors: &[Array], element_type: ElementType) -> io::Result<Vec<TensorData>> {
    tensors
        .iter()
        .map(Array::tensor)
        .filter_map(|read| read.map(|data| data?.cast(element_type)).transpose())
        .collect()
}
