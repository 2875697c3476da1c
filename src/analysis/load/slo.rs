//! What the SLO says of single requests.

use crate::analysis::figures::{OfLoad, Source, source};
use crate::check::{Side, Slo};

/// The lowest bound on a percentile of the response, in nanoseconds.
pub(super) fn tightest_response(slo: &[Slo]) -> Option<f64> {
    response_bounds(slo)
        .map(|(_, limit)| limit)
        .reduce(f64::min)
}

/// The bound on the highest percentile of the response that has one, in nanoseconds: within it a
/// response is good.
pub(super) fn good_response(slo: &[Slo]) -> Option<f64> {
    response_bounds(slo)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, limit)| limit)
}

/// The most errors that it allows, as a share.
pub(super) fn most_errors(slo: &[Slo]) -> Option<f64> {
    slo.iter()
        .filter(|slo| matches!(source(slo.metric), Source::Load(OfLoad::ErrorRate)))
        .map(|slo| slo.limit)
        .reduce(f64::min)
}

/// Shares of requests, and the time within which they are to be answered.
fn response_bounds(slo: &[Slo]) -> impl Iterator<Item = (f64, f64)> {
    slo.iter()
        .filter(|slo| slo.side == Side::AtMost)
        .filter_map(|slo| {
            let Source::Load(OfLoad::Response(quantile)) = source(slo.metric) else {
                return None;
            };
            Some((quantile.share(), slo.limit))
        })
}
