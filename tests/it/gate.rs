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

/// The run, with every session a second time: with two requests in flight and bound to a device.
fn of_several(record: &mut Value) {
    let sessions = record["plan"]["sessions"].as_array_mut().unwrap();
    let bound: Vec<Value> = sessions
        .iter()
        .cloned()
        .map(|mut spec| {
            spec["binding"] = json!("device");
            spec
        })
        .collect();
    sessions.extend(bound);
    record["plan"]["load_modes"] = json!([
        { "closed": { "concurrency": 1 } },
        { "closed": { "concurrency": 2 } },
    ]);
}

#[test]
fn rules_name_requests_in_flight_bindings_and_libraries() {
    let desk = Desk::new();
    let several = desk.changed(of_several);
    for (selectors, code, told) in [
        (
            "",
            5,
            "int8-static (device-bound), batch 1, 2 requests in flight",
        ),
        (
            "binding = \"host\"\nconcurrency = 1\n",
            0,
            "1 passed, 0 failed",
        ),
        (
            "binding = \"host\"\nconcurrency = 1\nep = \"cpu\"\n",
            0,
            "1 passed",
        ),
        (
            "binding = \"host\"\nconcurrency = 2\n",
            5,
            "2 requests in flight",
        ),
    ] {
        let rules = format!("{}{selectors}", single("latency_p50 <= 1 ms"));
        let output = desk.gate(&several, &rules, &["--github", "never"]);
        output.assert_code(code).assert_stdout(told);
    }
    for (selector, line, part) in [
        ("concurrency = 8", 5, "no concurrency 8; it has 1, 2"),
        (
            "ep = \"cuda\"",
            5,
            "no execution provider `cuda`; it has `cpu`",
        ),
        ("runtime = \"1.2.3\"", 5, "no runtime `1.2.3`; it has `"),
        (
            "shape = \"decode\"",
            5,
            "no shape `decode`; it has none: it swept no dimension",
        ),
        ("binding = \"both\"", 5, "expected `host` or `device`"),
    ] {
        let rules = format!("{}{selector}\n", single("latency_p50 <= 1 ms"));
        let output = desk.gate(&several, &rules, &[]);
        output.assert_code(3);
        assert!(
            output.stderr.contains(&format!("line {line}: ")),
            "{output}"
        );
        assert!(output.stderr.contains(part), "{selector}\n{output}");
    }
    let host = desk.gate(
        &run(),
        &format!("{}binding = \"device\"\n", rule("file_size <= 1 MB")),
        &[],
    );
    host.assert_code(3)
        .assert_stderr("no binding `device`; it has `host`");
    let session = desk.gate(
        &several,
        &format!("{}concurrency = 1\n", rule("file_size <= 1 MB")),
        &[],
    );
    session
        .assert_code(3)
        .assert_stderr("a figure of a session, which has no concurrency");
}

#[test]
fn run_against_itself_is_the_same_and_says_so() {
    let desk = Desk::new();
    let against = run();
    let words = ["--against", against.to_str().unwrap(), "--github", "never"];
    let rules = "[[rule]]\ncheck = \"latency_p50 <= 1.05 x baseline\"\n[[rule]]\ncheck = \"latency_p99 <= 1.2 x baseline\"\n\
                 [[rule]]\ncheck = \"accuracy_top1 drop <= 0.5 points\"\n[[rule]]\ncheck = \"file_size <= 1 x baseline\"\n";
    let output = desk.gate(&run(), rules, &words);
    output
        .assert_code(0)
        .assert_stdout("12 passed, 0 failed, 0 inconclusive")
        .assert_stdout("the same run");
    // What is the same is no faster.
    desk.gate(&run(), &single("latency_p50 <= 0.9 x baseline"), &words)
        .assert_code(5);
}

/// Another run of the same files: its times and its start are other ones.
fn later(record: &mut Value) {
    record["run"]["started_at"] = json!("2026-03-08T12:00:00Z");
    for block in record["blocks"].as_array_mut().unwrap() {
        let median = block["median_ns"].as_u64().unwrap();
        block["median_ns"] = json!(median + median / 5);
    }
}

