//! Searches that are taken up again.

use onnxprof::record::store::load;
use onnxprof::record::{EndReason, RunRecord};
use serde_json::{Value, json};

use super::{assert_says, champion, tune};
use crate::support::{BAD_INPUT, Onnxprof, Output, UNDECIDED, USAGE, library};
use crate::workbench::{QUICK, Workbench, wait_until};

const WORDS: [&str; 6] =
    ["--batch", "1,4", "--intra-threads", "1,2", "--keep", "optimization,execution,spinning,arena,pattern"];

fn variants() -> Value {
    json!({"a": {"fixed_ns": 90_000, "per_sample_ns": 10_000, "options": [{"intra_threads": 2, "latency_ratio": 0.6}]}})
}

/// A search that was killed after so many blocks.
fn killed(bench: &Workbench, blocks: usize) -> RunRecord {
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let running = tune(bench, &model, &variants(), &WORDS).spawn();
    bench.wait_for_blocks(blocks);
    running.kill();
    bench.record()
}

fn resume(bench: &Workbench, words: &[&str]) -> Output {
    Onnxprof::new().args(["tune", "--resume"]).arg(bench.run_folder()).args(words).run()
}

#[test]
fn a_search_that_was_killed_goes_on_and_measures_nothing_again() {
    let bench = Workbench::new();
    let before = killed(&bench, 20);
    assert_eq!(before.run.ended_by, None);
    let output = resume(&bench, &[]);
    output.assert_code(0);
    let after = bench.record();
    assert_eq!(after.blocks[..before.blocks.len()], before.blocks[..]);
    assert_eq!(after.accuracy.len(), before.accuracy.len() + usize::from(champion(&after).0.session > 0));
    assert_eq!(after.tuning.as_ref().unwrap().resumed_at_ns.len(), 1);
    assert_eq!(after.run.ended_by, Some(EndReason::SearchDone));
    let rounds: Vec<u64> = after.tuning.as_ref().unwrap().heats.iter().flat_map(|heat| heat.rounds.clone()).collect();
    assert!(rounds.is_sorted_by(|one, other| one < other), "{rounds:?}");
    let starts: Vec<u64> = after.blocks.iter().map(|block| block.started_ns.0).collect();
    assert!(starts.is_sorted(), "time went back");
    assert_eq!((champion(&after).1.options.intra_threads, champion(&after).0.batch_size), (2, 4), "{output}");
    assert_says(&output, &["taken up again 1 time"]);
}

#[test]
fn a_search_that_is_done_only_tells_its_answer_again() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let first = tune(&bench, &model, &variants(), &WORDS).run();
    first.assert_code(0);
    let record = bench.record();
    let again = resume(&bench, &["--budget", "1m"]);
    again.assert_code(0);
    let answer = |output: &Output| output.stdout.split_once("Run folder").unwrap().0.to_owned();
    assert_eq!(answer(&again), answer(&first));
    assert_eq!(bench.record(), record);
}

#[test]
fn a_search_goes_on_with_neither_another_model_nor_another_machine() {
    let bench = Workbench::new();
    killed(&bench, 5);
    bench.copy("fixtures/fixed-batch.onnx", "a.onnx");
    let output = resume(&bench, &[]);
    output.assert_code(BAD_INPUT);
    assert_says(&output, &["cannot be taken up again", "a.onnx` is another file than before"]);
    let mut record = load(&bench.run_folder()).unwrap();
    record.host.cpu.model_name = Some("another".into());
    std::fs::remove_file(bench.run_folder().join("journal.jsonl")).unwrap();
    std::fs::write(bench.run_folder().join("run.json"), serde_json::to_vec(&record).unwrap()).unwrap();
    let output = resume(&bench, &[]);
    output.assert_code(BAD_INPUT);
    assert_says(&output, &["another machine: CPU model differ"]);
}

#[test]
fn a_run_that_is_no_search_is_refused() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    bench.scripted(&model, &variants(), QUICK).run().assert_code(0);
    let output = resume(&bench, &[]);
    output.assert_code(BAD_INPUT);
    assert_says(&output, &["is no search that could be taken up again", "onnxprof tune"]);
    let output = Onnxprof::new().args(["tune", "--resume"]).arg(bench.path("nothing")).run();
    output.assert_code(BAD_INPUT);
    resume(&bench, &["--slo", "latency_p50<=1ms"]).assert_code(USAGE);
}

/// Cuts the journal off after the first score, however far the search had come when it was killed.
fn forget_after_first_score(bench: &Workbench) {
    let journal = bench.run_folder().join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    let scored = |line: &&str| line.contains("\"event\":\"accuracy\"");
    let kept = text.lines().position(|line| scored(&line)).unwrap() + 1;
    let lines: Vec<&str> = text.lines().take(kept).collect();
    std::fs::write(journal, lines.join("\n") + "\n").unwrap();
    let _ = std::fs::remove_file(bench.run_folder().join("run.json"));
}

/// Outputs of the baseline are not kept beyond a search; what is scored later is held against them nevertheless.
#[test]
fn what_is_scored_after_taking_up_again_is_held_against_the_baseline() {
    let bench = Workbench::new();
    for name in ["fp32", "int8-dynamic", "int8-static"] {
        bench.copy(&format!("digits/digits-{name}.onnx"), &format!("family/{name}.onnx"));
    }
    let words = ["--budget", "60s", "--batch", "1", "--intra-threads", "1", "--block", "2ms", "--quiet"];
    let tune = Onnxprof::new().arg("tune").arg(bench.path("family")).args(words).args(&WORDS[4..]);
    let running = tune.arg("--out").arg(bench.run_folder()).arg("--runtime").arg(library("1.31.1")).spawn();
    wait_until(|| load(&bench.run_folder()).is_ok_and(|record| !record.accuracy.is_empty()));
    running.kill();
    let _ = std::fs::remove_file(bench.run_folder().join(".baseline-outputs"));
    forget_after_first_score(&bench);
    let before = bench.record().accuracy.len();
    let code = resume(&bench, &["--budget", "20s", "--quiet"]).code();
    assert!(matches!(code, Some(0 | UNDECIDED)), "{code:?}");
    let record = bench.record();
    let baseline = record.plan.baseline_session();
    let later = record.accuracy[before..].iter().filter(|scored| Some(scored.session) != baseline);
    let later: Vec<usize> = later.map(|scored| scored.agreement.len()).collect();
    assert!(!later.is_empty() && later.iter().all(|outputs| *outputs > 0), "{later:?}");
    let of_baseline = record.accuracy.iter().filter(|scored| Some(scored.session) == baseline).count();
    assert_eq!(of_baseline, 1, "the baseline's scores are recorded once");
}
