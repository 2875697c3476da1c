//! Inputs are tried out and the batch is proved by running: `inspect --probe` on models whose
//! samples lie along one axis or another, or along none, under names that say it and under names
//! that do not.

use std::path::Path;

use onnxprof::record::{BatchProof, Coupling};
use serde_json::{Value, json};

use crate::support::{Onnxprof, library, model};
use crate::workbench::Workbench;

/// A cache of its own, so that nothing is known from before.
fn probed(cache: &Path, name: &str, options: &[&str]) -> Value {
    let output = Onnxprof::new()
        .args(["inspect", "--json", "--probe", "--runtime"])
        .arg(library("1.31.1"))
        .args(options)
        .arg(model(&format!("fixtures/{name}.onnx")))
        .env("ONNXPROF_CACHE", cache)
        .run();
    output.assert_code(0).data()
}

/// The batch axis of a model: axes in the order of its inputs, and the proof.
fn batch(name: &str) -> (Vec<Option<u64>>, Value) {
    let bench = Workbench::new();
    let found = probed(&bench.path("cache"), name, &[]);
    let axis = &found["inputs"]["batch_axis"];
    let inputs = found["model"]["inputs"].as_array().unwrap();
    let axes = inputs
        .iter()
        .map(|input| axis["axes"][input["name"].as_str().unwrap()].as_u64())
        .collect();
    (axes, axis["proof"].clone())
}

fn reason(proof: &Value) -> &str {
    proof["not_proved"]["reason"]
        .as_str()
        .unwrap_or_else(|| panic!("{proof}"))
}

#[test]
fn samples_are_found_on_whichever_axis_they_lie_and_whatever_it_is_called() {
    let proved = |axes: &[u64]| {
        (
            axes.iter().copied().map(Some).collect::<Vec<_>>(),
            json!("proved"),
        )
    };
    for (name, axes) in [
        ("second-axis", &[1][..]),
        ("states", &[0, 1]),
        ("indexed-rows", &[0]),
    ] {
        for twin in ["", "-nameless"] {
            assert_eq!(
                batch(&format!("batches/{name}{twin}")),
                proved(axes),
                "{name}{twin}"
            );
        }
    }
    assert_eq!(batch("batches/product"), proved(&[0, 0]));
    assert_eq!(batch("batches/product-nameless"), proved(&[0, 0]));
}

#[test]
fn rows_of_a_sample_are_counted_in_a_product() {
    let bench = Workbench::new();
    for name in ["batches/product", "batches/product-nameless"] {
        let found = probed(&bench.path("cache"), name, &[]);
        assert_eq!(
            found["inputs"]["fed"][1]["rows_per_sample"],
            json!({ "0": 3 }),
            "{name}"
        );
    }
}

#[test]
fn a_picture_with_its_colours_first_has_no_batch_and_the_same_size_under_any_name() {
    let bench = Workbench::new();
    let sizes = ["batches/colours-first", "batches/colours-first-nameless"].map(|name| {
        let found = probed(&bench.path("cache"), name, &[]);
        assert_eq!(found["inputs"]["batch_axis"]["reason"], "no_axis", "{name}");
        found["inputs"]["fed"][0]["dims"].clone()
    });
    assert_eq!(sizes[0], sizes[1]);
    assert_eq!(sizes[0], json!([3, 224, 224]));
}

#[test]
fn a_dimension_called_batch_is_none_where_samples_are_mixed() {
    let (axes, proof) = batch("batches/mixed");
    assert_eq!(axes, [None]);
    assert!(
        reason(&proof).starts_with("along `batch` two samples together give `shares` other values"),
        "{proof}"
    );
}

#[test]
fn a_model_that_refuses_a_second_sample_takes_one_at_a_time() {
    let bench = Workbench::new();
    let axis =
        probed(&bench.path("cache"), "batches/one-at-a-time", &[])["inputs"]["batch_axis"].clone();
    assert_eq!(
        (&axis["axes"], &axis["fixed_size"]),
        (&json!({ "features": 0 }), &json!(1))
    );
    assert!(
        reason(&axis["proof"]).starts_with("two samples at once are refused"),
        "{axis}"
    );
}

#[test]
fn random_outputs_are_named_and_prove_nothing() {
    let bench = Workbench::new();
    let some = probed(&bench.path("cache"), "batches/noise", &[]);
    assert_eq!(some["probe"]["random_outputs"], json!(["sampled"]));
    assert_eq!(some["inputs"]["batch_axis"]["proof"], "proved");
    let all = probed(&bench.path("cache"), "batches/noise-alone", &[]);
    assert_eq!(all["probe"]["random_outputs"], json!(["sampled"]));
    assert_eq!(all["inputs"]["batch_axis"]["axes"], json!({ "p": 0 }));
    assert_eq!(
        reason(&all["inputs"]["batch_axis"]["proof"]),
        "its outputs are random"
    );
}

