//! How long it takes to load a run of 10,000 cells and to render it as text, and one of 1,000 cells
//! in every form; and how large the page of a run of 28 cells is.
//!
//! The records are made up: up to 50 variants, 20 batch sizes and 10 concurrencies, each measured
//! in 12 blocks over 6 launches.

#![expect(
    clippy::print_stdout,
    reason = "a benchmark tells its figures where it runs"
)]

#[path = "../tests/it/support/record.rs"]
#[expect(dead_code, reason = "shared with the tests, which use the rest")]
mod made_up;
mod support;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use made_up::{RunShape, VariantShape};
use onnxprof::analysis;
use onnxprof::export;
use onnxprof::plan::LoadMode;
use onnxprof::record::RunRecord;
use onnxprof::report::{self, Color, Report};
use onnxprof::store;
use support::{BenchError, Rows, Targets, median};

const COMMAND: &str = "cargo bench --bench rendering";
const LIMIT_MS: f64 = 1000.0;
const LIMIT_BYTES: usize = 2_000_000;
const REPETITIONS: usize = 5;

/// A made-up run: variants x batch sizes x concurrencies.
#[derive(Clone, Copy)]
struct Size {
    variants: usize,
    batch_sizes: u64,
    concurrencies: u64,
    rounds: u64,
    alternations: u64,
}

/// Ten thousand cells, in the forms that come without pictures.
const LARGE: Size = Size {
    variants: 50,
    batch_sizes: 20,
    concurrencies: 10,
    rounds: 6,
    alternations: 2,
};
/// A thousand cells, in every form.
const MEDIUM: Size = Size {
    concurrencies: 1,
    ..LARGE
};
/// A run such as that of the digits: 28 cells, as many blocks as a minute holds.
const SMALL: Size = Size {
    variants: 4,
    batch_sizes: 7,
    concurrencies: 1,
    rounds: 12,
    alternations: 4,
};

fn main() -> Result<ExitCode, BenchError> {
    let mut targets = Targets::default();
    measure(LARGE, text_steps, &mut targets)?;
    measure(MEDIUM, all_steps, &mut targets)?;
    let run = record(SMALL);
    let page = report::html(&Report::new(&run, &analysis::findings(&run)))?;
    let own = page.len() - library(&page)?.len();
    let what = format!(
        "report.html of {} cells and {} blocks",
        run.cells.len(),
        run.blocks.len()
    );
    targets.check(
        &format!("{what}: {own} bytes beyond the chart library, at most 2 MB"),
        own <= LIMIT_BYTES,
    );
    Ok(targets.exit_code())
}

/// The chart library within a page.
fn library(page: &str) -> Result<&str, BenchError> {
    let start = page
        .find("/**\n* plotly.js")
        .ok_or("the page has no chart library")?;
    let rest = &page[start..];
    Ok(&rest[..rest
        .find("</script>")
        .ok_or("the page has no end of the chart library")?])
}

type Steps = Vec<(&'static str, f64)>;

fn measure(
    size: Size,
    steps: fn(&Path) -> Result<Steps, BenchError>,
    targets: &mut Targets,
) -> Result<(), BenchError> {
    let scratch = tempfile::tempdir()?;
    let path = scratch.path().join("run.json");
    let record = record(size);
    let (cells, blocks) = (record.cells.len(), record.blocks.len());
    let text = serde_json::to_vec(&record)?;
    let megabytes = text.len() as f64 / 1e6;
    store::write_atomically(&path, &text)?;
    drop((record, text));
    let repetitions = (0..REPETITIONS)
        .map(|_| steps(&path))
        .collect::<Result<Vec<_>, _>>()?;
    let mut rows = Rows::new(&["step", "median (ms)", "n"]);
    for (index, (name, _)) in repetitions[0].iter().enumerate() {
        let times: Vec<f64> = repetitions.iter().map(|steps| steps[index].1).collect();
        rows.push(&[name, &format_args!("{:.0}", median(&times)?), &REPETITIONS]);
    }
    let totals: Vec<f64> = repetitions
        .iter()
        .map(|steps| steps.iter().map(|step| step.1).sum())
        .collect();
    let total = median(&totals)?;
    rows.push(&[&"all of it", &format_args!("{total:.0}"), &REPETITIONS]);
    println!("run.json: {cells} cells, {blocks} blocks, {megabytes:.1} MB");
    rows.print(COMMAND);
    targets.check(
        &format!(
            "{cells} cells load and render in at most 1 s: {:.2} s",
            total / 1e3
        ),
        total <= LIMIT_MS,
    );
    Ok(())
}

/// The milliseconds that each step took, but for those with pictures.
fn text_steps(path: &Path) -> Result<Steps, BenchError> {
    let mut steps = Vec::new();
    let record = timed(&mut steps, "load", || store::load(path))?;
    let findings = timed(&mut steps, "findings", || analysis::findings(&record));
    let view = timed(&mut steps, "view", || Report::new(&record, &findings));
    timed(&mut steps, "terminal", || {
        report::terminal(&view, None, Color::Never)
    });
    timed(&mut steps, "report.md", || report::markdown(&view))?;
    timed(&mut steps, "cells.csv", || {
        export::cells_csv(&record, &findings, export::Names::Guarded)
    })?;
    Ok(steps)
}

/// The milliseconds that each step took.
fn all_steps(path: &Path) -> Result<Steps, BenchError> {
    let mut steps = text_steps(path)?;
    let record = store::load(path)?;
    let view = Report::new(&record, &analysis::findings(&record));
    timed(&mut steps, "figures", || {
        view.charts().map(report::svg).collect::<Vec<_>>()
    });
    timed(&mut steps, "report.html", || report::html(&view))?;
    Ok(steps)
}

fn timed<T>(
    steps: &mut Vec<(&'static str, f64)>,
    name: &'static str,
    step: impl FnOnce() -> T,
) -> T {
    let start = Instant::now();
    let result = step();
    steps.push((name, start.elapsed().as_secs_f64() * 1e3));
    result
}

/// A run of one concurrency, repeated for all of them: building each would only take longer.
fn record(size: Size) -> RunRecord {
    let variant = |index: usize| {
        VariantShape::new(
            &format!("v{index}"),
            "fp32",
            100_000.0 + index as f64 * 700.0,
            1_000_000,
        )
    };
    let mut run = made_up::build(&RunShape {
        name: "large".into(),
        variants: (0..size.variants).map(variant).collect(),
        batch_sizes: (1..=size.batch_sizes).collect(),
        rounds: size.rounds,
        alternations: size.alternations,
        block_inferences: 60,
        samples: 0,
    });
    let modes: Vec<LoadMode> = (1..=size.concurrencies)
        .map(|concurrency| LoadMode::Closed { concurrency })
        .collect();
    run.cells = repeat(&run.cells, &modes, |cell, mode| cell.key.load_mode = mode);
    run.blocks = repeat(&run.blocks, &modes, |block, mode| {
        block.key.load_mode = mode
    });
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
