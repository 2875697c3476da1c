//! `onnxprof show`.

use std::path::{Path, PathBuf};

use super::json::JsonArgs;
use super::output::{Destination, Printed, Told};
use super::runs::{self, RUNS, folder};
use super::{CliError, Result, exit};
use crate::analysis;
use crate::report::Report;
use crate::store;

/// Prints the summary of a run again: the one that `profile` printed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of a run, its run.json, or a folder of runs, of which the latest is shown.
    #[arg(default_value = RUNS)]
    run: PathBuf,

    #[command(flatten)]
    json: JsonArgs,

    #[command(flatten)]
    destination: Destination,
}

pub fn run(args: Args) -> Result<u8> {
    let path = which(&args.run)?;
    let record = runs::load(&path)?;
    store::tidy(folder(&path));
    let findings = analysis::findings(&record);
    let printed = Printed::of(args.json, "show", args.destination.style());
    let text = printed.text(&Told {
        folder: folder(&path),
        view: &Report::new(&record, &findings),
        findings: &findings,
    })?;
    args.destination.write(text.as_bytes())?;
    Ok(exit::DONE)
}

/// The run itself, or the latest of a folder of runs.
fn which(path: &Path) -> Result<PathBuf> {
    let hint = "name the folder of a run";
    if path == Path::new(RUNS) && !path.exists() {
        return Err(CliError::bad_input(
            format!("there is no folder `{RUNS}` here"),
            hint,
        ));
    }
    if !path.is_dir() || store::holds_run(path) {
        return Ok(path.to_owned());
    }
    let shown = path.display();
    path.read_dir()
        .map_err(|error| CliError::of(error).causing(format!("failed to read `{shown}`")))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| store::holds_run(path))
        .max_by_key(|run| (store::modified(run), run.clone()))
        .ok_or_else(|| CliError::bad_input(format!("`{shown}` holds no run"), hint))
}
