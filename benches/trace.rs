//! How long it takes to read a trace of 200 MB, and how much memory that takes.
//!
//! The trace is made up after those of ONNX Runtime 1.31.1: 1,000 nodes, in as many inferences as
//! it takes.

#![expect(
    clippy::print_stdout,
    reason = "a benchmark tells its figures where it runs"
)]

mod support;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use onnxprof::trace::{self, Counted};
use procfs::process::Process;
use support::{BenchError, Rows, Targets, median};

const COMMAND: &str = "cargo bench --bench trace";
const SIZE: u64 = 200_000_000;
const NODES: u64 = 1000;
const LIMIT_SECS: f64 = 5.0;
const LIMIT_MB: f64 = 30.0;
const REPETITIONS: usize = 3;
const SAMPLING: Duration = Duration::from_millis(2);

fn main() -> Result<ExitCode, BenchError> {
    let scratch = tempfile::tempdir()?;
    let path = scratch.path().join("trace.json");
    let (bytes, inferences) = make(&path)?;
    let mut rows = Rows::new(&[
        "inferences that count",
        "median (s)",
        "peak of anonymous memory above start (MB)",
        "n",
    ]);
    let (mut slowest, mut largest) = (0.0_f64, 0.0_f64);
    for (name, counted) in [("all", Counted::All), ("typical ones", Counted::Typical)] {
        let mut times = Vec::new();
        let mut peak = 0.0_f64;
        for _ in 0..REPETITIONS {
            let (time, memory) = read(&path, counted, inferences)?;
            times.push(time);
            peak = peak.max(memory);
        }
        let time = median(&times)?;
        rows.push(&[
            &name,
            &format_args!("{time:.2}"),
            &format_args!("{peak:.1}"),
            &REPETITIONS,
        ]);
        (slowest, largest) = (slowest.max(time), largest.max(peak));
    }
    println!(
        "trace: {:.0} MB, {NODES} nodes, {inferences} inferences",
        bytes as f64 / 1e6
    );
    rows.print(COMMAND);
    let mut targets = Targets::default();
    targets.check(
        &format!("200 MB are read in at most {LIMIT_SECS} s: {slowest:.2} s"),
        slowest <= LIMIT_SECS,
    );
    let memory = format!("reading takes at most {LIMIT_MB} MB of memory: {largest:.1} MB");
    targets.check(&memory, largest <= LIMIT_MB);
    Ok(targets.exit_code())
}

/// Seconds, and megabytes of anonymous memory above those at the start.
fn read(path: &Path, counted: Counted, inferences: u64) -> Result<(f64, f64), BenchError> {
    let before = anonymous_memory()?;
    let done = AtomicBool::new(false);
    let (time, peak) = std::thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            let mut peak = 0;
            while !done.load(Ordering::Relaxed) {
                peak = peak.max(anonymous_memory().unwrap_or(u64::MAX));
                std::thread::sleep(SAMPLING);
            }
            peak
        });
        let began = Instant::now();
        let found = trace::read(path, counted);
        let time = began.elapsed().as_secs_f64();
        done.store(true, Ordering::Relaxed);
        (
            found.map(|found| (found, time)),
            sampler.join().unwrap_or(u64::MAX),
        )
    });
    let (found, time) = time?;
    let profiled = found.profiled;
    let all = profiled.inferences_count + profiled.disturbed_inferences_count;
    if (profiled.nodes.len() as u64, all) != (NODES, inferences - 1) {
        return Err("the trace was not read as it was written".into());
    }
    Ok((time, peak.saturating_sub(before) as f64 / 1e6))
}

fn anonymous_memory() -> Result<u64, BenchError> {
    let status = Process::myself()?.status()?;
    Ok(status.rssanon.ok_or("the kernel does not tell RssAnon")? * 1024)
}

/// Writes a trace; returns its size and its inferences.
fn make(path: &Path) -> Result<(u64, u64), BenchError> {
    let mut out = BufWriter::new(File::create(path)?);
    let mut written = out.write(b"[\n")? as u64;
    let (mut inferences, mut micros) = (0, 0);
    while written < SIZE {
        let start = micros;
        for node in 0..NODES {
            let length = 20 + (node * 7 + inferences) % 90;
            written += event(&mut out, node, micros, length)?;
            micros += length + 1;
        }
        let end = session_event("model_run", start, micros - start);
        written += end.len() as u64 + 2;
        out.write_all(end.as_bytes())?;
        out.write_all(b",\n")?;
        inferences += 1;
    }
    out.write_all(session_event("end", micros, 1).as_bytes())?;
    out.write_all(b"\n]\n")?;
    out.flush()?;
    Ok((written, inferences))
}

fn session_event(name: &str, start: u64, length: u64) -> String {
    format!(
        r#"{{"cat" : "Session","pid" :1,"tid" :1,"dur" :{length},"ts" :{start},"ph" : "X","name" :"{name}","args" : {{}}}}"#
    )
}

fn event(out: &mut impl Write, node: u64, start: u64, length: u64) -> Result<u64, BenchError> {
    let text = format!(
        concat!(
            r#"{{"cat" : "Node","pid" :1,"tid" :1,"dur" :{length},"ts" :{start},"ph" : "X","#,
            r#""name" :"/encoder/layer.{node}/attention/MatMul_kernel_time","args" : {{"mem_arena_held" : "2105384","#,
            r#""thread_scheduling_stats" : {{"main_thread": {{"thread_pool_name": "session-2-intra-op", "#,
            r#""thread_id": "139989317094272", "block_size": [1], "core": 1, "Distribution": 0, "#,
            r#""DistributionEnqueue": 0, "Run": 42, "Wait": 0, "WaitRevoke": 0}}, "sub_threads": "#,
            r#"{{"139989119661760": {{"num_run": 0, "core": -1}}}}}},"op_name" : "MatMul","mem_bytes_in_use" : "1073192","#,
            r#""mem_in_use_delta" : "16384","output_size" : "16384","parameter_size" : "1280","#,
            r#""mem_arena_held_delta" : "0","node_index" : "{node}","#,
            r#""output_type_shape" : [{{"float":[1,12,128,128]}}],"mem_in_use_peak" : "1073192","activation_size" : "512","#,
            r#""mem_bytes_requested_in_use" : "1073192","mem_requested_in_use_delta" : "16384","#,
            r#""input_type_shape" : [{{"float":[1,12,128,64]}},{{"float":[1,12,64,128]}}],"#,
            r#""provider" : "CPUExecutionProvider"}}}},"#,
            "\n"
        ),
        length = length,
        start = start,
        node = node
    );
    out.write_all(text.as_bytes())?;
    Ok(text.len() as u64)
}
