//! Each candidate against the first.

use std::collections::BTreeMap;

use super::over_rounds::centre;
use super::pool::{Loaded, Pool};
use super::types::{LoadCandidate, LoadComparison, RateComparison};
use crate::analysis::figures::{Estimate, Interval, Measured};
use crate::record::LoadKey;
use crate::stats::{Buckets, Quantile};

pub(super) fn all(loaded: Loaded<'_>, candidates: &[LoadCandidate]) -> Vec<LoadComparison> {
    let Some((first, others)) = candidates.split_first() else {
        return Vec::new();
    };
    let reference = loaded.pools(first.key);
    others
        .iter()
        .map(|candidate| LoadComparison {
            key: candidate.key,
            reference: first.key,
            capacity_ratio: quotient(
                &candidate.capacity.rate_per_sec,
                &first.capacity.rate_per_sec,
            ),
            rates: rates(loaded, candidate.key, &reference),
        })
        .collect()
}

fn rates(loaded: Loaded<'_>, key: LoadKey, reference: &[Pool<'_>]) -> Vec<RateComparison> {
    loaded
        .pools(key)
        .iter()
        .filter_map(|pool| {
            let other = reference
                .iter()
                .find(|other| other.stage == pool.stage && other.asked == pool.asked)?;
            Some(RateComparison {
                stage: pool.stage,
                rate_per_sec: pool.asked,
                response_p50_ratio: over_rounds(pool, other, Quantile::P50),
                response_p99_ratio: over_rounds(pool, other, Quantile::P99),
            })
        })
        .collect()
}

/// Candidates take turns within a round, so that their ratio is one of each round.
fn over_rounds(pool: &Pool<'_>, reference: &Pool<'_>, quantile: Quantile) -> Estimate {
    let others = by_round(reference, quantile);
    let ratios: Vec<f64> = by_round(pool, quantile)
        .into_iter()
        .filter_map(|(round, response)| Some(response / others.get(&round)?))
        .collect();
    centre(&ratios, "no round has both")
}

/// Of rounds with enough responses for the percentile.
fn by_round(pool: &Pool<'_>, quantile: Quantile) -> BTreeMap<u64, f64> {
    pool.rounds()
        .iter()
        .filter_map(|round| {
            let responses = Buckets::pooled(round.iter().map(|read| &read.times.response));
            let value = responses.nearest_rank(quantile)?;
            let beyond = responses.count() as f64 * (1.0 - quantile.share());
            (beyond >= 1.0).then(|| (round[0].segment.round, value.as_f64()))
        })
        .collect()
}

/// The ratio of two figures that were estimated apart; its interval adds the squares of the
/// distances of both to their ends, as logarithms.
pub fn quotient(one: &Estimate, other: &Estimate) -> Estimate {
    match (one, other) {
        (Estimate::Measured(one), Estimate::Measured(other)) if other.value > 0.0 => {
            Estimate::Measured(Measured {
                interval: interval(one, other),
                remark: one.remark.clone().or(other.remark.clone()),
                ..Measured::exact(one.value / other.value, one.n.min(other.n), one.n_of)
            })
        }
        (Estimate::Absent { reason, .. }, _) | (_, Estimate::Absent { reason, .. }) => {
            Estimate::absent(reason)
        }
        (Estimate::Measured(_), Estimate::Measured(_)) => Estimate::absent("it is compared with 0"),
    }
}

fn interval(one: &Measured, other: &Measured) -> Option<Interval> {
    let (ends, others) = (one.interval?, other.interval?);
    let value = one.value / other.value;
    let are_positive = ends.low > 0.0 && others.low > 0.0;
    are_positive.then(|| Interval {
        low: value
            * (-(one.value / ends.low)
                .ln()
                .hypot((others.high / other.value).ln()))
            .exp(),
        high: value
            * (ends.high / one.value)
                .ln()
                .hypot((other.value / others.low).ln())
                .exp(),
    })
}
