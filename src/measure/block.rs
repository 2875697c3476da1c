//! Blocks: short stretches of one inference after another, on one thread or several.

use std::sync::Barrier;

use super::{Clock, MonotonicClock, Usage};
use crate::stats::{Latencies, Quantile, SteadyRule};
use crate::units::Nanos;

/// How long a block lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockTarget {
    /// The block ends with the first inference that ends after this much time.
    pub length: Nanos,
    /// Inferences that the block holds at least, over all lanes, as far as the limit allows.
    pub min_inferences: u64,
    /// No inference is begun that would end after this much time, judged by the one before it. The
    /// first one of a block is begun in any case. Absent: there is no limit.
    pub limit: Option<Nanos>,
    /// The opening before the first inference that is timed.
    pub opening: Opening,
}

/// The opening of a block, before its first inference that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// One inference that is not timed, because caches are cold when another process has just run.
    Untimed,
    /// Nothing: inferences are so long that cold caches do not show in them.
    Nothing,
}

impl BlockTarget {
    /// A block without a limit, which one untimed inference opens.
    #[must_use]
    pub const fn new(length: Nanos, min_inferences: u64) -> Self {
        BlockTarget {
            length,
            min_inferences,
            limit: None,
            opening: Opening::Untimed,
        }
    }
}

/// An inference that is run again and again. A closure is one that needs no preparation.
pub trait Work {
    /// The error of an inference.
    type Error;
    /// Whether there is anything to prepare. Where there is not, the timed loop has no trace of it.
    const PREPARES: bool = false;

    /// Prepares the next inference; the time that it takes is in no latency.
    fn prepare(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Runs one inference, which is prepared.
    fn infer(&mut self) -> Result<(), Self::Error>;
}

impl<F, E> Work for F
where
    F: FnMut() -> Result<(), E>,
{
    type Error = E;

    #[inline]
    fn infer(&mut self) -> Result<(), E> {
        self()
    }
}

/// One request in flight: what runs an inference, and the latencies of the current block.
#[derive(Debug)]
pub struct Lane<W> {
    work: W,
    latencies: Latencies,
    inferences_count: u64,
    /// Time between the inferences of the current block, in which the next ones were prepared.
    preparing: Nanos,
}

impl<W: Work> Lane<W> {
    /// A lane whose requests `work` serves.
    pub fn new(work: W) -> Self {
        Lane {
            work,
            latencies: Latencies::new(),
            inferences_count: 0,
            preparing: Nanos(0),
        }
    }

    /// Prepares the next inference.
    pub fn prepare(&mut self) -> Result<(), W::Error> {
        self.work.prepare()
    }

    /// Runs one inference, which is prepared and not counted.
    pub fn infer(&mut self) -> Result<(), W::Error> {
        self.work.infer()
    }

    /// The start of the next inference, after the one that ended at `end`.
    #[inline]
    fn next_start<C: Clock>(&mut self, clock: &C, end: Nanos) -> Result<Nanos, W::Error> {
        if W::PREPARES {
            self.work.prepare()?;
            let start = clock.now();
            self.preparing = self.preparing + start.since(end);
            return Ok(start);
        }
        Ok(clock.now())
    }
}

/// Times of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockTimes {
    /// From just before the first inference to just after the last, over all lanes, less
    /// `preparing`.
    pub elapsed: Nanos,
    /// Time in which inferences were prepared, the mean of the lanes.
    pub preparing: Nanos,
    /// Inferences completed, over all lanes.
    pub inferences_count: u64,
    /// Resources that the process used meanwhile.
    pub usage: Usage,
}

/// How warming up went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmupTimes {
    /// Whether the latency was steady before the bound was reached.
    pub steady: bool,
    /// Inferences completed.
    pub inferences_count: u64,
    /// Time from the first window's start to the last one's end.
    pub elapsed: Nanos,
}

