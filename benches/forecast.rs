//! Whether `--plan` forecasts the precision that a run reaches: pairs of a forecast and its run, one after the other.
//!
//! The half-width that a run reaches is to be within 0.5 and 1.5 times the forecast in 9 of 10 of them. Ten pairs of two
//! families at 20 s each take some ten minutes; `ONNXPROF_BENCH_PAIRS` says how many.

mod support;

use std::path::Path;
use std::process::{Command, ExitCode};

use onnxprof::analysis;
use onnxprof::record::{Metric, store};
use onnxprof::runtime;
use support::{BenchError, Rows, Targets, median};

const COMMAND: &str = "cargo bench --bench forecast";
const PAIRS: usize = 10;
/// What a reached half-width may be of its forecast, and the share of them that must be.
const LEAST: f64 = 0.5;
const MOST: f64 = 1.5;
const SHARE: f64 = 0.9;

fn main() -> Result<ExitCode, BenchError> {
    runtime::resolve(None, &mut |line| eprintln!("{line}"))?;
    let pairs = std::env::var("ONNXPROF_BENCH_PAIRS").ok().and_then(|text| text.parse().ok()).unwrap_or(PAIRS);
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/digits");
    let scratch = tempfile::tempdir()?;
    let mut rows = Rows::new(&["model", "pair", "forecast", "reached", "reached / forecast"]);
    let mut ratios = Vec::new();
    for (name, model) in
        [("digits, four variants", models.clone()), ("digits-fp32 alone", models.join("digits-fp32.onnx"))]
    {
        for pair in 0..pairs {
            let forecast = forecast(&model)?;
            let reached = reached(&model, &scratch.path().join(format!("{}-{pair}", name.len())))?;
            let ratio = reached / forecast;
            rows.push(&[
                &name,
                &(pair + 1),
                &format_args!("{:.2}%", 100.0 * forecast),
                &format_args!("{:.2}%", 100.0 * reached),
                &format_args!("{ratio:.2}"),
            ]);
            ratios.push(ratio);
        }
    }
    rows.print(COMMAND);
    let within = ratios.iter().filter(|ratio| (LEAST..=MOST).contains(*ratio)).count();
    let share = within as f64 / ratios.len().max(1) as f64;
    let mut targets = Targets::default();
    targets.check(
        &format!("{within} of {} half-widths are within {LEAST} and {MOST} times their forecast", ratios.len()),
        share >= SHARE,
    );
    Ok(targets.exit_code())
}

/// The options that both sides are run with.
fn command(model: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onnxprof"));
    command.arg("profile").arg(model).args(["--batch", "1", "--budget", "20s", "--quiet", "--no-color"]);
    command
}

/// The half-width at batch 1 that `--plan` forecasts, as a share.
fn forecast(model: &Path) -> Result<f64, BenchError> {
    let output = command(model).arg("--plan").output()?;
    let text = String::from_utf8(output.stdout)?;
    let row = text.lines().find(|line| line.split_whitespace().next() == Some("1"));
    let width = row.and_then(|row| row.split('±').nth(1)).and_then(|rest| rest.split('%').next());
    let width = width.ok_or_else(|| format!("no forecast in:\n{text}{}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(width.trim().parse::<f64>()? / 100.0)
}

/// The half-width that a run reaches: the middle one of its ratios to the baseline, or that of its median latency.
fn reached(model: &Path, folder: &Path) -> Result<f64, BenchError> {
    let output = command(model).arg("--out").arg(folder).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let record = store::load(folder)?;
    let findings = analysis::findings(&record);
    let of_metric = |metric: Metric| -> Vec<f64> {
        let figures = findings.cells.iter().filter_map(|cell| cell.figure(metric)?.measured().cloned());
        let wider = figures.filter_map(|figure| {
            let interval = figure.interval?;
            Some((interval.high - figure.value).max(figure.value - interval.low) / figure.value)
        });
        wider.collect()
    };
    let mut widths = of_metric(Metric::LatencyP50RatioToBaseline);
    if widths.is_empty() {
        widths = of_metric(Metric::LatencyP50);
    }
    median(&widths)
}
