//! One cell in one launch: bind inputs and outputs, run once, warm up, then measure blocks until
//! told to stop.

use std::io;

use super::lines::{Lines, out_of_turn};
use super::room;
use crate::engine::{self, EngineError, Inference, Runtime, Session};
use crate::inputs;
use crate::measure::{
    BlockTarget, BlockTimes, Clock, EngineClock, Lane, Opening, WarmupRule, WarmupTimes, Work,
    run_block, warm_up,
};
use crate::protocol::{BlockReport, CellRequest, Request, Response};
use crate::record::{Failure, FailureKind, Warmup};
use crate::stats::{Latencies, Quantile, SteadyRule};
use crate::text::Plain;
use crate::units::Nanos;

/// Windows of warm-up are short, because every launch warms up every cell again.
const WARMUP_WINDOW: BlockTarget = BlockTarget::new(Nanos(5_000_000), 1);
/// On a loaded machine the latency never gets steady; more than this would take the time from the
/// blocks.
const WARMUP_MAX_LENGTH: Nanos = Nanos(100_000_000);
const WARMUP_MAX_WINDOWS: usize = 20;
/// From here on a block is opened by nothing: what a switch of processes costs, some milliseconds,
/// is less than 1% of it.
const LONG_INFERENCE: Nanos = Nanos(1_000_000_000);

/// Inputs and outputs, bound for each request in flight, after the first inference.
struct Bound<'s> {
    inferences: Vec<Box<dyn Inference + 's>>,
    first_run_ns: Nanos,
    outputs_anew: Option<Plain>,
}

impl Bound<'_> {
    /// Whether outputs stay where the first inference left them.
    fn keeps_outputs(&self) -> bool {
        self.inferences
            .first()
            .is_some_and(|inference| inference.keeps_outputs())
    }

    fn undeclared_output(&self) -> Option<Plain> {
        self.inferences
            .first()?
            .undeclared_output()
            .map(Plain::from)
    }
}

/// An inference whose outputs are bound anew each time, outside its latency.
struct BoundAnew<'s>(Box<dyn Inference + 's>);

impl Work for BoundAnew<'_> {
    type Error = EngineError;
    const PREPARES: bool = true;

    fn prepare(&mut self) -> engine::Result<()> {
        self.0.bind_outputs()
    }

    #[inline]
    fn infer(&mut self) -> engine::Result<()> {
        self.0.run()
    }
}

/// Outputs are bound once where the first inference shows that it does, and anew once a later one
/// fails.
pub(super) fn serve(
    lines: &mut Lines,
    runtime: &dyn Runtime,
    session: &dyn Session,
    cell: &CellRequest,
) -> io::Result<()> {
    let mut stage = Stage {
        lines,
        runtime,
        session,
        began_at: runtime.clock().now(),
        limit: cell.limit_ns,
        latencies: Latencies::new(),
    };
    match stage.serve(cell)? {
        Ok(()) => Ok(()),
        Err(failure) => stage.lines.send(&Response::Failed(failure)),
    }
}

/// The inner error is of what came before any block, of which nothing is said yet.
type Served = io::Result<Result<(), Failure>>;

struct Stage<'a> {
    lines: &'a mut Lines,
    runtime: &'a dyn Runtime,
    session: &'a dyn Session,
    began_at: Nanos,
    /// No further inference of the warm-up is begun that would end after this much time from then
    /// on.
    limit: Option<Nanos>,
    latencies: Latencies,
}

impl<'s> Stage<'s> {
    fn serve(&mut self, cell: &CellRequest) -> Served {
        let bound = match self.bind(cell) {
            Ok(bound) => bound,
            Err(failure) => return Ok(Err(failure)),
        };
        if bound.outputs_anew.is_some() {
            return self.serve_anew(bound);
        }
        let first_run_ns = bound.first_run_ns;
        let keeps_outputs = bound.keeps_outputs();
        let Err(failure) = self.serve_once_bound(bound)? else {
            return Ok(Ok(()));
        };
        if keeps_outputs || failure.kind != FailureKind::Inference {
            return Ok(Err(failure));
        }
        let why = failure.message.exact();
        let why = format!("an inference after the first failed: {why}");
        match self.bind(cell) {
            Ok(again) => self.serve_anew(Bound {
                first_run_ns,
                outputs_anew: Some(why.into()),
                ..again
            }),
            Err(failure) => Ok(Err(failure)),
        }
    }

