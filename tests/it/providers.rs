//! Execution providers and runtimes side by side.

use std::collections::BTreeMap;
use std::fs;

use onnxprof::analysis;
use onnxprof::plan::{Binding, RuntimeChoice};
use onnxprof::provider;
use onnxprof::record::{
    Placement, PlacementRecord, PlacementSource, ProviderNodes, RunRecord, RuntimeInfo,
};
use onnxprof::report::{self, Color, Report};
use onnxprof::units::{Nanos, Ratio};
use serde_json::json;

use crate::support::{BAD_INPUT, Onnxprof, Output, PARTIAL, model, record, shown};
use crate::workbench::{QUICK, Workbench};

const CPU: &str = "cpu@1.31.1";
const OPENVINO: &str = "openvino@1.24.1";

fn labels(record: &RunRecord) -> Vec<String> {
    (0..record.plan.sessions.len())
        .map(|session| record.session_label(session))
        .collect()
}

/// Two models on two scripted runtimes, only the second of which has CUDA.
fn scripted(words: &[&str]) -> (Workbench, Output) {
    let bench = Workbench::new();
    for name in ["family/a.onnx", "family/b.onnx"] {
        bench.copy("fixtures/one-node.onnx", name);
    }
    let variants = json!({ "a": { "fixed_ns": 100_000 }, "b": { "fixed_ns": 150_000 } });
    let with_cuda =
        json!({ "variants": variants, "execution_providers": ["CUDAExecutionProvider"] });
    let other = bench.write("cuda.json", with_cuda.to_string());
    let other = format!("script:{}", other.display());
    let output = bench
        .scripted(&bench.path("family"), &variants, QUICK)
        .args(["--batch", "1", "--runtime", &other])
        .args(words)
        .run();
    (bench, output)
}

#[test]
fn every_combination_that_exists_is_a_session() {
    let (bench, output) = scripted(&["--ep", "cpu,cuda", "--bind", "host,device"]);
    output
        .assert_code(0)
        .assert_stderr("note: `CUDAExecutionProvider` is not measured on ONNX Runtime script");
    let record = bench.record();
    assert_eq!(
        labels(&record),
        [
            "a (cpu, script.json, host-bound)",
            "b (cpu, script.json, host-bound)",
            "a (cpu, cuda.json, host-bound)",
            "b (cpu, cuda.json, host-bound)",
            "a (cuda, cuda.json, host-bound)",
            "b (cuda, cuda.json, host-bound)",
            "a (cuda, cuda.json, device-bound)",
            "b (cuda, cuda.json, device-bound)",
        ]
    );
    assert_eq!(record.plan.baseline_session(), Some(0));
    assert!(
        record.cells.len() == 8 && record.cells.iter().all(|cell| cell.outcome.is_ok()),
        "{output}"
    );
    assert_eq!(
        record
            .notes
            .iter()
            .filter(|note| note.contains("is not measured on"))
            .count(),
        1
    );
}

#[test]
fn every_runtime_of_the_plan_is_in_the_record_once() {
    let files = |words: &[&str]| {
        let (bench, output) = scripted(words);
        output.assert_code(0);
        let record = bench.record();
        assert!(
            record
                .runtimes
                .iter()
                .all(|runtime| runtime.found_by == "given by --runtime")
        );
        let names = record.runtimes.iter().map(|runtime| {
            runtime
                .path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        });
        (names.collect::<Vec<_>>(), labels(&record))
    };
    let names = [
        "a (script.json)",
        "b (script.json)",
        "a (cuda.json)",
        "b (cuda.json)",
    ]
    .map(str::to_owned)
    .to_vec();
    assert_eq!(
        files(&["--ep", "cpu"]),
        (vec!["script.json".into(), "cuda.json".into()], names)
    );
    // The first one does not have it.
    assert_eq!(
        files(&["--ep", "cuda"]),
        (vec!["cuda.json".into()], vec!["a".into(), "b".into()])
    );
}

#[test]
fn files_for_machines_name_execution_providers_as_onnx_runtime_does() {
    let (bench, output) = scripted(&["--ep", "cpu,cuda", "--bind", "host,device"]);
    output.assert_code(0);
    bench
        .report()
        .assert_stdout("a (cuda, cuda.json, device-bound)");
    let cells = fs::read_to_string(bench.path("run/cells.csv")).unwrap();
    let of_device = cells
        .lines()
        .filter(|line| line.ends_with(",script,device,"))
        .collect::<Vec<_>>();
    assert!(
        !of_device.is_empty()
            && of_device
                .iter()
                .all(|line| line.contains(",CUDAExecutionProvider,"))
    );
}

