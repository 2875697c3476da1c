//! Limits of an SLO as shares of requests that may break them.

use crate::check::Slo;
use crate::units::Nanos;

/// What may become of a share of requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// How it was written.
    pub text: String,
    /// Share of requests that may break it.
    pub allowed: f64,
    /// What breaks it.
    pub broken_by: BrokenBy,
}

/// What breaks a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BrokenBy {
    /// A response that takes longer, or never comes: a request that was rejected or failed counts.
    Longer(Nanos),
    /// A request that was rejected or failed.
    Errors,
}

/// The limits of an SLO that a rate can break by being too high. One on `goodput` is none: a higher
/// rate breaks it less at first.
#[must_use]
pub fn limits(slo: &[Slo]) -> Vec<Limit> {
    slo.iter().filter_map(limit).collect()
}

fn limit(slo: &Slo) -> Option<Limit> {
    let name = slo.metric.name();
    let (allowed, broken_by) = match name.strip_prefix("response_p") {
        Some(digits) => (
            1.0 - share(digits)?,
            BrokenBy::Longer(Nanos(slo.limit as u64)),
        ),
        None if name == "error_rate" => (slo.limit, BrokenBy::Errors),
        None => return None,
    };
    Some(Limit {
        text: slo.to_string(),
        allowed,
        broken_by,
    })
}

/// `999` is 0.999.
fn share(digits: &str) -> Option<f64> {
    format!("0.{digits}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn percentiles_are_shares() {
        assert_eq!(
            ["50", "99", "999"].map(share),
            [Some(0.5), Some(0.99), Some(0.999)]
        );
    }
}
