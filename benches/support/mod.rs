//! What the benches share: a table with the command that gave it, and how a target was met.

use std::fmt::Display;
use std::process::ExitCode;

use comfy_table::{Table, presets};
use onnxprof::stats;

/// Why a bench could not be run.
pub type BenchError = Box<dyn std::error::Error>;

/// Rows of text under headings, printed as Markdown.
pub struct Rows(Table);

impl Rows {
    /// An empty table.
    pub fn new(headings: &[&str]) -> Self {
        let mut table = Table::new();
        table
            .load_style(presets::ASCII_MARKDOWN)
            .set_header(headings.to_vec());
        Rows(table)
    }

    /// Adds a row.
    pub fn push(&mut self, cells: &[&dyn Display]) {
        self.0.add_row(cells.iter().map(|cell| cell.to_string()));
    }

    /// Prints the table under the command that gave it.
    pub fn print(&self, command: &str) {
        println!("command: {command}\n\n{}\n", self.0);
    }
}

/// Whether every target was met.
#[derive(Debug, Default)]
pub struct Targets {
    missed: bool,
}

impl Targets {
    /// Prints a target and whether it was met.
    pub fn check(&mut self, what: &str, is_met: bool) {
        self.missed |= !is_met;
        println!("{}: {what}", if is_met { "PASS" } else { "FAIL" });
    }

    /// Failure if a target was missed.
    pub fn exit_code(&self) -> ExitCode {
        if self.missed {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}

/// The median of measured values; none is an error of the bench.
pub fn median(values: &[f64]) -> Result<f64, BenchError> {
    stats::median(values).ok_or_else(|| "nothing was measured".into())
}
