//! `onnxprof gate`.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::json::{self, Answer, Decision, JsonArgs};
use super::output::Failures;
use super::{CliError, Result, exit, output, runs, say};
use crate::analysis::gate::{self, Gate, GateVerdict, Mistake, RuleError};
use crate::analysis::{self, Findings};
use crate::files::{self, Kind};
use crate::record::RunRecord;
use crate::report::{self, view::GateView};
use crate::stats::MIN_LAUNCHES;
use crate::store::StoreError;
use crate::text::joined;

/// Holds a run against rules, and tells by its exit code whether it keeps them: 0, 5 if a rule
/// failed, 6 if the figures do not decide.
///
/// A rule passes when even the unfavourable end of the interval keeps the budget, and fails when
/// even the favourable end overruns it. `onnxprof gate init RUN` writes rules to begin with.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    check: Check,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Init(InitArgs),
}

/// Writes a rule file that a run keeps: budgets a tenth beyond what was measured.
#[derive(Debug, clap::Args)]
struct InitArgs {
    /// Folder of a run, or its run.json.
    run: PathBuf,

    /// File to write instead of stdout.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    output: Option<PathBuf>,

    #[command(flatten)]
    json: JsonArgs,
}

/// What `gate init --json` prints.
#[derive(Debug, Serialize)]
struct Rules<'a> {
    /// The rule file, as TOML.
    rules: &'a str,
}

#[derive(Debug, clap::Args)]
struct Check {
    /// Folder of a run, or its run.json.
    #[arg(required = true)]
    run: Option<PathBuf>,

    /// Rule file (TOML): tables `[[rule]]` with `check`, such as "latency_p99 <= 20 ms" or
    /// "latency_p50 <= 1.05 x baseline", and optionally `variant`, `batch_size` and `dims`.
    #[arg(long, value_name = "FILE", required = true)]
    rules: Option<PathBuf>,

    /// Run that rules about the baseline compare with, variant by variant. [default: the run's own
    /// baseline variant]
    #[arg(long, value_name = "BASELINE_RUN")]
    against: Option<PathBuf>,

    /// Exit code where the figures do not decide.
    #[arg(long, default_value = "say")]
    inconclusive: Inconclusive,

    /// Also writes JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    #[command(flatten)]
    json: JsonArgs,

    /// Annotations for GitHub Actions, and a summary appended to the file that GITHUB_STEP_SUMMARY
    /// names; `auto`: where GITHUB_ACTIONS is true.
    #[arg(long, default_value = "auto")]
    github: Github,

