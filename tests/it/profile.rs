//! What a good run writes down.

use std::fs;
use std::path::Path;

use onnxprof::plan::{ExecutionMode, GraphOptimization, LoadMode, PageCache, Pin};
use onnxprof::record::{EndReason, RunRecord, SizeSource, json_schema};
use onnxprof::stats::Latencies;
use onnxprof::text::Plain;

use crate::support::model;
use crate::workbench::{Workbench, cell};

const ONE_NODE: &str = "fixtures/one-node.onnx";

/// Profiles a model and returns what was written down.
#[track_caller]
fn record(bench: &Workbench, model: &Path, words: &[&str]) -> RunRecord {
    bench.profile(model, words).run().assert_code(0);
    bench.record()
}

/// Profiles the one-node model at batch size 1.
#[track_caller]
fn one_node(words: &[&str]) -> RunRecord {
    record(
        &Workbench::new(),
        &model(ONE_NODE),
        &[&["--batch", "1"], words].concat(),
    )
}

/// Profiles a fixture beside a copy of it, at batch size 1: two variants, whose outputs are
/// compared.
#[track_caller]
fn beside_a_copy(name: &str) -> RunRecord {
    let bench = Workbench::new();
    let copy = bench.copy(name, "copy.onnx");
    bench
        .profile(&model(name), ["--batch", "1"])
        .arg(copy)
        .run()
        .assert_code(0);
    bench.record()
}

/// Profiles a fixture at batch sizes 1 and 2; all that the model takes must be measured.
#[track_caller]
fn profiles(name: &str) {
    let record = record(
        &Workbench::new(),
        &model("fixtures").join(name),
        &["--batch", "1,2,4"],
    );
    assert!(
        record.cells.iter().any(|cell| cell.outcome.is_ok()),
        "{name}"
    );
    assert!(
        record
            .accuracy
            .iter()
            .all(|accuracy| accuracy.outcome.is_ok()),
        "{name}: {:?}",
        record.accuracy
    );
    assert!(
        record.launches.iter().all(|launch| launch.outcome.is_ok()),
        "{name}"
    );
    let mut timed = record
        .launches
        .iter()
        .filter(|launch| !launch.cells.is_empty());
    assert!(
        timed.all(|launch| launch.log_errors_count == Some(0)),
        "{name}"
    );
}

