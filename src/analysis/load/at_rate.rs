//! The figures of one candidate at one rate.

use super::over_rounds::{Quotient, ratio};
use super::percentiles;
use super::point::{Flow, InvalidSegment, LoadPoint, LoadUsage, Percentiles, SegmentCounts};
use super::pool::{Loaded, Pool, Read, Times};
use super::{errors, queue, saturation, slo};
use crate::analysis::figures::Estimate;
use crate::record::LoadWindow;
use crate::stats::{Buckets, Quantile};
use crate::units::Nanos;

pub(super) fn point(loaded: Loaded<'_>, pool: &Pool<'_>) -> LoadPoint {
    let rounds = pool.rounds();
    LoadPoint {
        stage: pool.stage,
        asked: pool.asked,
        flow: flow(loaded, &rounds),
        response: times(&rounds, |times| &times.response),
        service: times(&rounds, |times| &times.service),
        waiting: times(&rounds, |times| &times.waiting),
        lag_p99_ns: lag(pool),
        usage: usage(loaded, &rounds),
        saturated: saturation::sign(loaded, &rounds),
        segments: segments(pool, &rounds),
        requests_count: pool.valid().map(|read| read.counts.offered).sum(),
    }
}

fn times(rounds: &[Vec<&Read<'_>>], of: fn(&Times) -> &Buckets) -> Percentiles {
    let pooled: Vec<Buckets> = rounds
        .iter()
        .map(|round| Buckets::pooled(round.iter().map(|read| of(&read.times))))
        .collect();
    percentiles::of_rounds(&pooled)
}

fn lag(pool: &Pool<'_>) -> Option<Nanos> {
    Buckets::pooled(pool.segments.iter().map(|read| &read.times.lag)).nearest_rank(Quantile::P99)
}

fn segments(pool: &Pool<'_>, rounds: &[Vec<&Read<'_>>]) -> SegmentCounts {
    SegmentCounts {
        valid_count: pool.valid().count() as u64,
        rounds_count: rounds.len() as u64,
        invalid: pool
            .segments
            .iter()
            .filter_map(|read| {
                Some(InvalidSegment {
                    round: read.segment.round,
                    reason: read.invalid.clone()?.into(),
                })
            })
            .collect(),
        failures: pool
            .segments
            .iter()
            .filter_map(|read| read.segment.failure.clone())
            .collect(),
    }
}

fn flow(loaded: Loaded<'_>, rounds: &[Vec<&Read<'_>>]) -> Flow {
    Flow {
        offered_per_sec: per_second(rounds, |read| read.counts.offered, offered_time),
        achieved_per_sec: per_second(rounds, |read| read.counts.completed, elapsed),
        rejected_per_sec: per_second(rounds, |read| read.counts.rejected, elapsed),
        failed_per_sec: per_second(rounds, |read| read.counts.failed, elapsed),
        error_rate: errors::rate(rounds),
        goodput_per_sec: match slo::good_response(&loaded.plan.slo) {
            Some(bound) => goodput(rounds, bound),
            None => Estimate::absent("the SLO of the run has no bound on the response"),
        },
    }
}

fn goodput(rounds: &[Vec<&Read<'_>>], bound: f64) -> Estimate {
    per_second(
        rounds,
        |read| {
            let response = &read.times.response;
            response.count() - response.count_above(Nanos(bound as u64))
        },
        elapsed,
    )
}

/// Over the time in which requests arrive.
pub(super) fn offered_time(read: &Read<'_>) -> Nanos {
    read.segment.offer.whole_length()
}

fn elapsed(read: &Read<'_>) -> Nanos {
    read.elapsed
}

fn per_second(
    rounds: &[Vec<&Read<'_>>],
    count: impl Fn(&Read<'_>) -> u64,
    time: fn(&Read<'_>) -> Nanos,
) -> Estimate {
    ratio(
        rounds,
        |read| count(read) as f64,
        |read| time(read).as_secs_f64(),
    )
}

fn usage(loaded: Loaded<'_>, rounds: &[Vec<&Read<'_>>]) -> LoadUsage {
    let cpus = loaded.cpus();
    let all = rounds.iter().flatten();
    LoadUsage {
        cpu_utilization: cpu_utilization(rounds, cpus),
        queue_mean: ratio(
            rounds,
            |read| read.windows.iter().map(|window| window.queue as f64).sum(),
            |read| read.windows.len() as f64,
        ),
        queue_most_count: all
            .clone()
            .flat_map(|read| read.windows.iter().map(|window: &LoadWindow| window.queue))
            .max()
            .unwrap_or(0),
        queue_slope_per_sec: queue::slope(rounds),
        batch_mean: ratio(
            rounds,
            |read| batched(read).upper,
            |read| batched(read).lower,
        ),
        peak_memory_bytes: all.filter_map(|read| read.peak_memory()).max(),
    }
}

fn cpu_utilization(rounds: &[Vec<&Read<'_>>], cpus: f64) -> Estimate {
    let mut times = rounds.iter().flatten().map(|read| read.cpu_time());
    if let Some(reason) = times.find_map(Result::err) {
        return Estimate::absent(&reason);
    }
    ratio(
        rounds,
        |read| read.cpu_time().unwrap_or_default().as_secs_f64(),
        |read| read.elapsed.as_secs_f64() * cpus,
    )
}

/// Requests, and the inferences that they were run in.
fn batched(read: &Read<'_>) -> Quotient {
    let batches = read
        .segment
        .processes
        .iter()
        .flat_map(|process| &process.served.batches);
    Quotient {
        upper: batches
            .clone()
            .map(|runs| (runs.size * runs.runs_count) as f64)
            .sum(),
        lower: batches.map(|runs| runs.runs_count as f64).sum(),
    }
}
