//! Whether a cell has room, which is asked before anything of it is taken.

use std::sync::Mutex;
use std::thread;

use crate::memory;
use crate::plan::LoadMode;
use crate::protocol::{CellRequest, ServeRequest};
use crate::record::{Failure, FailureKind};
use crate::units::Bytes;

/// Memory that a request in flight takes by itself: its histogram, and what its thread touches of
/// its stack.
const OF_REQUEST: Bytes = Bytes(768 << 10);
/// A histogram.
const OF_HISTOGRAM: Bytes = Bytes(270 << 10);
/// So many threads every machine starts, and they are not tried out.
const FEW_THREADS: u64 = 64;

/// Threads included; the hint says what would fit.
pub(super) fn ask(cell: &CellRequest) -> Result<(), Failure> {
    ask_for(cell, "inputs and outputs", |batch_size, requests| {
        cell.inputs
            .bytes(batch_size)
            .0
            .saturating_add(in_flight(cell, batch_size, requests))
    })?;
    if cell.load_mode.threads_count() > FEW_THREADS {
        try_threads(cell.load_mode)?;
    }
    Ok(())
}

/// Each request has outputs of its own for each set of inputs.
pub(super) fn ask_for_outputs(cell: &CellRequest, sets_count: usize) -> Result<(), Failure> {
    ask_for(
        cell,
        &format!("outputs of {sets_count} sets of inputs"),
        |batch_size, requests| {
            in_flight(cell, batch_size, requests).saturating_mul(sets_count as u64)
        },
    )
}

/// Memory that was taken since there was so much.
pub(super) fn taken_since(before: Option<Bytes>) -> Option<Bytes> {
    let taken = memory::taken()?.0.saturating_sub(before?.0);
    Some(Bytes(taken))
}

/// Further sessions, each of which takes what the first one took.
pub(super) fn ask_for_sessions(count: u64, of_one: Bytes) -> Result<(), Failure> {
    let needed = Bytes(of_one.0.saturating_mul(count));
    memory::ask(needed, || {
        format!(
            "{count} more sessions of {}, which the first one took,",
            of_one.in_words()
        )
    })
    .map_err(|reason| {
        let fitting = 1 + reason.fitting(count);
        Failure::of(FailureKind::OutOfMemory, reason.to_string()).hinted(format!(
            "name fewer sessions with `--sessions`: {fitting} would fit"
        ))
    })
}

/// Inputs and outputs of requests that are served, and what is counted of them.
pub(super) fn ask_to_serve(request: &ServeRequest) -> Result<(), Failure> {
    memory::ask(Bytes(to_serve(request)), || {
        "inputs and outputs of requests, and what is counted of them,".to_owned()
    })
    .map_err(|reason| {
        Failure::of(FailureKind::OutOfMemory, reason.to_string())
            .hinted("serve with fewer `--callers`, or gather fewer requests with `--batcher`")
    })
}

fn to_serve(request: &ServeRequest) -> u64 {
    let ServeRequest {
        inputs, serving, ..
    } = request;
    let most = serving.max_batch();
    let samples = request.samples_count.max(1);
    // Outputs of every sample, or of every size of a batch and of its requests.
    let outputs = match serving.batcher {
        None => inputs.output_bytes(1).0.saturating_mul(samples),
        Some(_) => (1..=most)
            .map(|size| inputs.output_bytes(size).0)
            .fold(inputs.output_bytes(most).0, u64::saturating_add),
    };
    let gathered = serving.batcher.as_ref().map_or(0, |_| inputs.bytes(most).0);
    let counted = OF_HISTOGRAM.0.saturating_mul(most + 4);
    let of_caller = outputs
        .saturating_add(gathered)
        .saturating_add(counted)
        .saturating_add(OF_REQUEST.0);
    let read = inputs.bytes(1).0.saturating_mul(2 * samples);
    of_caller
        .saturating_mul(serving.callers.max(1))
        .saturating_add(read)
}

fn in_flight(cell: &CellRequest, batch_size: u64, requests: u64) -> u64 {
    let own = if requests > 1 { OF_REQUEST.0 } else { 0 };
    cell.inputs
        .output_bytes(batch_size)
        .0
        .saturating_add(own)
        .saturating_mul(requests)
}

fn ask_for(
    cell: &CellRequest,
    what: &str,
    needed: impl Fn(u64, u64) -> u64,
) -> Result<(), Failure> {
    let batch_size = cell.batch_size;
    let requests = cell.load_mode.threads_count();
    memory::ask(Bytes(needed(batch_size, requests)), || {
        asked_for(cell, what)
    })
    .map_err(|reason| {
        let hint = hint(batch_size, requests, |batch_size, requests| {
            needed(batch_size, requests) <= reason.free.0
        });
        Failure::of(FailureKind::BadInput, reason.to_string()).hinted(hint)
    })
}

fn asked_for(cell: &CellRequest, what: &str) -> String {
    let batch_size = cell.batch_size;
    match cell.load_mode {
        LoadMode::SINGLE => format!("{what} of batch size {batch_size}"),
        load => format!("{what} of batch size {batch_size} with {load}"),
    }
}

/// A batch size, or else requests in flight, that would fit.
fn hint(batch_size: u64, requests: u64, fits: impl Fn(u64, u64) -> bool) -> String {
    if let Some(size) = largest(batch_size, |size| fits(size, requests)) {
        format!("name smaller batch sizes with `--batch`: {size} would fit")
    } else if let Some(count) = largest(requests, |count| fits(batch_size, count)) {
        format!("name fewer requests in flight with `--concurrency`: {count} would fit")
    } else {
        "set smaller dimensions with `--dim NAME=VALUE`".to_owned()
    }
}

/// The largest number from 1 on, below one that does not fit, that does.
fn largest(too_many: u64, fits: impl Fn(u64) -> bool) -> Option<u64> {
    let mut low = 0;
    let mut high = too_many;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle) {
            low = middle
        } else {
            high = middle
        }
    }
    (low > 0).then_some(low)
}

/// Where the system has not so many threads, requests would wait for each other without end.
fn try_threads(load: LoadMode) -> Result<(), Failure> {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        // All of them wait until the last one is started, or one is refused.
        let _closed = gate.lock();
        for started in 0..load.threads_count() {
            let thread = thread::Builder::new().spawn_scoped(scope, || drop(gate.lock()));
            thread.map_err(|error| {
                Failure::of(
                    FailureKind::BadInput,
                    format!("{load} need a thread each, and the system starts {started}: {error}"),
                )
                .hinted("name fewer requests in flight with `--concurrency`")
            })?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_that_fits_is_found() {
        for (too_many, most) in [(1_000, 7), (2, 1), (1, 0), (u64::MAX, 0)] {
            assert_eq!(
                largest(too_many, |count| count <= most),
                (most > 0).then_some(most)
            );
        }
    }

    #[test]
    fn threads_that_every_machine_starts_are_started() {
        assert_eq!(try_threads(LoadMode::Closed { concurrency: 100 }), Ok(()));
    }
}
