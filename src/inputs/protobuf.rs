//! Tensors in files of the ONNX standard's own tests, `input_0.pb` and `output_0.pb`.

use std::fmt::Display;
use std::path::Path;

use onnx_rs::ast::TensorProto;

use super::array::{Array, Content, product};
use super::error::ask;
use super::narrow::{is_narrow, unpack};
use super::{Form, InputError, Result};
use crate::files::{self, Kind};
use crate::onnx::{delimited, each_delimited, for_parser, put_delimited, stored_type};
use crate::plan::ElementType;

/// Memory per byte of raw elements while a file is parsed: copies that are in memory at once.
const COPIES: u64 = 4;
/// Memory per byte of floating-point numbers in a list: the parser's list comes on top, and ours.
const IN_LIST: u64 = 8;
/// Memory per byte of anything else: one may be a whole number, which becomes eight bytes, and two
/// may be a text.
const OTHERS: u64 = 32;
/// Memory of a tensor of a sequence beside its bytes.
const TENSOR: u64 = 256;

#[derive(Clone, Debug)]
pub(super) enum Stored {
    Tensor(Array),
    Sequence(Vec<Array>),
    Nothing,
}

impl Stored {
    /// The tensor, or those of the sequence.
    pub fn tensors(&self) -> &[Array] {
        match self {
            Stored::Tensor(array) => std::slice::from_ref(array),
            Stored::Sequence(tensors) => tensors,
            Stored::Nothing => &[],
        }
    }
}

pub(super) fn read(path: &Path, form: Form) -> Result<Stored> {
    let file = files::open(path, Kind::TENSOR).map_err(InputError::read(path))?;
    ask(path, file.len().saturating_mul(COPIES), "its tensors")?;
    let bytes = file.bytes().map_err(InputError::read(path))?;
    ask(path, needed(&bytes, form), "its tensors")?;
    let stored = match form {
        Form::Tensor => in_message(&bytes).map(Stored::Tensor),
        Form::Sequence => sequence(&bytes).map(Stored::Sequence),
        Form::Optional => optional(&bytes),
    };
    stored.map_err(InputError::format(path, ".pb"))
}

/// Memory that the value of that form in a message takes while it is parsed.
fn needed(message: &[u8], form: Form) -> u64 {
    let (mut sum, mut others) = (0, message.len() as u64);
    // A message that is damaged is counted as far as it goes, and refused where it is parsed.
    each_delimited(message, |field, content| {
        let length = content.len() as u64;
        sum += match (form, field) {
            (Form::Tensor, RAW_DATA) => COPIES * length,
            (Form::Tensor, FLOAT_DATA | DOUBLE_DATA) => IN_LIST * length,
            (Form::Tensor, STRING_DATA) => COPIES * length,
            (Form::Sequence | Form::Optional, TENSORS) => TENSOR + needed(content, Form::Tensor),
            (Form::Optional, SEQUENCE) => needed(content, Form::Sequence),
            _ => return,
        };
        others -= length;
    });
    sum + OTHERS * others
}

/// Fields of a tensor that hold its elements: those of four and of eight bytes, texts, and any as
/// they are in memory.
const FLOAT_DATA: u64 = 4;
const DOUBLE_DATA: u64 = 10;
const STRING_DATA: u64 = 6;
const RAW_DATA: u64 = 9;
/// Fields of a sequence and of an optional value: a name, tensors or one tensor, and of the latter
/// a sequence.
const NAME: u64 = 1;
const TENSORS: u64 = 3;
const SEQUENCE: u64 = 5;
/// The last field of either. What lies between holds sparse tensors, sequences, maps and optional
/// values.
const LAST: u64 = 7;

fn sequence(bytes: &[u8]) -> Result<Vec<Array>, String> {
    let mut tensors = Vec::new();
    for (field, content) in delimited(bytes).ok_or("it holds no sequence")? {
        match field {
            NAME => {}
            TENSORS => tensors.push(in_message(content)?),
            4..=LAST => return Err("it holds a sequence of something else than tensors".to_owned()),
            _ => return Err("it holds no sequence".to_owned()),
        }
    }
    Ok(tensors)
}

