//! Between arguments and outputs, which may be sequences of tensors, and ONNX Runtime's values;
//! inputs are held once for all that is bound to them.

use std::ffi::CString;
use std::ptr::NonNull;
use std::sync::Arc;

use ort::environment::Environment;
use ort::memory::Allocator;
use ort::session::{Session as OrtSession, SessionInputValue};
use ort::sys::OrtValue;
use ort::value::{DynSequenceValueType, DynTensorValueType, DynValue, Sequence, ValueType};

use super::message::bind_error;
use super::raw::{Elements, Owned};
use super::tensor::{borrowed, data_of, owned};
use super::{EngineError, Result};
use crate::inputs::{Argument, InputSet, Tensor, TensorData, Value, element_name};
use crate::onnx::put_delimited;
use crate::plan::ElementType;

const OPSET: u8 = 17;
const IR_VERSION: u8 = 8;
const OUTPUT: &str = "y";

pub(super) struct HeldInput {
    pub name: CString,
    pub value: Owned,
}

/// One set of inputs, which sessions and requests in flight share: an inference only reads them.
pub(super) type HeldSet = Arc<[HeldInput]>;

/// Takes over the elements of sets of inputs; strings are copied.
///
/// Elements stay where they were made, in memory of the system's allocator, where an application's
/// lie, too: aligned to 16 bytes, not to the 64 of ONNX Runtime's own, so that kernels take the
/// time that they take there.
pub(super) fn hold(sets: Vec<InputSet>, environment: &Environment) -> Result<Vec<HeldSet>> {
    sets.into_iter()
        .map(|set| {
            set.into_iter()
                .filter_map(|one| held(one, environment))
                .collect()
        })
        .collect()
}

/// `None` for what nothing is given to, which is not bound.
fn held(
    Argument { name, value }: Argument,
    environment: &Environment,
) -> Option<Result<HeldInput>> {
    into_value(value, environment)
        .map_err(|error| bind_error(name.exact(), &error))
        .transpose()
        .map(|value| named(name.into_exact(), value?))
}

pub(super) fn hold_tensors(set: Vec<Tensor>) -> Result<HeldSet> {
    set.into_iter().map(held_tensor).collect()
}

fn held_tensor(Tensor { name, data }: Tensor) -> Result<HeldInput> {
    let value = owned(data).map_err(|error| bind_error(&name, &error))?;
    named(name, value)
}

fn named(name: String, value: Owned) -> Result<HeldInput> {
    match CString::new(name.as_str()) {
        Ok(name) => Ok(HeldInput { name, value }),
        Err(error) => Err(EngineError::Bind {
            name,
            message: error.to_string(),
        }),
    }
}

/// Makes an argument a value, as [`owned`] makes it of a tensor; `None` where nothing is given.
fn into_value(value: Value, environment: &Environment) -> ort::Result<Option<Owned>> {
    Ok(match value {
        Value::Tensor(data) => Some(owned(data)?),
        Value::Sequence(element_type, tensors) => {
            Some(sequence(element_type, tensors, environment)?)
        }
        Value::Nothing => None,
    })
}

/// A value that reads the argument, or what is put to `kept` as long as it is used; `None` for
/// nothing given.
pub(super) fn view<'d>(
    value: &'d Value,
    environment: &Environment,
    kept: &mut Elements,
) -> ort::Result<Option<SessionInputValue<'d>>> {
    match value {
        Value::Tensor(data) => borrowed(data, kept).map(Some),
        Value::Sequence(element_type, tensors) => {
            let (value, elements) =
                sequence(*element_type, tensors.clone(), environment)?.into_parts();
            kept.extend(elements);
            Ok(Some(value.into()))
        }
        Value::Nothing => Ok(None),
    }
}

/// An output itself, or those of a sequence, each named; none of one that is neither or of an
/// unknown type.
pub(super) fn from_value(name: &str, value: &DynValue) -> Vec<Tensor> {
    if let Some(data) = data_of(value) {
        return vec![Tensor {
            name: name.to_owned(),
            data,
        }];
    }
    tensors(value)
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .filter_map(|(place, tensor)| {
            Some(Tensor {
                name: element_name(name, place),
                data: data_of(&tensor)?,
            })
        })
        .collect()
}

