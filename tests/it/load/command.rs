//! `load` as a user runs it: what it takes, and what it leaves behind.

use std::path::Path;

use onnxprof::record::{EndReason, LoadSegment, LoadStage, RunRecord};
use serde_json::{Value, json};

use crate::support::{Onnxprof, library, model};
use crate::workbench::{Workbench, wait_until};

const VERSION: &str = "1.31.1";

/// `load` of a model into the folder of a bench.
pub fn load(bench: &Workbench, model: &Path, words: &[&str]) -> Onnxprof {
    Onnxprof::new()
        .arg("load")
        .arg(model)
        .arg("--out")
        .arg(bench.run_folder())
        .args(words)
}

/// The same of `digits-fp32` under a script of latencies.
pub fn scripted(bench: &Workbench, script: &Value, words: &[&str]) -> Onnxprof {
    let script = bench.write("script.json", script.to_string());
    load(bench, &model("digits/digits-fp32.onnx"), words)
        .arg("--runtime")
        .arg(format!("script:{}", script.display()))
}

/// Inferences of so many nanoseconds.
pub fn of(fixed_ns: u64) -> Value {
    json!({"variants": {"digits-fp32": {"fixed_ns": fixed_ns}}})
}

pub fn segments(record: &RunRecord) -> &[LoadSegment] {
    &record.load.as_ref().unwrap().segments
}

#[test]
fn rates_that_are_named_are_offered_round_by_round() {
    let bench = Workbench::new();
    let words = ["--rate", "200,100", "--rounds", "2", "--segment", "5s"];
    let output = scripted(&bench, &of(1_000_000), &words).run();
    output
        .assert_code(0)
        .assert_stderr("load, round 1: digits-fp32, 100 requests/s")
        .assert_stderr("load, round 2: digits-fp32, 200 requests/s");
    let record = bench.record();
    assert_eq!(record.run.ended_by, Some(EndReason::LoadAnswered));
    let told: Vec<(u64, f64)> = segments(&record)
        .iter()
        .map(|one| (one.round, one.offer.from.0))
        .collect();
    assert_eq!(told, [(0, 100.0), (0, 200.0), (1, 200.0), (1, 100.0)]);
    let mut launches: Vec<u64> = segments(&record)
        .iter()
        .map(|one| one.processes[0].launch)
        .collect();
    launches.dedup();
    assert_eq!(launches.len(), 2, "each round has a process of its own");
    for segment in segments(&record) {
        let counts = segment.processes[0].served.counts;
        let expected = segment.offer.from.0 * 5.0;
        assert!((counts.offered as f64 / expected - 1.0).abs() < 0.2);
        assert_eq!(counts.completed, counts.offered);
        assert_eq!(segment.stage, LoadStage::Asked);
    }
    let report = Onnxprof::new()
        .arg("report")
        .arg(bench.run_folder())
        .arg("--json")
        .run();
    let points = &report.assert_code(0).data()["load"]["candidates"][0]["points"];
    assert_eq!(points.as_array().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_loaded_is_said_before_anything_is_measured() {
    let bench = Workbench::new();
    for (words, code, message) in [
        (&["--slo", "latency_p99<=20ms"][..], 2, "service time"),
        (&["--rate", "0"], 2, "positive number of requests"),
        (&["--rate", "inf"], 2, "positive number of requests"),
        (&["--rate", "2000000"], 2, "no machine generates"),
        (&["--queue", "0"], 2, "at least 1"),
        (&["--arrivals", "users:1s"], 2, "--users"),
        (
            &["--users", "2", "--arrivals", "poisson"],
            2,
            "virtual users",
        ),
        (&["--callers", "1", "--sessions", "2"], 2, "fewer threads"),
        (&["--scenario", "server"], 2, "response_p99"),
        (&["--slo", "goodput>=100/s"], 2, "there is none"),
        (&["--stress", "--soak", "1m"], 2, "cannot be used with"),
        (&["--arrivals", "trace:nowhere.csv"], 3, "nowhere.csv"),
    ] {
        let output = scripted(&bench, &of(1_000_000), words).run();
        output.assert_code(code).assert_stderr(message);
        assert!(!bench.run_folder().exists(), "{words:?}");
    }
}

#[test]
fn a_trace_is_checked_before_it_is_followed() {
    let bench = Workbench::new();
    for (name, text) in [
        ("unsorted.csv", "2\n1\n"),
        ("empty.csv", ""),
        ("early.csv", "-1\n1\n"),
    ] {
        let trace = format!("trace:{}", bench.write(name, text).display());
        let output = scripted(&bench, &of(1_000_000), &["--arrivals", &trace]).run();
        output.assert_code(3).assert_stderr(name);
    }
}

#[test]
fn a_model_of_one_batch_size_is_not_gathered_for() {
    let bench = Workbench::new();
    let words = ["--batcher", "max-batch=16,max-delay=2ms", "--rate", "10"];
    let model = model("fixtures/fixed-batch.onnx");
    let output = load(&bench, &model, &words)
        .arg("--runtime")
        .arg(library(VERSION))
        .run();
    output
        .assert_code(2)
        .assert_stderr("cannot be served by this batcher: the model's batch dimension is fixed");
}

#[test]
fn an_slo_that_single_requests_break_has_the_floor_and_its_own_exit_code() {
    let bench = Workbench::new();
    let output = scripted(&bench, &of(5_000_000), &["--slo", "response_p99<=2ms"]).run();
    output
        .assert_code(7)
        .assert_stderr("no rate keeps `response_p99<=2ms`: single requests without load take");
    assert_eq!(bench.record().run.ended_by, Some(EndReason::SloBroken));
}

#[test]
fn what_was_finished_stays_when_the_run_is_killed() {
    let bench = Workbench::new();
    let mut script = of(200_000);
    script["real_time"] = json!(true);
    let words = ["--rate", "100", "--segment", "200ms", "--rounds", "200"];
    let running = scripted(&bench, &script, &words).spawn();
    let journal = bench.run_folder().join("journal.jsonl");
    wait_until(|| {
        let text = std::fs::read_to_string(&journal).unwrap_or_default();
        text.matches("load_segment").count() >= 2
    });
    running.kill();
    let record = bench.record();
    assert!(segments(&record).len() >= 2);
    assert_eq!(record.run.ended_by, None);
}

#[test]
fn a_real_model_is_served_with_the_outputs_it_has_without_load() {
    let bench = Workbench::new();
    let words = [
        "--rate",
        "100",
        "--segment",
        "500ms",
        "--rounds",
        "1",
        "--threads",
        "1",
        "--callers",
        "2",
    ];
    let model = model("digits/digits-fp32.onnx");
    let output = load(&bench, &model, &words)
        .arg("--runtime")
        .arg(library(VERSION))
        .run();
    output.assert_code(0);
    let record = bench.record();
    let served = &segments(&record)[0].processes[0].served;
    assert_eq!(served.counts.completed, served.counts.offered);
    let integrity = served.integrity.as_ref().unwrap();
    assert!(integrity.checked > 0);
    assert_eq!(integrity.wrong, 0);
    let samples = &segments(&record)[0].processes[0].samples;
    assert!(samples.iter().all(|one| one.memory_bytes.is_some()) && samples.len() >= 2);
}