fn optional(bytes: &[u8]) -> Result<Stored, String> {
    for (field, content) in delimited(bytes).ok_or("it holds no optional value")? {
        match field {
            NAME => {}
            TENSORS => return in_message(content).map(Stored::Tensor),
            SEQUENCE => return sequence(content).map(Stored::Sequence),
            4..=LAST => {
                return Err(
                    "it holds an optional value that is neither a tensor nor a sequence".to_owned(),
                );
            }
            _ => return Err("it holds no optional value".to_owned()),
        }
    }
    Ok(Stored::Nothing)
}

/// The tensor in a message; else why there is none, as a fragment of a sentence.
fn in_message(bytes: &[u8]) -> Result<Array, String> {
    // The parser's entry is a model: one whose graph has the tensor as its one initializer.
    let (mut graph, mut wrapped) = (Vec::new(), Vec::new());
    put_delimited(&mut graph, 5, &for_parser(bytes));
    put_delimited(&mut wrapped, 7, &graph);
    let model =
        onnx_rs::parse(&wrapped).map_err(|error| format!("it holds no tensor ({error})"))?;
    let tensor = model
        .graph
        .as_ref()
        .and_then(|graph| graph.initializer.first())
        .ok_or("it is empty")?;
    array_of(tensor)
}

fn array_of(tensor: &TensorProto<'_>) -> Result<Array, String> {
    let element_type = stored_type(tensor);
    if element_type == ElementType::Undefined {
        return Err("it holds no tensor of a type that is known here".to_owned());
    }
    let shape: Vec<usize> = tensor
        .dims()
        .iter()
        .map(|&size| usize::try_from(size).ok())
        .collect::<Option<_>>()
        .ok_or("its shape has a negative size")?;
    let content = if is_narrow(element_type) {
        narrow(tensor, &shape)
    } else {
        content(tensor)
    };
    Array::new(element_type, shape, content?)
        .ok_or_else(|| "its elements do not fill its shape".to_owned())
}

fn unreadable(element_type: ElementType) -> String {
    format!("its elements of type {element_type} cannot be read")
}

/// Elements of eight bits and fewer, one to a byte. A number in the field of whole numbers holds a
/// byte of packed ones.
fn narrow(tensor: &TensorProto<'_>, shape: &[usize]) -> Result<Content, String> {
    let element_type = stored_type(tensor);
    let bytes = match tensor.as_raw() {
        Some(raw) => raw.to_vec(),
        None => fitted(
            &tensor.as_i32().unwrap_or_default(),
            element_type,
            u8::to_le_bytes,
        )?,
    };
    let codes = product(shape, 1)
        .and_then(|count| unpack(&bytes, element_type, count))
        .ok_or_else(|| unreadable(element_type))?;
    Ok(Content::Bytes(codes.into()))
}

/// Elements as little-endian bytes, whichever field of the message holds them.
fn content(tensor: &TensorProto<'_>) -> Result<Content, String> {
    if let Some(raw) = tensor.as_raw() {
        return Ok(Content::Bytes(raw.to_vec().into()));
    }
    let element_type = stored_type(tensor);
    let is_empty = tensor.dims().contains(&0);
    let content = match element_type {
        ElementType::String if is_empty => Some(Content::Text(Vec::new())),
        ElementType::String => texts(tensor).map(Content::Text),
        _ if is_empty => Some(Content::Bytes(Vec::new().into())),
        _ => numbers(tensor, element_type)
            .transpose()?
            .map(|bytes| Content::Bytes(bytes.into())),
    };
    content.ok_or_else(|| unreadable(element_type))
}

fn texts(tensor: &TensorProto<'_>) -> Option<Vec<String>> {
    Some(
        tensor
            .as_strings()?
            .iter()
            .map(|item| String::from_utf8_lossy(item).into_owned())
            .collect(),
    )
}

