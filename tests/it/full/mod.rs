//! The whole performance template: every heading and field, what people give, and what is wrong
//! with what they give.

use std::fs;

use onnxprof::analysis;
use onnxprof::report::{self, Context, Report};
use onnxprof::store::RunFolder;
use onnxprof::units::{Bytes, Nanos};

use crate::support::{BAD_INPUT, Onnxprof, USAGE, record};
use crate::workbench::{QUICK, Workbench};
use serde_json::json;

/// The template's headings, in its order.
const HEADINGS: &str = include_str!("headings.txt");

/// What stands in bold in the template, in its order: groups and fields.
const FIELDS: &str = include_str!("fields.txt");

fn full(run: &onnxprof::record::RunRecord, context: &Context) -> String {
    report::full_markdown(&Report::new(run, &analysis::findings(run)), context).unwrap()
}

#[test]
fn whole_template_has_every_heading_and_field_in_its_order() {
    for run in [
        record::digits(),
        record::nothing_measured(),
        record::single_variant(),
    ] {
        let text = full(&run, &Context::default());
        let template = text.split("# Appendix: ").next().unwrap();
        let mut rest = template;
        for heading in HEADINGS.lines() {
            let at = rest
                .find(&format!("{heading}\n"))
                .or_else(|| rest.find(&format!("{heading}: ")));
            rest = &rest[at.unwrap_or_else(|| {
                panic!("no `{heading}` after what comes before it in\n{template}")
            })..];
        }
        for field in FIELDS.lines().filter(|field| !field.starts_with("**[")) {
            let wanted = FIELDS.lines().filter(|other| *other == field).count();
            let found = template.matches(field).count();
            let generated = ["**Pipeline Stage**", "**Performance Issue**"];
            assert!(
                found >= wanted || generated.contains(&field),
                "{field}: {found} of {wanted} in\n{template}"
            );
        }
    }
}

#[test]
fn every_field_of_the_whole_template_holds_something() {
    let text = full(&record::digits(), &Context::default());
    for line in text
        .lines()
        .filter(|line| line.trim_start().starts_with("- **") && line.contains("**:"))
    {
        let (_, held) = line.split_once("**:").unwrap();
        assert!(!held.trim().is_empty(), "`{line}` holds nothing");
    }
    assert!(
        !text.contains("[XX") && !text.contains("[Name of"),
        "{text}"
    );
    for measured in [
        "- **Single Prediction Latency**: median 214 µs",
        "- **99th Percentile Response Time**: ",
        "- **Index Usage**: does not apply: a model's inference uses no database",
        "- **Epoch Time**: not measured: an inference profile",
        "- **Implementation Cost**: not given",
    ] {
        assert!(text.contains(measured), "no `{measured}` in\n{text}");
    }
}

#[test]
fn use_of_cpus_memory_and_storage_names_its_batch_and_is_no_more_than_all() {
    let mut run = record::digits();
    for block in &mut run.blocks {
        block.cpu_time_ns = Nanos(block.elapsed_ns.0 * 41 / 40);
    }
    for launch in &mut run.launches {
        launch.load_storage_read_bytes = Some(Bytes(12 << 20));
    }
    let text = full(&run, &Context::default());
    for words in [
        "**CPU Usage**: of the session's CPUs at batch 1, on average: 100.0%",
        "; at the peak: 100.0%",
        "**Disk I/O**: while the session was created: up to 12.0 MiB read from storage, within ",
        ", in 8 launches; while it is timed: not observed",
        "**Resource Utilization at Peak**: CPU: of the session's CPUs at batch ",
        "; memory: ",
    ] {
        assert!(text.contains(words), "no `{words}` in\n{text}");
    }
    run.launches
        .iter_mut()
        .for_each(|launch| launch.load_storage_read_bytes = Some(Bytes(0)));
    let text = full(&run, &Context::default());
    assert!(
        text.contains("nothing read from storage in 8 launches"),
        "{text}"
    );
}

#[test]
fn what_people_give_stands_beside_what_was_measured() {
    let given = "[document]\noptimization_owner = \"team <b>search</b>\"\n\
                 [current_performance_metrics.response_time_metrics]\naverage_response_time = \"at most 5 ms\"\n";
    let text = full(&record::digits(), &Context::parse(given).unwrap());
    assert!(
        text.contains("**Optimization Owner**: team \\<b\\>search\\</b\\>"),
        "{text}"
    );
    let both = "- **Average Response Time**: at most 5 ms; measured by onnxprof: ";
    assert!(text.contains(both), "{text}");
}

