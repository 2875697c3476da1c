//! The whole performance template: every heading and field, what people give, and what is wrong
//! with what they give.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use onnxprof::analysis::{self, tuning::TuningVerdict};
use onnxprof::record::FitnessVerdict;
use onnxprof::report::{self, Beside, Context, Filled, Report};
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
    let findings = analysis::findings(run);
    let beside = Beside {
        context: context.clone(),
        ..Beside::default()
    };
    let filled = Filled::new(run, &findings, &beside);
    report::full_markdown(&Report::new(run, &findings), &filled).unwrap()
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
    let lines: Vec<&str> = text.lines().collect();
    for (line, next) in lines.iter().zip(&lines[1..]) {
        let Some((_, held)) = line.split_once("**:").filter(|_| is_field(line)) else {
            continue;
        };
        let is_list = next.trim_start().starts_with("- ") && indent(next) > indent(line);
        assert!(!held.trim().is_empty() || is_list, "`{line}` holds nothing");
    }
    assert!(
        !text.contains("[XX") && !text.contains("[Name of"),
        "{text}"
    );
    for measured in [
        "- **Single Prediction Latency**:\n  - median 214 µs",
        "- **99th Percentile Response Time**: ",
        "- **Index Usage**: does not apply: a model's inference uses no database",
        "- **Epoch Time**: not measured: an inference profile",
        "- **Implementation Cost**: not given",
    ] {
        assert!(text.contains(measured), "no `{measured}` in\n{text}");
    }
}

