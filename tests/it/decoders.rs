//! Decoders that keep keys from token to token: a prompt and one more token are two answers,
//! whatever inputs are called.

use onnxprof::record::RunRecord;

use crate::support::{Onnxprof, model};
use crate::workbench::Workbench;

/// Shapes that the inputs of a fixture are fed at batch size 1, for a prompt and for one more
/// token: the same for its twin without names. They end with what a mask of all that there is, is
/// as long as.
fn shapes(fixture: &str, words: &[&str]) -> Vec<Vec<Vec<u64>>> {
    let [named, nameless] = ["", "-nameless"].map(|end| {
        let bench = Workbench::new();
        let path = model(&format!("fixtures/decoders/{fixture}{end}.onnx"));
        bench
            .profile(&path, [&["--batch", "1"], words].concat())
            .run()
            .assert_code(0);
        fed(&bench.record())
    });
    assert_eq!(named, nameless);
    named
}

fn fed(record: &RunRecord) -> Vec<Vec<Vec<u64>>> {
    assert!(
        record.cells.iter().all(|cell| cell.outcome.is_ok()),
        "{:?}",
        record.cells
    );
    let shapes = record.variants[0].shape_inputs.iter();
    shapes
        .map(|inputs| inputs.iter().map(|fed| fed.shape(1)).collect())
        .collect()
}

#[test]
fn a_prompt_and_one_more_token_are_measured() {
    let prompt = vec![vec![1, 128], vec![1, 128], vec![1, 2, 0, 8]];
    let token = vec![vec![1, 1], vec![1, 129], vec![1, 2, 128, 8]];
    assert_eq!(shapes("plain", &[]), [prompt, token]);
}

#[test]
fn a_mask_with_a_length_of_its_own_is_as_long_as_the_past_and_the_new() {
    let prompt = vec![
        vec![1, 128],
        vec![1, 128],
        vec![1, 1, 0, 16],
        vec![1, 1, 0, 16],
    ];
    let token = vec![
        vec![1, 1],
        vec![1, 129],
        vec![1, 1, 128, 16],
        vec![1, 1, 128, 16],
    ];
    assert_eq!(shapes("fused", &[]), [prompt, token]);
}

#[test]
fn both_branches_run_and_are_told_apart() {
    let shapes = shapes("merged", &[]);
    assert_eq!(
        shapes
            .iter()
            .map(|inputs| inputs[2].clone())
            .collect::<Vec<_>>(),
        [[1, 2, 0, 8], [1, 2, 128, 8]]
    );
    let bench = Workbench::new();
    let output = bench
        .profile(&model("fixtures/decoders/merged.onnx"), ["--batch", "1"])
        .run();
    let text = output
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let [prompt, token] = ["One prediction (prefill)", "One prediction (decode)"]
        .map(|begin| text.find(begin).unwrap());
    assert!(
        text[prompt..token].contains("resumes = false") && text[token..].contains("resumes = true"),
        "{output}"
    );
}

#[test]
fn a_swept_past_takes_the_mask_along() {
    for fixture in ["plain", "fused"] {
        let bench = Workbench::new();
        let words = [
            "--batch",
            "1",
            "--dim",
            "fresh=1",
            "--sweep",
            "dim=older:0,64,512",
        ];
        let path = model(&format!("fixtures/decoders/{fixture}.onnx"));
        let output = bench.profile(&path, words).run();
        for size in [0, 64, 512] {
            output
                .assert_code(0)
                .assert_stdout(&format!("One prediction (older {size}):"));
        }
        let masks: Vec<u64> = fed(&bench.record())
            .iter()
            .map(|inputs| inputs[1][1])
            .collect();
        assert_eq!(masks, [1, 65, 513], "{fixture}");
    }
}

#[test]
fn one_length_that_is_given_leaves_one_answer() {
    let path = model("fixtures/decoders/plain.onnx");
    let output = Onnxprof::new()
        .arg("inspect")
        .arg(path)
        .args(["--json", "--dim", "older=7"])
        .run();
    let found = output.data();
    let dims: Vec<_> = (0..3)
        .map(|place| found["inputs"]["fed"][place]["dims"].clone())
        .collect();
    assert_eq!(
        dims,
        [
            serde_json::json!([null, 1]),
            serde_json::json!([null, 8]),
            serde_json::json!([null, 2, 7, 8])
        ]
    );
}

#[test]
fn both_answers_are_told_where_nothing_was_run() {
    for end in ["", "-nameless"] {
        let path = model(&format!("fixtures/decoders/fused{end}.onnx"));
        let cache = Workbench::new();
        let output = Onnxprof::new()
            .arg("inspect")
            .arg(path)
            .env("ONNXPROF_CACHE", cache.path("cache"))
            .run();
        for name in ["prefill", "decode"] {
            output
                .assert_code(0)
                .assert_stdout(&format!("With {name}, "));
        }
        assert_eq!(
            output.stdout.matches("One prediction (not tried)").count(),
            2,
            "{output}"
        );
        output.assert_stdout("keeps keys and values of as many tokens as its lengths say");
    }
}
