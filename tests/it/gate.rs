//! `gate`: rules, verdicts, exit codes and what machines read of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use onnxprof::analysis::gate;
use onnxprof::metric::{Metric, Unit};
use onnxprof::stats::Latencies;
use onnxprof::units::Nanos;
use serde_json::{Value, json};

use crate::support::{Onnxprof, Output};

/// A run of two variants at batch sizes 1 and 8, of 6 rounds.
fn run() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/record/run-1.0.json")
}

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Desk(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// The run with something changed in its record.
    fn changed(&self, change: impl FnOnce(&mut Value)) -> PathBuf {
        let mut record: Value = serde_json::from_str(&fs::read_to_string(run()).unwrap()).unwrap();
        change(&mut record);
        self.write("changed.json", &record.to_string())
    }

    fn gate(&self, run: &Path, rules: &str, words: &[&str]) -> Output {
        let rules = self.write("gate.toml", rules);
        Onnxprof::new()
            .arg("gate")
            .arg(run)
            .arg("--rules")
            .arg(rules)
            .args(words)
            .run()
    }
}

/// A rule on the variant that is not the baseline, at batch size 1 where it is about a cell.
fn rule(check: &str) -> String {
    format!("[[rule]]\ncheck = \"{check}\"\nvariant = \"int8-static\"\n")
}

fn single(check: &str) -> String {
    format!("{}batch_size = 1\n", rule(check))
}

#[test]
fn verdict_is_the_exit_code() {
    let desk = Desk::new();
    for (check, words, code) in [
        ("latency_p50 <= 1 ms", &[][..], 0),
        ("latency_p50 <= 10 us", &[], 5),
        ("latency_p50 <= 0.5 x baseline", &[], 0),
        ("latency_p50 <= 0.3 x baseline", &[], 5),
        ("throughput >= 20000 /s", &[], 6),
        ("throughput >= 20000 /s", &["--inconclusive", "pass"], 0),
        ("throughput >= 20000 /s", &["--inconclusive", "fail"], 5),
    ] {
        desk.gate(&run(), &single(check), words).assert_code(code);
    }
    for (check, code) in [
        ("accuracy_top1 >= 0.9", 0),
        ("accuracy_top1 drop <= 2 points", 0),
        ("accuracy_top1 drop <= 0.5 points", 6),
        ("file_size <= 1 MB", 0),
        ("file_size <= 0.5 x baseline", 0),
        ("file_size <= 1 kB", 5),
        ("model_memory <= 1 GB", 0),
    ] {
        desk.gate(&run(), &rule(check), &[]).assert_code(code);
    }
}

#[test]
fn rules_compare_with_the_same_variant_of_another_run() {
    let desk = Desk::new();
    let against = run();
    let words = ["--against", against.to_str().unwrap()];
    let output = desk.gate(
        &run(),
        "[[rule]]\ncheck = \"latency_p50 <= 1.1 x baseline\"\nbatch_size = 1\n",
        &words,
    );
    output.assert_code(0);
    assert!(output.stdout.contains("2 passed"), "{output}");
}

/// So many latencies of `base_ns` and, from there on, the next thousandths of it.
fn latencies(base_ns: u64, count: u64) -> String {
    let mut latencies = Latencies::new();
    (0..count).for_each(|step| latencies.record(Nanos(base_ns + step * base_ns / 1_000)));
    latencies.encode()
}

/// So many to each launch; the first session is the baseline's, which takes twice as long.
fn add_latencies(run: &mut Value, count: u64) {
    for launch in run["launches"].as_array_mut().unwrap() {
        let base_ns = if launch["session"] == 0 {
            200_000
        } else {
            100_000
        };
        for cell in launch["cells"].as_array_mut().unwrap() {
            cell["latency_histogram"] = latencies(base_ns, count).into();
        }
    }
}

#[test]
fn p99_is_held_against_the_baselines_from_all_launches_together() {
    let desk = Desk::new();
    let enough = desk.changed(|run| add_latencies(run, 80));
    for (check, code) in [
        ("latency_p99 <= 1.05 x baseline", 0),
        ("latency_p99 <= 0.5 x baseline", 0),
        ("latency_p99 <= 0.45 x baseline", 5),
    ] {
        desk.gate(&enough, &single(check), &[]).assert_code(code);
    }
    let few = desk.changed(|run| add_latencies(run, 60));
    desk.gate(&few, &single("latency_p99 <= 1.05 x baseline"), &[])
        .assert_code(6)
        .assert_stdout("needs 368 inferences, has 360");
}

