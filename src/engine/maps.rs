//! Sequences of maps, as classifiers of `ai.onnx.ml` give them, as the matrix of scores that they hold.

use std::fmt::Debug;
use std::hash::Hash;

use ndarray::{ArrayD, IxDyn};

use ort::value::{DynMapValueType, DynSequenceValueType, DynValue, IntoTensorElementType, Value, ValueType};

use crate::inputs::TensorData;

/// One row for each map, one column for each key, in the order of the keys; `None` if it is no sequence of maps that have
/// the same keys.
pub(super) fn scores(value: &DynValue) -> Option<TensorData> {
    if !matches!(value.dtype(), ValueType::Sequence(_)) {
        return None;
    }
    let sequence = value.view().downcast::<DynSequenceValueType>().ok()?;
    let maps: Vec<Value<DynMapValueType>> = sequence.try_extract_sequence().ok()?;
    of_keys::<i64>(&maps).or_else(|| of_keys::<String>(&maps))
}

fn of_keys<K>(maps: &[Value<DynMapValueType>]) -> Option<TensorData>
where
    K: IntoTensorElementType + Clone + Debug + Hash + Ord,
{
    let rows = maps.iter().map(|map| {
        let mut row: Vec<(K, f32)> = map.try_extract_key_values().ok()?;
        row.sort_by(|one, other| one.0.cmp(&other.0));
        Some(row)
    });
    let rows: Vec<Vec<(K, f32)>> = rows.collect::<Option<_>>()?;
    let keys: Vec<&K> = rows.first()?.iter().map(|(key, _)| key).collect();
    let is_alike = rows.iter().all(|row| row.iter().map(|(key, _)| key).eq(keys.iter().copied()));
    let scores: Vec<f32> = rows.iter().flatten().map(|(_, score)| *score).collect();
    let shape = IxDyn(&[rows.len(), keys.len()]);
    is_alike.then(|| ArrayD::from_shape_vec(shape, scores).ok()).flatten().map(TensorData::Float)
}
