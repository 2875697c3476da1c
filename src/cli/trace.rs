//! `onnxprof trace`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::output::{self, Destination};
use super::raw_names::RawNames;
use super::{CliError, Result, exit};
use crate::analysis::Breakdown;
use crate::export;
use crate::record::Profiled;
use crate::report::{self, view};
use crate::trace::{self, Counted, Trace};

/// Says where the time goes in a trace of ONNX Runtime's profiler, whoever made it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File that ONNX Runtime wrote with `enable_profiling` in its session options. One that was
    /// cut off is read as far as it goes.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Format of the output: a summary, the same in Markdown, one row per node, or everything for
    /// programs.
    #[arg(long, default_value = "terminal")]
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

/// Output of `--format json`.
#[derive(Debug, Serialize)]
struct Account<'a> {
    file: &'a Path,
    profiled: &'a Profiled,
    breakdown: &'a Breakdown,
}

pub fn run(args: Args) -> Result<u8> {
    if args.format != Format::Csv {
        args.names.refuse()?;
    }
    let trace = trace::read(&args.file, Counted::All)
        .map_err(|error| CliError::of(&error).advised(error.hint()))?;
    args.destination.write(&render(&args, &trace)?)?;
    Ok(exit::DONE)
}

fn render(args: &Args, trace: &Trace) -> Result<Vec<u8>> {
    let profiled = &trace.profiled;
    let breakdown = Breakdown::of(profiled);
    let file = args.file.as_path();
    let name = file
        .file_name()
        .unwrap_or(file.as_os_str())
        .to_string_lossy();
    let section = view::trace(&name, profiled, &breakdown, trace.inferences);
    let text = match args.format {
        Format::Terminal => report::section_terminal(&section, args.destination.style()),
        Format::Markdown => report::section_markdown(&section).map_err(CliError::bug)?,
        Format::Json => output::json(&Account {
            file,
            profiled,
            breakdown: &breakdown,
        })?,
        Format::Csv => {
            let rows = export::trace_csv(&name, profiled, args.names.in_csv());
            return rows.map_err(CliError::bug);
        }
    };
    Ok(text.into_bytes())
}
