//! One cell in one launch: bind inputs, run once, warm up, then measure blocks until told to stop.

use std::io;

use super::{Lines, out_of_turn};
use crate::engine::{EngineError, Inference, Runtime, Session};
use crate::inputs::{self, InputPlan};
use crate::measure::{
    BlockTarget, BlockTimes, Clock, EngineClock, Lane, Opening, WarmupRule, WarmupTimes, run_block, warm_up,
};
use crate::plan::LoadMode;
use crate::protocol::{BlockReport, Request, Response};
use crate::record::{Failure, Warmup};
use crate::stats::{Latencies, Quantile, SteadyRule};
use crate::units::Nanos;

/// Windows of warm-up are short, because every launch warms up every cell again.
const WARMUP_WINDOW: BlockTarget = BlockTarget::new(Nanos(5_000_000), 1);
/// On a loaded machine the latency never gets steady; more than this would take the time from the blocks.
const WARMUP_MAX_LENGTH: Nanos = Nanos(100_000_000);
const WARMUP_MAX_WINDOWS: usize = 20;
/// From here on a block is opened by nothing: what a switch of processes costs, some milliseconds, is less than 1% of it.
const LONG_INFERENCE: Nanos = Nanos(1_000_000_000);

/// What to measure.
pub(super) struct CellRequest<'a> {
    pub batch_size: u64,
    pub load_mode: LoadMode,
    pub inputs: &'a InputPlan,
    /// No further inference is begun that would end after this much time; absent: there is no limit.
    pub limit: Option<Nanos>,
    /// What one inference takes, where this process has run the model before.
    pub known: Option<Nanos>,
}

impl CellRequest<'_> {
    /// The time of an inference, if it is known to be so long that none can be spared for what is not timed.
    fn cannot_spare(&self) -> Option<Nanos> {
        let (limit, known) = (self.limit?, self.known?);
        (known + known > limit).then_some(known)
    }
}

/// Serves blocks of one cell until the parent ends it, or an inference fails.
pub(super) fn serve(
    lines: &mut Lines,
    runtime: &dyn Runtime,
    session: &dyn Session,
    cell: &CellRequest<'_>,
) -> io::Result<()> {
    let clock = runtime.clock();
    let began_at = clock.now();
    let mut latencies = Latencies::new();
    let (inferences, first_run_ns) = match bind(session, &clock, cell) {
        Ok(bound) => bound,
        Err(failure) => return lines.send(&Response::Failed(failure)),
    };
    let mut lanes: Vec<_> = inferences.into_iter().map(|mut inference| Lane::new(move || inference.run())).collect();
    let left = cell.limit.map(|limit| limit.since(clock.now().since(began_at)));
    // What one inference is known to take.
    let mut single = first_run_ns;
    match warm_up(&clock, &mut lanes, &warmup_rule(single, left), &mut latencies) {
        Ok(times) => {
            single = Nanos(times.elapsed.0.checked_div(times.inferences_count).unwrap_or(single.0));
            lines.send(&began(first_run_ns, &times, &latencies))?;
        }
        Err(error) => return lines.send(&Response::Failed(error.to_failure())),
    }
    while let Some(request) = lines.next()? {
        match request {
            Request::Block { length_ns, min_inferences, limit_ns } => {
                let opening = opening(single, limit_ns);
                let target = BlockTarget { length: length_ns, min_inferences, limit: limit_ns, opening };
                match run_block(&clock, &mut lanes, &target, &mut latencies) {
                    Ok(times) => {
                        let block = report(&times, &latencies);
                        single = block.mean_ns;
                        lines.send(&Response::Block(block))?;
                    }
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

/// Binds the inputs once for each request in flight, and runs the first inference, whose time is returned; an earlier one's,
/// where there is no time for it.
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
    if let Some(known) = cell.cannot_spare() {
        return Ok((inferences, known));
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

/// How a cell is warmed up whose first inference took `first`, in the time that is `left`. Where one more such inference
/// takes as long as warming up may, there is only that one; where it would not fit, there is none.
fn warmup_rule(first: Nanos, left: Option<Nanos>) -> WarmupRule {
    let opening = if first >= WARMUP_MAX_LENGTH { Opening::Nothing } else { Opening::Untimed };
    let fits = left.is_none_or(|left| first <= left);
    WarmupRule {
        window: BlockTarget { opening, ..WARMUP_WINDOW },
        steady: SteadyRule::default(),
        max_length: if fits { left.map_or(WARMUP_MAX_LENGTH, |left| left.min(WARMUP_MAX_LENGTH)) } else { Nanos(0) },
        max_windows: WARMUP_MAX_WINDOWS,
    }
}

/// What opens a block in `limit`, where one inference takes about `single`.
fn opening(single: Nanos, limit: Option<Nanos>) -> Opening {
    let fits = limit.is_none_or(|limit| single + single <= limit);
    if fits && single < LONG_INFERENCE { Opening::Untimed } else { Opening::Nothing }
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

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = Nanos(1_000_000_000);

    #[test]
    fn warming_up_fits_into_the_time_that_is_left() {
        let of = |first: u64, left: Option<u64>| {
            let rule = warmup_rule(Nanos(first), left.map(Nanos));
            (rule.max_length.0, rule.window.opening)
        };
        assert_eq!(of(1_000, None), (100_000_000, Opening::Untimed));
        assert_eq!(of(1_000, Some(20_000_000)), (20_000_000, Opening::Untimed));
        assert_eq!(of(SECOND.0, Some(3 * SECOND.0)), (100_000_000, Opening::Nothing), "one more, and no second one");
        assert_eq!(of(SECOND.0, Some(SECOND.0 / 2)), (0, Opening::Nothing));
        assert_eq!(of(SECOND.0, Some(0)), (0, Opening::Nothing));
    }

    #[test]
    fn long_inferences_and_short_limits_leave_out_the_untimed_inference() {
        assert_eq!(opening(Nanos(1_000), None), Opening::Untimed);
        assert_eq!(opening(Nanos(1_000), Some(Nanos(1_500))), Opening::Nothing);
        assert_eq!(opening(SECOND, None), Opening::Nothing);
    }
}
