//! What decides between variants, and what their outputs must keep.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Objective;
use crate::text::Plain;
use crate::units::Ratio;

/// What decides between variants, and what their outputs must keep to be shipped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judging {
    /// Quantity that decides; of a search, its own objective does.
    pub objective: Objective,
    /// How far a score may surely fall below the baseline's, as a share: 0.01 is one point; of an
    /// error, by how much of itself it may surely grow. Of a search that has a limit of its own,
    /// that one holds.
    pub max_accuracy_drop_ratio: Ratio,
    /// Tolerances of single outputs, instead of those of their kinds.
    pub tolerances: Vec<Tolerance>,
}

impl Default for Judging {
    fn default() -> Self {
        Judging {
            objective: Objective::Latency,
            max_accuracy_drop_ratio: Self::MAX_ACCURACY_DROP,
            tolerances: Vec::new(),
        }
    }
}

impl Judging {
    /// The fall that is allowed where none was named: one point.
    pub const MAX_ACCURACY_DROP: Ratio = Ratio(0.01);

    /// Whether nothing else was asked for than what is judged by anyway.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Judging::default()
    }

    /// The tolerance that was given for an output, if there is one.
    #[must_use]
    pub fn tolerance(&self, output: &Plain) -> Option<&Tolerance> {
        self.tolerances
            .iter()
            .find(|tolerance| tolerance.output == *output)
    }
}

/// How far an output may lie from the baseline's, in the measure of its kind: a share of equal
/// classes or a cosine, of which more is closer, or a relative error, of which less is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tolerance {
    /// Name of the output.
    pub output: Plain,
    /// Up to here a variant may be shipped.
    pub ship: f64,
    /// Beyond this it must not be; absent: beyond `ship`.
    pub refuse: Option<f64>,
}
