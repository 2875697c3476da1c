//! Operators of the sessions of a run.

use std::collections::BTreeSet;
use std::fs;

use onnxprof::analysis::{self, Breakdown, Rest};
use onnxprof::export;
use onnxprof::record::{OperatorProfile, Profiled, RunRecord};
use onnxprof::report::{self, Color, Report};
use onnxprof::units::Nanos;
use serde_json::{Value, json};

use crate::support::{Onnxprof, PARTIAL, model, record, shown};
use crate::workbench::{QUICK, Workbench};

fn profiled(record: &RunRecord, session: usize, batch_size: u64) -> &Profiled {
    let is_it =
        |found: &&OperatorProfile| (found.session, found.batch_size) == (session, batch_size);
    record
        .operators
        .iter()
        .find(is_it)
        .unwrap()
        .profile
        .as_ref()
        .unwrap()
}

#[test]
fn every_session_is_profiled_at_its_smallest_batch_size_and_at_that_of_the_baselines_best_throughput()
 {
    let bench = Workbench::new();
    bench
        .profile(&model("digits"), ["--batch", "1,16"])
        .run()
        .assert_code(0);
    let record = bench.record();
    for session in 0..record.plan.sessions.len() {
        let found = profiled(&record, session, 1);
        assert!(
            found.inferences_count >= 1 && found.unprofiled_ns.is_some() && found.complete,
            "{found:?}"
        );
        assert!(!found.distortion_ratios.is_empty(), "{found:?}");
        let sum: u64 = found.nodes.iter().map(|node| node.time_ns.0).sum();
        assert!(sum > 0 && sum <= found.mean_inference_ns.0, "{found:?}");
        assert!(
            found
                .nodes
                .iter()
                .all(|node| node.outputs.is_some() && node.bytes().is_some()),
            "{found:?}"
        );
    }
    let sizes = |session: usize| -> BTreeSet<u64> {
        record
            .operators
            .iter()
            .filter(|found| found.session == session)
            .map(|found| found.batch_size)
            .collect()
    };
    assert!(
        sizes(0).is_subset(&BTreeSet::from([1, 16])),
        "{:?}",
        sizes(0)
    );
    assert!(
        (1..record.plan.sessions.len()).all(|session| sizes(session) == sizes(0)),
        "those of the baseline"
    );
    assert!(
        profiled(&record, 0, 1)
            .nodes
            .iter()
            .any(|node| node.operator == "FusedGemm")
    );
}

#[test]
fn first_and_last_shape_of_a_sweep_are_profiled_with_inputs_of_their_sizes() {
    let bench = Workbench::new();
    let words = ["--sweep", "dim=sequence_length:8,16,32", "--batch", "1"];
    bench
        .profile(&model("fixtures/bert-tiny-random-weights.onnx"), words)
        .run()
        .assert_code(0);
    let record = bench.record();
    let found: Vec<(usize, u64)> = record
        .operators
        .iter()
        .map(|found| (found.shape, found.batch_size))
        .collect();
    assert_eq!(found, [(0, 1), (2, 1)]);
    for (found, size) in record.operators.iter().zip([8, 32]) {
        let nodes = &found.profile.as_ref().unwrap().nodes;
        let product = nodes.iter().find(|node| node.operator == "MatMul").unwrap();
        assert_eq!(
            product.outputs.as_ref().unwrap()[0].dims[1],
            size,
            "{product:?}"
        );
    }
    let table = fs::read_to_string(bench.path("run/operators.csv")).unwrap();
    assert!(table.contains(",sequence_length=8,") && table.contains(",sequence_length=32,"));
    let report = fs::read_to_string(bench.path("run/report.md")).unwrap();
    assert!(
        report.contains("At batch size 1, sequence\\_length 32"),
        "{report}"
    );
}

#[test]
fn traces_are_kept_as_the_profiler_wrote_them_and_nothing_else_is() {
    let bench = Workbench::new();
    bench
        .profile(&model("digits"), ["--batch", "1"])
        .run()
        .assert_code(0);
    let record = bench.record();
    let mut kept = BTreeSet::new();
    for found in &record.operators {
        let name = found.profile.as_ref().unwrap().trace_file.clone().unwrap();
        let events: Value =
            serde_json::from_slice(&fs::read(bench.path("run").join(name.exact())).unwrap())
                .unwrap();
        let is_event =
            |event: &Value| event["ph"] == "X" && event["ts"].is_u64() && event["dur"].is_u64();
        assert!(events.as_array().unwrap().iter().all(is_event));
        kept.insert(name);
    }
    let files = fs::read_dir(bench.path("run/traces")).unwrap();
    let files =
        files.map(|entry| format!("traces/{}", entry.unwrap().file_name().to_string_lossy()));
    assert_eq!(files.map(Into::into).collect::<BTreeSet<_>>(), kept);
    assert!(kept.contains(&"traces/int8-static-batch1.json".into()));
    let trace = bench.path("run/traces/fp32-batch1.json");
    Onnxprof::new()
        .arg("trace")
        .arg(trace)
        .run()
        .assert_code(0)
        .assert_stdout("FusedGemm");
}

