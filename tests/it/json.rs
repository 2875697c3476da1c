//! `--json`: one document in one envelope, from every command.

use std::fs;

use serde_json::{Value, json};

use crate::support::{BAD_INPUT, Onnxprof, Output, USAGE, library, model, record};
use crate::workbench::Workbench;

/// A folder with a run, rules that it breaks, and a script of latencies.
fn scene() -> Workbench {
    let bench = Workbench::new();
    fs::create_dir(bench.path("run")).unwrap();
    bench.write(
        "run/run.json",
        serde_json::to_vec(&record::digits()).unwrap(),
    );
    bench.write("rules.toml", "[[rule]]\ncheck = \"latency_p50 <= 1 ns\"\n");
    bench.write(
        "script.json",
        json!({"variants": {"one-node": {"fixed_ns": 100_000}}}).to_string(),
    );
    library("1.31.1");
    bench
}

/// Runs a command whose words name files of the scene behind `@`.
fn run(bench: &Workbench, words: &str) -> Output {
    let words = words.split(' ').map(|word| match word.split_once('@') {
        Some((before, file)) => format!("{before}{}", bench.path(file).display()),
        None if word == "MODEL" => model("fixtures/one-node.onnx").display().to_string(),
        None if word == "TRACE" => {
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/trace/loop.json").into()
        }
        None => word.to_owned(),
    });
    Onnxprof::new().args(words).run()
}

/// The document of a command, which is everything on its stdout.
fn document(bench: &Workbench, words: &str, code: i32) -> Value {
    let output = run(bench, &format!("{words} --json"));
    output.assert_code(code).json()
}

const COMMANDS: [(&str, &str, i32); 13] = [
    ("show", "show @run", 0),
    ("report", "report @run", 0),
    ("compare", "compare @run --variants fp32,int8-static", 0),
    ("gate", "gate @run --rules @rules.toml", 5),
    ("gate init", "gate init @run", 0),
    ("trace", "trace TRACE", 0),
    ("inspect", "inspect MODEL", 0),
    ("doctor", "doctor --observe 50ms", 0),
    ("runtime list", "runtime list", 0),
    ("runtime which", "runtime which", 0),
    ("schema", "schema", 0),
    (
        "profile",
        "profile MODEL --runtime script:@script.json --rounds 1 --alternations 1 --block 1ms --batch 1 --out @out",
        0,
    ),
    (
        "profile",
        "profile MODEL --plan --runtime script:@script.json --budget 3s --block 1ms --batch 1",
        0,
    ),
];

#[test]
fn every_command_prints_one_document_that_keeps_its_schema() {
    let bench = scene();
    let schema = run(&bench, "schema json").assert_code(0).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (command, words, code) in COMMANDS {
        let document = document(&bench, words, code);
        let faults: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| error.to_string())
            .collect();
        assert!(faults.is_empty(), "{words}: {faults:?}");
        assert_eq!(document["command"], command, "{words}");
        assert_eq!(document["schema"], schema["$id"], "{words}");
        let keys: Vec<&String> = document.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["answer", "command", "data", "schema"], "{words}");
        assert!(!document["data"].is_null(), "{words}");
    }
    assert!(!validator.is_valid(&json!({ "schema": 1, "command": "gate", "answer": 2 })));
}

/// Words as they are, however lines of text break.
fn words_of(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn answers_are_the_words_that_the_text_has() {
    let bench = scene();
    for (_, words, code) in [0, 1, 2, 3, 6].map(|place| COMMANDS[place]) {
        let answer = document(&bench, words, code)["answer"].take();
        let said = words_of(answer["words"].as_str().unwrap());
        let text = run(&bench, words).assert_code(code).stdout.clone();
        assert!(
            !said.is_empty() && words_of(&text).contains(&said),
            "{said}\n{text}"
        );
    }
    let gate = document(&bench, COMMANDS[3].1, 5);
    assert_eq!(gate["answer"]["decision"], "fail");
    assert_eq!(gate["answer"]["decision"], gate["data"]["verdict"]);
    let doctor = document(&bench, "doctor --observe 50ms", 0);
    assert_eq!(
        doctor["answer"]["decision"],
        doctor["data"]["fitness"]["verdict"]
    );
    assert_eq!(document(&bench, "runtime list", 0)["answer"], Value::Null);
}

#[test]
fn data_of_a_run_is_its_findings_and_where_it_lies() {
    let bench = scene();
    let shown = document(&bench, "show @run", 0);
    let reported = document(&bench, "report @run", 0);
    assert_eq!(shown["data"], reported["data"]);
    assert_eq!(shown["data"]["folder"], bench.path("run").to_str().unwrap());
    assert_eq!(shown["data"]["complete"], true);
    assert!(!shown["data"]["cells"].as_array().unwrap().is_empty());
    let forecast = document(&bench, COMMANDS[12].1, 0)["data"].take();
    assert!(forecast["time_ns"].as_u64().unwrap() > 0, "{forecast}");
    assert!(forecast["rounds_count"].as_u64().unwrap() > 0, "{forecast}");
    assert_eq!(forecast["precision"][0]["batch_size"], 1);
}

#[test]
fn errors_stay_on_stderr_with_their_codes() {
    let bench = scene();
    for (words, code) in [
        ("show @nothing", BAD_INPUT),
        ("inspect @nothing.onnx", BAD_INPUT),
        ("gate @run --rules @nothing.toml", BAD_INPUT),
        ("report @run --full", USAGE),
        ("report @run --format csv", USAGE),
        ("show @run --output @file", USAGE),
        ("report @run --open", USAGE),
    ] {
        let output = run(&bench, &format!("{words} --json"));
        output.assert_code(code).assert_stderr("error: ");
        assert_eq!(output.stdout, "", "{words}");
    }
}
