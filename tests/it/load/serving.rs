//! What a process serves of requests that arrive by themselves, asked as a run asks it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use onnxprof::plan::{
    Arrivals, Batcher, InputRequest, RuntimeChoice, Serving, SessionOptions, SessionSpec, Share,
};
use onnxprof::protocol::{Described, Request, Response, ServeRequest};
use onnxprof::record::{Failure, FailureKind, LoadRecord, Offer, ServedLoad};
use onnxprof::stats::Latencies;
use onnxprof::units::{Nanos, PerSecond};
use serde_json::{Value, json};

use crate::support::{Onnxprof, library, model};
use crate::workbench::Workbench;

const MS: u64 = 1_000_000;
const CPU: &str = "CPUExecutionProvider";

/// A process that is spoken to in lines.
struct Process {
    child: Child,
    requests: ChildStdin,
    responses: BufReader<ChildStdout>,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Process {
    fn start() -> Process {
        let mut child = Command::new(env!("CARGO_BIN_EXE_onnxprof"))
            .arg("worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut process = Process {
            requests: child.stdin.take().unwrap(),
            responses: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        process.hear();
        process
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.responses.read_line(&mut line).unwrap();
        line
    }

    fn ask(&mut self, request: &Request) -> Result<Response, Failure> {
        let line = serde_json::to_string(request).unwrap();
        writeln!(self.requests, "{line}").unwrap();
        match serde_json::from_str(&self.hear()).unwrap() {
            Response::Failed(failure) => Err(failure),
            response => Ok(response),
        }
    }
}

/// A model in a process that has loaded it.
struct Loaded {
    process: Process,
    model: PathBuf,
    spec: SessionSpec,
    described: Described,
}

fn loaded(model: &Path, runtime: RuntimeChoice, inputs: InputRequest) -> Loaded {
    let mut process = Process::start();
    let described = Request::Describe {
        model: model.to_owned(),
        inputs,
        shapes: Vec::new(),
    };
    let Ok(Response::Described(described)) = process.ask(&described) else {
        panic!("{} is not read", model.display())
    };
    let spec = SessionSpec {
        variant: 0,
        runtime: runtime.clone(),
        execution_provider: CPU.into(),
        provider: Default::default(),
        binding: Default::default(),
        options: SessionOptions::default(),
    };
    let open = Request::Open {
        runtime,
        execution_provider: CPU.into(),
        ep_library: None,
    };
    process.ask(&open).unwrap();
    let load = Request::Load {
        model: model.to_owned(),
        spec: Box::new(spec.clone()),
    };
    process.ask(&load).unwrap();
    Loaded {
        process,
        model: model.to_owned(),
        spec,
        described: *described,
    }
}

/// A model with the inputs of its data, if it has some.
fn real(name: &str, data: Option<&str>) -> Loaded {
    let inputs = InputRequest {
        data: data.map(model),
        ..InputRequest::default()
    };
    loaded(
        &model(name),
        RuntimeChoice::Library(library("1.31.1")),
        inputs,
    )
}

/// A variant whose latencies are played in real time; the script lies in the folder.
fn played(folder: &Path, variant: &Value) -> Loaded {
    let path = folder.join("script.json");
    let script = json!({ "variants": { "one-node": variant }, "real_time": true });
    std::fs::write(&path, script.to_string()).unwrap();
    loaded(
        &model("fixtures/one-node.onnx"),
        RuntimeChoice::Script(path),
        InputRequest::default(),
    )
}

impl Loaded {
    fn serve(&mut self, offer: Offer, serving: Serving) -> Result<ServedLoad, Failure> {
        let request = ServeRequest {
            model: self.model.clone(),
            spec: self.spec.clone(),
            inputs: self.described.inputs.clone(),
            arrivals: Arrivals::Poisson,
            offer,
            share: Share::WHOLE,
            serving,
            samples_count: 16,
            start_at_ns: None,
            windows_count: 10,
            random_outputs: Default::default(),
            limit_ns: Nanos(60_000 * MS),
        };
        match self.process.ask(&Request::Serve(Box::new(request)))? {
            Response::Served(served) => Ok(*served),
            other => panic!("{other:?}"),
        }
    }
}

fn offer(rate: f64, ms: u64) -> Offer {
    Offer::at(PerSecond(rate), Nanos(ms * MS), 3)
}

fn gathering(max_batch: u64) -> Serving {
    Serving {
        batcher: Some(Batcher {
            max_batch,
            max_delay_ns: Nanos(5 * MS),
            preferred: Vec::new(),
        }),
        ..Serving::single(None)
    }
}

/// All requests were answered, with the outputs that they have without load.
#[track_caller]
fn assert_right(load: &ServedLoad) {
    let counts = load.counts;
    assert_eq!(counts.offered, counts.completed, "{counts:?}");
    assert!(counts.completed > 0 && load.first_error.is_none());
    let integrity = load.integrity.as_ref().unwrap();
    assert!(
        integrity.checked > 0 && integrity.wrong == 0,
        "{integrity:?}"
    );
}

#[test]
fn requests_that_are_gathered_are_handed_their_own_outputs() {
    let mut digits = real("digits/digits-fp32.onnx", Some("digits/digits-test.npz"));
    let load = digits.serve(offer(2_000.0, 400), gathering(8)).unwrap();
    assert_right(&load);
    let larger = load.batches.iter().filter(|runs| runs.size > 1);
    assert!(larger.count() > 0, "{:?}", load.batches);
    let in_batches: u64 = load
        .batches
        .iter()
        .map(|runs| runs.size * runs.runs_count)
        .sum();
    assert_eq!(in_batches, load.counts.completed);
    // One sample after the other, by the same process.
    let alone = digits
        .serve(offer(500.0, 200), Serving::single(None))
        .unwrap();
    assert_right(&alone);
    let integrity = alone.integrity.unwrap();
    assert_eq!(integrity.same, integrity.checked);
}

#[test]
fn a_batch_of_fixed_size_is_filled_up() {
    let mut fixed = real("fixtures/fixed-batch.onnx", None);
    assert_right(&fixed.serve(offer(500.0, 200), gathering(2)).unwrap());
    assert_right(
        &fixed
            .serve(offer(500.0, 200), Serving::single(None))
            .unwrap(),
    );
    let refused = fixed.serve(offer(500.0, 200), gathering(64)).unwrap_err();
    assert_eq!(refused.kind, FailureKind::BadInput);
    let message = refused.message.exact();
    assert!(message.contains("batch dimension is fixed at"), "{message}");
}

#[test]
fn sessions_and_callers_share_the_requests() {
    let mut digits = real("digits/digits-fp32.onnx", Some("digits/digits-test.npz"));
    let serving = Serving {
        callers: 3,
        sessions: 2,
        ..gathering(4)
    };
    assert_right(&digits.serve(offer(1_000.0, 300), serving).unwrap());
}

#[test]
fn models_without_a_batch_are_served_one_by_one_and_not_gathered() {
    let inputs = InputRequest {
        batch_dim: Some("none".into()),
        ..InputRequest::default()
    };
    let runtime = RuntimeChoice::Library(library("1.31.1"));
    let mut digits = loaded(&model("digits/digits-fp32.onnx"), runtime, inputs);
    assert_right(
        &digits
            .serve(offer(500.0, 100), Serving::single(None))
            .unwrap(),
    );
    let refused = digits.serve(offer(500.0, 100), gathering(4)).unwrap_err();
    assert_eq!(refused.kind, FailureKind::BadInput);
    assert!(refused.hint.unwrap().exact().contains("--batcher"));
}

#[test]
fn strings_are_served_and_not_gathered() {
    let mut labels = real("fixtures/sklearn-string-labels.onnx", None);
    assert_right(
        &labels
            .serve(offer(300.0, 100), Serving::single(None))
            .unwrap(),
    );
    let refused = labels.serve(offer(300.0, 100), gathering(4)).unwrap_err();
    let message = refused.message.exact();
    assert!(
        message.contains("cannot be handed to each request"),
        "{message}"
    );
}

#[test]
fn a_stall_is_in_the_response_of_all_that_came_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let stall = json!({ "stall_at_ns": 100 * MS, "stall_ns": 100 * MS });
    let variant = json!({ "fixed_ns": MS / 2, "under_load": stall });
    let mut played = played(folder.path(), &variant);
    let load = played
        .serve(offer(500.0, 400), Serving::single(None))
        .unwrap();
    assert_right(&load);
    let longest = |windows: &[onnxprof::record::LoadWindow]| {
        windows
            .iter()
            .filter_map(|window| window.response_max_ns)
            .max()
    };
    assert!(
        longest(&load.windows) > Some(Nanos(80 * MS)),
        "{:?}",
        load.windows
    );
    assert!(load.windows.iter().any(|window| window.queue > 10));
}

#[test]
fn a_full_queue_rejects_and_corruption_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let variant = json!({ "fixed_ns": 2 * MS, "under_load": { "corrupt_every": 2 } });
    let mut played = played(folder.path(), &variant);
    let load = played
        .serve(offer(1_000.0, 500), Serving::single(Some(4)))
        .unwrap();
    let counts = load.counts;
    assert!(counts.rejected > 100 && counts.failed == 0, "{counts:?}");
    assert_eq!(counts.offered, counts.completed + counts.rejected);
    assert!(load.integrity.unwrap().wrong > 0);
}