#[test]
fn mistakes_in_a_rule_file_name_their_line() {
    let desk = Desk::new();
    for (rules, line, part) in [
        ("", 1, "a gate that checks nothing must not pass"),
        (
            "\n[[rule]]\ncheck = \"latency_p77 <= 20 ms\"\n",
            3,
            "unknown metric `latency_p77`",
        ),
        (
            "[[rule]]\ncheck = \"latency_p50 <= 20 parsecs\"\n",
            2,
            "unknown unit `parsecs`",
        ),
        (
            "[[rule]]\ncheck = \"latency_p50 <= 20 MB\"\n",
            2,
            "takes a time",
        ),
        (
            "[[rule]]\ncheck = \"latency_p50 <= -20 ms\"\n",
            2,
            "negative",
        ),
        (
            "[[rule]]\ncheck = \"latency_p50 < 20 ms\"\n",
            2,
            "no `<=` or `>=`",
        ),
        (
            "[[rule]]\ncheck = \"latency_p50 <= 20 ms\"\nbatchsize = 1\n",
            3,
            "unknown field `batchsize`",
        ),
        (
            "[[rule]]\ncheck = \"latency_p50 <= 20 ms\"\n\nvariant = \"int4\"\n",
            4,
            "no variant `int4`",
        ),
        (
            "[[rule]]\ncheck = \"latency_p50 <= 20 ms\"\nbatch_size = 3\n",
            3,
            "no batch size 3",
        ),
        (
            "[[rule]]\ncheck = \"file_size <= 20 MB\"\nbatch_size = 1\n",
            3,
            "no batch size",
        ),
        (
            "[[rule]]\ncheck = \"latency_p50 <= 1 x baseline\"\nvariant = \"fp32\"\n",
            2,
            "the baseline with itself",
        ),
    ] {
        let output = desk.gate(&run(), rules, &[]);
        output.assert_code(3);
        assert!(
            output.stderr.contains(&format!("line {line}: ")),
            "{rules}\n{output}"
        );
        assert!(output.stderr.contains(part), "{rules}\n{output}");
    }
}

#[test]
fn runs_that_cannot_be_used_are_input_errors() {
    let desk = Desk::new();
    let rules = single("latency_p50 <= 1 ms");
    desk.gate(&desk.path("missing"), &rules, &[]).assert_code(3);
    let truncated = desk.write(
        "truncated.json",
        &fs::read_to_string(run()).unwrap()[..5000],
    );
    desk.gate(&truncated, &rules, &[]).assert_code(3);
    let null = desk.changed(|record| record["blocks"][0]["median_ns"] = Value::Null);
    desk.gate(&null, &rules, &[]).assert_code(3);
    let newer = desk.changed(|record| record["schema_version"]["major"] = json!(9));
    desk.gate(&newer, &rules, &[]).assert_code(3);
    let others = desk.changed(|record| {
        record["plan"]["variants"][0]["name"] = json!("old");
        record["plan"]["variants"][1]["name"] = json!("older");
    });
    let output = desk.gate(&run(), &rules, &["--against", others.to_str().unwrap()]);
    output.assert_code(3);
    assert!(output.stderr.contains("no variant in common"), "{output}");
}

#[test]
fn histogram_that_does_not_decode_decides_nothing() {
    let desk = Desk::new();
    let damaged = desk.changed(|record| {
        for cell in record["cells"].as_array_mut().unwrap() {
            cell["latency_histogram"] = json!("HISTFAAAACB4");
        }
    });
    let output = desk.gate(&damaged, &single("latency_p50 <= 1 ms"), &[]);
    output.assert_code(5);
    assert!(output.stdout.contains("cannot be read"), "{output}");
}

#[test]
fn timing_of_an_unfit_machine_decides_nothing() {
    let desk = Desk::new();
    let unfit = desk.changed(|record| {
        let reason =
            json!({ "severity": "invalid", "seen": "others took 80% of the CPUs", "remedy": null });
        record["fitness"] = json!({ "verdict": "invalid", "reasons": [reason] });
    });
    let output = desk.gate(&unfit, &single("latency_p50 <= 1 ms"), &[]);
    output.assert_code(6);
    assert!(
        output.stdout.contains("others took 80% of the CPUs"),
        "{output}"
    );
    desk.gate(&unfit, &rule("file_size <= 1 MB"), &[])
        .assert_code(0);
}

#[test]
fn cell_that_failed_fails_its_rules() {
    let desk = Desk::new();
    let failed = desk.changed(|record| {
        let cells = record["cells"].as_array_mut().unwrap();
        let cell = cells.iter_mut().find(|cell| cell["key"]["session"] == 1 && cell["key"]["batch_size"] == 1).unwrap();
        cell["outcome"] = json!({ "status": "failed", "kind": "crashed", "message": "ended by SIGSEGV", "hint": null });
    });
    let output = desk.gate(&failed, &single("latency_p50 <= 1 ms"), &[]);
    output.assert_code(5);
    assert!(output.stdout.contains("ended by SIGSEGV"), "{output}");
}

#[test]
fn rules_that_init_writes_are_kept_by_the_run() {
    let desk = Desk::new();
    let rules = desk.path("gate.toml");
    Onnxprof::new()
        .args(["gate", "init"])
        .arg(run())
        .arg("--output")
        .arg(&rules)
        .run()
        .assert_code(0);
    let text = fs::read_to_string(&rules).unwrap();
    for metric in [
        "latency_p50 <=",
        "throughput >=",
        "file_size <=",
        "accuracy_top1 >=",
    ] {
        assert!(text.contains(metric), "{text}");
    }
    Onnxprof::new()
        .arg("gate")
        .arg(run())
        .arg("--rules")
        .arg(&rules)
        .run()
        .assert_code(0);
}

