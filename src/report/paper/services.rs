//! A gate for services: annotations of a workflow and the summary of its step for GitHub Actions,
//! and JUnit XML.

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
        let _ = writeln!(
            commands,
            "::{level} file={file},line={},title={title}::{message}",
            check.line
        );
    }
    commands
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
        let cells = row.cells.iter().map(|cell| text::markdown(cell));
        let _ = writeln!(summary, "| {} |", text::joined(cells, " | "));
    }
    summary.push('\n');
    for remark in &view.remarks {
        let _ = writeln!(summary, "- {}", text::markdown(remark));
    }
    summary
}

/// The gate as JUnit XML, of the schema of Jenkins' xunit plugin. A rule that failed is a failure;
/// one that the figures do not decide is skipped, with what would settle it.
#[must_use]
pub fn junit(view: &GateView, run: &str) -> String {
    let tests = view.checks.len();
    let failures = count(view, GateVerdict::Fail);
    let skipped = count(view, GateVerdict::Inconclusive);
    let cases: String = view.checks.iter().map(|check| case(check, run)).collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="onnxprof" tests="{tests}" failures="{failures}" errors="0">
    <testsuite name="onnxprof gate" tests="{tests}" skipped="{skipped}" errors="0" failures="{failures}">
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

fn case(check: &CheckView, run: &str) -> String {
    let name = attribute(&format!("{} ({})", check.check, check.place));
    let case = format!(
        r#"        <testcase name="{name}" classname="{}""#,
        attribute(run)
    );
    let found = attribute(format!("{} {}", check.figure, check.because).trim());
    let status = match check.verdict {
        GateVerdict::Pass => return format!("{case}/>\n"),
        GateVerdict::Fail => format!(r#"<failure message="{found}" type="budget"/>"#),
        GateVerdict::Inconclusive => format!(r#"<skipped message="inconclusive: {found}"/>"#),
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