/// A folder that holds the record of a made-up run.
fn folder(bench: &Workbench) -> std::path::PathBuf {
    let path = bench.run_folder();
    drop(RunFolder::create(&path).unwrap());
    fs::write(
        path.join("run.json"),
        serde_json::to_vec(&record::digits()).unwrap(),
    )
    .unwrap();
    path
}

#[test]
fn context_of_the_run_folder_is_taken_and_a_named_one_before_it() {
    let bench = Workbench::new();
    let run = folder(&bench);
    fs::write(
        run.join("context.toml"),
        "[document]\nreview_schedule = \"monthly\"\n",
    )
    .unwrap();
    let report = || Onnxprof::new().arg("report").arg(&run).arg("--full");
    let output = report().run();
    output.assert_code(0);
    assert!(
        output.stdout.contains("**Review Schedule**: monthly"),
        "{output}"
    );
    let other = bench.write("other.toml", "[document]\nreview_schedule = \"weekly\"\n");
    let output = report().arg("--context").arg(&other).run();
    assert!(
        output.stdout.contains("**Review Schedule**: weekly"),
        "{output}"
    );
}

#[test]
fn context_with_unknown_keys_or_wrong_types_is_bad_input() {
    let bench = Workbench::new();
    let run = folder(&bench);
    for (text, message) in [
        (
            "[document]\nowner = \"me\"\n",
            "unknown key `document.owner`; known here: `last_updated`, `review_schedule`",
        ),
        (
            "[document]\noptimization_owner = true\n",
            "`document.optimization_owner` is true or false, and takes a text",
        ),
        ("[document\n", "line 1: "),
        ("[\"x\\u001b[31m\"]\n", "unknown key `x\\u{1b}[31m`"),
    ] {
        let file = bench.write("context.toml", text);
        let output = Onnxprof::new()
            .arg("report")
            .arg(&run)
            .args(["--full", "--context"])
            .arg(&file)
            .run();
        output.assert_error(BAD_INPUT, message, "--context-template");
    }
    let output = Onnxprof::new()
        .arg("report")
        .arg(&run)
        .args(["--full", "--context", "/no/such.toml"])
        .run();
    output.assert_error(
        BAD_INPUT,
        "failed to read the context in `/no/such.toml`",
        "--context-template",
    );
}

#[test]
fn words_that_do_not_go_together_are_a_usage_error() {
    let bench = Workbench::new();
    let run = folder(&bench);
    let output = Onnxprof::new()
        .arg("report")
        .arg(&run)
        .args(["--full", "--format", "csv"])
        .run();
    output.assert_error(
        USAGE,
        "the whole template is written in Markdown alone",
        "leave out",
    );
    let output = Onnxprof::new()
        .arg("report")
        .arg(&run)
        .args(["--context", "x.toml"])
        .run();
    assert_eq!(output.code(), Some(USAGE), "{output}");
}

#[test]
fn starting_file_is_printed_without_a_run() {
    let output = Onnxprof::new().args(["report", "--context-template"]).run();
    output.assert_code(0);
    assert!(
        output.stdout.contains("[document]\n# last_updated"),
        "{output}"
    );
    assert!(Context::parse(&output.stdout).is_ok());
}

#[test]
fn profile_writes_the_whole_template_and_keeps_the_context() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "one.onnx");
    let context = bench.write("mine.toml", "[document]\noptimization_owner = \"me\"\n");
    let words = QUICK.iter().map(|word| (*word).to_owned());
    let words: Vec<String> = words
        .chain([
            "--full".into(),
            "--context".into(),
            context.display().to_string(),
        ])
        .collect();
    bench
        .scripted(&model, &json!({ "one": { "fixed_ns": 100_000 } }), words)
        .run()
        .assert_code(0);
    let report = fs::read_to_string(bench.run_folder().join("report.md")).unwrap();
    assert!(
        report.starts_with("# Performance Optimization Template: one")
            && report.contains("**Optimization Owner**: me")
    );
    let output = Onnxprof::new()
        .arg("report")
        .arg(bench.run_folder())
        .arg("--full")
        .run();
    assert!(
        output.stdout.contains("**Optimization Owner**: me"),
        "{output}"
    );
}

#[test]
fn wrong_context_ends_a_profile_before_anything_is_measured() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "one.onnx");
    let context = bench
        .write("mine.toml", "owner = 1\n")
        .display()
        .to_string();
    let words = ["--full", "--context", &context];
    let output = bench
        .scripted(&model, &json!({ "one": { "fixed_ns": 100_000 } }), words)
        .run();
    output.assert_error(BAD_INPUT, "unknown key `owner`", "--context-template");
    assert!(!bench.run_folder().exists());
}
