//! What the outputs of a session were worth.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::plan::Task;

/// The data that inputs came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetInfo {
    /// Where it came from: a file's path, or `synthesized`.
    pub source: String,
    /// Samples in it.
    pub samples_count: u64,
    /// The label of each sample, where there are labels for classes.
    pub class_labels: Option<Vec<i64>>,
    /// Whether there are numeric targets.
    pub has_targets: bool,
    /// Whether expected outputs come with it.
    pub has_expected_outputs: bool,
}

/// What the outputs of one session were worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccuracyRecord {
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions).
    pub session: usize,
    /// How scoring ended.
    pub outcome: Outcome,
    /// How the outputs were scored.
    pub task: Task,
    /// Samples per inference during scoring; the last batch may be smaller.
    pub batch_size: u64,
    /// Samples that were scored.
    pub samples_count: u64,
    /// Health of every floating-point output.
    pub outputs: Vec<OutputHealth>,
    /// Scores against labels or targets, if there are any.
    pub scores: Option<Scores>,
    /// Agreement with a reference, one for each output that both have; empty for the baseline.
    pub agreement: Vec<Agreement>,
    /// What the reference of `agreement` is: `baseline outputs` or `expected outputs`.
    pub reference: Option<String>,
}

/// Values of an output that are not numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutputHealth {
    /// Name of the output.
    pub name: String,
    /// Elements seen over all samples.
    pub elements_count: u64,
    /// Elements that are not a number.
    pub nan_count: u64,
    /// Elements that are infinite.
    pub infinite_count: u64,
    /// Samples with at least one such element; every sample of a batch if the output is not split by samples.
    pub affected_samples_count: u64,
}

/// Scores, sample by sample, so that two sessions can be compared on the same samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scores {
    /// Classes.
    Classification(LabelledScores),
    /// Numbers.
    Regression {
        /// Mean absolute error over each sample's elements; absent where an output or target is not finite.
        absolute_errors: Vec<Option<f64>>,
        /// Mean squared error over each sample's elements; absent like `absolute_errors`.
        squared_errors: Vec<Option<f64>>,
    },
}

/// Scores of a classifier, sample by sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabelledScores {
    /// Name of the output that was scored.
    pub output: String,
    /// Classes that the output distinguishes; absent where it gives the predicted class alone, without scores.
    pub classes_count: Option<u64>,
    /// Predicted class of each sample: the one with the highest score, the first of equals (as ONNX `ArgMax` has it).
    /// Absent for a sample with a score that is not a number.
    pub predicted: Vec<Option<u64>>,
    /// How many classes stand before the true one, sample by sample (0: right): those that score higher, and those
    /// that score the same and come first. Absent like `predicted`, and for a wrong class given alone.
    pub label_ranks: Vec<Option<u64>>,
}

/// Agreement of one output with that of a reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Agreement {
    /// Name of the output.
    pub output: String,
    /// Name of the reference's output, where it is another one: the two have the same place and shape. Absent in records
    /// before version 1.3.
    #[serde(default)]
    pub reference_output: Option<String>,
    /// Samples compared.
    pub samples_count: u64,
    /// Samples whose largest element is at the same place, where an output holds scores of classes; samples that are
    /// equal, where it holds integers, booleans or strings; absent for other outputs.
    pub top1_agreeing_count: Option<u64>,
    /// Mean cosine between both outputs, over the samples that have one: neither side zero, all elements finite.
    pub cosine_similarity_mean: Option<f64>,
    /// Smallest cosine of a sample.
    pub cosine_similarity_min: Option<f64>,
    /// Largest absolute difference of an element; absent where nothing finite could be compared.
    pub max_absolute_error: Option<f64>,
    /// Root of the summed squared differences over the root of the summed squares of the reference.
    pub relative_error: Option<f64>,
    /// Elements left out because one of both is not finite.
    pub not_finite_count: u64,
}
