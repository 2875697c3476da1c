//! What the parts of the chapter call things.

use crate::analysis::Interval;
use crate::analysis::tuning::Criterion;
use crate::metric::Metric;
use crate::plan::{CellKey, Objective};
use crate::report::words::{Source, number};

/// `int8 (2 intra-op threads) at batch 8`.
pub(super) fn name(source: Source<'_>, key: CellKey) -> String {
    format!(
        "{} at batch {}",
        source.name(key.session),
        number::count(key.batch_size)
    )
}

pub(super) fn subject(objective: Objective) -> &'static str {
    match objective {
        Objective::Throughput => "throughput",
        Objective::Latency => "median latency",
        Objective::Memory => "peak memory",
        Objective::Energy => "energy per prediction",
    }
}

/// A cost over another as the ratio of what the objective is about.
pub(super) fn ratio(objective: Objective, cost: f64, interval: Option<Interval>) -> String {
    match objective {
        Objective::Throughput => number::relative(1.0 / cost, interval.map(Interval::reciprocal)),
        _ => number::relative(cost, interval),
    }
}

pub(super) fn floor(metric: Metric) -> String {
    metric
        .noise_floor()
        .map(|floor| number::share(floor.0))
        .unwrap_or_default()
}

pub(super) fn words_of(criterion: Criterion) -> &'static str {
    match criterion {
        Criterion::Latency => "the lower median latency",
        Criterion::Throughput => "the higher throughput",
        Criterion::Memory => "the lower peak memory",
        Criterion::Changes => "fewer options that differ from the defaults",
    }
}
