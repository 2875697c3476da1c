//! Limits of the system: too few files, too small a stack, too little memory.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use super::ONE_NODE;
use crate::support::{BAD_INPUT, library, model, shared_cache};
use crate::workbench::Workbench;

/// `profile` of the one-node model under limits of a shell.
fn under(bench: &Workbench, limits: &str) -> Output {
    let program = bench.worker(&format!(
        "{limits}; exec {} \"$@\"",
        env!("CARGO_BIN_EXE_onnxprof")
    ));
    Command::new(program)
        .current_dir(bench.path(""))
        .env("ONNXPROF_CACHE", shared_cache())
        .arg("profile")
        .arg(model(ONE_NODE))
        .arg("--out")
        .arg(bench.run_folder())
        .args([
            "--rounds",
            "1",
            "--alternations",
            "1",
            "--block",
            "2ms",
            "--batch",
            "1",
        ])
        .arg("--runtime")
        .arg(library("1.31.1"))
        .output()
        .unwrap()
}

#[test]
fn too_few_files_and_too_small_a_stack_are_errors_in_words() {
    for (limits, message, hint) in [
        (
            "ulimit -n 8",
            "at most 8 files may be open at once, and 64 are needed",
            "`ulimit -n 1024`",
        ),
        (
            "ulimit -n 24",
            "at most 24 files may be open at once",
            "`ulimit -n 1024`",
        ),
        (
            "ulimit -s 64",
            "the stack is limited to 64 KiB, and 1024 KiB are needed",
            "`ulimit -s 8192`",
        ),
    ] {
        let bench = Workbench::new();
        let output = under(&bench, limits);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(BAD_INPUT), "{limits}: {stderr}");
        assert!(
            stderr.contains(&format!("error: {message}")) && stderr.contains(hint),
            "{limits}: {stderr}"
        );
        assert!(!bench.run_folder().exists(), "{limits}");
    }
}

#[test]
fn soft_limits_are_raised_as_far_as_the_system_allows() {
    let bench = Workbench::new();
    let output = under(&bench, "ulimit -S -n 8; ulimit -S -s 64");
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn too_little_memory_is_said_in_words_with_an_exit_code() {
    // From what the program is not even begun with to what all of it fits into.
    for kilobytes in (40_000..130_000).step_by(10_000) {
        let bench = Workbench::new();
        let output = under(&bench, &format!("ulimit -v {kilobytes}"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.signal().is_none() || stderr.is_empty(),
            "{kilobytes}: {stderr}"
        );
        assert!(!stderr.contains("panicked"), "{kilobytes}: {stderr}");
    }
}