/// When warming up ends.
#[derive(Clone, Debug)]
pub struct WarmupRule {
    /// Length of one window.
    pub window: BlockTarget,
    /// The latency is steady when the medians of the windows so far satisfy this.
    pub steady: SteadyRule,
    /// Warming up ends after this much time, steady or not; nothing is run where it is 0.
    pub max_length: Nanos,
    /// It ends after this many windows, steady or not.
    pub max_windows: usize,
}

/// Runs one block on every lane at once and merges their latencies into `latencies`, which is
/// emptied first.
///
/// Each lane runs one inference that is not timed first, unless [`BlockTarget::opening`] says
/// otherwise. After an error of an inference the block counts for nothing.
pub fn run_block<C, W>(
    clock: &C,
    lanes: &mut [Lane<W>],
    target: &BlockTarget,
    latencies: &mut Latencies,
) -> Result<BlockTimes, W::Error>
where
    C: Clock,
    W: Work + Send,
    W::Error: Send,
{
    let target = BlockTarget {
        min_inferences: target.min_inferences.div_ceil(lanes.len().max(1) as u64),
        ..*target
    };
    let (usage, elapsed) = match &mut *lanes {
        [lane] => run_alone(clock, lane, &target)?,
        lanes => run_together(clock, lanes, &target)?,
    };
    latencies.reset();
    for lane in lanes.iter() {
        latencies.merge(&lane.latencies);
    }
    let inferences_count = lanes.iter().map(|lane| lane.inferences_count).sum();
    let preparing =
        lanes.iter().map(|lane| lane.preparing.0).sum::<u64>() / lanes.len().max(1) as u64;
    let elapsed = Nanos(elapsed.0.saturating_sub(preparing));
    Ok(BlockTimes {
        elapsed,
        preparing: Nanos(preparing),
        inferences_count,
        usage,
    })
}

/// Runs windows until their medians are steady or a bound is reached; their latencies are merged
/// into `latencies`.
pub fn warm_up<C, W>(
    clock: &C,
    lanes: &mut [Lane<W>],
    rule: &WarmupRule,
    latencies: &mut Latencies,
) -> Result<WarmupTimes, W::Error>
where
    C: Clock,
    W: Work + Send,
    W::Error: Send,
{
    let started = clock.now();
    let mut window = Latencies::new();
    let mut medians = Vec::with_capacity(rule.max_windows);
    let mut inferences_count = 0;
    latencies.reset();
    if rule.max_length.0 == 0 {
        return Ok(WarmupTimes {
            steady: false,
            inferences_count,
            elapsed: Nanos(0),
        });
    }
    loop {
        let times = run_block(clock, lanes, &rule.window, &mut window)?;
        latencies.merge(&window);
        inferences_count += times.inferences_count;
        medians.extend(window.nearest_rank(Quantile::P50).map(Nanos::as_f64));
        let steady = rule.steady.is_steady(&medians);
        let elapsed = clock.now().since(started);
        if steady || elapsed >= rule.max_length || medians.len() >= rule.max_windows {
            return Ok(WarmupTimes {
                steady,
                inferences_count,
                elapsed,
            });
        }
    }
}

fn run_alone<C, W>(
    clock: &C,
    lane: &mut Lane<W>,
    target: &BlockTarget,
) -> Result<(Usage, Nanos), W::Error>
where
    C: Clock,
    W: Work,
{
    prepare(lane, target.opening)?;
    let before = Usage::now();
    let (start, end) = run_lane(clock, lane, target)?;
    Ok((Usage::now().since(&before), end.since(start)))
}

fn run_together<C, W>(
    clock: &C,
    lanes: &mut [Lane<W>],
    target: &BlockTarget,
) -> Result<(Usage, Nanos), W::Error>
where
    C: Clock,
    W: Work + Send,
    W::Error: Send,
{
    let prepared = Barrier::new(lanes.len() + 1);
    let go = Barrier::new(lanes.len() + 1);
    std::thread::scope(|scope| {
        let threads: Vec<_> = lanes
            .iter_mut()
            .map(|lane| {
                scope.spawn(|| {
                    let ready = prepare(lane, target.opening);
                    prepared.wait();
                    go.wait();
                    ready.and_then(|()| run_lane(clock, lane, target))
                })
            })
            .collect();
        prepared.wait();
        let before = Usage::now();
        go.wait();
        let spans: Vec<_> = threads
            .into_iter()
            .map(join)
            .collect::<Result<_, W::Error>>()?;
        let usage = Usage::now().since(&before);
        let start = spans.iter().map(|span| span.0).min().unwrap_or_default();
        let end = spans.iter().map(|span| span.1).max().unwrap_or_default();
        Ok((usage, end.since(start)))
    })
}

