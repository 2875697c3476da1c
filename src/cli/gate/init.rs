//! `onnxprof gate init`.

use std::path::PathBuf;

use serde::Serialize;

use super::subject::Loaded;
use crate::analysis::gate;
use crate::cli::json::{self, JsonArgs};
use crate::cli::{CliError, Result, exit, output};
use crate::stats::MIN_LAUNCHES;

/// Writes a rule file that a run keeps: budgets a tenth beyond what was measured.
#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// Folder of a run, or its run.json.
    run: PathBuf,

    /// File to write instead of stdout.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    output: Option<PathBuf>,

    #[command(flatten)]
    json: JsonArgs,
}

/// What `gate init --json` prints.
#[derive(Debug, Serialize)]
struct Rules<'a> {
    /// The rule file, as TOML.
    rules: &'a str,
}

pub(super) fn init(args: &InitArgs) -> Result<u8> {
    let text = gate::init(Loaded::read(&args.run)?.run());
    if gate::rules(&text).is_err() {
        let run = args.run.display();
        return Err(CliError::bad_input(
            format!("`{run}` has no figure that a rule could be made of"),
            format!(
                "profile with a larger `--budget`: intervals need at least {MIN_LAUNCHES} rounds"
            ),
        ));
    }
    if args.json.json {
        json::print("gate init", None, &Rules { rules: &text })?;
    } else {
        output::write(args.output.as_deref(), text.as_bytes())?;
    }
    Ok(exit::DONE)
}
