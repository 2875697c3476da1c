//! Workers that are lost in a launch of several, or beside the rounds: told in the exit code, in
//! the answer and to `gate`.

use std::collections::BTreeSet;
use std::fs;

use onnxprof::record::{FailureKind, Outcome};
use serde_json::json;

use super::ONE_NODE;
use crate::support::{Onnxprof, Output, PARTIAL, model};
use crate::workbench::{Workbench, cell};

const WORKER: &str = env!("CARGO_BIN_EXE_onnxprof");

/// What a worker does when it has answered often enough.
pub(super) mod then {
    pub const END: &str = "exit 9";
    pub const HANG: &str = "exec sleep 100";
}

/// A worker program of which the one that is started after so many others answers only so often,
/// and then does that.
pub(super) fn ends_early(
    bench: &Workbench,
    place: u64,
    answers: u64,
    then: &str,
) -> std::path::PathBuf {
    let count = bench.path("count").display().to_string();
    bench.worker(&format!(
        "n=$(cat '{count}' 2>/dev/null || echo 0); echo $((n + 1)) >'{count}'\n\
         if [ $n -eq {place} ]; then\n\
           {WORKER} \"$@\" | {{ i=0; while [ $i -lt {answers} ] && IFS= read -r line; do\n\
             printf '%s\\n' \"$line\"; i=$((i + 1)); done; }}; {then}; fi\n\
         exec {WORKER} \"$@\""
    ))
}

/// A worker program of which the one that is started after so many others ends when it is asked for
/// this.
fn ends_when_asked(bench: &Workbench, place: u64, request: &str) -> std::path::PathBuf {
    let count = bench.path("count").display().to_string();
    bench.worker(&format!(
        "n=$(cat '{count}' 2>/dev/null || echo 0); echo $((n + 1)) >'{count}'\n\
         [ $n -eq {place} ] || exec {WORKER} \"$@\"\n\
         while IFS= read -r line; do\n\
         case \"$line\" in *'\"request\":\"{request}\"'*) break;; esac\n\
         printf '%s\\n' \"$line\"\ndone | {WORKER} \"$@\"\nexit 9"
    ))
}

/// A worker program that kills itself when it is asked for this.
fn dies_when_asked(bench: &Workbench, request: &str) -> std::path::PathBuf {
    bench.worker(&format!(
        "while IFS= read -r line; do\n\
         case \"$line\" in *'\"request\":\"{request}\"'*) kill -9 $$;; esac\n\
         printf '%s\\n' \"$line\"\ndone | {WORKER} \"$@\""
    ))
}

/// A text without the breaks of its lines.
pub(super) fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn assert_told(output: &Output, bench: &Workbench, failed: usize) {
    output
        .assert_code(PARTIAL)
        .assert_stdout("Failed launches: ");
    let record = bench.record();
    assert!(record.is_complete(), "{output}");
    assert_eq!(record.failed_launches(None).count(), failed, "{output}");
    let rules = bench.write("gate.toml", "[[rule]]\ncheck = \"failed_launches <= 0\"\n");
    let gate = Onnxprof::new()
        .arg("gate")
        .arg(bench.run_folder())
        .arg("--rules")
        .arg(rules)
        .run();
    gate.assert_code(5);
}

/// One launch of three is lost while its worker was to do that; the programs are `worker`'s.
#[track_caller]
fn assert_lost_launch_is_told(worker: impl FnOnce(&Workbench) -> std::path::PathBuf, doing: &str) {
    let bench = Workbench::new();
    let variants = json!({ "m": { "fixed_ns": 1_000_000 } });
    let path = bench.copy(ONE_NODE, "m.onnx");
    let words = [
        "--rounds",
        "3",
        "--alternations",
        "1",
        "--block",
        "2ms",
        "--batch",
        "1",
    ];
    let output = bench
        .scripted(&path, &variants, words)
        .env("ONNXPROF_WORKER", worker(&bench))
        .run();
    assert_told(&output, &bench, 1);
    let said = format!("of m: the process ended with exit code 9 while it was to {doing}");
    assert!(flat(&output.stdout).contains(&said), "{said}: {output}");
    assert!(cell(&bench.record(), "m", 1).outcome.is_ok(), "{output}");
}

#[test]
fn worker_lost_in_one_launch_of_several_is_told_wherever_it_was() {
    // One worker reads the model, one opens the runtime, and the third is the first launch.
    for (answers, doing) in [
        (0, "greet"),
        (1, "open the runtime"),
        (2, "create the session"),
        (3, "run the first inferences at batch size 1"),
        (4, "run a block at batch size 1"),
    ] {
        assert_lost_launch_is_told(|bench| ends_early(bench, 3, answers, then::END), doing);
    }
    // A block may be disturbed, and then has a second answer.
    assert_lost_launch_is_told(|bench| ends_when_asked(bench, 2, "end"), "end a batch size");
}