#[test]
fn labels_name_what_differs_and_runtimes_by_their_version() {
    let mut run = record::digits();
    let cpu = run.plan.sessions[0].clone();
    let library = |path: &str| RuntimeChoice::Library(path.into());
    let known = |path: &str, version: &str, names: &[&str]| RuntimeInfo {
        path: path.into(),
        version: version.into(),
        build_info: String::new(),
        execution_providers: names
            .iter()
            .map(|name| provider::identifier(name).into())
            .collect(),
        found_by: String::new().into(),
    };
    let session = |path: &str, name: &str| {
        let mut session = cpu.clone();
        session.runtime = library(path);
        session.execution_provider = provider::identifier(name).into();
        session
    };
    run.plan.sessions = vec![
        session("/a.so", "cpu"),
        session("/b.so", "cpu"),
        session("/b.so", "openvino"),
    ];
    run.runtimes = vec![
        known("/a.so", "1.31.1", &["cpu"]),
        known("/b.so", "1.24.1", &["openvino", "cpu"]),
    ];
    assert_eq!(
        labels(&run),
        [
            "fp32 (cpu, 1.31.1)",
            "fp32 (cpu, 1.24.1)",
            "fp32 (openvino, 1.24.1)"
        ]
    );
    run.runtimes[1].version = "1.31.1".into();
    assert_eq!(
        labels(&run)[1..],
        [
            "fp32 (cpu, 1.31.1 openvino)",
            "fp32 (openvino, 1.31.1 openvino)"
        ]
    );
    run.runtimes.clear();
    assert_eq!(labels(&run)[0], "fp32 (cpu, a.so)");
}

#[test]
fn where_the_nodes_ran_stands_in_the_report() {
    let mut run = record::digits();
    run.plan.sessions[1].execution_provider = provider::identifier("cuda").into();
    let on = |name: &str, operator: &str, nodes_count: u64, share: f64| ProviderNodes {
        execution_provider: provider::identifier(name).into(),
        nodes_count,
        operators: BTreeMap::from([(operator.into(), nodes_count)]),
        time_ns: Some(Nanos((share * 1e6) as u64)),
        time_ratio: Some(Ratio(share)),
    };
    run.placements.push(PlacementRecord {
        session: 1,
        placement: Placement {
            source: PlacementSource::Assignment,
            providers: vec![on("cuda", "Gemm", 12, 0.75), on("cpu", "Shape", 2, 0.25)],
            copies: Some(Vec::new()),
            profiled_inferences_count: Some(5),
        },
    });
    let text = report::terminal(
        &Report::new(&run, &analysis::findings(&run)),
        None,
        Color::Never,
    );
    assert!(
        text.contains(
            "Where the nodes ran\n  fp16: cuda: 12 of 14 nodes, 75% of the host's time of all nodes; cpu: 2 of 14 nodes"
        ),
        "{text}"
    );
}

#[test]
fn cost_of_copies_is_the_difference_of_the_two_bindings() {
    let mut run = record::digits();
    let medians = |run: &RunRecord| {
        let findings = analysis::findings(run);
        [0, 1].map(|session| {
            findings
                .cells
                .iter()
                .find(|cell| cell.key.session == session)
                .unwrap()
                .clone()
        })
    };
    let [fast, slow] =
        medians(&run).map(|cell| cell.value(onnxprof::metric::Metric::LatencyP50).unwrap());
    assert!(fast < slow);
    for (session, binding) in [(0, Binding::Device), (1, Binding::Host)] {
        run.plan.sessions[session].variant = 0;
        run.plan.sessions[session].execution_provider = provider::identifier("cuda").into();
        run.plan.sessions[session].binding = binding;
    }
    let placement = shown::items(
        &Report::new(&run, &analysis::findings(&run)),
        "configuration",
    );
    let cost = placement
        .iter()
        .find(|item| item.label == "Copies of fp32 (host-bound)")
        .unwrap();
    let shown = |latency: f64| {
        onnxprof::report::view::number::value(onnxprof::metric::Unit::Ns, latency, None)
    };
    let expected = format!("{} of {} at batch 1, ", shown(slow - fast), shown(slow));
    assert!(
        cost.text.starts_with(&expected) && cost.text.contains("difference"),
        "{} / {expected}",
        cost.text
    );
    // Two launches have no interval, so that the difference may be chance.
    run.blocks.retain(|block| block.round < 2);
    let placement = shown::items(
        &Report::new(&run, &analysis::findings(&run)),
        "configuration",
    );
    let cost = placement
        .iter()
        .find(|item| item.label == "Copies of fp32 (host-bound)")
        .unwrap();
    assert!(
        cost.text.starts_with("not shown to be anything of "),
        "{}",
        cost.text
    );
}

/// Profiles on the OpenVINO build, which is installed into the shared cache if it is not there.
fn on_openvino(file: &str, words: &[&str]) -> (Workbench, Output) {
    let bench = Workbench::new();
    let output = Onnxprof::new()
        .arg("profile")
        .arg(model(file))
        .arg("--out")
        .arg(bench.run_folder())
        .args(QUICK)
        .args(words)
        .run();
    (bench, output)
}

