//! How much time is left, and what fits into it, judged by what launches and inferences have taken
//! so far.
//!
//! Nothing is begun that is known not to end in time, so that a run takes at most its budget, one
//! launch and one inference: those that had to be begun to find out how long they take.

use std::time::{Duration, Instant};

use super::patience::until;
use super::{Extent, Job};
use crate::units::Nanos;

/// Starting a worker, before it opens its library.
pub(super) const STARTING: Duration = Duration::from_millis(30);
/// Time to write the reports of a small run.
const LEAST_WRITING: Duration = Duration::from_millis(300);
/// Rendering all reports takes about so many times as long as writing down the record that they are
/// drawn from.
const WRITINGS: u32 = 8;
/// A cell is warmed up for this long, as far as there is time, however many launches are still to
/// come.
pub(super) const WARMUP: Duration = Duration::from_millis(500);
/// Inferences that a block holds at least where there is time for them.
pub(super) const MIN_INFERENCES: u64 = 3;

pub(super) struct Time {
    started: Instant,
    /// Time of an earlier part of the run, if this one takes it up again.
    pub before: Duration,
    /// When what lies beside the rounds is to end; absent before it has begun, and without a
    /// budget.
    pub beside_end: Option<Instant>,
    /// Absent: never.
    end: Option<Instant>,
    /// Kept free at the end, for the reports.
    writing: Duration,
    /// Kept free for what comes after what is done now.
    pub held: Duration,
}

impl Time {
    pub(super) fn of(job: &Job) -> Self {
        match (job.extent, job.plan.schedule.budget_ns) {
            // Nothing is written after a probe.
            (Extent::Probe(limit), _) => Time {
                writing: Duration::ZERO,
                ..Time::of_budget(job.started, Some(limit))
            },
            (Extent::Whole | Extent::Rounds | Extent::Scored, budget) => {
                Time::of_budget(job.started, budget.map(Duration::from))
            }
        }
    }

    fn of_budget(started: Instant, budget: Option<Duration>) -> Self {
        Time {
            started,
            before: Duration::ZERO,
            beside_end: None,
            end: budget.map(|budget| started + budget),
            writing: LEAST_WRITING,
            held: Duration::ZERO,
        }
    }

    pub(super) fn of_part(&self) -> Duration {
        self.started.elapsed()
    }

    /// With earlier parts of the run.
    pub(super) fn elapsed(&self) -> Nanos {
        Nanos::from(self.before + self.started.elapsed())
    }

    pub(super) fn wrote(&mut self, took: Duration) {
        if !self.writing.is_zero() {
            self.writing = LEAST_WRITING + took * WRITINGS;
        }
    }

    /// Time that is left; without an end, more than anything takes.
    pub(super) fn remaining(&self) -> Duration {
        match self.end {
            Some(_) => until(self.end).saturating_sub(self.writing + self.held),
            None => Duration::MAX,
        }
    }

    /// When it is over, with nothing kept free but for the reports; absent: never.
    pub(super) fn end(&self) -> Option<Instant> {
        self.end
            .map(|end| end.checked_sub(self.writing).unwrap_or(end))
    }

    /// Whether so much time has gone since its end, with nothing kept free.
    pub(super) fn is_over_since(&self, span: Duration) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end + span)
    }
}

#[derive(Clone, Copy)]
pub(super) struct BlockTime {
    pub length: Nanos,
    /// As far as the limit allows.
    pub min_inferences: u64,
    /// When no inference is begun any more; absent without a limit.
    pub limit: Option<Nanos>,
    /// Time that it is expected to take.
    pub expected: Duration,
}

impl BlockTime {
    pub(super) fn unlimited(length: Nanos) -> Self {
        BlockTime {
            length,
            min_inferences: MIN_INFERENCES,
            limit: None,
            expected: length.into(),
        }
    }
}

/// A count as time is multiplied by it.
pub(super) fn times(count: impl TryInto<u32>) -> u32 {
    count.try_into().unwrap_or(u32::MAX)
}

/// Time of one of so many cells in each of the rounds to come.
pub(super) fn share(left: Duration, cells_count: usize, rounds_to_come: u64) -> Duration {
    left.div_f64((cells_count.max(1) as u64 * rounds_to_come.max(1)) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn time_is_kept_free_for_the_reports_and_for_what_comes_after() {
        let mut time = Time::of_budget(Instant::now(), Some(SECOND * 100));
        let is_about = |time: &Time, secs: f64| (time.remaining().as_secs_f64() - secs).abs() < 5.0;
        assert!(is_about(&time, 99.7));
        time.held = SECOND * 20;
        time.wrote(SECOND * 5);
        assert!(
            is_about(&time, 39.7),
            "20 s are held, and 40.3 s for reports of a record that takes 5 s to write"
        );
        time.held = Duration::ZERO;
        assert!(is_about(&time, 59.7));
    }

    #[test]
    fn without_an_end_there_is_always_time() {
        let mut time = Time::of_budget(Instant::now(), None);
        time.held = SECOND;
        assert_eq!((time.remaining(), time.end()), (Duration::MAX, None));
        assert!(!time.is_over_since(Duration::ZERO));
    }

    #[test]
    fn time_is_shared_by_cells_and_rounds() {
        assert_eq!(share(SECOND * 60, 2, 6), SECOND * 5);
        assert_eq!(share(SECOND * 60, 0, 0), SECOND * 60);
    }
}
