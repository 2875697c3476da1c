//! Between onnxprof's tensors and ONNX Runtime's values.

use ort::value::{DynValue, Tensor as OrtTensor, TensorElementType};

use super::maps;
use crate::inputs::TensorData;

/// Copies a tensor into a value that owns its elements.
pub(super) fn to_value(data: &TensorData) -> Result<DynValue, ort::Error> {
    Ok(match data {
        TensorData::Float(array) => OrtTensor::from_array(array.clone())?.into_dyn(),
        TensorData::Double(array) => OrtTensor::from_array(array.clone())?.into_dyn(),
        TensorData::Float16(array) => OrtTensor::from_array(array.clone())?.into_dyn(),
        TensorData::Bfloat16(array) => OrtTensor::from_array(array.clone())?.into_dyn(),
        TensorData::Int8(array) => OrtTensor::from_array(array.clone())?.into_dyn(),
        TensorData::Int16(array) => OrtTensor::from_array(array.clone())?.into_dyn(),
        TensorData::Int32(array) => OrtTensor::from_array(array.clone())?.into_dyn(),
        TensorData::Int64(array) => OrtTensor::from_array(array.clone())?.into_dyn(),
        TensorData::Uint8(array) => OrtTensor::from_array(array.clone())?.into_dyn(),
        TensorData::Uint16(array) => OrtTensor::from_array(array.clone())?.into_dyn(),
        TensorData::Uint32(array) => OrtTensor::from_array(array.clone())?.into_dyn(),
        TensorData::Uint64(array) => OrtTensor::from_array(array.clone())?.into_dyn(),
        TensorData::Bool(array) => OrtTensor::from_array(array.clone())?.into_dyn(),
        TensorData::String(array) => OrtTensor::from_string_array(array)?.into_dyn(),
    })
}

/// Copies a value's elements out; `None` if it is neither a tensor nor a sequence of maps with the same keys, or of a type that has no Rust counterpart.
pub(super) fn from_value(value: &DynValue) -> Option<TensorData> {
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
        _ => None,
    }
}
