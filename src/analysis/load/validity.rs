//! Whether requests were sent when they were due.

use super::slo;
use crate::check::Slo;
use crate::stats::{Buckets, Quantile};
use crate::units::Nanos;

/// Share of the bound on the response, or of its median, that the 99th percentile of the lag may
/// be: what a response is off by because its request was sent late.
pub const MOST_LAG_SHARE: f64 = 0.05;

/// Why a segment counts for nothing; `None` where it counts.
pub(super) fn why_not(lag: &Buckets, response: &Buckets, slo: &[Slo]) -> Option<String> {
    let lag = lag.nearest_rank(Quantile::P99)?;
    let (bound, of_what) = match slo::tightest_response(slo) {
        Some(bound) => (Nanos(bound as u64), "the bound on the response"),
        None => (response.nearest_rank(Quantile::P50)?, "the median response"),
    };
    let share = lag.as_f64() / bound.as_f64().max(1.0);
    (share > MOST_LAG_SHARE).then(|| {
        format!(
            "requests were sent late: the 99th percentile of the lag, {:.3} ms, is {:.0}% of {of_what}, more than {:.0}%",
            lag.as_f64() / 1e6,
            share * 100.0,
            MOST_LAG_SHARE * 100.0
        )
    })
}
