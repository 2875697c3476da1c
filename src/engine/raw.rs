//! Tensors of element types that `ort` has no Rust type for, through the C API: elements go in and
//! come out as bytes.

use std::ptr::{self, NonNull};

use ort::AsPointer;
use ort::memory::{Allocator, MemoryInfo};
use ort::value::{DynValue, TensorElementType};

use crate::inputs::TensorData;
use crate::plan::ElementType;

pub(super) type Elements = Vec<Vec<u8>>;

/// A value together with what it reads: elements that lie where they were made.
pub(super) struct Owned {
    value: DynValue,
    /// Elements of the value, which outlive it: fields are dropped in their order.
    elements: Elements,
}

impl Owned {
    pub(super) fn value(&self) -> &DynValue {
        &self.value
    }

    /// The value and its elements, which the caller keeps as long as the value is used.
    pub(super) fn into_parts(self) -> (DynValue, Elements) {
        (self.value, self.elements)
    }

    pub(super) fn of_parts(value: DynValue, elements: Elements) -> Owned {
        Owned { value, elements }
    }
}

impl From<DynValue> for Owned {
    fn from(value: DynValue) -> Self {
        Owned {
            value,
            elements: Elements::new(),
        }
    }
}

const TYPES: [(ElementType, TensorElementType); 10] = [
    (ElementType::Int2, TensorElementType::Int2),
    (ElementType::Int4, TensorElementType::Int4),
    (ElementType::Uint2, TensorElementType::Uint2),
    (ElementType::Uint4, TensorElementType::Uint4),
    (ElementType::Float8e4m3fn, TensorElementType::Float8E4M3FN),
    (
        ElementType::Float8e4m3fnuz,
        TensorElementType::Float8E4M3FNUZ,
    ),
    (ElementType::Float8e5m2, TensorElementType::Float8E5M2),
    (
        ElementType::Float8e5m2fnuz,
        TensorElementType::Float8E5M2FNUZ,
    ),
    (ElementType::Float8e8m0, TensorElementType::Float8E8M0),
    (ElementType::Float4e2m1, TensorElementType::Float4E2M1),
];

/// `None` for types that go another way; an error where the library is older than the type.
pub(super) fn from_data(data: &TensorData) -> Option<ort::Result<Owned>> {
    let (_, element_type) = TYPES.iter().find(|(own, _)| *own == data.element_type())?;
    let shape: Vec<i64> = data.shape().iter().map(|&size| size as i64).collect();
    Some(from_bytes(*element_type, &shape, data.packed()?))
}

fn from_bytes(
    element_type: TensorElementType,
    shape: &[i64],
    mut elements: Vec<u8>,
) -> ort::Result<Owned> {
    let memory = MemoryInfo::default();
    let mut value = ptr::null_mut();
    // SAFETY: ONNX Runtime checks that the elements fill the shape; they are neither moved nor
    // freed before the value is.
    let status = unsafe {
        (ort::api().CreateTensorWithDataAsOrtValue)(
            memory.ptr(),
            elements.as_mut_ptr().cast(),
            elements.len(),
            shape.as_ptr(),
            shape.len(),
            element_type.into(),
            &mut value,
        )
    };
    // SAFETY: the status comes from the call above and is used once.
    unsafe { ort::Error::result_from_status(status) }?;
    let value = NonNull::new(value).ok_or_else(|| ort::Error::new("it made no value"))?;
    // SAFETY: the value was just made, and nobody else has it.
    let value = unsafe { DynValue::from_ptr(value, Some(&Allocator::default())) };
    Ok(Owned {
        value,
        elements: vec![elements],
    })
}

fn shape_of(value: &DynValue) -> Option<Vec<usize>> {
    value
        .dtype()
        .tensor_shape()?
        .iter()
        .map(|&size| usize::try_from(size).ok())
        .collect()
}

/// Copies the elements of an output of a run; `None` for types that do not go this way.
pub(super) fn to_data(value: &DynValue) -> Option<TensorData> {
    let wanted = value.dtype().tensor_type()?;
    let (element_type, _) = TYPES.iter().find(|(_, other)| *other == wanted)?;
    let shape = shape_of(value)?;
    let length = wanted.byte_size(shape.iter().product())?;
    if length == 0 {
        return TensorData::unpacked(*element_type, &shape, &[]);
    }
    let mut elements = ptr::null_mut();
    // SAFETY: the value is a tensor and alive; its elements are only read.
    let status =
        unsafe { (ort::api().GetTensorMutableData)(value.ptr().cast_mut(), &mut elements) };
    // SAFETY: the status comes from the call above and is used once.
    unsafe { ort::Error::result_from_status(status) }.ok()?;
    if elements.is_null() {
        return None;
    }
    // SAFETY: ONNX Runtime leaves the outputs of a run in memory of the CPU, and a tensor of this
    // shape takes that many bytes.
    let bytes = unsafe { std::slice::from_raw_parts(elements.cast::<u8>(), length) };
    TensorData::unpacked(*element_type, &shape, bytes)
}
