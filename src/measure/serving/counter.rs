//! The queue between the thread that sends and the callers.

use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::measure::{Clock, MonotonicClock};
use crate::plan::Serving;
use crate::traffic::{Desk, Next, Request};
use crate::units::Nanos;

/// Memory for so many answers is taken at the start.
const ROOM: usize = 1 << 12;

/// Times are since the start of the segment.
pub(super) struct Counter {
    start: OnceLock<Nanos>,
    limit: Nanos,
    follows_answers: bool,
    state: Mutex<State>,
    /// A request has come, or none comes any more.
    came: Condvar,
    /// A request was answered.
    answered: Condvar,
}

struct State {
    desk: Desk,
    /// Callers that wait; where there are none, nobody is to be woken.
    idle: usize,
    answers: Vec<Answer>,
}

/// A request that was answered, or failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub end: Nanos,
}

/// What a caller was handed.
pub(super) enum Handed {
    /// Requests to run.
    Batch,
    /// Requests for which there is no time left.
    TooLate,
    /// Nothing, ever again.
    Nothing,
}

/// What became of a request that was offered.
pub(super) struct Offered {
    pub request: Request,
    pub was_taken: bool,
    pub waiting: u64,
}

impl Counter {
    pub(super) fn new(serving: &Serving, follows_answers: bool, limit: Nanos) -> Self {
        let room = if follows_answers { ROOM } else { 0 };
        Counter {
            start: OnceLock::new(),
            limit,
            follows_answers,
            state: Mutex::new(State {
                desk: Desk::new(serving),
                idle: 0,
                answers: Vec::with_capacity(room),
            }),
            came: Condvar::new(),
            answered: Condvar::new(),
        }
    }

    /// Begins the segment at a time of the monotonic clock.
    pub(super) fn begin(&self, start: Nanos) {
        // It begins once.
        let _ = self.start.set(start);
    }

    pub(super) fn start(&self) -> Nanos {
        self.start.get().copied().unwrap_or_default()
    }

    #[inline]
    pub(super) fn now(&self) -> Nanos {
        MonotonicClock.now().since(self.start())
    }

    pub(super) fn limit(&self) -> Nanos {
        self.limit
    }

    /// What a caller did before it panicked is as good as done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request; it is sent when it is in the queue.
    pub(super) fn offer(&self, number: u64, scheduled: Nanos) -> Offered {
        let mut state = self.state();
        let sent = self.now();
        let request = Request {
            number,
            scheduled,
            sent,
        };
        let was_taken = state.desk.offer(request);
        let waiting = state.desk.waiting();
        let wakes = was_taken && state.idle > 0 && state.desk.wants_caller(sent);
        drop(state);
        if wakes {
            self.came.notify_one();
        }
        Offered {
            request,
            was_taken,
            waiting,
        }
    }

    /// Says that no more requests come.
    pub(super) fn close(&self) {
        self.state().desk.close();
        self.came.notify_all();
    }

    pub(super) fn waiting(&self) -> u64 {
        self.state().desk.waiting()
    }

    /// Waits until there is something to run, and hands it over.
    pub(super) fn take(&self, batch: &mut Vec<Request>) -> Handed {
        let mut state = self.state();
        loop {
            let now = self.now();
            if now >= self.limit {
                state.desk.close();
            }
            let wait = match state.desk.take(now, batch) {
                Next::Run => {
                    let wakes = state.idle > 0 && state.desk.waiting() > 0;
                    drop(state);
                    if wakes {
                        self.came.notify_one();
                    }
                    return if now >= self.limit {
                        Handed::TooLate
                    } else {
                        Handed::Batch
                    };
                }
                Next::Closed => return Handed::Nothing,
                Next::Later(time) => Some(time.since(now)),
                Next::Nothing => None,
            };
            state.idle += 1;
            state = wait_for(&self.came, state, wait);
            state.idle -= 1;
        }
    }

    /// Tells of requests that were answered, or failed.
    pub(super) fn answer(&self, batch: &[Request], end: Nanos) {
        if !self.follows_answers {
            return;
        }
        let answers = batch.iter().map(|_| Answer { end });
        self.state().answers.extend(answers);
        self.answered.notify_one();
    }

    /// Waits until a time, or until something was answered; takes what was answered since it was
    /// asked last, in `answers`, which is emptied first.
    pub(super) fn wait(&self, until: Option<Nanos>, answers: &mut Vec<Answer>) {
        answers.clear();
        if !self.follows_answers {
            if let Some(until) = until {
                MonotonicClock.sleep_until(self.start() + until);
            }
            return;
        }
        let mut state = self.state();
        while state.answers.is_empty() {
            let left = until.map(|until| until.since(self.now()));
            if left == Some(Nanos(0)) {
                break;
            }
            state = wait_for(&self.answered, state, left);
        }
        std::mem::swap(answers, &mut state.answers);
    }

    /// Whether answers are to be waited for where no request is due.
    pub(super) fn follows_answers(&self) -> bool {
        self.follows_answers
    }
}

fn wait_for<'s>(
    condition: &Condvar,
    state: MutexGuard<'s, State>,
    longest: Option<Nanos>,
) -> MutexGuard<'s, State> {
    match longest {
        Some(longest) => {
            condition
                .wait_timeout(state, Duration::from(longest))
                .unwrap_or_else(PoisonError::into_inner)
                .0
        }
        None => condition
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner),
    }
}
