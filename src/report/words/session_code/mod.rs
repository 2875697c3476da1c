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
    .into_iter()
    .map(|(language, mut lines, comment)| {
        if let Some(library) = &one.spec.provider.library {
            let library = plain(&library.display().to_string());
            lines.insert(
                0,
                format!("{comment} the execution provider is a plug-in: register {library} first"),
            );
        }
        lines.push(format!(
            "{comment} feed {samples} in each run{}",
            version.as_deref().unwrap_or_default()
        ));
        SessionCode { language, lines }
    })
    .collect()
}

#[cfg(test)]
mod tests;
