//! Inputs of inferences, held once for all that is bound to them.

use std::ffi::CString;
use std::sync::Arc;

use super::bound::bind_error;
use super::raw::Owned;
use super::{EngineError, tensor};
use crate::inputs::Tensor;

/// An input in host memory, as ONNX Runtime takes it.
pub(super) struct HeldInput {
    pub name: CString,
    pub value: Owned,
}

/// One set of inputs, which sessions and requests in flight share: an inference only reads them.
pub(super) type HeldSet = Arc<[HeldInput]>;

/// Takes over the elements of sets of inputs; strings are copied.
///
/// Elements stay where they were made, in memory of the system's allocator, where an application's lie, too: aligned to 16
/// bytes, not to the 64 of ONNX Runtime's own, so that kernels take the time that they take there.
///
/// # Errors
/// [`EngineError::Bind`] in ONNX Runtime's own words.
pub(super) fn hold(sets: Vec<Vec<Tensor>>) -> Result<Vec<HeldSet>, EngineError> {
    sets.into_iter().map(|set| set.into_iter().map(held).collect()).collect()
}

fn held(input: Tensor) -> Result<HeldInput, EngineError> {
    let Tensor { name, data } = input;
    let value = tensor::into_value(data).map_err(|error| bind_error(&name, &error))?;
    match CString::new(name.as_str()) {
        Ok(name) => Ok(HeldInput { name, value }),
        Err(error) => Err(EngineError::Bind { name, message: error.to_string() }),
    }
}
