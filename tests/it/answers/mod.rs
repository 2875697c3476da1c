//! Statements that were once wrong: each has a record on which the right one must stand, and the
//! wrong one must not.
//!
//! The heads of [`statements`] and [`first_use`] list them: what the record plants, what must stand,
//! what must not, and the test that holds it, which is here or where its subject is tested.

mod first_use;
mod statements;

use std::path::Path;

use onnxprof::analysis;
use onnxprof::record::{
    Agreement, Fitness, FitnessReason, FitnessVerdict, IdleGap, IdleGaps, OutputKind, RunRecord,
};
use onnxprof::report::{self, Beside, Color, Context, Filled, Report};
use onnxprof::units::Nanos;

use crate::support::record::{self, RunShape, VariantShape};

/// What every report says of a run, without the layout.
struct Told {
    formats: [(&'static str, String); 4],
}

impl Told {
    fn of(run: &RunRecord) -> Self {
        Told::with(run, &Context::default())
    }

    fn with(run: &RunRecord, context: &Context) -> Self {
        let findings = analysis::findings(run);
        let report = Report::new(run, &findings);
        let beside = Beside {
            context: context.clone(),
            ..Beside::default()
        };
        let filled = Filled::new(run, &findings, &beside);
        Told {
            formats: [
                ("screen", report::screen(&report, None, Color::Never)),
                ("terminal", report::terminal(&report, None, Color::Never)),
                ("markdown", report::markdown(&report).unwrap()),
                ("full", report::full_markdown(&report, &filled).unwrap()),
            ]
            .map(|(format, text)| (format, flat(&text))),
        }
    }

    fn text(&self, format: &str) -> &str {
        let found = self.formats.iter().find(|(name, _)| *name == format);
        &found.unwrap().1
    }

    #[track_caller]
    fn begins(&self, verdict: &str) {
        let screen = self.text("screen");
        assert!(screen.starts_with(verdict), "not `{verdict}`: {screen}");
    }

    /// In one format.
    #[track_caller]
    fn says(&self, format: &str, part: &str) {
        let text = self.text(format);
        assert!(text.contains(part), "{format}: no `{part}` in {text}");
    }

    /// In no format.
    #[track_caller]
    fn never(&self, parts: &[&str]) {
        for (format, text) in &self.formats {
            for part in parts {
                let at = text.find(part);
                assert_eq!(at, None, "{format}: `{part}` in {text}");
            }
        }
    }
}

/// In one line, without what Markdown escapes and emphasizes by.
fn flat(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace(['\\', '*'], "")
}

/// fp32 at 200 us, and int8 that takes `int8_ns`, on so many samples, of which int8 errs on `lost`
/// more.
fn pair(int8_ns: f64, samples: usize, lost: usize) -> RunRecord {
    let mut fp32 = VariantShape::new("fp32", "fp32", 200_000.0, 1_600_000);
    let mut int8 = VariantShape::new("int8", "int8 QDQ", int8_ns, 400_000);
    fp32.wrong = (0..samples / 50).collect();
    int8.wrong = (0..samples / 50 + lost).collect();
    record::build(&RunShape {
        name: "net".into(),
        variants: vec![fp32, int8],
        batch_sizes: vec![1, 8, 32],
        rounds: 8,
        alternations: 4,
        block_inferences: 30,
        samples,
    })
}

/// Without labels, and with an agreement that is changed.
fn compared(mut run: RunRecord, change: impl Fn(&mut Agreement)) -> RunRecord {
    if let Some(data) = &mut run.dataset {
        data.class_labels = None;
    }
    for scored in &mut run.accuracy {
        scored.scores = None;
        scored.agreement.iter_mut().for_each(&change);
    }
    run
}

fn classes_agree(share: f64) -> impl Fn(&mut Agreement) {
    move |agreement| {
        agreement.kind = Some(OutputKind::Classes);
        agreement.top1_agreeing_count = Some((agreement.samples_count as f64 * share) as u64);
    }
}

/// On a machine that was not fit to measure on.
fn unfit(mut run: RunRecord) -> RunRecord {
    let reason = FitnessReason {
        severity: FitnessVerdict::Invalid,
        seen: "other processes used 82% of all CPUs' time".into(),
        remedy: None,
    };
    run.fitness = Some(Fitness {
        verdict: FitnessVerdict::Invalid,
        reasons: vec![reason],
    });
    run
}

/// Latencies of a session after pauses: milliseconds, and nanoseconds.
fn gaps(session: usize, latencies: &[(u64, u64)]) -> Vec<IdleGaps> {
    let gap = |&(gap_ms, latency_ns): &(u64, u64)| IdleGap {
        gap_ns: Nanos(gap_ms * 1_000_000),
        latencies_ns: Ok((0..8)
            .map(|n| vec![Nanos(latency_ns + n * 97); 3])
            .collect()),
    };
    vec![IdleGaps {
        session,
        shape: 0,
        batch_size: 1,
        gaps: Ok(latencies.iter().map(gap).collect()),
    }]
}

/// Numbers and tests that the table in the head of a file lists.
fn listed(text: &str) -> Vec<(u32, String)> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | "));
    rows.filter_map(|row| {
        let columns: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
        let number = columns.first()?.trim_start_matches(['A', 'F']).parse();
        Some((number.ok()?, (*columns.last()?).to_owned()))
    })
    .collect()
}

#[test]
fn every_statement_has_a_test_that_there_is() {
    for (file, count) in [("statements.rs", 26), ("first_use.rs", 22)] {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/answers");
        let text = std::fs::read_to_string(own.join(file)).unwrap();
        let rows = listed(&text);
        let numbers: Vec<u32> = rows.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "{file}");
        for (number, tests) in rows {
            for test in tests.split(", ") {
                let (path, name) = test
                    .trim_matches('`')
                    .split_once("::")
                    .unwrap_or_else(|| panic!("{file}, {number}: `{test}` is no `file::test`"));
                let path = match path {
                    "self" => own.join(file),
                    _ => Path::new(env!("CARGO_MANIFEST_DIR")).join(path),
                };
                let source = std::fs::read_to_string(&path).unwrap_or_else(|error| {
                    panic!("{file}, {number}: {}: {error}", path.display())
                });
                assert!(
                    source.contains(&format!("fn {name}(")),
                    "{file}, {number}: no test `{name}` in {}",
                    path.display()
                );
            }
        }
    }
}
