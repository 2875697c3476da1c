//! What the timed loop adds to a bare call: clock, histogram and the dispatch of the worker's path.
//!
//! Both loops alternate, so that both see the same speed of the machine. The bare loop runs the
//! same number of calls without a clock between them.

#![expect(
    clippy::print_stdout,
    reason = "a benchmark tells its figures where it runs"
)]

mod support;

use std::convert::Infallible;
use std::hint::black_box;
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use onnxprof::engine::{EngineError, Inference, Runtime, ScriptedRuntime};
use onnxprof::measure::{BlockTarget, EngineClock, Lane, run_block};
use onnxprof::plan::{RuntimeChoice, SessionOptions, SessionSpec};
use onnxprof::stats::Latencies;
use onnxprof::units::Nanos;
use support::{BenchError, Rows, Targets, median};

const COMMAND: &str = "cargo bench --bench harness_cost";
/// What the timed loop may cost.
const LIMIT_NS: f64 = 100.0;
const REPETITIONS: usize = 301;
const BLOCK: BlockTarget = BlockTarget::new(Nanos(1_000_000), 1);

fn main() -> Result<ExitCode, BenchError> {
    let mut rows = Rows::new(&[
        "call",
        "bare (ns)",
        "in the timed loop (ns)",
        "added (ns)",
        "p90 of added (ns)",
        "n (pairs)",
    ]);
    let mut targets = Targets::default();
    let closure = || -> Result<(), Infallible> {
        black_box(());
        Ok(())
    };
    let script = script()?;
    let session = script.load("null.onnx".as_ref(), &spec())?;
    let mut worst = 0.0_f64;
    worst = worst.max(row(
        &mut rows,
        "closure that does nothing",
        &compare(closure, closure)?,
    )?);
    worst = worst.max(row(
        &mut rows,
        "worker's path, inference that does nothing",
        &compare_boxed(|| Ok(Box::new(Nothing)))?,
    )?);
    worst = worst.max(row(
        &mut rows,
        "worker's path, null engine",
        &compare_boxed(|| Ok(session.bind(Vec::new(), 1)?.swap_remove(0)))?,
    )?);
    rows.print(COMMAND);
    targets.check(
        &format!("the timed loop adds at most {LIMIT_NS} ns an inference: {worst:.1} ns"),
        worst <= LIMIT_NS,
    );
    Ok(targets.exit_code())
}

/// Nanoseconds a call: bare, and in the timed loop.
struct Pair {
    bare: f64,
    timed: f64,
}

/// Compares the two loops over one kind of call, from the worker's path down to `bind`'s inference.
fn compare_boxed<'s>(
    bind: impl Fn() -> Result<Box<dyn Inference + 's>, EngineError>,
) -> Result<Vec<Pair>, BenchError> {
    let mut bare = bind()?;
    let mut inference = bind()?;
    compare(move || bare.run(), move || inference.run())
}

fn compare<E: std::error::Error + Send + 'static>(
    mut bare: impl FnMut() -> Result<(), E>,
    timed: impl FnMut() -> Result<(), E> + Send,
) -> Result<Vec<Pair>, BenchError> {
    let mut lanes = [Lane::new(timed)];
    let mut latencies = Latencies::new();
    let mut pairs = Vec::with_capacity(REPETITIONS);
    for _ in 0..REPETITIONS {
        let block = run_block(&EngineClock::Monotonic, &mut lanes, &BLOCK, &mut latencies)?;
        let calls = block.inferences_count;
        let start = Instant::now();
        for _ in 0..calls {
            black_box(&mut bare)()?;
        }
        let bare = start.elapsed().as_nanos() as f64 / calls as f64;
        pairs.push(Pair {
            bare,
            timed: block.elapsed.as_f64() / calls as f64,
        });
    }
    Ok(pairs)
}

/// Adds a row; returns the median of what the timed loop added.
fn row(rows: &mut Rows, name: &str, pairs: &[Pair]) -> Result<f64, BenchError> {
    let of = |figure: fn(&Pair) -> f64| pairs.iter().map(figure).collect::<Vec<f64>>();
    let mut added = of(|pair| pair.timed - pair.bare);
    added.sort_unstable_by(f64::total_cmp);
    let p90 = added[added.len() * 9 / 10];
    let (bare, timed, cost) = (
        median(&of(|pair| pair.bare))?,
        median(&of(|pair| pair.timed))?,
        median(&added)?,
    );
    rows.push(&[
        &name,
        &format_args!("{bare:.1}"),
        &format_args!("{timed:.1}"),
        &format_args!("{cost:.1}"),
        &format_args!("{p90:.1}"),
        &pairs.len(),
    ]);
    Ok(cost)
}

/// An inference that does nothing, behind the trait that the worker calls.
struct Nothing;

impl Inference for Nothing {
    fn run(&mut self) -> Result<(), EngineError> {
        black_box(self);
        Ok(())
    }
}

fn script() -> Result<ScriptedRuntime, BenchError> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(br#"{"variants": {"null": {"fixed_ns": 1}}}"#)?;
    Ok(ScriptedRuntime::open(file.path())?)
}

fn spec() -> SessionSpec {
    SessionSpec {
        variant: 0,
        runtime: RuntimeChoice::Script("null.json".into()),
        execution_provider: "CPUExecutionProvider".into(),
        provider: Default::default(),
        binding: Default::default(),
        options: SessionOptions::default(),
    }
}
