//! Workers that crash, hang, run out of memory or break the protocol.

use std::fs;

use onnxprof::record::{FailureKind, Outcome};
use serde_json::json;

use super::{ONE_NODE, failure};
use crate::support::{BAD_INPUT, Output, PARTIAL, model};
use crate::workbench::{Workbench, assert_nothing_left, cell, is_alive};

/// A run of the variants `good` and `bad`, the second of which has a fault.
fn with_fault(bench: &Workbench, at: &str, kind: &str, words: &[&str]) -> Output {
    for name in ["good", "bad"] {
        bench.copy(ONE_NODE, &format!("models/{name}.onnx"));
    }
    let fault = json!({ "at": at, "kind": kind, "from_batch_size": 2 });
    let variants = json!({ "good": { "fixed_ns": 1_000_000 }, "bad": { "fixed_ns": 1_000_000, "fault": fault } });
    let quick = [
        "--rounds",
        "2",
        "--alternations",
        "1",
        "--block",
        "2ms",
        "--batch",
        "1,2,4",
    ];
    bench
        .scripted(&bench.path("models"), &variants, quick)
        .args(words)
        .run()
}

#[test]
fn fault_at_one_batch_size_costs_that_batch_size_and_its_variant_only() {
    for (kind, expected, larger_is_tried) in [
        ("error", FailureKind::Inference, true),
        ("crash", FailureKind::Crashed, true),
        ("kill", FailureKind::Crashed, true),
        ("out_of_memory", FailureKind::OutOfMemory, false),
    ] {
        let bench = Workbench::new();
        let output = with_fault(&bench, "run", kind, &[]);
        output
            .assert_code(PARTIAL)
            .assert_stderr("warning: bad at batch size 2: ");
        let record = bench.record();
        assert!(record.is_complete());
        for batch_size in [1, 2, 4] {
            assert!(
                cell(&record, "good", batch_size).outcome.is_ok(),
                "{output}"
            );
        }
        assert!(cell(&record, "bad", 1).outcome.is_ok(), "{output}");
        assert_eq!(
            failure(&cell(&record, "bad", 2).outcome),
            expected,
            "{output}"
        );
        let larger = &cell(&record, "bad", 4).outcome;
        assert_eq!(
            matches!(larger, Outcome::Failed(_)),
            larger_is_tried,
            "{output}"
        );
        assert!(!larger.is_ok());
    }
}

#[test]
fn worker_ended_by_a_signal_is_said_with_the_signal() {
    for (kind, signal) in [("crash", "SIGSEGV"), ("kill", "SIGKILL")] {
        let bench = Workbench::new();
        let output = with_fault(&bench, "load", kind, &[]);
        output.assert_code(PARTIAL).assert_stderr(&format!(
            "was ended by {signal} while it was to create the session"
        ));
        let record = bench.record();
        assert_eq!(
            failure(&cell(&record, "bad", 1).outcome),
            FailureKind::Crashed
        );
        let launches = record
            .launches
            .iter()
            .filter(|launch| !launch.outcome.is_ok());
        assert_eq!(
            launches.count(),
            1,
            "a session that crashed is not tried again"
        );
    }
}

#[test]
fn hang_is_ended_by_the_watchdog() {
    for (at, doing) in [
        ("load", "create the session"),
        ("run", "run the first inferences at batch size 2"),
    ] {
        let bench = Workbench::new();
        let output = with_fault(&bench, at, "hang", &["--timeout", "2s"]);
        output
            .assert_code(PARTIAL)
            .assert_stderr(&format!("did not {doing} within 2 s"))
            .assert_stderr("`--timeout`");
        let record = bench.record();
        assert_eq!(
            failure(&cell(&record, "bad", 2).outcome),
            FailureKind::TimedOut
        );
        assert_eq!(cell(&record, "bad", 1).outcome.is_ok(), at == "run");
        assert!(!cell(&record, "bad", 4).outcome.is_ok());
        assert!(cell(&record, "good", 4).outcome.is_ok());
    }
}

