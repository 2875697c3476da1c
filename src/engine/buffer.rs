//! Memory that tensors of ONNX Runtime read and that is written to between inferences.

use std::ptr::{self, NonNull};
use std::slice;

use ort::AsPointer;
use ort::memory::{Allocator, MemoryInfo};
use ort::value::{DynValue, TensorElementType};

use super::{EngineError, Result};

/// Elements of any type, aligned for each of them.
pub(super) struct Buffer {
    words: NonNull<[u64]>,
    length: usize,
}

// SAFETY: the memory is nobody else's but that of tensors over it, which are run by who owns the
// buffer.
unsafe impl Send for Buffer {}

impl Buffer {
    /// So many bytes, all 0.
    pub(super) fn zeroed(length: usize) -> Buffer {
        // One word at least, so that there is an address.
        let words = vec![0_u64; length.div_ceil(8).max(1)].into_boxed_slice();
        Buffer {
            words: NonNull::from(Box::leak(words)),
            length,
        }
    }

    /// A copy of these bytes.
    pub(super) fn holding(bytes: &[u8]) -> Buffer {
        let mut buffer = Buffer::zeroed(bytes.len());
        buffer.bytes_mut().copy_from_slice(bytes);
        buffer
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    #[inline]
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the words are at least as long, and no tensor over them is read meanwhile: that
        // takes this buffer's owner, who has lent it.
        unsafe { slice::from_raw_parts_mut(self.words.as_ptr().cast::<u8>(), self.length) }
    }

    /// A tensor that reads the beginning of the buffer; not to be used once that is dropped.
    pub(super) fn tensor(
        &self,
        element_type: TensorElementType,
        shape: &[usize],
    ) -> ort::Result<DynValue> {
        let length = element_type.byte_size(shape.iter().product());
        let Some(length) = length.filter(|&length| length <= self.length) else {
            return Err(ort::Error::new("the tensor is larger than its memory"));
        };
        let shape: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
        let memory = MemoryInfo::default();
        let mut value = ptr::null_mut();
        // SAFETY: the buffer has so many bytes, is aligned for every type and outlives the value,
        // whose owner owns both.
        let status = unsafe {
            (ort::api().CreateTensorWithDataAsOrtValue)(
                memory.ptr(),
                self.words.as_ptr().cast(),
                length,
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
        Ok(unsafe { DynValue::from_ptr(value, Some(&Allocator::default())) })
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: the words were leaked from a box when the buffer was made, and are not used after
        // this.
        drop(unsafe { Box::from_raw(self.words.as_ptr()) });
    }
}

/// Elements of a tensor in memory of the CPU, as they lie there.
#[inline]
pub(super) fn elements(value: &DynValue) -> Result<&[u8]> {
    let length = value
        .dtype()
        .tensor_shape()
        .and_then(|shape| {
            shape
                .iter()
                .map(|&size| usize::try_from(size).ok())
                .product::<Option<usize>>()
        })
        .and_then(|count| value.dtype().tensor_type()?.byte_size(count));
    let Some(length) = length else {
        return Err(unread("it has no elements of a size of their own"));
    };
    if length == 0 {
        return Ok(&[]);
    }
    let mut elements = ptr::null_mut();
    // SAFETY: the value is a tensor and alive; its elements are only read.
    let status =
        unsafe { (ort::api().GetTensorMutableData)(value.ptr().cast_mut(), &mut elements) };
    // SAFETY: the status comes from the call above and is used once.
    if let Err(error) = unsafe { ort::Error::result_from_status(status) } {
        return Err(unread(error.message()));
    }
    if elements.is_null() {
        return Err(unread("it has no memory"));
    }
    // SAFETY: outputs are bound to memory of the CPU, and a tensor of this shape takes so many
    // bytes; they are alive as long as the value, and not written to before the next run.
    Ok(unsafe { slice::from_raw_parts(elements.cast::<u8>(), length) })
}

fn unread(why: &str) -> EngineError {
    EngineError::Run {
        message: format!("a tensor of a batch could not be read: {why}"),
    }
}