/// Where the nodes of the only placed session ran, by short name.
fn placed(record: &RunRecord) -> (PlacementSource, BTreeMap<String, u64>) {
    let [placed] = record.placements.as_slice() else {
        panic!("{:?}", record.placements)
    };
    let placement = &placed.placement;
    assert!(
        placement
            .providers
            .iter()
            .all(|nodes| nodes.time_ratio.is_some()),
        "{placement:?}"
    );
    let nodes = placement.providers.iter().map(|nodes| {
        (
            provider::short_name(nodes.execution_provider.exact()),
            nodes.nodes_count,
        )
    });
    (placement.source, nodes.collect())
}

#[test]
fn openvino_runs_beside_the_cpu_of_another_runtime() {
    let runtimes = format!("{CPU},{OPENVINO}");
    let words = [
        "--batch",
        "1,2",
        "--runtime",
        &runtimes,
        "--ep",
        "cpu,openvino",
    ];
    let (bench, output) = on_openvino("digits/digits-fp32.onnx", &words);
    output
        .assert_code(0)
        .assert_stderr("note: `OpenVINOExecutionProvider` is not measured on ONNX Runtime 1.31.1");
    bench.report().assert_stdout("Where the nodes ran");
    let record = bench.record();
    let names = [
        "digits-fp32 (cpu, 1.31.1)",
        "digits-fp32 (cpu, 1.24.1)",
        "digits-fp32 (openvino, 1.24.1)",
    ];
    assert_eq!(labels(&record), names);
    assert!(
        record.cells.iter().all(|cell| cell.outcome.is_ok()),
        "{output}"
    );
    assert!(
        record
            .accuracy
            .iter()
            .all(|accuracy| accuracy.outcome.is_ok()),
        "{:?}",
        record.accuracy
    );
    let (source, nodes) = placed(&record);
    assert_eq!(
        (source, record.placements[0].session),
        (PlacementSource::Assignment, 2)
    );
    assert_eq!(nodes.keys().collect::<Vec<_>>(), ["openvino"]);
    let launch = record
        .launches
        .iter()
        .find(|launch| launch.session == 2)
        .unwrap();
    let effective = launch.effective.as_ref().unwrap();
    assert_eq!(
        effective.execution_providers,
        ["OpenVINOExecutionProvider", "CPUExecutionProvider"]
    );
    let threads = record.plan.sessions[2].options.intra_threads.to_string();
    assert_eq!(
        effective.provider_options[&"num_of_threads".into()],
        threads
    );
}

#[test]
fn partial_fallback_is_told_and_can_be_refused() {
    let mixed = "fixtures/mixed-types.onnx";
    let words = ["--batch", "1", "--runtime", OPENVINO, "--ep", "openvino"];
    let (bench, output) = on_openvino(mixed, &words);
    output.assert_code(0);
    bench
        .report()
        .assert_stdout("Where the nodes ran")
        .assert_stdout("cpu: ");
    assert_eq!(
        placed(&bench.record()).1.into_keys().collect::<Vec<_>>(),
        ["cpu", "openvino"]
    );
    let (_, output) = on_openvino(mixed, &[words.as_slice(), &["--require-ep"]].concat());
    output.assert_error(
        BAD_INPUT,
        "on `OpenVINOExecutionProvider`: This session contains",
        "`--require-ep`",
    );
}

#[test]
fn session_whose_nodes_all_fell_back_has_no_figures() {
    let words = [
        "--batch",
        "1",
        "--runtime",
        OPENVINO,
        "--ep",
        "openvino,cpu",
    ];
    let (bench, output) = on_openvino("fixtures/sklearn-string-labels.onnx", &words);
    output
        .assert_code(PARTIAL)
        .assert_stderr("fell back from `OpenVINOExecutionProvider` to `CPUExecutionProvider`");
    let record = bench.record();
    assert!(
        record.placements.is_empty() && record.blocks.iter().all(|block| block.key.session == 1)
    );
}

#[test]
fn library_that_keeps_no_account_is_asked_through_its_profiler() {
    let declined = "session.record_ep_graph_assignment_info=0";
    let words = [
        "--batch",
        "1",
        "--runtime",
        OPENVINO,
        "--ep",
        "openvino",
        "--session-config",
        declined,
    ];
    let (bench, output) = on_openvino("digits/digits-fp32.onnx", &words);
    output.assert_code(0);
    // A compiled subgraph runs as one node.
    assert_eq!(
        placed(&bench.record()),
        (
            PlacementSource::Profile,
            BTreeMap::from([("openvino".to_owned(), 1)])
        )
    );
}

#[test]
fn words_of_an_execution_provider_that_rejects_an_option_are_shown() {
    let words = ["--batch", "1", "--runtime", OPENVINO, "--ep", "openvino"];
    let digits = "digits/digits-fp32.onnx";
    let (_, output) = on_openvino(
        digits,
        &[words.as_slice(), &["--ep-option", "no_such_key=1"]].concat(),
    );
    output.assert_error(
        BAD_INPUT,
        "Invalid provider_option key: no_such_key",
        "`--ep-option`",
    );
    let (_, output) = on_openvino(digits, &[words.as_slice(), &["--device", "7"]].concat());
    output.assert_error(BAD_INPUT, "Device GPU.7 is not available", "`--device`");
}
