//! `report RUN RUN...`: runs that are laid over each other.

use std::fs;
use std::path::Path;

use onnxprof::analysis::comparison::{NamedRun, compare};
use onnxprof::plan::CellKey;
use onnxprof::record::RunRecord;
use onnxprof::report::charts::ChartView;
use onnxprof::report::{self, Color, Report};
use onnxprof::units::Bytes;
use serde_json::json;

use crate::compare::{Runs, old_and_new, run_of};
use crate::support::{BAD_INPUT, Onnxprof, Output, USAGE, record, shown};

fn over_each_other(runs: &[(&str, &RunRecord)]) -> Report {
    let named = runs
        .iter()
        .map(|(path, run)| NamedRun::new(path.into(), run));
    let named: Vec<NamedRun<'_>> = named.collect();
    report::of_runs(&named, &compare(&named, None).unwrap())
}

/// The first run, a slower one and one of another day in between, which measured batch 1 alone and
/// has a variant of its own.
fn three() -> [RunRecord; 3] {
    let (old, new) = old_and_new();
    let mut between = run_of(200_000.0, 100_000.0);
    // Half past eleven in the evening of the day before `new`, by the clock of another place.
    between.run.started_at = "2026-03-07T23:30:00-05:00".into();
    let is_left = |key: &CellKey| key.batch_size == 1;
    between.plan.batch_sizes = vec![1];
    between.blocks.retain(|block| is_left(&block.key));
    between.cells.retain(|cell| is_left(&cell.key));
    for launch in &mut between.launches {
        launch.cells.retain(|cell| cell.batch_size == 1);
    }
    between.plan.variants[1].name = "int4".into();
    between.plan.sessions[0].options.intra_threads += 1;
    [old, new, between]
}

#[test]
fn terminal_report_of_three_runs() {
    let [old, new, between] = three();
    let report = over_each_other(&[
        ("runs/old", &old),
        ("runs/new", &new),
        ("runs/between", &between),
    ]);
    let text = report::terminal(&report, None, Color::Never);
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    insta::assert_snapshot!(text);
}

#[test]
fn verdict_names_what_changed_and_where() {
    let (old, new) = old_and_new();
    let changed = over_each_other(&[("old", &old), ("new", &new)]).verdict;
    assert!(
        changed.starts_with("Against run 1 at batch 1: int8 in run 2 1.30x slower (")
            && changed.contains("), top-1 -10.0 points (significant, p < 0.001)."),
        "{changed}"
    );
    let other = run_of(200_100.0, 100_100.0);
    let open = over_each_other(&[("old", &old), ("other", &other)]).verdict;
    assert_eq!(
        open,
        "Undecided: no median latency at batch 1 is shown to differ from that of run 1; open: 2 of 2 comparisons."
    );
}

fn chart<'c>(charts: &'c [ChartView], id: &str) -> &'c ChartView {
    charts.iter().find(|chart| chart.id == id).unwrap()
}

#[test]
fn charts_lay_runs_over_each_other_in_the_order_of_time() {
    let [old, new, between] = three();
    let runs = [("old", &old), ("new", &new), ("between", &between)];
    let topic = shown::charts(&over_each_other(&runs), "variants");
    let ratio = chart(&topic.charts, "runs-ratio");
    let places: Vec<&str> = ratio
        .x
        .ticks
        .iter()
        .map(|tick| tick.label.as_str())
        .collect();
    assert_eq!(places, ["run 1", "run 3", "run 2"]);
    let of_int8 = ratio
        .series
        .iter()
        .find(|one| one.name.as_deref() == Some("int8"));
    let points: Vec<(f64, bool)> = of_int8
        .unwrap()
        .points
        .iter()
        .map(|point| (point.x, point.y_ends.is_some()))
        .collect();
    assert_eq!(points, [(0.0, false), (2.0, true)]);
    assert!((of_int8.unwrap().points[1].y - 1.3).abs() < 0.05);
    let latency = chart(&topic.charts, "runs-latency-1");
    let lines: Vec<(Option<&str>, usize)> = latency
        .series
        .iter()
        .map(|line| (line.name.as_deref(), line.points.len()))
        .collect();
    assert_eq!(
        lines,
        [(Some("run 1"), 2), (Some("run 2"), 2), (Some("run 3"), 1)]
    );
    assert!(
        topic
            .left_out
            .iter()
            .any(|reason| reason.contains("int4") && reason.contains("fewer than two batch sizes")),
        "{:?}",
        topic.left_out
    );
}