    fn serve_once_bound(&mut self, bound: Bound<'_>) -> Served {
        self.serve_lanes(
            bound
                .inferences
                .into_iter()
                .map(|mut one| Lane::new(move || one.run()))
                .collect(),
            bound.first_run_ns,
            None,
        )
    }

    fn serve_anew(&mut self, bound: Bound<'_>) -> Served {
        self.serve_lanes(
            bound
                .inferences
                .into_iter()
                .map(|one| Lane::new(BoundAnew(one)))
                .collect(),
            bound.first_run_ns,
            bound.outputs_anew,
        )
    }

    /// Warms lanes up and serves their blocks.
    fn serve_lanes<W>(
        &mut self,
        mut lanes: Vec<Lane<W>>,
        first_run_ns: Nanos,
        outputs_anew: Option<Plain>,
    ) -> Served
    where
        W: Work<Error = EngineError> + Send,
    {
        self.latencies.reset();
        let rule = warmup_rule(first_run_ns, self.time_left());
        let times = match warm_up(
            &self.runtime.clock(),
            &mut lanes,
            &rule,
            &mut self.latencies,
        ) {
            Ok(times) => times,
            Err(error) => return Ok(Err(error.into())),
        };
        self.lines.send(&Response::Began {
            first_run_ns,
            warmup: warmup(&times),
            histogram: self.latencies.encode(),
            outputs_anew,
        })?;
        self.serve_blocks(&mut lanes, mean_of(&times).unwrap_or(first_run_ns))
            .map(Ok)
    }

    fn time_left(&self) -> Option<Nanos> {
        let limit = self.limit?;
        Some(limit.since(self.runtime.clock().now().since(self.began_at)))
    }

    fn serve_blocks<W>(&mut self, lanes: &mut [Lane<W>], mut single: Nanos) -> io::Result<()>
    where
        W: Work<Error = EngineError> + Send,
    {
        while let Some(request) = self.lines.next()? {
            let response = match request {
                Request::Block {
                    length_ns,
                    min_inferences,
                    limit_ns,
                } => {
                    let target = BlockTarget {
                        length: length_ns,
                        min_inferences,
                        limit: limit_ns,
                        opening: opening(single, limit_ns),
                    };
                    let block = self.block(lanes, &target);
                    single = block.as_ref().map_or(single, |block| block.mean_ns);
                    block.map(Response::Block)
                }
                Request::Idle { gap_ns, count } => {
                    idle(&self.runtime.clock(), lanes, gap_ns, count)
                }
                Request::End => return self.end(),
                _ => Ok(out_of_turn()),
            };
            let failed = response.is_err();
            self.lines.answer(response)?;
            if failed {
                return Ok(());
            }
        }
        Ok(())
    }

    fn block<W>(
        &mut self,
        lanes: &mut [Lane<W>],
        target: &BlockTarget,
    ) -> engine::Result<BlockReport>
    where
        W: Work<Error = EngineError> + Send,
    {
        let times = run_block(&self.runtime.clock(), lanes, target, &mut self.latencies)?;
        Ok(report::<W>(&times, &self.latencies))
    }

    /// Runs the first inference, unless there is no time for it: its time is then an earlier one's.
    fn bind(&self, cell: &CellRequest) -> Result<Bound<'s>, Failure> {
        room::ask(cell)?;
        let sets = inputs::materialize(&cell.inputs, cell.batch_size)?;
        room::ask_for_outputs(cell, sets.len())?;
        let mut inferences = self.session.bind(sets, cell.load_mode.threads_count())?;
        let first_run_ns = match cannot_spare(cell) {
            Some(known) => known,
            None => {
                let clock = self.runtime.clock();
                let start = clock.now();
                if let Some(inference) = inferences.first_mut() {
                    inference.run()?;
                }
                clock.now().since(start)
            }
        };
        let mut bound = Bound {
            inferences,
            first_run_ns,
            outputs_anew: None,
        };
        if !bound.keeps_outputs() {
            bound.outputs_anew = cell
                .outputs_anew
                .clone()
                .or_else(|| bound.undeclared_output());
        }
        Ok(bound)
    }

    fn end(&mut self) -> io::Result<()> {
        let log = self.runtime.log_counts();
        self.lines.send(&Response::Ended {
            arena: self.session.arena(),
            log_warnings_count: log.warnings,
            log_errors_count: log.errors,
        })
    }
}

