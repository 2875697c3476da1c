//! The order of a trace's events: up to ONNX Runtime 1.31 by when they ended, by its sources after
//! that by when they began.

use std::ops::Range;

use super::event::{Event, Subject};
use crate::units::Nanos;

/// By how much whole microseconds of begin and length may move an end.
const CUT_OFF: Nanos = Nanos(2_000);
/// Runs that wait for their end: those that hold each other, and those of other threads.
const MOST_PENDING: usize = 256;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// What ran inside another run stands before it.
    #[default]
    ByEnd,
    /// What ran inside another run stands behind it.
    ByBegin,
}

/// Finds the order by the first two neighbours on one thread that one of both would have the other
/// way round.
#[derive(Debug, Default)]
pub(super) struct Scout {
    before: Option<Neighbour>,
    pub order: Option<Order>,
}

#[derive(Clone, Copy, Debug)]
struct Neighbour {
    thread: i64,
    start: Nanos,
    end: Nanos,
}

impl Scout {
    /// Takes the next event; says whether the order is known. What ran on a device stands anywhere.
    pub(super) fn take(&mut self, event: &Event<'_>) -> bool {
        if matches!(event.subject(), Subject::Device(_)) {
            return false;
        }
        let own = Neighbour {
            thread: event.thread,
            start: event.start,
            end: event.start + event.length,
        };
        let before = self.before.replace(own);
        self.order = before
            .filter(|before| before.thread == own.thread)
            .and_then(|before| own.order_after(before));
        self.order.is_some()
    }
}

impl Neighbour {
    fn order_after(self, before: Neighbour) -> Option<Order> {
        if self.start < before.start {
            Some(Order::ByEnd)
        } else if self.end + CUT_OFF < before.end {
            Some(Order::ByBegin)
        } else {
            None
        }
    }
}

/// A run of a node, or an inference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ran {
    /// The node; `None` of an inference.
    pub node: Option<usize>,
    pub thread: i64,
    pub start: Nanos,
    pub length: Nanos,
    /// Where its event stands.
    pub place: Range<u64>,
}

impl Ran {
    fn end(&self) -> Nanos {
        self.start + self.length
    }
}

/// Brings runs that come by when they began into the order of their ends.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// By when they began.
    runs: Vec<Ran>,
}

impl Pending {
    pub(super) fn push(&mut self, run: Ran) {
        self.runs.push(run);
    }

    /// The next that ended by then.
    pub(super) fn ended_by(&mut self, then: Nanos) -> Option<Ran> {
        let is_full = self.runs.len() > MOST_PENDING;
        let first = self.first()?;
        (is_full || self.runs[first].end() <= then).then(|| self.runs.remove(self.innermost(first)))
    }

    pub(super) fn ended(&mut self) -> Option<Ran> {
        self.ended_by(Nanos(u64::MAX))
    }

    fn first(&self) -> Option<usize> {
        (0..self.runs.len()).min_by_key(|&place| self.runs[place].end())
    }

    /// Of a run and those inside it, which whole microseconds may have end after it, one that holds
    /// no other.
    fn innermost(&self, mut outer: usize) -> usize {
        while let Some(inner) = self.inside(outer) {
            outer = inner;
        }
        outer
    }

    fn inside(&self, outer: usize) -> Option<usize> {
        let run = &self.runs[outer];
        (outer + 1..self.runs.len()).find(|&place| {
            let other = &self.runs[place];
            (other.thread == run.thread || run.node.is_none())
                && other.start < run.end()
                && other.end() <= run.end() + CUT_OFF
        })
    }
}
