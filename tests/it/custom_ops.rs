//! Libraries of custom operators: wherever a session is created, they are registered; those that
//! cannot be, and models that need one.

use std::fs;
use std::path::{Path, PathBuf};

use onnxprof::plan::Plan;
use onnxprof::record::{BatchProof, FailureKind, Outcome};

use crate::support::example::example;
use crate::support::{BAD_INPUT, Onnxprof, USAGE, library, model};
use crate::workbench::{Workbench, cell};

/// A model with the operator `Frobnicate` of the domain `com.example`.
const MODEL: &str = "fixtures/broken/unknown-domain.onnx";

#[test]
fn hint_of_a_model_that_needs_a_library_names_the_option() {
    let bench = Workbench::new();
    let output = bench.profile(&model(MODEL), ["--batch", "1"]).run();
    output.assert_error(
        BAD_INPUT,
        "is not a registered function/op",
        "`--custom-ops LIB`",
    );
}

#[test]
fn library_without_operators_is_refused_in_the_runtime_s_words() {
    let bench = Workbench::new();
    let text = bench.write("lib.so", "no library");
    let output = bench
        .profile(&model(MODEL), ["--batch", "1"])
        .arg("--custom-ops")
        .arg(&text)
        .run();
    output.assert_error(
        BAD_INPUT,
        "failed to register the custom operators of",
        "with `--custom-ops`",
    );
    let record = bench.record();
    assert!(
        matches!(&record.cells[0].outcome, Outcome::Failed(failure) if failure.kind == FailureKind::Runtime)
    );
    let output = Workbench::new()
        .profile(&model(MODEL), ["--custom-ops", "nowhere.so"])
        .run();
    output.assert_error(BAD_INPUT, "there is no file `nowhere.so`", "give the path");
}

/// The model under two names, in a folder.
fn family(bench: &Workbench) -> PathBuf {
    bench.copy(MODEL, "family/one.onnx");
    bench.copy(MODEL, "family/other.onnx");
    bench.path("family")
}

#[track_caller]
fn assert_registered(plan: &Plan, library: &Path) {
    assert!(!plan.sessions.is_empty());
    assert!(
        plan.sessions
            .iter()
            .all(|session| session.options.custom_ops == [library]),
        "{:?}",
        plan.sessions
    );
}

#[test]
fn models_are_tried_measured_scored_and_profiled_with_the_library() {
    let bench = Workbench::new();
    let ops = example("custom_ops");
    let words = ["--batch", "1,2", "--custom-ops", ops.to_str().unwrap()];
    bench.profile(&family(&bench), words).run().assert_code(0);
    let record = bench.record();
    assert_registered(&record.plan, &ops);
    for variant in ["one", "other"] {
        for batch_size in [1, 2] {
            let cell = cell(&record, variant, batch_size);
            assert!(
                cell.outcome.is_ok() && cell.latency_histogram.is_some(),
                "{cell:?}"
            );
        }
    }
    let summary = record.variants[record.plan.baseline]
        .model
        .as_ref()
        .unwrap();
    assert_eq!(
        summary.batch_axis.proof,
        BatchProof::Proved,
        "it was tried out"
    );
    let agreement = record
        .accuracy
        .iter()
        .find(|scored| Some(scored.session) != record.plan.baseline_session());
    assert!(
        agreement.is_some_and(|scored| scored.outcome.is_ok()),
        "{agreement:?}"
    );
    for found in &record.operators {
        let nodes = &found.profile.as_ref().unwrap().nodes;
        assert!(
            nodes.iter().any(|node| node.operator == "Frobnicate"),
            "{nodes:?}"
        );
    }
    assert!(!record.operators.is_empty());
    let report = fs::read_to_string(bench.path("run/report.md")).unwrap();
    assert!(
        report.contains(&format!("--custom-ops {}", ops.display())),
        "{report}"
    );
}

#[test]
fn search_registers_the_library_with_every_session() {
    let bench = Workbench::new();
    let ops = example("custom_ops");
    let words = [
        "--budget",
        "6s",
        "--batch",
        "1",
        "--intra-threads",
        "1",
        "--block",
        "2ms",
        "--quiet",
    ];
    let tune = Onnxprof::new()
        .arg("tune")
        .arg(family(&bench))
        .arg("--out")
        .arg(bench.run_folder())
        .args(words);
    let output = tune
        .arg("--custom-ops")
        .arg(&ops)
        .arg("--runtime")
        .arg(library("1.31.1"))
        .run();
    assert!(matches!(output.code(), Some(0 | 6)), "{output}");
    let record = bench.record();
    assert_registered(&record.plan, &ops);
    assert!(
        record.plan.sessions.len() > 1 && record.blocks.len() > 1,
        "{output}"
    );
    assert!(
        record
            .cells
            .iter()
            .all(|cell| !matches!(cell.outcome, Outcome::Failed(_))),
        "{output}"
    );
}

#[test]
fn probe_and_null_test_take_the_library() {
    let ops = example("custom_ops");
    let with = |words: &[&str]| {
        let bench = Workbench::new();
        let command = Onnxprof::new()
            .args(words)
            .arg(model(MODEL))
            .arg("--runtime")
            .arg(library("1.31.1"));
        command
            .arg("--custom-ops")
            .arg(&ops)
            .env("ONNXPROF_CACHE", bench.path("cache"))
            .run()
    };
    let probed = with(&["inspect", "--probe", "--json"]);
    let proof = &probed.assert_code(0).data()["inputs"]["batch_axis"]["proof"];
    assert_eq!(proof, "proved", "{probed}");
    let tested = with(&[
        "doctor",
        "--quiet",
        "--rounds",
        "2",
        "--json",
        "--null-test",
    ]);
    assert!(
        tested.assert_code(0).data()["claims"][0]["ratio"].is_object(),
        "{tested}"
    );
    for words in [["inspect", "x.onnx"], ["doctor", "--quiet"]] {
        let output = Onnxprof::new()
            .args(words)
            .arg("--custom-ops")
            .arg(&ops)
            .run();
        output.assert_code(USAGE);
    }
}
