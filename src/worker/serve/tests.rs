use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::engine::ScriptedRuntime;
use crate::inputs::InputPlan;
use crate::plan::{Arrivals, Batcher, ElementType, RuntimeChoice, Serving, SessionSpec, Share};
use crate::record::{
    AxisReason, BatchAxis, BatchProof, FailureKind, Fall, FedInput, FillKind, Offer, ServedLoad,
};
use crate::stats::Latencies;
use crate::units::{Nanos, PerSecond};

const SECOND: Nanos = Nanos(1_000_000_000);
const MS: u64 = 1_000_000;

fn inputs() -> InputPlan {
    let fed = FedInput::new(
        "x",
        ElementType::Float,
        vec![None, Some(4)],
        FillKind::Constant(0.0),
    );
    let batch_axis = BatchAxis {
        axes: [("x".into(), 0)].into(),
        symbol: None,
        fixed_size: None,
        reason: AxisReason::SymbolName,
        proof: BatchProof::Given,
    };
    InputPlan::made_up(vec![fed], batch_axis)
}

fn request(rate: f64, serving: Serving) -> ServeRequest {
    ServeRequest {
        model: "m.onnx".into(),
        spec: SessionSpec {
            variant: 0,
            runtime: RuntimeChoice::Script("script.json".into()),
            execution_provider: "CPUExecutionProvider".into(),
            provider: Default::default(),
            binding: Default::default(),
            options: Default::default(),
        },
        inputs: inputs(),
        arrivals: Arrivals::Poisson,
        offer: Offer::at(PerSecond(rate), Nanos(10 * SECOND.0), 7),
        share: Share::WHOLE,
        serving,
        samples_count: 8,
        start_at_ns: None,
        windows_count: 10,
        random_outputs: Default::default(),
        limit_ns: Nanos(60 * SECOND.0),
    }
}

fn served(variant: &Value, request: &ServeRequest) -> Result<ServedLoad, Failure> {
    scripted(&json!({"variants": {"m": variant}}), request)
}

fn scripted(script: &Value, request: &ServeRequest) -> Result<ServedLoad, Failure> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script.json");
    std::fs::write(&path, script.to_string()).unwrap();
    let runtime = ScriptedRuntime::open(&path).unwrap();
    let session = runtime.load(Path::new("m.onnx"), &request.spec).unwrap();
    let sessions = Sessions {
        runtime: &runtime,
        first: session.as_ref(),
        taken: None,
        further: &mut Vec::new(),
    };
    match serve(sessions, request)? {
        Response::Served(served) => Ok(*served),
        other => panic!("{other:?}"),
    }
}

fn max(histogram: &str) -> Nanos {
    Latencies::decode(histogram).unwrap().max().unwrap()
}

#[test]
fn what_a_script_plants_under_load_is_found() {
    let faults = json!({
        "corrupt_every": 1_000, "leak_bytes": 8, "stall_at_ns": SECOND.0 * 3, "stall_ns": 100 * MS,
    });
    let variant = json!({"fixed_ns": MS, "under_load": faults});
    let load = served(&variant, &request(500.0, Serving::single(None))).unwrap();
    assert!(
        (4_500..5_500).contains(&load.counts.completed),
        "{:?}",
        load.counts
    );
    assert_eq!(load.counts.offered, load.counts.completed);
    let integrity = load.integrity.unwrap();
    assert_eq!(integrity.checked, load.counts.completed);
    // The samples that ran alone before are counted by the script, too.
    assert_eq!(integrity.wrong, (load.counts.completed + 8) / 1_000);
    // Of some 50 requests that came during the stall, the first waited for all of it.
    assert!(max(&load.times.response) > Nanos(95 * MS));
    let stalled = &load.windows[3];
    assert!(
        stalled.response_max_ns > Some(Nanos(95 * MS)),
        "{stalled:?}"
    );
    assert!(load.windows[1].response_max_ns < Some(Nanos(40 * MS)));
}

#[test]
fn the_same_offer_gives_the_same_figures() {
    let variant = json!({"fixed_ns": MS, "exponential": true});
    let one = || served(&variant, &request(700.0, Serving::single(Some(10)))).unwrap();
    let (first, again) = (one(), one());
    assert_eq!(
        (&first.times, &first.windows),
        (&again.times, &again.windows)
    );
    assert!(first.counts.rejected > 0 && first.counts.failed == 0);
}