#[test]
fn report_and_table_of_operators_are_written() {
    let bench = Workbench::new();
    let output = bench.profile(&model("digits"), ["--batch", "1"]).run();
    output.assert_code(0);
    bench
        .report()
        .assert_stdout("Operators: where does the time go at batch size 1?");
    let record = bench.record();
    let report = fs::read_to_string(bench.path("run/report.md")).unwrap();
    assert!(report.contains("### Operators of int8-dynamic") && report.contains("ui.perfetto.dev"));
    let table = fs::read_to_string(bench.path("run/operators.csv")).unwrap();
    let nodes: usize = record
        .operators
        .iter()
        .map(|found| found.profile.as_ref().unwrap().nodes.len())
        .sum();
    assert_eq!(table.lines().count(), 1 + nodes);
}

#[test]
fn scripted_sessions_have_no_operators() {
    let bench = Workbench::new();
    bench.copy("fixtures/one-node.onnx", "a.onnx");
    let script = json!({ "a": { "fixed_ns": 100_000 } });
    bench
        .scripted(&bench.path("a.onnx"), &script, QUICK)
        .args(["--batch", "1"])
        .run()
        .assert_code(0);
    assert!(bench.record().operators.is_empty());
    assert!(!bench.path("run/operators.csv").exists() && !bench.path("run/traces").exists());
}

#[test]
fn session_that_cannot_be_profiled_is_measured_all_the_same() {
    let bench = Workbench::new();
    let program = env!("CARGO_BIN_EXE_onnxprof");
    let deaf = bench.worker(&format!(
        r#"sed -u 's/"request":"profile"/"request":"none"/' | {{ {program} worker; kill $$; }}"#
    ));
    let profile = bench.profile(&model("fixtures/one-node.onnx"), ["--batch", "1"]);
    let output = profile.env("ONNXPROF_WORKER", deaf).run();
    output
        .assert_code(PARTIAL)
        .assert_stderr("the operators of one-node are not known: the process was ended");
    let record = bench.record();
    assert!(record.cells[0].outcome.is_ok());
    assert!(
        record.operators.iter().all(|found| found.profile.is_err()),
        "{:?}",
        record.operators
    );
    let report = fs::read_to_string(bench.path("run/report.md")).unwrap();
    assert!(
        report.contains("At batch size 1: not measured: the process was ended"),
        "{report}"
    );
}

/// The record of digits with profiles made by hand: nodes of all kinds, names from hell, and one
/// that is absent.
fn by_hand() -> RunRecord {
    let mut record = record::digits();
    let node = |name: &str, operator: &str, time_ns: u64| {
        json!({
            "name": name, "node_index": 3, "operator": operator, "execution_provider": "CPUExecutionProvider",
            "calls_count": 40, "time_ns": time_ns,
            "inputs": [{ "element_type": "float", "dims": [1, 32, 8, 8] }], "outputs": null,
            "activation_bytes": 8192, "parameter_bytes": 1280, "output_bytes": 16384, "arena_peak_bytes": 1_048_576,
        })
    };
    let hostile = "<script>alert(\"1\")</script>\n\u{1b}[31m|x|";
    let mut nodes = vec![
        node("conv", "Conv", 40_000),
        node("", "Cast", 5_000),
        node(hostile, hostile, 2_000),
    ];
    nodes.extend((0..12).map(|number| {
        node(
            &format!("relu_{number}"),
            &format!("Op{number}"),
            1_000 - number,
        )
    }));
    let profiled = json!({
        "inferences_count": 40, "disturbed_inferences_count": 2, "inference_ns": 61_000, "mean_inference_ns": 62_000,
        "unprofiled_ns": 58_000, "distortion_ratios": [1.05, 1.06, 1.04, 1.05, 1.07, 1.05], "complete": true,
        "unreadable_events_count": 1, "trace_file": "traces/fp32-batch1.json", "nodes": nodes,
    });
    let profile = |session: usize, batch_size: u64, profile: Value| -> OperatorProfile {
        serde_json::from_value(
            json!({ "session": session, "batch_size": batch_size, "profile": profile }),
        )
        .unwrap()
    };
    record.operators = vec![
        profile(0, 1, json!({ "Ok": profiled })),
        profile(0, 8, json!({ "Ok": profiled })),
        profile(1, 1, json!({ "Err": "there was no time left for it" })),
    ];
    record
}

