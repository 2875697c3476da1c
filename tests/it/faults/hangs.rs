//! Workers that hang: how long they are waited for, and who is told.

use std::time::{Duration, Instant};

use onnxprof::record::FailureKind;
use serde_json::json;

use super::losses::{ends_early, flat, then};
use super::{ONE_NODE, failure};
use crate::support::PARTIAL;
use crate::workbench::{Workbench, cell};

#[test]
fn hang_costs_little_once_the_session_has_answered() {
    let bench = Workbench::new();
    let path = bench.copy(ONE_NODE, "m.onnx");
    let fault = json!({ "at": "run", "kind": "hang", "from_batch_size": 2 });
    let variants = json!({ "m": { "fixed_ns": 1_000_000, "fault": fault } });
    let began = Instant::now();
    let output = bench
        .scripted(&path, &variants, ["--batch", "1,2", "--budget", "12s"])
        .run();
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}: {output}",
        began.elapsed()
    );
    output
        .assert_code(PARTIAL)
        .assert_stdout("Failed launches: 1 of ");
    output.assert_stderr("did not run the first inferences at batch size 2 within ");
    let record = bench.record();
    assert_eq!(
        failure(&cell(&record, "m", 2).outcome),
        FailureKind::TimedOut,
        "{output}"
    );
    assert!(cell(&record, "m", 1).outcome.is_ok());
}

#[test]
fn hang_of_a_later_load_is_ended_soon() {
    let bench = Workbench::new();
    let path = bench.copy(ONE_NODE, "m.onnx");
    let words = [
        "--rounds",
        "3",
        "--alternations",
        "1",
        "--block",
        "2ms",
        "--batch",
        "1",
    ];
    let worker = ends_early(&bench, 3, 2, then::HANG);
    let output = bench
        .scripted(&path, &json!({ "m": { "fixed_ns": 1_000_000 } }), words)
        .env("ONNXPROF_WORKER", worker)
        .run();
    output
        .assert_code(PARTIAL)
        .assert_stderr("did not create the session within 5 s, and was killed");
    let said = "Failed launches: 1 of 2 of m: the process did not create the session within 5 s";
    assert!(flat(&output.stdout).contains(said), "{output}");
    assert!(cell(&bench.record(), "m", 1).outcome.is_ok());
}

#[test]
fn first_load_is_waited_for_as_long_as_the_user_says_and_it_is_said_for_how_long() {
    let bench = Workbench::new();
    let path = bench.copy(ONE_NODE, "m.onnx");
    let variants =
        json!({ "m": { "fixed_ns": 1_000_000, "fault": { "at": "load", "kind": "hang" } } });
    let words = ["--batch", "1", "--rounds", "1", "--timeout", "7s"];
    let output = bench.scripted(&path, &variants, words).run();
    output.assert_stderr("m is being loaded: waited for 5 s so far, of 7 s at most");
    output
        .assert_stderr("did not create the session within 7 s, and was killed")
        .assert_stderr("`--timeout`");
}