fn is_field(line: &str) -> bool {
    line.trim_start().starts_with("- **")
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The values of a field, by the label that it has.
fn values(text: &str, label: &str) -> Vec<String> {
    let start = format!("**{label}**:");
    let mut lines = text.lines().skip_while(|line| !line.contains(&start));
    let first = lines
        .next()
        .unwrap_or_else(|| panic!("no `{label}` in\n{text}"));
    let own = first.split_once("**:").unwrap().1.trim();
    let below = lines
        .take_while(|line| {
            let is_below = indent(line) > indent(first) || !is_field(first);
            line.trim_start().starts_with("- ") && is_below
        })
        .map(|line| line.trim_start().trim_start_matches("- ").to_owned());
    let own = (!own.is_empty()).then(|| own.to_owned());
    own.into_iter().chain(below).collect()
}

#[test]
fn summary_says_in_a_line_each_what_runs_today_and_what_comes_next() {
    let text = full(&record::digits(), &Context::default());
    let status = values(&text, "Current Performance Status");
    for (line, begins) in status.iter().zip([
        "State: fp32 at batch 1: median latency 214 µs",
        "Machine: ",
        "Accuracy: top-1 ",
        "p99: ",
        "Memory: ",
    ]) {
        assert!(line.starts_with(begins), "{line}");
    }
    assert_eq!(status.len(), 5, "{status:?}");
    let issues = values(&text, "Key Performance Issues");
    // What nobody runs is no issue of today.
    assert_eq!(issues.len(), 1, "{issues:?}");
    assert!(
        !issues[0].contains("slower than the baseline"),
        "{issues:?}"
    );
    let gain = values(&text, "Expected Improvements");
    assert!(
        gain[0].contains("x faster") && gain[0].contains(", today "),
        "{gain:?}"
    );
    let next = values(&text, "Optimization Strategy");
    assert_eq!(next.len(), 1, "{next:?}");
}

#[test]
fn no_line_of_the_template_is_longer_than_a_paragraph() {
    for run in [
        record::digits(),
        written("tune-1.3.json"),
        record::large(8, 6),
    ] {
        let text = full(&run, &Context::default());
        let template = text.split("# Appendix: ").next().unwrap();
        for line in template.lines() {
            // The names of all metrics of the run stand in one line.
            let is_short = line.chars().count() < 500 || line.contains("Custom Metrics");
            assert!(is_short, "{} characters: {line}", line.chars().count());
        }
    }
}

fn written(name: &str) -> onnxprof::record::RunRecord {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/record");
    let text = fs::read_to_string(path.join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Values that are the same whatever was measured, each with its reason.
const CONSTANT: [(&str, &str, &str); 6] = [
    ("Test Tool", "onnxprof ", "the program that measured"),
    ("Template Version", "", "the template that is filled"),
    (
        "Virtual Users",
        "1 ",
        "these runs had one request in flight",
    ),
    (
        "Optimization Opportunity",
        "load before traffic arrives",
        "against time before the first prediction nothing else helps that was measured",
    ),
    (
        "Pipeline Stage",
        "operators of an inference",
        "of the entry that says why operators are not known",
    ),
    ("Slowest Endpoint", "does not apply", "a model has none"),
];

/// Six runs that have as little in common as can be.
fn unlike() -> [onnxprof::record::RunRecord; 6] {
    [
        record::digits(),
        record::nothing_measured(),
        record::single_variant(),
        record::regression(),
        written("run-1.0.json"),
        written("tune-1.3.json"),
    ]
}

const ABSENCES: [&str; 4] = ["not given", "does not apply: ", "not measured: ", "none"];

/// What each field holds, by its label, without reasons why it holds nothing.
fn held(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut held: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut label = String::new();
    for line in fields(text) {
        let value = match line.split_once("**:") {
            Some((name, value)) => {
                label = name.trim_start_matches([' ', '-', '*']).to_owned();
                value
            }
            None => line,
        };
        let value = value.trim_start_matches([' ', '-']).trim_end();
        let is_absence = ABSENCES.iter().any(|absence| value.starts_with(absence));
        if !value.is_empty() && !is_absence && !is_step(line) {
            held.entry(label.clone())
                .or_default()
                .insert(value.to_owned());
        }
    }
    held
}

/// What at least three of these hold under one label, all of those that hold anything there.
fn fillers(texts: &[String]) -> Vec<String> {
    let held: Vec<_> = texts.iter().map(|text| held(text)).collect();
    let labels: BTreeSet<&String> = held.iter().flat_map(BTreeMap::keys).collect();
    let mut found = Vec::new();
    for label in labels {
        let of_all: Vec<_> = held.iter().filter_map(|held| held.get(label)).collect();
        let first = of_all[0].iter();
        let common = first.filter(|value| of_all.iter().all(|values| values.contains(*value)));
        if of_all.len() > 2 {
            found.extend(common.map(|value| format!("{label}: {value}")));
        }
    }
    found
}

#[test]
fn what_is_the_same_of_unlike_runs_is_a_stated_absence_or_on_a_short_list() {
    let texts = unlike().map(|run| full(&run, &Context::default()));
    let is_listed = |found: &&String| {
        CONSTANT
            .iter()
            .any(|(label, begin, _)| found.starts_with(&format!("{label}: {begin}")))
            // All of these runs were on the CPU.
            || found.contains("CPUExecutionProvider")
    };
    let found = fillers(&texts);
    let wrong: Vec<_> = found.iter().filter(|found| !is_listed(found)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // A filler that is planted is found.
    let planted = texts.map(|text| {
        text.replace(
            "**Memory Usage per Model**:",
            "**Memory Usage per Model**: as ever\n  -",
        )
    });
    let found = fillers(&planted);
    assert!(
        found.contains(&"Memory Usage per Model: as ever".to_owned()),
        "{found:?}"
    );
}

/// The lines of values that a template holds.
fn fields(text: &str) -> impl Iterator<Item = &str> {
    let template = text.split("# Appendix: ").next().unwrap();
    template
        .lines()
        .filter(|line| line.contains("**:") || line.starts_with("  "))
}

/// The template's own name of a step of the schedule.
fn is_step(value: &str) -> bool {
    [
        "- Model profiling and bottleneck identification",
        "- Model architecture optimization",
        "- Inference pipeline optimization",
        "- Hardware acceleration implementation",
    ]
    .contains(&value.trim())
}

#[test]
fn search_that_decided_nothing_has_no_task_and_one_that_did_has_its_answer_for_one() {
    let run = written("tune-1.3.json");
    let text = full(&run, &Context::default());
    let undecided = "not measured: the search has shown nothing to be better than the defaults";
    assert_eq!(values(&text, "Response Time Improvement"), [undecided]);
    assert_eq!(values(&text, "Expected Improvements"), [undecided]);
    let mut findings = analysis::findings(&run);
    let tuning = findings.tuning.as_mut().unwrap();
    let defaults = tuning.defaults.unwrap();
    let best = tuning
        .candidates
        .iter()
        .position(|one| one.is_measured() && one.key != tuning.candidates[defaults].key);
    tuning.best = best;
    tuning.verdict = TuningVerdict::Found;
    // As it is judged of such a search.
    findings.decisions.judgement.decision = analysis::Decision::Ship;
    let filled = Filled::new(&run, &findings, &Beside::default());
    let text = report::full_markdown(&Report::new(&run, &findings), &filled).unwrap();
    let task = "**Run int8-static at batch 1 instead of fp32 at batch 1**";
    let (strategy, rest) = text.split_once("## Implementation Plan").unwrap();
    let (plan, risks) = rest.split_once("### Implementation Risks").unwrap();
    for part in [strategy, plan, risks] {
        assert!(part.contains(task), "no `{task}` in\n{part}");
    }
    let after = values(&text, "Response Time Improvement");
    assert!(after[0].contains("Run int8-static at batch 1"), "{after:?}");
}

#[test]
fn targets_are_judged_met_unmet_or_open_and_never_set_to_what_was_measured() {
    let without = full(&record::digits(), &Context::default());
    assert_eq!(values(&without, "Target Improvement"), ["not given"]);
    assert_eq!(values(&without, "Throughput").last().unwrap(), "not given");
    let given = "[optimization_overview]\ntarget_improvement = [\"p50 <= 1 s\", \"as fast as can be\"]\n\
                 [success_criteria.ai_performance_targets]\ninference_latency = \"p50 <= 1 ns\"\n\
                 [success_criteria.performance_targets]\nerror_rate = \"<= 50%\"\n";
    let text = full(&record::digits(), &Context::parse(given).unwrap());
    let improvement = values(&text, "Target Improvement");
    assert!(
        improvement[0].starts_with("p50 \\<= 1 s: met by fp32 at batch 1 today: 214 µs"),
        "{improvement:?}"
    );
    assert!(
        improvement[1].starts_with("as fast as can be: open: "),
        "{improvement:?}"
    );
    assert!(
        text.contains("p50 \\<= 1 ns: unmet by fp32 at batch 1 today: 214 µs"),
        "{text}"
    );
    assert!(text.contains("\\<= 50%: met: 0 of "), "{text}");
}

#[test]
fn people_add_entries_and_add_to_those_that_were_found() {
    let text = full(&record::digits(), &Context::default());
    let task = text
        .lines()
        .skip_while(|line| !line.starts_with("### Phase 1"))
        .find_map(|line| line.strip_prefix("1. **"))
        .unwrap()
        .trim_end_matches("**")
        .to_owned();
    let given = format!(
        "[[phase_1_quick_wins]]\noptimization_task = \"{task}\"\ndescription = \"by hand\"\n\
         [[implementation_risks]]\nrisk_category = \"Staff\"\nimpact = \"High\"\n\
         [database_bottlenecks]\nbottleneck_category = \"Slow join\"\n"
    );
    let text = full(&record::digits(), &Context::parse(&given).unwrap());
    assert_eq!(values(&text, "Description")[0], "by hand");
    assert!(values(&text, "Description").len() > 1, "{text}");
    assert!(
        text.contains(". **Staff**\n   - **Risk Description**: not given\n"),
        "{text}"
    );
    assert!(text.contains("1. **Slow join**"), "{text}");
    assert!(
        !text.contains("1. **None**\n   - **Query/Operation**"),
        "{text}"
    );
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
        "**Disk I/O**:\n  - while the session was created: up to 12.0 MiB read from storage, within ",
        ", in 8 launches\n  - while it was timed: no page read from storage in ",
        "**Resource Utilization at Peak**:\n  - CPU: of the session's CPUs at batch ",
        "\n  - memory: ",
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
    let both = "- **Average Response Time**:\n  - at most 5 ms\n  - measured by onnxprof: ";
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
        "the whole template is written in Markdown and HTML",
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
fn whole_template_is_a_page_too_with_the_run_in_detail_after_it() {
    let bench = Workbench::new();
    let run = folder(&bench);
    let output = Onnxprof::new()
        .arg("report")
        .arg(&run)
        .args(["--full", "--format", "html"])
        .run();
    output.assert_code(0);
    let page = &output.stdout;
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no `{text}`"));
    assert!(at("<h2>Executive Summary</h2>") < at("<h2>Success Measurement</h2>"));
    assert!(at("<h2>Document</h2>") < at(" id=\"machine\">"));
    assert!(page.contains("<dt>99th Percentile Response Time</dt>"));
}

#[test]
fn further_runs_and_results_of_gates_fill_what_they_tell_of() {
    let bench = Workbench::new();
    let run = folder(&bench);
    let mut earlier = record::digits();
    earlier.run.started_at = "2020-01-01T00:00:00Z".into();
    fs::create_dir(bench.path("old")).unwrap();
    let old = bench.write("old/run.json", serde_json::to_vec(&earlier).unwrap());
    let gate = json!({"schema": "urn:onnxprof:json:1.0", "command": "gate", "data": {
        "verdict": "fail", "checks": [
            {"check": "latency_p99 <= 20 ms", "session": "int8", "verdict": "fail"},
            {"check": "file_size <= 1 MiB", "session": "int8", "verdict": "pass"},
        ]
    }});
    let gate = bench.write("gate.json", gate.to_string());
    let report = || Onnxprof::new().arg("report").arg(&run);
    let output = report().arg(&old).arg(&gate).arg("--full").run();
    output.assert_code(0);
    let detection = values(&output.stdout, "Regression Detection").join("\n");
    assert!(
        detection.contains("1 passed, 1 failed, 0 inconclusive; failed: latency\\_p99"),
        "{output}"
    );
    assert!(detection.contains("old"), "{output}");
    fs::write(run.join("context.toml"), "results = [\"../gate.json\"]\n").unwrap();
    let output = report().arg("--full").run();
    assert_eq!(output.code(), Some(0), "{output}");
    assert!(output.stdout.contains("1 passed, 1 failed"), "{output}");
    let output = report().arg(run.join("context.toml")).arg("--full").run();
    output.assert_error(BAD_INPUT, "failed to read the result in", "gate --json");
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

#[test]
fn state_next_step_and_risk_are_those_of_the_judgement() {
    let run = record::digits();
    let verdict = "Ship int8-static at batch 1: 2.10x faster (2.08 to 2.13), ";
    let text = full(&run, &Context::default());
    let step = &values(&text, "Optimization Strategy")[0];
    assert!(
        step.starts_with(verdict) && step.contains(" Then: Run "),
        "{step}"
    );
    let effort = &values(&text, "Resource Requirements")[0];
    assert!(effort.contains("one model file is replaced"), "{effort}");
    let risk = &values(&text, "Risk Description")[0];
    assert_eq!(risk, "Low (at most 1.4 points lost (95%))");

    let mut unfit = run.clone();
    unfit.fitness.as_mut().unwrap().verdict = FitnessVerdict::Invalid;
    let text = full(&unfit, &Context::default());
    assert!(text.contains("State: no answer, and so far fp32"), "{text}");
    let effort = &values(&text, "Resource Requirements")[0];
    assert!(!effort.contains("is replaced"), "{effort}");
    for risk in values(&text, "Risk Description") {
        assert!(!risk.starts_with("Low (at most"), "{risk}");
    }

    let alone = full(&record::single_variant(), &Context::default());
    let effort = &values(&alone, "Resource Requirements")[0];
    assert!(effort.starts_with("none: "), "{effort}");
}

#[test]
fn the_next_step_is_the_verdict_where_nothing_is_to_be_shipped() {
    let mut run = record::digits();
    run.fitness.as_mut().unwrap().verdict = FitnessVerdict::Invalid;
    let text = full(&run, &Context::default());
    let step = "**Optimization Strategy**: No answer: the machine was not fit to measure on";
    assert!(text.contains(step), "{}", &text[..1500]);
}
