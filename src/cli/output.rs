//! What a run leaves behind: reports in its folder, and the summary on stdout.

use std::io::{self, IsTerminal, Write};

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
        io::stdout().lock().write_all(self.summary.as_bytes()).map_err(|error| CliError::stdout(&error))
    }
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
