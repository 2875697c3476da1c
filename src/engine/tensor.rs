//! Between onnxprof's tensors and ONNX Runtime's values.

use std::fmt::Debug;
use std::hash::Hash;

use ndarray::{ArrayD, IxDyn};
use ort::session::SessionInputValue;
use ort::value::{
    DynMapValueType, DynSequenceValueType, DynValue, IntoTensorElementType, Tensor as OrtTensor,
    TensorElementType, TensorRef, Value, ValueType,
};

use super::raw::{self, Elements, Owned};
use crate::inputs::TensorData;

/// One expression for arrays of every type of numbers that Rust has, truth values among them, one
/// for strings, and one for what is left.
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

/// Makes a tensor a value without copying its elements; strings are copied, which ONNX Runtime
/// keeps in its own way, and so are elements of types that Rust lacks.
pub(super) fn owned(data: TensorData) -> ort::Result<Owned> {
    Ok(by_elements!(
        data,
        array => OrtTensor::from_array(array)?.into_dyn().into(),
        text => OrtTensor::from_string_array(&text)?.into_dyn().into(),
        other => small(&other)?,
    ))
}

/// A value whose elements are those of the tensor, or those that are put to what is `kept` as long
/// as the value is used.
pub(super) fn borrowed<'d>(
    data: &'d TensorData,
    kept: &mut Elements,
) -> ort::Result<SessionInputValue<'d>> {
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

fn small(data: &TensorData) -> ort::Result<Owned> {
    raw::from_data(data)
        .unwrap_or_else(|| Err(ort::Error::new("there are no tensors of this type")))
}

/// Copies a value's elements out; `None` if it is neither a tensor nor a sequence of maps with the
/// same keys, or of a type that is not known.
pub(super) fn data_of(value: &DynValue) -> Option<TensorData> {
    macro_rules! extract {
        ($variant:ident) => {
            value
                .try_extract_array()
                .ok()
                .map(|view| TensorData::$variant(view.to_owned()))
        };
    }
    let Some(element_type) = value.dtype().tensor_type() else {
        return scores(value);
    };
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
        TensorElementType::String => value
            .try_extract_string_array()
            .ok()
            .map(TensorData::String),
        _ => raw::to_data(value),
    }
}

/// The scores of a sequence of maps, as classifiers of `ai.onnx.ml` give it: one row for each map,
/// one column for each key, in the order of the keys; `None` if it is no sequence of maps that have
/// the same keys.
fn scores(value: &DynValue) -> Option<TensorData> {
    if !matches!(value.dtype(), ValueType::Sequence(_)) {
        return None;
    }
    let maps: Vec<Value<DynMapValueType>> = value
        .view()
        .downcast::<DynSequenceValueType>()
        .ok()?
        .try_extract_sequence()
        .ok()?;
    of_keys::<i64>(&maps).or_else(|| of_keys::<String>(&maps))
}

/// The keys and scores of a map, in the order of the keys.
fn sorted_row<K>(map: &Value<DynMapValueType>) -> Option<Vec<(K, f32)>>
where
    K: IntoTensorElementType + Clone + Debug + Hash + Ord,
{
    let mut row: Vec<(K, f32)> = map.try_extract_key_values().ok()?;
    row.sort_by(|one, other| one.0.cmp(&other.0));
    Some(row)
}

fn of_keys<K>(maps: &[Value<DynMapValueType>]) -> Option<TensorData>
where
    K: IntoTensorElementType + Clone + Debug + Hash + Ord,
{
    let rows: Vec<Vec<(K, f32)>> = maps.iter().map(sorted_row).collect::<Option<_>>()?;
    let keys: Vec<&K> = rows.first()?.iter().map(|(key, _)| key).collect();
    let is_alike = rows
        .iter()
        .all(|row| row.iter().map(|(key, _)| key).eq(keys.iter().copied()));
    let scores: Vec<f32> = rows.iter().flatten().map(|(_, score)| *score).collect();
    is_alike
        .then(|| ArrayD::from_shape_vec(IxDyn(&[rows.len(), keys.len()]), scores).ok())
        .flatten()
        .map(TensorData::Float)
}
