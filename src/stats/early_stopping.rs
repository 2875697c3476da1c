//! MLPerf's early stopping: how many inferences prove that a percentile of latency is under a
//! bound.
//!
//! An inference either overruns the bound or does not. If the percentile q lay above the bound,
//! more than a share of 1-q of all inferences would overrun it; a sample with too few overruns for
//! that proves, with the confidence asked for, that it lies below. The inferences count as
//! independent. Where they are not, pass the effective sample size of the percentile, and the
//! overruns scaled like it.
//!
//! Source: MLCommons, *MLPerf Inference Rules*, appendix "Early stopping criterion"; the tolerance
//! of those rules, which is 0, is left out here.

use super::{Binomial, Quantile};

/// Evidence of a sample on a percentile and a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Under {
    /// The percentile is under the bound.
    Proven,
    /// The percentile is above the bound.
    Refuted,
    /// Neither is proven.
    Open {
        /// Inferences that would prove that it is under the bound if none of them overran it.
        more_inferences: u64,
    },
}

/// Whether `quantile` of latency is under a bound that `overruns` of `n` inferences were above,
/// with `confidence` (0..1) on the one side that is claimed.
#[must_use]
pub fn is_under(quantile: Quantile, n: u64, overruns: u64, confidence: f64) -> Under {
    let needs = needs(quantile, overruns, confidence);
    if n >= needs {
        return Under::Proven;
    }
    if overruns
        .checked_sub(1)
        .map_or(1.0, |fewer| 1.0 - overrun_odds(quantile, n, fewer))
        <= 1.0 - confidence
    {
        return Under::Refuted;
    }
    Under::Open {
        more_inferences: needs - n,
    }
}

/// The smallest number of inferences, overruns included, that proves with `confidence` (0..1) that
/// `quantile` of latency is under a bound that `overruns` of them were above.
///
/// For the p99 with 99% confidence: 459 inferences without an overrun, 662 with one, 838 with two.
#[must_use]
pub fn needs(quantile: Quantile, overruns: u64, confidence: f64) -> u64 {
    let proves = |n: u64| overrun_odds(quantile, n, overruns) <= 1.0 - confidence;
    let mut too_few = overruns;
    let mut enough = overruns + 1;
    while !proves(enough) {
        too_few = enough;
        enough *= 2;
    }
    while enough - too_few > 1 {
        let middle = too_few.midpoint(enough);
        if proves(middle) {
            enough = middle
        } else {
            too_few = middle
        }
    }
    enough
}

/// The probability of at most `overruns` overruns among `n` inferences if the quantile were exactly
/// at the bound: P(X <= t) for X binomial(h+t, 1-q), which equals the regularized incomplete beta
/// function I_q(h, 1+t).
fn overrun_odds(quantile: Quantile, n: u64, overruns: u64) -> f64 {
    Binomial::new(n, 1.0 - quantile.share()).at_most(overruns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inferences_needed_are_the_published_ones() {
        for (quantile, confidence, expected) in [
            (Quantile::P90, 0.99, [44, 64, 81]),
            (Quantile::P99, 0.99, [459, 662, 838]),
            (Quantile::P999, 0.99, [4_603, 6_636, 8_403]),
            (Quantile::P99, 0.95, [299, 473, 628]),
        ] {
            for (overruns, inferences) in (0..).zip(expected) {
                assert_eq!(
                    needs(quantile, overruns, confidence),
                    inferences,
                    "{quantile:?}, {overruns} overruns"
                );
            }
        }
    }

    #[test]
    fn many_overruns_are_counted_too() {
        // The share of overruns that proves nears 1-q from below as the sample grows.
        let inferences = needs(Quantile::P99, 10_000, 0.99);
        assert!((1_000_000..1_030_000).contains(&inferences), "{inferences}");
    }

    /// The inferences that are missing where nothing is proven.
    fn missing(n: u64, overruns: u64) -> Option<u64> {
        match is_under(Quantile::P99, n, overruns, 0.99) {
            Under::Open { more_inferences } => Some(more_inferences),
            Under::Proven | Under::Refuted => None,
        }
    }

    #[test]
    fn a_percentile_is_under_the_bound_from_the_needed_inferences_on() {
        assert_eq!(is_under(Quantile::P99, 459, 0, 0.99), Under::Proven);
        assert_eq!(
            [missing(458, 0), missing(0, 0), missing(600, 2)],
            [Some(1), Some(459), Some(238)]
        );
    }

    #[test]
    fn a_percentile_above_the_bound_is_refuted() {
        // P(X >= 2) for X binomial(10, 0.01) = 0.0043, and P(X >= 1) = 0.0956.
        assert_eq!(is_under(Quantile::P99, 10, 2, 0.99), Under::Refuted);
        assert!(missing(10, 1).is_some());
        assert_eq!(is_under(Quantile::P90, 50, 50, 0.95), Under::Refuted);
    }
}