/// `load` of a variant whose latencies are played in a time of its own, at one rate.
fn command(bench: &Workbench, variant: &Value, words: &[&str]) -> LoadRecord {
    let script = json!({ "variants": { "one-node": variant } });
    let script = bench.write("script.json", script.to_string());
    let runtime = format!("script:{}", script.display());
    let output = Onnxprof::new()
        .arg("load")
        .arg(model("fixtures/one-node.onnx"))
        .args(["--runtime", &runtime, "--rate", "200", "--rounds", "1"])
        .args(["--segment", "10s", "--out"])
        .arg(bench.run_folder())
        .args(words)
        .run();
    output.assert_code(0);
    bench.record().load.unwrap()
}

#[test]
fn what_is_planted_is_in_the_record_of_the_command() {
    let bench = Workbench::new();
    let faults = json!({ "corrupt_every": 500, "stall_at_ns": 2_000 * MS, "stall_ns": 100 * MS });
    let variant = json!({ "fixed_ns": MS, "exponential": true, "under_load": faults });
    let load = command(&bench, &variant, &[]);
    let served = &load.segments[0].processes[0].served;
    assert!(
        (1_800..2_200).contains(&served.counts.completed),
        "{served:?}"
    );
    assert!(served.integrity.as_ref().unwrap().wrong >= 3);
    let longest = served
        .windows
        .iter()
        .filter_map(|window| window.response_max_ns);
    // The first that came during the stall waited for the rest of it.
    assert!(longest.max() > Some(Nanos(60 * MS)));
}

#[test]
fn callers_share_the_work_in_a_time_of_its_own() {
    let bench = Workbench::new();
    let variant = json!({ "fixed_ns": 12 * MS });
    let load = command(&bench, &variant, &["--callers", "1,4"]);
    let waiting: Vec<Nanos> = load
        .segments
        .iter()
        .map(|segment| &segment.processes[0].served.times.waiting)
        .map(|waiting| Latencies::decode(waiting).unwrap().max().unwrap())
        .collect();
    // 200 requests a second of 12 ms each are too many for one, and few for four.
    assert!(
        waiting[0] > Nanos(1_000 * MS) && waiting[1] < Nanos(200 * MS),
        "{waiting:?}"
    );
}
