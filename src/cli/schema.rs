//! `onnxprof schema`.

use super::{Result, exit, output};
use crate::record;

/// Prints the JSON Schema of run.json.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: Args) -> Result<u8> {
    output::write(None, output::json(&record::json_schema())?.as_bytes())?;
    Ok(exit::DONE)
}