const MIXED: &str = "\
[[rule]]
check = \"latency_p50 <= 60 us\"
batch_size = 1

[[rule]]
check = \"throughput >= 20000 /s\"
variant = \"int8-static\"
";

#[test]
fn result_is_printed_for_people() {
    let output = Desk::new().gate(&run(), MIXED, &["--github", "never"]);
    output.assert_code(5);
    insta::assert_snapshot!(output.stdout);
}

#[test]
fn annotations_point_to_the_rules_and_the_summary_goes_to_the_step() {
    let desk = Desk::new();
    let summary = desk.path("summary.md");
    let rules = desk.write("gate.toml", MIXED);
    let output = Onnxprof::new()
        .arg("gate")
        .arg(run())
        .arg("--rules")
        .arg(&rules)
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &summary)
        .run();
    output.assert_code(5);
    let error = output
        .stdout
        .lines()
        .find(|line| line.starts_with("::error "))
        .unwrap();
    assert!(
        error.contains(
            ",line=2,title=gate%3A latency_p50 <= 60 us (fp32%2C batch 1)::FAIL: measured"
        ),
        "{error}"
    );
    assert_eq!(
        output
            .stdout
            .lines()
            .filter(|line| line.starts_with("::warning "))
            .count(),
        2,
        "{output}"
    );
    assert!(
        fs::read_to_string(summary)
            .unwrap()
            .starts_with("### Gate: FAIL: 1 passed, 1 failed, 2 inconclusive")
    );
}

#[test]
fn json_holds_every_check_with_its_figure() {
    let output = Desk::new().gate(&run(), MIXED, &["--json"]);
    output.assert_code(5);
    let gate = output.data();
    assert_eq!(
        (&gate["verdict"], gate["checks"].as_array().unwrap().len()),
        (&json!("fail"), 4)
    );
    assert_eq!(gate["checks"][0]["budget"], json!(60_000.0));
    assert!(
        gate["checks"][0]["figure"]["interval"]["low"]
            .as_f64()
            .unwrap()
            > 60_000.0,
        "{output}"
    );
}

/// The schema is Jenkins' `junit-10.xsd`, which is not kept here.
#[test]
fn junit_is_valid_by_its_schema() {
    let desk = Desk::new();
    let junit = desk.path("junit.xml");
    desk.gate(&run(), MIXED, &["--junit", junit.to_str().unwrap()])
        .assert_code(5);
    let text = fs::read_to_string(&junit).unwrap();
    insta::assert_snapshot!(text);
    let Some(schema) = std::env::var_os("ONNXPROF_JUNIT_XSD") else {
        println!("skipped: ONNXPROF_JUNIT_XSD does not name junit-10.xsd");
        return;
    };
    let validated = Command::new("xmllint")
        .args(["--noout", "--schema"])
        .arg(schema)
        .arg(&junit)
        .output();
    let validated = validated.expect("xmllint is needed where ONNXPROF_JUNIT_XSD is set");
    assert!(
        validated.status.success(),
        "{}",
        String::from_utf8_lossy(&validated.stderr)
    );
}

/// A budget of a metric, as it is written.
fn budget(metric: Metric) -> &'static str {
    match metric.unit() {
        Unit::Ns => "1 s",
        Unit::Bytes => "1 GB",
        Unit::PerSec => "1 /s",
        Unit::Ratio | Unit::Joules | Unit::Watts | Unit::Count | Unit::OutputUnit => "1",
    }
}

#[test]
fn what_the_record_holds_is_never_said_to_be_missing() {
    let record = crate::support::record::digits();
    let found = onnxprof::analysis::findings(&record);
    let run = gate::Run {
        record: &record,
        findings: &found,
    };
    let has = |metric: Metric| {
        let of_sessions = found
            .sessions
            .iter()
            .filter_map(|session| session.figure(metric));
        let of_cells = found.cells.iter().filter_map(|cell| cell.figure(metric));
        of_sessions
            .chain(of_cells)
            .any(|figure| figure.measured().is_some())
    };
    for &metric in Metric::ALL.iter().filter(|metric| has(**metric)) {
        for budget in [budget(metric), "1 x baseline"] {
            let check = format!("{} <= {budget}", metric.key());
            // A ratio to the baseline is held against no baseline.
            let Ok(rules) = gate::rules(&format!("[[rule]]\ncheck = \"{check}\"\n")) else {
                continue;
            };
            let checks = gate::gate(&rules, run, None).unwrap().checks;
            let is_absolute = !budget.ends_with("baseline");
            let is_measured = checks.iter().any(|check| check.figure.measured().is_some());
            assert!(is_measured || !is_absolute, "{check}: {checks:?}");
            let denied = [
                "no launch reported",
                "it was not asked for",
                "no launch came",
            ];
            for reason in checks
                .iter()
                .filter_map(|check| check.figure.absent_reason())
            {
                assert!(
                    denied.iter().all(|words| !reason.contains(words)),
                    "{check}: {reason}"
                );
            }
        }
    }
}
