//! Execution providers that only ONNX Runtime knows: registered by name, with the options as they
//! are given.

use std::ffi::{CString, c_char};

use ort::AsPointer;
use ort::session::builder::SessionBuilder;

use crate::provider::Options;
use crate::text::Plain;

pub(super) fn register(
    mut builder: SessionBuilder,
    name: &str,
    options: &Options,
) -> ort::Result<SessionBuilder> {
    let name = c_string(name)?;
    let keys = c_strings(options.keys().map(Plain::exact))?;
    let values = c_strings(options.values().map(Plain::exact))?;
    let keys_of = pointers(&keys);
    let values_of = pointers(&values);
    let append = ort::api().SessionOptionsAppendExecutionProvider;
    // SAFETY: the options belong to `builder`, and all texts outlive the call, which copies them.
    let status = unsafe {
        append(
            builder.ptr_mut(),
            name.as_ptr(),
            keys_of.as_ptr(),
            values_of.as_ptr(),
            keys_of.len(),
        )
    };
    // SAFETY: the status comes from the call above and is used once.
    unsafe { ort::Error::result_from_status(status) }?;
    Ok(builder)
}

fn c_strings<'t>(texts: impl Iterator<Item = &'t str>) -> ort::Result<Vec<CString>> {
    texts.map(c_string).collect()
}

fn c_string(text: &str) -> ort::Result<CString> {
    CString::new(text).map_err(|error| ort::Error::new(error.to_string()))
}

fn pointers(texts: &[CString]) -> Vec<*const c_char> {
    texts.iter().map(|text| text.as_ptr()).collect()
}
