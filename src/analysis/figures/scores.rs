//! What the outputs of a session were worth.

use serde::Serialize;

use super::estimate::{Estimate, Figure, find};
use crate::metric::Metric;
use crate::record::{NotComparable, OutputKind};

/// What the outputs of a session were worth; its scores are among the session's figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AccuracyFindings {
    /// Samples whose outputs were computed, whether or not there was anything to hold them against.
    pub samples_count: u64,
    /// What the outputs were held against.
    pub held_against: HeldAgainst,
    /// Why nothing was scored; absent if something was.
    pub absent_reason: Option<String>,
    /// The change of the leading score against the baseline, on the same samples.
    pub change: Option<AccuracyChange>,
    /// Outputs with values that are not numbers.
    pub unhealthy_outputs: Vec<UnhealthyOutput>,
    /// Agreement with the reference, one for each output.
    pub agreement: Vec<OutputAgreement>,
    /// What `agreement` compares with.
    pub reference: Option<String>,
    /// Outputs that cannot be compared with it.
    pub not_comparable: Vec<NotComparable>,
}

/// What outputs were held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldAgainst {
    /// Nothing: there is nothing, they are the reference themselves, or none of them can be compared with it.
    #[default]
    Nothing,
    /// Outputs of a reference.
    Reference,
    /// Labels or targets.
    Labels,
}

/// A score's change against the baseline on the same samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccuracyChange {
    /// The score.
    pub metric: Metric,
    /// Score of the session minus score of the baseline, in the metric's unit.
    pub difference: Estimate,
    /// Samples that only the session got right; absent for regression.
    pub gained_count: Option<u64>,
    /// Samples that only the baseline got right; absent for regression.
    pub lost_count: Option<u64>,
    /// Samples that both predict alike or not, but differently from each other; absent for regression.
    pub changed_predictions_count: Option<u64>,
    /// Probability of a change at least as large if neither were better: McNemar, exact; absent for regression.
    pub p_value: Option<f64>,
    /// What the change amounts to.
    pub verdict: AccuracyVerdict,
}

/// What a change of a score amounts to at the 5% level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccuracyVerdict {
    /// Significantly better.
    Better,
    /// Significantly worse.
    Worse,
    /// No significant change.
    NotSignificant,
    /// There is no test to decide it with.
    Untested,
}

/// An output with values that are not numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnhealthyOutput {
    /// Name of the output.
    pub name: String,
    /// Elements that are not a number.
    pub nan_count: u64,
    /// Elements that are infinite.
    pub infinite_count: u64,
    /// Samples with at least one such element.
    pub affected_samples_count: u64,
}

/// Agreement of one output with its reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutputAgreement {
    /// Name of the output.
    pub output: String,
    /// Name of the reference's output, where it is another one.
    pub reference_output: Option<String>,
    /// What the output holds; absent in records before version 1.4.
    pub kind: Option<OutputKind>,
    /// Signal-to-noise ratio of signals and images, in decibels.
    pub signal_to_noise_db: Option<f64>,
    /// Rows that top-1 agreement counts, where each holds scores of classes; else 0.
    pub rows_count: u64,
    /// Top-1 agreement, cosine similarity, maximum and relative error.
    pub figures: Vec<Figure>,
}

impl OutputAgreement {
    /// The estimate of one of the output's figures.
    #[must_use]
    pub fn figure(&self, metric: Metric) -> Option<&Estimate> {
        find(&self.figures, metric)
    }
}
