//! Requests that arrive by themselves, served in real time: one thread sends each at its time, and
//! callers take them from the queue.
//!
//! The thread that sends waits by `clock_nanosleep` until a time of the monotonic clock, and does
//! not spin: that would bring its lag from 20 us to none, and take a whole CPU at 20,000 requests
//! per second. Nothing is allocated for a request. Read [`serve`] first.

mod caller;
mod calling;
mod counter;
mod sending;

use std::sync::Barrier;

use super::placement::Placement;
use super::{Clock, MonotonicClock, Usage};
use crate::plan::Serving;
use crate::traffic::{Arriving, Tally};
use crate::units::Nanos;
pub use caller::Caller;
use calling::Calling;
use counter::Counter;

/// Time for callers to begin waiting before the first request may come.
const LEAD: Nanos = Nanos(1_000_000);

/// What is served, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct ServingTarget<'a> {
    /// The queue and the batcher; as many callers are used as are given.
    pub serving: &'a Serving,
    /// Length of the segment.
    pub length: Nanos,
    /// Equal parts that it is counted in.
    pub windows: usize,
    /// When it starts, on the monotonic clock; absent, or in the past: at once.
    pub start: Option<Nanos>,
    /// Threads that run the model at once at most: where the process may use more CPUs, the thread
    /// that sends has one of its own.
    pub model_threads: u64,
    /// No inference is begun after this much time; what waits then has failed.
    pub limit: Nanos,
}

/// How a segment went.
#[derive(Debug)]
pub struct ServedSegment {
    /// What was counted, of all threads.
    pub tally: Tally,
    /// From the start to the last response, or to the segment's end where that was later.
    pub elapsed: Nanos,
    /// Whether the thread that sends had a CPU of its own.
    pub sender_is_apart: bool,
    /// Resources that the process used meanwhile.
    pub usage: Usage,
    /// The error of the inference that failed first; absent where none did.
    pub first_error: Option<String>,
    /// Time in which outputs were compared, over all callers.
    pub check_cost: Nanos,
}

/// Serves a segment. The calling thread sends; each caller has a thread of its own.
pub fn serve<C: Caller>(
    target: &ServingTarget<'_>,
    arrivals: &mut dyn Arriving,
    callers: &mut [C],
) -> ServedSegment {
    let counter = Counter::new(target.serving, arrivals.follows_answers(), target.limit);
    let ready = Barrier::new(callers.len() + 1);
    MonotonicClock::wake_in_time();
    let apart = Placement::apart(target.model_threads);
    let placement = apart.as_ref();
    std::thread::scope(|scope| {
        let threads: Vec<_> = callers
            .iter_mut()
            .map(|caller| {
                let calling = Calling::new(caller, &counter, tally(target));
                let ready = &ready;
                scope.spawn(move || {
                    MonotonicClock::wake_in_time();
                    if let Some(placement) = placement {
                        placement.join_others();
                    }
                    ready.wait();
                    calling.serve()
                })
            })
            .collect();
        let earliest = MonotonicClock.now() + LEAD;
        counter.begin(target.start.map_or(earliest, |start| start.max(earliest)));
        ready.wait();
        let before = Usage::now();
        let mut sent = tally(target);
        sending::send(&counter, arrivals, &mut sent, target.length);
        let mut segment = ServedSegment {
            tally: sent,
            elapsed: target.length,
            sender_is_apart: placement.is_some(),
            usage: before,
            first_error: None,
            check_cost: Nanos(0),
        };
        let mut errors = Vec::new();
        for thread in threads {
            let called = match thread.join() {
                Ok(called) => called,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            segment.tally.merge(&called.tally);
            segment.elapsed = segment.elapsed.max(called.last_end);
            segment.check_cost = segment.check_cost + called.check_cost;
            errors.extend(called.first_error);
        }
        segment.usage = Usage::now().since(&before);
        errors.sort_by_key(|error| error.at);
        segment.first_error = errors.into_iter().next().map(|error| error.words);
        segment
    })
}

fn tally(target: &ServingTarget<'_>) -> Tally {
    Tally::new(target.length, target.windows, target.serving.max_batch())
}

#[cfg(test)]
mod tests;