#[test]
fn a_scale_of_the_whole_batch_is_told_and_no_reason_against_it() {
    let (axes, proof) = batch("batches/shared-scale");
    assert_eq!(axes, [Some(0)]);
    assert!(
        reason(&proof).starts_with("its quantization depends on all of a batch"),
        "{proof}"
    );
}

#[test]
fn a_batch_of_fixed_size_is_taken_by_its_place() {
    let (axes, proof) = batch("fixed-batch");
    assert_eq!(axes, [Some(0)]);
    assert_eq!(reason(&proof), "the model fixes its size at 4");
}

#[test]
fn what_was_tried_is_known_the_next_time_and_told_without_running() {
    let bench = Workbench::new();
    let cache = bench.path("cache");
    let inspect = |options: &[&str]| {
        let name = model("fixtures/batches/second-axis.onnx");
        Onnxprof::new()
            .arg("inspect")
            .args(options)
            .arg(name)
            .env("ONNXPROF_CACHE", &cache)
            .run()
            .stdout
    };
    let before = inspect(&[]);
    assert!(
        before.contains("One prediction (not tried): series ["),
        "{before}"
    );
    assert!(
        !probed(&cache, "batches/second-axis", &[])["probe"]["is_kept"]
            .as_bool()
            .unwrap()
    );
    assert!(
        probed(&cache, "batches/second-axis", &[])["probe"]["is_kept"]
            .as_bool()
            .unwrap()
    );
    let after = inspect(&[]);
    assert!(
        after.contains("Batch: axis 1 of series, proved."),
        "{after}"
    );
    assert!(after.contains("in an earlier probe"), "{after}");
    let other = inspect(&["--range", "series=0..2"]);
    assert!(other.contains("(not tried)"), "{other}");
}

#[test]
fn what_a_sweep_tried_is_not_what_would_be_fed_without_it() {
    let bench = Workbench::new();
    let cache = bench.path("cache");
    let path = model("fixtures/bert-tiny-random-weights.onnx");
    let inspect = || {
        Onnxprof::new()
            .arg("inspect")
            .arg(&path)
            .env("ONNXPROF_CACHE", &cache)
            .run()
            .stdout
    };
    let sweep = ["--sweep", "dim=sequence_length:16,64", "--batch", "1"];
    bench
        .profile(&path, sweep)
        .env("ONNXPROF_CACHE", &cache)
        .run()
        .assert_code(0);
    let swept = inspect();
    assert!(
        swept.contains("(not tried)") && !swept.contains("With sequence_length"),
        "{swept}"
    );
    let probe = || {
        probed(&cache, "bert-tiny-random-weights", &[])["probe"]["is_kept"]
            .as_bool()
            .unwrap()
    };
    assert!(!probe(), "a probe looks for what a sweep did not");
    assert!(probe() && inspect().contains("in an earlier probe"));
}

#[test]
fn a_folder_is_inspected_as_it_would_be_profiled() {
    let output = Onnxprof::new()
        .args(["inspect", "--json"])
        .arg(model("digits"))
        .run();
    let found = output.assert_code(0).data();
    assert_eq!(found["variants"][0], "fp32");
    assert_eq!(found["variants"].as_array().unwrap().len(), 4);
    assert_eq!(found["inputs"]["fed"][0]["fill"], "data");
}

#[test]
fn the_answer_says_what_one_prediction_was() {
    let bench = Workbench::new();
    let options = ["--batch", "1,2"];
    bench
        .profile(&model("fixtures/batches/states.onnx"), options)
        .env("ONNXPROF_CACHE", bench.path("cache"))
        .run()
        .assert_code(0);
    let record = bench.record();
    let said = "Batch: axis 0 of signal, axis 1 of memory, proved.";
    for report in ["report.md", "report.html"] {
        let text = std::fs::read_to_string(bench.run_folder().join(report)).unwrap();
        assert!(text.contains("One prediction: signal"), "{text}");
        assert!(text.contains(said), "{text}");
    }
    assert!(
        record.cells.iter().all(|cell| cell.outcome.is_ok()),
        "{:?}",
        record.cells
    );
    assert!(
        record.variants[0]
            .probe
            .as_ref()
            .is_some_and(|probe| probe.trials_count >= 4)
    );
}

