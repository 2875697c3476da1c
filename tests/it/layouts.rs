//! Models in the forms in which they lie around, through the whole program.

use std::fs;

use onnxprof::text::Plain;

use crate::support::{Onnxprof, model};
use crate::workbench::Workbench;

const ORT_FORMAT: &str = "fixtures/ort-format.ort";

/// A run's notes on the variants, and the variants' names.
fn profiled(bench: &Workbench, folder: &str) -> (Vec<String>, Vec<String>) {
    bench
        .profile(&bench.path(folder), ["--batch", "1"])
        .run()
        .assert_code(0);
    let record = bench.record();
    (
        record.notes.into_iter().map(Plain::into_exact).collect(),
        record
            .plan
            .variants
            .into_iter()
            .map(|variant| variant.name.into_exact())
            .collect(),
    )
}

#[test]
fn model_of_onnx_runtime_s_own_format_is_measured_under_any_extension() {
    for name in ["gauge.ort", "GAUGE.ORT"] {
        let bench = Workbench::new();
        let path = bench.copy(ORT_FORMAT, name);
        bench
            .profile(&path, ["--batch", "1,2"])
            .run()
            .assert_code(0);
        let record = bench.record();
        assert!(record.cells.iter().all(|cell| cell.outcome.is_ok()));
        assert_eq!(record.variants[0].inputs[0].name, "readings");
    }
}

#[test]
fn model_of_onnx_runtime_s_own_format_is_inspected() {
    let output = Onnxprof::new().arg("inspect").arg(model(ORT_FORMAT)).run();
    output
        .assert_code(0)
        .assert_stdout("readings")
        .assert_stdout("[rows, 24]")
        .assert_stdout("Gemm");
}

#[test]
fn folder_of_a_hub_is_measured_as_it_is() {
    let bench = Workbench::new();
    for (from, to) in [
        ("fp32", "model"),
        ("fp16", "model_fp16"),
        ("int8-dynamic", "model_quantized"),
    ] {
        bench.copy(
            &format!("digits/digits-{from}.onnx"),
            &format!("hub/onnx/{to}.onnx"),
        );
    }
    bench.copy(
        "fixtures/bert-tiny-random-weights.onnx",
        "hub/onnx/decoder_model_merged.onnx",
    );
    fs::copy(
        model("digits/digits-test.npz"),
        bench.path("hub/samples.npz"),
    )
    .unwrap();
    let (notes, names) = profiled(&bench, "hub");
    assert_eq!(names, ["model", "model_fp16", "model_quantized"]);
    assert!(
        notes[0].contains("`decoder_model_merged.onnx` has other inputs or outputs"),
        "{notes:?}"
    );
    assert_eq!(
        notes[1],
        "baseline: model.onnx, the only file in full precision"
    );
    let record = bench.record();
    assert!(
        record
            .plan
            .inputs
            .data
            .is_some_and(|data| data.ends_with("hub/samples.npz"))
    );
}

#[test]
fn repository_of_a_server_is_measured_as_it_is() {
    let bench = Workbench::new();
    bench.copy("fixtures/one-node.onnx", "repository/first/1/model.onnx");
    bench.copy("fixtures/one-node.onnx", "repository/second/2/model.onnx");
    bench.write("repository/first/config.pbtxt", "name: \"first\"\n");
    assert_eq!(profiled(&bench, "repository").1, ["first", "second"]);
}