fn warmup(times: &WarmupTimes) -> Warmup {
    Warmup {
        steady: times.steady,
        inferences_count: times.inferences_count,
        elapsed_ns: times.elapsed,
    }
}

/// Time of one inference of the warm-up; `None` if there was none.
fn mean_of(times: &WarmupTimes) -> Option<Nanos> {
    times
        .elapsed
        .0
        .checked_div(times.inferences_count)
        .map(Nanos)
}

/// The time of an inference, if it is known to be so long that none can be spared for what is not
/// timed.
fn cannot_spare(cell: &CellRequest) -> Option<Nanos> {
    let known = cell.known_ns?;
    (known + known > cell.limit_ns?).then_some(known)
}

/// An inference that is not timed comes before each gap, so that all of them begin alike.
fn idle<W>(
    clock: &EngineClock,
    lanes: &mut [Lane<W>],
    gap: Nanos,
    count: u64,
) -> engine::Result<Response>
where
    W: Work<Error = EngineError>,
{
    let mut latencies_ns = Vec::new();
    let Some(lane) = lanes.first_mut() else {
        return Ok(Response::Idled { latencies_ns });
    };
    for _ in 0..count {
        lane.prepare()?;
        lane.infer()?;
        lane.prepare()?;
        if gap.0 > 0 {
            std::thread::sleep(gap.into());
        }
        let start = clock.now();
        lane.infer()?;
        latencies_ns.push(clock.now().since(start));
    }
    Ok(Response::Idled { latencies_ns })
}

/// How a cell is warmed up whose first inference took `first`, in the time that is `left`. Where
/// one more such inference takes as long as warming up may, there is only that one; where it would
/// not fit, there is none.
fn warmup_rule(first: Nanos, left: Option<Nanos>) -> WarmupRule {
    let opening = if first >= WARMUP_MAX_LENGTH {
        Opening::Nothing
    } else {
        Opening::Untimed
    };
    let fits = left.is_none_or(|left| first <= left);
    WarmupRule {
        window: BlockTarget {
            opening,
            ..WARMUP_WINDOW
        },
        steady: SteadyRule::default(),
        max_length: if fits {
            left.map_or(WARMUP_MAX_LENGTH, |left| left.min(WARMUP_MAX_LENGTH))
        } else {
            Nanos(0)
        },
        max_windows: WARMUP_MAX_WINDOWS,
    }
}

fn opening(single: Nanos, limit: Option<Nanos>) -> Opening {
    let fits = limit.is_none_or(|limit| single + single <= limit);
    if fits && single < LONG_INFERENCE {
        Opening::Untimed
    } else {
        Opening::Nothing
    }
}

fn report<W: Work>(times: &BlockTimes, latencies: &Latencies) -> BlockReport {
    let at = |quantile| latencies.nearest_rank(quantile).unwrap_or_default();
    BlockReport {
        elapsed_ns: times.elapsed,
        rebinding_ns: W::PREPARES.then_some(times.preparing),
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
        let long = SECOND.0;
        for (first, left, expected) in [
            (1_000, None, (100_000_000, Opening::Untimed)),
            (1_000, Some(20_000_000), (20_000_000, Opening::Untimed)),
            // One more, and no second one.
            (long, Some(3 * long), (100_000_000, Opening::Nothing)),
            (long, Some(long / 2), (0, Opening::Nothing)),
            (long, Some(0), (0, Opening::Nothing)),
        ] {
            assert_eq!(of(first, left), expected, "{first} of {left:?}");
        }
    }

    #[test]
    fn long_inferences_and_short_limits_leave_out_the_untimed_inference() {
        assert_eq!(opening(Nanos(1_000), None), Opening::Untimed);
        assert_eq!(opening(Nanos(1_000), Some(Nanos(1_500))), Opening::Nothing);
        assert_eq!(opening(SECOND, None), Opening::Nothing);
    }
}
