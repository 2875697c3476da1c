//! `onnxprof trace`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::output::{self, Destination};
use super::raw_names::RawNames;
use super::{CliError, exit};
use crate::analysis::Breakdown;
use crate::export;
use crate::record::Profiled;
use crate::report::{self, view};
use crate::trace::{self, Counted, Trace, TraceError};

/// Says where the time goes in a trace of ONNX Runtime's profiler, whoever made it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File that ONNX Runtime wrote with `enable_profiling` in its session options. One that was
    /// cut off is read as far as it goes.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// What to render: a summary, the same in Markdown, one row per node, or everything for
    /// programs.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,

    #[command(flatten)]
    names: RawNames,

    #[command(flatten)]
    destination: Destination,
}

/// Formats of a trace's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A summary with tables by operator and by node.
    Terminal,
    /// The same, in Markdown.
    Markdown,
    /// One row per node (as operators.csv of a run).
    Csv,
    /// Everything, as JSON.
    Json,
}

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Account<'a> {
    file: &'a Path,
    profiled: &'a Profiled,
    breakdown: &'a Breakdown,
}

pub fn run(args: Args) -> Result<ExitCode, CliError> {
    if args.format != Format::Csv {
        args.names.refuse()?;
    }
    let trace = trace::read(&args.file, Counted::All).map_err(|error| trace_error(&error))?;
    args.destination.write(&render(&args, &trace)?)?;
    Ok(ExitCode::SUCCESS)
}

fn render(args: &Args, trace: &Trace) -> Result<Vec<u8>, CliError> {
    let profiled = &trace.profiled;
    let breakdown = Breakdown::of(profiled);
    let name = args
        .file
        .file_name()
        .unwrap_or(args.file.as_os_str())
        .to_string_lossy();
    let section = || view::trace(&name, profiled, &breakdown, trace.inferences);
    match args.format {
        Format::Terminal => {
            Ok(report::section_terminal(&section(), args.destination.style()).into_bytes())
        }
        Format::Markdown => Ok(report::section_markdown(&section())
            .map_err(|error| CliError::bug(&error))?
            .into_bytes()),
        Format::Csv => export::trace_csv(&name, profiled, args.names.in_csv())
            .map_err(|error| CliError::bug(&error)),
        Format::Json => output::json(&Account {
            file: &args.file,
            profiled,
            breakdown: &breakdown,
        })
        .map(String::into_bytes),
    }
}

fn trace_error(error: &TraceError) -> CliError {
    CliError::new(exit::BAD_INPUT, error).with_hint(error.hint().map(str::to_owned))
}
