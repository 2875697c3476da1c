//! From errors to messages: what failed, on what, why, and what to do.

use std::error::Error;

use super::exit;
use crate::inputs::InputError;
use crate::onnx::OnnxError;
use crate::runtime::RuntimeError;
use crate::store::StoreError;

pub(super) type Result<T, E = CliError> = std::result::Result<T, E>;

/// An error that ends a command.
#[derive(Clone, Debug)]
pub struct CliError {
    /// Exit code, one of [`exit`].
    pub code: u8,
    /// The step that failed and its object, then the causes, each of them a lowercase fragment.
    pub chain: Vec<String>,
    /// The remedy, where there is one.
    pub hint: Option<String>,
}

impl CliError {
    /// An error whose cause chain is `error` and its sources.
    pub fn new(code: u8, error: impl Error) -> Self {
        let sources = std::iter::successors(error.source(), |&cause| cause.source());
        CliError {
            code,
            chain: std::iter::once(error.to_string())
                .chain(sources.map(ToString::to_string))
                .collect(),
            hint: None,
        }
    }

    /// An error of a file or library that was named, with its causes.
    pub fn of(error: impl Error) -> Self {
        CliError::new(exit::BAD_INPUT, error)
    }

    /// An error without a cause.
    pub fn message(code: u8, message: impl Into<String>) -> Self {
        CliError {
            code,
            chain: vec![message.into()],
            hint: None,
        }
    }

    /// An error of the words of the command line, with advice.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        CliError::message(exit::USAGE, message).with_hint(hint)
    }

    /// An error of a file or library that was named, with advice.
    pub fn bad_input(message: impl Into<String>, hint: impl Into<String>) -> Self {
        CliError::message(exit::BAD_INPUT, message).with_hint(hint)
    }

    /// A fault of onnxprof itself.
    pub fn bug(error: impl Error) -> Self {
        CliError::new(exit::BUG, error)
    }

    /// The same error as the cause of another one.
    #[must_use]
    pub fn causing(mut self, message: impl Into<String>) -> Self {
        self.chain.insert(0, message.into());
        self
    }

    /// The same error with advice.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        self.advised(Some(hint))
    }

    /// The same error with the advice that there is.
    #[must_use]
    pub fn advised(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hint = hint.map(Into::into);
        self
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        CliError::of(&error).advised(error.hint())
    }
}

impl From<RuntimeError> for CliError {
    fn from(error: RuntimeError) -> Self {
        CliError::of(&error).advised(error.hint())
    }
}

impl From<OnnxError> for CliError {
    fn from(error: OnnxError) -> Self {
        CliError::of(&error).advised(error.hint())
    }
}

impl From<InputError> for CliError {
    fn from(error: InputError) -> Self {
        let code = if error.is_of_options() {
            exit::USAGE
        } else {
            exit::BAD_INPUT
        };
        CliError::new(code, &error).advised(error.hint())
    }
}
