//! From errors to messages: what failed, on what, why, and what to do.

use std::error::Error;
use std::io;

use super::exit;

/// An error that ends a command.
#[derive(Clone, Debug)]
pub struct CliError {
    /// Exit code, one of [`exit`].
    pub code: u8,
    /// What failed, on what, then the causes, each of them a lowercase fragment.
    pub chain: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl CliError {
    /// An error whose cause chain is `error` and its sources.
    pub fn new(code: u8, error: &dyn Error) -> Self {
        let mut chain = vec![error.to_string()];
        let mut source = error.source();
        while let Some(cause) = source {
            chain.push(cause.to_string());
            source = cause.source();
        }
        CliError {
            code,
            chain,
            hint: None,
        }
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
        CliError::message(exit::USAGE, message).with_hint(hint.into())
    }

    /// An error of a file or library that was named, with advice.
    pub fn bad_input(message: impl Into<String>, hint: impl Into<String>) -> Self {
        CliError::message(exit::BAD_INPUT, message).with_hint(hint.into())
    }

    /// A fault of onnxprof itself.
    pub fn bug(error: &dyn Error) -> Self {
        CliError::new(exit::BUG, error)
    }

    /// The same error as the cause of another one.
    #[must_use]
    pub fn causing(mut self, message: String) -> Self {
        self.chain.insert(0, message);
        self
    }

    /// The same error with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The error of a failed write to stdout.
    pub fn stdout(error: &io::Error) -> Self {
        CliError::new(exit::BAD_INPUT, error).causing("failed to write to stdout".into())
    }
}
