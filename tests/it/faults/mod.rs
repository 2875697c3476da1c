//! Bad input, workers that break, and ends before time: what is said, with which exit code, and
//! what is kept.

mod ends;
mod hangs;
mod input;
mod limits;
mod losses;
mod messages;
mod models;
mod workers;
mod writing;

use onnxprof::record::{FailureKind, Outcome};
use serde_json::{Value, json};

use crate::support::{Onnxprof, Output, model};
use crate::workbench::Workbench;

const ONE_NODE: &str = "fixtures/one-node.onnx";

/// `profile` of the one-node model with some more words.
pub(super) fn one_node(bench: &Workbench, words: &[&str]) -> Output {
    bench
        .profile(&model(ONE_NODE), words)
        .args(["--batch", "1"])
        .run()
}

/// The kind of failure of a cell.
#[track_caller]
pub(super) fn failure(outcome: &Outcome) -> FailureKind {
    match outcome {
        Outcome::Failed(failure) => failure.kind,
        other => panic!("{other:?}"),
    }
}

/// A run that goes on until it is ended.
pub(super) fn long_run(bench: &Workbench) -> Onnxprof {
    let variants: Value = ["a", "b"]
        .into_iter()
        .map(|name| {
            bench.copy(ONE_NODE, &format!("models/{name}.onnx"));
            (
                name.to_owned(),
                json!({ "fixed_ns": 1_000_000, "jitter_ratio": 0.5 }),
            )
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    let words = [
        "--rounds",
        "1000000",
        "--alternations",
        "4",
        "--block",
        "2ms",
        "--batch",
        "1,2",
    ];
    bench.scripted(&bench.path("models"), &variants, words)
}
