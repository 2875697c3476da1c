//! One cell in one launch: bind inputs, run once, warm up, then measure blocks until told to stop.

use std::io;

use super::{Lines, out_of_turn};
use crate::engine::{EngineError, Inference, Runtime, Session};
use crate::inputs::{self, InputPlan};
use crate::measure::{BlockTarget, BlockTimes, Clock, EngineClock, Lane, WarmupRule, WarmupTimes, run_block, warm_up};
use crate::plan::LoadMode;
use crate::protocol::{BlockReport, Request, Response};
use crate::record::{Failure, Warmup};
use crate::stats::{Latencies, Quantile, SteadyRule};
use crate::units::Nanos;

/// Windows of warm-up are short, because every launch warms up every cell again.
const WARMUP_WINDOW: BlockTarget = BlockTarget { length: Nanos(5_000_000), min_inferences: 1 };
/// On a loaded machine the latency never gets steady; more than this would take the time from the blocks.
const WARMUP_MAX_LENGTH: Nanos = Nanos(100_000_000);
const WARMUP_MAX_WINDOWS: usize = 20;

/// What to measure.
pub(super) struct CellRequest<'a> {
    pub batch_size: u64,
    pub load_mode: LoadMode,
    pub inputs: &'a InputPlan,
}

/// Serves blocks of one cell until the parent ends it, or an inference fails.
pub(super) fn serve(
    lines: &mut Lines,
    runtime: &dyn Runtime,
    session: &dyn Session,
    cell: &CellRequest<'_>,
) -> io::Result<()> {
    let clock = runtime.clock();
    let mut latencies = Latencies::new();
    let (inferences, first_run_ns) = match bind(session, &clock, cell) {
        Ok(bound) => bound,
        Err(failure) => return lines.send(&Response::Failed(failure)),
    };
    let mut lanes: Vec<_> = inferences.into_iter().map(|mut inference| Lane::new(move || inference.run())).collect();
    match warm_up(&clock, &mut lanes, &warmup_rule(), &mut latencies) {
        Ok(times) => lines.send(&began(first_run_ns, &times, &latencies))?,
        Err(error) => return lines.send(&Response::Failed(error.to_failure())),
    }
    while let Some(request) = lines.next()? {
        match request {
            Request::Block { length_ns, min_inferences } => {
                let target = BlockTarget { length: length_ns, min_inferences };
                match run_block(&clock, &mut lanes, &target, &mut latencies) {
                    Ok(times) => lines.send(&Response::Block(report(&times, &latencies)))?,
                    Err(error) => return lines.send(&Response::Failed(error.to_failure())),
                }
            }
            Request::Idle { gap_ns, count } => {
                let idled = idle(&clock, &mut lanes, gap_ns, count);
                lines.send(&idled.unwrap_or_else(|error| Response::Failed(error.to_failure())))?;
            }
            Request::End => {
                let log = runtime.log_counts();
                return lines.send(&Response::Ended {
                    arena: session.arena(),
                    log_warnings_count: log.warnings,
                    log_errors_count: log.errors,
                });
            }
            _ => lines.send(&out_of_turn())?,
        }
    }
    Ok(())
}

/// Binds the inputs once for each request in flight, and runs the first inference, whose time is returned.
fn bind<'s>(
    session: &'s dyn Session,
    clock: &EngineClock,
    cell: &CellRequest<'_>,
) -> Result<(Vec<Box<dyn Inference + 's>>, Nanos), Failure> {
    let sets = inputs::materialize(cell.inputs, cell.batch_size).map_err(|error| super::input_failure(&error))?;
    let mut inferences = Vec::new();
    for _ in 0..cell.load_mode.concurrency() {
        inferences.push(session.bind(&sets).map_err(|error| error.to_failure())?);
    }
    let start = clock.now();
    if let Some(inference) = inferences.first_mut() {
        inference.run().map_err(|error| error.to_failure())?;
    }
    Ok((inferences, clock.now().since(start)))
}

/// Runs single inferences on the first lane, each after `gap` in which this process sleeps. An inference that is not timed
/// comes before each gap, so that all of them begin alike.
fn idle<F>(clock: &EngineClock, lanes: &mut [Lane<F>], gap: Nanos, count: u64) -> Result<Response, EngineError>
where
    F: FnMut() -> Result<(), EngineError> + Send,
{
    let mut latencies_ns = Vec::new();
    let Some(lane) = lanes.first_mut() else { return Ok(Response::Idled { latencies_ns }) };
    for _ in 0..count {
        lane.infer()?;
        if gap.0 > 0 {
            std::thread::sleep(gap.into());
        }
        let start = clock.now();
        lane.infer()?;
        latencies_ns.push(clock.now().since(start));
    }
    Ok(Response::Idled { latencies_ns })
}

fn warmup_rule() -> WarmupRule {
    WarmupRule {
        window: WARMUP_WINDOW,
        steady: SteadyRule::default(),
        max_length: WARMUP_MAX_LENGTH,
        max_windows: WARMUP_MAX_WINDOWS,
    }
}

fn began(first_run_ns: Nanos, times: &WarmupTimes, latencies: &Latencies) -> Response {
    let warmup = Warmup { steady: times.steady, inferences_count: times.inferences_count, elapsed_ns: times.elapsed };
    Response::Began { first_run_ns, warmup, histogram: latencies.encode() }
}

fn report(times: &BlockTimes, latencies: &Latencies) -> BlockReport {
    let at = |quantile| latencies.nearest_rank(quantile).unwrap_or_default();
    BlockReport {
        elapsed_ns: times.elapsed,
        inferences_count: times.inferences_count,
        median_ns: at(Quantile::P50),
        p10_ns: at(Quantile::P10),
        mean_ns: Nanos(latencies.mean().unwrap_or_default() as u64),
        cpu_time_ns: times.usage.cpu_time_ns,
        involuntary_switches_count: times.usage.involuntary_switches_count,
        major_faults_count: times.usage.major_faults_count,
        minor_faults_count: times.usage.minor_faults_count,
        histogram: latencies.encode(),
    }
}