#[test]
fn a_failing_model_fails_each_request_and_says_why_once() {
    let fault = json!({"at": "run", "kind": "error", "from_batch_size": 2});
    let variant = json!({"fixed_ns": MS, "fault": fault});
    let batcher = Batcher {
        max_batch: 2,
        max_delay_ns: Nanos(20 * MS),
        preferred: Vec::new(),
    };
    let serving = Serving {
        batcher: Some(batcher),
        ..Serving::single(None)
    };
    let load = served(&variant, &request(500.0, serving)).unwrap();
    assert!(load.counts.failed > 0 && load.counts.completed > 0);
    assert_eq!(
        load.counts.offered,
        load.counts.failed + load.counts.completed
    );
    let error = load.first_error.unwrap();
    assert!(error.exact().contains("a scripted fault"), "{error:?}");
}

#[test]
fn nothing_is_begun_after_the_limit() {
    let limited = ServeRequest {
        limit_ns: Nanos(2 * SECOND.0),
        ..request(500.0, Serving::single(None))
    };
    let load = served(&json!({"fixed_ns": MS}), &limited).unwrap();
    let (early, late) = (load.windows[0].counts, load.windows[5].counts);
    assert!(
        early.failed == 0 && late.completed == 0,
        "{early:?} {late:?}"
    );
    assert!(late.failed > 300 && load.first_error.is_some());
}

#[test]
fn a_model_without_a_batch_is_refused_where_requests_are_gathered() {
    let batcher = Batcher {
        max_batch: 4,
        max_delay_ns: Nanos(MS),
        preferred: Vec::new(),
    };
    let serving = Serving {
        batcher: Some(batcher),
        ..Serving::single(None)
    };
    let mut request = request(10.0, serving);
    request.inputs.batch_axis = BatchAxis::none(BatchProof::Untried);
    let failure = served(&json!({"fixed_ns": MS}), &request).unwrap_err();
    assert_eq!(failure.kind, FailureKind::BadInput);
    assert!(
        failure.message.exact().contains("has no batch dimension"),
        "{failure:?}"
    );
}

#[test]
fn real_time_is_served_by_threads_of_their_own() {
    let variant = json!({"fixed_ns": MS / 2, "under_load": {"corrupt_every": 20}});
    let serving = Serving {
        callers: 2,
        ..Serving::single(None)
    };
    let request = ServeRequest {
        offer: Offer::at(PerSecond(500.0), Nanos(SECOND.0 / 5), 7),
        ..request(0.0, serving)
    };
    let load = scripted(
        &json!({"variants": {"m": variant}, "real_time": true}),
        &request,
    )
    .unwrap();
    assert!(load.counts.completed > 50, "{:?}", load.counts);
    assert_eq!(load.counts.offered, load.counts.completed);
    let integrity = load.integrity.unwrap();
    assert!(
        integrity.wrong >= 2 && integrity.checked <= load.counts.completed,
        "{integrity:?}"
    );
    assert!(load.sender.is_some() && load.elapsed_ns >= Nanos(SECOND.0 / 5));
}

#[test]
fn sessions_that_no_memory_holds_are_refused_before() {
    let serving = Serving {
        callers: 4,
        sessions: 4,
        ..Serving::single(None)
    };
    let request = request(10.0, serving);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script.json");
    std::fs::write(&path, r#"{"variants": {"m": {"fixed_ns": 1}}}"#).unwrap();
    let runtime = ScriptedRuntime::open(&path).unwrap();
    let session = runtime.load(Path::new("m.onnx"), &request.spec).unwrap();
    let mut further = Vec::new();
    let sessions = Sessions {
        runtime: &runtime,
        first: session.as_ref(),
        taken: Some(Bytes(1 << 60)),
        further: &mut further,
    };
    let failure = serve(sessions, &request).unwrap_err();
    assert_eq!(failure.kind, FailureKind::OutOfMemory);
    let message = failure.message.exact();
    assert!(message.starts_with("3 more sessions of "), "{message}");
    assert!(failure.hint.unwrap().exact().ends_with("1 would fit"));
    assert!(further.is_empty());
}

#[test]
fn the_rate_falls_within_an_offer() {
    let mut falling = request(800.0, Serving::single(None));
    falling.offer.length_ns = Nanos(5 * SECOND.0);
    falling.offer.fall = Some(Fall {
        to: PerSecond(200.0),
        length_ns: Nanos(5 * SECOND.0),
    });
    let load = served(&json!({"fixed_ns": MS}), &falling).unwrap();
    let offered: Vec<u64> = load
        .windows
        .iter()
        .map(|window| window.counts.offered)
        .collect();
    assert!(offered[..5].iter().all(|&count| count > 600), "{offered:?}");
    assert!(offered[5..].iter().all(|&count| count < 300), "{offered:?}");
    assert_eq!(load.counts.completed, load.counts.offered);
}
