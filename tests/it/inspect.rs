//! `onnxprof inspect` on the repository's models.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};
use std::process::Output;

use onnxprof::{inputs, onnx};
use serde_json::Value;

use crate::support::Onnxprof;
use crate::workbench::Workbench;

fn model(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("models")
        .join(path)
}

fn inspect(path: &Path, options: &[&str]) -> Output {
    Onnxprof::new()
        .arg("inspect")
        .arg(path)
        .args(options)
        .output()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(path: &str, options: &[&str]) -> Value {
    let output = inspect(&model(path), &[&["--json"], options].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    data(&output.stdout)
}

fn data(stdout: &[u8]) -> Value {
    serde_json::from_slice::<Value>(stdout).unwrap()["data"].take()
}

/// Exit code and stderr, the model's folder taken out.
fn failure(path: &str, options: &[&str]) -> (Option<i32>, String) {
    let output = inspect(&model(path), options);
    assert!(output.stdout.is_empty());
    let folder = format!("{}/", model("").display()).replace("//", "/");
    (
        output.status.code(),
        text(&output.stderr).replace(&folder, ""),
    )
}

#[test]
fn precision_is_named_for_every_way_of_quantizing() {
    let labels = [
        ("digits/digits-fp32.onnx", "fp32"),
        ("digits/digits-fp16.onnx", "fp16"),
        ("digits/digits-int8-dynamic.onnx", "int8 dynamic"),
        ("digits/digits-int8-static.onnx", "int8 QDQ"),
        ("fixtures/bf16.onnx", "bf16"),
        ("fixtures/int4-block.onnx", "int4 block"),
        ("fixtures/qoperator.onnx", "int8 QOperator"),
    ];
    for (path, label) in labels {
        assert_eq!(
            json(path, &[])["model"]["precision"]["label"],
            label,
            "{path}"
        );
    }
}

#[test]
fn shares_of_weight_bytes_sum_to_one() {
    let summary = json("digits/digits-int8-static.onnx", &[]);
    let shares = summary["model"]["precision"]["shares"].as_array().unwrap();
    let total: f64 = shares
        .iter()
        .map(|share| share["bytes_ratio"].as_f64().unwrap())
        .sum();
    assert!((total - 1.0).abs() < 1e-9, "{shares:?}");
}

#[test]
fn what_would_be_fed_to_an_encoder_is_said_with_its_reason() {
    let plan = &json(
        "fixtures/bert-tiny-random-weights.onnx",
        &["--dim", "sequence_length=16"],
    )["inputs"];
    let fed = plan["fed"].as_array().unwrap();
    assert_eq!(fed[0]["fill"]["uniform"]["high"], 999.0);
    assert_eq!(fed[0]["dims"], serde_json::json!([null, 16]));
    let reason = fed[0]["reason"].as_str().unwrap();
    assert!(reason.contains("(1000 rows) through Gather"), "{reason}");
    assert_eq!(fed[1]["fill"]["constant"], 1.0);
    assert_eq!(fed[2]["fill"]["constant"], 0.0);
    assert_eq!(plan["notes"], serde_json::json!([]));
}

#[test]
fn indices_are_bounded_through_casts_and_shifts() {
    let plan = &json("fixtures/index-ops.onnx", &[])["inputs"];
    let high = |name: &str| {
        let fed = plan["fed"]
            .as_array()
            .unwrap()
            .iter()
            .find(|fed| fed["name"] == name)
            .unwrap();
        fed["fill"]["uniform"]["high"].as_f64()
    };
    assert_eq!(
        (high("category"), high("slot"), high("token")),
        (Some(6.0), Some(4.0), Some(9.0))
    );
}

#[test]
fn weights_listed_as_inputs_are_no_inputs() {
    let summary = json("fixtures/ir3-initializers-as-inputs.onnx", &[]);
    assert_eq!(summary["model"]["ir_version"], 3);
    assert_eq!(summary["model"]["inputs"].as_array().unwrap().len(), 1);
}

#[test]
fn operators_of_branches_and_loops_are_counted() {
    let operators = &json("fixtures/control-flow.onnx", &[])["model"]["operators"];
    assert_eq!(
        (&operators["If"], &operators["Loop"], &operators["Neg"]),
        (&1.into(), &1.into(), &1.into())
    );
}

#[test]
fn external_data_counts_towards_the_file_size() {
    let summary = &json("fixtures/external-data.onnx", &[])["model"];
    let bytes = |key: &str| summary[key].as_u64().unwrap();
    assert_eq!(bytes("file_size_bytes") - bytes("model_file_bytes"), 32768);
    assert_eq!(summary["external_files"].as_object().unwrap().len(), 1);
}

#[test]
fn fixed_batch_is_said() {
    let axis = &json("fixtures/fixed-batch.onnx", &[])["model"]["batch_axis"];
    assert_eq!(
        (&axis["fixed_size"], &axis["reason"]),
        (&4.into(), &"first_fixed_dimension".into())
    );
}

#[test]
fn sequence_output_is_described_and_no_error() {
    let outputs = &json("fixtures/sklearn-classifier.onnx", &[])["model"]["outputs"];
    assert_eq!(
        outputs[1]["value_type"]["other"],
        "seq(map(int64,tensor(float)))"
    );
}

#[test]
fn text_for_people_says_the_main_facts() {
    let output = inspect(&model("digits/digits-int8-static.onnx"), &[]);
    let text = text(&output.stdout);
    assert!(text.contains("precision   int8 QDQ: 98.3% int8"), "{text}");
    assert!(
        text.contains("image  float [batch, 1, 8, 8]  fed [batch, 1, 8, 8]  data"),
        "{text}"
    );
}

#[test]
fn what_was_decided_of_a_folder_and_what_was_left_out_is_said() {
    let bench = Workbench::new();
    for (from, to) in [
        ("digits/digits-fp32.onnx", "m/a.onnx"),
        ("digits/digits-fp16.onnx", "m/b.onnx"),
        ("fixtures/index-ops.onnx", "m/c.onnx"),
    ] {
        bench.copy(from, to);
    }
    bench.write("m/data.npz", "no arrays");
    let expected = [
        "`c.onnx` has other inputs or outputs",
        "baseline: a.onnx, the only file in full precision",
        "data beside the models is not used: ",
    ];
    let printed = text(&inspect(&bench.path("m"), &[]).stdout);
    let told = data(&inspect(&bench.path("m"), &["--json"]).stdout);
    let told: Vec<&str> = told["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note.as_str().unwrap())
        .collect();
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for words in expected {
        assert!(
            told.iter().any(|note| note.contains(words)),
            "{words}: {told:?}"
        );
        assert!(
            printed
                .lines()
                .any(|line| line.starts_with("note: ") && line.contains(words)),
            "{words}: {printed}"
        );
    }
    let alone = text(&inspect(&bench.path("m/a.onnx"), &[]).stdout);
    assert!(
        alone.contains("\n\nnote: data beside the models is not used: "),
        "{alone}"
    );
}

#[test]
fn data_of_the_digits_fits_every_variant() {
    let data = model("digits/digits-test.npz");
    for variant in ["fp32", "int8-dynamic", "int8-static"] {
        let plan = json(
            &format!("digits/digits-{variant}.onnx"),
            &["--data", data.to_str().unwrap()],
        );
        assert_eq!(plan["inputs"]["fed"][0]["fill"], "data");
    }
}

#[test]
fn broken_models_are_bad_input_that_says_what_is_wrong() {
    let broken = |name: &str| {
        let (code, message) = failure(&format!("fixtures/broken/{name}.onnx"), &[]);
        assert_eq!(code, Some(3));
        message.lines().next().unwrap().to_owned()
    };
    assert_eq!(
        broken("empty"),
        "error: model `fixtures/broken/empty.onnx` is empty"
    );
    assert_eq!(
        broken("not-onnx"),
        "error: `fixtures/broken/not-onnx.onnx` is not an ONNX model"
    );
    assert!(broken("truncated").contains("is truncated: the file ends early, "));
    assert_eq!(
        broken("absent"),
        "error: failed to open model `fixtures/broken/absent.onnx`"
    );
}

#[test]
fn unknown_dimension_and_input_list_those_present() {
    let path = "fixtures/bert-tiny-random-weights.onnx";
    let (code, message) = failure(path, &["--dim", "seq=4"]);
    assert_eq!(code, Some(2));
    assert!(
        message.contains(
            "no input has a dimension `seq`; the dimensions are `batch_size`, `sequence_length`"
        ),
        "{message}"
    );
    let (code, message) = failure(
        path,
        &["--dim", "batch_size=4", "--batch-dim", "batch_size"],
    );
    assert_eq!(code, Some(2));
    assert!(
        message.contains("hint: give one of --dim and --batch-dim for it"),
        "{message}"
    );
    let (code, message) = failure(path, &["--range", "ids=0..4"]);
    assert_eq!(code, Some(2));
    assert!(
        message.contains("the model has no input `ids`; its inputs are `input_ids`"),
        "{message}"
    );
    assert_eq!(failure(path, &["--range", "ids"]).0, Some(2));
}

#[test]
fn damaged_models_are_read_or_refused_without_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.onnx");
    // One that has weights, attributes and open dimensions, and is small enough to damage all over.
    let bytes = std::fs::read(model("fixtures/index-ops.onnx")).unwrap();
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        if let Ok(model) = onnx::read(&path) {
            drop(onnx::summary(&model));
            drop(inputs::plan(&model, &Default::default()));
        }
    };
    for at in (0..bytes.len()).step_by(3) {
        read(&bytes[..at]);
        let mut damaged = bytes.clone();
        for mask in [0x01, 0xff] {
            damaged[at] = bytes[at] ^ mask;
            read(&damaged);
        }
    }
}