    /// Plain text, also on a terminal; so does the environment variable NO_COLOR.
    #[arg(long)]
    no_color: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Inconclusive {
    /// Its own code, 6.
    Say,
    /// That of a pass, 0.
    Pass,
    /// That of a failure, 5.
    Fail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Github {
    Auto,
    Always,
    Never,
}

struct Loaded {
    record: RunRecord,
    findings: Findings,
}

impl Loaded {
    fn read(path: &Path) -> Result<Self> {
        let record = runs::load(path)?;
        let findings = analysis::findings(&record);
        Ok(Loaded { record, findings })
    }

    fn run(&self) -> gate::Run<'_> {
        gate::Run {
            record: &self.record,
            findings: &self.findings,
        }
    }
}

pub fn run(args: Args) -> Result<u8> {
    match (args.command, &args.check.run, &args.check.rules) {
        (Some(Command::Init(args)), _, _) => init(&args),
        (None, Some(run), Some(rules)) => check(&args.check, run, rules),
        // Both are required by the command line.
        (None, _, _) => Err(CliError::message(
            exit::USAGE,
            "a run and `--rules` are needed",
        )),
    }
}

fn init(args: &InitArgs) -> Result<u8> {
    let text = gate::init(Loaded::read(&args.run)?.run());
    if gate::rules(&text).is_err() {
        let run = args.run.display();
        return Err(CliError::bad_input(
            format!("`{run}` has no figure that a rule could be made of"),
            format!(
                "profile with a larger `--budget`: intervals need at least {MIN_LAUNCHES} rounds"
            ),
        ));
    }
    if args.json.json {
        json::print("gate init", None, &Rules { rules: &text })?;
    } else {
        output::write(args.output.as_deref(), text.as_bytes())?;
    }
    Ok(exit::DONE)
}

fn check(args: &Check, run: &Path, rules: &Path) -> Result<u8> {
    let loaded = Loaded::read(run)?;
    let against = args.against.as_deref().map(Loaded::read).transpose()?;
    if let (Some(against), Some(path)) = (&against, &args.against) {
        common_variant(&loaded.record, &against.record, path)?;
    }
    let text = files::text(rules, Kind::RULES).map_err(|error| {
        CliError::of(error)
            .causing(format!("failed to read the rules in `{}`", rules.display()))
            .with_hint("write one with `onnxprof gate init RUN --output gate.toml`")
    })?;
    let found = gate::rules(&text)
        .and_then(|parsed| gate::gate(&parsed, loaded.run(), against.as_ref().map(Loaded::run)))
        .map_err(|error| rule_error(rules, &error))?;
    publish(args, &found, loaded.record.run.name.exact(), rules)?;
    Ok(exit_code(found.verdict, args.inconclusive))
}

/// Refuses a baseline run that has no variant of the run.
fn common_variant(run: &RunRecord, against: &RunRecord, path: &Path) -> Result<()> {
    let (own, other) = (variant_names(run), variant_names(against));
    if own.iter().any(|name| other.contains(name)) {
        return Ok(());
    }
    let (own, other) = (joined(own), joined(other));
    let cause = format!("the run has {own}, the baseline run {other}");
    let path = path.display();
    Err(
        CliError::bad_input(cause, "measure files of the same name in both").causing(format!(
            "the run and the baseline run `{path}` have no variant in common"
        )),
    )
}

fn variant_names(record: &RunRecord) -> Vec<&str> {
    record
        .plan
        .variants
        .iter()
        .map(|variant| variant.name.exact())
        .collect()
}

fn rule_error(path: &Path, error: &RuleError) -> CliError {
    let RuleError { line, mistake } = error;
    let hint = match mistake {
        Mistake::Toml(_) | Mistake::Empty => {
            "a rule is a table `[[rule]]` with `check`, and optionally `variant`, `batch_size` and `dims`"
        }
        Mistake::Check(_) => {
            "checks read like `latency_p99 <= 20 ms` or `latency_p50 <= 1.05 x baseline`; `cells.csv` of a run names the metrics"
        }
        _ => "name what the run has, or measure what the rule names",
    };
    CliError::bad_input(
        format!("`{}`, line {line}: {mistake}", path.display()),
        hint,
    )
}

/// Writes what became of the rules wherever it was asked for: what is printed first, then the
/// files, as far as they can be.
fn publish(args: &Check, found: &Gate, run: &str, rules: &Path) -> Result<()> {
    let view = GateView::new(found);
    let is_on_github = is_on_github(args.github);
    let mut failures = Failures::default();
    let annotations = if is_on_github {
        report::annotations(&view, &rules.to_string_lossy())
    } else {
        String::new()
    };
    if args.json.json {
        // What a program reads stays free of annotations, which the runner takes from stderr as
        // well.
        say::lines(&annotations);
        let answer = Answer::of(&view.title, Decision::Gate(found.verdict));
        failures.note(json::print("gate", Some(&answer), found));
    } else {
        let text = report::gate_terminal(&view, output::style(args.no_color)) + &annotations;
        failures.note(say::result(text.as_bytes()));
    }
    if args.junit.is_some() {
        let junit = report::junit(&view, run);
        failures.note(output::write(args.junit.as_deref(), junit.as_bytes()));
    }
    if is_on_github {
        failures.note(append_step_summary(&report::step_summary(&view)));
    }
    failures.into_result()
}

fn is_on_github(github: Github) -> bool {
    match github {
        Github::Always => true,
        Github::Never => false,
        Github::Auto => std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true"),
    }
}

fn append_step_summary(summary: &str) -> Result<()> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY") else {
        return Ok(());
    };
    let path = PathBuf::from(path);
    Ok(append(&path, summary).map_err(|source| StoreError::Write { path, source })?)
}

fn append(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::File::options()
        .create(true)
        .append(true)
        .open(path)?
        .write_all(text.as_bytes())
}

fn exit_code(verdict: GateVerdict, inconclusive: Inconclusive) -> u8 {
    match (verdict, inconclusive) {
        (GateVerdict::Pass, _) | (GateVerdict::Inconclusive, Inconclusive::Pass) => exit::DONE,
        (GateVerdict::Fail, _) | (GateVerdict::Inconclusive, Inconclusive::Fail) => {
            exit::GATE_FAILED
        }
        (GateVerdict::Inconclusive, Inconclusive::Say) => exit::GATE_INCONCLUSIVE,
    }
}