/// The numbers of the field that a type has, as little-endian elements; absent where it is empty,
/// or the type has none.
fn numbers(tensor: &TensorProto<'_>, element_type: ElementType) -> Option<Result<Vec<u8>, String>> {
    Some(match element_type {
        ElementType::Float => fitted(&tensor.as_f32()?, element_type, f32::to_le_bytes),
        ElementType::Double => fitted(&tensor.as_f64()?, element_type, f64::to_le_bytes),
        ElementType::Int64 => fitted(&tensor.as_i64()?, element_type, i64::to_le_bytes),
        ElementType::Uint64 => fitted(&tensor.as_u64()?, element_type, u64::to_le_bytes),
        ElementType::Uint32 => fitted(&tensor.as_u64()?, element_type, u32::to_le_bytes),
        _ => return small_numbers(&tensor.as_i32()?, element_type),
    })
}

/// Numbers of the field of 32 bits as elements of its type and of smaller ones.
fn small_numbers(numbers: &[i32], element_type: ElementType) -> Option<Result<Vec<u8>, String>> {
    Some(match element_type {
        ElementType::Int32 => fitted(numbers, element_type, i32::to_le_bytes),
        ElementType::Int16 => fitted(numbers, element_type, i16::to_le_bytes),
        // Of floating-point numbers the bits, whose first one some writers take for a sign.
        ElementType::Float16 | ElementType::Bfloat16 => {
            let bits: Vec<i32> = numbers.iter().map(without_sign).collect();
            fitted(&bits, element_type, u16::to_le_bytes)
        }
        ElementType::Uint16 => fitted(numbers, element_type, u16::to_le_bytes),
        ElementType::Int8 => fitted(numbers, element_type, i8::to_le_bytes),
        ElementType::Uint8 => fitted(numbers, element_type, u8::to_le_bytes),
        // Whatever is not zero is true, to ONNX Runtime as well.
        ElementType::Bool => Ok(numbers
            .iter()
            .map(|&number| u8::from(number != 0))
            .collect()),
        _ => return None,
    })
}

fn without_sign(bits: &i32) -> i32 {
    if (-0x8000..0).contains(bits) {
        bits + 0x1_0000
    } else {
        *bits
    }
}

/// Numbers of a field as elements of a type that may hold fewer than the field.
fn fitted<F: Copy + Display, T: TryFrom<F>, const N: usize>(
    numbers: &[F],
    element_type: ElementType,
    to_bytes: fn(T) -> [u8; N],
) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(numbers.len().saturating_mul(N));
    for &number in numbers {
        let element = T::try_from(number)
            .map_err(|_| format!("its number {number} does not fit {element_type}"))?;
        bytes.extend(to_bytes(element));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::testing::message;

    /// A message with one field of a thousand bytes, after three that say so.
    fn thousand(field: u64) -> Vec<u8> {
        message(&[(field, &[1; 1_000])])
    }

    #[test]
    fn bytes_take_what_they_become() {
        let tensor = |field: u64| needed(&thousand(field), Form::Tensor);
        assert_eq!(
            (tensor(RAW_DATA), tensor(FLOAT_DATA), tensor(DOUBLE_DATA)),
            (4_096, 8_096, 8_096)
        );
        // Whole numbers of one byte each, and texts without letters.
        assert_eq!(
            (tensor(7), needed(&[0x32_u8, 0].repeat(500), Form::Tensor)),
            (32 * 1_003, 32 * 1_000)
        );
    }

    #[test]
    fn tensors_of_a_sequence_take_what_they_take_alone() {
        let sequence = message(&[(TENSORS, &thousand(RAW_DATA))]);
        let optional = message(&[(SEQUENCE, &sequence)]);
        assert_eq!(needed(&sequence, Form::Sequence), TENSOR + 4_096 + 32 * 3);
        assert_eq!(needed(&optional, Form::Optional), TENSOR + 4_096 + 32 * 6);
        // A name without end.
        assert_eq!(needed(&[0x0a, 9], Form::Sequence), 32 * 2);
    }
}
