//! Values of inputs: tensors, sequences of tensors, or nothing.

use std::iter::repeat;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TensorData;
use crate::plan::ElementType;
use crate::record::{FedInput, TensorInfo, ValueType};
use crate::text::Plain;

/// An input's name and value.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Name of the input.
    pub name: Plain,
    /// Its value.
    pub value: Value,
}

impl Argument {
    pub(super) fn of(fed: &FedInput, value: Value) -> Argument {
        Argument {
            name: fed.name.clone(),
            value,
        }
    }
}

/// A value of an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A tensor.
    Tensor(TensorData),
    /// A sequence of tensors with elements of this type.
    Sequence(ElementType, Vec<TensorData>),
    /// Nothing, where the input is optional.
    Nothing,
}

impl Value {
    /// The tensor, where it is one.
    #[must_use]
    pub fn as_tensor(&self) -> Option<&TensorData> {
        match self {
            Value::Tensor(data) => Some(data),
            Value::Sequence(..) | Value::Nothing => None,
        }
    }
}

/// The form of an input or output by its type, which decides how a file of the standard's tests
/// holds its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A tensor, or what no file is read of.
    #[default]
    Tensor,
    /// A sequence of tensors.
    Sequence,
    /// A tensor or a sequence of tensors, or nothing.
    Optional,
}

impl Form {
    pub(super) fn of(value_type: &ValueType) -> Form {
        match value_type {
            ValueType::Sequence(_) => Form::Sequence,
            ValueType::Optional(_) => Form::Optional,
            ValueType::Tensor { .. } | ValueType::Other(_) => Form::Tensor,
        }
    }
}

/// Forms of a model's inputs and outputs, each in the model's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Forms {
    /// Of the inputs.
    pub inputs: Vec<Form>,
    /// Of the outputs.
    pub outputs: Vec<Form>,
}

/// Forms, and beyond the last one that of tensors.
pub(super) fn or_tensors(forms: &[Form]) -> impl Iterator<Item = Form> {
    forms.iter().copied().chain(repeat(Form::Tensor))
}

pub(super) fn forms_of(values: &[TensorInfo]) -> Vec<Form> {
    values
        .iter()
        .map(|info| Form::of(&info.value_type))
        .collect()
}

/// The name of a tensor of a sequence: `y[0]`.
#[must_use]
pub fn element_name(sequence: &str, place: usize) -> String {
    format!("{sequence}[{place}]")
}

/// The sequence that a tensor is of by what it is called, and its place there.
#[must_use]
pub fn of_sequence(name: &str) -> Option<(&str, usize)> {
    let (sequence, place) = name.strip_suffix(']')?.rsplit_once('[')?;
    Some((sequence, place.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_of_a_sequence_are_called_by_their_places() {
        assert_eq!(of_sequence(&element_name("y[1]", 12)), Some(("y[1]", 12)));
        assert_eq!(
            (of_sequence("y"), of_sequence("y[]"), of_sequence("y[a]")),
            (None, None, None)
        );
    }
}
