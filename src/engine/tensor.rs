//! Between onnxprof's tensors and ONNX Runtime's values.

use ort::environment::Environment;
use ort::session::SessionInputValue;
use ort::value::{DynValue, Tensor as OrtTensor, TensorElementType, TensorRef};

use super::raw::{Elements, Owned};
use super::{maps, raw, sequence};
use crate::inputs::{Tensor, TensorData, Value, element_name};

/// One expression for arrays of every type of numbers that Rust has, truth values among them, one for strings, and one for
/// what is left.
macro_rules! by_elements {
    ($data:expr, $array:ident => $numbers:expr, $text:ident => $strings:expr, $other:ident => $others:expr $(,)?) => {
        match $data {
            TensorData::Float($array) => $numbers,
            TensorData::Double($array) => $numbers,
            TensorData::Float16($array) => $numbers,
            TensorData::Bfloat16($array) => $numbers,
            TensorData::Int8($array) => $numbers,
            TensorData::Int16($array) => $numbers,
            TensorData::Int32($array) => $numbers,
            TensorData::Int64($array) => $numbers,
            TensorData::Uint8($array) => $numbers,
            TensorData::Uint16($array) => $numbers,
            TensorData::Uint32($array) => $numbers,
            TensorData::Uint64($array) => $numbers,
            TensorData::Bool($array) => $numbers,
            TensorData::String($text) => $strings,
            $other => $others,
        }
    };
}

/// Makes a tensor a value without copying its elements; strings are copied, which ONNX Runtime keeps in its own way, and so
/// are elements of types that Rust lacks.
pub(super) fn owned(data: TensorData) -> Result<Owned, ort::Error> {
    Ok(by_elements!(
        data,
        array => OrtTensor::from_array(array)?.into_dyn().into(),
        text => OrtTensor::from_string_array(&text)?.into_dyn().into(),
        other => small(&other)?,
    ))
}

/// A value whose elements are those of the tensor, or those that are put to what is `kept` as long as the value is used.
fn borrowed<'d>(data: &'d TensorData, kept: &mut Elements) -> Result<SessionInputValue<'d>, ort::Error> {
    Ok(by_elements!(
        data,
        array => TensorRef::from_array_view(array)?.into(),
        text => OrtTensor::from_string_array(text)?.into(),
        other => {
            let (value, elements) = small(other)?.into_parts();
            kept.extend(elements);
            value.into()
        },
    ))
}

/// Makes an argument a value, as [`owned`] makes it of a tensor; `None` where nothing is given.
pub(super) fn into_value(value: Value, environment: &Environment) -> Result<Option<Owned>, ort::Error> {
    match value {
        Value::Tensor(data) => owned(data).map(Some),
        Value::Sequence(element_type, tensors) => sequence::of(element_type, tensors, environment).map(Some),
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
            let (value, elements) = sequence::of(*element_type, tensors.clone(), environment)?.into_parts();
            kept.extend(elements);
            Ok(Some(value.into()))
        }
        Value::Nothing => Ok(None),
    }
}

/// A value of elements that Rust lacks a type for.
fn small(data: &TensorData) -> Result<Owned, ort::Error> {
    raw::from_data(data).unwrap_or_else(|| Err(ort::Error::new("there are no tensors of this type")))
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

/// Copies a value's elements out; `None` if it is neither a tensor nor a sequence of maps with the same keys, or of a type that is not known.
fn data_of(value: &DynValue) -> Option<TensorData> {
    macro_rules! extract {
        ($variant:ident) => {
            value.try_extract_array().ok().map(|view| TensorData::$variant(view.to_owned()))
        };
    }
    let Some(element_type) = value.dtype().tensor_type() else { return maps::scores(value) };
    match element_type {
        TensorElementType::Float32 => extract!(Float),
        TensorElementType::Float64 => extract!(Double),
        TensorElementType::Float16 => extract!(Float16),
        TensorElementType::Bfloat16 => extract!(Bfloat16),
        TensorElementType::Int8 => extract!(Int8),
        TensorElementType::Int16 => extract!(Int16),
        TensorElementType::Int32 => extract!(Int32),
        TensorElementType::Int64 => extract!(Int64),
        TensorElementType::Uint8 => extract!(Uint8),
        TensorElementType::Uint16 => extract!(Uint16),
        TensorElementType::Uint32 => extract!(Uint32),
        TensorElementType::Uint64 => extract!(Uint64),
        TensorElementType::Bool => extract!(Bool),
        TensorElementType::String => value.try_extract_string_array().ok().map(TensorData::String),
        _ => raw::to_data(value),
    }
}
