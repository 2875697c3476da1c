//! Searching for the best session options.

mod answers;
mod code;
mod intervals;
mod resuming;
mod validity;

use std::path::Path;

use onnxprof::plan::CellKey;
use onnxprof::record::{Fate, RunRecord};
use serde_json::{Value, json};

use crate::support::{Onnxprof, Output};
use crate::workbench::Workbench;

/// `tune` of a model under a script, which gives the machine noise.
fn tune(bench: &Workbench, model: &Path, variants: &Value, words: &[&str]) -> Onnxprof {
    let noise = json!({
        "clock": "clock", "seed": 5,
        "launch": {"log_sd": 0.01}, "jitter": {"log_sd": 0.03, "tail_share_ratio": 0.01, "tail_index": 2.0},
        "drift": {"swing_ratio": 0.1, "period_ns": 400_000_000_u64},
    });
    let script = bench.write(
        "script.json",
        json!({"variants": variants, "noise": noise}).to_string(),
    );
    let words = words.iter().copied().chain(["--block", "1ms"]);
    let tune = Onnxprof::new()
        .arg("tune")
        .arg(model)
        .arg("--out")
        .arg(bench.run_folder())
        .args(words);
    tune.arg("--runtime")
        .arg(format!("script:{}", script.display()))
}

/// The findings of the search, as a program reads them.
fn found(bench: &Workbench) -> Value {
    let output = Onnxprof::new()
        .arg("report")
        .arg(bench.run_folder())
        .arg("--json")
        .run();
    output.assert_code(0).data()["tuning"].take()
}

/// The best configuration that a finished search found.
fn champion(record: &RunRecord) -> (CellKey, onnxprof::plan::SessionSpec) {
    let key = record.tuning.as_ref().unwrap().champion().unwrap();
    (key, record.plan.sessions[key.session].clone())
}

fn fate_of(record: &RunRecord, wanted: impl Fn(CellKey) -> bool) -> Option<Fate> {
    let tuning = record.tuning.as_ref().unwrap();
    let key = tuning
        .decisions
        .iter()
        .map(|decision| decision.key)
        .find(|key| wanted(*key))?;
    tuning.fate(key).cloned()
}

/// On the screen, among all that it leads to, or while it was measured.
#[track_caller]
fn assert_says(output: &Output, words: &[&str]) {
    let all = output
        .stdout
        .split_once("All of it: `onnxprof show ")
        .and_then(|(_, rest)| rest.split_once(" --all`"));
    let all = all.map(|(run, _)| Onnxprof::new().args(["show", run, "--all"]).run().stdout);
    // Lines are broken for the width of a terminal.
    let text = format!(
        "{} {} {}",
        output.stdout,
        output.stderr,
        all.unwrap_or_default()
    )
    .split_whitespace()
    .collect::<Vec<_>>()
    .join(" ");
    for word in words {
        assert!(text.contains(word), "`{word}` is missing: {output}");
    }
}
