//! Batches as they were formed under load.

use std::collections::BTreeMap;

use serde::Serialize;

use super::pool::Loaded;
use crate::record::{LoadKey, RunRecord};
use crate::stats::{Buckets, Quantile};
use crate::units::{Nanos, Ratio};

/// Inferences of one size, over all segments of a candidate that count.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BatchShare {
    /// Requests in each.
    pub size: u64,
    /// Inferences.
    pub runs_count: u64,
    /// Share of all requests that were run in such a batch.
    pub of_requests: Ratio,
    /// Median time of these inferences; absent where the record does not tell it.
    pub service_p50_ns: Option<Nanos>,
}

/// Sizes of batches of a candidate, ascending; empty of a run that is not under load.
#[must_use]
pub fn batches(record: &RunRecord, key: LoadKey) -> Vec<BatchShare> {
    let Some(loaded) = Loaded::of(record) else {
        return Vec::new();
    };
    let mut sizes: BTreeMap<u64, (u64, Vec<Buckets>)> = BTreeMap::new();
    for pool in loaded.pools(key) {
        let runs = pool
            .valid()
            .flat_map(|read| &read.segment.processes)
            .flat_map(|process| &process.served.batches);
        for runs in runs {
            let (count, times) = sizes.entry(runs.size).or_default();
            *count += runs.runs_count;
            times.extend(Buckets::decode(&runs.service).ok());
        }
    }
    let requests: u64 = sizes.iter().map(|(size, (count, _))| size * count).sum();
    sizes
        .into_iter()
        .map(|(size, (runs_count, times))| BatchShare {
            size,
            runs_count,
            of_requests: Ratio((size * runs_count) as f64 / requests.max(1) as f64),
            service_p50_ns: Buckets::pooled(&times).nearest_rank(Quantile::P50),
        })
        .collect()
}
