//! `onnxprof schema`.

use std::process::ExitCode;

use super::{CliError, output};
use crate::record;

/// Prints the JSON Schema of run.json.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: Args) -> Result<ExitCode, CliError> {
    output::write(None, output::json(&record::json_schema())?.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
