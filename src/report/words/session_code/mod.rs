//! A session's options as code that creates the same session, to paste.

mod cpp;
mod deployment;
mod python;
mod rust;

use serde::Serialize;

pub use deployment::Deployment;

use crate::report::words::plain;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionCode {
    /// The language and its binding of ONNX Runtime.
    pub language: String,
    pub lines: Vec<String>,
}

/// The session in Rust, Python and C++.
#[must_use]
pub fn session_code(one: &Deployment<'_>) -> Vec<SessionCode> {
    let samples = if one.batch_size == 1 {
        "one sample".into()
    } else {
        format!("{} samples", one.batch_size)
    };
    let version = one
        .runtime_version
        .map(|version| format!("; measured with ONNX Runtime {}", plain(version)));
    let [binding, binding_version] = rust::CRATE;
    [
        (
            format!("Rust ({binding} {binding_version})"),
            rust::rust(one),
            "//",
        ),
        ("Python (onnxruntime)".into(), python::python(one), "#"),
        ("C++ (onnxruntime_cxx_api.h)".into(), cpp::cpp(one), "//"),
    ]
    .map(|(language, code, comment)| {
        let library = one.spec.provider.library.as_ref().map(|library| {
            let library = plain(&library.display().to_string());
            format!("{comment} the execution provider is a plug-in: register {library} first\n")
        });
        let code = format!(
            "{}{code}{comment} feed {samples} in each run{}",
            library.unwrap_or_default(),
            version.as_deref().unwrap_or_default()
        );
        SessionCode {
            language,
            lines: code.lines().map(str::to_owned).collect(),
        }
    })
    .into()
}

#[cfg(test)]
mod tests;