/// A sequence of tensors of this type; an error where they are of several.
fn sequence(
    element_type: ElementType,
    tensors: Vec<TensorData>,
    environment: &Environment,
) -> ort::Result<Owned> {
    if tensors.is_empty() {
        return empty(element_type, environment).map(Owned::from);
    }
    let mut values = Vec::new();
    let mut elements = Elements::new();
    for data in tensors {
        let (value, own) = owned(data)?.into_parts();
        values.push(value.downcast::<DynTensorValueType>()?);
        elements.extend(own);
    }
    Ok(Owned::of_parts(
        Sequence::<DynTensorValueType>::new(values)?.into_dyn(),
        elements,
    ))
}

/// A sequence without tensors. The C API makes none, so that an operator of the standard does.
fn empty(element_type: ElementType, environment: &Environment) -> ort::Result<DynValue> {
    let number = number(element_type)
        .ok_or_else(|| ort::Error::new(format!("there are no sequences of {element_type}")))?;
    let model = model(number);
    let mut session = OrtSession::builder(environment)?.commit_from_memory(&model)?;
    let nothing: [SessionInputValue<'_>; 0] = [];
    session
        .run(nothing)?
        .remove(OUTPUT)
        .ok_or_else(|| ort::Error::new("it made no sequence"))
}

/// A model that makes an empty sequence of tensors with elements of the type of this number, by the
/// fields of `onnx.proto`.
fn model(element_type: u8) -> Vec<u8> {
    // A field that holds a number has three bits of zeros behind its own number.
    const NODE_ATTRIBUTE_TYPE: [u8; 3] = [0xa0, 0x01, 2];
    let dtype = with(
        with(message(&[(1, b"dtype")]), &[3 << 3, element_type]),
        &NODE_ATTRIBUTE_TYPE,
    );
    let node = message(&[(2, OUTPUT.as_bytes()), (4, b"SequenceEmpty"), (5, &dtype)]);
    let tensor = message(&[(1, &[1 << 3, element_type])]);
    let sequence = message(&[(4, &message(&[(1, &tensor)]))]);
    let output = message(&[(1, OUTPUT.as_bytes()), (2, &sequence)]);
    let graph = message(&[(1, &node), (2, b"empty"), (12, &output)]);
    with(
        vec![1 << 3, IR_VERSION],
        &message(&[(7, &graph), (8, &[2 << 3, OPSET])]),
    )
}

fn message(fields: &[(u64, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (field, content) in fields {
        put_delimited(&mut out, *field, content);
    }
    out
}

/// A message with fields that hold numbers behind its own.
fn with(mut message: Vec<u8>, numbers: &[u8]) -> Vec<u8> {
    message.extend(numbers);
    message
}

/// The standard's number of an element type; `None` for types that no operator makes a sequence of.
fn number(element_type: ElementType) -> Option<u8> {
    Some(match element_type {
        ElementType::Float => 1,
        ElementType::Uint8 => 2,
        ElementType::Int8 => 3,
        ElementType::Uint16 => 4,
        ElementType::Int16 => 5,
        ElementType::Int32 => 6,
        ElementType::Int64 => 7,
        ElementType::String => 8,
        ElementType::Bool => 9,
        ElementType::Float16 => 10,
        ElementType::Double => 11,
        ElementType::Uint32 => 12,
        ElementType::Uint64 => 13,
        _ => return None,
    })
}

fn tensors(value: &DynValue) -> Option<Vec<DynValue>> {
    let ValueType::Sequence(inner) = value.dtype() else {
        return None;
    };
    inner.is_tensor().then_some(())?;
    Some(
        value
            .view()
            .downcast::<DynSequenceValueType>()
            .ok()?
            .try_extract_sequence::<DynTensorValueType>()
            .ok()?
            .into_iter()
            .map(DynValue::from)
            .collect(),
    )
}

/// An output of a run; `None` if it holds nothing.
///
/// # Safety
/// `output` is null or a value that is nobody else's.
pub(super) unsafe fn taken(output: *mut OrtValue) -> Option<DynValue> {
    let output = NonNull::new(output)?;
    let mut has_value = 0;
    // SAFETY: the value is alive, and the status is used once.
    let told = unsafe {
        ort::Error::result_from_status((ort::api().HasValue)(output.as_ptr(), &mut has_value))
    };
    if told.is_ok() && has_value == 0 {
        // SAFETY: it is not used after this.
        unsafe { (ort::api().ReleaseValue)(output.as_ptr()) };
        return None;
    }
    // SAFETY: as the caller promises; the allocator is not asked for anything.
    Some(unsafe { DynValue::from_ptr(output, Some(&Allocator::default())) })
}
