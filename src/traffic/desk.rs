//! The queue in front of a session, and the batcher that empties it.

use std::collections::VecDeque;

use crate::plan::{Batcher, Serving};
use crate::units::Nanos;

/// Memory for so many requests is taken at the start where any number may wait.
const ROOM: usize = 1 << 16;

/// One request. Times are since the start of the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Number of the request, from 0.
    pub number: u64,
    /// When it was to arrive.
    pub scheduled: Nanos,
    /// When it was sent.
    pub sent: Nanos,
}

/// Requests that wait, first come, first served.
#[derive(Debug)]
pub struct Desk {
    waiting: VecDeque<Request>,
    limit: usize,
    batcher: Option<Batcher>,
    is_closed: bool,
}

/// What a caller that is free does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Runs the requests that it was handed.
    Run,
    /// Asks again at this time, or when another request comes.
    Later(Nanos),
    /// Asks again when another request comes.
    Nothing,
    /// Goes: no more requests come.
    Closed,
}

impl Desk {
    /// An empty queue in front of what is served so.
    #[must_use]
    pub fn new(serving: &Serving) -> Self {
        let limit = serving
            .queue_limit
            .map_or(usize::MAX, |limit| limit.try_into().unwrap_or(usize::MAX));
        Desk {
            waiting: VecDeque::with_capacity(limit.min(ROOM)),
            limit,
            batcher: serving.batcher.clone(),
            is_closed: false,
        }
    }

    /// Takes a request in; false where the queue is full, and the request is rejected.
    #[must_use]
    pub fn offer(&mut self, request: Request) -> bool {
        let has_room = self.waiting.len() < self.limit;
        if has_room {
            self.waiting.push_back(request);
        }
        has_room
    }

    /// Says that no more requests come: what waits is run without waiting for others.
    pub fn close(&mut self) {
        self.is_closed = true;
    }

    /// Requests that wait.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// Whether a caller that is free has something to do: requests to run now, or the time to keep
    /// of the only one that waits.
    #[must_use]
    pub fn wants_caller(&self, now: Nanos) -> bool {
        self.waiting
            .front()
            .is_some_and(|oldest| self.waiting.len() == 1 || self.ready(now, oldest.sent).is_ok())
    }

    /// Hands the next batch to a caller that is free, in `batch`, which is emptied first.
    pub fn take(&mut self, now: Nanos, batch: &mut Vec<Request>) -> Next {
        batch.clear();
        let Some(oldest) = self.waiting.front() else {
            return if self.is_closed {
                Next::Closed
            } else {
                Next::Nothing
            };
        };
        let oldest = oldest.sent;
        match self.ready(now, oldest) {
            Ok(size) => {
                batch.extend(self.waiting.drain(..size));
                Next::Run
            }
            Err(later) => Next::Later(later),
        }
    }

    /// Requests that are run together now, or when to ask again.
    fn ready(&self, now: Nanos, oldest: Nanos) -> Result<usize, Nanos> {
        let Some(batcher) = &self.batcher else {
            return Ok(1);
        };
        let waiting = self.waiting.len();
        let max = batcher.max_batch.max(1) as usize;
        if waiting >= max {
            return Ok(max);
        }
        let preferred = batcher
            .preferred
            .iter()
            .rev()
            .map(|&size| size as usize)
            .find(|&size| size > 0 && size <= waiting);
        if let Some(size) = preferred {
            return Ok(size);
        }
        let due = oldest + batcher.max_delay_ns;
        if now >= due || self.is_closed {
            Ok(waiting)
        } else {
            Err(due)
        }
    }
}
