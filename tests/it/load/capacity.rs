//! The highest rate that keeps an SLO, of scripts whose answer is known.

use onnxprof::analysis::findings;
use onnxprof::record::{EndReason, LoadKey};

use super::command::{of, scripted};
use crate::workbench::Workbench;

/// The rate at which 1% of responses of one server of 1 ms take longer than 5 ms, by Lindley's
/// recursion over 40 million Poisson arrivals.
const EDGE: f64 = 560.9;

/// The capacity of a way of serving: the ends of its interval about it.
fn capacity(bench: &Workbench, serving: usize) -> [f64; 3] {
    let found = findings(&bench.record());
    let load = found.load.as_ref().unwrap();
    let key = LoadKey {
        session: 0,
        serving,
    };
    let rate = load
        .candidate(key)
        .unwrap()
        .capacity
        .rate_per_sec
        .measured()
        .unwrap();
    let interval = rate.interval.unwrap();
    [interval.low, rate.value, interval.high]
}

#[test]
fn the_edge_of_a_script_is_found_within_three_percent() {
    let bench = Workbench::new();
    let words = [
        "--slo",
        "response_p99<=5ms",
        "--queue",
        "none",
        "--rounds",
        "8",
    ];
    let output = scripted(&bench, &of(1_000_000), &words).run();
    output
        .assert_code(0)
        .assert_stderr("done: what was asked is answered");
    let [low, value, high] = capacity(&bench, 0);
    assert!((value / EDGE - 1.0).abs() < 0.03, "{low} {value} {high}");
    assert!(
        low < EDGE * 1.01 && high > EDGE * 0.99,
        "{low} {value} {high}"
    );
    assert_eq!(bench.record().run.ended_by, Some(EndReason::LoadAnswered));
}

#[test]
fn a_batcher_holds_more_where_a_batch_takes_no_longer() {
    let bench = Workbench::new();
    let words = [
        "--slo",
        "response_p99<=10ms, error_rate<=0.1%",
        "--batcher",
        "none",
        "--batcher",
        "max-batch=4,max-delay=500us",
        "--rounds",
        "6",
        "--segment",
        "1s",
        "--budget",
        "60s",
    ];
    scripted(&bench, &of(1_000_000), &words)
        .run()
        .assert_code(0);
    let (alone, gathered) = (capacity(&bench, 0), capacity(&bench, 1));
    assert!(gathered[0] > 2.0 * alone[2], "{alone:?} {gathered:?}");
    assert!(gathered[1] < 4_000.0, "{gathered:?}");
}
