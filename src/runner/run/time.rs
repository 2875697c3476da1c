//! How much time is left for what, judged by what launches and inferences have taken so far.

use std::time::Duration;

use super::Run;
use crate::plan::CellKey;

use crate::runner::Clock;
use crate::runner::patience::{BEFORE_BLOCKS, Patience, until};
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

    /// How much of the time is spent.
    pub(in crate::runner) fn clock(&self) -> Clock {
        let left = self.remaining();
        let spent_ratio = self.budget().map_or(0.0, |budget| {
            let budget = budget.saturating_sub(self.time.before).as_secs_f64();
            1.0 - left.as_secs_f64() / budget.max(1e-9)
        });
        Clock {
            spent_ratio: spent_ratio.clamp(0.0, 1.0),
            left,
            is_over: self.is_late(),
        }
    }

    pub(in crate::runner) fn limit(&self) -> Option<Nanos> {
        self.time.end().map(|_| self.remaining().into())
    }

    pub(in crate::runner) fn launch_time(&self, session: usize) -> Option<Duration> {
        self.launch_times(session).min()
    }

    fn launch_times(&self, session: usize) -> impl Iterator<Item = Duration> {
        self.record()
            .launches_of(session)
            .filter_map(|launch| Some(STARTING + launch.start_time()?))
    }

    /// Time of one inference of a session at the smallest batch size that it was measured at.
    pub(in crate::runner) fn inference_time(&self, session: usize) -> Option<Duration> {
        let record = self.record();
        let own = record
            .blocks
            .iter()
            .rev()
            .filter(|block| block.key.session == session);
        // The last of them, since the first of equal ones is had.
        let smallest = own.min_by_key(|block| (block.key.shape, block.key.batch_size));
        smallest
            .map(|block| block.mean_ns)
            .or_else(|| {
                record
                    .launches_of(session)
                    .filter_map(|launch| launch.first_run_ns)
                    .min()
            })
            .map(Duration::from)
    }

    /// Time of a launch that runs `inferences` at the smallest batch size, as far as it is known.
    pub(in crate::runner) fn launch_with(&self, session: usize, inferences: u32) -> Duration {
        self.launch_time(session).unwrap_or_default()
            + self.inference_time(session).unwrap_or_default() * inferences
    }

    /// The first launch of a run is begun in any case, because without it there is nothing to show.
    pub(in crate::runner) fn may_launch(&self, session: usize) -> bool {
        self.record().launches.is_empty() || self.remaining() > self.launch_with(session, 1)
    }

    /// The first block may be begun as long after the end of the time as its launch took: a run may
    /// take that long.
    pub(in crate::runner) fn may_measure(&self) -> bool {
        if !self.is_late() {
            return true;
        }
        let record = self.record();
        let launched = record
            .launches
            .iter()
            .find_map(|launch| self.launch_time(launch.session));
        record.blocks.is_empty() && !self.time.is_over_since(launched.unwrap_or_default())
    }

    /// `grown`: so many times larger are batches than measured ones, and inferences take that much
    /// longer at worst.
    pub(in crate::runner) fn has_time_for(&self, cells: &[CellKey], grown: f64) -> bool {
        let all: Duration = cells
            .iter()
            .filter_map(|key| self.inference_time(key.session))
            .sum();
        (all * 2).as_secs_f64() * grown <= self.remaining().as_secs_f64()
    }

    /// For the first inference and the warm-up of one of so many cells that take turns.
    pub(in crate::runner) fn warmup_limit(
        &self,
        cells_count: usize,
        rounds_to_come: u64,
    ) -> Option<Nanos> {
        let left = Duration::from(self.limit()?);
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
        let inferences = share(Duration::from(limit), cells_count, rounds_to_come).as_secs_f64()
            / single.as_secs_f64().max(1e-9);
        BlockTime {
            length: length.min(limit),
            min_inferences: (inferences as u64).clamp(1, MIN_INFERENCES),
            limit: Some(limit),
            expected,
        }
    }

    pub(in crate::runner) fn patience_with(&self, session: usize) -> Patience {
        Patience {
            usual: self.launcher.timeout(),
            end: self.time.end(),
            load: self.launch_times(session).max(),
            answer: self
                .record()
                .launches_of(session)
                .flat_map(|launch| {
                    launch
                        .cells
                        .iter()
                        .map(|cell| cell.first_run_ns + cell.warmup.elapsed_ns)
                        .chain(launch.first_run_ns)
                })
                .max()
                .map(Duration::from),
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
        Some(
            self.budget()?
                .mul_f64(share)
                .min(until(self.time.beside_end)),
        )
    }

    /// How long a worker beside the rounds is waited for that is expected to need so much.
    pub(in crate::runner) fn patience(&self, expected: Duration) -> Duration {
        expected.saturating_mul(2).saturating_add(GRACE)
    }
}
