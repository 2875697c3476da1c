//! Limits that single requests without load break already.

use super::course::Course;
use crate::analysis::load::capacity::{BrokenBy, Limit};
use crate::record::{EndReason, LoadKey};
use crate::runner::LoadMove;
use crate::stats::early_stopping::{Under, is_under};
use crate::stats::{Buckets, Quantile};
use crate::units::Nanos;

/// Confidence of a proof that a limit is broken.
const SURE: f64 = 0.99;

/// Responses without load, and the limit that they break.
struct Broken<'a> {
    limit: &'a Limit,
    quantile: Quantile,
    latency: Nanos,
    n: u64,
}

/// The end of a run in which every candidate breaks a limit without load.
pub(super) fn broken(course: &Course<'_>) -> Option<LoadMove> {
    // Nothing more is known of it once requests arrive.
    if !course.segments().is_empty() || course.limits.is_empty() {
        return None;
    }
    let broken = course
        .candidates
        .iter()
        .map(|&key| of_candidate(course, key));
    let broken: Vec<Broken<'_>> = broken.collect::<Option<_>>()?;
    let best = broken.into_iter().min_by_key(|one| one.latency)?;
    let Broken {
        limit,
        quantile,
        latency,
        n,
    } = best;
    Some(LoadMove::End {
        reason: EndReason::SloBroken,
        note: Some(format!(
            "no rate keeps `{}`: single requests without load take {:.3} ms (p{}, n = {n})",
            limit.text,
            latency.as_f64() / 1e6,
            quantile.share() * 100.0,
        )),
    })
}

fn of_candidate<'a>(course: &'a Course<'_>, key: LoadKey) -> Option<Broken<'a>> {
    let latencies = latencies(course, key)?;
    course.limits.iter().find_map(|limit| {
        let BrokenBy::Longer(bound) = limit.broken_by else {
            return None;
        };
        let quantile = Quantile::of_share(1.0 - limit.allowed)?;
        let (n, overruns) = (latencies.count(), latencies.count_above(bound));
        let is_broken = is_under(quantile, n, overruns, SURE) == Under::Refuted;
        is_broken.then(|| Broken {
            limit,
            quantile,
            latency: latencies.nearest_rank(quantile).unwrap_or_default(),
            n,
        })
    })
}

/// Latencies of single requests without load.
fn latencies(course: &Course<'_>, key: LoadKey) -> Option<Buckets> {
    let smallest = course.record.plan.batch_sizes.first()?;
    let mut cells = course.record.cells.iter();
    let cell =
        cells.find(|cell| (cell.key.session, cell.key.batch_size) == (key.session, *smallest))?;
    Buckets::decode(cell.latency_histogram.as_deref()?).ok()
}
