//! What a run does with its time: its order, its end, and what it says where there was too little
//! of it.

use std::time::{Duration, Instant};

use onnxprof::record::{EndReason, Outcome};
use serde_json::{Value, json};

use crate::support::example::example;
use crate::support::{BAD_INPUT, Output, model};
use crate::workbench::{Workbench, cell};

const SECOND: u64 = 1_000_000_000;
/// What a loaded machine may add to processes, reports and waiting.
const GENEROUS: Duration = Duration::from_secs(8);

/// `profile` of models that take real time, and how long it took.
fn timed(bench: &Workbench, variants: &Value, words: &[&str]) -> (Output, Duration) {
    for name in variants.as_object().unwrap().keys() {
        bench.copy("fixtures/one-node.onnx", &format!("family/{name}.onnx"));
    }
    let script = json!({ "variants": variants, "real_time": true });
    let began = Instant::now();
    let output = bench
        .scripted_machine(&bench.path("family"), &script, words)
        .run();
    (output, began.elapsed())
}

#[test]
fn an_inference_that_is_long_against_the_budget_is_shown_with_its_number() {
    let bench = Workbench::new();
    let variants = json!({ "slow": { "fixed_ns": 2 * SECOND } });
    let (output, took) = timed(&bench, &variants, &["--budget", "5s"]);
    output.assert_code(0);
    // 5 s, a launch of no time, and an inference of 2 s.
    assert!(took < Duration::from_secs(7) + GENEROUS, "{took:?}");
    let record = bench.record();
    assert!(cell(&record, "slow", 1).outcome.is_ok());
    assert!(
        record.blocks.iter().all(|block| block.key.batch_size == 1),
        "the smallest batch size comes first"
    );
    assert!(
        record
            .blocks
            .iter()
            .map(|block| block.inferences_count)
            .sum::<u64>()
            < 4,
        "{output}"
    );
    let text = output
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    for words in [
        "So far: slow at batch 1: median 2.",
        "n = ",
        "inference",
        "a verdict takes 6 launches",
        "`--budget ",
    ] {
        assert!(text.contains(words), "`{words}` is missing: {output}");
    }
    assert!(!text.contains("added less than"), "{output}");
}

#[test]
fn a_load_that_takes_all_of_the_budget_is_the_only_one() {
    let bench = Workbench::new();
    let slow = json!({ "load_ns": 4 * SECOND, "fixed_ns": SECOND / 10 });
    let variants = json!({ "a": slow, "b": slow, "c": slow });
    let (output, took) = timed(&bench, &variants, &["--budget", "3s"]);
    assert!(took < Duration::from_secs(3 + 4) + GENEROUS, "{took:?}");
    let record = bench.record();
    let loaded = record
        .launches
        .iter()
        .filter(|launch| launch.session_load_ns.is_some())
        .count();
    assert_eq!(loaded, 1, "{output}");
    // What its launch took may be taken for its first figures.
    assert!(!record.blocks.is_empty(), "{output}");
}

#[test]
fn single_predictions_come_before_larger_batches() {
    let bench = Workbench::new();
    let variants = json!({ "a": { "fixed_ns": 100_000 }, "b": { "fixed_ns": 150_000 } });
    for name in ["a", "b"] {
        bench.copy("fixtures/one-node.onnx", &format!("family/{name}.onnx"));
    }
    let words = [
        "--batch",
        "1,4",
        "--alternations",
        "1",
        "--block",
        "1ms",
        "--budget",
        "20s",
    ];
    bench
        .scripted(&bench.path("family"), &variants, words)
        .run()
        .assert_code(0);
    let record = bench.record();
    let first_large = record
        .blocks
        .iter()
        .position(|block| block.key.batch_size == 4)
        .unwrap();
    for session in 0..2 {
        let before = record.blocks[..first_large]
            .iter()
            .filter(|block| block.key.session == session);
        let launches: std::collections::BTreeSet<u64> = before.map(|block| block.launch).collect();
        assert!(launches.len() >= 6, "session {session}: {launches:?}");
    }
    let first_large_round = record.blocks[first_large].round;
    let later = record
        .blocks
        .iter()
        .filter(|block| block.round > first_large_round);
    assert!(
        later.clone().any(|block| block.key.batch_size == 1),
        "single predictions go on"
    );
    assert_eq!(
        record.statistics.as_ref().unwrap().look_rounds,
        [16, 26, 46]
    );
    assert_eq!(record.run.ended_by, Some(EndReason::TargetReached));
}

#[test]
fn a_fixed_batch_is_the_only_one_and_said_in_one_line() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/fixed-batch.onnx", "fixed.onnx");
    let words = ["--rounds", "2", "--alternations", "1", "--block", "1ms"];
    let output = bench
        .scripted(&model, &json!({ "fixed": { "fixed_ns": 1000 } }), words)
        .run();
    output
        .assert_code(0)
        .assert_stderr("the batch is fixed at 4 by the model: no other size is tried");
    let record = bench.record();
    assert_eq!(record.plan.batch_sizes, [4]);
    let everything = format!("{} {}", output.stdout, output.stderr);
    for words in ["not measured at batch", "added less than", "are left out"] {
        assert!(!everything.contains(words), "`{words}`: {output}");
    }
    assert!(
        !record
            .cells
            .iter()
            .any(|cell| matches!(cell.outcome, Outcome::Skipped { .. }))
    );
}

#[test]
fn nothing_timed_is_an_error_that_says_so() {
    let bench = Workbench::new();
    // The first inference ends so late that no other may begin.
    let variants = json!({ "a": { "fixed_ns": 4 * SECOND } });
    let (output, took) = timed(&bench, &variants, &["--budget", "1s"]);
    assert!(took < Duration::from_secs(1 + 4) + GENEROUS, "{took:?}");
    let spent = "the budget was spent before anything was timed: one inference took 4.";
    output.assert_error(BAD_INPUT, spent, "s would do for a verdict: `--budget ");
    let report = std::fs::read_to_string(bench.run_folder().join("report.md")).unwrap();
    assert!(
        report
            .replace('\\', "")
            .contains("So far: one inference took 4."),
        "{report}"
    );
}

#[test]
fn what_trying_a_slow_model_out_took_is_told_where_nothing_was_timed() {
    let bench = Workbench::new();
    let ops = example("custom_ops");
    let words = [
        "--batch",
        "1",
        "--budget",
        "1s",
        "--custom-ops",
        ops.to_str().unwrap(),
    ];
    let command = bench.profile_of(&model("fixtures/broken/unknown-domain.onnx"), words);
    let command = command.env("FROBNICATE_MS", "3000");
    let began = Instant::now();
    let output = command.run();
    let took = began.elapsed();
    assert!(took < Duration::from_secs(1 + 3) + GENEROUS, "{took:?}");
    output.assert_error(
        BAD_INPUT,
        "one inference took 3.",
        "s would do for a verdict: `--budget ",
    );
    assert!(output.stderr.contains("(n = 1)"), "{output}");
}
