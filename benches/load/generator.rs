//! The lag of the thread that sends beside that of a generator in C of the same method, and of a
//! loop in C that only sleeps.
//!
//! The three take turns segment by segment, in an order that changes; the same again while one core
//! is busy.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use onnxprof::measure::{Caller, ServingTarget, serve};
use onnxprof::plan::{Arrivals, Serving, Share};
use onnxprof::record::Offer;
use onnxprof::stats::Quantile;
use onnxprof::traffic::{Request, arrivals};
use onnxprof::units::{Nanos, PerSecond};

use super::COMMAND;
use super::support::{BenchError, Rows, Targets, median};

const RATES: [u64; 2] = [1_000, 20_000];
const SEGMENTS: usize = 10;
const LENGTH: Nanos = Nanos(1_500_000_000);
/// How much more lag than the generator in C there may be.
const LIMIT: f64 = 1.2;

/// A figure of lag, by its name.
type Figure = (&'static str, fn(&Lag) -> f64);

const FIGURES: [Figure; 2] = [("p50", |lag| lag.p50), ("p99", |lag| lag.p99)];

pub fn run(targets: &mut Targets) -> Result<(), BenchError> {
    let scratch = tempfile::tempdir()?;
    let program = scratch.path().join("generator");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/load/generator.c");
    compile(&source, &program)?;
    let mut rows = Rows::new(&[
        "rate (1/s)",
        "machine",
        "figure",
        "onnxprof (us)",
        "C (us)",
        "onnxprof / C",
        "bare clock_nanosleep (us)",
        "n (segments x requests)",
    ]);
    for rate in RATES {
        for machine in ["idle", "one core busy"] {
            let busy = match machine {
                "idle" => None,
                _ => Some(Busy::start(&program)?),
            };
            let lags = measure(&program, rate)?;
            drop(busy);
            for (figure, of) in FIGURES {
                let [ours, independent, bare] = lags.medians(of)?;
                let ratio = ours / independent;
                rows.push(&[
                    &rate,
                    &machine,
                    &figure,
                    &format_args!("{:.1}", ours / 1e3),
                    &format_args!("{:.1}", independent / 1e3),
                    &format_args!("{ratio:.2}"),
                    &format_args!("{:.1}", bare / 1e3),
                    &format_args!("{SEGMENTS} x {}", requests(rate)),
                ]);
                targets.check(
                    &format!("{figure} of lag at {rate}/s, {machine}: {ratio:.2}x that of C, at most {LIMIT}x"),
                    ratio <= LIMIT,
                );
            }
        }
    }
    rows.print(&format!("{COMMAND} -- generator"));
    Ok(())
}

fn requests(rate: u64) -> u64 {
    (rate as f64 * LENGTH.as_secs_f64()) as u64
}

/// Lag of a segment, in nanoseconds.
struct Lag {
    p50: f64,
    p99: f64,
}

/// Lag of each segment.
#[derive(Default)]
struct Lags {
    ours: Vec<Lag>,
    independent: Vec<Lag>,
    bare: Vec<Lag>,
}

impl Lags {
    fn medians(&self, figure: fn(&Lag) -> f64) -> Result<[f64; 3], BenchError> {
        Ok([
            median_of(&self.ours, figure)?,
            median_of(&self.independent, figure)?,
            median_of(&self.bare, figure)?,
        ])
    }
}

fn median_of(lags: &[Lag], figure: fn(&Lag) -> f64) -> Result<f64, BenchError> {
    median(&lags.iter().map(figure).collect::<Vec<_>>())
}

fn measure(program: &Path, rate: u64) -> Result<Lags, BenchError> {
    let mut queue = Independent::start(program, "queue")?;
    let mut bare = Independent::start(program, "bare")?;
    let mut lags = Lags::default();
    for segment in 0..SEGMENTS {
        for place in 0..3 {
            match (segment + place) % 3 {
                0 => lags.ours.push(ours(rate)?),
                1 => lags.independent.push(queue.segment(rate)?),
                _ => lags.bare.push(bare.segment(rate)?),
            }
        }
    }
    Ok(lags)
}

/// A caller that does nothing.
struct Nothing;

impl Caller for Nothing {
    type Error = std::convert::Infallible;

    fn run(&mut self, _batch: &[Request]) -> Result<(), Self::Error> {
        Ok(())
    }

    fn check(&mut self, _batch: &[Request]) {}
}

fn ours(rate: u64) -> Result<Lag, BenchError> {
    let serving = Serving::single(None);
    let target = ServingTarget {
        serving: &serving,
        length: LENGTH,
        windows: 1,
        start: None,
        // The generator in C is not pinned either.
        model_threads: u64::MAX,
        limit: Nanos(u64::MAX / 4),
    };
    let offer = Offer::at(PerSecond(rate as f64), LENGTH, 1);
    let mut arriving = arrivals(&Arrivals::Constant, &offer, Share::WHOLE)?;
    let tally = serve(&target, arriving.as_mut(), &mut [Nothing]).tally;
    let at = |quantile| tally.lag.nearest_rank(quantile).map(Nanos::as_f64);
    let p50 = at(Quantile::P50).ok_or("nothing was sent")?;
    let p99 = at(Quantile::P99).ok_or("nothing was sent")?;
    Ok(Lag { p50, p99 })
}

/// A program in C that runs a segment when it is told to.
struct Independent {
    child: Child,
    requests: ChildStdin,
    responses: BufReader<ChildStdout>,
}

impl Independent {
    fn start(program: &Path, way: &str) -> Result<Self, BenchError> {
        let mut child = Command::new(program)
            .arg(way)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(requests), Some(responses)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the program in C has no pipes".into());
        };
        Ok(Independent {
            child,
            requests,
            responses: BufReader::new(responses),
        })
    }

    fn segment(&mut self, rate: u64) -> Result<Lag, BenchError> {
        writeln!(self.requests, "{rate} {}", requests(rate))?;
        let mut line = String::new();
        self.responses.read_line(&mut line)?;
        let mut numbers = line.split_whitespace().map(str::parse::<f64>);
        match (numbers.next(), numbers.next()) {
            (Some(p50), Some(p99)) => Ok(Lag {
                p50: p50?,
                p99: p99?,
            }),
            _ => Err("the program in C said nothing".into()),
        }
    }
}

impl Drop for Independent {
    fn drop(&mut self) {
        // One that has ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that keeps one core busy.
struct Busy(Child);

impl Busy {
    fn start(program: &Path) -> Result<Self, BenchError> {
        Ok(Busy(Command::new(program).arg("busy").spawn()?))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        // One that has ended already is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn compile(source: &Path, program: &Path) -> Result<(), BenchError> {
    let status = Command::new("cc")
        .args(["-O2", "-pthread", "-o"])
        .arg(program)
        .arg(source)
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`cc` ended with {status}").into())
    }
}
