//! When requests arrive.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::plan::Arrivals;
use crate::units::{Nanos, PerSecond};

/// Arrivals are drawn ahead in blocks of this many.
const BLOCK: usize = 1024;

/// What says when requests are due.
pub trait Arriving {
    /// When the next request is due, since the start of the segment; `None` where none is known:
    /// there are no more, or the next follows from an answer.
    fn peek(&mut self) -> Option<Nanos>;

    /// Takes that request.
    fn pop(&mut self) -> Option<Nanos>;

    /// Whether requests follow from answers, so that each answer is to be told.
    fn follows_answers(&self) -> bool {
        false
    }

    /// A request that was due at `scheduled` was answered, or failed, at `end`.
    fn answered(&mut self, scheduled: Nanos, end: Nanos);

    /// Whether no more requests come, whatever is answered.
    fn is_over(&mut self) -> bool;
}

/// Requests that arrive whatever is answered, at a rate that changes evenly.
///
/// Distances with a mean of 1 are drawn from the seed and summed; the sum at which a request comes
/// is the number of requests that the rate has given by then.
#[derive(Debug)]
pub struct OpenArrivals {
    pattern: Arrivals,
    random: Pcg64Mcg,
    from: f64,
    to: f64,
    length: Nanos,
    /// Expected requests so far, those of the block included.
    expected: f64,
    block: Vec<Nanos>,
    next: usize,
}

impl OpenArrivals {
    /// Requests of a segment; `from` and `to` are requests per second at its start and its end.
    #[must_use]
    pub fn new(
        pattern: &Arrivals,
        from: PerSecond,
        to: PerSecond,
        length: Nanos,
        seed: u64,
    ) -> Self {
        OpenArrivals {
            pattern: pattern.clone(),
            random: Pcg64Mcg::seed_from_u64(seed),
            from: from.0,
            to: to.0,
            length,
            expected: 0.0,
            block: Vec::with_capacity(BLOCK),
            next: 0,
        }
    }

    fn distance(&mut self) -> f64 {
        match self.pattern {
            Arrivals::Constant => 1.0,
            _ => -(1.0 - self.random.random::<f64>()).ln(),
        }
    }

    /// When so many requests are expected to have come; `None` after the end.
    fn time_of(&self, expected: f64) -> Option<Nanos> {
        let length = self.length.as_secs_f64();
        let slope = (self.to - self.from) / length;
        let seconds = if slope.abs() < 1e-9 * self.from.max(1.0) {
            expected / self.from
        } else {
            let inside = self.from.mul_add(self.from, 2.0 * slope * expected);
            if inside < 0.0 {
                return None;
            }
            (inside.sqrt() - self.from) / slope
        };
        (seconds < length).then_some(Nanos((seconds * 1e9) as u64))
    }

    fn fill(&mut self) {
        self.block.clear();
        self.next = 0;
        while self.block.len() < BLOCK {
            self.expected += self.distance();
            match self.time_of(self.expected) {
                Some(time) => self.block.push(time),
                None => return,
            }
        }
    }
}

impl Arriving for OpenArrivals {
    fn peek(&mut self) -> Option<Nanos> {
        if self.next == self.block.len() {
            self.fill();
        }
        self.block.get(self.next).copied()
    }

    fn pop(&mut self) -> Option<Nanos> {
        let due = self.peek()?;
        self.next += 1;
        Some(due)
    }

    fn answered(&mut self, _scheduled: Nanos, _end: Nanos) {}

    fn is_over(&mut self) -> bool {
        self.peek().is_none()
    }
}
