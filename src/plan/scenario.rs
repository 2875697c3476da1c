//! Scenarios of MLPerf Inference, and their rules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Nanos, Ratio};

/// A scenario of MLPerf Inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// One query of one sample after another; the 90th percentile of latency counts.
    SingleStream,
    /// One query of eight samples after another; the 99th percentile of latency counts.
    MultiStream,
    /// Poisson arrivals; the highest rate at which the 99th percentile keeps the bound counts.
    Server,
    /// All samples at once; samples per second count.
    Offline,
}

/// What a scenario asks of a run. Source: MLCommons, *MLPerf Inference Rules*, with early stopping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScenarioRules {
    /// Time that it lasts at least.
    pub min_duration_ns: Nanos,
    /// Samples of a query.
    pub samples_per_query: u64,
    /// Samples of a run at least, where early stopping finds one query over the bound.
    pub min_samples: u64,
    /// The percentile of latency that counts, as a share; absent where throughput does.
    pub percentile: Option<Ratio>,
}

impl Scenario {
    /// Confidence of the early-stopping bound.
    pub const CONFIDENCE: f64 = 0.99;

    /// Its rules.
    #[must_use]
    pub const fn rules(self) -> ScenarioRules {
        const TEN_MINUTES: Nanos = Nanos(600_000_000_000);
        let (samples_per_query, min_samples, percentile) = match self {
            Scenario::SingleStream => (1, 64, Some(Ratio(0.9))),
            Scenario::MultiStream => (8, 8 * 662, Some(Ratio(0.99))),
            Scenario::Server => (1, 662, Some(Ratio(0.99))),
            Scenario::Offline => (1, 24_576, None),
        };
        ScenarioRules {
            min_duration_ns: TEN_MINUTES,
            samples_per_query,
            min_samples,
            percentile,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Quantile;
    use crate::stats::early_stopping::needs;

    #[test]
    fn least_samples_are_those_of_early_stopping_with_one_query_over_the_bound() {
        for scenario in [
            Scenario::SingleStream,
            Scenario::MultiStream,
            Scenario::Server,
        ] {
            let rules = scenario.rules();
            let quantile = Quantile::of_share(rules.percentile.unwrap().0).unwrap();
            let queries = needs(quantile, 1, Scenario::CONFIDENCE);
            assert_eq!(rules.min_samples, queries * rules.samples_per_query);
        }
    }
}
