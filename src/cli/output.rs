//! What a command leaves behind: reports in the run's folder, and text on stdout or in a file.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{CliError, exit};
use crate::analysis;
use crate::record::RunRecord;
use crate::record::store::{RunFolder, StoreError, write_atomically};
use crate::report::{self, Color, view::View};

/// The reports of a run, rendered.
#[derive(Debug)]
pub(super) struct Reports {
    markdown: String,
    csv: Vec<u8>,
    summary: String,
}

impl Reports {
    /// Renders the record of a run that lies in `folder`.
    ///
    /// # Errors
    /// A fault of a renderer.
    pub(super) fn render(record: &RunRecord, folder: &RunFolder, color: Color) -> Result<Self, CliError> {
        let bug = |error: &dyn std::error::Error| CliError::new(exit::BUG, error);
        let findings = analysis::findings(record);
        let view = View::new(record, &findings);
        Ok(Reports {
            markdown: report::markdown(&view).map_err(|error| bug(&error))?,
            csv: report::csv(record, &findings).map_err(|error| bug(&error))?,
            summary: report::terminal(&view, Some(folder.path()), color),
        })
    }

    /// Writes `report.md` and `cells.csv`.
    ///
    /// # Errors
    /// A file that cannot be written; the record is on disk by then.
    pub(super) fn write(&self, folder: &RunFolder) -> Result<(), CliError> {
        write_atomically(&folder.report_md(), self.markdown.as_bytes())
            .and_then(|()| write_atomically(&folder.cells_csv(), &self.csv))
            .map_err(|error| store_error(&error))
    }

    /// Prints the summary to stdout.
    ///
    /// # Errors
    /// stdout cannot be written.
    pub(super) fn print_summary(&self) -> Result<(), CliError> {
        write(None, self.summary.as_bytes())
    }
}

/// Where a rendered text goes, and in which dress.
#[derive(Debug, clap::Args)]
pub(super) struct Destination {
    /// File to write instead of stdout.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Plain text, also on a terminal; so does the environment variable NO_COLOR.
    #[arg(long)]
    no_color: bool,
}

impl Destination {
    /// Whether the text takes colour: never in a file.
    pub(super) fn color(&self) -> Color {
        if self.output.is_some() { Color::Never } else { color(self.no_color) }
    }

    /// Writes the text there.
    ///
    /// # Errors
    /// As [`write()`].
    pub(super) fn write(&self, text: &[u8]) -> Result<(), CliError> {
        write(self.output.as_deref(), text)
    }
}

/// Writes a text to a file, or to stdout.
///
/// # Errors
/// The file or stdout cannot be written.
pub(super) fn write(path: Option<&Path>, text: &[u8]) -> Result<(), CliError> {
    match path {
        Some(path) => write_atomically(path, text).map_err(|error| store_error(&error)),
        None => io::stdout().lock().write_all(text).map_err(|error| CliError::stdout(&error)),
    }
}

/// A value as JSON for programs, with a line's end.
///
/// # Errors
/// A fault of the value's own.
pub(super) fn json(value: &impl Serialize) -> Result<String, CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CliError::new(exit::BUG, &error))?;
    Ok(text + "\n")
}

/// Whether stdout takes colour: a terminal does, unless the option or the environment variable `NO_COLOR` says no.
pub(super) fn color(no_color: bool) -> Color {
    let refused = no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if !refused && io::stdout().is_terminal() { Color::Always } else { Color::Never }
}

/// The error of a run folder.
pub(super) fn store_error(error: &StoreError) -> CliError {
    CliError::new(exit::BAD_INPUT, error).with_hint(error.hint())
}
