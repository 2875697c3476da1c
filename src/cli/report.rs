//! `onnxprof report`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::output::{self, Destination};
use super::{CliError, exit};
use crate::analysis;
use crate::record::{RunRecord, store};
use crate::report::{self, view::View};

/// Renders a run again, from its folder alone: no model and no ONNX Runtime is needed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of a run, or its run.json. A run that was killed is read as far as it got.
    run: PathBuf,

    /// What to render: a summary, the written report, one row per figure, or the findings for programs.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,

    #[command(flatten)]
    destination: Destination,
}

/// Formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// The summary that `profile` prints.
    Terminal,
    /// The written report (report.md).
    Markdown,
    /// One row per figure (cells.csv).
    Csv,
    /// The findings, as JSON.
    Json,
}

/// Runs the command.
///
/// # Errors
/// The run cannot be read, or the report cannot be written.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let record = store::load(&args.run).map_err(|error| output::store_error(&error))?;
    args.destination.write(&render(&args, &record)?)?;
    Ok(ExitCode::SUCCESS)
}

fn render(args: &Args, record: &RunRecord) -> Result<Vec<u8>, CliError> {
    let findings = analysis::findings(record);
    let bug = |error: &dyn std::error::Error| CliError::new(exit::BUG, error);
    match args.format {
        Format::Terminal => {
            let view = View::new(record, &findings);
            Ok(report::terminal(&view, Some(folder(&args.run)), args.destination.color()).into_bytes())
        }
        Format::Markdown => {
            let view = View::new(record, &findings);
            Ok(report::markdown(&view).map_err(|error| bug(&error))?.into_bytes())
        }
        Format::Csv => report::csv(record, &findings).map_err(|error| bug(&error)),
        Format::Json => output::json(&findings).map(String::into_bytes),
    }
}

/// The folder of a run that was named by its folder or its record.
fn folder(run: &Path) -> &Path {
    match run.parent() {
        Some(parent) if run.is_file() && parent != Path::new("") => parent,
        Some(_) if run.is_file() => Path::new("."),
        _ => run,
    }
}
