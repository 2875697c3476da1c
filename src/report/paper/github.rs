//! A gate for GitHub Actions: annotations of the workflow, and a summary of its step.

use std::fmt::Write as _;

use crate::analysis::gate::GateVerdict;
use crate::report::view::{CheckView, GateView, text};

/// One workflow command for each rule that did not pass, on the line of the rule file at `rules`.
///
/// Source: GitHub's documentation of workflow commands, which says how their values are escaped.
#[must_use]
pub fn annotations(view: &GateView, rules: &str) -> String {
    let mut commands = String::new();
    for check in &view.checks {
        let level = match check.verdict {
            GateVerdict::Pass => continue,
            GateVerdict::Fail => "error",
            GateVerdict::Inconclusive => "warning",
        };
        let file = property(rules);
        let title = property(&format!("gate: {} ({})", check.check, check.place));
        let message = data(&message(check));
        // Writing to a string does not fail.
        let _ = writeln!(commands, "::{level} file={file},line={},title={title}::{message}", check.line);
    }
    commands
}

fn message(check: &CheckView) -> String {
    format!("{}: measured {} {}", check.word, check.figure, check.because).trim_end().to_owned()
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The summary of the step, in Markdown.
#[must_use]
pub fn step_summary(view: &GateView) -> String {
    let mut summary =
        format!("### {}\n\n| verdict | rule | of | measured | because |\n|---|---|---|---|---|\n", view.title);
    for row in view.table().rows {
        let cells: Vec<String> = row.cells.iter().map(|cell| text::markdown(cell)).collect();
        let _ = writeln!(summary, "| {} |", cells.join(" | "));
    }
    summary.push('\n');
    for remark in &view.remarks {
        let _ = writeln!(summary, "- {}", text::markdown(remark));
    }
    summary
}
