//! `onnxprof show`.

use std::path::{Path, PathBuf};

use super::json::JsonArgs;
use super::output::{Destination, Printed, Told};
use super::runs::{self, RUNS, folder};
use super::{CliError, Result, exit};
use crate::analysis;
use crate::report::{self, Report};
use crate::store;
use crate::text::joined;

/// Prints the summary of a run again: the one that `profile` printed; or all of it, by chapter.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of a run, its run.json, or a folder of runs, of which the latest is shown.
    #[arg(default_value = RUNS)]
    run: PathBuf,

    /// Prints these chapters instead, in whole: `operators`, `why`, `batch` ... [default: the summary]
    #[arg(value_name = "CHAPTER", conflicts_with_all = ["all", "json"])]
    chapters: Vec<String>,

    /// Prints all chapters.
    #[arg(long, conflicts_with = "json")]
    all: bool,

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
    let view = Report::new(&record, &findings);
    let style = args.destination.style();
    let text = if args.all || !args.chapters.is_empty() {
        known(&args.chapters, &view)?;
        report::terminal_chapters(&view, &args.chapters, style)
    } else {
        Printed::of(args.json, "show", style).text(&Told {
            folder: folder(&path),
            view: &view,
            findings: &findings,
        })?
    };
    args.destination.write(text.as_bytes())?;
    Ok(exit::DONE)
}

/// Refuses ids of chapters that the run does not have.
fn known(chapters: &[String], view: &Report) -> Result<()> {
    let ids = view.ids();
    match chapters.iter().find(|id| !ids.contains(&id.as_str())) {
        Some(unknown) => Err(CliError::usage(
            format!("the run has no chapter `{unknown}`"),
            format!("name some of {}, or all with `--all`", joined(ids)),
        )),
        None => Ok(()),
    }
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
