//! `report`: the command itself, its files and its context.

use std::fs;

use onnxprof::record::RunRecord;

use crate::support::{BAD_INPUT, Onnxprof, record};
use crate::workbench::Workbench;

/// Puts a run into the folder `run`.
fn put(bench: &Workbench, run: &RunRecord) {
    fs::create_dir(bench.path("run")).unwrap();
    bench.write("run/run.json", serde_json::to_vec(run).unwrap());
}

/// Runs `onnxprof report` with `words` and gives its exit code, stdout and stderr.
fn command(words: &[&str]) -> (i32, String, String) {
    let output = Onnxprof::new().arg("report").args(words).run();
    (output.code().unwrap(), output.stdout, output.stderr)
}

/// A folder with the record of `run`.
fn folder_of(run: &RunRecord) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("run.json"),
        serde_json::to_vec(run).unwrap(),
    )
    .unwrap();
    folder
}

#[test]
fn command_renders_a_folder_in_every_format() {
    let run = record::single_variant();
    let folder = folder_of(&run);
    let path = folder.path().to_str().unwrap();
    for (format, begin) in [
        ("terminal", "Keep fp32"),
        ("markdown", "# Perf"),
        ("csv", "variant,"),
    ] {
        let (code, stdout, stderr) = command(&[path, "--format", format]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{format}");
        assert!(stdout.starts_with(begin), "{format}: {stdout}");
        assert!(!stdout.contains('\u{1b}'), "{format}: colour into a pipe");
    }
}

#[test]
fn command_writes_to_a_file() {
    let folder = folder_of(&record::single_variant());
    let output = folder.path().join("again.md");
    let words = [
        folder.path().to_str().unwrap(),
        "--format",
        "markdown",
        "--output",
        output.to_str().unwrap(),
    ];
    assert_eq!(command(&words), (0, String::new(), String::new()));
    assert!(
        std::fs::read_to_string(output)
            .unwrap()
            .starts_with("# Performance report: small")
    );
}

#[test]
fn charts_beside_a_report_follow_no_link() {
    let folder = folder_of(&record::digits());
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("figures")).unwrap();
    let output = folder.path().join("report.md");
    let words = [
        folder.path().to_str().unwrap(),
        "--format",
        "markdown",
        "--output",
        output.to_str().unwrap(),
    ];
    let (code, _, stderr) = command(&words);
    assert_eq!(code, BAD_INPUT, "{stderr}");
    assert!(
        stderr.contains("figures` is a link, and is not followed"),
        "{stderr}"
    );
    assert!(output.exists() && elsewhere.path().read_dir().unwrap().next().is_none());
}

#[test]
fn folder_without_a_run_is_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = command(&[folder.path().to_str().unwrap()]);
    assert_eq!((code, stdout.as_str()), (3, ""));
    assert!(
        stderr.contains("is not a run folder") && stderr.contains("hint: "),
        "{stderr}"
    );
}

#[test]
fn folder_is_no_file_to_write_to() {
    let bench = Workbench::new();
    put(&bench, &record::digits());
    let to = |path: &str| {
        Onnxprof::new()
            .arg("report")
            .arg(bench.path("run"))
            .arg("--output")
            .arg(bench.path(path))
    };
    to("run")
        .run()
        .assert_error(BAD_INPUT, "failed to write", "name a file, not a folder");
    to("none/a.md")
        .run()
        .assert_error(BAD_INPUT, "failed to write", "create the folder first");
}

#[test]
fn context_fills_what_was_not_measured_and_its_mistakes_are_told() {
    let bench = Workbench::new();
    put(&bench, &record::digits());
    let full = |context: &[u8]| {
        let path = bench.write("context.toml", context);
        Onnxprof::new()
            .arg("report")
            .arg(bench.path("run"))
            .arg("--full")
            .arg("--context")
            .arg(path)
            .run()
    };
    let given = "[ai_ml_performance_baseline.training_performance]\ntraining_time = \"3 hours\"\n\
                 [optimization_overview]\nsystem_component = \"search\"\n\
                 [executive_summary]\noptimization_strategy = \"ship\"\n";
    let report = full(given.as_bytes());
    report
        .assert_code(0)
        .assert_stdout("- **Training Time**: 3 hours\n")
        .assert_stdout("**System/Component**: search  \n");
    report.assert_stdout("**Optimization Strategy**:\n- ship\n- ");
    full(b"").assert_code(0);
    full(b"[document]\noptimization_owner = \"\"").assert_error(
        BAD_INPUT,
        "is empty",
        "correct that line",
    );
    full(b"[document]\nowner = \"me\"").assert_error(
        BAD_INPUT,
        "unknown key `document.owner`",
        "prints all keys",
    );
    full(b"[document]\noptimization_owner = \"\xff\"").assert_error(
        BAD_INPUT,
        "not text in UTF-8",
        "save it as UTF-8",
    );
}
