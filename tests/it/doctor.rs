//! `onnxprof doctor`: what it says of a machine, and the null test.

use std::fs;
use std::path::Path;

use onnxprof::fitness::{Seen, judge};
use onnxprof::record::{Fitness, FitnessVerdict};
use onnxprof::sample::{Roots, conditions, host};
use serde_json::Value;

use crate::support::{BAD_INPUT, Onnxprof, Output, USAGE, model};
use crate::workbench::Workbench;

fn doctor(words: &[&str]) -> Output {
    Onnxprof::new().arg("doctor").args(words).run()
}

/// A null test of the digits model under a script of latencies with that jitter.
fn null_test(bench: &Workbench, jitter_ratio: f64, words: &[&str]) -> Output {
    let behaviour = serde_json::json!({ "fixed_ns": 100_000, "load_ns": 2_000_000, "jitter_ratio": jitter_ratio });
    let script = serde_json::json!({ "variants": { "digits-fp32": behaviour } });
    let script = format!(
        "script:{}",
        bench.write("script.json", script.to_string()).display()
    );
    let command = Onnxprof::new().args(["doctor", "--quiet", "--runtime", &script, "--null-test"]);
    command
        .arg(model("digits/digits-fp32.onnx"))
        .args(words)
        .run()
}

fn claim<'v>(tested: &'v Value, metric: &str) -> &'v Value {
    let claims = tested["claims"].as_array().unwrap();
    claims
        .iter()
        .find(|claim| claim["metric"] == metric)
        .unwrap_or_else(|| panic!("no {metric} in {tested}"))
}

