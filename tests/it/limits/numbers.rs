//! Numbers that do not fit what they go to.

use crate::support::{Onnxprof, USAGE, model};

#[track_caller]
fn refused(command: &[&str], words: &[&str], message: &str) {
    let output = Onnxprof::new()
        .args(command)
        .arg(model("fixtures/one-node.onnx"))
        .args(words)
        .run();
    output.assert_code(USAGE).assert_stderr(message);
    assert_eq!(output.stdout, "", "{output}");
}

#[test]
fn numbers_beyond_what_they_are_for_are_usage_errors() {
    let wide = "4294967297";
    for (option, value, most) in [
        ("--intra-threads", wide, "65536"),
        ("--inter-threads", wide, "65536"),
        ("--concurrency", "65537", "65536"),
        ("--concurrency", "1,99999999999999999999", "65536"),
        ("--batch", "9223372036854775808", "9223372036854775807"),
        ("--rounds", wide, "4294967295"),
        ("--alternations", "4294967296", "4294967295"),
        ("--dim", "n=9223372036854775808", "9223372036854775807"),
        (
            "--sweep",
            "dim=n:1,9223372036854775808",
            "9223372036854775807",
        ),
        ("--device", "2147483648", "2147483647"),
        ("--budget", "900000h", "100 years"),
        ("--block", "900000h", "100 years"),
        ("--timeout", "900000h", "100 years"),
        ("--latency-limit", "900000h", "100 years"),
    ] {
        refused(
            &["profile"],
            &[option, value],
            &format!("it must be at most {most}"),
        );
    }
    for (option, value) in [
        ("--batch", "9223372036854775808"),
        ("--intra-threads", wide),
        ("--budget", "900000h"),
    ] {
        refused(&["tune"], &[option, value], "it must be at most ");
    }
    for (option, value) in [
        ("--batch", "9223372036854775808"),
        ("--intra-threads", wide),
        ("--rounds", wide),
    ] {
        refused(
            &["doctor", "--null-test"],
            &[option, value],
            "it must be at most ",
        );
    }
}

#[test]
fn a_block_that_is_longer_than_the_budget_is_a_usage_error() {
    for command in ["profile", "tune"] {
        let words = ["--block", "1h", "--budget", "2s"];
        refused(
            &[command],
            &words,
            "a block of 3600s does not fit into a budget of 2s",
        );
    }
    refused(
        &["profile"],
        &["--block", "2m"],
        "a block of 120s does not fit into a budget of 60s",
    );
}

#[test]
fn sizes_that_multiply_beyond_measure_are_a_usage_error() {
    let sizes: Vec<String> = (1..=101).map(|size| size.to_string()).collect();
    let sweep = |name: &str| format!("dim={name}:{}", sizes.join(","));
    let (a, b, c) = (sweep("a"), sweep("b"), sweep("c"));
    let words = ["--sweep", &a, "--sweep", &b, "--sweep", &c];
    refused(
        &["profile"],
        &words,
        "1030301 shapes are asked for, and 1000000 are measured at most",
    );
}

#[test]
fn a_limit_of_memory_that_is_none_is_a_usage_error() {
    let output = Onnxprof::new()
        .arg("inspect")
        .arg(model("fixtures/one-node.onnx"))
        .env("ONNXPROF_MEMORY", "much")
        .run();
    output
        .assert_code(USAGE)
        .assert_stderr("`much` in ONNXPROF_MEMORY is no quantity of memory such as 500MB or 2GB");
}
