//! Made-up runs under load, on one screen.

#[path = "../../../../tests/it/support/load.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "tests of several rooms make up the same records"
)]
mod load;
#[path = "../../../../tests/it/support/record.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "tests of several rooms make up the same records"
)]
#[expect(dead_code, reason = "other tests use the rest")]
mod record;

use super::super::Report;
use crate::analysis;
use crate::record::RunRecord;
use crate::report::{Color, screen};

/// The screen of a run, which fits.
fn shown(run: &RunRecord) -> String {
    let findings = analysis::findings(run);
    let report = Report::new(run, &findings);
    let text = screen(&report, Some("onnxprof-runs/digits".as_ref()), Color::Never);
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines.len() <= 25 && lines.iter().all(|line| line.chars().count() <= 100),
        "{} lines:\n{text}",
        lines.len()
    );
    text
}

#[test]
fn rates_that_were_asked_for_say_up_to_where_the_slo_is_kept() {
    let text = shown(&load::curve());
    assert!(
        text.starts_with(
            "fp32 keeps p99 response <= 20 ms and error rate <= 0.1% up to 200 requests/s (open at"
        ),
        "{text}"
    );
    assert!(text.contains("\nfp32     600   broken  "), "{text}");
    assert!(text.contains("\nint8     600   kept    "), "{text}");
}

#[test]
fn screens_of_runs_under_load_fit() {
    shown(&load::capacity());
    shown(&load::stress());
    shown(&load::soak(load::Planted::default()));
}
