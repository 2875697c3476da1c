//! How long it takes to load a run of 10,000 cells and to render it in every form.
//!
//! The record is made up: 50 variants, 20 batch sizes and 10 concurrencies, each measured in 12 blocks over 6 launches.

#[path = "../tests/it/support/record.rs"]
#[expect(dead_code, reason = "shared with the tests, which use the rest")]
mod made_up;
mod support;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use made_up::{RunShape, VariantShape};
use onnxprof::analysis;
use onnxprof::plan::LoadMode;
use onnxprof::record::{RunRecord, store};
use onnxprof::report::{self, Color, view::View};
use support::{BenchError, Rows, Targets, median};

const COMMAND: &str = "cargo bench --bench rendering";
const LIMIT_MS: f64 = 1000.0;
const REPETITIONS: usize = 5;
const VARIANTS: usize = 50;
const BATCH_SIZES: u64 = 20;
const CONCURRENCIES: u64 = 10;

fn main() -> Result<ExitCode, BenchError> {
    let scratch = tempfile::tempdir()?;
    let path = scratch.path().join("run.json");
    let record = record();
    let (cells, blocks) = (record.cells.len(), record.blocks.len());
    let text = serde_json::to_vec(&record)?;
    let megabytes = text.len() as f64 / 1e6;
    store::write_atomically(&path, &text)?;
    drop((record, text));
    let repetitions = (0..REPETITIONS).map(|_| steps(&path)).collect::<Result<Vec<_>, _>>()?;
    let mut rows = Rows::new(&["step", "median (ms)", "n"]);
    for (index, (name, _)) in repetitions[0].iter().enumerate() {
        let times: Vec<f64> = repetitions.iter().map(|steps| steps[index].1).collect();
        rows.push(&[name, &format_args!("{:.0}", median(&times)?), &REPETITIONS]);
    }
    let totals: Vec<f64> = repetitions.iter().map(|steps| steps.iter().map(|step| step.1).sum()).collect();
    let total = median(&totals)?;
    rows.push(&[&"all of it", &format_args!("{total:.0}"), &REPETITIONS]);
    println!("run.json: {cells} cells, {blocks} blocks, {megabytes:.1} MB");
    rows.print(COMMAND);
    let mut targets = Targets::default();
    targets.check(&format!("{cells} cells load and render in at most 1 s: {:.2} s", total / 1e3), total <= LIMIT_MS);
    Ok(targets.exit_code())
}

/// The milliseconds that each step took.
fn steps(path: &Path) -> Result<Vec<(&'static str, f64)>, BenchError> {
    let mut steps = Vec::new();
    let record = timed(&mut steps, "load", || store::load(path))?;
    let findings = timed(&mut steps, "findings", || analysis::findings(&record));
    let view = timed(&mut steps, "view", || View::new(&record, &findings));
    timed(&mut steps, "terminal", || report::terminal(&view, None, Color::Never));
    timed(&mut steps, "report.md", || report::markdown(&view))?;
    timed(&mut steps, "cells.csv", || report::csv(&record, &findings))?;
    Ok(steps)
}

fn timed<T>(steps: &mut Vec<(&'static str, f64)>, name: &'static str, step: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = step();
    steps.push((name, start.elapsed().as_secs_f64() * 1e3));
    result
}

/// A run of one concurrency, repeated for all of them: building each would only take longer.
fn record() -> RunRecord {
    let variant =
        |index: usize| VariantShape::new(&format!("v{index}"), "fp32", 100_000.0 + index as f64 * 700.0, 1_000_000);
    let mut run = made_up::build(&RunShape {
        name: "large".into(),
        variants: (0..VARIANTS).map(variant).collect(),
        batch_sizes: (1..=BATCH_SIZES).collect(),
        rounds: 6,
        alternations: 2,
        block_inferences: 60,
        samples: 0,
    });
    let modes: Vec<LoadMode> = (1..=CONCURRENCIES).map(|concurrency| LoadMode::Closed { concurrency }).collect();
    run.cells = repeat(&run.cells, &modes, |cell, mode| cell.key.load_mode = mode);
    run.blocks = repeat(&run.blocks, &modes, |block, mode| block.key.load_mode = mode);
    for launch in &mut run.launches {
        launch.cells = repeat(&launch.cells, &modes, |cell, mode| cell.load_mode = mode);
    }
    run.plan.load_modes = modes;
    run
}

fn repeat<T: Clone>(items: &[T], modes: &[LoadMode], set: fn(&mut T, LoadMode)) -> Vec<T> {
    let of_mode = |&mode: &LoadMode| {
        items.iter().map(move |item| {
            let mut item = item.clone();
            set(&mut item, mode);
            item
        })
    };
    modes.iter().flat_map(of_mode).collect()
}
