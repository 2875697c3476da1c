//! Use of a GPU by a cell: one uninterrupted stretch, long enough for a driver's figures.

use std::time::{Duration, Instant};

use super::{CounterEnds, Device, EnergyWatch};
use crate::observed::Observed;
use crate::plan::{CellKey, Plan};
use crate::protocol::{Request, Response};
use crate::record::{Failure, GpuUse};
use crate::runner::time::{MIN_INFERENCES, times};
use crate::runner::{Extent, Launch};
use crate::sample::{GpuMonitor, GpuStretch};
use crate::units::Nanos;

/// A stretch is no longer than this: twelve samples, and ten updates of the slowest counters known
/// with some room.
const LONGEST_STRETCH: Duration = Duration::from_millis(1200);
/// And no shorter: a driver averages over 1/6 s at least.
const SHORTEST_STRETCH: Duration = Duration::from_millis(250);
/// Share of the budget that all stretches may take.
const STRETCH_SHARE: f64 = 0.2;

pub(in crate::runner) struct Leave<'a> {
    pub plan: &'a Plan,
    pub extent: Extent,
    pub remaining: Duration,
    /// The same for a worker; absent where the run has no end.
    pub limit: Option<Nanos>,
}

impl EnergyWatch {
    /// `None` if the cell computes on no GPU.
    pub(in crate::runner) async fn gpu_use(
        &mut self,
        launch: &mut Launch,
        key: CellKey,
        leave: &Leave<'_>,
    ) -> Result<Option<Observed<GpuUse>>, Failure> {
        let index = match &self.devices[key.session] {
            Device::None => return Ok(None),
            Device::Unknown(reason) => return Ok(Some(Err(reason.clone()))),
            Device::Known(index) => *index,
        };
        let length = match self.stretch_length(key, leave) {
            Ok(length) => length,
            Err(reason) => return Ok(Some(Err(reason))),
        };
        let Some(monitor) = &self.monitor else {
            return Ok(Some(Err("the GPU is not observed".into())));
        };
        let request = Request::Block {
            length_ns: length.into(),
            min_inferences: MIN_INFERENCES,
            limit_ns: leave.limit,
        };
        let doing = format!(
            "run for {} ms at batch size {}",
            length.as_millis(),
            key.batch_size
        );
        let began = Instant::now();
        let level = monitor.gpus().memory_used(index);
        monitor.open_window();
        let before = monitor.gpus().energy(index);
        let answer = launch.worker.ask(&request, &doing).await;
        let after = monitor.gpus().energy(index);
        let window = monitor.close_window(index);
        let lost = monitor.lost();
        self.spent += began.elapsed();
        *self.stretches.entry(key).or_default() += 1;
        let report = match answer? {
            Response::Block(report) => report,
            other => return Err(launch.worker.unexpected(&other).await),
        };
        if let Some(lost) = lost {
            return Ok(Some(Err(lost)));
        }
        let span = report.elapsed_ns + report.rebinding_ns.unwrap_or_default();
        Ok(Some(Ok(window.used(GpuStretch {
            index,
            elapsed_ns: span,
            inferences_count: report.inferences_count,
            memory: self.memory(launch, &window, &level),
            energy: self.energy(index, CounterEnds { before, after }, &window, span),
        }))))
    }

    /// How long the next stretch of a cell may be, or why there is none.
    fn stretch_length(&self, key: CellKey, leave: &Leave<'_>) -> Observed<Duration> {
        if matches!(leave.extent, Extent::Probe(_)) {
            return Err("the run is a probe".into());
        }
        if let Some(lost) = self.monitor.as_ref().and_then(GpuMonitor::lost) {
            return Err(lost);
        }
        let remaining = leave.remaining;
        if remaining < SHORTEST_STRETCH {
            return Err("the budget was spent before it".into());
        }
        let Stretches { length, each, all } = Stretches::of(leave.plan, |session| {
            self.devices[session].index().is_some()
        });
        if self.stretches.get(&key).is_some_and(|&count| count >= each) {
            return Err("other launches of the cell tell it".into());
        }
        if self.spent + length > all {
            return Err(
                "the budget leaves no time for it; raise `--budget`, or name fewer batch sizes"
                    .into(),
            );
        }
        Ok(length.min(remaining))
    }
}

#[derive(Debug, PartialEq)]
pub(in crate::runner) struct Stretches {
    pub length: Duration,
    /// How many a cell has at most, so that there is time for the first ones of all cells.
    pub each: u32,
    pub all: Duration,
}

impl Stretches {
    /// Where there is time for one of each session alone, stretches are as long as an energy
    /// counter needs: a few figures of energy are worth more than many stretches that are too short
    /// for any.
    pub(in crate::runner) fn of(plan: &Plan, on_gpu: impl Fn(usize) -> bool) -> Stretches {
        Stretches::within(
            plan.schedule.budget_ns,
            times(
                (0..plan.sessions.len())
                    .filter(|&session| on_gpu(session))
                    .count(),
            ),
            times(plan.cells().filter(|key| on_gpu(key.session)).count()),
        )
    }

    fn within(budget: Option<Nanos>, sessions: u32, cells: u32) -> Stretches {
        let Some(budget) = budget else {
            return Stretches {
                length: LONGEST_STRETCH,
                each: u32::MAX,
                all: Duration::MAX,
            };
        };
        let all = Duration::from(budget).mul_f64(STRETCH_SHARE);
        let length = (all / sessions.max(1)).clamp(SHORTEST_STRETCH, LONGEST_STRETCH);
        let of_all = length.saturating_mul(cells.max(1)).as_secs_f64();
        let each = (all.as_secs_f64() / of_all) as u32;
        Stretches {
            length,
            each: each.max(1),
            all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_take_a_fifth_of_the_budget_at_most() {
        let of = |secs: u64, sessions, cells| {
            Stretches::within(Some(Nanos(secs * 1_000_000_000)), sessions, cells)
        };
        let expected = |length, each, all| Stretches {
            length: Duration::from_millis(length),
            each,
            all: Duration::from_secs(all),
        };
        assert_eq!(of(60, 2, 2), expected(1200, 5, 12));
        // Ten of 28 cells have one.
        assert_eq!(of(60, 4, 28), expected(1200, 1, 12));
        assert_eq!(
            (of(15, 4, 28), of(60, 600, 600)),
            (expected(750, 1, 3), expected(250, 1, 12))
        );
    }
}
