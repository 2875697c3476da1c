//! Requests that arrive whatever is answered.

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::arriving::Arriving;
use super::distances::Distances;
use super::rate::Rate;
use crate::plan::{Offer, Share};
use crate::units::Nanos;

/// Arrivals are drawn ahead in blocks of this many.
const BLOCK: usize = 1024;

/// Requests that arrive whatever is answered, at the rate of an offer.
///
/// Distances with a mean of 1 are drawn from the seed and summed; a request comes when the rate has
/// given as many requests as the sum says. Each process draws all of them and keeps its share.
#[derive(Debug)]
pub struct OpenArrivals {
    distances: Distances,
    random: Pcg64Mcg,
    rate: Rate,
    share: Share,
    /// Requests so far, those of other processes and of the block included.
    drawn: u64,
    /// Expected requests so far, those of the block included.
    expected: f64,
    block: Vec<Nanos>,
    next: usize,
}

impl OpenArrivals {
    /// Requests of a share of an offer.
    #[must_use]
    pub fn new(distances: Distances, offer: &Offer, share: Share) -> Self {
        OpenArrivals {
            distances,
            random: Pcg64Mcg::seed_from_u64(offer.seed),
            rate: Rate::of(offer),
            share,
            drawn: 0,
            expected: 0.0,
            block: Vec::with_capacity(BLOCK),
            next: 0,
        }
    }

    fn fill(&mut self) {
        self.block.clear();
        self.next = 0;
        while self.block.len() < BLOCK {
            self.expected += self.distances.draw(&mut self.random);
            let Some(time) = self.rate.time_of(self.expected) else {
                return;
            };
            if self.share.has(self.drawn) {
                self.block.push(time);
            }
            self.drawn += 1;
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

    fn is_over(&mut self) -> bool {
        self.peek().is_none()
    }
}
