//! Percentiles of times of requests.
//!
//! Responses of one segment wait in the same queue, so that they are not independent: intervals are
//! over rounds.

use super::over_rounds::around;
use super::point::{Percentiles, QUANTILES};
use crate::analysis::figures::{Bounds, Counted, Estimate, Measured};
use crate::stats::{
    Buckets, LaunchLatencies, MIN_LAUNCHES, Percentile, Quantile, Unbounded, over_launches,
};

/// Requests beyond a percentile that each round must have for its own to stand for the round: with
/// fewer, that of a round lies below the true one more often than above.
const BEYOND: f64 = 5.0;

const ONE_ROUND: &str =
    "no interval: responses of one round wait in the same queue, and there is one round";

/// Of the times of each round.
pub(super) fn of_rounds(rounds: &[Buckets]) -> Percentiles {
    let pooled = Buckets::pooled(rounds);
    let found = pooled.percentiles(QUANTILES, &launches(rounds));
    let mut estimates = QUANTILES
        .iter()
        .zip(&found)
        .map(|(&quantile, found)| estimate(quantile, found, rounds));
    let mut next = || {
        estimates
            .next()
            .unwrap_or_else(|| Estimate::absent("no request was completed"))
    };
    Percentiles {
        p50: next(),
        p90: next(),
        p95: next(),
        p99: next(),
        p999: next(),
        mean: mean(&pooled, rounds),
    }
}

fn launches(rounds: &[Buckets]) -> Vec<LaunchLatencies> {
    (0..)
        .zip(rounds)
        .map(|(round, latencies)| LaunchLatencies {
            round,
            latencies: latencies.clone(),
        })
        .collect()
}

fn mean(pooled: &Buckets, rounds: &[Buckets]) -> Estimate {
    let Some(mean) = pooled.mean() else {
        return Estimate::absent("no request was completed");
    };
    let values: Vec<f64> = rounds.iter().filter_map(Buckets::mean).collect();
    around(mean, &values)
}

/// Over rounds where there are enough, else by order statistics of the effective sample.
fn estimate(
    quantile: Quantile,
    found: &Result<Percentile, Unbounded>,
    rounds: &[Buckets],
) -> Estimate {
    match found {
        Ok(percentile) => match over_rounds(quantile, percentile.value, rounds) {
            Some(estimate) => estimate,
            None if rounds.len() < 2 => Estimate::Measured(Measured {
                remark: Some(ONE_ROUND.into()),
                ..Measured::exact(percentile.value, percentile.n, Counted::Requests)
            }),
            None => bounded(percentile),
        },
        Err(unbounded) => Estimate::Absent {
            reason: format!(
                "needs {} requests, has {}",
                unbounded.too_few.needs, unbounded.too_few.has
            )
            .into(),
            bounds: (rounds.len() > 1).then(|| bounds(unbounded)).flatten(),
        },
    }
}

fn over_rounds(quantile: Quantile, pooled: f64, rounds: &[Buckets]) -> Option<Estimate> {
    let is_large = |round: &&Buckets| round.count() as f64 * (1.0 - quantile.share()) >= BEYOND;
    let values: Vec<f64> = rounds
        .iter()
        .filter(is_large)
        .filter_map(|round| Some(round.nearest_rank(quantile)?.as_f64()))
        .collect();
    if values.len() < rounds.len() || (values.len() as u64) < MIN_LAUNCHES {
        return None;
    }
    let found = over_launches(&values)?.around(pooled);
    Some(Estimate::Measured(Measured::over_launches(&found)))
}

fn bounded(percentile: &Percentile) -> Estimate {
    let unbounded = percentile.interval.as_ref().err();
    Estimate::Measured(Measured {
        interval: percentile.interval.ok(),
        bounds: unbounded.and_then(bounds),
        remark: unbounded.map(|unbounded| {
            format!(
                "no interval: needs {} independent requests, these are worth {} (effective n)",
                unbounded.too_few.needs, unbounded.too_few.has
            )
            .into()
        }),
        ..Measured::exact(percentile.value, percentile.n, Counted::Requests)
    })
}

fn bounds(unbounded: &Unbounded) -> Option<Bounds> {
    let bounds = Bounds {
        at_least: unbounded.at_least,
        at_most: unbounded.at_most,
    };
    (bounds.at_least.is_some() || bounds.at_most.is_some()).then_some(bounds)
}
