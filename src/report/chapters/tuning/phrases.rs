//! Names and phrases that the parts of the chapter share.

use crate::analysis::tuning::{Candidate, Criterion, TuningFindings};
use crate::analysis::{Interval, Measured};
use crate::plan::{CellKey, Objective};
use crate::report::words::number::Ways;
use crate::report::words::{About, number};

/// A search, from which all of the chapter is worded.
pub(super) type Search<'a> = About<'a, TuningFindings>;

impl Search<'_> {
    /// `int8 (2 intra-op threads) at batch 8`.
    pub(super) fn named(&self, key: CellKey) -> String {
        format!(
            "{} at batch {}",
            self.name(key.session),
            number::count(key.batch_size)
        )
    }

    pub(super) fn candidate(&self, place: usize) -> &Candidate {
        &self.found.candidates[place]
    }

    /// Name of the quantity that the objective is about.
    pub(super) fn subject(&self) -> &'static str {
        match self.found.objective {
            Objective::Throughput => "throughput",
            Objective::Latency => "median latency",
            Objective::Memory => "peak memory",
            Objective::Energy => "energy per prediction",
        }
    }

    /// A cost over another as the change of what the objective is about: `1.8x faster`.
    pub(super) fn ratio(&self, cost: f64, interval: Option<Interval>) -> String {
        ratio(self.found.objective, cost, interval)
    }

    pub(super) fn measured_ratio(&self, cost: &Measured) -> String {
        self.ratio(cost.value, cost.interval)
    }

    pub(super) fn floor(&self) -> String {
        self.found
            .metric
            .noise_floor()
            .map(|floor| number::share(floor.0))
            .unwrap_or_default()
    }
}

pub(super) fn ratio(objective: Objective, cost: f64, interval: Option<Interval>) -> String {
    match objective {
        Objective::Throughput => {
            number::relative(1.0 / cost, interval.map(Interval::reciprocal), Ways::AMOUNT)
        }
        Objective::Latency => number::relative(cost, interval, Ways::TIME),
        Objective::Memory => number::relative(cost, interval, Ways::SIZE),
        Objective::Energy => number::relative(cost, interval, Ways::AMOUNT),
    }
}

pub(super) fn words_of(criterion: Criterion) -> &'static str {
    match criterion {
        Criterion::Latency => "the lower median latency",
        Criterion::Throughput => "the higher throughput",
        Criterion::Memory => "the lower peak memory",
        Criterion::Changes => "fewer options that differ from the defaults",
    }
}