#[test]
fn run_of_the_same_files_differs_by_nothing_of_the_model() {
    let desk = Desk::new();
    let later = desk.changed(later);
    let against = run();
    let words = ["--against", against.to_str().unwrap(), "--github", "never"];
    let rules = "[[rule]]\ncheck = \"latency_p50 <= 1.05 x baseline\"\n[[rule]]\ncheck = \"accuracy_top1 drop <= 0.5 points\"\n\
                 [[rule]]\ncheck = \"file_size <= 1 x baseline\"\n";
    // The files are no longer where that run had them.
    desk.gate(&later, rules, &words)
        .assert_code(0)
        .assert_stdout("8 passed, 0 failed, 0 inconclusive")
        .assert_stdout("the same files")
        .assert_stdout("times were not measured again");
    let other = desk.changed(|record| {
        self::later(record);
        record["variants"][1]["sha256"] = json!("f".repeat(64));
    });
    desk.gate(&other, &single("latency_p50 <= 1.05 x baseline"), &words)
        .assert_code(5);
}

#[test]
fn other_models_and_unfit_machines_are_refused_unless_asked_for() {
    let desk = Desk::new();
    let against = run();
    let words = ["--against", against.to_str().unwrap()];
    let rules = single("latency_p50 <= 1.1 x baseline");
    let other = desk.changed(|record| {
        later(record);
        record["variants"][1]["sha256"] = json!("f".repeat(64));
        record["variants"][1]["model"]["inputs"][0]["name"] = json!("picture");
    });
    let refused = desk.gate(&other, &rules, &words);
    refused.assert_error(
        3,
        "`int8-static` in both runs: the models are of unlike kinds",
        "--across-models",
    );
    refused
        .assert_stderr("inputs image float")
        .assert_stderr("picture float");
    desk.gate(&other, &rules, &[&words[..], &["--across-models"]].concat())
        .assert_code(5);
    let unfit = desk.changed(|record| {
        later(record);
        record["variants"][1]["sha256"] = json!("f".repeat(64));
        unfit(record);
    });
    let refused = desk.gate(&unfit, &rules, &words);
    refused.assert_error(3, "is INVALID", "--accept-invalid");
    refused.assert_stderr("others took 80% of the CPUs");
    let accepted = [&words[..], &["--accept-invalid", "--github", "never"]].concat();
    desk.gate(&unfit, &rules, &accepted)
        .assert_code(5)
        .assert_stdout("the run is INVALID");
}

