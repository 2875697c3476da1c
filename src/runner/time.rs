//! How much time is left, and what fits into it, judged by what launches and inferences have taken so far.
//!
//! Nothing is begun that is known not to end in time, so that a run takes at most its budget, one launch and one
//! inference: those that had to be begun to find out how long they take.

use std::time::{Duration, Instant};

use super::rounds::round::Run;
use crate::plan::CellKey;
use crate::units::Nanos;

/// Starting a worker, before it opens its library.
const STARTING: Duration = Duration::from_millis(30);
/// What writing the reports of a small run takes.
const LEAST_WRITING: Duration = Duration::from_millis(300);
/// Rendering all reports takes about so many times as long as writing down the record that they are drawn from.
const WRITINGS: u32 = 8;
/// A cell is warmed up for this long, as far as there is time, however many launches are still to come.
const WARMUP: Duration = Duration::from_millis(500);
/// Inferences that a block holds at least where there is time for them.
pub(super) const MIN_INFERENCES: u64 = 3;

/// When the time of a run is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    /// Absent: never.
    end: Option<Instant>,
    /// Kept free at the end, for the reports.
    writing: Duration,
    /// Kept free for what comes after what is done now.
    held: Duration,
}

impl Time {
    /// All of a budget, less what the reports take.
    pub(super) fn of_budget(end: Option<Instant>) -> Self {
        Time { end, writing: LEAST_WRITING, held: Duration::ZERO }
    }

    /// Until then, after which nothing is written.
    pub(super) fn of_probe(end: Instant) -> Self {
        Time { end: Some(end), writing: Duration::ZERO, held: Duration::ZERO }
    }

    /// Keeps so much free, and no longer what was kept before.
    pub(super) fn hold(&mut self, held: Duration) {
        self.held = held;
    }

    /// Writing the record down as it is now took so long.
    pub(super) fn wrote(&mut self, took: Duration) {
        if !self.writing.is_zero() {
            self.writing = LEAST_WRITING + took * WRITINGS;
        }
    }

    /// Time that is left; without an end, more than anything takes.
    pub(super) fn remaining(&self) -> Duration {
        let until = |end: Instant| end.saturating_duration_since(Instant::now());
        self.end.map_or(Duration::MAX, |end| until(end).saturating_sub(self.writing + self.held))
    }

    /// When it is over, with nothing kept free but for the reports; absent: never.
    pub(super) fn end(&self) -> Option<Instant> {
        self.end.map(|end| end.checked_sub(self.writing).unwrap_or(end))
    }

    /// Whether the time ends at all.
    pub(super) fn is_limited(&self) -> bool {
        self.end.is_some()
    }

    /// Whether so much time has gone since its end, with nothing kept free.
    fn is_over_since(&self, span: Duration) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end + span)
    }
}

/// What the next block of a cell may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockTime {
    /// Its length.
    pub length: Nanos,
    /// Inferences that it holds at least, as far as the limit allows.
    pub min_inferences: u64,
    /// When none is begun any more; absent without a limit.
    pub limit: Option<Nanos>,
    /// What it is expected to take.
    pub expected: Duration,
}

impl BlockTime {
    /// A block of a length that there is time for.
    pub(super) fn unlimited(length: Nanos) -> Self {
        BlockTime { length, min_inferences: MIN_INFERENCES, limit: None, expected: length.into() }
    }
}

