//! A search on its way: what was measured and decided, and what is left to spend.

use crate::analysis::tuning::{Judge, metric};
use crate::plan::{CellKey, TuningPlan};
use crate::record::{RunRecord, Tuning};
use crate::runner::Clock;
use crate::tune::afford::Purse;

pub(super) struct Course<'a> {
    pub(super) judge: &'a Judge<'a>,
    pub(super) record: &'a RunRecord,
    pub(super) plan: &'a TuningPlan,
    pub(super) tuning: &'a Tuning,
    pub(super) purse: Purse,
}

impl<'a> Course<'a> {
    /// `None` for a run that is no search.
    pub(super) fn of(judge: &'a Judge<'a>, tuning: &'a Tuning, clock: Clock) -> Option<Self> {
        let record = judge.record;
        Some(Course {
            judge,
            record,
            plan: record.plan.tuning.as_ref()?,
            tuning,
            purse: Purse::of(record, clock.left),
        })
    }
}

impl Course<'_> {
    /// All cells of all heats.
    pub(super) fn raced(&self) -> impl Iterator<Item = CellKey> {
        self.tuning
            .heats
            .iter()
            .flat_map(|heat| heat.cells.iter().copied())
    }

    /// The objective's figure, less of which is better; infinite where it is absent.
    pub(super) fn cost(&self, key: CellKey) -> f64 {
        let device = self.record.plan.sessions[key.session].nvidia_device();
        let metric = metric(self.plan.objective, device.is_some());
        let value = self.judge.value(key, metric);
        value.map_or(f64::INFINITY, |value| metric.direction().cost(value))
    }
}
