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
    args.destination.write(report::terminal(&view, Some(folder(&path)), args.destination.style()).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The run itself, or the latest of a folder of runs.
fn which(path: &Path) -> Result<PathBuf, CliError> {
    if path == Path::new(RUNS) && !path.exists() {
        return Err(CliError::message(exit::BAD_INPUT, format!("there is no folder `{RUNS}` here"))
            .with_hint("name the folder of a run".to_owned()));
    }
    if !path.is_dir() || store::holds_run(path) {
        return Ok(path.to_owned());
    }
    let unreadable = |error: &std::io::Error| {
        let mut failed = CliError::new(exit::BAD_INPUT, error);
        failed.chain.insert(0, format!("failed to read `{}`", path.display()));
        failed
    };
    let entries = path.read_dir().map_err(|error| unreadable(&error))?;
    let runs = entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| store::holds_run(path));
    let latest = runs.max_by_key(|run| (store::modified(run), run.clone()));
    latest.ok_or_else(|| {
        CliError::message(exit::BAD_INPUT, format!("`{}` holds no run", path.display()))
            .with_hint("name the folder of a run".to_owned())
    })
}
