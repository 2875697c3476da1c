//! `onnxprof report`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::full_args::FullArgs;
use super::json::JsonArgs;
use super::output::{self, Destination, Drawing, Failures, Printed, Told};
use super::plan::values;
use super::raw_names::RawNames;
use super::refusals::AllowedRuns;
use super::runs::{self, folder};
use super::{CliError, Result, exit, open, say, several};
use crate::analysis;
use crate::export;
use crate::record::RunRecord;
use crate::report::{self, Filled, Report};
use crate::store;

/// Renders a run again, from its folder alone: no model and no ONNX Runtime is needed. Of two to ten
/// runs, it lays them over each other: one table of the variants by run, the ratio of each to the
/// first run, charts with a line for each run, and what each run is.
///
/// Several runs did not take turns: they are compared launch against launch, as by `compare`, and
/// refused like there where a ratio would say nothing.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of a run, or its run.json. A run that was killed is read as far as it got.
    #[arg(required_unless_present = "context_template")]
    run: Option<PathBuf>,

    /// Further runs, laid over each other with the first, which they are compared with. With
    /// `--full`, what stands beside the run: folders of earlier or later runs, which it is compared
    /// with; of searches of `tune`, whose answers become tasks; and files that `gate --json` wrote.
    #[arg(value_name = "RESULT")]
    results: Vec<PathBuf>,

    #[command(flatten)]
    allowed: AllowedRuns,

    /// Format of the output: a summary, the written report, the page, or one row per
    /// figure. [default: terminal; with `--full`: markdown; with `--open`: html]
    #[arg(long, conflicts_with = "json")]
    format: Option<Format>,

    #[command(flatten)]
    json: JsonArgs,

    #[command(flatten)]
    full: FullArgs,

    /// Prints a file to start from for `--context`: every key, commented out.
    #[arg(long, conflicts_with_all = ["run", "full", "format", "json", "open", "raw_names"])]
    context_template: bool,

    /// Opens the report: the file of `--output`, else report.html in the run's folder, which is
    /// written anew.
    #[arg(long, conflicts_with = "json")]
    open: bool,

    /// Latency within which the best batch size is sought. [default: the run's own]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    latency_limit: Option<Duration>,

    #[command(flatten)]
    names: RawNames,

    #[command(flatten)]
    destination: Destination,
}

/// Formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// The summary that `profile` prints.
    Terminal,
    /// The written report (report.md); with `--output`, its charts go into `figures/` beside it.
    Markdown,
    /// The page (report.html).
    Html,
    /// One row per figure (cells.csv).
    Csv,
}

pub fn run(args: Args) -> Result<u8> {
    let Some(run) = &args.run else {
        args.destination.write(report::starting_file().as_bytes())?;
        return Ok(exit::DONE);
    };
    let format = format(&args)?;
    if format != Format::Csv {
        args.names.refuse()?;
    }
    if !args.results.is_empty() && !args.full.full {
        return over_each_other(&args, format);
    }
    if args.allowed.is_any() {
        return Err(CliError::usage(
            "nothing is refused of one run",
            "leave out `--across-hosts`, `--across-models` and `--accept-invalid`, or name further runs",
        ));
    }
    let mut record = runs::load(run)?;
    store::tidy(folder(run));
    if let Some(limit) = args.latency_limit {
        record.plan.latency_limit_ns = Some(limit.into());
    }
    if args.json.json {
        print_json(folder(run), &record)?;
        return Ok(exit::DONE);
    }
    let rendered = render(&args, run, format, &record)?;
    if args.open {
        open::open(&written(&args, run, format, &rendered.text)?);
    } else {
        write(&args.destination, &rendered)?;
    }
    Ok(exit::DONE)
}

/// Reports several runs.
fn over_each_other(args: &Args, format: Format) -> Result<u8> {
    refuse_of_several(args, format)?;
    let paths: Vec<&PathBuf> = args.run.iter().chain(&args.results).collect();
    if let Some(view) = several::report(&paths, args.allowed, args.json)? {
        let target = Target { args, format };
        write(&args.destination, &target.render(&view, None, None)?)?;
        if let Some(file) = args.destination.output.as_ref().filter(|_| args.open) {
            open::open(file);
        }
    }
    Ok(exit::DONE)
}

