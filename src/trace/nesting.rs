//! Which nodes ran inside which others: by thread, since the last inference.

use std::collections::HashMap;

use crate::units::Nanos;

const MOST_RUNS: usize = 1 << 22;

/// Nodes that ran in the current inference, by thread, those left out that ran inside another.
///
/// Where more of them ran than are remembered, neighbours are taken for one that began when the
/// first of both did: of a node that ran around both the time is right, of one that began between
/// both it is too long by the second. As many threads as that no program has, and all are
/// forgotten.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    outermost: HashMap<i64, Vec<Run>>,
    count: usize,
}

#[derive(Debug)]
struct Run {
    start: Nanos,
    length: Nanos,
}

impl Nesting {
    /// Time in a node that has ended, without that in nodes that ran inside it: those of the same
    /// thread that began no earlier, and are known already.
    pub(super) fn own_time(&mut self, thread: i64, start: Nanos, length: Nanos) -> Nanos {
        self.own_time_within(thread, Run { start, length }, MOST_RUNS)
    }

    fn own_time_within(&mut self, thread: i64, run: Run, most: usize) -> Nanos {
        let (start, length) = (run.start, run.length);
        let runs = self.outermost.entry(thread).or_default();
        let mut inside = Nanos(0);
        while let Some(inner) = runs.pop_if(|inner| inner.start >= start) {
            inside = inside + inner.length;
            self.count -= 1;
        }
        runs.push(run);
        self.count += 1;
        if self.count > most {
            self.join(most);
        }
        length.since(inside)
    }

    fn join(&mut self, most: usize) {
        for runs in self.outermost.values_mut() {
            let joined = runs.chunks(2).map(|pair| Run {
                start: pair[0].start,
                length: pair.iter().fold(Nanos(0), |sum, run| sum + run.length),
            });
            *runs = joined.collect();
        }
        self.recount();
        if self.count > most {
            *self = Nesting::default();
        }
    }

    /// An inference of that thread, which began then, came to its end. Those of other threads may
    /// be under way.
    pub(super) fn end_inference(&mut self, thread: i64, start: Nanos) {
        self.outermost.retain(|&other, runs| {
            runs.retain(|run| other != thread && run.start >= start);
            !runs.is_empty()
        });
        self.recount();
    }

    fn recount(&mut self) {
        self.count = self.outermost.values().map(Vec::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_time(nesting: &mut Nesting, thread: i64, start: u64, length: u64) -> u64 {
        nesting
            .own_time_within(
                thread,
                Run {
                    start: Nanos(start),
                    length: Nanos(length),
                },
                10,
            )
            .0
    }

    #[test]
    fn a_loop_of_many_nodes_is_told_without_them() {
        let mut nesting = Nesting::default();
        for step in 0..1_000 {
            assert_eq!(own_time(&mut nesting, 7, 100 + 10 * step, 9), 9);
            assert!(nesting.count <= 10, "{}", nesting.count);
        }
        // All but a tenth of it is in the nodes.
        assert_eq!(own_time(&mut nesting, 7, 100, 10_000), 1_000);
        assert_eq!(nesting.count, 1);
    }

    #[test]
    fn more_threads_than_are_remembered_are_forgotten() {
        let mut nesting = Nesting::default();
        (0..11).for_each(|thread| assert_eq!(own_time(&mut nesting, thread, 0, 5), 5));
        assert_eq!((nesting.count, nesting.outermost.len()), (0, 0));
    }

    #[test]
    fn what_ran_before_an_inference_ended_is_not_inside_the_next() {
        let mut nesting = Nesting::default();
        own_time(&mut nesting, 1, 10, 5);
        own_time(&mut nesting, 2, 12, 5);
        own_time(&mut nesting, 2, 3, 5);
        nesting.end_inference(1, Nanos(5));
        assert_eq!(nesting.count, 0);
        own_time(&mut nesting, 2, 20, 5);
        nesting.end_inference(1, Nanos(5));
        assert_eq!((nesting.count, own_time(&mut nesting, 2, 18, 9)), (1, 4));
    }
}
