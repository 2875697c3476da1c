//! `onnxprof trace`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::json::{self, JsonArgs};
use super::output::Destination;
use super::raw_names::RawNames;
use super::{CliError, Result, exit};
use crate::analysis::Breakdown;
use crate::export;
use crate::record::Profiled;
use crate::report::{self, view};
use crate::trace::{self, Counted, Trace};

/// Says where the time goes in a trace of ONNX Runtime's profiler, whoever made it.
///
/// Kernels and copies of a GPU stand for its nodes where the trace has them. Where it has the host's
/// times alone, which hands work over and goes on, every table says so.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File that ONNX Runtime wrote with `enable_profiling` in its session options. One that was
    /// cut off is read as far as it goes.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Format of the output: a summary, the same in Markdown, or one row per node.
    #[arg(long, default_value = "terminal", conflicts_with = "json")]
    format: Format,

    /// Counts every inference but the first. Without it those are left out, as of the traces of a
    /// run, that took over 5/4 of the lower quartile: something else had their CPUs, or their
    /// threads were asleep. For a trace whose inferences do not all do the same work.
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    json: JsonArgs,

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
}

/// The `data` that `--json` prints.
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
    let counted = if args.all {
        Counted::All
    } else {
        Counted::Typical
    };
    let trace = trace::read(&args.file, counted)
        .map_err(|error| CliError::of(&error).advised(error.hint()))?;
    if args.json.json {
        print_json(&args.file, &trace.profiled)?;
    } else {
        args.destination.write(&render(&args, &trace)?)?;
    }
    Ok(exit::DONE)
}

fn print_json(file: &Path, profiled: &Profiled) -> Result<()> {
    let breakdown = &Breakdown::of(profiled);
    let account = Account {
        file,
        profiled,
        breakdown,
    };
    json::print("trace", None, &account)
}

fn render(args: &Args, trace: &Trace) -> Result<Vec<u8>> {
    let profiled = &trace.profiled;
    let breakdown = Breakdown::of(profiled);
    let name = args.file.file_name().unwrap_or(args.file.as_os_str());
    let name = name.to_string_lossy();
    let section = view::trace(&name, profiled, &breakdown, trace.inferences);
    let text = match args.format {
        Format::Terminal => report::section_terminal(&section, args.destination.style()),
        Format::Markdown => report::section_markdown(&section).map_err(CliError::bug)?,
        Format::Csv => {
            let rows = export::trace_csv(&name, profiled, args.names.in_csv());
            return rows.map_err(CliError::bug);
        }
    };
    Ok(text.into_bytes())
}
