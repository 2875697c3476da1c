//! Whether the numbers hold: false verdicts, coverage of intervals, and sizes of known changes.
//!
//! `cargo bench --bench validity` tries everything that needs no ONNX Runtime; names after `--`
//! choose experiments, `--quick` takes a tenth of each. Those with real models, `real`,
//! `real-placement`, `real-planted`, `real-gate` and `real-causes`, run only when named: at
//! `--comparisons 60`, a night; `real-gate` takes 35 minutes.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark tells its figures where it runs"
)]

mod busy;
mod causes;
mod estimators;
mod gate;
mod kinds;
mod naive;
mod options;
mod percentiles;
mod pipeline;
mod placement;
mod random;
mod real;
mod real_gate;
mod resampled;
mod rounds;
mod scripted;
#[path = "../support/spawned.rs"]
#[expect(
    dead_code,
    reason = "only the loop in C is used here, not the worker beside it"
)]
mod spawned;
mod stopping;
#[path = "../support/mod.rs"]
mod support;
mod tails;
mod tally;

use std::process::ExitCode;

use options::Options;
use support::{BenchError, Targets};

type Experiment = fn(&Options, &mut Targets) -> Result<(), BenchError>;

const EXPERIMENTS: [(&str, Experiment); 14] = [
    ("scripted", scripted::itself),
    ("planted", scripted::planted),
    ("estimators", estimators::compare),
    ("busy", busy::compare),
    ("percentiles", percentiles::coverage),
    ("tails", tails::coverage),
    ("stopping", stopping::itself),
    ("gate", gate::about_budget),
    ("naive", naive::beside),
    ("real", real::itself),
    ("real-placement", placement::compare),
    ("real-planted", real::planted),
    ("real-gate", real_gate::versions),
    ("real-causes", causes::named),
];

fn main() -> Result<ExitCode, BenchError> {
    let options = Options::read(std::env::args().skip(1), &EXPERIMENTS.map(|(name, _)| name))?;
    let mut targets = Targets::default();
    for (name, experiment) in EXPERIMENTS {
        if options.wants(name) {
            println!("## {name}\n");
            experiment(&options, &mut targets)?;
        }
    }
    Ok(targets.exit_code())
}
