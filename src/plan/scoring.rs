//! What outputs are scored as, and on how many samples.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of prediction the model makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// What labels and outputs say; not in records before version 1.4.
    #[default]
    Inferred,
    /// An output holds one score per class, or the class.
    Classification,
    /// The first floating-point output holds the predicted numbers.
    Regression,
}

/// On how many samples outputs are scored; on the same ones for every session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScoredSamples {
    /// As many as fit a share of the time.
    #[default]
    Fitting,
    /// All, however long that takes.
    All,
    /// The first of so many, however long that takes.
    First(u64),
}
