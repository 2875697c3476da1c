//! The one place that prints: results to stdout, everything else to stderr. No stream that is full
//! or closed ends the program.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use super::{CliError, Result, exit};
use crate::report::view::text::{is_acted_on, plain};

/// Writes a result to stdout. That whoever read it has stopped to is no error.
pub(super) fn result(text: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    told(stdout.write_all(text).and_then(|()| stdout.flush()))
}

/// The error of a failed write to stdout, but for one whose reader has gone.
pub(super) fn told(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CliError::of(error).causing("failed to write to stdout"))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Says something on stderr, in a line of its own, made harmless for a terminal. Nobody is left to
/// tell where that fails.
pub(super) fn aside(line: &str) {
    lines(&format!("{}\n", plain(line)));
}

/// Writes whole lines, which are harmless, to stderr. Nobody is left to tell where that fails.
pub(super) fn lines(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Bytes of a line that is printed as clap colours it: its own words are shorter.
const LONGEST_LINE: usize = 1_000;

/// Prints what clap has to say: help and version to stdout, mistakes to stderr.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    let is_mistake = error.use_stderr();
    let text = error.render().to_string();
    if text
        .lines()
        .all(|line| line.len() <= LONGEST_LINE && !line.chars().any(is_acted_on))
    {
        let printed = error.print();
        // Where a mistake cannot be said, nobody is left to tell.
        if !is_mistake && let Err(error) = told(printed) {
            return self::error(&error);
        }
    } else {
        text.lines().for_each(aside);
    }
    ExitCode::from(if is_mistake { exit::USAGE } else { exit::DONE })
}

/// Prints an error to stderr and returns its exit code. Names and words from files are made
/// harmless for a terminal.
pub(super) fn error(error: &CliError) -> ExitCode {
    if error.code != exit::DONE {
        let mut text = String::new();
        let mut lead = "error";
        for message in &error.chain {
            text += &format!("{lead}: {}\n", plain(message));
            lead = "  caused by";
        }
        if let Some(hint) = &error.hint {
            text += &format!("hint: {}\n", plain(hint));
        }
        lines(&text);
    }
    ExitCode::from(error.code)
}