#[test]
fn real_lack_of_memory_is_told_from_other_errors() {
    let bench = Workbench::new();
    let limited = format!(
        "ulimit -v 450000; exec {} \"$@\"",
        env!("CARGO_BIN_EXE_onnxprof")
    );
    let words = ["--batch", "1,256", "--intra-threads", "1"];
    let profile = bench.profile(&model("fixtures/conv-milliseconds.onnx"), words);
    let output = profile.env("ONNXPROF_WORKER", bench.worker(&limited)).run();
    output
        .assert_code(PARTIAL)
        .assert_stderr("try smaller batch sizes");
    let record = bench.record();
    assert!(
        cell(&record, "conv-milliseconds", 1).outcome.is_ok(),
        "{output}"
    );
    assert_eq!(
        failure(&cell(&record, "conv-milliseconds", 256).outcome),
        FailureKind::OutOfMemory,
        "{output}"
    );
}

const HELLO: &str = r#"echo '{"response":"hello","protocol":1,"tool_version":"0"}'"#;

#[test]
fn worker_that_breaks_the_protocol_is_an_error_that_says_how() {
    for (shell, message) in [
        ("exit 0", "ended with exit code 0 while it was to greet"),
        (
            "echo I have died >&2; exit 7",
            "ended with exit code 7 while it was to greet; its last words: I have died",
        ),
        (
            "echo memory allocation of 8 bytes failed >&2; exit 7",
            "memory allocation of 8 bytes failed",
        ),
        ("kill -9 $$", "was ended by SIGKILL while it was to greet"),
        (
            "kill -BUS $$",
            "was ended by SIGBUS: most likely a file that it had mapped changed while it was read",
        ),
        ("echo garbage", "said something else: garbage"),
        (
            "printf '\\033[31mred\\n'",
            "said something else: \\u{1b}[31mred",
        ),
        (
            "head -c 17000000 /dev/zero | tr '\\0' y",
            "sent a line without an end",
        ),
        (
            r#"echo '{"response":"hello","protocol":99,"tool_version":"9.9"}'"#,
            "speaks version 99 (onnxprof 9.9), not 1",
        ),
        (r#"echo '{"response":"described"}'"#, "said something else"),
        (
            &format!("{HELLO}; read request; {HELLO}"),
            "gave an answer out of turn",
        ),
        (
            &format!("{HELLO}; exit 3"),
            "ended with exit code 3 while it was to read the model",
        ),
    ] {
        let bench = Workbench::new();
        let worker = bench.worker(shell);
        let output = bench
            .profile(&model(ONE_NODE), ["--batch", "1"])
            .env("ONNXPROF_WORKER", worker)
            .run();
        output
            .assert_code(BAD_INPUT)
            .assert_stderr("error: the process")
            .assert_stderr(message);
        assert_nothing_left(&bench, &output);
    }
}

#[test]
fn worker_that_hangs_before_its_first_answer_is_ended_by_the_watchdog() {
    for (shell, message) in [
        ("exec sleep 60", "did not greet within 2 s, and was killed"),
        (
            &format!("{HELLO}; exec sleep 60"),
            "did not read the model within 2 s, and was killed",
        ),
    ] {
        let bench = Workbench::new();
        let words = ["--batch", "1", "--timeout", "2s"];
        let output = bench
            .profile(&model(ONE_NODE), words)
            .env("ONNXPROF_WORKER", bench.worker(shell))
            .run();
        output.assert_error(BAD_INPUT, message, "`--timeout`");
        assert_nothing_left(&bench, &output);
    }
}

#[test]
fn worker_that_falls_silent_but_lives_is_ended() {
    let bench = Workbench::new();
    let worker = bench.worker(&format!(
        "echo $$ >{}; {HELLO}; exec sleep 60 >&-",
        bench.path("pid").display()
    ));
    let output = bench
        .profile(&model(ONE_NODE), ["--batch", "1"])
        .env("ONNXPROF_WORKER", worker)
        .run();
    output
        .assert_code(BAD_INPUT)
        .assert_stderr("closed its output, and was killed,");
    let pid: u32 = fs::read_to_string(bench.path("pid"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!(!is_alive(pid));
}

#[test]
fn program_that_cannot_be_started_as_a_worker_is_an_error() {
    let bench = Workbench::new();
    let output = bench
        .profile(&model(ONE_NODE), ["--batch", "1"])
        .env("ONNXPROF_WORKER", "/no/such")
        .run();
    output
        .assert_code(BAD_INPUT)
        .assert_stderr("failed to start a process from `/no/such`");
    assert_nothing_left(&bench, &output);
}
