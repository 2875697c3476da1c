//! Nothing is allocated between the first and the last inference of a block, nor for a request that
//! arrives by itself, and recording latencies takes no memory.
//!
//! A test binary of its own, because an allocator is a whole program's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use onnxprof::engine::EngineError;
use onnxprof::measure::{BlockTarget, Caller, EngineClock, Lane, ServingTarget, run_block, serve};
use onnxprof::plan::{Arrivals, Batcher, Serving, Share};
use onnxprof::record::Offer;
use onnxprof::stats::Latencies;
use onnxprof::traffic::{Arriving, Request, arrivals};
use onnxprof::units::{Nanos, PerSecond};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, which counts what each thread asks of it.
struct Counting;

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

// SAFETY: every call is passed on as it is; counting touches a thread-local number, which allocates
// nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const BLOCK: BlockTarget = BlockTarget::new(Nanos(5_000_000), 1_000);

/// What a lane's thread had asked of the allocator when it began its first and its newest timed
/// inference.
#[derive(Debug, Default)]
struct Seen {
    calls: u64,
    at_first: u64,
    at_newest: u64,
}

impl Seen {
    /// To be called by each inference; the first of a block is not timed.
    fn note(&mut self) {
        self.calls += 1;
        self.at_newest = ALLOCATIONS.get();
        if self.calls == 2 {
            self.at_first = self.at_newest;
        }
    }
}

/// A lane as the worker has it.
type BoxedLane<'a> = Lane<Box<dyn FnMut() -> Result<(), EngineError> + Send + 'a>>;

fn lane(seen: &mut Seen) -> BoxedLane<'_> {
    Lane::new(Box::new(move || {
        seen.note();
        Ok(())
    }))
}

/// Runs a block on as many lanes as there are places.
fn run(seen: &mut [Seen]) -> Result<(), EngineError> {
    let mut lanes: Vec<BoxedLane<'_>> = seen.iter_mut().map(lane).collect();
    run_block(
        &EngineClock::Monotonic,
        &mut lanes,
        &BLOCK,
        &mut Latencies::new(),
    )?;
    Ok(())
}

#[test]
fn the_counter_counts() {
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(Box::new(7)));
    assert_eq!(ALLOCATIONS.get() - before, 2);
}

#[test]
fn nothing_is_allocated_between_the_inferences_of_a_block() {
    let mut seen = [Seen::default()];
    run(&mut seen).unwrap();
    assert!(seen[0].calls > 1_000, "{seen:?}");
    assert_eq!(seen[0].at_first, seen[0].at_newest, "{seen:?}");
}

#[test]
fn nothing_is_allocated_between_the_inferences_of_concurrent_lanes() {
    let mut seen = [Seen::default(), Seen::default(), Seen::default()];
    run(&mut seen).unwrap();
    for lane in &seen {
        assert!(lane.calls > 300, "{lane:?}");
        assert_eq!(lane.at_first, lane.at_newest, "{lane:?}");
    }
}

/// What a caller's thread had asked of the allocator when it began its first and its newest batch.
#[derive(Debug, Default)]
struct Served(Seen);

impl Caller for Served {
    type Error = EngineError;

    fn run(&mut self, _batch: &[Request]) -> Result<(), EngineError> {
        self.0.note();
        Ok(())
    }

    fn check(&mut self, _batch: &[Request]) {}
}

/// What the thread that sends had asked of the allocator when it sent the first and the newest
/// request.
struct Watched {
    arrivals: Box<dyn Arriving>,
    seen: Seen,
}

impl Arriving for Watched {
    fn peek(&mut self) -> Option<Nanos> {
        self.arrivals.peek()
    }

    fn pop(&mut self) -> Option<Nanos> {
        self.seen.note();
        self.arrivals.pop()
    }

    fn is_over(&mut self) -> bool {
        self.arrivals.is_over()
    }
}

#[test]
fn nothing_is_allocated_for_a_request_that_arrives_by_itself() {
    let length = Nanos(300_000_000);
    let rate = PerSecond(10_000.0);
    let gathered = Batcher {
        max_batch: 8,
        max_delay_ns: Nanos(500_000),
        preferred: Vec::new(),
    };
    for batcher in [None, Some(gathered)] {
        let serving = Serving {
            batcher,
            ..Serving::single(None)
        };
        let mut callers = [Served::default(), Served::default()];
        let mut watched = Watched {
            arrivals: arrivals(
                &Arrivals::Poisson,
                &Offer::at(rate, length, 1),
                Share::WHOLE,
            )
            .unwrap(),
            seen: Seen::default(),
        };
        let target = ServingTarget {
            serving: &serving,
            length,
            windows: 10,
            start: None,
            model_threads: 1,
            limit: Nanos(60_000_000_000),
        };
        serve(&target, &mut watched, &mut callers);
        assert!(watched.seen.calls > 2_000, "{:?}", watched.seen);
        for seen in callers
            .iter()
            .map(|caller| &caller.0)
            .chain([&watched.seen])
        {
            assert_eq!(seen.at_first, seen.at_newest, "{seen:?}");
        }
    }
}

#[test]
fn ten_million_latencies_take_constant_memory() {
    const COUNT: u64 = 10_000_000;
    let mut latencies = Latencies::new();
    let before = ALLOCATIONS.get();
    for index in 0..COUNT {
        // Steps of a golden ratio's share visit every magnitude from 1 ns to far beyond the range.
        latencies.record(Nanos(
            index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (index % 64),
        ));
    }
    assert_eq!(ALLOCATIONS.get(), before);
    assert_eq!(latencies.count(), COUNT);
}
