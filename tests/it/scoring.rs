//! How many samples outputs are scored on: the same for every variant, and as many as was asked
//! for.

use std::fs::File;

use ndarray::{Array2, Array4};
use ndarray_npy::NpzWriter;
use onnxprof::record::RunRecord;

use crate::support::example::example;
use crate::support::{Output, USAGE, model};
use crate::workbench::Workbench;

fn samples(record: &RunRecord) -> Vec<u64> {
    record
        .accuracy
        .iter()
        .map(|accuracy| accuracy.samples_count)
        .collect()
}

#[test]
fn every_variant_is_scored_on_the_samples_that_were_asked_for() {
    let bench = Workbench::new();
    let words = ["--batch", "1", "--score-samples", "40"];
    let output = bench.profile(&model("digits"), words).run();
    output
        .assert_code(0)
        .assert_stdout("scored 40 of 597 samples, the same for every variant");
    assert_eq!(samples(&bench.record()), [40; 4]);
}

#[test]
fn all_samples_are_scored_however_small_their_share_of_the_time() {
    const N: usize = 64;
    let bench = Workbench::new();
    let path = bench.path("data.npz");
    let mut data = NpzWriter::new(File::create(&path).unwrap());
    data.add_array("image", &Array4::<f32>::from_elem((N, 3, 128, 128), 0.5))
        .unwrap();
    data.finish().unwrap();
    let words = [
        "--batch",
        "1",
        "--budget",
        "2s",
        "--score-samples",
        "all",
        "--data",
        path.to_str().unwrap(),
    ];
    bench
        .profile_of(&model("fixtures/conv-milliseconds.onnx"), words)
        .run()
        .assert_code(0);
    assert_eq!(samples(&bench.record()), [N as u64]);
}

#[test]
fn made_up_samples_are_few_and_scored_only_where_variants_are_compared() {
    let bench = Workbench::new();
    bench
        .profile(&model("fixtures/one-node.onnx"), ["--batch", "1"])
        .run()
        .assert_code(0);
    let alone = bench.record();
    assert!(alone.accuracy.is_empty());

    let bench = Workbench::new();
    let copy = bench.copy("fixtures/one-node.onnx", "copy.onnx");
    bench
        .profile(&model("fixtures/one-node.onnx"), ["--batch", "1"])
        .arg(copy)
        .run()
        .assert_code(0);
    assert_eq!(samples(&bench.record()), [8; 2]);
}

#[test]
fn made_up_samples_are_scored_on_the_baseline_where_there_is_time_for_it_alone() {
    let bench = Workbench::new();
    let fast = bench.copy("fixtures/one-node.onnx", "fast.onnx");
    let slow = bench.copy("fixtures/broken/unknown-domain.onnx", "slow.onnx");
    let ops = example("custom_ops");
    // 8% of the budget are 2.4 s, which launches leave enough of; one sample of the slow one takes
    // 3 s.
    let words = [
        "--batch",
        "1",
        "--budget",
        "30s",
        "--custom-ops",
        ops.to_str().unwrap(),
        "--baseline",
        "fast",
    ];
    let output = bench
        .profile(&fast, words)
        .arg(slow)
        .env("FROBNICATE_MS", "3000")
        .run();
    output.assert_code(0);
    let record = bench.record();
    let baseline = record.plan.baseline_session();
    let (own, others): (Vec<_>, Vec<_>) = record
        .accuracy
        .iter()
        .partition(|accuracy| Some(accuracy.session) == baseline);
    assert_eq!((own.len(), others.len()), (1, 1), "{output}");
    assert!(
        own[0].outcome.is_ok() && own[0].samples_count > 0,
        "{:?}",
        own[0].outcome
    );
    let reason = others[0].outcome.reason();
    assert!(
        reason.is_some_and(|reason| reason.contains("no time")),
        "{reason:?}"
    );
}

/// Four samples of eight numbers, without labels.
fn unlabelled(bench: &Workbench) -> String {
    let path = bench.path("data.npz");
    let mut data = NpzWriter::new(File::create(&path).unwrap());
    let samples = Array2::from_shape_fn((4, 8), |(sample, column)| {
        ((sample * 8 + column) as f32).sin() * 2.0
    });
    data.add_array("scene", &samples).unwrap();
    data.finish().unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn nothing_is_said_to_be_scored_that_was_held_against_nothing() {
    let bench = Workbench::new();
    let data = unlabelled(&bench);
    let picked = |end: &str| model(&format!("fixtures/outputs/picked-{end}.onnx"));
    let words = ["--batch", "1", "--data", &data];
    let alone = bench.profile(&picked("a"), words).run();
    alone.assert_code(0);
    let said = |output: &Output| {
        output
            .stdout
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let outputs = "Outputs: not scored: no labels came with the 4 samples, and there is no other variant to compare with.";
    assert!(
        said(&alone).contains(outputs) && !said(&alone).contains("scored 4 of 4"),
        "{alone}"
    );

    for (other, outputs) in [
        (
            "b",
            "Outputs: computed for 4 of 4 samples; none of them could be compared.",
        ),
        (
            "a",
            "Outputs: compared with the baseline outputs on 4 of 4 samples.",
        ),
    ] {
        let bench = Workbench::new();
        let copy = |end: &str, name: &str| {
            bench.copy(&format!("fixtures/outputs/picked-{end}.onnx"), name)
        };
        let (one, other) = (copy("a", "one.onnx"), copy(other, "other.onnx"));
        let pair = bench.profile(&one, words).arg(other).run();
        pair.assert_code(0);
        assert!(
            said(&pair).contains(outputs) && !said(&pair).contains("scored 4 of 4"),
            "{pair}"
        );
    }
}

#[test]
fn a_number_of_samples_that_is_none_is_a_wrong_word() {
    for word in ["0", "-1", "most"] {
        let output = Workbench::new()
            .profile(&model("digits"), [format!("--score-samples={word}")])
            .run();
        output
            .assert_code(USAGE)
            .assert_stderr("expected a number of samples, from 1 on, or `all`");
    }
}
