//! Between arguments and outputs, which may be sequences, and ONNX Runtime's values.

use ort::environment::Environment;
use ort::session::SessionInputValue;
use ort::value::DynValue;

use super::raw::{Elements, Owned};
use super::sequence;
use super::tensor::{borrowed, data_of, owned};
use crate::inputs::{Tensor, Value, element_name};

/// Makes an argument a value, as [`owned`] makes it of a tensor; `None` where nothing is given.
pub(super) fn into_value(value: Value, environment: &Environment) -> Result<Option<Owned>, ort::Error> {
    match value {
        Value::Tensor(data) => owned(data).map(Some),
        Value::Sequence(element_type, tensors) => sequence::from_tensors(element_type, tensors, environment).map(Some),
        Value::Nothing => Ok(None),
    }
}

/// A value that reads the elements of an argument, or those that are put to what is `kept` as long as the value is used;
/// `None` where nothing is given.
pub(super) fn view<'d>(
    value: &'d Value,
    environment: &Environment,
    kept: &mut Elements,
) -> Result<Option<SessionInputValue<'d>>, ort::Error> {
    match value {
        Value::Tensor(data) => borrowed(data, kept).map(Some),
        Value::Sequence(element_type, tensors) => {
            let (value, elements) = sequence::from_tensors(*element_type, tensors.clone(), environment)?.into_parts();
            kept.extend(elements);
            Ok(Some(value.into()))
        }
        Value::Nothing => Ok(None),
    }
}

/// The tensors of an output: itself, or those of a sequence, each under a name of its own. An output that is neither, or
/// of a type that is not known, has none.
pub(super) fn from_value(name: &str, value: &DynValue) -> Vec<Tensor> {
    if let Some(data) = data_of(value) {
        return vec![Tensor { name: name.to_owned(), data }];
    }
    let tensors = sequence::tensors(value).unwrap_or_default();
    let named =
        |(place, tensor): (usize, DynValue)| Some(Tensor { name: element_name(name, place), data: data_of(&tensor)? });
    tensors.into_iter().enumerate().filter_map(named).collect()
}
