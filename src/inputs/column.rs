//! The values that a set of samples has for one input.

use std::io;

use super::argument::Value;
use super::array::Array;
use super::protobuf::Stored;
use super::{InputError, TensorData, fill};
use crate::plan::ElementType;
use crate::record::FedInput;

#[derive(Debug)]
pub(super) enum Column {
    Stored(Array),
    Made(TensorData),
    /// Made for each batch, with this seed, because values say how many samples there are.
    Counted(Box<FedInput>, u64),
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

    pub(super) fn made(fed: &FedInput, samples: u64, seed: u64) -> Result<Column, InputError> {
        if fill::follows_batch(&fed.fill) {
            return Ok(Column::Counted(Box::new(fed.clone()), seed));
        }
        Ok(match fill::value(fed, samples, seed)? {
            Value::Tensor(data) => Column::Made(data),
            whole => Column::Whole(whole),
        })
    }

    /// The value that is fed as it is to a batch of so many samples; absent where there are rows to
    /// choose.
    pub(super) fn whole(&self, samples: u64) -> Result<Option<Value>, InputError> {
        match self {
            Column::Whole(value) => Ok(Some(value.clone())),
            Column::Counted(fed, seed) => fill::value(fed, samples, *seed).map(Some),
            Column::Stored(_) | Column::Made(_) => Ok(None),
        }
    }
}

/// The tensors that can be cast to a type.
fn cast(tensors: &[Array], element_type: ElementType) -> io::Result<Vec<TensorData>> {
    let mut cast = Vec::new();
    for tensor in tensors {
        cast.extend(tensor.tensor()?.and_then(|data| data.cast(element_type)));
    }
    Ok(cast)
}
