//! When a heat of a search is looked at, and how sure each look has to be.

use crate::stats::CONFIDENCE;

/// Rounds of a heat after which it is looked at, and the probability of a false drop that each look may spend, on one
/// side. With 8 rounds the signed-rank test reaches 0.4%, a fifth of 2%: enough against each of five others.
pub const LOOKS: [(u64, f64); 6] = [(8, 0.02), (14, 0.0025), (24, 0.001), (40, 0.0005), (64, 0.0005), (100, 0.0005)];

/// How much wider than its 95% interval a figure's doubt is taken to be when it is held against the SLO, because a heat is
/// looked at up to six times: 1.35 x 1.96 standard errors leave 0.4% out on one side, and six times that are 2.5%.
pub const SLO_WIDENED: f64 = 1.35;

/// Probability of dropping a configuration that is no worse than any other in a heat, at most.
#[must_use]
pub fn drop_error() -> f64 {
    LOOKS.iter().map(|(_, error)| error).sum()
}

/// Probability of dropping a configuration that keeps the SLO in a heat, at most: what a 95% interval leaves out on one
/// side.
#[must_use]
pub fn slo_error() -> f64 {
    (1.0 - CONFIDENCE) / 2.0
}

/// How sure one look has to be that the SLO is broken.
#[must_use]
pub fn slo_confidence() -> f64 {
    1.0 - slo_error() / LOOKS.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_looks_together_spend_what_an_interval_leaves_out_on_one_side() {
        assert!((drop_error() - slo_error()).abs() < 1e-12);
        // The standard normal distribution at 1.35 x 1.96, from tables: 0.99593.
        assert!((slo_confidence() - 0.99593).abs() < 2e-4 && (SLO_WIDENED * 1.96 - 2.646).abs() < 1e-9);
    }
}
