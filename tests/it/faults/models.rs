//! Models that cannot be measured, alone and beside others.

use std::fs;
use std::path::Path;

use onnxprof::record::{BatchProof, EndReason, FailureKind, Outcome};

use super::{ONE_NODE, failure};
use crate::support::{BAD_INPUT, PARTIAL, model};
use crate::workbench::{Workbench, assert_nothing_left, cell};

#[test]
fn missing_model_is_an_input_error() {
    let bench = Workbench::new();
    let output = bench.profile(Path::new("/no/such.onnx"), ["--quiet"]).run();
    output.assert_error(
        BAD_INPUT,
        "failed to read `/no/such.onnx`\n  caused by: No such file",
        "name a .onnx or .ort file",
    );
    assert_nothing_left(&bench, &output);
}

#[test]
fn folder_without_models_is_an_input_error() {
    let bench = Workbench::new();
    let folder = bench.path("empty");
    fs::create_dir(&folder).unwrap();
    let output = bench.profile(&folder, ["--quiet"]).run();
    output.assert_error(BAD_INPUT, "holds no .onnx files", "name a model file");
    assert_nothing_left(&bench, &output);
}

#[test]
fn file_that_is_no_model_is_an_error_before_anything_is_written() {
    for (name, message, hint) in [
        ("empty", "is empty", "copy or download"),
        ("not-onnx", "is not an ONNX model", "must be converted"),
        ("truncated", "is truncated", "copy or download"),
        (
            "missing-external-data",
            "which cannot be opened",
            "put the file beside",
        ),
    ] {
        let bench = Workbench::new();
        let output = bench
            .profile(
                &model(&format!("fixtures/broken/{name}.onnx")),
                ["--batch", "1"],
            )
            .run();
        output.assert_error(BAD_INPUT, message, hint);
        assert_eq!(output.stderr.matches(message).count(), 1, "{output}");
        assert_nothing_left(&bench, &output);
    }
}

#[test]
fn model_that_the_library_refuses_is_an_error_in_the_library_s_words() {
    for (name, message, hint) in [
        (
            "future-ir",
            "Unsupported model IR version: 999, max supported IR version:",
            "a newer library",
        ),
        ("future-opset", "Opset 999", "a newer library"),
        (
            "unknown-operator",
            "No Op registered for Frobnicate",
            "no such operator",
        ),
        (
            "unknown-domain",
            "com.example:Frobnicate(-1) is not a registered function/op",
            "no such operator",
        ),
    ] {
        let bench = Workbench::new();
        let output = bench
            .profile(
                &model(&format!("fixtures/broken/{name}.onnx")),
                ["--batch", "1"],
            )
            .run();
        output.assert_error(BAD_INPUT, message, hint);
        assert!(
            !output.stderr.contains(".cc:") && !output.stderr.contains(".h:"),
            "{output}"
        );
        assert_eq!(
            failure(&bench.record().cells[0].outcome),
            FailureKind::SessionLoad
        );
    }
}

