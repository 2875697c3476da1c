//! The thread that sends each request at its time.

use super::counter::Counter;
use crate::traffic::{Arriving, Request, Tally};
use crate::units::Nanos;

/// Sends all requests, and stays until the segment's end to see how many wait at the end of each
/// window.
pub(super) fn send(
    counter: &Counter,
    arrivals: &mut dyn Arriving,
    tally: &mut Tally,
    length: Nanos,
) {
    let mut sender = Sender {
        counter,
        arrivals,
        tally,
        answers: Vec::with_capacity(if counter.follows_answers() {
            1 << 12
        } else {
            0
        }),
        number: 0,
        window: 0,
        is_open: true,
    };
    sender.run(length);
}

struct Sender<'a> {
    counter: &'a Counter,
    arrivals: &'a mut dyn Arriving,
    tally: &'a mut Tally,
    answers: Vec<super::counter::Answer>,
    /// Number of the next request.
    number: u64,
    /// The window that has not ended yet.
    window: usize,
    is_open: bool,
}

impl Sender<'_> {
    fn run(&mut self, length: Nanos) {
        loop {
            let now = self.counter.now();
            self.end_windows(now);
            if now >= self.counter.limit() || self.arrivals.is_over() {
                self.close();
            }
            if !self.is_open && now >= length.min(self.counter.limit()) {
                return;
            }
            match self.due() {
                Some(due) if due <= now => self.send_due(due),
                due => self.wait(due),
            }
        }
    }

    /// When the next request is due.
    fn due(&mut self) -> Option<Nanos> {
        if self.is_open {
            self.arrivals.peek()
        } else {
            None
        }
    }

    fn close(&mut self) {
        if self.is_open {
            self.is_open = false;
            self.counter.close();
        }
    }

    fn end_windows(&mut self, now: Nanos) {
        while self.window < self.tally.windows.len() && self.end_of_window() <= now {
            let waiting = self.counter.waiting();
            self.tally.window_ended(self.window, waiting);
            self.window += 1;
        }
    }

    fn end_of_window(&self) -> Nanos {
        Nanos(self.tally.window_length().0 * (self.window as u64 + 1))
    }

    fn wait(&mut self, due: Option<Nanos>) {
        let window = (self.window < self.tally.windows.len()).then(|| self.end_of_window());
        let limit = self.is_open.then(|| self.counter.limit());
        let until = [due, window, limit].into_iter().flatten().min();
        self.counter.wait(until, &mut self.answers);
        for answer in &self.answers {
            self.arrivals.answered(answer.end);
        }
    }

    fn send_due(&mut self, due: Nanos) {
        self.arrivals.pop();
        let offered = self.counter.offer(self.number, due);
        self.number += 1;
        self.tally
            .came(&offered.request, offered.was_taken, offered.waiting);
        if !offered.was_taken {
            self.rejected(&offered.request);
        }
    }

    /// A user whose request was rejected thinks, and comes again.
    fn rejected(&mut self, request: &Request) {
        if self.counter.follows_answers() {
            self.arrivals.rejected(request.sent);
        }
    }
}