/// Writes the files of a machine below `folder`.
fn write_tree(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// A quiet machine with two cores and a CPU limit.
const QUIET: [(&str, &str); 8] = [
    (
        "proc/stat",
        "cpu  500 0 0 900 0 0 0 0 0 0\ncpu0 250 0 0 450 0 0 0 0\ncpu1 250 0 0 450 0 0 0 0\n",
    ),
    (
        "proc/self/stat",
        "7 (onnxprof) S 1 7 7 0 -1 0 0 0 0 0 9 0 0 0 20 0 1 0 5\n",
    ),
    ("proc/vmstat", "pswpin 10\npswpout 0\n"),
    ("proc/self/cgroup", "0::/\n"),
    (
        "proc/self/mountinfo",
        "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
    ),
    ("sys/fs/cgroup/cpu.max", "150000 100000\n"),
    (
        "sys/fs/cgroup/cpu.stat",
        "nr_periods 100\nnr_throttled 0\nthrottled_usec 0\n",
    ),
    (
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
        "performance\n",
    ),
];

/// The verdict on the quiet machine when `changes` come over it while it is looked at.
fn verdict_when(changes: &[(&str, &str)]) -> Fitness {
    let folder = tempfile::tempdir().unwrap();
    let roots = Roots {
        proc: folder.path().join("proc"),
        sys: folder.path().join("sys"),
        nvml: folder.path().join("none.so"),
    };
    write_tree(folder.path(), &QUIET);
    let before = conditions::Counters::read(&roots, &[0]);
    write_tree(folder.path(), changes);
    let seen = conditions::since(&roots, &before, &[0]);
    judge(Seen {
        host: &host::fingerprint(&roots),
        conditions: &seen,
        blocks: &[],
    })
}

#[test]
fn captured_machine_is_judged_by_what_came_over_it() {
    assert_eq!(
        verdict_when(&[]),
        Fitness {
            verdict: FitnessVerdict::Valid,
            reasons: Vec::new()
        }
    );
    let cases: [(&str, &str, FitnessVerdict, &str); 5] = [
        (
            "proc/stat",
            "cpu  900 0 0 900 0 0 0 0\ncpu0 1 0 0 1 0 0 0 0\n",
            FitnessVerdict::Invalid,
            "other processes",
        ),
        (
            "proc/vmstat",
            "pswpin 11\npswpout 0\n",
            FitnessVerdict::Suspect,
            "swap",
        ),
        (
            "proc/vmstat",
            "pswpin 9000\npswpout 0\n",
            FitnessVerdict::Invalid,
            "swap",
        ),
        (
            "sys/fs/cgroup/cpu.stat",
            "nr_periods 200\nnr_throttled 2\nthrottled_usec 9\n",
            FitnessVerdict::Suspect,
            "stopped the run in 2 of 100 periods, 2%",
        ),
        (
            "sys/fs/cgroup/cpu.stat",
            "nr_periods 200\nnr_throttled 60\nthrottled_usec 9\n",
            FitnessVerdict::Invalid,
            "stopped the run in 60 of 100 periods, 60%",
        ),
    ];
    for (file, text, verdict, why) in cases {
        let fitness = verdict_when(&[(file, text)]);
        assert_eq!(fitness.verdict, verdict, "{file}: {text}");
        assert!(
            fitness.reasons[0].seen.contains(why) && fitness.reasons[0].remedy.is_some(),
            "{fitness:?}"
        );
    }
}

#[test]
fn every_condition_is_told_or_said_not_to_be_known() {
    let output = doctor(&["--observe", "50ms"]);
    output
        .assert_code(0)
        .assert_stdout("Machine ")
        .assert_stdout("\nConditions\n");
    for label in [
        "Other processes",
        "Stolen by the host",
        "Swap",
        "Frequency",
        "Thermal throttling",
        "Turbo",
    ] {
        let line = output
            .stdout
            .lines()
            .find(|line| line.trim_start().starts_with(label));
        let (_, text) = line
            .unwrap_or_else(|| panic!("no {label} in {output}"))
            .split_once(": ")
            .unwrap();
        assert!(!text.is_empty(), "{output}");
    }
}

#[test]
fn examination_is_there_for_programs() {
    let examined = doctor(&["--observe", "50ms", "--json"]).data();
    let verdict = examined["fitness"]["verdict"].as_str().unwrap();
    assert!(
        ["valid", "suspect", "invalid"].contains(&verdict),
        "{verdict}"
    );
    assert!(examined["conditions"]["observed_ns"].as_u64().unwrap() >= 50_000_000);
    for reason in examined["fitness"]["reasons"].as_array().unwrap() {
        assert!(reason["remedy"].is_string(), "{reason}");
    }
}

#[test]
fn null_test_without_noise_may_claim_the_noise_floor() {
    let bench = Workbench::new();
    let tested = null_test(&bench, 0.0, &["--rounds", "6", "--json"]).data();
    for metric in [
        "latency_p50_ratio_to_baseline",
        "latency_p10_ratio_to_baseline",
        "session_load_ns",
    ] {
        let claim = claim(&tested, metric);
        assert_eq!(claim["ratio"]["value"], 1.0, "{claim}");
        assert_eq!(claim["smallest_ratio"], claim["noise_floor"], "{claim}");
        assert_eq!(claim["ratio"]["n"], 6, "{claim}");
    }
}

#[test]
fn null_test_says_which_difference_of_tails_may_be_claimed() {
    let tested = null_test(&Workbench::new(), 0.3, &["--rounds", "6", "--json"]).data();
    let tail = claim(&tested, "latency_p99_ratio_to_baseline");
    assert_eq!(tail["pairing"], "rounds", "{tail}");
    let interval = &tail["ratio"]["interval"];
    let (low, high) = (interval["low"].as_f64(), interval["high"].as_f64());
    let farther = high.unwrap().max(1.0 / low.unwrap()) - 1.0;
    let smallest = tail["smallest_ratio"].as_f64().unwrap();
    let floor = tail["noise_floor"].as_f64().unwrap();
    assert!((smallest - farther.max(floor)).abs() < 1e-9, "{tail}");
}

#[test]
fn null_test_with_noise_is_a_table_for_people() {
    let output = null_test(&Workbench::new(), 0.3, &["--rounds", "6"]);
    output.assert_code(0);
    output.assert_stdout("Smallest difference that may be claimed on this machine today");
    for metric in [
        "median latency",
        "p99 latency",
        "throughput",
        "session load",
        "first run",
        "model memory",
        "peak memory",
    ] {
        output.assert_stdout(metric);
    }
}

#[test]
fn null_test_of_few_launches_claims_nothing_and_says_why() {
    let output = null_test(&Workbench::new(), 0.0, &["--rounds", "2"]);
    output
        .assert_code(0)
        .assert_stdout("no interval: needs 6 launches");
}

#[test]
fn null_test_keeps_its_run_where_it_is_told_to() {
    let bench = Workbench::new();
    let folder = bench.run_folder();
    null_test(
        &bench,
        0.0,
        &["--rounds", "1", "--out", folder.to_str().unwrap()],
    )
    .assert_code(0);
    let record = bench.record();
    assert_eq!(record.variants.len(), 2);
    assert!(record.fitness.is_some() && record.conditions.is_some());
    assert!(
        fs::read_to_string(folder.join("report.md"))
            .unwrap()
            .contains("Machine ")
    );
}

#[test]
fn model_that_is_missing_or_none_is_bad_input() {
    let bench = Workbench::new();
    let text = bench.write("text.onnx", "this is no model");
    let output = doctor(&["--null-test", "no/such.onnx"]);
    output.assert_error(
        BAD_INPUT,
        "failed to read `no/such.onnx`",
        "name a .onnx or .ort file",
    );
    let script = format!(
        "script:{}",
        bench.write("script.json", r#"{"variants":{}}"#).display()
    );
    let output = doctor(&["--null-test", text.to_str().unwrap(), "--runtime", &script]);
    output.assert_code(BAD_INPUT).assert_stderr("text.onnx");
}

#[test]
fn folder_of_several_models_cannot_be_its_own_copy() {
    let output = doctor(&["--null-test", model("digits").to_str().unwrap()]);
    output.assert_error(USAGE, "holds several models", "name one model file");
}

#[test]
fn options_of_the_null_test_need_one() {
    doctor(&["--budget", "5s"])
        .assert_code(USAGE)
        .assert_stderr("--null-test");
    doctor(&["--observe", "1s", "--null-test", "x.onnx"]).assert_code(USAGE);
}
