//! Opening an ONNX Runtime library.
//!
//! `ort` panics on some files that are no ONNX Runtime, so that the library is looked at before
//! `ort` gets it.

use std::ffi::{CStr, c_char, c_int};
use std::path::{Path, PathBuf};

use ort::environment::EnvironmentBuilder;
use ort::sys::{OrtApi, OrtApiBase};

use crate::runtime::{DEFAULT_VERSION, LibraryInfo, OLDEST_VERSION};

/// Why a file cannot be used as ONNX Runtime.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The system cannot open it as a shared library.
    #[error("cannot open `{path}` as a shared library")]
    NotALibrary {
        /// The file.
        path: PathBuf,
        /// The loader's error.
        source: libloading::Error,
    },
    /// It is a shared library, but not ONNX Runtime.
    #[error("`{0}` is not ONNX Runtime: it does not offer `OrtGetApiBase`")]
    NotOnnxRuntime(PathBuf),
    /// It is ONNX Runtime, but too old.
    #[error(
        "ONNX Runtime {} is older than {}.{}, the oldest that onnxprof loads",
        .0,
        OLDEST_VERSION.major,
        OLDEST_VERSION.minor
    )]
    TooOld(String),
    /// It does not behave as ONNX Runtime does.
    #[error("`{path}` does not offer what ONNX Runtime offers: {what}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The fault, as a fragment of a sentence.
        what: &'static str,
    },
    /// Another library is open in this process, or `ort` refuses this one.
    #[error("cannot use `{path}`")]
    Refused {
        /// The file.
        path: PathBuf,
        /// The error of `ort`.
        source: ort::LoadDynamicError,
    },
}

impl LibraryError {
    /// A remedy.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotALibrary { .. } | Self::NotOnnxRuntime { .. } | Self::Malformed { .. } | Self::Refused { .. } => {
                "name an official `libonnxruntime.so` for this machine, or leave out `--runtime` and ORT_DYLIB_PATH"
                    .into()
            }
            Self::TooOld { .. } => format!("use a newer one, such as `--runtime cpu@{DEFAULT_VERSION}`"),
        }
    }
}

/// Opens a library for the rest of the process, and says what it is. To be called in a process that
/// may be lost.
///
/// # Errors
/// The file is not a library, not ONNX Runtime, or too old. A file that does harm when it is opened
/// does that here.
pub fn describe_library(path: &Path) -> Result<LibraryInfo, LibraryError> {
    describe_opened(path, open(path)?.version)
}

pub(super) struct Opened {
    /// The version that it states.
    pub version: String,
    pub base: &'static OrtApiBase,
    pub builder: EnvironmentBuilder,
}

/// A process opens one library; the environment variable that switches telemetry off must be set
/// before.
pub(super) fn open(path: &Path) -> Result<Opened, LibraryError> {
    let (version, base) = version(path)?;
    Ok(Opened {
        version,
        base,
        builder: ort::init_from(path).map_err(|source| LibraryError::Refused {
            path: path.into(),
            source,
        })?,
    })
}

pub(super) fn describe_opened(path: &Path, version: String) -> Result<LibraryInfo, LibraryError> {
    let execution_providers =
        execution_providers().ok_or_else(|| malformed(path, "no execution providers"))?;
    Ok(LibraryInfo {
        version,
        build_info: ort::info().to_owned(),
        execution_providers,
    })
}

/// The version that a library states, if it is one that `ort` can use. The library stays open.
fn version(path: &Path) -> Result<(String, &'static OrtApiBase), LibraryError> {
    // SAFETY: opening a library runs its initializers, which is what the caller asks for.
    let library =
        unsafe { libloading::Library::new(path) }.map_err(|source| LibraryError::NotALibrary {
            path: path.into(),
            source,
        })?;
    let version = stated_version(&library, path);
    // Closing would run destructors, and ONNX Runtime's threads may be alive.
    std::mem::forget(library);
    version
}

fn stated_version(
    library: &libloading::Library,
    path: &Path,
) -> Result<(String, &'static OrtApiBase), LibraryError> {
    // SAFETY: the signature is the one of ONNX Runtime's C API.
    let get_base =
        unsafe { library.get::<unsafe extern "C" fn() -> *const OrtApiBase>(b"OrtGetApiBase") }
            .map_err(|_| LibraryError::NotOnnxRuntime(path.into()))?;
    // SAFETY: it takes nothing and returns a pointer to a static of a library that is never closed,
    // or null.
    let base: &'static OrtApiBase =
        unsafe { get_base().as_ref() }.ok_or_else(|| malformed(path, "no API"))?;
    let text = version_text(base).ok_or_else(|| malformed(path, "no version"))?;
    if is_too_old(text).ok_or_else(|| malformed(path, "no version"))? {
        return Err(LibraryError::TooOld(text.to_owned()));
    }
    // SAFETY: any number is allowed; the answer is a pointer to a static, or null.
    let api: *const OrtApi = unsafe { (base.GetApi)(ort::MINOR_VERSION) };
    if api.is_null() {
        return Err(malformed(
            path,
            "its API lacks the version that onnxprof needs",
        ));
    }
    Ok((text.to_owned(), base))
}

fn malformed(path: &Path, what: &'static str) -> LibraryError {
    LibraryError::Malformed {
        path: path.into(),
        what,
    }
}

fn version_text(base: &'static OrtApiBase) -> Option<&'static str> {
    // SAFETY: it takes nothing and returns a static string.
    let text = unsafe { (base.GetVersionString)() };
    if text.is_null() {
        return None;
    }
    // SAFETY: not null, and a C string by the API's contract.
    unsafe { CStr::from_ptr(text) }.to_str().ok()
}

/// `None` if the version does not begin with two numbers.
fn is_too_old(version: &str) -> Option<bool> {
    let mut numbers = version.split('.').map_while(|part| part.parse().ok());
    Some((numbers.next()?, numbers.next()?) < (OLDEST_VERSION.major, OLDEST_VERSION.minor))
}

fn execution_providers() -> Option<Vec<String>> {
    let mut names: *mut *mut c_char = std::ptr::null_mut();
    let mut count: c_int = 0;
    // SAFETY: both point to locals that outlive the call.
    let status = unsafe { (ort::api().GetAvailableProviders)(&raw mut names, &raw mut count) };
    let length = usize::try_from(count).ok()?;
    if !status.0.is_null() || names.is_null() {
        return None;
    }
    // SAFETY: on success the API hands out `count` C strings, which stay valid until they are
    // released.
    let texts = unsafe { std::slice::from_raw_parts(names, length) };
    let texts = texts
        .iter()
        .map(|text| {
            // SAFETY: as above.
            unsafe { CStr::from_ptr(*text) }
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    // SAFETY: `names` and `count` are as the API handed them out, and are not used after.
    let released = unsafe { (ort::api().ReleaseAvailableProviders)(names, count) };
    released.0.is_null().then_some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_file_is_no_library() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "not a library").unwrap();
        assert!(matches!(
            version(file.path()),
            Err(LibraryError::NotALibrary { .. })
        ));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn another_library_is_not_onnx_runtime() {
        assert!(matches!(
            version(Path::new("libm.so.6")),
            Err(LibraryError::NotOnnxRuntime { .. })
        ));
    }
}
