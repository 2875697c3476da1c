//! `onnxprof schema`.

use std::io::{self, Write};
use std::process::ExitCode;

use super::{CliError, exit};
use crate::record;

/// Prints the JSON Schema of run.json.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
///
/// If stdout cannot be written.
pub fn run(_args: Args) -> Result<ExitCode, CliError> {
    let text =
        serde_json::to_string_pretty(&record::json_schema()).map_err(|error| CliError::new(exit::BUG, &error))?;
    writeln!(io::stdout().lock(), "{text}").map_err(|error| CliError::stdout(&error))?;
    Ok(ExitCode::SUCCESS)
}
