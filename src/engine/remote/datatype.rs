//! The protocol's names of element types, and elements as they lie in a body.

use half::{bf16, f16};
use ndarray::{ArrayD, IxDyn};
use serde::Serializer;
use serde_json::Value;

use crate::inputs::TensorData;
use crate::plan::ElementType;

/// Names of the protocol; BF16 is an extension of Triton's.
const NAMES: [(ElementType, &str); 14] = [
    (ElementType::Bool, "BOOL"),
    (ElementType::Uint8, "UINT8"),
    (ElementType::Uint16, "UINT16"),
    (ElementType::Uint32, "UINT32"),
    (ElementType::Uint64, "UINT64"),
    (ElementType::Int8, "INT8"),
    (ElementType::Int16, "INT16"),
    (ElementType::Int32, "INT32"),
    (ElementType::Int64, "INT64"),
    (ElementType::Float16, "FP16"),
    (ElementType::Bfloat16, "BF16"),
    (ElementType::Float, "FP32"),
    (ElementType::Double, "FP64"),
    (ElementType::String, "BYTES"),
];

pub(super) fn name(element_type: ElementType) -> Option<&'static str> {
    let mut names = NAMES.iter();
    names
        .find(|(one, _)| *one == element_type)
        .map(|(_, name)| *name)
}

pub(super) fn element_type(name: &str) -> Option<ElementType> {
    let mut names = NAMES.iter();
    names.find(|(_, one)| *one == name).map(|(one, _)| *one)
}

/// Elements in the protocol's binary form: in row-major order, the lowest byte first, each text
/// after its length; `None` for types that it does not have.
pub(super) fn to_bytes(data: &TensorData) -> Option<Vec<u8>> {
    macro_rules! bytes {
        ($array:expr) => {
            $array
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        };
    }
    Some(match data {
        TensorData::Bool(array) => array.iter().map(|&value| u8::from(value)).collect(),
        TensorData::Uint8(array) => bytes!(array),
        TensorData::Uint16(array) => bytes!(array),
        TensorData::Uint32(array) => bytes!(array),
        TensorData::Uint64(array) => bytes!(array),
        TensorData::Int8(array) => bytes!(array),
        TensorData::Int16(array) => bytes!(array),
        TensorData::Int32(array) => bytes!(array),
        TensorData::Int64(array) => bytes!(array),
        TensorData::Float16(array) => bytes!(array),
        TensorData::Bfloat16(array) => bytes!(array),
        TensorData::Float(array) => bytes!(array),
        TensorData::Double(array) => bytes!(array),
        TensorData::String(array) => array.iter().flat_map(|text| with_length(text)).collect(),
        _ => return None,
    })
}

fn with_length(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u32).to_le_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// The reverse of [`to_bytes`]; `None` where the bytes do not fill the shape.
pub(super) fn of_bytes(
    element_type: ElementType,
    shape: &[usize],
    bytes: &[u8],
) -> Option<TensorData> {
    macro_rules! numbers {
        ($variant:ident, $type:ty) => {{
            let (values, rest) = bytes.as_chunks::<{ size_of::<$type>() }>();
            let values = values.iter().map(|value| <$type>::from_le_bytes(*value));
            if !rest.is_empty() {
                return None;
            }
            TensorData::$variant(array(shape, values.map(Some))?)
        }};
    }
    Some(match element_type {
        ElementType::Bool => {
            TensorData::Bool(array(shape, bytes.iter().map(|&byte| Some(byte != 0)))?)
        }
        ElementType::Uint8 => numbers!(Uint8, u8),
        ElementType::Uint16 => numbers!(Uint16, u16),
        ElementType::Uint32 => numbers!(Uint32, u32),
        ElementType::Uint64 => numbers!(Uint64, u64),
        ElementType::Int8 => numbers!(Int8, i8),
        ElementType::Int16 => numbers!(Int16, i16),
        ElementType::Int32 => numbers!(Int32, i32),
        ElementType::Int64 => numbers!(Int64, i64),
        ElementType::Float16 => numbers!(Float16, f16),
        ElementType::Bfloat16 => numbers!(Bfloat16, bf16),
        ElementType::Float => numbers!(Float, f32),
        ElementType::Double => numbers!(Double, f64),
        ElementType::String => TensorData::String(array(shape, Texts { rest: bytes })?),
        _ => return None,
    })
}

/// Texts, each after its length; ends with nothing where they are cut off.
struct Texts<'b> {
    rest: &'b [u8],
}

impl Iterator for Texts<'_> {
    type Item = Option<String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Some((length, rest)) = self.rest.split_first_chunk() else {
            self.rest = &[];
            return Some(None);
        };
        let length = u32::from_le_bytes(*length) as usize;
        let Some((text, rest)) = rest.split_at_checked(length) else {
            self.rest = &[];
            return Some(None);
        };
        self.rest = rest;
        Some(Some(String::from_utf8_lossy(text).into_owned()))
    }
}

/// Elements as JSON numbers, truth values and texts.
pub(super) fn to_json<S: Serializer>(data: &TensorData, out: S) -> Result<S::Ok, S::Error> {
    match data {
        TensorData::Bool(array) => out.collect_seq(array),
        TensorData::Uint8(array) => out.collect_seq(array),
        TensorData::Uint16(array) => out.collect_seq(array),
        TensorData::Uint32(array) => out.collect_seq(array),
        TensorData::Uint64(array) => out.collect_seq(array),
        TensorData::Int8(array) => out.collect_seq(array),
        TensorData::Int16(array) => out.collect_seq(array),
        TensorData::Int32(array) => out.collect_seq(array),
        TensorData::Int64(array) => out.collect_seq(array),
        TensorData::Float16(array) => out.collect_seq(array.iter().map(|value| value.to_f32())),
        TensorData::Bfloat16(array) => out.collect_seq(array.iter().map(|value| value.to_f32())),
        TensorData::Float(array) => out.collect_seq(array),
        TensorData::Double(array) => out.collect_seq(array),
        TensorData::String(array) => out.collect_seq(array),
        other => Err(serde::ser::Error::custom(format!(
            "elements of type {} have no form in JSON",
            other.element_type().name()
        ))),
    }
}

