//! A gate as JUnit XML: one test case for each rule on each cell or session.

use std::io;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::analysis::gate::GateVerdict;
use crate::report::view::{CheckView, GateView};

/// The gate as JUnit XML. A rule that failed is a failure; one that the figures do not decide is skipped, with what
/// would settle it.
///
/// # Errors
/// None that depends on the gate: writing to memory does not fail.
pub fn junit(view: &GateView, run: &str) -> io::Result<String> {
    let mut suite = TestSuite::new("onnxprof gate");
    suite.add_test_cases(view.checks.iter().map(|check| case(check, run)));
    let mut report = Report::new("onnxprof");
    report.add_test_suite(suite);
    let text = report.to_string().map_err(io::Error::other)?;
    // The schema of Jenkins' xunit plugin has this attribute on a suite only.
    let (head, rest) = text.split_once("<testsuite ").unwrap_or((&text, ""));
    let head = head.split_once(" skipped=\"").map_or_else(
        || head.to_owned(),
        |(before, after)| format!("{before}{}", after.split_once('"').map_or("", |(_, rest)| rest)),
    );
    Ok(format!("{head}<testsuite {rest}"))
}

fn case(check: &CheckView, run: &str) -> TestCase {
    let found = format!("{} {}", check.figure, check.because);
    let status = match check.verdict {
        GateVerdict::Pass => TestCaseStatus::success(),
        GateVerdict::Fail => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(found.trim()).set_type("budget");
            status
        }
        GateVerdict::Inconclusive => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("inconclusive: {}", found.trim()));
            status
        }
    };
    let mut case = TestCase::new(format!("{} ({})", check.check, check.place), status);
    case.set_classname(run);
    case
}
