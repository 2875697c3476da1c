//! `onnxprof compare`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use super::output::{self, Destination};
use super::raw_names::RawNames;
use super::{CliError, exit, runs};
use crate::analysis::comparison::{ComparedRun, Comparisons, NamedRun, SelectError, compare};
use crate::export;
use crate::record::RunRecord;
use crate::report::{self, view::ComparisonView, view::difference};

/// Compares two variants of one run, or the same variants of several runs, from their folders
/// alone.
///
/// Variants of one run took turns and are compared round by round. Runs did not take turns: they
/// are compared launch against launch, and whatever changed on the machine in between is not in the
/// intervals.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders of runs, or their run.json; the others are compared with the first.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,

    /// Two variants: B is compared with A. Of one run, both are its own; of two runs, A is the
    /// first one's and B the second one's. [default: of one run, its only two; of several, all of
    /// the same name]
    #[arg(long, value_name = "A,B")]
    variants: Option<TwoNames>,

    /// Compare although the runs were measured on different machines, and say how these differ.
    #[arg(long)]
    across_hosts: bool,

    /// What to render: tables for people, one row per figure, or the comparison for programs.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,

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
    /// The comparison, as JSON.
    Json,
}

/// What is compared with, and what is compared.
#[derive(Clone, Debug)]
struct TwoNames {
    baseline: String,
    candidate: String,
}

impl FromStr for TwoNames {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text
            .split(',')
            .map(str::trim)
            .collect::<Vec<_>>()
            .as_slice()
        {
            [baseline, candidate] if !baseline.is_empty() && !candidate.is_empty() => {
                Ok(TwoNames {
                    baseline: (*baseline).into(),
                    candidate: (*candidate).into(),
                })
            }
            _ => Err("two names with a comma between them are needed, such as `fp32,int8`"),
        }
    }
}

pub fn run(args: Args) -> Result<ExitCode, CliError> {
    if args.format != Format::Csv {
        args.names.refuse()?;
    }

    let records: Vec<RunRecord> = args
        .runs
        .iter()
        .map(|path| runs::load(path))
        .collect::<Result<_, _>>()?;
    let named = args
        .runs
        .iter()
        .zip(&records)
        .map(|(path, record)| NamedRun::new(path.clone(), record));
    let runs: Vec<NamedRun<'_>> = named.collect();
    let variants = args
        .variants
        .as_ref()
        .map(|names| (names.baseline.as_str(), names.candidate.as_str()));
    let comparisons = compare(&runs, variants).map_err(|error| select_error(&error))?;
    if !args.across_hosts {
        comparisons
            .runs
            .iter()
            .try_for_each(|other| same_machine(&args.runs[0], other))?;
    }
    args.destination.write(&render(&args, &comparisons)?)?;
    Ok(ExitCode::SUCCESS)
}

fn select_error(error: &SelectError) -> CliError {
    let (code, hint) = match error {
        SelectError::WhichVariants(_, names) if names.len() > 1 => (
            exit::USAGE,
            format!(
                "name two of them with `--variants {},{}`, or a second run",
                names[0], names[1]
            ),
        ),
        SelectError::WhichVariants(..) => {
            (exit::USAGE, "name a second run to compare it with".into())
        }
        SelectError::TooManyRuns(_) => (
            exit::USAGE,
            "name two runs, or leave out `--variants`".into(),
        ),
        SelectError::Itself(_) => (exit::USAGE, "name two different variants".into()),
        SelectError::UnknownVariant { .. } => {
            (exit::USAGE, "name one of those with `--variants`".into())
        }
        SelectError::UnlikeSessions(..) => (
            exit::BAD_INPUT,
            "measure both with the same session options".into(),
        ),
        SelectError::NothingInCommon {
            baseline_names,
            candidate_names,
            ..
        } => {
            let [old, new] = [baseline_names, candidate_names]
                .map(|names| names.first().map_or("", String::as_str));
            let hint = format!(
                "name one of each run with `--variants OLD,NEW`, such as `--variants {old},{new}`"
            );
            (exit::BAD_INPUT, hint)
        }
    };
    CliError::new(code, error).with_hint(hint)
}

/// Refuses a run of another machine than that of the run at `first`.
fn same_machine(first: &std::path::Path, other: &ComparedRun) -> Result<(), CliError> {
    if other.host_differences.is_empty() {
        return Ok(());
    }
    let (first, path) = (first.display(), other.path.display());
    let hint = "measure both on one machine; `--across-hosts` compares them nevertheless";
    let mut error = CliError::bad_input(
        format!("`{first}` and `{path}` are of different machines"),
        hint,
    );
    error
        .chain
        .extend(other.host_differences.iter().map(difference));
    Err(error)
}

fn render(args: &Args, comparisons: &Comparisons) -> Result<Vec<u8>, CliError> {
    match args.format {
        Format::Terminal => {
            let view = ComparisonView::new(comparisons);
            Ok(report::comparison_terminal(&view, args.destination.style()).into_bytes())
        }
        Format::Markdown => {
            let text = report::comparison_markdown(&ComparisonView::new(comparisons));
            Ok(text.map_err(|error| CliError::bug(&error))?.into_bytes())
        }
        Format::Csv => export::comparison_csv(comparisons, args.names.in_csv())
            .map_err(|error| CliError::bug(&error)),
        Format::Json => output::json(comparisons).map(String::into_bytes),
    }
}
