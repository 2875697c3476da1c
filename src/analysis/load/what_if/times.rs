//! Service times that were measured, by batch size.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::types::MeasuredSize;
use crate::analysis::load::pool::Loaded;
use crate::plan::{LoadMode, Serving};
use crate::stats::Buckets;
use crate::units::{Nanos, PerSecond};

/// Times under load are taken from so many inferences on; of fewer, those without load are.
const ENOUGH: u64 = 100;

/// Times of one batch size after another, ascending; of one request at least.
type BySize = BTreeMap<u64, Buckets>;

/// Distributions of service times of one session.
pub(super) struct ServiceTimes {
    /// Of one thread that has its CPUs for itself.
    alone: Vec<OfSize>,
    /// By threads that ran at once; of more than one.
    beside: BTreeMap<u64, Vec<OfSize>>,
}

/// Times of inferences of one batch size.
struct OfSize {
    size: u64,
    times: Buckets,
    mean: Nanos,
}

impl ServiceTimes {
    /// `None` where no inference of one request was measured.
    pub(super) fn of(loaded: Loaded<'_>, session: usize) -> Option<Self> {
        let mut under_load = under_load(loaded, session);
        let mut alone = without_load(loaded, session);
        alone.extend(under_load.remove(&1).unwrap_or_default());
        under_load.retain(|_, times| times.contains_key(&1));
        alone.contains_key(&1).then(|| ServiceTimes {
            alone: in_order(alone),
            beside: under_load
                .into_iter()
                .map(|(callers, times)| (callers, in_order(times)))
                .collect(),
        })
    }

    pub(super) fn measured(&self) -> Vec<MeasuredSize> {
        let of_size = |of: &OfSize| MeasuredSize {
            batch_size: of.size,
            inferences_count: of.times.count(),
            mean_ns: of.mean,
        };
        self.alone.iter().map(of_size).collect()
    }

    /// Batch sizes that were measured, ascending.
    pub(super) fn sizes(&self) -> impl Iterator<Item = u64> + '_ {
        self.alone.iter().map(|of| of.size)
    }

    pub(super) fn largest_size(&self) -> u64 {
        self.sizes().last().unwrap_or(1)
    }

    /// Mean time of an inference of one request.
    pub(super) fn mean_of_one(&self) -> Nanos {
        self.alone.first().map_or(Nanos(0), |of| of.mean)
    }

    /// Numbers of threads, more than one, whose times were measured while they ran at once.
    pub(super) fn measured_callers(&self) -> BTreeSet<u64> {
        self.beside.keys().copied().collect()
    }

    /// Requests per second that are served at most, by the batch size that is served fastest.
    pub(super) fn most_per_sec(&self, serving: &Serving) -> PerSecond {
        let times = self.of_callers(serving.callers);
        let rate = |of: &OfSize| of.size as f64 / of.mean.as_secs_f64().max(1e-9);
        let allowed = times.iter().filter(|of| of.size <= serving.max_batch());
        let most = allowed.map(rate).fold(0.0, f64::max);
        PerSecond(most * serving.callers.max(1) as f64)
    }

    /// A time of an inference of so many requests where so many threads run at once: of a size
    /// between two that were measured, between their times at the same rank.
    pub(super) fn draw(&self, callers: u64, size: u64, random: &mut Pcg64Mcg) -> Nanos {
        let times = self.of_callers(callers);
        let share: f64 = random.random();
        let above = times.partition_point(|of| of.size < size);
        let Some(high) = times.get(above).or_else(|| times.last()) else {
            return Nanos(0);
        };
        let low = match above.checked_sub(1).and_then(|below| times.get(below)) {
            Some(low) if high.size > size && low.size < high.size => low,
            Some(_) | None => return high.at(share),
        };
        let way = (size - low.size) as f64 / (high.size - low.size) as f64;
        let (from, to) = (low.at(share).as_f64(), high.at(share).as_f64());
        Nanos((from + way * (to - from)) as u64)
    }

    fn of_callers(&self, callers: u64) -> &[OfSize] {
        self.beside.get(&callers).unwrap_or(&self.alone)
    }
}

impl OfSize {
    fn at(&self, share: f64) -> Nanos {
        let rank = (share * self.times.count() as f64) as u64 + 1;
        self.times
            .at_rank(rank.min(self.times.count()))
            .unwrap_or_default()
    }
}

fn in_order(times: BySize) -> Vec<OfSize> {
    let of_size = |(size, times): (u64, Buckets)| OfSize {
        size,
        mean: Nanos(times.mean().unwrap_or_default() as u64),
        times,
    };
    times.into_iter().map(of_size).collect()
}

/// Of cells with one request in flight.
fn without_load(loaded: Loaded<'_>, session: usize) -> BySize {
    loaded
        .record
        .cells
        .iter()
        .filter(|cell| cell.key.session == session && cell.key.shape == 0)
        .filter(|cell| cell.key.load_mode == LoadMode::SINGLE)
        .filter_map(|cell| {
            let times = Buckets::decode(cell.latency_histogram.as_deref()?).ok()?;
            (!times.is_empty()).then_some((cell.key.batch_size, times))
        })
        .collect()
}

/// Of segments, by the threads that ran at once.
fn under_load(loaded: Loaded<'_>, session: usize) -> BTreeMap<u64, BySize> {
    let mut parts: BTreeMap<u64, BTreeMap<u64, Vec<Buckets>>> = BTreeMap::new();
    let segments = loaded.segments().iter();
    for segment in segments.filter(|one| one.key.session == session && one.failure.is_none()) {
        let Some(serving) = loaded.plan.servings.get(segment.key.serving) else {
            continue;
        };
        let of_callers = parts
            .entry(serving.callers * serving.processes)
            .or_default();
        for process in &segment.processes {
            for runs in &process.served.batches {
                let times = Buckets::decode(&runs.service);
                of_callers.entry(runs.size).or_default().extend(times);
            }
        }
    }
    let pooled = |(size, parts): (u64, Vec<Buckets>)| (size, Buckets::pooled(&parts));
    let enough = |(_, times): &(u64, Buckets)| times.count() >= ENOUGH;
    parts
        .into_iter()
        .map(|(callers, sizes)| {
            (
                callers,
                sizes.into_iter().map(pooled).filter(enough).collect(),
            )
        })
        .collect()
}
