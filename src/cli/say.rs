//! The one place that prints: results to stdout, everything else to stderr. No stream that is full or closed ends the program.

use std::io::{self, ErrorKind, Write};

use super::CliError;
use crate::report::view::text::plain;

/// Writes a result to stdout. Whoever has stopped reading it wants no more of it: that is no error, and the command ends as it
/// would have.
///
/// # Errors
/// stdout takes no more, for one because a disk is full.
pub(super) fn result(text: &[u8]) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    told(stdout.write_all(text).and_then(|()| stdout.flush()))
}

/// What a failed write to stdout comes to.
///
/// # Errors
/// As [`result`].
pub(super) fn told(written: io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::stdout(&error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Says something on stderr, in a line of its own, made harmless for a terminal. Nobody is left to tell where that fails.
pub(super) fn aside(line: &str) {
    lines(&format!("{}\n", plain(line)));
}

/// Writes whole lines, which are harmless, to stderr. Nobody is left to tell where that fails.
pub(super) fn lines(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