#[test]
fn files_are_told_by_their_hash() {
    let [old, new, between] = three();
    let runs = [("old", &old), ("new", &new), ("between", &between)];
    let files = &shown::tables(&over_each_other(&runs), "runs")[0];
    let row = |variant: &str| -> Vec<String> {
        let rows = files.rows.iter().filter(|row| row.cells[0] == variant);
        rows.map(|row| row.cells.last().unwrap().clone()).collect()
    };
    assert_eq!(row("fp32"), ["runs 1, 2 and 3"]);
    assert_eq!(row("int8"), ["run 1", "run 2"]);
}

#[test]
fn markdown_and_page_hold_the_table_the_charts_and_every_figure() {
    let [old, new, between] = three();
    let report = over_each_other(&[("old", &old), ("new", &new), ("between", &between)]);
    let markdown = report::illustrated_markdown(&report, None).unwrap();
    for part in [
        "# Performance report: 3 runs of digits\n",
        "### Variants by run at batch 1\n",
        "(figures/runs-ratio.svg)",
        "## What each run is\n",
        "### All runs against run 1\n",
        "int8 in new against int8 in old",
    ] {
        assert!(markdown.contains(part), "{part} is not in\n{markdown}");
    }
    let page = report::html(&report).unwrap();
    for part in [
        "data-chart=\"runs-ratio\"",
        "data-chart=\"runs-latency-2\"",
        "Variants by run at batch 1",
        "href=\"#compared\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

fn command(runs: &[&Path], words: &[&str]) -> Output {
    Onnxprof::new().arg("report").args(runs).args(words).run()
}

#[test]
fn measured_runs_are_reported_in_every_format() {
    let runs = Runs::new();
    let (old, new) = (
        runs.measure("old", 100_000, 60_000),
        runs.measure("new", 120_000, 60_000),
    );
    // The script's times are the same whatever the machine does.
    let accepted = "--accept-invalid";
    let found = command(&[&old, &new], &["--json", accepted]);
    let found = found.assert_code(0).json();
    assert_eq!(
        (&found["command"], &found["schema"]),
        (&json!("report"), &json!("urn:onnxprof:json:1.0"))
    );
    let words = found["answer"]["words"].as_str().unwrap();
    let slower = words.strip_prefix("Against run 1 at batch 1: fp32 in run 2 1.");
    assert!(
        slower.is_some_and(|rest| rest.starts_with("19") || rest.starts_with('2')),
        "{words}"
    );
    let data = &found["data"];
    assert_eq!(data["runs"].as_array().unwrap().len(), 2);
    assert_eq!(data["runs"][1]["folder"], json!(new));
    assert_eq!(data["comparison"]["pairs"].as_array().unwrap().len(), 2);
    for (format, begin) in [
        ("terminal", ""),
        ("markdown", "# Performance report: 2 runs"),
        ("html", "<!doctype html>"),
    ] {
        let output = command(&[&old, &new], &["--format", format, accepted]);
        output
            .assert_code(0)
            .assert_stdout("Variants by run at batch 1");
        assert!(output.stdout.starts_with(begin), "{format}");
    }
    let file = runs.0.path().join("over.md");
    let to = [
        "--format",
        "markdown",
        accepted,
        "--output",
        file.to_str().unwrap(),
    ];
    command(&[&old, &new], &to).assert_code(0);
    assert!(runs.0.path().join("figures/runs-ratio.svg").exists());
}

#[test]
fn what_compare_refuses_is_refused_alike() {
    let runs = Runs::new();
    let (old, new) = old_and_new();
    let old = runs.add("old", &old);
    let mut elsewhere = new.clone();
    elsewhere.host.cpu.model_name = Some("Other CPU".into());
    elsewhere.host.memory_bytes = Some(Bytes(16 << 30));
    let elsewhere = runs.add("elsewhere", &elsewhere);
    command(&[&old, &elsewhere], &[]).assert_error(
        BAD_INPUT,
        "are of different machines",
        "--across-hosts",
    );
    command(&[&old, &elsewhere], &["--across-hosts"])
        .assert_code(0)
        .assert_stdout("OTHER MACHINE")
        .assert_stdout("Differs from run 1: CPU model");
    let mut unlike = new.clone();
    unlike.variants[1].model.as_mut().unwrap().inputs[0].name = "gpu_0/data_0".into();
    let unlike = runs.add("unlike", &unlike);
    command(&[&old, &unlike], &[]).assert_error(BAD_INPUT, "unlike kinds", "--across-models");
    command(&[&old, &unlike], &["--across-models"])
        .assert_code(0)
        .assert_stdout("OTHER MODEL: int8 in ");
    let mut invalid = serde_json::to_value(&new).unwrap();
    let reason = json!({ "severity": "invalid", "seen": "others took 80%", "remedy": null });
    invalid["fitness"] = json!({ "verdict": "invalid", "reasons": [reason] });
    let invalid = runs.write("invalid", &invalid.to_string());
    command(&[&old, &invalid], &[]).assert_error(BAD_INPUT, "is INVALID", "--accept-invalid");
    command(&[&old, &invalid], &["--accept-invalid"])
        .assert_code(0)
        .assert_stdout("Machine state: INVALID");
    let mut nothing = new;
    nothing.plan.variants[0].name = "v2".into();
    nothing.plan.variants[1].name = "v3".into();
    let nothing = runs.add("nothing", &nothing);
    command(&[&old, &nothing], &[]).assert_error(
        BAD_INPUT,
        "no variant in common",
        "onnxprof compare OLD NEW --variants A,B",
    );
}

#[test]
fn runs_that_cannot_be_laid_over_each_other_are_told() {
    let runs = Runs::new();
    let (old, new) = old_and_new();
    let copy = runs.add("copy", &old);
    let (old, new) = (runs.add("old", &old), runs.add("new", &new));
    command(&[&old, &new, &copy], &[]).assert_error(
        USAGE,
        "are one and the same run",
        "name every run once",
    );
    command(&[&old, &old], &[]).assert_error(USAGE, "one and the same run", "once");
    let many = vec![old.as_path(); 11];
    command(&many, &[]).assert_error(USAGE, "11 runs were named", "name fewer");
    let empty = runs.0.path().join("empty");
    fs::create_dir(&empty).unwrap();
    command(&[&old, &empty], &[]).assert_error(
        BAD_INPUT,
        "is not a run folder",
        "onnxprof profile",
    );
    let text = fs::read_to_string(old.join("run.json")).unwrap();
    let truncated = runs.write("truncated", &text[..text.len() / 2]);
    command(&[&old, &truncated], &[])
        .assert_code(BAD_INPUT)
        .assert_stderr("is truncated");
    let both: [&Path; 2] = [&old, &new];
    command(&both, &["--latency-limit", "5ms"]).assert_error(USAGE, "goes with one run", "alone");
    command(&both, &["--format", "csv"]).assert_error(
        USAGE,
        "no table of cells",
        "onnxprof compare",
    );
    command(&both, &["--open"]).assert_error(USAGE, "a file to open", "--output");
    command(&both[..1], &["--across-hosts"]).assert_error(USAGE, "nothing is refused", "leave out");
}

#[test]
fn ten_runs_with_ten_variants_fit_into_one_report() {
    let shape = |number: usize| {
        let mut run = record::large(10, 3);
        run.run.started_at = format!("2026-03-{:02}T12:00:00Z", number + 1).into();
        run
    };
    let runs: Vec<RunRecord> = (0..10).map(shape).collect();
    let names: Vec<String> = (0..10).map(|number| format!("runs/{number}")).collect();
    let named: Vec<(&str, &RunRecord)> = names.iter().map(String::as_str).zip(&runs).collect();
    let report = over_each_other(&named);
    let table = &shown::tables(&report, "variants")[0];
    assert_eq!(table.rows.len(), 100);
    let topic = shown::charts(&report, "variants");
    assert_eq!(topic.charts.len(), 7);
    assert!(topic.charts.iter().all(|chart| chart.series.len() <= 8));
    assert!(
        topic.charts[0]
            .summary
            .contains("In the tables only: 2 more variants.")
    );
    assert!(topic.charts[1].summary.contains("Not drawn: 2 more runs."));
}
