//! One inference whose outputs are handed out: what comes of it, not how long it takes.

use std::ffi::{CString, c_char};
use std::ptr;

use ort::AsPointer;
use ort::environment::Environment;
use ort::session::{Session as OrtSession, SessionInputValue};
use ort::sys::OrtValue;
use ort::value::DynValue;

use super::message::words;
use super::raw::Elements;
use super::{EngineError, Result, io_binding, value};
use crate::inputs::{Argument, Tensor};

/// Runs one inference and returns the outputs that are tensors, and the tensors of those that are
/// sequences, each under a name of its own.
///
/// `ort` takes an output for a value that is there, which an optional one need not be.
pub(super) fn run(
    session: &mut OrtSession,
    environment: &Environment,
    arguments: &[Argument],
) -> Result<Vec<Tensor>> {
    let mut kept = Elements::new();
    let inputs = views(arguments, environment, &mut kept)?;
    let names: Vec<String> = session
        .outputs()
        .iter()
        .map(|output| output.name().to_owned())
        .collect();
    let outputs = computed(session, &inputs, &names)?;
    Ok(names
        .iter()
        .zip(&outputs)
        .filter_map(|(name, value)| Some(value::from_value(name, value.as_ref()?)))
        .flatten()
        .collect())
}

fn run_error(error: ort::Error) -> EngineError {
    EngineError::Run {
        message: words(error.message()),
    }
}

type NamedInput<'d> = (CString, SessionInputValue<'d>);

/// The arguments that something is given to, named.
fn views<'d>(
    arguments: &'d [Argument],
    environment: &Environment,
    kept: &mut Elements,
) -> Result<Vec<NamedInput<'d>>> {
    let mut inputs = Vec::new();
    for argument in arguments {
        let value = value::view(&argument.value, environment, kept).map_err(run_error)?;
        if let Some(value) = value {
            inputs.push((named(argument.name.exact())?, value));
        }
    }
    Ok(inputs)
}

/// Runs the session; outputs of these names that hold nothing are absent.
fn computed(
    session: &mut OrtSession,
    inputs: &[NamedInput<'_>],
    names: &[String],
) -> Result<Vec<Option<DynValue>>> {
    let c_names = names
        .iter()
        .map(|name| named(name))
        .collect::<Result<Vec<CString>, _>>()?;
    let options = io_binding::without_graph().map_err(run_error)?;
    let input_names: Vec<*const c_char> = inputs.iter().map(|(name, _)| name.as_ptr()).collect();
    let values: Vec<*const OrtValue> = inputs.iter().map(|(_, value)| value.ptr()).collect();
    let output_names: Vec<*const c_char> = c_names.iter().map(|name| name.as_ptr()).collect();
    let mut outputs: Vec<*mut OrtValue> = vec![ptr::null_mut(); names.len()];
    // SAFETY: session, options, names and values are alive, each array has the length that is told,
    // and the session is this thread's alone.
    let status = unsafe {
        (ort::api().Run)(
            session.ptr().cast_mut(),
            options.ptr(),
            input_names.as_ptr(),
            values.as_ptr(),
            values.len(),
            output_names.as_ptr(),
            output_names.len(),
            outputs.as_mut_ptr(),
        )
    };
    // SAFETY: the status comes from the call above and is used once; the outputs are nobody else's.
    unsafe {
        ort::Error::result_from_status(status).map_err(run_error)?;
        Ok(outputs
            .into_iter()
            .map(|output| value::taken(output))
            .collect())
    }
}

fn named(name: &str) -> Result<CString> {
    CString::new(name).map_err(|error| EngineError::Run {
        message: error.to_string(),
    })
}
