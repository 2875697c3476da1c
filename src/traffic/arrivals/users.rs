//! Virtual users, who wait for an answer and think before they ask again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::{RngExt, SeedableRng};
use rand_distr::Exp1;
use rand_pcg::Pcg64Mcg;

use super::arriving::Arriving;
use crate::plan::{Offer, Share};
use crate::units::Nanos;

/// Users of each process think by a seed of their own.
const OF_PROCESS: u64 = 0x9E37_79B9_7F4A_7C15;
/// One who is rejected at once does not ask again sooner.
const PAUSE: Nanos = Nanos(1_000_000);

/// Users, as many of a process as its share of an offer's rate says.
#[derive(Debug)]
pub(super) struct Users {
    random: Pcg64Mcg,
    think: Nanos,
    /// Nobody asks after this time.
    end: Nanos,
    /// When those ask next who do not wait for an answer.
    thinking: BinaryHeap<Reverse<Nanos>>,
    /// Those who wait for one.
    waiting_count: usize,
}

impl Users {
    pub(super) fn new(think: Nanos, offer: &Offer, share: Share) -> Self {
        let all = offer.from.0.round().max(1.0) as u64;
        let count = (0..all).filter(|&user| share.has(user)).count();
        let seed = share.index.wrapping_mul(OF_PROCESS);
        let mut users = Users {
            random: Pcg64Mcg::seed_from_u64(offer.seed.wrapping_add(seed)),
            think,
            end: offer.whole_length(),
            thinking: BinaryHeap::with_capacity(count),
            waiting_count: 0,
        };
        for _ in 0..count {
            users.think_from(Nanos(0), Nanos(0));
        }
        users
    }

    /// Lets one think from `start` on, for at least so long.
    fn think_from(&mut self, start: Nanos, least: Nanos) {
        let drawn: f64 = self.random.sample(Exp1);
        let thought = Nanos((drawn * self.think.as_f64()) as u64).max(least);
        let due = start + thought;
        if due < self.end {
            self.thinking.push(Reverse(due));
        }
    }
}

impl Arriving for Users {
    fn peek(&mut self) -> Option<Nanos> {
        self.thinking.peek().map(|Reverse(due)| *due)
    }

    fn pop(&mut self) -> Option<Nanos> {
        let Reverse(due) = self.thinking.pop()?;
        self.waiting_count += 1;
        Some(due)
    }

    fn follows_answers(&self) -> bool {
        true
    }

    fn answered(&mut self, end: Nanos) {
        self.waiting_count = self.waiting_count.saturating_sub(1);
        self.think_from(end, Nanos(0));
    }

    fn rejected(&mut self, time: Nanos) {
        self.waiting_count = self.waiting_count.saturating_sub(1);
        self.think_from(time, PAUSE);
    }

    fn is_over(&mut self) -> bool {
        self.thinking.is_empty() && self.waiting_count == 0
    }
}
