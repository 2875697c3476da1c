//! The queue in front of a session, and the batcher that empties it.
//!
//! The batcher follows the rules of NVIDIA Triton's dynamic batcher, whose settings have these names
//! (`src/dynamic_batch_scheduler.cc` of its core, and "Batchers" in its user guide).

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
        let most = waiting.min(max);
        let due = oldest + batcher.max_delay_ns;
        // A delay of 0 is none that passes: preferred sizes are kept to then.
        if batcher.max_delay_ns > Nanos(0) && now >= due {
            return Ok(most);
        }
        let preferred = batcher
            .preferred
            .iter()
            .filter_map(|&size| usize::try_from(size).ok())
            .filter(|&size| (1..=most).contains(&size))
            .max();
        if let Some(size) = preferred {
            return Ok(size);
        }
        if self.is_closed || now >= due || most == max {
            Ok(most)
        } else {
            Err(due)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn desk(max_batch: u64, max_delay_ms: u64, preferred: &[u64]) -> Desk {
        Desk::new(&Serving {
            batcher: Some(Batcher {
                max_batch,
                max_delay_ns: Nanos(max_delay_ms * MS),
                preferred: preferred.to_vec(),
            }),
            ..Serving::single(None)
        })
    }

    fn fill(desk: &mut Desk, count: u64) {
        for number in 0..count {
            let sent = Nanos(number);
            let request = Request {
                number,
                scheduled: sent,
                sent,
            };
            assert!(desk.offer(request));
        }
    }

    /// What a free caller is told at `now`, and how many requests it gets.
    fn taken(desk: &mut Desk, now: u64) -> (Next, usize) {
        let mut batch = Vec::new();
        let next = desk.take(Nanos(now), &mut batch);
        (next, batch.len())
    }

    #[test]
    fn without_a_batcher_requests_run_alone_in_their_order() {
        let mut desk = Desk::new(&Serving::single(Some(2)));
        assert_eq!(taken(&mut desk, 0), (Next::Nothing, 0));
        fill(&mut desk, 2);
        let sent = Nanos(2);
        let third = Request {
            number: 2,
            scheduled: sent,
            sent,
        };
        assert!(!desk.offer(third));
        let mut batch = Vec::new();
        assert_eq!(desk.take(sent, &mut batch), Next::Run);
        assert_eq!(batch[0].number, 0);
        desk.close();
        assert_eq!(taken(&mut desk, 3), (Next::Run, 1));
        assert_eq!(taken(&mut desk, 3), (Next::Closed, 0));
    }

    #[test]
    fn the_oldest_request_waits_for_others_until_the_delay_is_over() {
        let mut desk = desk(4, 2, &[]);
        fill(&mut desk, 3);
        assert_eq!(taken(&mut desk, MS), (Next::Later(Nanos(2 * MS)), 0));
        assert_eq!(taken(&mut desk, 2 * MS), (Next::Run, 3));
    }

    #[test]
    fn a_batch_that_cannot_grow_runs_at_once() {
        let mut desk = desk(4, 2, &[]);
        fill(&mut desk, 9);
        assert_eq!(taken(&mut desk, 10), (Next::Run, 4));
        assert_eq!(taken(&mut desk, 10), (Next::Run, 4));
        assert_eq!(taken(&mut desk, 10).1, 0);
    }

    #[test]
    fn without_a_delay_whatever_waits_runs() {
        let mut desk = desk(4, 0, &[]);
        fill(&mut desk, 3);
        assert_eq!(taken(&mut desk, 10), (Next::Run, 3));
    }

    #[test]
    fn the_largest_preferred_size_runs_until_the_delay_is_over() {
        let mut early = desk(16, 2, &[4, 8]);
        fill(&mut early, 13);
        assert_eq!(taken(&mut early, MS), (Next::Run, 8));
        assert_eq!(taken(&mut early, MS), (Next::Run, 4));
        assert_eq!(taken(&mut early, MS).1, 0);
        let mut late = desk(16, 2, &[4, 8]);
        fill(&mut late, 13);
        assert_eq!(taken(&mut late, 3 * MS), (Next::Run, 13));
        let mut full = desk(16, 2, &[4, 8]);
        fill(&mut full, 20);
        assert_eq!(taken(&mut full, MS), (Next::Run, 8));
    }

    #[test]
    fn what_waits_when_no_more_come_runs_without_waiting() {
        let mut desk = desk(4, 2, &[]);
        fill(&mut desk, 3);
        desk.close();
        assert_eq!(taken(&mut desk, 10), (Next::Run, 3));
    }
}
