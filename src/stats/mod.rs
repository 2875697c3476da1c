//! Statistics of measurements: pure functions over numbers, no clock, no files, no printing.
//!
//! Two levels are kept apart. Within a launch there are many latencies, which [`Latencies`] holds
//! and [`Quantile`] reads; they are not independent, so nothing here treats them as the n of a
//! comparison. Over launches there is one figure each, and [`over_launches`] and [`PairedRatio`]
//! give its estimate with an interval. Verdicts are [`Evidence`]'s alone. Read [`OverLaunches`]
//! first.

mod bootstrap;
mod buckets;
mod codec;
mod distributions;
pub mod early_stopping;
mod effective;
mod forecast;
mod histogram;
mod interval;
mod launches;
mod looks;
mod modes;
mod pair_ranks;
mod paired;
mod percentile;
mod proportion;
mod quantile;
mod rank_sum;
mod signed_rank;
pub mod slope;
mod steady;
mod tail_ratio;
mod trend;
mod verdict;
mod wander;

pub use bootstrap::bootstrap;
pub use buckets::{Buckets, LaunchLatencies};
pub use codec::HistogramError;
pub use forecast::{Prediction, Spread};
pub use histogram::Latencies;
pub use interval::{
    CONFIDENCE, Counted, Interval, MULTIPLICITY, OVER_ROUNDS, PERCENTILE_INTERVAL, TooFew,
};
pub use launches::{MIN_LAUNCHES, OverLaunches, over_launches};
pub use looks::{LOOK_ERROR, LOOK_ROUNDS, Look, look};
pub use modes::{LatencyModes, SpeedStates, latency_modes, speed_states};
pub use paired::PairedRatio;
pub use percentile::{Percentile, Unbounded, above, median};
pub use proportion::{PairedChange, PairedCounts, Proportion};
pub use quantile::Quantile;
pub use rank_sum::UnpairedRatio;
pub use steady::SteadyRule;
pub use tail_ratio::TailRatio;
pub use trend::{SteadyClass, steady_class};
pub use verdict::{END_ERROR, Evidence, Relation, relations};

use distributions::{Binomial, LowerTail, running_sums};
use interval::{TAIL, Z};
use launches::estimate;
use pair_ranks::PairRanks;
use signed_rank::SignedRank;

#[cfg(test)]
mod testing {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    use super::Latencies;
    use crate::units::Nanos;

    #[track_caller]
    pub(in crate::stats) fn assert_near(found: f64, expected: f64, within: f64) {
        assert!(
            (found - expected).abs() < within,
            "{found} and not {expected}"
        );
    }

    pub(in crate::stats) fn of(values: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::new();
        for value in values {
            latencies.record(Nanos(value));
        }
        latencies
    }

    /// Latencies over the whole range, as many at every order of magnitude.
    pub(in crate::stats) fn spread(seed: u64, count: usize) -> Vec<u64> {
        let mut rng = Pcg64::seed_from_u64(seed);
        (0..count)
            .map(|_| 10_f64.powf(rng.random_range(0.0..12.5)) as u64)
            .collect()
    }
}
