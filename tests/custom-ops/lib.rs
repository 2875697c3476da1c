//! A library of a custom operator, for tests: `com.example::Frobnicate`, which doubles its input,
//! and takes as many milliseconds for each row as the environment variable `FROBNICATE_MS` says.
//!
//! ONNX Runtime opens it like any other library that `--custom-ops` names. Read
//! [`RegisterCustomOps`] first.

#![expect(
    clippy::print_stderr,
    reason = "a library for tests says what is wrong with a test"
)]

use std::ffi::CString;
use std::thread;
use std::time::Duration;

use ort::operator::{
    ComputeContext, KernelContext, Operator, OperatorDomain, OperatorInput, OperatorOutput,
};
use ort::sys::{
    ORT_API_VERSION, OrtApi, OrtApiBase, OrtErrorCode, OrtSessionOptions, OrtStatusPtr,
};
use ort::value::TensorElementType;
use ort::{AsPointer, Error, Result};

/// An operator that doubles its input.
struct Frobnicate;

impl Operator for Frobnicate {
    type Kernel<'attributes> = fn(&ComputeContext) -> Result<()>;

    fn name(&self) -> &str {
        "Frobnicate"
    }

    fn versions(&self) -> std::ops::RangeInclusive<u32> {
        1..=1
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        [OperatorInput::required(TensorElementType::Float32)]
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(TensorElementType::Float32)]
    }

    fn create_kernel<'attributes>(
        &self,
        _: &KernelContext<'attributes>,
    ) -> Result<Self::Kernel<'attributes>> {
        Ok(double)
    }
}

fn double(context: &ComputeContext) -> Result<()> {
    let input = context
        .input(0)?
        .ok_or_else(|| Error::new("`Frobnicate` has no input"))?;
    let (shape, numbers) = input.try_extract_tensor::<f32>()?;
    let rows = shape
        .first()
        .map_or(1, |&rows| u32::try_from(rows).unwrap_or_default());
    thread::sleep(pause() * rows);
    let output = context.output(0, shape.to_vec())?;
    let mut output = output.ok_or_else(|| Error::new("`Frobnicate` has no output"))?;
    let (_, doubled) = output.try_extract_tensor_mut::<f32>()?;
    for (doubled, number) in doubled.iter_mut().zip(numbers) {
        *doubled = 2.0 * number;
    }
    Ok(())
}

/// How long a row takes.
fn pause() -> Duration {
    let millis = std::env::var("FROBNICATE_MS")
        .ok()
        .and_then(|millis| millis.parse().ok());
    Duration::from_millis(millis.unwrap_or_default())
}

/// Adds the operator to the options of a session, as ONNX Runtime asks every such library to.
///
/// # Safety
/// Called by ONNX Runtime, with options and an interface that are its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn RegisterCustomOps(
    options: *mut OrtSessionOptions,
    base: *const OrtApiBase,
) -> OrtStatusPtr {
    // SAFETY: as the caller promises.
    let api = unsafe { ((*base).GetApi)(ORT_API_VERSION) };
    // SAFETY: the interface is either of this version or absent.
    let Some(interface) = (unsafe { api.as_ref() }) else {
        eprintln!(
            "custom operators need version {ORT_API_VERSION} of the interface of ONNX Runtime"
        );
        return OrtStatusPtr::default();
    };
    // Without it, `ort` would look for a library of ONNX Runtime to open.
    ort::set_api(interface.clone());
    match OperatorDomain::new("com.example").and_then(|domain| domain.add(Frobnicate)) {
        Ok(domain) => {
            // Sessions refer to it as long as they live, and nobody tells when the last of them
            // ends.
            let domain = Box::leak(Box::new(domain)).ptr().cast_mut();
            // SAFETY: the options are ONNX Runtime's, and the domain is never freed.
            unsafe { (interface.AddCustomOpDomain)(options, domain) }
        }
        Err(error) => failed(interface, &error),
    }
}

/// The failure as ONNX Runtime takes it, which frees it.
fn failed(interface: &OrtApi, error: &Error) -> OrtStatusPtr {
    let message = CString::new(error.message()).unwrap_or_default();
    // SAFETY: the message is a C string, and is copied.
    unsafe { (interface.CreateStatus)(OrtErrorCode::ORT_FAIL, message.as_ptr()) }
}
