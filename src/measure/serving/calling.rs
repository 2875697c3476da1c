//! A caller that takes requests from the queue, runs them and counts them.

use super::caller::Caller;
use super::counter::{Counter, Handed};
use crate::traffic::{Request, Tally};
use crate::units::Nanos;

/// Batches whose outputs are compared whatever that costs.
const FIRST_CHECKS: u64 = 4;
/// Part of a caller's time that comparing outputs may take.
const CHECK_PART: u64 = 100;
/// What is said of requests for which there was no time left.
const TOO_LATE: &str = "it still waited when the time was up";

pub(super) struct Calling<'a, C> {
    caller: &'a mut C,
    counter: &'a Counter,
    batch: Vec<Request>,
    checks: Checks,
    called: Called,
}

/// What a caller counted.
pub(super) struct Called {
    pub tally: Tally,
    pub last_end: Nanos,
    pub check_cost: Nanos,
    pub first_error: Option<FirstError>,
}

pub(super) struct FirstError {
    pub at: Nanos,
    pub words: String,
}

#[derive(Default)]
struct Checks {
    count: u64,
    longest: Nanos,
}

impl Checks {
    /// Whether outputs are compared at this time of the segment, after so much time in which they
    /// were.
    fn are_due(&self, now: Nanos, cost: Nanos) -> bool {
        self.count < FIRST_CHECKS || (cost + self.longest).0.saturating_mul(CHECK_PART) <= now.0
    }
}

impl<'a, C: Caller> Calling<'a, C> {
    pub(super) fn new(caller: &'a mut C, counter: &'a Counter, tally: Tally) -> Self {
        Calling {
            caller,
            counter,
            batch: Vec::with_capacity(tally.runs.len()),
            checks: Checks::default(),
            called: Called {
                tally,
                last_end: Nanos(0),
                check_cost: Nanos(0),
                first_error: None,
            },
        }
    }

    pub(super) fn serve(mut self) -> Called {
        loop {
            match self.counter.take(&mut self.batch) {
                Handed::Batch => self.run(),
                Handed::TooLate => self.fail(self.counter.now(), &TOO_LATE),
                Handed::Nothing => return self.called,
            }
        }
    }

    /// The timed region: the run between two readings of the clock.
    fn run(&mut self) {
        let start = self.counter.now();
        let ran = self.caller.run(&self.batch);
        let end = self.counter.now();
        self.called.last_end = end;
        match ran {
            Ok(()) => {
                self.called.tally.ran(&self.batch, start, end);
                self.counter.answer(&self.batch, end);
                self.check(end);
            }
            Err(error) => self.fail(end, &error),
        }
        if let Err(error) = self.caller.prepare() {
            self.note(end, &error);
        }
    }

    fn fail(&mut self, at: Nanos, error: &dyn std::fmt::Display) {
        self.called.tally.failed(&self.batch, at);
        self.note(at, error);
        self.counter.answer(&self.batch, at);
    }

    fn note(&mut self, at: Nanos, error: &dyn std::fmt::Display) {
        self.called.first_error.get_or_insert_with(|| FirstError {
            at,
            words: error.to_string(),
        });
    }

    fn check(&mut self, end: Nanos) {
        if !self.checks.are_due(end, self.called.check_cost) {
            return;
        }
        self.caller.check(&self.batch);
        let cost = self.counter.now().since(end);
        self.called.check_cost = self.called.check_cost + cost;
        self.checks.longest = self.checks.longest.max(cost);
        self.checks.count += 1;
    }
}
