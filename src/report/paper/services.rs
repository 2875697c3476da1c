//! A gate for services: annotations of a workflow and the summary of its step for GitHub Actions,
//! and JUnit XML.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::analysis::gate::GateVerdict;
use crate::report::view::{CheckView, GateView, text};

/// Annotations of one kind that GitHub shows of a step.
const MOST_SHOWN: usize = 10;

/// One workflow command for each rule that did not pass, on its line of the rule file at `rules`:
/// its title says for how much of what it is for, its message what was found there. Of more rules
/// than GitHub shows of a kind, the last command names the lines of the rest.
///
/// Source: GitHub's documentation of workflow commands, which says how their values are escaped,
/// and of their limits.
#[must_use]
pub fn annotations(view: &GateView, rules: &str) -> String {
    let mut commands = String::new();
    for (verdict, level) in [
        (GateVerdict::Fail, "error"),
        (GateVerdict::Inconclusive, "warning"),
    ] {
        let annotations = of_kind(view, verdict);
        let has_room = annotations.len() <= MOST_SHOWN;
        let shown = if has_room { MOST_SHOWN } else { MOST_SHOWN - 1 };
        let (first, rest) = annotations.split_at(shown.min(annotations.len()));
        for annotation in first.iter().chain(&summed_up(rest)) {
            // Writing to a string does not fail.
            let _ = writeln!(
                commands,
                "::{level} file={},line={},title={}::{}",
                property(rules),
                annotation.line,
                property(&annotation.title),
                data(&annotation.message)
            );
        }
    }
    commands
}

struct Annotation {
    line: usize,
    title: String,
    message: String,
}

/// Of the rules whose worst verdict it is, in the order of the file.
fn of_kind(view: &GateView, verdict: GateVerdict) -> Vec<Annotation> {
    let mut rules: BTreeMap<usize, Vec<&CheckView>> = BTreeMap::new();
    for check in &view.checks {
        rules.entry(check.line).or_default().push(check);
    }
    rules
        .into_iter()
        .filter(|(_, checks)| checks.iter().map(|check| check.verdict).max() == Some(verdict))
        .map(|(line, checks)| of_rule(line, &checks))
        .collect()
}

fn of_rule(line: usize, checks: &[&CheckView]) -> Annotation {
    let open: Vec<&CheckView> = checks
        .iter()
        .copied()
        .filter(|check| check.verdict != GateVerdict::Pass)
        .collect();
    let rule = checks.first().map_or("", |check| check.check.as_str());
    let (place, message) = match open[..] {
        [only] => (only.place.clone(), message(only)),
        _ => (
            format!("{} of {} places", open.len(), checks.len()),
            open.iter()
                .map(|check| format!("{}: {}", check.place, message(check)))
                .collect::<Vec<_>>()
                .join("\n"),
        ),
    };
    Annotation {
        line,
        title: format!("gate: {rule} ({place})"),
        message,
    }
}

/// One annotation for those that GitHub would not show.
fn summed_up(rest: &[Annotation]) -> Option<Annotation> {
    let lines = text::joined(rest.iter().map(|annotation| annotation.line), ", ");
    Some(Annotation {
        line: rest.first()?.line,
        title: format!("gate: {} more rules", rest.len()),
        message: format!("lines {lines}; the summary of the step has them all"),
    })
}

fn message(check: &CheckView) -> String {
    format!(
        "{}: measured {} {}",
        check.word, check.figure, check.because
    )
    .trim_end()
    .to_owned()
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The summary of the step, in Markdown.
#[must_use]
pub fn step_summary(view: &GateView) -> String {
    let mut summary = format!(
        "### {}\n\n| verdict | rule | of | measured | because |\n|---|---|---|---|---|\n",
        view.title
    );
    for row in view.table().rows {
        let cells = row.cells.iter().map(|cell| text::markdown_prose(cell));
        let _ = writeln!(summary, "| {} |", text::joined(cells, " | "));
    }
    summary.push('\n');
    for remark in view.warnings.iter().chain(&view.remarks) {
        let _ = writeln!(summary, "- {}", text::markdown_prose(remark));
    }
    summary
}

/// What a rule is in JUnit XML that the figures do not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecided {
    /// An error: a test that could not be done, which dashboards show as broken.
    Error,
    /// Skipped, which most dashboards show as well as passed.
    Skipped,
}

/// The gate as JUnit XML, of the schema of Jenkins' xunit plugin. A rule that failed is a failure;
/// one that the figures do not decide is no failure and no pass, and has what would settle it.
#[must_use]
pub fn junit(view: &GateView, run: &str, undecided: Undecided) -> String {
    let tests = view.checks.len();
    let failures = count(view, GateVerdict::Fail);
    let open = count(view, GateVerdict::Inconclusive);
    let (errors, skipped) = match undecided {
        Undecided::Error => (open, 0),
        Undecided::Skipped => (0, open),
    };
    let cases: String = view
        .checks
        .iter()
        .map(|check| case(check, run, undecided))
        .collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="onnxprof" tests="{tests}" failures="{failures}" errors="{errors}">
    <testsuite name="onnxprof gate" tests="{tests}" skipped="{skipped}" errors="{errors}" failures="{failures}">
{cases}    </testsuite>
</testsuites>
"#
    )
}

fn count(view: &GateView, verdict: GateVerdict) -> usize {
    view.checks
        .iter()
        .filter(|check| check.verdict == verdict)
        .count()
}

fn case(check: &CheckView, run: &str, undecided: Undecided) -> String {
    let name = attribute(&format!("{} ({})", check.check, check.place));
    let case = format!(
        r#"        <testcase name="{name}" classname="{}""#,
        attribute(run)
    );
    let found = attribute(format!("{} {}", check.figure, check.because).trim());
    let status = match (check.verdict, undecided) {
        (GateVerdict::Pass, _) => return format!("{case}/>\n"),
        (GateVerdict::Fail, _) => format!(r#"<failure message="{found}" type="budget"/>"#),
        (GateVerdict::Inconclusive, Undecided::Error) => {
            format!(r#"<error message="inconclusive: {found}" type="inconclusive"/>"#)
        }
        (GateVerdict::Inconclusive, Undecided::Skipped) => {
            format!(r#"<skipped message="inconclusive: {found}"/>"#)
        }
    };
    format!("{case}>\n            {status}\n        </testcase>\n")
}

/// XML has no way to write most control characters; they are left out.
fn attribute(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => value.push_str("&lt;"),
            '>' => value.push_str("&gt;"),
            '&' => value.push_str("&amp;"),
            '\'' => value.push_str("&apos;"),
            '"' => value.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                // Writing to a string does not fail.
                let _ = write!(value, "&#{};", u32::from(character));
            }
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => {}
            other => value.push(other),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_within_its_attribute() {
        assert_eq!(
            attribute("a<b>&'\"\n\u{1b}\u{fffe}é"),
            "a&lt;b&gt;&amp;&apos;&quot;&#10;é"
        );
    }
}
