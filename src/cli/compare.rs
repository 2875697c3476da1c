//! `onnxprof compare`.

use std::path::{Path, PathBuf};

use super::json::{self, Answer, JsonArgs};
use super::output::Destination;
use super::raw_names::RawNames;
use super::refusals::Allowed;
use super::{CliError, Result, exit, runs};
use crate::analysis::comparison::{ComparedRun, Comparisons, NamedRun, SelectError, compare};
use crate::export;
use crate::report::{self, view::ComparisonView, view::difference};

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

    /// Compare although the runs were measured on different machines, and say how these differ.
    #[arg(long)]
    across_hosts: bool,

    #[command(flatten)]
    allowed: Allowed,

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
    refuse(&args, &comparisons)?;
    if args.json.json {
        let words = ComparisonView::new(&comparisons).headlines.join(" ");
        json::print("compare", Some(&Answer::undecided(words)), &comparisons)?;
    } else {
        args.destination.write(&render(&args, &comparisons)?)?;
    }
    Ok(exit::DONE)
}

/// Refuses what a ratio says nothing about. Variants of one run took turns, under the same load
/// whatever that was.
fn refuse(args: &Args, comparisons: &Comparisons) -> Result<()> {
    let runs = &comparisons.runs;
    if !args.across_hosts {
        runs.iter()
            .try_for_each(|other| same_machine(&args.runs[0], other))?;
    }
    let pairs = &comparisons.pairs;
    pairs
        .iter()
        .try_for_each(|pair| args.allowed.check_pair(pair, runs))?;
    if runs.len() == 1 {
        return Ok(());
    }
    runs.iter()
        .try_for_each(|run| args.allowed.check_machine(&run.path, run.fitness.as_ref()))
}

fn select_error(error: SelectError) -> CliError {
    let hint = match &error {
        SelectError::WhichVariants(_, names) if names.len() > 1 => format!(
            "name two of them with `--variants {},{}`, or a second run",
            names[0], names[1]
        ),
        SelectError::WhichVariants(..) => "name a second run to compare it with".into(),
        SelectError::TooManyRuns(_) => "name two runs, or leave out `--variants`".into(),
        SelectError::Itself(_) => "name two different variants".into(),
        SelectError::UnknownVariant { .. } => "name one of those with `--variants`".into(),
        SelectError::UnlikeSessions(..) => "measure both with the same session options".into(),
        SelectError::NothingInCommon {
            baseline_names,
            candidate_names,
            ..
        } => {
            let [old, new] = [baseline_names, candidate_names]
                .map(|names| names.first().map_or("", String::as_str));
            format!(
                "name one of each run with `--variants OLD,NEW`, such as `--variants {old},{new}`"
            )
        }
    };
    let is_of_input = matches!(
        error,
        SelectError::UnlikeSessions(..) | SelectError::NothingInCommon { .. }
    );
    let code = if is_of_input {
        exit::BAD_INPUT
    } else {
        exit::USAGE
    };
    CliError::new(code, error).with_hint(hint)
}

/// Refuses a run of another machine than that of the run at `first`.
fn same_machine(first: &Path, other: &ComparedRun) -> Result<()> {
    if other.host_differences.is_empty() {
        return Ok(());
    }
    let (first, path) = (first.display(), other.path.display());
    let mut error = CliError::bad_input(
        format!("`{first}` and `{path}` are of different machines"),
        "measure both on one machine; `--across-hosts` compares them nevertheless",
    );
    error
        .chain
        .extend(other.host_differences.iter().map(difference));
    Err(error)
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