#[test]
fn broken_models_cost_the_good_ones_beside_them_nothing() {
    let bench = Workbench::new();
    let broken = fs::read_dir(model("fixtures/broken"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let broken: Vec<String> = broken.map(|name| name.into_string().unwrap()).collect();
    for name in &broken {
        bench.copy(
            &format!("fixtures/broken/{name}"),
            &format!("models/{name}"),
        );
    }
    bench.copy(ONE_NODE, "models/one-node.onnx");
    let output = bench
        .profile(&bench.path("models"), ["--batch", "1,2"])
        .run();
    output.assert_code(PARTIAL);
    let record = bench.record();
    // One of them has outputs of another rank, and is no variant of the others.
    assert_eq!(record.plan.variants.len(), broken.len());
    assert!(
        record
            .notes
            .iter()
            .any(|note| note.contains("`hard-coded-batch.onnx` has other inputs or outputs"))
    );
    assert!(record.variants[record.plan.baseline].outcome.is_ok());
    let measured: Vec<(&str, u64)> = (record.cells.iter().filter(|cell| cell.outcome.is_ok()))
        .map(|cell| {
            (
                record.plan.variant_of(cell.key.session).name.exact(),
                cell.key.batch_size,
            )
        })
        .collect();
    let expected = [
        ("nan-output", 1),
        ("nan-output", 2),
        ("one-node", 1),
        ("one-node", 2),
    ];
    assert_eq!(measured, expected, "{output}");
    assert_eq!(
        failure(&cell(&record, "truncated", 1).outcome),
        FailureKind::BadModel
    );
}

#[test]
fn model_that_computes_one_sample_at_a_time_is_measured_and_scored_so() {
    let bench = Workbench::new();
    let copy = bench.copy("fixtures/broken/hard-coded-batch.onnx", "copy.onnx");
    let output = bench
        .profile(
            &model("fixtures/broken/hard-coded-batch.onnx"),
            ["--batch", "1,2"],
        )
        .arg(copy)
        .run();
    output
        .assert_code(0)
        .assert_stderr("not measured at batch size 2: the model's batch dimension is fixed at 1");
    let record = bench.record();
    assert!(cell(&record, "hard-coded-batch", 1).outcome.is_ok());
    assert!(record.accuracy[0].outcome.is_ok());
    assert_eq!(record.accuracy[0].batch_size, 1);
    let proof = &record.variants[0].model.as_ref().unwrap().batch_axis.proof;
    assert!(
        matches!(proof, BatchProof::NotProved { reason } if reason.starts_with("two samples at once are refused")),
        "{proof:?}"
    );
}

#[test]
fn failure_of_the_only_model_is_told_once() {
    let output = Workbench::new()
        .profile(
            &model("fixtures/broken/unknown-operator.onnx"),
            ["--batch", "1"],
        )
        .run();
    output.assert_code(BAD_INPUT);
    assert_eq!(output.stderr.matches("hint: ").count(), 1, "{output}");
    assert_eq!(
        output.stderr.matches("failed to load model").count(),
        1,
        "{output}"
    );
}

#[test]
fn fixed_batch_dimension_skips_other_batch_sizes() {
    let bench = Workbench::new();
    let output = bench
        .profile(&model("fixtures/fixed-batch.onnx"), ["--batch", "2,4"])
        .run();
    output
        .assert_code(0)
        .assert_stderr("not measured at batch size 2: the model's batch dimension is fixed at 4");
    let record = bench.record();
    assert!(
        matches!(&cell(&record, "fixed-batch", 2).outcome, Outcome::Skipped { reason } if reason.contains("fixed at 4"))
    );
    assert!(cell(&record, "fixed-batch", 4).outcome.is_ok());
    assert!(record.blocks.iter().all(|block| block.key.batch_size == 4));
}

#[test]
fn run_in_which_every_batch_size_is_skipped_is_an_input_error() {
    let bench = Workbench::new();
    let output = bench
        .profile(&model("fixtures/fixed-batch.onnx"), ["--batch", "1,2"])
        .run();
    output.assert_error(
        BAD_INPUT,
        "nothing could be measured\n  caused by: the model's batch dimension",
        "`--batch`",
    );
    assert_eq!(bench.record().run.ended_by, Some(EndReason::NothingLeft));
}

#[test]
fn model_s_own_batch_size_is_measured_whatever_it_is() {
    const DIMS: &[u8] = &[10, 2, 8, 4, 10, 2, 8];
    for size in [1, 5, 13, 100] {
        let bench = Workbench::new();
        let mut bytes = fs::read(model("fixtures/fixed-batch.onnx")).unwrap();
        for place in 0..bytes.len() - DIMS.len() {
            if bytes[place..].starts_with(DIMS) {
                bytes[place + 3] = size;
            }
        }
        let path = bench.write("fixed.onnx", bytes);
        let output = bench.profile_of(&path, ["--budget", "2s"]).run();
        output
            .assert_code(0)
            .assert_stderr(&format!("the batch is fixed at {size} by the model"));
        let record = bench.record();
        assert_eq!(record.plan.batch_sizes, [u64::from(size)], "{output}");
        assert!(
            cell(&record, "fixed", size.into()).outcome.is_ok()
                && !output.stderr.contains("less than 3%"),
            "{output}"
        );
    }
}
