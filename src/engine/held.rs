//! Inputs of inferences, held once for all that is bound to them.

use std::ffi::CString;
use std::sync::Arc;

use ort::environment::Environment;

use super::message::bind_error;
use super::raw::Owned;
use super::{EngineError, tensor, value};
use crate::inputs::{Argument, InputSet, Tensor};

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
pub(super) fn hold(sets: Vec<InputSet>, environment: &Environment) -> Result<Vec<HeldSet>, EngineError> {
    let held = |argument: Argument| {
        let Argument { name, value } = argument;
        let value = value::into_value(value, environment).map_err(|error| bind_error(&name, &error));
        // What nothing is given to is not bound.
        value.transpose().map(|value| named(name, value?))
    };
    sets.into_iter().map(|set| set.into_iter().filter_map(held).collect()).collect()
}

pub(super) fn tensors(set: Vec<Tensor>) -> Result<HeldSet, EngineError> {
    let held = |Tensor { name, data }: Tensor| {
        let value = tensor::owned(data).map_err(|error| bind_error(&name, &error))?;
        named(name, value)
    };
    set.into_iter().map(held).collect()
}

fn named(name: String, value: Owned) -> Result<HeldInput, EngineError> {
    match CString::new(name.as_str()) {
        Ok(name) => Ok(HeldInput { name, value }),
        Err(error) => Err(EngineError::Bind { name, message: error.to_string() }),
    }
}
