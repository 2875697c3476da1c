//! What lies where a file is to be written: left alone where nobody named it, and written to where
//! somebody did.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::stat::Mode;
use serde_json::json;

use crate::support::{BAD_INPUT, Onnxprof, record};
use crate::workbench::{QUICK, Workbench};

/// A folder with the record of a run.
fn run(bench: &Workbench) -> PathBuf {
    fs::create_dir(bench.run_folder()).unwrap();
    bench.write(
        "run/run.json",
        serde_json::to_vec(&record::digits()).unwrap(),
    );
    bench.run_folder()
}

fn pipe(path: &Path) {
    nix::unistd::mkfifo(path, Mode::S_IRWXU).unwrap();
}

#[test]
fn lock_that_is_no_file_keeps_what_a_killed_run_left() {
    let bench = Workbench::new();
    let run = run(&bench);
    let left = bench.write("run/.onnxprof-Ab12cd", "");
    let (lock, elsewhere) = (run.join(".lock"), bench.path("elsewhere"));
    let look = || {
        for command in ["show", "report"] {
            Onnxprof::new()
                .arg(command)
                .arg(&run)
                .promptly()
                .assert_code(0);
        }
    };
    pipe(&lock);
    look();
    fs::remove_file(&lock).unwrap();
    symlink(&elsewhere, &lock).unwrap();
    look();
    assert!(left.exists() && !elsewhere.exists());
    fs::remove_file(&lock).unwrap();
    look();
    assert!(!left.exists(), "nothing is in the way any more");
}

#[test]
fn page_of_a_run_is_not_written_into_a_pipe() {
    let bench = Workbench::new();
    let run = run(&bench);
    pipe(&run.join("report.html"));
    let output = Onnxprof::new()
        .args(["report", "--open"])
        .arg(&run)
        .promptly();
    output
        .assert_error(BAD_INPUT, "report.html`", "move away what lies there")
        .assert_stderr("a named pipe");
}

#[test]
fn run_waits_for_nothing_that_lies_where_its_files_go() {
    for name in [
        ".lock",
        "journal.jsonl",
        "run.json",
        "logs/a.log",
        "report.md",
    ] {
        let bench = Workbench::new();
        let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
        fs::create_dir_all(bench.path("run/logs")).unwrap();
        pipe(&bench.run_folder().join(name));
        let variants = json!({"a": {"fixed_ns": 100_000}});
        let output = bench
            .scripted(&model, &variants, QUICK)
            .args(["--batch", "1", "--quiet"])
            .promptly();
        output
            .assert_code(BAD_INPUT)
            .assert_stderr("there is a named pipe where a file is to be written");
    }
}

#[test]
fn pipe_that_is_named_is_written_to() {
    let bench = Workbench::new();
    let (run, named) = (run(&bench), bench.path("pipe"));
    pipe(&named);
    let (told, answer) = mpsc::channel();
    let read = named.clone();
    std::thread::spawn(move || told.send(fs::read_to_string(read).unwrap()));
    let csv = Onnxprof::new()
        .arg("report")
        .arg(&run)
        .args(["--format", "csv", "--output"])
        .arg(&named);
    csv.promptly().assert_code(0);
    let text = answer.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(
        text.starts_with("variant,") && fs::metadata(&named).unwrap().file_type().is_fifo(),
        "{text}"
    );
    let show = |to: &str| {
        Onnxprof::new()
            .arg("show")
            .arg(&run)
            .args(["--output", to])
            .promptly()
    };
    show("/dev/null").assert_code(0);
    show("/dev/stdout")
        .assert_code(0)
        .assert_stdout("Ship int8-static");
}
