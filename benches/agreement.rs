//! Whether onnxprof's medians are those of an independent loop: a program in C over the same
//! library.
//!
//! onnxprof's real worker and two processes of the C program take turns in short blocks on one CPU,
//! in fresh processes every launch. The first C process always runs in the middle, so that it
//! neighbours both others alike: what it shows against the second one is the noise of that loop
//! against itself.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark tells its figures where it runs"
)]

#[path = "support/spawned.rs"]
mod spawned;
mod support;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use onnxprof::plan::{RuntimeChoice, SessionOptions, SessionSpec};
use onnxprof::runtime;
use onnxprof::sample::affinity;
use onnxprof::stats::{Interval, PairedRatio};
use spawned::{Independent, Setup, TimedLoop, Worker};
use support::{BenchError, Rows, Targets, median};

const COMMAND: &str = "cargo bench --bench agreement";
const MODELS: [&str; 3] = [
    "models/fixtures/one-node.onnx",
    "models/digits/digits-fp32.onnx",
    "models/fixtures/conv-milliseconds.onnx",
];
const LAUNCHES: usize = 12;
const ALTERNATIONS: usize = 8;

fn main() -> Result<ExitCode, BenchError> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = tempfile::tempdir()?;
    let program = scratch.path().join("agreement");
    spawned::compile(&root.join("benches/agreement.c"), &program)?;
    let library = runtime::resolve(
        None,
        &runtime::Opener::new(env!("CARGO_BIN_EXE_onnxprof")),
        &mut |line| eprintln!("{line}"),
    )?
    .path;
    let mut rows = Rows::new(&[
        "model",
        "onnxprof p50 (us)",
        "C p50 (us)",
        "onnxprof / C (95% interval)",
        "C / C (95% interval)",
        "n (launches x alternations)",
    ]);
    let mut targets = Targets::default();
    for model in MODELS {
        let compared = compare(&setup(&library, &root.join(model))?, &program)?;
        rows.push(&[
            &model,
            &format_args!("{:.3}", compared.ours_ns / 1e3),
            &format_args!("{:.3}", compared.independent_ns / 1e3),
            &written(&compared.ours),
            &written(&compared.itself),
            &format_args!("{LAUNCHES} x {ALTERNATIONS}"),
        ]);
        targets.check(
            &format!(
                "{model}: onnxprof / C {} is no further from 1 than C / C {} reaches",
                written(&compared.ours),
                written(&compared.itself)
            ),
            agrees(&compared),
        );
    }
    println!();
    rows.print(COMMAND);
    Ok(targets.exit_code())
}

/// What one model showed.
struct Compared {
    ours_ns: f64,
    independent_ns: f64,
    ours: PairedRatio,
    itself: PairedRatio,
}

fn setup(library: &Path, model: &Path) -> Result<Setup, BenchError> {
    let cpus = affinity::own_affinity()?;
    Ok(Setup {
        library: library.to_owned(),
        model: model.to_owned(),
        described: spawned::describe(model)?,
        spec: spec(library.to_owned()),
        cpu: *cpus.last().ok_or("this process may use no CPU")?,
    })
}

fn compare(setup: &Setup, program: &Path) -> Result<Compared, BenchError> {
    let (mut ours, mut itself) = (Vec::new(), Vec::new());
    let (mut ours_ns, mut independent_ns) = (Vec::new(), Vec::new());
    for _ in 0..LAUNCHES {
        let mut loops: [Box<dyn TimedLoop>; 3] = [
            Box::new(Worker::start(setup)?),
            Box::new(Independent::start(program, setup)?),
            Box::new(Independent::start(program, setup)?),
        ];
        let (mut launch_ours, mut launch_itself) = (Vec::new(), Vec::new());
        for alternation in 0..ALTERNATIONS {
            let order = if alternation % 2 == 0 {
                [0, 1, 2]
            } else {
                [2, 1, 0]
            };
            let mut medians = [0.0; 3];
            for place in order {
                medians[place] = loops[place].block()?;
            }
            launch_ours.push((medians[0] / medians[1]).ln());
            launch_itself.push((medians[2] / medians[1]).ln());
            ours_ns.push(medians[0]);
            independent_ns.push(medians[1]);
        }
        ours.push(launch_ours);
        itself.push(launch_itself);
    }
    Ok(Compared {
        ours_ns: median(&ours_ns)?,
        independent_ns: median(&independent_ns)?,
        ours: PairedRatio::of(&ours).ok_or("nothing was measured")?,
        itself: PairedRatio::of(&itself).ok_or("nothing was measured")?,
    })
}

/// Whether the ratio to C is no further from 1 than the interval of C's ratio to itself reaches.
fn agrees(compared: &Compared) -> bool {
    let noise = |interval: Interval| interval.low.ln().abs().max(interval.high.ln().abs());
    compared
        .itself
        .interval()
        .is_some_and(|itself| compared.ours.ratio().value.ln().abs() <= noise(itself))
}

fn written(ratio: &PairedRatio) -> String {
    let interval = ratio
        .interval()
        .map(|interval| format!(" ({:.4} to {:.4})", interval.low, interval.high));
    format!("{:.4}{}", ratio.ratio().value, interval.unwrap_or_default())
}

fn spec(library: PathBuf) -> SessionSpec {
    SessionSpec {
        variant: 0,
        runtime: RuntimeChoice::Library(library),
        execution_provider: "CPUExecutionProvider".into(),
        provider: Default::default(),
        binding: Default::default(),
        options: SessionOptions::default(),
    }
}