#[test]
fn operators_are_shown_with_their_shares_and_harmless_names() {
    let record = by_hand();
    let findings = analysis::findings(&record);
    let view = Report::new(&record, &findings);
    let markdown = report::markdown(&view).unwrap();
    let (_, section) = markdown.split_once("### Operators of").unwrap();
    let (section, _) = section.split_once("## Optimization Strategy").unwrap();
    insta::assert_snapshot!("operators_markdown", format!("### Operators of{section}"));
    let terminal = report::terminal(&view, None, Color::Never);
    let (_, summary) = terminal.split_once("Operators: ").unwrap();
    let (summary, _) = summary.split_once("\n\n").unwrap();
    insta::assert_snapshot!("operators_terminal", summary);
    assert!(summary.lines().all(|line| line.chars().count() <= 100));
    let csv =
        String::from_utf8(export::operators_csv(&record, export::Names::Guarded).unwrap()).unwrap();
    insta::assert_snapshot!(
        "operators_csv",
        csv.lines().take(4).collect::<Vec<_>>().join("\n")
    );
    for text in [markdown, terminal, csv] {
        assert!(!text.contains('\u{1b}'));
    }
}

#[test]
fn time_between_nodes_is_found() {
    let record = by_hand();
    let found = Breakdown::of(profiled(&record, 0, 1));
    let Rest::Between { portion, .. } = found.rest else {
        panic!("{:?}", found.rest)
    };
    assert_eq!(
        portion.time_ns.0,
        62_000 - 40_000 - 5_000 - 2_000 - (12_000 - 66)
    );
}

/// `by_hand` with profiles of two sessions that the profiler slowed down by so much.
fn slowed(times: f64) -> RunRecord {
    let mut record = by_hand();
    let mut profile = record.operators[0].clone();
    profile.session = 1;
    let profiled = profile.profile.as_mut().unwrap();
    profiled.unprofiled_ns = Some(Nanos((62_000.0 / times) as u64));
    profiled.distortion_ratios = vec![times; 6];
    record.operators[2] = profile;
    record
}

#[test]
fn bars_of_operators_end_at_the_median_and_hold_what_is_sure() {
    let record = slowed(2.5);
    let findings = analysis::findings(&record);
    let report = Report::new(&record, &findings);
    let topic = shown::charts(&report, "operators");
    let chart = &topic.charts[0];
    let mut colors: Vec<usize> = chart.series.iter().map(|series| series.color % 8).collect();
    colors.sort_unstable();
    colors.dedup();
    assert_eq!(colors.len(), chart.series.len(), "each part has its own");
    for (row, found) in [(0.0, 0), (1.0, 2)] {
        let breakdown = findings.causes.operators[found].breakdown.as_ref().unwrap();
        let points = chart.series.iter().flat_map(|series| &series.points);
        let end = points
            .filter(|point| point.y == row)
            .map(|point| point.x)
            .fold(0.0, f64::max);
        let median_us = breakdown.inference_ns.as_f64() / 1e3;
        assert!((end - median_us).abs() < 0.01, "{end}, not {median_us}");
        let ranges = breakdown.by_operator.iter();
        let is_any = ranges.clone().any(|one| one.portion.bounds.is_some());
        assert_eq!(is_any, found == 2, "{breakdown:?}");
    }
    let text = report::terminal(&report, None, Color::Never);
    let (_, table) = text.split_once("Operators: where").unwrap();
    assert!(table.contains("Conv ") && table.contains(" to "), "{table}");
}

#[test]
fn operators_of_which_nothing_is_sure_are_not_drawn() {
    let mut record = slowed(20.0);
    // Nothing ran without the profiler beside it, and a timed inference is far shorter.
    let profiled = record.operators[2].profile.as_mut().unwrap();
    profiled.unprofiled_ns = None;
    profiled.distortion_ratios.clear();
    profiled.mean_inference_ns = Nanos(1_000_000_000);
    let report = Report::new(&record, &analysis::findings(&record));
    let topic = shown::charts(&report, "operators");
    let reason = "which leaves nothing sure of its operators";
    assert!(
        topic
            .left_out
            .iter()
            .any(|left_out| left_out.contains(reason)),
        "{:?}",
        topic.left_out
    );
    assert_eq!(topic.charts.len(), 1);
    let text = report::markdown(&report).unwrap();
    assert!(text.contains(reason), "{text}");
}
