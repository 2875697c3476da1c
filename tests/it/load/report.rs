//! Reports of made-up runs under load: the screen, Markdown, the template's fields and the table for
//! programs.

use onnxprof::analysis;
use onnxprof::check::Slo;
use onnxprof::export::{self, Names};
use onnxprof::plan::{Batcher, Serving};
use onnxprof::record::RunRecord;
use onnxprof::report::{self, Beside, Color, Filled, Report};
use onnxprof::units::Nanos;

use crate::support::load::{Planted, capacity, curve, curve_shape, made_up, soak, stress};

fn report(run: &RunRecord) -> Report {
    Report::new(run, &analysis::findings(run))
}

/// The screen, which fits and begins and ends with the verdict.
#[track_caller]
fn screen(run: &RunRecord) -> String {
    let report = report(run);
    let text = report::screen(&report, Some("onnxprof-runs/digits".as_ref()), Color::Never);
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines.len() <= 25 && lines.iter().all(|line| line.chars().count() <= 100),
        "{} lines:\n{text}",
        lines.len()
    );
    let joined = lines.join(" ");
    assert!(joined.starts_with(&report.verdict), "{text}");
    assert!(joined.ends_with(&report.verdict), "{text}");
    text
}

fn leaking() -> RunRecord {
    soak(Planted {
        leaked_bytes: 1024.0,
        ..Planted::default()
    })
}

fn invalid() -> RunRecord {
    let mut shape = curve_shape();
    shape.planted.lag = Nanos(3_000_000);
    made_up(&shape)
}

fn several_servings() -> RunRecord {
    let mut shape = curve_shape();
    let alone = Serving::single(Some(1000));
    shape.servings = vec![
        alone.clone(),
        Serving {
            batcher: Some(Batcher {
                max_batch: 8,
                max_delay_ns: Nanos(2_000_000),
                preferred: vec![4],
            }),
            ..alone
        },
    ];
    made_up(&shape)
}

#[test]
fn screen_of_a_curve() {
    insta::assert_snapshot!(screen(&curve()));
}

#[test]
fn screen_of_a_capacity() {
    let text = screen(&capacity());
    let in_a_row = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(" requests/s ("), "{text}");
    assert!(
        in_a_row.contains(" at p99 response <= 20 ms and error rate <= 0.1%"),
        "{text}"
    );
    assert!(text.contains("\nfp32     batch 8 in 2 ms  "), "{text}");
}

#[test]
fn screen_of_a_stress() {
    insta::assert_snapshot!(screen(&stress()));
}

#[test]
fn screen_of_a_leak() {
    insta::assert_snapshot!(screen(&leaking()));
}

#[test]
fn screen_of_what_was_sent_late() {
    let text = screen(&invalid());
    assert!(text.contains("int8 is INVALID"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn screen_of_several_ways_of_serving() {
    insta::assert_snapshot!(screen(&several_servings()));
}

#[test]
fn markdown_of_a_curve() {
    insta::assert_snapshot!(report::markdown(&report(&curve())).unwrap());
}

#[test]
fn markdown_of_a_stress() {
    insta::assert_snapshot!(report::markdown(&report(&stress())).unwrap());
}

/// The parts of the whole template that a load fills.
fn filled(run: &RunRecord) -> String {
    let findings = analysis::findings(run);
    let filled = Filled::new(run, &findings, &Beside::default());
    let text = report::full_markdown(&Report::new(run, &findings), &filled).unwrap();
    let part = |from: &str, to: &str| {
        let start = text.find(from).unwrap();
        let end = start + text[start..].find(to).unwrap();
        text[start..end].to_owned()
    };
    part("**Response Time Metrics**", "**Database Performance**")
        + &part("### Load Testing Results", "### Benchmark Comparisons")
}

#[test]
fn template_of_a_capacity() {
    let text = filled(&capacity());
    for field in [
        "**Sustained Load Capacity**",
        "users that send a request each 10 s",
        "at the SLO, n = ",
        "**Data Integrity**",
    ] {
        assert!(text.contains(field), "{field}\n{text}");
    }
}

#[test]
fn template_of_a_stress() {
    insta::assert_snapshot!(filled(&stress()));
}

#[test]
fn run_without_load_names_the_command_that_loads() {
    let text = filled(&crate::support::record::digits());
    assert!(text.contains("`onnxprof load MODEL` measures"), "{text}");
    assert!(text.contains("`onnxprof load MODEL --stress`"), "{text}");
}

#[test]
fn table_has_a_row_for_each_rate_of_each_candidate_in_base_units() {
    let run = curve();
    let findings = analysis::findings(&run);
    let text =
        String::from_utf8(export::load_csv(&run, &findings, Names::Guarded).unwrap()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1 + 8, "{text}");
    assert!(
        lines[0].starts_with("variant,execution_provider,"),
        "{text}"
    );
    let columns = lines[0].split(',').count();
    assert!(
        lines.iter().all(|line| line.split(',').count() == columns),
        "{text}"
    );
    assert!(
        lines[1].starts_with("fp32,CPUExecutionProvider,1,1,1,1000,,,asked,100,"),
        "{text}"
    );
    let digits = crate::support::record::digits();
    let findings = analysis::findings(&digits);
    let none = export::load_csv(&digits, &findings, Names::Guarded).unwrap();
    assert_eq!(String::from_utf8(none).unwrap().lines().count(), 1);
}

#[test]
fn page_holds_a_chapter_for_what_was_asked() {
    for (run, chapters) in [
        (
            curve(),
            &["rates", "parts", "integrity", "generator", "arrivals"][..],
        ),
        (capacity(), &["capacity", "rates", "batching"]),
        (stress(), &["stress", "rates"]),
        (leaking(), &["soak"]),
    ] {
        let page = report::html(&report(&run)).unwrap();
        for chapter in chapters {
            assert!(page.contains(&format!("href=\"#{chapter}\"")), "{chapter}");
        }
    }
}

#[test]
fn limits_without_an_interval_in_them_are_open_or_told() {
    let mut shape = curve_shape();
    shape.slo = vec!["response_p99<=20ms"];
    assert_eq!(Slo::parse(shape.slo[0]).unwrap().limit, 20e6);
    let text = screen(&made_up(&shape));
    assert!(
        text.starts_with("fp32 keeps p99 response <= 20 ms up to"),
        "{text}"
    );
}
