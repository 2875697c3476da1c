//! Whether figures of runs under load hold: of the thread that sends, of the batcher, and of queues
//! beside what theory says of them.
//!
//! `cargo bench --bench load` runs every part; names after `--` choose some of them. Parts in real
//! time want a machine that does nothing else.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark tells its figures where it runs"
)]

mod batcher_cost;
mod generator;
mod real_time;
#[path = "../support/mod.rs"]
mod support;
mod theory;

use std::process::ExitCode;

use support::{BenchError, Targets};

const COMMAND: &str = "cargo bench --bench load";

/// A part of the bench, by its name.
type Part = (&'static str, fn(&mut Targets) -> Result<(), BenchError>);

const PARTS: &[Part] = &[
    ("theory", theory::run),
    ("generator", generator::run),
    ("batcher_cost", batcher_cost::run),
    ("real_time", real_time::run),
];

fn main() -> Result<ExitCode, BenchError> {
    let named: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    if let Some(unknown) = named
        .iter()
        .find(|word| PARTS.iter().all(|(name, _)| name != word))
    {
        return Err(format!("there is no part `{unknown}`").into());
    }
    let mut targets = Targets::default();
    for (name, run) in PARTS {
        if named.is_empty() || named.iter().any(|word| word == name) {
            println!("\n## {name}\n");
            run(&mut targets)?;
        }
    }
    Ok(targets.exit_code())
}