#[test]
fn a_variant_whose_samples_share_a_scale_is_told_once_and_the_others_are_not() {
    let bench = Workbench::new();
    let output = bench.profile(&model("digits"), ["--batch", "1,2"]).run();
    output.assert_code(0);
    let record = bench.record();
    for (variant, found) in record.plan.variants.iter().zip(&record.variants) {
        match (variant.name.exact(), &found.coupling) {
            ("int8-dynamic", Some(Coupling::Coupled { output, off_ratio })) => {
                assert_eq!(output, "logits");
                assert!((0.001..0.1).contains(&off_ratio.0), "{off_ratio:?}");
            }
            (name, coupling) => assert!(
                name != "int8-dynamic" && coupling.is_none(),
                "{name}: {coupling:?}"
            ),
        }
    }
    let remark = "`int8-dynamic`: samples of a batch are not independent of each other: outputs differ by up to";
    assert_eq!(
        record
            .notes
            .iter()
            .filter(|note| note.starts_with(remark))
            .count(),
        1,
        "{:?}",
        record.notes
    );
    let report = std::fs::read_to_string(bench.run_folder().join("report.md")).unwrap();
    assert_eq!(
        report
            .matches("samples of a batch are not independent of each other")
            .count(),
        1,
        "{report}"
    );
}

#[test]
fn single_samples_share_no_scale() {
    let bench = Workbench::new();
    bench
        .profile(&model("digits"), ["--batch", "1"])
        .run()
        .assert_code(0);
    let record = bench.record();
    assert!(
        record
            .variants
            .iter()
            .all(|variant| variant.coupling.is_none()),
        "{:?}",
        record.variants
    );
}

#[test]
fn pictures_have_the_size_of_pictures_or_what_their_file_says() {
    let pictures = [
        ("colours-last", [1, 224, 224, 3]),
        ("colours-last-nameless", [1, 224, 224, 3]),
        ("colours-second", [1, 3, 224, 224]),
        ("colours-second-nameless", [1, 3, 224, 224]),
        ("told", [1, 3, 96, 160]),
    ];
    for (name, shape) in pictures {
        let bench = Workbench::new();
        bench
            .profile(
                &model(&format!("fixtures/pictures/{name}.onnx")),
                ["--batch", "1,2"],
            )
            .run()
            .assert_code(0);
        let variant = &bench.record().variants[0];
        assert_eq!(variant.inputs[0].shape(1), shape, "{name}");
        assert_eq!(
            variant.model.as_ref().unwrap().batch_axis.proof,
            BatchProof::Proved,
            "{name}"
        );
    }
}

#[test]
fn a_batch_that_an_option_takes_away_is_said_to_be_taken_away_by_it() {
    for (name, option, given) in [
        ("mixed", "batch=3", "dimension `batch` is set to 3"),
        ("states-nameless", "p.0=2", "dimension `p.0` is set to 2"),
    ] {
        let path = model(&format!("fixtures/batches/{name}.onnx"));
        let bench = Workbench::new();
        let refused = bench
            .profile(&path, ["--batch", "2", "--dim", option])
            .run();
        refused
            .assert_code(3)
            .assert_stderr(&format!("caused by: there is no batch: {given} by --dim"));
        assert!(!refused.stderr.contains("no batch dimension"), "{refused}");
        let bench = Workbench::new();
        let measured = bench.profile(&path, ["--dim", option]).run();
        measured.assert_code(0).assert_stderr(&format!(
            "there is no batch ({given} by --dim): every inference is one"
        ));
        let text = measured
            .stdout
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(
            text.contains(&format!("Batch: none: {given} by --dim.")),
            "{text}"
        );
        let inspected = Onnxprof::new()
            .arg("inspect")
            .arg(&path)
            .args(["--dim", option])
            .run();
        inspected.assert_stdout(&format!("batch axis  none: {given} by --dim"));
    }
}

#[test]
fn rows_of_a_sample_stand_in_the_table_of_inputs_too() {
    let inspect = |words: &[&str]| {
        let path = model("fixtures/batches/product.onnx");
        let cache = Workbench::new();
        Onnxprof::new()
            .arg("inspect")
            .arg(path)
            .args(words)
            .env("ONNXPROF_CACHE", cache.path("cache"))
            .run()
    };
    inspect(&["--batch-dim", "items"])
        .assert_code(0)
        .assert_stdout("fed [3 x batch, ");
    inspect(&[]).assert_stdout(
        "Batch: none: only running the model shows whether samples lie along an open axis.",
    );
}

#[test]
fn an_axis_that_differs_from_input_to_input_is_told_by_one_of_them() {
    let inspected = Onnxprof::new()
        .arg("inspect")
        .arg(model("fixtures/batches/states-nameless.onnx"))
        .run();
    inspected
        .assert_code(0)
        .assert_stdout("0 or 1 by input: where the open dimension stands that `p` begins with");
}
