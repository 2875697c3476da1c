//! Whether `--plan` forecasts the precision that a run reaches: pairs of a forecast and its run,
//! one after the other.
//!
//! The half-width that a run reaches is to be within 0.5 and 1.5 times a forecast that is one
//! figure, and between the ends of one that is a range, in 9 of 10 of them. It begins with an empty
//! cache of earlier runs. Ten pairs of two families at 20 s each take some ten minutes;
//! `ONNXPROF_BENCH_PAIRS` says how many.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark tells its figures where it runs"
)]

mod support;

use std::fmt::{Display, Formatter};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use onnxprof::analysis;
use onnxprof::metric::Metric;
use onnxprof::runtime;
use onnxprof::store;
use support::{BenchError, Rows, Targets, median};

const COMMAND: &str = "cargo bench --bench forecast";
const PAIRS: usize = 10;
/// What a reached half-width may be of its forecast, and the share of them that must be.
const LEAST: f64 = 0.5;
const MOST: f64 = 1.5;
const SHARE: f64 = 0.9;

fn main() -> Result<ExitCode, BenchError> {
    let opener = runtime::Opener::new(env!("CARGO_BIN_EXE_onnxprof"));
    let library = runtime::resolve(None, &opener, &mut |line| eprintln!("{line}"))?.path;
    let pairs = std::env::var("ONNXPROF_BENCH_PAIRS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(PAIRS);
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/digits");
    let scratch = tempfile::tempdir()?;
    let program = Program {
        library,
        cache: scratch.path().join("cache"),
    };
    let mut rows = Rows::new(&["model", "pair", "forecast", "reached", "as forecast"]);
    let (mut right, mut middles) = (Vec::new(), 0);
    for (name, model) in [
        ("digits, four variants", models.clone()),
        ("digits-fp32 alone", models.join("digits-fp32.onnx")),
    ] {
        for pair in 0..pairs {
            let forecast = program.forecast(&model)?;
            let reached = program.reached(
                &model,
                &scratch.path().join(format!("{}-{pair}", name.len())),
            )?;
            let is_right = forecast.holds(reached);
            rows.push(&[
                &name,
                &(pair + 1),
                &forecast,
                &format_args!("{:.2}%", 100.0 * reached),
                &(if is_right { "yes" } else { "no" }),
            ]);
            right.push(is_right);
            middles += u32::from(forecast.middle_holds(reached));
        }
    }
    rows.print(COMMAND);
    println!(
        "\n{middles} of {} are within {LEAST} and {MOST} of the middle of their forecast",
        right.len()
    );
    let within = right.iter().filter(|right| **right).count();
    let share = within as f64 / right.len().max(1) as f64;
    let mut targets = Targets::default();
    targets.check(
        &format!("{within} of {} half-widths are as forecast", right.len()),
        share >= SHARE,
    );
    Ok(targets.exit_code())
}

/// A forecast half-width, as a share.
enum Forecast {
    Figure(f64),
    Range(f64, f64),
}

impl Forecast {
    fn holds(&self, reached: f64) -> bool {
        match *self {
            Forecast::Figure(figure) => (LEAST..=MOST).contains(&(reached / figure)),
            Forecast::Range(low, high) => (low..=high).contains(&reached),
        }
    }

    /// Whether a figure would have done that is as many times the lower end as the upper end is
    /// times it.
    fn middle_holds(&self, reached: f64) -> bool {
        match *self {
            Forecast::Figure(figure) => Forecast::Figure(figure).holds(reached),
            Forecast::Range(low, high) => Forecast::Figure((low * high).sqrt()).holds(reached),
        }
    }
}

impl Display for Forecast {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Forecast::Figure(figure) => write!(out, "{:.2}%", 100.0 * figure),
            Forecast::Range(low, high) => {
                write!(out, "{:.2}% to {:.2}%", 100.0 * low, 100.0 * high)
            }
        }
    }
}

/// The program with what both sides are run with.
struct Program {
    library: PathBuf,
    cache: PathBuf,
}

impl Program {
    fn command(&self, model: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onnxprof"));
        command
            .env("ONNXPROF_CACHE", &self.cache)
            .arg("profile")
            .arg(model)
            .arg("--runtime")
            .arg(&self.library);
        command.args(["--batch", "1", "--budget", "20s", "--quiet", "--no-color"]);
        command
    }

    /// The half-width at batch 1 that `--plan` forecasts.
    fn forecast(&self, model: &Path) -> Result<Forecast, BenchError> {
        let output = self.command(model).arg("--plan").output()?;
        let text = String::from_utf8(output.stdout)?;
        let row = text
            .lines()
            .find(|line| line.split_whitespace().next() == Some("1"));
        let after = row.and_then(|row| row.split('±').nth(1));
        let after = after.ok_or_else(|| {
            format!(
                "no forecast in:\n{text}{}",
                String::from_utf8_lossy(&output.stderr)
            )
        })?;
        let cell = after.trim_start().split("  ").next().unwrap_or_default();
        let share = |text: &str| {
            Ok::<_, BenchError>(text.trim().trim_end_matches('%').parse::<f64>()? / 100.0)
        };
        Ok(match cell.split_once(" to ") {
            Some((low, high)) => Forecast::Range(share(low)?, share(high)?),
            None => Forecast::Figure(share(cell)?),
        })
    }

    /// The half-width that a run reaches: the middle one of its ratios to the baseline, or that of
    /// its median latency.
    fn reached(&self, model: &Path, folder: &Path) -> Result<f64, BenchError> {
        let output = self.command(model).arg("--out").arg(folder).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        let record = store::load(folder)?;
        let findings = analysis::findings(&record);
        let of_metric = |metric: Metric| -> Vec<f64> {
            let figures = findings
                .cells
                .iter()
                .filter_map(|cell| cell.figure(metric)?.measured().cloned());
            figures
                .filter_map(|figure| figure.half_width_ratio())
                .collect()
        };
        let mut widths = of_metric(Metric::LatencyP50RatioToBaseline);
        if widths.is_empty() {
            widths = of_metric(Metric::LatencyP50);
        }
        median(&widths)
    }
}
