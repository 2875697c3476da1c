//! `onnxprof show`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::output::Destination;
use super::runs::{self, RUNS, folder};
use super::{CliError, exit};
use crate::analysis;
use crate::report::{self, Report};
use crate::store;

/// Prints the summary of a run again: the one that `profile` printed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of a run, its run.json, or a folder of runs, of which the latest is shown.
    #[arg(default_value = RUNS)]
    run: PathBuf,

    #[command(flatten)]
    destination: Destination,
}

pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let path = which(&args.run)?;
    let record = runs::load(&path)?;
    store::tidy(folder(&path));
    let view = Report::new(&record, &analysis::findings(&record));
    args.destination
        .write(report::terminal(&view, Some(folder(&path)), args.destination.style()).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The run itself, or the latest of a folder of runs.
fn which(path: &Path) -> Result<PathBuf, CliError> {
    if path == Path::new(RUNS) && !path.exists() {
        return Err(CliError::bad_input(
            format!("there is no folder `{RUNS}` here"),
            "name the folder of a run",
        ));
    }
    if !path.is_dir() || store::holds_run(path) {
        return Ok(path.to_owned());
    }
    let entries = path.read_dir().map_err(|error| {
        CliError::new(exit::BAD_INPUT, &error)
            .causing(format!("failed to read `{}`", path.display()))
    })?;
    let runs = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| store::holds_run(path));
    let latest = runs.max_by_key(|run| (store::modified(run), run.clone()));
    latest.ok_or_else(|| {
        CliError::bad_input(
            format!("`{}` holds no run", path.display()),
            "name the folder of a run",
        )
    })
}