#[test]
fn macro_f1_that_was_scored_is_compared() {
    let desk = Desk::new();
    let path = desk.path("digits.json");
    let record = crate::support::record::digits();
    fs::write(&path, serde_json::to_string(&record).unwrap()).unwrap();
    let of = |check: &str| format!("[[rule]]\ncheck = \"{check}\"\nvariant = \"int8-static\"\n");
    for (check, code) in [
        ("accuracy_macro_f1 >= 0.9 x baseline", 0),
        ("accuracy_macro_f1 drop <= 5 points", 0),
        ("accuracy_macro_f1 >= 1.1 x baseline", 5),
        ("accuracy_top5 drop <= 5 points", 0),
    ] {
        desk.gate(&path, &of(check), &[]).assert_code(code);
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

fn unfit(record: &mut Value) {
    let reason =
        json!({ "severity": "invalid", "seen": "others took 80% of the CPUs", "remedy": null });
    record["fitness"] = json!({ "verdict": "invalid", "reasons": [reason] });
}

#[test]
fn timing_of_an_unfit_machine_decides_nothing() {
    let desk = Desk::new();
    let unfit = desk.changed(unfit);
    let output = desk.gate(&unfit, &single("latency_p50 <= 1 ms"), &[]);
    output.assert_code(6);
    assert!(
        output.stdout.contains("others took 80% of the CPUs"),
        "{output}"
    );
    desk.gate(&unfit, &rule("file_size <= 1 MB"), &[])
        .assert_code(0);
    desk.gate(
        &unfit,
        &single("latency_p50 <= 1 ms"),
        &["--accept-invalid"],
    )
    .assert_code(0);
    // Both variants took turns under that load.
    desk.gate(&unfit, &single("latency_p50 <= 0.5 x baseline"), &[])
        .assert_code(0)
        .assert_stdout("the run is INVALID");
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

#[test]
fn rules_of_the_guide_are_kept_by_a_run_of_its_models() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = fs::read_to_string(root.join("models/gate.toml")).unwrap();
    let guide = fs::read_to_string(root.join("src/cli/README.md")).unwrap();
    assert!(guide.contains(&format!("```toml\n{rules}```")));
    let output = Desk::new().gate(&run(), &rules, &["--github", "never"]);
    output
        .assert_code(0)
        .assert_stdout("4 passed, 0 failed, 0 inconclusive");
}

#[test]
fn init_asks_for_agreement_where_nothing_says_what_is_right() {
    let desk = Desk::new();
    let mut record = crate::support::record::digits();
    for scored in &mut record.accuracy {
        scored.scores = None;
    }
    let path = desk.write("unlabelled.json", &serde_json::to_string(&record).unwrap());
    let output = Onnxprof::new().args(["gate", "init"]).arg(path).run();
    output.assert_code(0);
    assert!(
        output.stdout.contains("top1_agreement >= ")
            || output.stdout.contains("cosine_similarity >= "),
        "{output}"
    );
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
    let mut warnings = output
        .stdout
        .lines()
        .filter(|line| line.starts_with("::warning "));
    let warning = warnings.next().unwrap();
    assert!(
        warning.contains(",line=6,title=gate%3A throughput >= 20000 /s (2 of 2 places)::int8-static, batch 1: inconclusive")
            && warning.contains("%0Aint8-static, batch 8: inconclusive"),
        "{warning}"
    );
    assert_eq!(warnings.next(), None, "one for each rule: {output}");
    assert!(
        fs::read_to_string(summary)
            .unwrap()
            .starts_with("### Gate: FAIL: 1 passed, 1 failed, 2 inconclusive")
    );
}

#[test]
fn github_is_given_no_more_annotations_of_a_kind_than_it_shows() {
    let rules: String = (1..=14)
        .map(|size| format!("[[rule]]\ncheck = \"file_size <= {size} B\"\n"))
        .collect();
    let output = Desk::new().gate(&run(), &rules, &["--github", "always"]);
    output.assert_code(5);
    let errors: Vec<&str> = output
        .stdout
        .lines()
        .filter(|line| line.starts_with("::error "))
        .collect();
    assert_eq!(errors.len(), 10, "{output}");
    assert!(
        errors[9].contains("gate%3A 5 more rules::lines 20, 22, 24, 26, 28;"),
        "{}",
        errors[9]
    );
}

#[test]
fn table_is_no_wider_than_a_terminal() {
    let rule = "[[rule]]\ncheck = \"latency_p99 <= 1.2 x baseline\"\n";
    let output = Desk::new().gate(&run(), rule, &["--github", "never"]);
    output.assert_code(6);
    let widest = output.stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(120), "{output}");
    output.assert_stdout("int8-static, batch 8");
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
    let words = ["--junit", junit.to_str().unwrap()];
    desk.gate(
        &run(),
        MIXED,
        &[&words[..], &["--inconclusive", "pass"]].concat(),
    )
    .assert_code(5);
    let text = fs::read_to_string(&junit).unwrap();
    assert!(
        text.contains(r#"skipped="2" errors="0" failures="1""#) && !text.contains("<error "),
        "{text}"
    );
    desk.gate(&run(), MIXED, &words).assert_code(5);
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
            let checks = gate::gate(&rules, run, gate::Terms::default())
                .unwrap()
                .checks;
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

/// Two versions of a model, whose latencies a script plays.
struct Versions(Desk);

impl Versions {
    fn new(old_ns: u64, new_ns: u64) -> Self {
        let desk = Desk::new();
        for name in ["v1.onnx", "v2.onnx"] {
            let mut model = fs::read(crate::support::model("digits/digits-fp32.onnx")).unwrap();
            // A field that no reader knows, so that the files differ and the models do not.
            model.extend([0xf2, 0x3f, 2, b'v', name.as_bytes()[1]]);
            fs::write(desk.path(name), model).unwrap();
        }
        let script = json!({ "variants": {
            "v1": { "fixed_ns": old_ns, "jitter_ratio": 0.01 },
            "v2": { "fixed_ns": new_ns, "jitter_ratio": 0.01 },
        }});
        desk.write("script.json", &script.to_string());
        Versions(desk)
    }

    fn runtime(&self) -> String {
        format!("script:{}", self.0.path("script.json").display())
    }

    fn profile(&self, model: &str, out: &str) -> PathBuf {
        Onnxprof::new()
            .arg("profile")
            .arg(self.0.path(model))
            .args(["--rounds", "6", "--alternations", "2", "--block", "2ms"])
            .args(["--batch", "1,2", "--runtime", &self.runtime(), "--out"])
            .arg(self.0.path(out))
            .run()
            .assert_code(0);
        self.0.path(out)
    }

    fn gate(&self, new: &Path, old: &Path, rules: &str, words: &[&str]) -> Output {
        let old = old.to_str().unwrap();
        let runtime = self.runtime();
        let fixed = ["--against", old, "--runtime", &runtime, "--budget", "60s"];
        let words = [&fixed[..], &["--github", "never"], words];
        self.0.gate(new, rules, &words.concat())
    }

    fn gate_files(&self, rules: &str) -> (Output, Value) {
        let out = self.0.path("measured");
        let words = ["--out", out.to_str().unwrap()];
        let output = self.gate(
            &self.0.path("v2.onnx"),
            &self.0.path("v1.onnx"),
            rules,
            &words,
        );
        let record = fs::read_to_string(out.join("run.json")).unwrap();
        (output, serde_json::from_str(&record).unwrap())
    }
}

const ON_TIMES: &str = "[[rule]]\ncheck = \"latency_p50 <= 1.05 x baseline\"\n";

#[test]
fn two_versions_are_measured_in_turns_until_the_rules_are_decided() {
    for (new_ns, code) in [(100_000, 0), (103_000, 0), (110_000, 5)] {
        let (output, record) = Versions::new(100_000, new_ns).gate_files(ON_TIMES);
        output.assert_code(code);
        output
            .assert_stdout("new, batch 1")
            .assert_stdout("both versions were measured in turns");
        assert!(!output.stdout.contains("old, "), "{output}");
        assert_eq!(
            record["run"]["ended_by"],
            json!("rules_decided"),
            "{output}"
        );
        assert_eq!(record["plan"]["batch_sizes"], json!([1]));
        assert_eq!(record["accuracy"], json!([]), "no rule asks for it");
    }
}

#[test]
fn versions_are_measured_where_the_rules_are() {
    let versions = Versions::new(100_000, 100_000);
    let rules = "[[rule]]\ncheck = \"latency_p50 <= 1.05 x baseline\"\nbatch_size = 4\nvariant = \"v2\"\n\
                 [[rule]]\ncheck = \"throughput >= 0.9 x baseline\"\nbatch_size = 4\nconcurrency = 2\n\
                 [[rule]]\ncheck = \"file_size <= 1 x baseline\"\n";
    let (output, record) = versions.gate_files(rules);
    output
        .assert_code(0)
        .assert_stdout("v2, batch 4, 2 requests in flight")
        .assert_stdout("v2, batch 4, 1 request in flight")
        .assert_stdout("4 passed");
    assert_eq!(record["plan"]["batch_sizes"], json!([4]));
}

#[test]
fn run_of_the_same_files_is_measured_again_and_a_file_stands_for_its_version() {
    let versions = Versions::new(100_000, 120_000);
    let (first, second) = (
        versions.profile("v1.onnx", "a"),
        versions.profile("v1.onnx", "b"),
    );
    let again = versions.gate(&second, &first, ON_TIMES, &["--accept-invalid"]);
    again
        .assert_code(0)
        .assert_stdout("v1: both runs have the same files, runtime and options; times were measured again in turns")
        .assert_stdout("2 passed");
    let slower = versions.gate(&versions.0.path("v2.onnx"), &first, ON_TIMES, &[]);
    slower.assert_code(5).assert_stdout("new, batch 1");
    fs::copy(versions.0.path("v2.onnx"), versions.0.path("v1.onnx")).unwrap();
    let gone = versions.gate(&versions.0.path("v2.onnx"), &first, ON_TIMES, &[]);
    gone.assert_error(
        3,
        "is another file than the one that the run measured",
        "name the model file",
    );
}

#[test]
fn what_cannot_be_measured_is_told_before_it_is() {
    let versions = Versions::new(100_000, 100_000);
    let model = versions.0.path("v2.onnx");
    let alone = versions.0.gate(&model, ON_TIMES, &[]);
    alone.assert_error(2, "nothing to gate", "--against OLD.onnx");
    let other = crate::support::model("fixtures/one-node.onnx");
    let unlike = versions.gate(&model, &other, ON_TIMES, &[]);
    unlike.assert_error(3, "the models are of unlike kinds", "--across-models");
    let run = versions.0.gate(&run(), ON_TIMES, &["--budget", "5s"]);
    run.assert_error(2, "a run is measured already", "--against");
}
