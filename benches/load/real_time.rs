//! One server in real time beside theory: waiting of requests that come independently of each
//! other at a server that takes the same time for each.

use onnxprof::measure::{Caller, Clock, MonotonicClock, ServingTarget, serve};
use onnxprof::plan::{Arrivals, Serving, Share};
use onnxprof::record::Offer;
use onnxprof::stats::{Latencies, Quantile};
use onnxprof::traffic::{Arriving, Desk, Request, Service, Tally, arrivals, simulate};
use onnxprof::units::{Nanos, PerSecond};

use super::COMMAND;
use super::support::{BenchError, Rows, Targets};

const SERVICE: Nanos = Nanos(2_000_000);
const UTILIZATION: f64 = 0.6;
const LENGTH: Nanos = Nanos(120_000_000_000);
const SEED: u64 = 20_261_127;
/// How far the mean may lie from the formula.
const LIMIT: f64 = 0.05;

pub fn run(targets: &mut Targets) -> Result<(), BenchError> {
    let serving = Serving::single(None);
    let target = ServingTarget {
        serving: &serving,
        length: LENGTH,
        windows: 10,
        start: None,
        model_threads: 1,
        limit: Nanos(u64::MAX / 4),
    };
    let real = serve(&target, arriving()?.as_mut(), &mut [Busy]).tally;
    let mut played = Tally::new(LENGTH, 10, 1);
    simulate(
        arriving()?.as_mut(),
        &mut Desk::new(&serving),
        1,
        &mut Fixed,
        &mut played,
    );
    // Pollaczek and Khinchine, for a constant service time.
    let expected = UTILIZATION / (2.0 * (1.0 - UTILIZATION)) * SERVICE.as_f64();
    let mean = real.waiting.mean().ok_or("nothing was served")?;
    let mut rows = Rows::new(&[
        "figure of waiting",
        "real time (us)",
        "the same arrivals in a time of their own (us)",
        "formula (us)",
        "n (requests)",
    ]);
    let count = real.waiting.count();
    rows.push(&[
        &"mean",
        &format_args!("{:.1}", mean / 1e3),
        &format_args!("{:.1}", played.waiting.mean().unwrap_or_default() / 1e3),
        &format_args!("{:.1}", expected / 1e3),
        &count,
    ]);
    for (name, quantile) in [("p50", Quantile::P50), ("p99", Quantile::P99)] {
        rows.push(&[
            &name,
            &format_args!("{:.1}", at(&real.waiting, quantile) / 1e3),
            &format_args!("{:.1}", at(&played.waiting, quantile) / 1e3),
            &"-",
            &count,
        ]);
    }
    rows.print(&format!("{COMMAND} -- real_time"));
    println!(
        "lag of sending: p50 {:.1} us, p99 {:.1} us; service: p50 {:.1} us, p99 {:.1} us\n",
        at(&real.lag, Quantile::P50) / 1e3,
        at(&real.lag, Quantile::P99) / 1e3,
        at(&real.service, Quantile::P50) / 1e3,
        at(&real.service, Quantile::P99) / 1e3,
    );
    targets.check(
        &format!(
            "mean waiting at {UTILIZATION} is within {:.0}% of the formula: {:+.1}%",
            LIMIT * 100.0,
            (mean / expected - 1.0) * 100.0
        ),
        (mean / expected - 1.0).abs() <= LIMIT,
    );
    Ok(())
}

fn at(latencies: &Latencies, quantile: Quantile) -> f64 {
    latencies
        .nearest_rank(quantile)
        .unwrap_or_default()
        .as_f64()
}

fn arriving() -> Result<Box<dyn Arriving>, BenchError> {
    let rate = PerSecond(UTILIZATION * 1e9 / SERVICE.as_f64());
    Ok(arrivals(
        &Arrivals::Poisson,
        &Offer::at(rate, LENGTH, SEED),
        Share::WHOLE,
    )?)
}

/// A caller that is busy for the service time.
struct Busy;

impl Caller for Busy {
    type Error = std::convert::Infallible;

    fn run(&mut self, _batch: &[Request]) -> Result<(), Self::Error> {
        let end = MonotonicClock.now() + SERVICE;
        while MonotonicClock.now() < end {
            std::hint::spin_loop();
        }
        Ok(())
    }

    fn check(&mut self, _batch: &[Request]) {}
}

struct Fixed;

impl Service for Fixed {
    fn time(&mut self, _: &[Request], _: Nanos) -> Option<Nanos> {
        Some(SERVICE)
    }
}