/// Refuses what goes with one run alone.
fn refuse_of_several(args: &Args, format: Format) -> Result<()> {
    let (message, hint) = if args.latency_limit.is_some() {
        (
            "`--latency-limit` goes with one run",
            "report that run alone",
        )
    } else if format == Format::Csv {
        (
            "several runs over each other are no table of cells",
            "`onnxprof compare RUN... --format csv` has a row for each figure of two runs",
        )
    } else if args.open && args.destination.output.is_none() {
        (
            "`--open` needs a file to open",
            "of several runs, name one with `--output`",
        )
    } else {
        return Ok(());
    };
    Err(CliError::usage(message, hint))
}

fn print_json(folder: &Path, record: &RunRecord) -> Result<()> {
    let findings = analysis::findings(record);
    let text = Printed::Json("report").text(&Told {
        folder,
        view: &Report::new(record, &findings),
        findings: &findings,
    })?;
    say::result(text.as_bytes())
}

fn write(destination: &Destination, rendered: &Rendered) -> Result<()> {
    let mut failures = Failures::default();
    failures.note(destination.write(&rendered.text));
    if let Some(file) = &destination.output {
        failures.note(output::write_drawings(
            file.parent().unwrap_or(Path::new("")),
            &rendered.drawings,
        ));
    }
    failures.into_result()
}

/// Writes a file that can be opened, and says which.
fn written(args: &Args, run: &Path, format: Format, text: &[u8]) -> Result<PathBuf> {
    if let Some(file) = &args.destination.output {
        args.destination.write(text)?;
        return Ok(file.to_owned());
    }
    if format != Format::Html {
        return Err(CliError::usage(
            "`--open` needs a file to open",
            "name one with `--output`, or use `--format html`",
        ));
    }
    let file = folder(run).join("report.html");
    output::write_own(&file, text)?;
    Ok(file)
}

fn format(args: &Args) -> Result<Format> {
    if args.full.full && args.json.json {
        return Err(CliError::usage(
            "the whole template is no part of `--json`",
            "leave out `--full`, or `--json`",
        ));
    }
    match (args.format, args.full.full) {
        (None, true) if args.open => Ok(Format::Html),
        (None | Some(Format::Markdown), true) => Ok(Format::Markdown),
        (Some(Format::Html), true) => Ok(Format::Html),
        (Some(_), true) => Err(CliError::usage(
            "the whole template is written in Markdown and HTML",
            "leave out `--full`, or use `--format markdown` or `html`",
        )),
        (Some(format), false) => Ok(format),
        (None, false) if args.open => Ok(Format::Html),
        (None, false) => Ok(Format::Terminal),
    }
}

struct Rendered {
    text: Vec<u8>,
    drawings: Vec<Drawing>,
}

fn render(args: &Args, run: &Path, format: Format, record: &RunRecord) -> Result<Rendered> {
    let findings = analysis::findings(record);
    let full = args
        .full
        .given_beside(folder(run), &args.results)?
        .map(|given| given.results.beside(given.context, run, record))
        .map(|beside| Filled::new(record, &findings, &beside));
    let target = Target { args, format };
    match format {
        Format::Csv => Ok(Rendered {
            text: export::cells_csv(record, &findings, args.names.in_csv())
                .map_err(CliError::bug)?,
            drawings: Vec::new(),
        }),
        Format::Terminal | Format::Markdown | Format::Html => target.render(
            &Report::new(record, &findings),
            Some(folder(run)),
            full.as_ref(),
        ),
    }
}

/// A format, and what was asked for with it.
struct Target<'a> {
    args: &'a Args,
    format: Format,
}

impl Target<'_> {
    /// A report in a format for people; `folder` is where the run's files are.
    fn render(
        &self,
        view: &Report,
        folder: Option<&Path>,
        full: Option<&Filled>,
    ) -> Result<Rendered> {
        let destination = &self.args.destination;
        let mut drawings = Vec::new();
        let text = match self.format {
            Format::Terminal => report::terminal(view, folder, destination.style()),
            Format::Markdown => match (&destination.output, full) {
                (Some(_), full) => {
                    drawings = output::drawings(view);
                    report::illustrated_markdown(view, full)
                }
                (None, Some(full)) => report::full_markdown(view, full),
                (None, None) => report::markdown(view),
            }
            .map_err(CliError::bug)?,
            Format::Html => match full {
                Some(full) => report::full_html(view, full),
                None => report::html(view),
            }
            .map_err(CliError::bug)?,
            Format::Csv => String::new(),
        };
        Ok(Rendered {
            text: text.into_bytes(),
            drawings,
        })
    }
}