/// The reverse of [`to_json`], of flat or nested lists; `None` where they do not fill the shape, or
/// are of something else.
pub(super) fn of_json(
    element_type: ElementType,
    shape: &[usize],
    value: &Value,
) -> Option<TensorData> {
    let mut flat = Vec::new();
    flatten(value, &mut flat);
    let flat = flat.into_iter();
    macro_rules! whole {
        ($variant:ident) => {{
            let values = flat.map(|value| whole(value)?.try_into().ok());
            TensorData::$variant(array(shape, values)?)
        }};
    }
    Some(match element_type {
        ElementType::Bool => TensorData::Bool(array(shape, flat.map(truth))?),
        ElementType::Uint8 => whole!(Uint8),
        ElementType::Uint16 => whole!(Uint16),
        ElementType::Uint32 => whole!(Uint32),
        ElementType::Uint64 => whole!(Uint64),
        ElementType::Int8 => whole!(Int8),
        ElementType::Int16 => whole!(Int16),
        ElementType::Int32 => whole!(Int32),
        ElementType::Int64 => whole!(Int64),
        ElementType::Float16 => TensorData::Float16(array(
            shape,
            flat.map(|value| number(value).map(f16::from_f64)),
        )?),
        ElementType::Bfloat16 => TensorData::Bfloat16(array(
            shape,
            flat.map(|value| number(value).map(bf16::from_f64)),
        )?),
        ElementType::Float => TensorData::Float(array(
            shape,
            flat.map(|value| number(value).map(|number| number as f32)),
        )?),
        ElementType::Double => TensorData::Double(array(shape, flat.map(number))?),
        ElementType::String => TensorData::String(array(
            shape,
            flat.map(|value| value.as_str().map(str::to_owned)),
        )?),
        _ => return None,
    })
}

fn flatten<'v>(value: &'v Value, into: &mut Vec<&'v Value>) {
    match value {
        Value::Array(list) => list.iter().for_each(|one| flatten(one, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            into.push(value);
        }
    }
}

/// Some servers write what is not a number as nothing.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Null => Some(f64::NAN),
        other => other.as_f64(),
    }
}

fn whole(value: &Value) -> Option<i128> {
    let signed = value.as_i64().map(i128::from);
    signed.or_else(|| value.as_u64().map(i128::from))
}

fn truth(value: &Value) -> Option<bool> {
    value
        .as_bool()
        .or_else(|| value.as_u64().map(|number| number != 0))
}

fn array<T>(shape: &[usize], values: impl Iterator<Item = Option<T>>) -> Option<ArrayD<T>> {
    ArrayD::from_shape_vec(IxDyn(shape), values.collect::<Option<_>>()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors() -> Vec<TensorData> {
        macro_rules! of {
            ($variant:ident, $values:expr) => {
                TensorData::$variant(ArrayD::from_shape_vec(IxDyn(&[2, 1]), $values).unwrap())
            };
        }
        vec![
            of!(Bool, vec![true, false]),
            of!(Uint8, vec![0, u8::MAX]),
            of!(Uint64, vec![1, u64::MAX]),
            of!(Int8, vec![i8::MIN, 7]),
            of!(Int64, vec![i64::MIN, i64::MAX]),
            of!(Float16, vec![f16::from_f32(0.1), f16::MAX]),
            of!(Bfloat16, vec![bf16::from_f32(0.1), bf16::MAX]),
            of!(Float, vec![0.1, f32::MIN_POSITIVE]),
            of!(Double, vec![0.1, f64::MAX]),
            of!(String, vec!["a\"\u{e9}".to_owned(), String::new()]),
        ]
    }

    #[test]
    fn elements_come_back_from_both_forms_as_they_were() {
        for data in tensors() {
            let element_type = data.element_type();
            let bytes = to_bytes(&data).unwrap();
            assert_eq!(of_bytes(element_type, &[2, 1], &bytes).unwrap(), data);
            let json = to_json(&data, serde_json::value::Serializer).unwrap();
            assert_eq!(of_json(element_type, &[2, 1], &json).unwrap(), data);
            assert_eq!(of_json(element_type, &[3], &json), None);
            let name = name(element_type).unwrap();
            assert_eq!(super::element_type(name), Some(element_type));
        }
    }

    #[test]
    fn nested_lists_are_taken_and_what_is_cut_off_is_not() {
        let json = serde_json::json!([[1, 2], [3, 4]]);
        let flat = of_json(ElementType::Int32, &[4], &json).unwrap();
        assert_eq!(flat.shape(), [4]);
        assert_eq!(
            of_json(ElementType::Uint8, &[1], &serde_json::json!([256])),
            None
        );
        assert_eq!(
            of_json(ElementType::Float, &[1], &serde_json::json!(["x"])),
            None
        );
        assert_eq!(of_bytes(ElementType::Float, &[1], &[0; 5]), None);
        assert_eq!(
            of_bytes(ElementType::String, &[1], &[9, 0, 0, 0, b'a']),
            None
        );
    }
}
