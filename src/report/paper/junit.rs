//! A gate as JUnit XML: one test case for each rule on each cell or session.

use std::fmt::Write as _;

use crate::analysis::gate::GateVerdict;
use crate::report::view::{CheckView, GateView};

/// The gate as JUnit XML, of the schema of Jenkins' xunit plugin. A rule that failed is a failure; one that the figures do
/// not decide is skipped, with what would settle it.
#[must_use]
pub fn junit(view: &GateView, run: &str) -> String {
    let count = |verdict| view.checks.iter().filter(|check| check.verdict == verdict).count();
    let (tests, failures, skipped) = (view.checks.len(), count(GateVerdict::Fail), count(GateVerdict::Inconclusive));
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

fn case(check: &CheckView, run: &str) -> String {
    let name = attribute(&format!("{} ({})", check.check, check.place));
    let case = format!(r#"        <testcase name="{name}" classname="{}""#, attribute(run));
    let found = format!("{} {}", check.figure, check.because);
    let found = attribute(found.trim());
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
        assert_eq!(attribute("a<b>&'\"\n\u{1b}\u{fffe}é"), "a&lt;b&gt;&amp;&apos;&quot;&#10;é");
    }
}
