//! `onnxprof schema`.

use super::json::{self, JsonArgs};
use super::{Result, exit, say};
use crate::record;

/// Prints the JSON Schema of run.json, or of what `--json` prints.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Document whose schema is printed.
    #[arg(default_value = "run")]
    document: Document,

    #[command(flatten)]
    json: JsonArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Document {
    /// The record of a run: run.json.
    Run,
    /// What every command prints with `--json`.
    Json,
}

pub fn run(args: Args) -> Result<u8> {
    let schema = match args.document {
        Document::Run => record::json_schema(),
        Document::Json => json::schema(),
    };
    if args.json.json {
        json::print("schema", None, &schema)?;
    } else {
        say::result(json::json(&schema)?.as_bytes())?;
    }
    Ok(exit::DONE)
}
