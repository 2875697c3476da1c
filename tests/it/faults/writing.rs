//! Disks that are full, and files that cannot be written: what is kept, and what is said.

use std::fs;
use std::path::Path;
use std::process::Command;

use onnxprof::store::UNFINISHED_TRACE;
use serde_json::json;

use super::{ONE_NODE, long_run, one_node};
use crate::support::{BAD_INPUT, Onnxprof};
use crate::workbench::Workbench;

/// What a run said under a limit on the size of files, in blocks of 512 bytes: its exit code,
/// stdout and stderr.
fn limited(bench: &Workbench, blocks: u64, words: &[&str]) -> (Option<i32>, String, String) {
    let script = json!({ "variants": { "m": { "fixed_ns": 1_000, "jitter_ratio": 0.5 } } });
    let program = bench.worker(&format!(
        "ulimit -f {blocks}; exec {} \"$@\"",
        env!("CARGO_BIN_EXE_onnxprof")
    ));
    let output = Command::new(program)
        .current_dir(bench.path(""))
        .args(["profile", "--batch", "1", "--block", "1us"])
        .arg(bench.copy(ONE_NODE, "m.onnx"))
        .arg("--out")
        .arg(bench.run_folder())
        .arg(format!(
            "--runtime=script:{}",
            bench.write("s.json", script.to_string()).display()
        ))
        .args(words)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn full_disk_ends_the_run_and_sums_up_what_was_measured() {
    let bench = Workbench::new();
    let (code, stdout, stderr) =
        limited(&bench, 64, &["--rounds", "10000", "--alternations", "100"]);
    assert_eq!(code, Some(BAD_INPUT), "{stderr}");
    assert!(
        stderr.contains("failed to write `") && stderr.contains("is kept in `"),
        "{stderr}"
    );
    assert!(
        stdout.contains("m at batch 1: median"),
        "{stdout}\n{stderr}"
    );
    let record = bench.record();
    assert!(!record.is_complete() && !record.blocks.is_empty());
    assert!(record.cells[0].latency_histogram.is_some());
}

#[test]
fn what_does_not_fit_costs_itself_alone() {
    let bench = Workbench::new();
    // The page alone holds more than a megabyte.
    let (code, stdout, stderr) = limited(&bench, 2048, &["--rounds", "2", "--alternations", "1"]);
    assert_eq!(code, Some(BAD_INPUT), "{stderr}");
    assert!(
        stderr.contains("report.html`")
            && !stderr.contains("report.md")
            && !stderr.contains("cells.csv"),
        "{stderr}"
    );
    assert!(stdout.contains("m at batch 1: median"), "{stdout}");
    assert!(bench.record().is_complete());
    for file in ["run.json", "report.md", "cells.csv", "figures"] {
        assert!(bench.run_folder().join(file).exists(), "{file}");
    }
    assert!(
        !bench.run_folder().join("report.html").exists()
            && !bench.run_folder().join("journal.jsonl").exists()
    );
}

#[test]
fn every_file_that_cannot_be_written_is_named_and_the_others_are_there() {
    let bench = Workbench::new();
    for name in ["cells.csv", "report.html"] {
        fs::create_dir_all(bench.run_folder().join(name)).unwrap();
    }
    let output = one_node(&bench, &[]);
    output
        .assert_code(BAD_INPUT)
        .assert_stdout("one-node at batch 1: median");
    output.assert_stderr("error: 2 files could not be written");
    output
        .assert_stderr("run/cells.csv`: ")
        .assert_stderr("run/report.html`: ");
    assert!(bench.run_folder().join("report.md").is_file() && bench.record().is_complete());
}

#[test]
fn gate_prints_its_result_whatever_else_cannot_be_written() {
    let bench = Workbench::new();
    one_node(&bench, &[]).assert_code(0);
    let rules = bench.write("gate.toml", "[[rule]]\ncheck = \"file_size <= 1 GB\"\n");
    let gate = Onnxprof::new()
        .arg("gate")
        .arg(bench.run_folder())
        .arg("--rules")
        .arg(rules);
    let output = gate.args(["--junit", "/no/such/junit.xml", "--json"]).run();
    output.assert_code(BAD_INPUT).assert_stdout("1 passed");
    output.assert_stderr("`/no/such/junit.xml`");
}

#[test]
fn what_a_killed_run_left_for_itself_goes_when_it_is_reported() {
    let bench = Workbench::new();
    let running = long_run(&bench).spawn();
    bench.wait_for_blocks(2);
    running.kill();
    let at = |name: &str| bench.run_folder().join(name);
    fs::write(at(".onnxprof-baseline-outputs"), "outputs").unwrap();
    fs::create_dir_all(at(&format!("traces/{UNFINISHED_TRACE}a1b2c3"))).unwrap();
    Onnxprof::new()
        .arg("report")
        .arg(bench.run_folder())
        .run()
        .assert_code(0);
    assert!(!at(".onnxprof-baseline-outputs").exists() && !at("traces").exists());
    assert!(Path::new(&at("journal.jsonl")).exists());
}
