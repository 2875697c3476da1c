//! What became of the rules, wherever it was asked for.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::analysis::gate::{Gate, GateVerdict};
use crate::cli::json::{self, Answer, Decision, JsonArgs};
use crate::cli::output::Failures;
use crate::cli::{Result, exit, output, say};
use crate::report::{self, Style, Undecided, view::GateView};
use crate::store::StoreError;

/// Where verdicts go.
#[derive(Debug, clap::Args)]
pub(super) struct Outputs {
    /// Exit code where the figures do not decide.
    #[arg(long, default_value = "say")]
    pub inconclusive: Inconclusive,

    /// Also writes JUnit XML: a rule that failed is a failure, one that is not decided an error, or
    /// skipped with `--inconclusive pass`.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    #[command(flatten)]
    json: JsonArgs,

    /// Annotations for GitHub Actions, one for each rule that did not pass, and a summary appended to
    /// the file that GITHUB_STEP_SUMMARY names; `auto`: where GITHUB_ACTIONS is true.
    #[arg(long, default_value = "auto")]
    github: Github,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Inconclusive {
    /// Its own code, 6.
    Say,
    /// That of a pass, 0.
    Pass,
    /// That of a failure, 5.
    Fail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Github {
    Auto,
    Always,
    Never,
}

/// What is published.
pub(super) struct Published<'a> {
    pub found: &'a Gate,
    /// Name of the run.
    pub run: &'a str,
    /// The rule file.
    pub rules: &'a Path,
}

/// Writes what became of the rules: what is printed first, then the files, as far as they can be.
pub(super) fn publish(outputs: &Outputs, published: &Published<'_>, style: Style) -> Result<()> {
    let Published { found, run, rules } = *published;
    let view = GateView::new(found);
    let is_on_github = is_on_github(outputs.github);
    let mut failures = Failures::default();
    let annotations = if is_on_github {
        report::annotations(&view, &rules.to_string_lossy())
    } else {
        String::new()
    };
    if outputs.json.json {
        // What a program reads stays free of annotations, which the runner takes from stderr as
        // well.
        say::lines(&annotations);
        let answer = Answer::of(&view.title, Decision::Gate(found.verdict));
        failures.note(json::print("gate", Some(&answer), found));
    } else {
        let text = report::gate_terminal(&view, style) + &annotations;
        failures.note(say::result(text.as_bytes()));
    }
    if outputs.junit.is_some() {
        let junit = report::junit(&view, run, undecided(outputs.inconclusive));
        failures.note(output::write(outputs.junit.as_deref(), junit.as_bytes()));
    }
    if is_on_github {
        failures.note(append_step_summary(&report::step_summary(&view)));
    }
    failures.into_result()
}

/// Who lets undecided rules pass sees them skipped; nobody else sees them green.
fn undecided(inconclusive: Inconclusive) -> Undecided {
    match inconclusive {
        Inconclusive::Pass => Undecided::Skipped,
        Inconclusive::Say | Inconclusive::Fail => Undecided::Error,
    }
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

pub(super) fn exit_code(verdict: GateVerdict, inconclusive: Inconclusive) -> u8 {
    match (verdict, inconclusive) {
        (GateVerdict::Pass, _) | (GateVerdict::Inconclusive, Inconclusive::Pass) => exit::DONE,
        (GateVerdict::Fail, _) | (GateVerdict::Inconclusive, Inconclusive::Fail) => exit::FAILED,
        (GateVerdict::Inconclusive, Inconclusive::Say) => exit::UNDECIDED,
    }
}
