//! `onnxprof compare`.

use std::path::PathBuf;

use super::json::{self, Answer, JsonArgs};
use super::output::Destination;
use super::raw_names::RawNames;
use super::refusals::{AllowedRuns, select_error};
use super::{CliError, Result, exit, runs};
use crate::analysis::comparison::{Comparisons, NamedRun, compare};
use crate::export;
use crate::report::{self, view::ComparisonView};

/// Compares two variants of one run, or the same variants of several runs, from their folders
/// alone.
///
/// Variants of one run took turns and are compared round by round. Runs did not take turns: they
/// are compared launch against launch, and whatever changed on the machine in between is not in the
/// intervals. Runs of other models, of other machines and of machines that were not fit to measure
/// on are refused, unless that is asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders of runs, or their run.json; the others are compared with the first.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,

    /// Two variants: B is compared with A. Of one run, both are its own; of two runs, A is the
    /// first one's and B the second one's. [default: of one run, its only two; of several, all of
    /// the same name]
    #[arg(long, value_name = "A,B", value_parser = two_names)]
    variants: Option<(String, String)>,

    #[command(flatten)]
    allowed: AllowedRuns,

    /// Format of the output: tables for people, or one row per figure.
    #[arg(long, default_value = "terminal", conflicts_with = "json")]
    format: Format,

    #[command(flatten)]
    json: JsonArgs,

    #[command(flatten)]
    names: RawNames,

    #[command(flatten)]
    destination: Destination,
}

/// Formats of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Tables for a terminal.
    Terminal,
    /// Tables in Markdown.
    Markdown,
    /// One row per figure.
    Csv,
}

/// Names of the baseline and of the candidate.
fn two_names(text: &str) -> Result<(String, String), &'static str> {
    let names: Vec<&str> = text.split(',').map(str::trim).collect();
    match names[..] {
        [baseline, candidate] if !baseline.is_empty() && !candidate.is_empty() => {
            Ok((baseline.into(), candidate.into()))
        }
        _ => Err("two names with a comma between them are needed, such as `fp32,int8`"),
    }
}

pub fn run(args: Args) -> Result<u8> {
    if args.format != Format::Csv {
        args.names.refuse()?;
    }
    let records = args
        .runs
        .iter()
        .map(|path| runs::load(path))
        .collect::<Result<Vec<_>>>()?;
    let runs: Vec<NamedRun<'_>> = args
        .runs
        .iter()
        .zip(&records)
        .map(|(path, record)| NamedRun::new(path.clone(), record))
        .collect();
    let comparisons = compare(
        &runs,
        args.variants
            .as_ref()
            .map(|(baseline, candidate)| (baseline.as_str(), candidate.as_str())),
    )
    .map_err(select_error)?;
    args.allowed.check(&comparisons)?;
    if args.json.json {
        let words = ComparisonView::new(&comparisons).headlines.join(" ");
        json::print("compare", Some(&Answer::undecided(words)), &comparisons)?;
    } else {
        args.destination.write(&render(&args, &comparisons)?)?;
    }
    Ok(exit::DONE)
}

fn render(args: &Args, comparisons: &Comparisons) -> Result<Vec<u8>> {
    let text = match args.format {
        Format::Terminal => {
            report::comparison_terminal(&ComparisonView::new(comparisons), args.destination.style())
        }
        Format::Markdown => {
            report::comparison_markdown(&ComparisonView::new(comparisons)).map_err(CliError::bug)?
        }
        Format::Csv => {
            let rows = export::comparison_csv(comparisons, args.names.in_csv());
            return rows.map_err(CliError::bug);
        }
    };
    Ok(text.into_bytes())
}
