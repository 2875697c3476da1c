//! Which ways of serving are simulated, and at which rates.

use std::collections::BTreeSet;

use super::times::ServiceTimes;
use crate::analysis::load::pool::Loaded;
use crate::plan::{Batcher, Question, Serving};
use crate::units::{Nanos, PerSecond};

/// Batch sizes of a batcher at most, the largest that were measured.
const SIZES: usize = 3;
/// Delays of a batcher, by the mean time of an inference of one request.
const DELAYS: [f64; 3] = [0.0, 0.5, 2.0];
/// Numbers of threads at most.
const CALLERS: usize = 3;
/// Rates at most.
const RATES: usize = 5;
/// Rates where none are named, as shares of the most that any setting serves.
const SHARES: [f64; RATES] = [0.1, 0.25, 0.5, 0.75, 0.9];

/// What is simulated.
pub(super) struct Grid {
    pub(super) rates: Vec<PerSecond>,
    pub(super) servings: Vec<Serving>,
}

impl Grid {
    pub(super) fn of(loaded: Loaded<'_>, session: usize, times: &ServiceTimes) -> Self {
        let servings = servings(loaded, session, times);
        Grid {
            rates: rates(loaded, &servings, times),
            servings,
        }
    }
}

fn rates(loaded: Loaded<'_>, servings: &[Serving], times: &ServiceTimes) -> Vec<PerSecond> {
    let named = match &loaded.plan.question {
        Question::Curve { rates } => rates.as_slice(),
        Question::Capacity
        | Question::Stress
        | Question::Soak { .. }
        | Question::Users { .. }
        | Question::Scenario(_) => &[],
    };
    let named: Vec<PerSecond> = named.iter().copied().filter(|rate| rate.0 > 0.0).collect();
    if !named.is_empty() {
        return spread(named, RATES);
    }
    let most = servings
        .iter()
        .map(|serving| times.most_per_sec(serving).0)
        .fold(0.0, f64::max);
    let of_share = |share: f64| PerSecond(rounded(share * most));
    SHARES.map(of_share).to_vec()
}

fn servings(loaded: Loaded<'_>, session: usize, times: &ServiceTimes) -> Vec<Serving> {
    let queue_limit = loaded
        .plan
        .servings
        .first()
        .map_or(Some(Serving::QUEUE), |serving| serving.queue_limit);
    let mut servings = Vec::new();
    for callers in callers(loaded, session, times) {
        for batcher in batchers(times) {
            servings.push(Serving {
                callers,
                batcher,
                ..Serving::single(queue_limit)
            });
        }
    }
    servings
}

/// Threads that have CPUs of their own, those of sessions included, in steps of two; and numbers of
/// them that were measured.
fn callers(loaded: Loaded<'_>, session: usize, times: &ServiceTimes) -> Vec<u64> {
    let spec = loaded.record.plan.sessions.get(session);
    let cpus = loaded.record.host.usable_cpus_count.max(1);
    // 0 is the library's choice: as many as there are CPUs.
    let threads = match spec.map_or(1, |spec| spec.options.intra_threads) {
        0 => cpus,
        threads => threads,
    };
    let doubled = std::iter::successors(Some(1_u64), |callers| callers.checked_mul(2));
    let mut callers: BTreeSet<u64> = doubled
        .take_while(|&callers| callers == 1 || callers.saturating_mul(threads) <= cpus)
        .collect();
    callers.extend(times.measured_callers());
    spread(callers.into_iter().collect(), CALLERS)
}

/// None, and those of the measured sizes.
fn batchers(times: &ServiceTimes) -> Vec<Option<Batcher>> {
    let sizes: Vec<u64> = times.sizes().filter(|&size| size > 1).collect();
    let delays: BTreeSet<Nanos> = DELAYS
        .into_iter()
        .map(|share| delay(times.mean_of_one(), share))
        .collect();
    let mut batchers = vec![None];
    for max_batch in spread(sizes, SIZES) {
        batchers.extend(delays.iter().map(|&max_delay_ns| {
            Some(Batcher {
                max_batch,
                max_delay_ns,
                preferred: Vec::new(),
            })
        }));
    }
    batchers
}

/// In whole microseconds of one digit or two, as the command line takes it.
fn delay(mean: Nanos, share: f64) -> Nanos {
    Nanos(rounded(mean.as_f64() * share / 1e3) as u64 * 1_000)
}

/// With two digits.
fn rounded(value: f64) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    let scale = 10_f64.powf(value.log10().floor() - 1.0);
    (value / scale).round() * scale
}

/// At most so many of some, the first and the last among them.
fn spread<T: Copy>(all: Vec<T>, most: usize) -> Vec<T> {
    if all.len() <= most {
        return all;
    }
    let place = |index: usize| index * (all.len() - 1) / (most - 1);
    (0..most).map(|index| all[place(index)]).collect()
}