#[test]
fn every_fixture_is_profiled_without_a_failure() {
    let fixtures = fs::read_dir(model("fixtures"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let models: Vec<_> = fixtures
        .filter(|path| path.extension().is_some_and(|it| it == "onnx"))
        .collect();
    assert!(models.len() >= 15);
    for path in models {
        profiles(path.file_name().unwrap().to_str().unwrap());
    }
}

#[test]
fn folder_with_the_standard_s_test_data_is_fed_with_it() {
    let record = record(
        &Workbench::new(),
        &model("fixtures/onnx-test-data"),
        &["--batch", "1,2"],
    );
    let dataset = record.dataset.unwrap();
    assert!(dataset.has_expected_outputs);
    assert_eq!(dataset.samples_count, 7);
    assert_eq!(
        record.accuracy[0].reference.as_ref().map(Plain::exact),
        Some("expected outputs")
    );
}

#[test]
fn nan_outputs_are_a_finding_and_no_failure() {
    let record = beside_a_copy("fixtures/broken/nan-output.onnx");
    assert!(record.cells[0].outcome.is_ok() && record.accuracy[0].outcome.is_ok());
    assert!(
        record.accuracy[0].outputs[0].nan_count > 0,
        "{:?}",
        record.accuracy[0].outputs
    );
}

#[test]
fn run_writes_a_record_that_its_schema_describes() {
    let bench = Workbench::new();
    record(&bench, &model("digits"), &["--batch", "1,2"]);
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(bench.path("run/run.json")).unwrap()).unwrap();
    let schema = serde_json::to_value(json_schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&json)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn finished_run_leaves_its_record_and_logs_and_nothing_temporary() {
    let bench = Workbench::new();
    let record = record(&bench, &model("digits"), &["--batch", "1"]);
    let names = fs::read_dir(bench.run_folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.collect();
    assert!(names.contains(&"run.json".to_owned()) && names.contains(&"logs".to_owned()));
    assert!(
        !names
            .iter()
            .any(|name| name.starts_with('.') || name == "journal.jsonl"),
        "{names:?}"
    );
    for variant in &record.plan.variants {
        assert!(
            bench
                .path("run/logs")
                .join(format!("{}.log", variant.name))
                .exists()
        );
    }
}

#[test]
fn record_holds_every_figure_of_a_launch_and_a_cell() {
    let bench = Workbench::new();
    let record = record(&bench, &model("digits"), &["--batch", "1,2"]);
    assert_eq!(record.run.ended_by, Some(EndReason::RoundsDone));
    assert!(record.run.elapsed_ns.is_some() && record.run.sampling_cost_ns.is_some());
    assert!(record.run.harness_cost_ns.is_some() && record.run.parent_peak_memory_bytes.is_some());
    assert_eq!(record.plan.variants[record.plan.baseline].name, "fp32");
    assert!(record.variants.iter().all(|variant| {
        variant
            .sha256
            .as_ref()
            .is_some_and(|sum| sum.exact().len() == 64)
    }));
    assert_eq!(record.runtimes.len(), 1);
    for session in 0..record.plan.sessions.len() {
        let launch = record
            .launches
            .iter()
            .find(|launch| launch.session == session && !launch.cells.is_empty())
            .unwrap();
        assert!(
            launch.runtime_start_ns.is_some()
                && launch.session_load_ns.is_some()
                && launch.first_run_ns.is_some()
        );
        assert!(
            launch.before_load_memory_bytes.is_some() && launch.after_load_memory_bytes.is_some()
        );
        assert!(
            launch
                .cells
                .iter()
                .all(|cell| cell.peak_memory_bytes.is_some() && cell.arena.is_ok())
        );
        assert_eq!(launch.cells.len(), 2);
    }
    for cell in &record.cells {
        let blocks = record.blocks.iter().filter(|block| block.key == cell.key);
        let timed: u64 = blocks.map(|block| block.inferences_count).sum();
        let latencies = Latencies::decode(cell.latency_histogram.as_ref().unwrap()).unwrap();
        assert_eq!(latencies.count(), timed);
        let launches = record
            .launches
            .iter()
            .filter(|launch| launch.session == cell.key.session);
        let cells = launches
            .flat_map(|launch| &launch.cells)
            .filter(|of| of.batch_size == cell.key.batch_size);
        let mut of_launches = Latencies::new();
        for text in cells.filter_map(|of| of.latency_histogram.as_ref()) {
            of_launches.merge(&Latencies::decode(text).unwrap());
        }
        assert_eq!(of_launches, latencies);
        assert!(timed >= 3);
    }
    assert_eq!(record.accuracy.len(), 4);
    assert!(
        record
            .accuracy
            .iter()
            .all(|accuracy| accuracy.samples_count == 597)
    );
}

#[test]
fn each_thread_of_a_session_gets_a_cpu_where_that_is_asked_for() {
    let record = one_node(&["--intra-threads", "2", "--pin", "each"]);
    assert_eq!(record.plan.schedule.pin, Pin::Each);
    let effective = record.launches[0].effective.as_ref().unwrap();
    let has_room = effective.cpus.len() == 2;
    assert_eq!(effective.has_cpu_per_thread, has_room, "{effective:?}");
    let shared = one_node(&["--intra-threads", "2"]);
    let effective = shared.launches[0].effective.as_ref().unwrap();
    assert!(!effective.has_cpu_per_thread, "{effective:?}");
    if !has_room {
        eprintln!("skipped: this machine has one CPU");
    }
}

#[test]
fn log_lines_that_a_launch_did_not_count_are_absent() {
    let record = beside_a_copy(ONE_NODE);
    for launch in &record.launches {
        let told = launch.log_warnings_count.is_some() && launch.log_errors_count.is_some();
        assert_eq!(told, !launch.cells.is_empty(), "launch {}", launch.launch);
    }
    assert!(record.launches.iter().any(|launch| launch.cells.is_empty()));
}

#[test]
fn threads_and_cpus_are_read_back() {
    let record = one_node(&["--intra-threads", "1", "--pin", "0"]);
    assert_eq!(record.plan.sessions[0].options.intra_threads, 1);
    assert_eq!(record.plan.schedule.pin, Pin::Cpus(vec![0]));
    let effective = record.launches[0].effective.as_ref().unwrap();
    assert_eq!(effective.cpus, [0]);
    assert_eq!(
        effective.threads_after_load_count.unwrap(),
        effective.threads_before_load_count.unwrap()
    );
    assert_eq!(effective.execution_providers, ["CPUExecutionProvider"]);
}

#[test]
fn threads_of_a_session_default_to_the_cpus_that_it_is_pinned_to() {
    let record = one_node(&["--pin", "0"]);
    assert_eq!(record.plan.sessions[0].options.intra_threads, 1);
}

#[test]
fn more_threads_than_cpus_are_noted() {
    let record = one_node(&["--pin", "0", "--intra-threads", "3"]);
    let effective = record.launches[0].effective.as_ref().unwrap();
    assert_eq!(
        effective.threads_after_load_count.unwrap() - effective.threads_before_load_count.unwrap(),
        2
    );
    assert_eq!(
        record.notes,
        ["3 intra-op threads share 1 CPU(s): latencies will be unsteady"]
    );
}

#[test]
fn unpinned_workers_may_use_every_cpu() {
    let record = one_node(&["--pin", "none"]);
    assert_eq!(
        record.launches[0].effective.as_ref().unwrap().cpus,
        record.host.affinity_cpus
    );
}

#[test]
fn session_options_are_in_the_record_as_they_took_effect() {
    let words = [
        "--execution-mode",
        "parallel",
        "--inter-threads",
        "2",
        "--graph-optimization",
        "disable",
    ];
    let config = [
        "--allow-spinning",
        "false",
        "--session-config",
        "session.disable_prepacking=1",
        "--ep",
        "cpu",
    ];
    let record = one_node(&[words.as_slice(), &config].concat());
    let options = &record.plan.sessions[0].options;
    assert_eq!(options.execution_mode, ExecutionMode::Parallel);
    assert_eq!(options.inter_threads, 2);
    assert_eq!(options.graph_optimization, GraphOptimization::Disable);
    assert_eq!(
        record.plan.sessions[0].execution_provider,
        "CPUExecutionProvider"
    );
    let effective = &record.launches[0]
        .effective
        .as_ref()
        .unwrap()
        .session_config;
    let entry = |key: &str| effective.get(&key.into()).map(|value| value.exact());
    assert_eq!(entry("session.disable_prepacking"), Some("1"));
    assert_eq!(entry("session.intra_op.allow_spinning"), Some("0"));
    assert_eq!(entry("session.inter_op.allow_spinning"), Some("0"));
    assert_eq!(record.notes, Vec::<String>::new());
}

#[test]
fn session_configuration_that_the_library_does_not_know_is_noted() {
    let bench = Workbench::new();
    let words = ["--batch", "1", "--session-config", "session.no_such_key=1"];
    let output = bench.profile(&model(ONE_NODE), words).run();
    output
        .assert_code(0)
        .assert_stderr("note: session configuration `session.no_such_key` has no effect");
    assert_eq!(bench.record().notes.len(), 1);
}

#[test]
fn inter_op_threads_without_parallel_execution_are_noted() {
    let record = one_node(&["--inter-threads", "2"]);
    assert_eq!(
        record.notes,
        ["`--inter-threads` has no effect without `--execution-mode parallel`"]
    );
}

#[test]
fn every_concurrency_is_a_cell_of_its_own() {
    let record = one_node(&["--concurrency", "2,1"]);
    let modes: Vec<LoadMode> = record.cells.iter().map(|cell| cell.key.load_mode).collect();
    assert_eq!(
        modes,
        [1, 2].map(|concurrency| LoadMode::Closed { concurrency })
    );
    assert!(record.cells.iter().all(|cell| cell.outcome.is_ok()));
}

#[test]
fn schedule_is_followed_and_recorded() {
    let bench = Workbench::new();
    let words = [
        "--batch",
        "2,1",
        "--seed",
        "7",
        "--rounds",
        "3",
        "--alternations",
        "2",
        "--block",
        "1ms",
    ];
    for name in ["a", "b"] {
        bench.copy(ONE_NODE, &format!("models/{name}.onnx"));
    }
    let variants = serde_json::json!({ "a": { "fixed_ns": 1_000_000 }, "b": { "fixed_ns": 2_000_000, "per_sample_ns": 500_000 } });
    bench
        .scripted(&bench.path("models"), &variants, words)
        .args(["--baseline", "b"])
        .run()
        .assert_code(0);
    let record = bench.record();
    assert_eq!(record.plan.variants[record.plan.baseline].name, "b");
    assert_eq!(record.plan.batch_sizes, [1, 2]);
    assert_eq!(record.plan.schedule.seed, 7);
    assert_eq!(record.launches.len(), 3 * 2);
    let undisturbed = |block: &&onnxprof::record::BlockRecord| block.disturbances.is_empty();
    let blocks: Vec<_> = record.blocks.iter().filter(undisturbed).collect();
    assert!(blocks.len() <= 3 * 2 * 2 * 2);
    let slow = record
        .blocks
        .iter()
        .filter(|block| block.key == cell(&record, "b", 2).key);
    assert!(slow.clone().count() >= 3 * 2);
    // A histogram of three significant digits rounds.
    assert!(
        slow.into_iter()
            .all(|block| block.median_ns.0.abs_diff(3_000_000) <= 3_000)
    );
}

#[test]
fn cold_loads_are_asked_for_in_the_record_and_noted_where_they_are_not_had() {
    let bench = Workbench::new();
    let record = record(
        &bench,
        &bench.copy(ONE_NODE, "m.onnx"),
        &["--batch", "1", "--cold"],
    );
    assert_eq!(record.plan.schedule.page_cache, PageCache::Cold);
    let read = |launch: &onnxprof::record::LaunchRecord| {
        launch
            .load_storage_read_bytes
            .is_some_and(|bytes| bytes.0 > 0)
    };
    let is_cold = record.launches.iter().all(read);
    assert_eq!(
        record
            .notes
            .iter()
            .any(|note| note.starts_with("loads are not cold")),
        !is_cold
    );
}

#[test]
fn quiet_run_says_nothing_on_stderr() {
    let bench = Workbench::new();
    let output = bench
        .profile(&model(ONE_NODE), ["--batch", "1", "--quiet"])
        .run();
    output.assert_code(0);
    assert_eq!(output.stderr, "", "{output}");
}

#[test]
fn dimension_that_takes_a_default_is_said_and_recorded() {
    let bench = Workbench::new();
    let output = bench
        .profile(
            &model("fixtures/bert-tiny-random-weights.onnx"),
            ["--batch", "1"],
        )
        .run();
    output.assert_code(0);
    assert!(
        output.stdout.contains("One prediction: ") && output.stdout.contains("[1, 128] (made up)"),
        "{output}"
    );
    let sources: Vec<SizeSource> = bench.record().variants[0].inputs[0].sources.clone();
    assert_eq!(sources, [SizeSource::Batch, SizeSource::MadeUp]);
}
