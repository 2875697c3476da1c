//! Latencies for tests.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::Latencies;
use crate::units::Nanos;

pub(in crate::stats) fn of(values: impl IntoIterator<Item = u64>) -> Latencies {
    let mut latencies = Latencies::new();
    values.into_iter().for_each(|value| latencies.record(Nanos(value)));
    latencies
}

/// Latencies over the whole range, as many at every order of magnitude.
pub(in crate::stats) fn spread(seed: u64, count: usize) -> Vec<u64> {
    let mut rng = Pcg64::seed_from_u64(seed);
    (0..count).map(|_| 10_f64.powf(rng.random_range(0.0..12.5)) as u64).collect()
}