fn join<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn prepare<W: Work>(lane: &mut Lane<W>, opening: Opening) -> Result<(), W::Error> {
    lane.latencies.reset();
    lane.inferences_count = 0;
    lane.preparing = Nanos(0);
    lane.prepare()?;
    match opening {
        Opening::Untimed => lane.infer().and_then(|()| lane.prepare()),
        Opening::Nothing => Ok(()),
    }
}

/// The timed region: nothing but the clock, the inference and the histogram, and preparation where
/// there is any.
#[inline]
fn run_lane<C, W>(
    clock: &C,
    lane: &mut Lane<W>,
    target: &BlockTarget,
) -> Result<(Nanos, Nanos), W::Error>
where
    C: Clock,
    W: Work,
{
    let start = clock.now();
    let deadline = start + target.length;
    let mut begin = start;
    loop {
        lane.work.infer()?;
        let end = clock.now();
        lane.latencies.record(end.since(begin));
        lane.inferences_count += 1;
        if end >= deadline
            && (lane.inferences_count >= target.min_inferences
                || next_is_late(target, start, begin, end))
        {
            return Ok((start, end));
        }
        begin = lane.next_start(clock, end)?;
    }
}

/// Whether another inference like the last would end after the limit; asked only after the length.
#[cold]
fn next_is_late(target: &BlockTarget, start: Nanos, begin: Nanos, end: Nanos) -> bool {
    target
        .limit
        .is_some_and(|limit| end.since(start) + end.since(begin) > limit)
}

/// Time that the timed loop adds to an inference on this machine now: an iteration without work.
#[must_use]
pub fn harness_cost() -> Nanos {
    const LENGTH: Nanos = Nanos(5_000_000);
    let mut lanes = [Lane::new(|| Ok::<(), std::convert::Infallible>(()))];
    let target = BlockTarget::new(LENGTH, 1);
    match run_block(&MonotonicClock, &mut lanes, &target, &mut Latencies::new()) {
        Ok(times) => Nanos(times.elapsed.0 / times.inferences_count.max(1)),
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::ManualClock;
    use std::convert::Infallible;

    /// Takes 7 ns to prepare and 10 ns to run, and is never run unprepared.
    struct Prepared<'c> {
        clock: &'c ManualClock,
        is_prepared: bool,
    }

    impl Work for Prepared<'_> {
        type Error = Infallible;
        const PREPARES: bool = true;

        fn prepare(&mut self) -> Result<(), Infallible> {
            self.clock.advance(Nanos(7));
            self.is_prepared = true;
            Ok(())
        }

        fn infer(&mut self) -> Result<(), Infallible> {
            assert!(std::mem::take(&mut self.is_prepared));
            self.clock.advance(Nanos(10));
            Ok(())
        }
    }

    #[test]
    fn preparation_is_in_no_latency_and_not_in_the_elapsed_time() {
        let (clock, mut latencies) = (ManualClock::default(), Latencies::new());
        let mut lanes = [Lane::new(Prepared {
            clock: &clock,
            is_prepared: false,
        })];
        let target = BlockTarget::new(Nanos(0), 5);
        let times = run_block(&clock, &mut lanes, &target, &mut latencies).unwrap();
        assert_eq!(
            (times.inferences_count, times.elapsed, times.preparing),
            (5, Nanos(50), Nanos(28))
        );
        let (p50, p99) = (
            latencies.nearest_rank(Quantile::P50),
            latencies.nearest_rank(Quantile::P99),
        );
        assert_eq!((p50, p99), (Some(Nanos(10)), Some(Nanos(10))));
    }
}
