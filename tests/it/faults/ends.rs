//! Runs that end before their time: interrupted, killed.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use onnxprof::record::EndReason;

use super::{ONE_NODE, long_run};
use crate::support::{PARTIAL, model};
use crate::workbench::{Workbench, assert_nothing_left, cell, is_alive, wait_until};

#[test]
fn interrupted_run_keeps_its_blocks_and_ends_its_workers() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let bench = Workbench::new();
        let running = long_run(&bench).spawn();
        bench.wait_for_blocks(8);
        let workers = running.children();
        kill(Pid::from_raw(running.pid().cast_signed()), signal).unwrap();
        let output = running.wait();
        output
            .assert_code(PARTIAL)
            .assert_stderr("interrupted: what was measured is kept");
        wait_until(|| workers.iter().all(|&worker| !is_alive(worker)));
        let record = bench.record();
        assert_eq!(record.run.ended_by, Some(EndReason::Interrupted));
        assert!(!record.is_complete() && record.blocks.len() >= 8);
        assert!(!bench.path("run/journal.jsonl").exists() && bench.path("run/run.json").exists());
        assert!(cell(&record, "a", 1).latency_histogram.is_some());
    }
}

#[test]
fn interruption_before_the_first_measurement_leaves_nothing() {
    let bench = Workbench::new();
    let worker = bench.worker(&format!(
        "echo >{}; exec sleep 60",
        bench.path("began").display()
    ));
    let running = bench
        .profile(&model(ONE_NODE), ["--batch", "1"])
        .env("ONNXPROF_WORKER", worker)
        .spawn();
    wait_until(|| bench.path("began").exists());
    kill(Pid::from_raw(running.pid().cast_signed()), Signal::SIGTERM).unwrap();
    let output = running.wait();
    output
        .assert_code(PARTIAL)
        .assert_stderr("interrupted before anything was measured");
    assert_nothing_left(&bench, &output);
}

#[test]
fn killed_run_leaves_everything_that_was_finished_and_no_workers() {
    let bench = Workbench::new();
    let running = long_run(&bench).spawn();
    bench.wait_for_blocks(8);
    let workers = running.children();
    running.kill();
    wait_until(|| workers.iter().all(|&worker| !is_alive(worker)));
    let record = bench.record();
    assert!(!record.is_complete() && record.run.ended_by.is_none());
    assert!(record.blocks.len() >= 8 && cell(&record, "a", 1).latency_histogram.is_some());
}

#[test]
fn worker_outlives_signals_to_the_group_until_its_parent_is_gone() {
    let bench = Workbench::new();
    let running = long_run(&bench).spawn();
    bench.wait_for_blocks(1);
    let workers = running.children();
    for &worker in &workers {
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            // A round may have ended in between, and its worker with it.
            let _ = kill(Pid::from_raw(worker.cast_signed()), signal);
        }
    }
    let before = bench.record().blocks.len();
    bench.wait_for_blocks(before + 8);
    let record = bench.record();
    assert!(
        record.launches.iter().all(|launch| launch.outcome.is_ok()),
        "{:?}",
        record.launches
    );
    running.kill();
}
