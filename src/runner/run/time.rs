//! How much time is left for what, judged by what launches and inferences have taken so far.

use std::time::{Duration, Instant};

use super::Run;
use crate::plan::CellKey;
use crate::record::BlockRecord;
use crate::runner::patience::{BEFORE_BLOCKS, Patience};
use crate::runner::time::{BlockTime, MIN_INFERENCES, STARTING, WARMUP, share};
use crate::units::Nanos;

/// Time that a loaded machine may add to a launch beside the rounds before its worker counts as
/// stuck.
const GRACE: Duration = Duration::from_secs(5);

impl Run<'_> {
    pub(in crate::runner) fn remaining(&self) -> Duration {
        self.time.remaining()
    }

    pub(in crate::runner) fn is_late(&self) -> bool {
        self.remaining().is_zero()
    }

    pub(in crate::runner) fn limit(&self) -> Option<Nanos> {
        self.time.end().map(|_| self.remaining().into())
    }

    pub(in crate::runner) fn launch_time(&self, session: usize) -> Option<Duration> {
        self.launch_times(session).min()
    }

    fn launch_times(&self, session: usize) -> impl Iterator<Item = Duration> {
        let launches = self
            .journal
            .record()
            .launches
            .iter()
            .filter(move |launch| launch.session == session);
        launches.filter_map(|launch| {
            Some(
                STARTING
                    + Duration::from(
                        launch.runtime_start_ns.unwrap_or_default() + launch.session_load_ns?,
                    ),
            )
        })
    }

    /// Time of one inference of a session at the smallest batch size that it was measured at.
    pub(in crate::runner) fn inference_time(&self, session: usize) -> Option<Duration> {
        let record = self.journal.record();
        let place = |block: &BlockRecord| (block.key.shape, block.key.batch_size);
        let blocks = record.blocks.iter().rev();
        let own = blocks.filter(|block| block.key.session == session);
        let smallest = own.clone().map(place).min();
        let last = own.clone().find(|block| Some(place(block)) == smallest);
        let first_runs = record
            .launches
            .iter()
            .filter(|launch| launch.session == session);
        last.map(|block| block.mean_ns)
            .or_else(|| first_runs.filter_map(|launch| launch.first_run_ns).min())
            .map(Duration::from)
    }

    /// Time of a launch that runs `inferences` at the smallest batch size, as far as it is known.
    pub(in crate::runner) fn launch_with(&self, session: usize, inferences: u32) -> Duration {
        let launch = self.launch_time(session).unwrap_or_default();
        launch + self.inference_time(session).unwrap_or_default() * inferences
    }

    /// The first launch of a run is begun in any case, because without it there is nothing to show.
    pub(in crate::runner) fn may_launch(&self, session: usize) -> bool {
        self.journal.record().launches.is_empty() || self.remaining() > self.launch_with(session, 1)
    }

    /// The first block may be begun as long after the end of the time as its launch took: a run may
    /// take that long.
    pub(in crate::runner) fn may_measure(&self) -> bool {
        if !self.is_late() {
            return true;
        }
        let record = self.journal.record();
        let launched = record
            .launches
            .iter()
            .find_map(|launch| self.launch_time(launch.session))
            .unwrap_or_default();
        record.blocks.is_empty() && !self.time.is_over_since(launched)
    }

    /// `grown`: so many times larger are batches than measured ones, and inferences take that much
    /// longer at worst.
    pub(in crate::runner) fn has_time_for(&self, cells: &[CellKey], grown: f64) -> bool {
        let known = cells
            .iter()
            .filter_map(|key| self.inference_time(key.session));
        let all = known.fold(Duration::ZERO, |sum, inference| sum + inference * 2);
        all.as_secs_f64() * grown <= self.remaining().as_secs_f64()
    }

    /// For the first inference and the warm-up of one of so many cells that take turns.
    pub(in crate::runner) fn warmup_limit(
        &self,
        cells_count: usize,
        rounds_to_come: u64,
    ) -> Option<Nanos> {
        let left = self.limit().map(Duration::from)?;
        Some(
            share(left, cells_count, rounds_to_come)
                .max(WARMUP.min(left))
                .into(),
        )
    }

    /// For one of so many cells that take turns, where an inference takes `single`.
    pub(in crate::runner) fn block_time(
        &self,
        cells_count: usize,
        rounds_to_come: u64,
        single: Duration,
    ) -> BlockTime {
        let length = self.plan().schedule.block_ns;
        let expected = Duration::from(length).max(single * MIN_INFERENCES as u32);
        let Some(limit) = self.limit() else {
            return BlockTime {
                expected,
                ..BlockTime::unlimited(length)
            };
        };
        let left = Duration::from(limit);
        let inferences =
            share(left, cells_count, rounds_to_come).as_secs_f64() / single.as_secs_f64().max(1e-9);
        BlockTime {
            length: length.min(limit),
            min_inferences: (inferences as u64).clamp(1, MIN_INFERENCES),
            limit: Some(limit),
            expected,
        }
    }

    pub(in crate::runner) fn patience_with(&self, session: usize) -> Patience {
        let record = self.journal.record();
        let launches = record.launches.iter();
        let launches = launches.filter(|launch| launch.session == session);
        let cells = launches.clone().flat_map(|launch| &launch.cells);
        let begun = cells
            .map(|cell| Duration::from(cell.first_run_ns + cell.warmup.elapsed_ns))
            .max();
        let first_run = launches
            .filter_map(|launch| launch.first_run_ns)
            .max()
            .map(Duration::from);
        Patience {
            usual: self.launcher.timeout(),
            end: self.time.end(),
            load: self.launch_times(session).max(),
            answer: begun.max(first_run),
        }
    }

    /// Time that beginning a cell is expected to take; zero where an inference's time is not known.
    pub(in crate::runner) fn beginning_time(&self, key: CellKey) -> Duration {
        let Some(inference) = self.inference_time(key.session) else {
            return Duration::ZERO;
        };
        let smallest = self
            .plan()
            .cells()
            .filter(|other| other.session == key.session)
            .map(|other| other.batch_size)
            .min();
        let grown = key.batch_size as f64 / smallest.unwrap_or(1).max(1) as f64;
        inference.mul_f64(grown * f64::from(BEFORE_BLOCKS) * key.load_mode.threads_count() as f64)
    }

    /// Time that the user gives the run, its earlier parts included.
    pub(in crate::runner) fn budget(&self) -> Option<Duration> {
        self.plan().schedule.budget_ns.map(Duration::from)
    }

    /// Time for a part of what lies beside the rounds that may take this share of the budget;
    /// absent without a limit.
    pub(in crate::runner) fn beside_time(&self, share: f64) -> Option<Duration> {
        let budget = self.budget()?;
        let left = self
            .time
            .beside_end
            .map_or(budget, |end| end.saturating_duration_since(Instant::now()));
        Some(budget.mul_f64(share).min(left))
    }

    /// How long a worker beside the rounds is waited for that is expected to need so much.
    pub(in crate::runner) fn patience(&self, expected: Duration) -> Duration {
        expected.saturating_mul(2).saturating_add(GRACE)
    }
}