impl Run<'_> {
    /// Time that is left to measure.
    pub(super) fn remaining(&self) -> Duration {
        self.time.remaining()
    }

    pub(super) fn is_late(&self) -> bool {
        self.remaining().is_zero()
    }

    /// Time that is left, for a worker; absent without an end.
    pub(super) fn limit(&self) -> Option<Nanos> {
        self.time.is_limited().then(|| self.remaining().into())
    }

    /// What starting a session took at least so far.
    pub(super) fn launch_time(&self, session: usize) -> Option<Duration> {
        let launches = self.journal.record().launches.iter().filter(|launch| launch.session == session);
        let taken = launches.filter_map(|launch| {
            let loaded = launch.session_load_ns?;
            Some(STARTING + Duration::from(launch.runtime_start_ns.unwrap_or_default() + loaded))
        });
        taken.min()
    }

    /// What starting a session took at most so far.
    pub(super) fn longest_launch(&self, session: usize) -> Option<Duration> {
        let launches = self.journal.record().launches.iter().filter(|launch| launch.session == session);
        let taken = launches.filter_map(|launch| {
            Some(STARTING + Duration::from(launch.runtime_start_ns.unwrap_or_default() + launch.session_load_ns?))
        });
        taken.max()
    }

    /// What one inference of a session took at the smallest batch size that it was measured at.
    pub(super) fn inference_time(&self, session: usize) -> Option<Duration> {
        let record = self.journal.record();
        let own = || record.blocks.iter().rev().filter(|block| block.key.session == session);
        let smallest = own().map(|block| (block.key.shape, block.key.batch_size)).min();
        let last = own().find(|block| Some((block.key.shape, block.key.batch_size)) == smallest);
        let first_runs = record.launches.iter().filter(|launch| launch.session == session);
        let first_run = || first_runs.filter_map(|launch| launch.first_run_ns).min();
        last.map(|block| block.mean_ns).or_else(first_run).map(Duration::from)
    }

    /// What a launch that runs `inferences` at the smallest batch size takes, as far as it is known.
    pub(super) fn launch_with(&self, session: usize, inferences: u32) -> Duration {
        let launch = self.launch_time(session).unwrap_or_default();
        launch + self.inference_time(session).unwrap_or_default() * inferences
    }

    /// Whether a session may be launched: not where it is known that its first inference would end too late. The first
    /// launch of a run is begun in any case, because without it there is nothing to show.
    pub(super) fn may_launch(&self, session: usize) -> bool {
        self.journal.record().launches.is_empty() || self.remaining() > self.launch_with(session, 1)
    }

    /// Whether something may be measured in a worker that is there. The first block of a run may also be begun as long
    /// after the end of the time as its launch took: a run may take that long.
    pub(super) fn may_measure(&self) -> bool {
        if !self.is_late() {
            return true;
        }
        let record = self.journal.record();
        let launched = record.launches.iter().find_map(|launch| self.launch_time(launch.session)).unwrap_or_default();
        record.blocks.is_empty() && !self.time.is_over_since(launched)
    }

    /// Whether all of these cells can be begun and timed once. `grown` is how many times larger their batches are than
    /// those that sessions were measured at: inferences take that much longer at worst.
    pub(super) fn has_time_for(&self, cells: &[CellKey], grown: f64) -> bool {
        let known = cells.iter().filter_map(|key| self.inference_time(key.session));
        let all = known.fold(Duration::ZERO, |sum, inference| sum + inference * 2);
        all.as_secs_f64() * grown <= self.remaining().as_secs_f64()
    }

    /// Time for the first inference and the warm-up of one of so many cells that take turns, in the rounds that are to
    /// come until every launch that an interval takes is there.
    pub(super) fn warmup_limit(&self, cells_count: usize, rounds_to_come: u64) -> Option<Nanos> {
        let left = self.limit().map(Duration::from)?;
        Some(share(left, cells_count, rounds_to_come).max(WARMUP.min(left)).into())
    }

    /// What the next block may take of one of so many cells that take turns, where an inference takes `single`.
    pub(super) fn block_time(&self, cells_count: usize, rounds_to_come: u64, single: Duration) -> BlockTime {
        let length = self.plan.schedule.block_ns;
        let expected = Duration::from(length).max(single * MIN_INFERENCES as u32);
        let Some(limit) = self.limit() else { return BlockTime { expected, ..BlockTime::unlimited(length) } };
        let left = Duration::from(limit);
        let inferences = share(left, cells_count, rounds_to_come).as_secs_f64() / single.as_secs_f64().max(1e-9);
        BlockTime {
            length: length.min(limit),
            min_inferences: (inferences as u64).clamp(1, MIN_INFERENCES),
            limit: Some(limit),
            expected,
        }
    }
}

/// What one of so many cells has in each of the rounds to come.
fn share(left: Duration, cells_count: usize, rounds_to_come: u64) -> Duration {
    left.div_f64((cells_count.max(1) as u64 * rounds_to_come.max(1)) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn time_is_kept_free_for_the_reports_and_for_what_comes_after() {
        let mut time = Time::of_budget(Some(Instant::now() + SECOND * 100));
        let is_about = |time: &Time, secs: f64| (time.remaining().as_secs_f64() - secs).abs() < 5.0;
        assert!(is_about(&time, 99.7));
        time.hold(SECOND * 20);
        time.wrote(SECOND * 5);
        assert!(is_about(&time, 39.7), "20 s are held, and 40.3 s for reports of a record that takes 5 s to write");
        time.hold(Duration::ZERO);
        assert!(is_about(&time, 59.7));
    }

    #[test]
    fn without_an_end_there_is_always_time() {
        let mut time = Time::of_budget(None);
        time.hold(SECOND);
        assert_eq!((time.remaining(), time.is_limited()), (Duration::MAX, false));
        assert!(!time.is_over_since(Duration::ZERO));
    }

    #[test]
    fn time_is_shared_by_cells_and_rounds() {
        assert_eq!(share(SECOND * 60, 2, 6), SECOND * 5);
        assert_eq!(share(SECOND * 60, 0, 0), SECOND * 60);
    }
}
