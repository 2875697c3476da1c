//! By which rules the figures of a run are judged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats;

/// The statistical methods behind a run's intervals and verdicts, so that a figure can be
/// recomputed and cited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Statistics {
    /// How a percentile is read off: `nearest_rank`.
    pub percentile: String,
    /// How the interval of a percentile is made.
    pub percentile_interval: String,
    /// The statistic of the pairs of neighbouring blocks of one round.
    pub within_round: String,
    /// The statistic of all rounds, with its interval.
    pub over_rounds: String,
    /// Rounds after which the run looks whether it may end or spend its time elsewhere; empty: it
    /// ends as planned.
    pub look_rounds: Vec<u64>,
    /// Probability of a false verdict that each look may spend.
    pub look_error: f64,
    /// Probability of a false verdict that is left for the end of the run.
    pub end_error: f64,
    /// How verdicts on several comparisons of one run are kept from adding up their errors.
    pub multiplicity: String,
}

impl Statistics {
    /// The methods of this build, for a run that looks after `look_rounds`.
    #[must_use]
    pub fn in_use(look_rounds: &[u64]) -> Self {
        Statistics {
            percentile: "nearest_rank".into(),
            percentile_interval: stats::PERCENTILE_INTERVAL.into(),
            within_round: "median".into(),
            over_rounds: stats::OVER_ROUNDS.into(),
            look_rounds: look_rounds.to_vec(),
            look_error: stats::LOOK_ERROR,
            end_error: stats::END_ERROR,
            multiplicity: stats::MULTIPLICITY.into(),
        }
    }
}