#[test]
fn launch_that_fails_keeps_the_first_run_of_its_cell() {
    let bench = Workbench::new();
    let variants = json!({ "m": { "fixed_ns": 1_000_000 } });
    let path = bench.copy(ONE_NODE, "m.onnx");
    let words = [
        "--rounds",
        "1",
        "--alternations",
        "3",
        "--block",
        "2ms",
        "--batch",
        "1",
    ];
    // It answers two blocks.
    let output = bench
        .scripted(&path, &variants, words)
        .env("ONNXPROF_WORKER", ends_early(&bench, 2, 6, then::END))
        .run();
    assert_told(&output, &bench, 1);
    let record = bench.record();
    assert_eq!(
        (record.blocks.len(), record.launches[0].cells.len()),
        (2, 1),
        "{output}"
    );
    assert!(record.launches[0].cells[0].latency_histogram.is_some());
    let rules = bench.write(
        "gate.toml",
        "[[rule]]\ncheck = \"batch_first_run <= 1 s\"\n[[rule]]\ncheck = \"first_run <= 1 s\"\n",
    );
    let gate = Onnxprof::new()
        .arg("gate")
        .arg(bench.run_folder())
        .arg("--rules")
        .arg(rules)
        .arg("--json")
        .run();
    for check in gate.data()["checks"].as_array().unwrap() {
        assert_eq!(check["figure"]["status"], "measured", "{check}");
    }
}

#[test]
fn worker_lost_beside_the_rounds_is_told() {
    for request in ["probe", "evaluate", "profile", "idle"] {
        let bench = Workbench::new();
        let [first, second] = ["a", "b"].map(|name| bench.copy(ONE_NODE, &format!("{name}.onnx")));
        let words = ["--batch", "1", "--idle-gaps=0", second.to_str().unwrap()];
        let output = bench
            .profile(&first, words)
            .env("ONNXPROF_WORKER", dies_when_asked(&bench, request))
            .run();
        let failed = bench.record().failed_launches(None).count();
        assert_told(&output, &bench, failed);
        assert!(failed >= 1, "{request}: {output}");
        let record = bench.record();
        assert!(
            record
                .failed_launches(None)
                .all(|failure| failure.kind == FailureKind::Crashed),
            "{record:?}"
        );
        assert!(
            flat(&output.stdout).contains("was ended by SIGKILL while it was to "),
            "{output}"
        );
        assert!(
            record.cells.iter().all(|cell| cell.outcome.is_ok()),
            "{request}: {output}"
        );
    }
}

#[test]
fn worker_lost_in_a_search_is_told() {
    let bench = Workbench::new();
    let path = bench.copy(ONE_NODE, "m.onnx");
    let script = bench.write(
        "script.json",
        json!({ "variants": { "m": { "fixed_ns": 1_000_000 } } }).to_string(),
    );
    let words = [
        "--batch",
        "1,2",
        "--intra-threads",
        "1",
        "--keep",
        "optimization,execution,spinning,arena,pattern",
    ];
    let tune = Onnxprof::new()
        .arg("tune")
        .arg(path)
        .arg("--out")
        .arg(bench.run_folder())
        .args(words);
    let tune = tune
        .args(["--budget", "20s", "--block", "2ms"])
        .arg("--runtime")
        .arg(format!("script:{}", script.display()));
    let output = tune
        .env("ONNXPROF_WORKER", ends_early(&bench, 4, 3, then::END))
        .run();
    assert_told(&output, &bench, 1);
}

#[test]
fn run_without_a_lost_worker_says_nothing_of_it() {
    let bench = Workbench::new();
    let output = super::one_node(&bench, &[]);
    output.assert_code(0);
    assert!(
        !output.stdout.contains("Failed launches") && !output.stdout.contains("launches failed"),
        "{output}"
    );
    let launched = bench
        .record()
        .launches
        .iter()
        .all(|launch| launch.outcome == Outcome::Ok);
    assert!(launched && bench.record().lost_workers.is_empty());
}

#[test]
fn variants_that_differ_in_punctuation_have_files_of_their_own() {
    let bench = Workbench::new();
    let names = ["a b", "a+b", "a=b", "inputs", "peaks"];
    for name in names {
        bench.copy(ONE_NODE, &format!("models/{name}.onnx"));
    }
    let output = bench.profile(&bench.path("models"), ["--batch", "1"]).run();
    output.assert_code(0);
    let files = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(bench.run_folder().join(folder)).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    let logs = files("logs");
    let shared = logs
        .iter()
        .filter(|log| ["inputs.log", "peaks.log"].contains(&log.as_str()))
        .count();
    assert_eq!(logs.len() - shared, names.len(), "{logs:?}");
    let traces = files("traces");
    let told: BTreeSet<_> = bench
        .record()
        .operators
        .iter()
        .filter_map(|operators| operators.profile.as_ref().ok()?.trace_file.clone())
        .collect();
    assert_eq!(
        (traces.len(), told.len()),
        (
            bench.record().operators.len(),
            bench.record().operators.len()
        ),
        "{traces:?}"
    );
    assert!(model(ONE_NODE).exists());
}
