//! From errors to messages: what failed, on what, why, and what to do.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use super::{exit, say};
use crate::report::view::text::{is_acted_on, plain};

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
        CliError { code, chain, hint: None }
    }

    /// An error without a cause.
    pub fn message(code: u8, message: impl Into<String>) -> Self {
        CliError { code, chain: vec![message.into()], hint: None }
    }

    /// The same error with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The error of a failed write to stdout.
    pub fn stdout(error: &io::Error) -> Self {
        let chain = vec!["failed to write to stdout".into(), error.to_string()];
        CliError { code: exit::BAD_INPUT, chain, hint: None }
    }
}

/// Bytes of a line that is printed as clap colours it: its own words are shorter.
const LONGEST_LINE: usize = 1_000;

/// Prints what clap has to say: help and version to stdout, mistakes to stderr.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    let code = if error.use_stderr() { exit::USAGE } else { exit::DONE };
    let text = error.render().to_string();
    let is_harmless = |line: &str| line.len() <= LONGEST_LINE && !line.chars().any(is_acted_on);
    if text.lines().all(is_harmless) {
        let printed = error.print();
        // Where a mistake cannot be said, nobody is left to tell.
        if !error.use_stderr()
            && let Err(error) = say::told(printed)
        {
            return report(&error);
        }
    } else {
        let lines: Vec<String> = text.lines().map(plain).collect();
        say::lines(&(lines.join("\n") + "\n"));
    }
    ExitCode::from(code)
}

/// Prints an error to stderr and returns its exit code. Names and words from files are made harmless for a terminal.
pub(super) fn report(error: &CliError) -> ExitCode {
    if error.code != exit::DONE {
        let mut text = String::new();
        for (depth, message) in error.chain.iter().enumerate() {
            let lead = if depth == 0 { "error" } else { "  caused by" };
            text.push_str(&format!("{lead}: {}\n", plain(message)));
        }
        if let Some(hint) = &error.hint {
            text.push_str(&format!("hint: {}\n", plain(hint)));
        }
        say::lines(&text);
    }
    ExitCode::from(error.code)
}
