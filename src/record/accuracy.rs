//! The worth of a session's outputs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::metric::Metric;
use crate::plan::Task;
use crate::text::Plain;

/// The data that inputs came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetInfo {
    /// Where it came from: a file's path, or `synthesized`.
    pub source: Plain,
    /// Samples in it.
    pub samples_count: u64,
    /// The label of each sample, where there are labels for classes.
    pub class_labels: Option<Vec<i64>>,
    /// Whether there are numeric targets.
    pub has_targets: bool,
    /// Whether expected outputs come with it.
    pub has_expected_outputs: bool,
}

impl DatasetInfo {
    /// The `source` of made-up inputs, in records that name one.
    pub const SYNTHESIZED: &str = "synthesized";

    /// Whether there is something to score outputs against.
    #[must_use]
    pub fn has_labels(&self) -> bool {
        self.has_targets || self.class_labels.is_some()
    }
}

/// Scores of the outputs of one session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// The meaning that labels were taken for, where it is not plain from them; absent in records
    /// before version 1.4.
    #[serde(default)]
    pub labels_as: Option<Plain>,
    /// Agreement with a reference, one for each output that both have; empty for the baseline.
    pub agreement: Vec<Agreement>,
    /// The reference of `agreement`: `baseline outputs` or `expected outputs`.
    pub reference: Option<Plain>,
    /// Outputs that the reference has too, but that cannot be compared with it; empty in records
    /// before version 1.4.
    #[serde(default)]
    pub not_comparable: Vec<NotComparable>,
}

impl AccuracyRecord {
    /// The `reference` that came with the data.
    pub const EXPECTED_OUTPUTS: &str = "expected outputs";

    /// Outputs with values that are not numbers, but for those that the data expects just so.
    pub fn unhealthy_outputs(&self) -> impl Iterator<Item = &OutputHealth> {
        self.outputs
            .iter()
            .filter(|output| output.nan_count + output.infinite_count > 0)
            .filter(move |output| !self.is_expected(output))
    }

    fn is_expected(&self, output: &OutputHealth) -> bool {
        self.reference.as_ref().map(Plain::exact) == Some(Self::EXPECTED_OUTPUTS)
            && self
                .agreement
                .iter()
                .any(|one| one.output == output.name && one.not_finite_count == 0)
    }
}

/// An output that cannot be compared with its reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotComparable {
    /// Name of the output.
    pub output: Plain,
    /// Why, as a fragment of a sentence.
    pub reason: Plain,
}

/// Values of an output that are not numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutputHealth {
    /// Name of the output.
    pub name: Plain,
    /// Elements seen over all samples.
    pub elements_count: u64,
    /// Elements that are not a number.
    pub nan_count: u64,
    /// Elements that are infinite.
    pub infinite_count: u64,
    /// Samples with at least one such element; every sample of a batch if the output is not split
    /// by samples.
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
        /// Mean absolute error over each sample's elements; absent where an output or target is not
        /// finite.
        absolute_errors: Vec<Option<f64>>,
        /// Mean squared error over each sample's elements; absent like `absolute_errors`.
        squared_errors: Vec<Option<f64>>,
    },
    /// Several classes at once, or none; not in records before version 1.4.
    SeveralClasses(SeveralScores),
    /// A class for each token or pixel; not in records before version 1.4.
    Elements(ElementScores),
}

impl Scores {
    /// The figure that these scores are compared by.
    #[must_use]
    pub fn leading(&self) -> Metric {
        match self {
            Scores::Classification(_) => Metric::AccuracyTop1,
            Scores::Regression { .. } => Metric::MeanAbsoluteError,
            Scores::SeveralClasses(_) => Metric::AccuracyExactMatch,
            Scores::Elements(ElementScores {
                unit: ElementUnit::Token,
                ..
            }) => Metric::TokenAccuracy,
            Scores::Elements(ElementScores {
                unit: ElementUnit::Pixel,
                ..
            }) => Metric::PixelAccuracy,
        }
    }

    /// Samples that were scored.
    #[must_use]
    pub fn samples_count(&self) -> usize {
        match self {
            Scores::Classification(scores) => scores.predicted.len(),
            Scores::Regression {
                absolute_errors, ..
            } => absolute_errors.len(),
            Scores::SeveralClasses(scores) => scores.samples.len(),
            Scores::Elements(scores) => scores.samples.len(),
        }
    }

    /// The same without the samples from `samples_count` on; counts of classes over all samples
    /// stay out then.
    #[must_use]
    pub fn of_first(mut self, samples_count: usize) -> Self {
        match &mut self {
            Scores::Classification(scores) => {
                scores.predicted.truncate(samples_count);
                scores.label_ranks.truncate(samples_count);
            }
            Scores::Regression {
                absolute_errors,
                squared_errors,
            } => {
                absolute_errors.truncate(samples_count);
                squared_errors.truncate(samples_count);
            }
            Scores::SeveralClasses(scores) => scores.samples.truncate(samples_count),
            Scores::Elements(scores) => {
                if scores.samples.len() > samples_count {
                    scores.classes.clear();
                }
                scores.samples.truncate(samples_count);
            }
        }
        self
    }
}

/// Scores where a sample may have several classes, sample by sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeveralScores {
    /// Name of the output that was scored.
    pub output: Plain,
    /// Classes that the output distinguishes.
    pub classes_count: u64,
    /// Score from which on a class counts as predicted: 0.5 for the probabilities of a sigmoid, 0
    /// for anything else.
    pub threshold: f64,
    /// The samples, in their order.
    pub samples: Vec<Hits>,
}

/// Classes of one sample by whether they are predicted and true. A score that is not a number is a
/// miss, or a false alarm where the class is not true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hits {
    /// Classes that are both.
    pub both_count: u64,
    /// Classes that are predicted and not true.
    pub false_count: u64,
    /// Classes that are true and not predicted.
    pub missed_count: u64,
}

/// Scores where every token or pixel of a sample has a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ElementScores {
    /// Name of the output that was scored.
    pub output: Plain,
    /// Kind of the elements.
    pub unit: ElementUnit,
    /// Axis of the output along which its classes lie; absent where it gives the predicted class
    /// alone.
    pub class_axis: Option<u64>,
    /// The samples, in their order.
    pub samples: Vec<RightOf>,
    /// The classes over all samples; empty where samples were left out afterwards.
    pub classes: Vec<Overlap>,
}

/// Kind of the elements of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ElementUnit {
    /// Tokens, frames or the like: along one dimension.
    Token,
    /// Pixels or the like: along two dimensions or more.
    Pixel,
}

/// Elements of one sample. Those with a label below 0 do not count, as is usual for padding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RightOf {
    /// Elements whose class is predicted.
    pub right_count: u64,
    /// Elements that count.
    pub elements_count: u64,
}

/// Elements of one class over all samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Overlap {
    /// Elements that have the class and are predicted to have it.
    pub both_count: u64,
    /// Elements that have the class, or are predicted to.
    pub either_count: u64,
}

/// Scores of a classifier, sample by sample.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabelledScores {
    /// Name of the output that was scored.
    pub output: Plain,
    /// Classes that the output distinguishes; absent where it gives the predicted class alone,
    /// without scores.
    pub classes_count: Option<u64>,
    /// Predicted class of each sample: the one with the highest score, the first of equals (as ONNX
    /// `ArgMax` has it). Absent for a sample with a score that is not a number.
    pub predicted: Vec<Option<u64>>,
    /// How many classes stand before the true one, sample by sample (0: right): those that score
    /// higher, and those that score the same and come first. Absent like `predicted`, and for a
    /// wrong class given alone.
    pub label_ranks: Vec<Option<u64>>,
}

/// Agreement of one output with that of a reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Agreement {
    /// Name of the output.
    pub output: Plain,
    /// Name of the reference's output, where it is another one: the two have the same place and
    /// shape. Absent in records before version 1.3.
    #[serde(default)]
    pub reference_output: Option<Plain>,
    /// Samples compared.
    pub samples_count: u64,
    /// Samples whose largest element is at the same place, where an output holds scores of classes,
    /// and NaN where the reference has it; samples that are equal, where it holds integers,
    /// booleans or strings; absent for other outputs.
    pub top1_agreeing_count: Option<u64>,
    /// Rows of each sample whose largest element is at the same place, where each row holds scores
    /// of classes, one for each token or the like; empty for other outputs, and in records before
    /// version 1.4.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub top1_by_row: Vec<RightOf>,
    /// Mean cosine between both outputs, over the samples that have one: neither side zero. Absent
    /// where `not_finite_count` is not 0.
    pub cosine_similarity_mean: Option<f64>,
    /// Smallest cosine of a sample.
    pub cosine_similarity_min: Option<f64>,
    /// 1st percentile of the cosines of the samples, by nearest rank; absent of fewer than 1,000
    /// samples, and in records before version 1.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosine_similarity_p1: Option<f64>,
    /// Largest absolute difference of an element: none between two NaN, or two infinities of one
    /// sign. Absent where `not_finite_count` is not 0, and where nothing could be compared.
    pub max_absolute_error: Option<f64>,
    /// Root of the summed squared differences over the root of the summed squares of the reference;
    /// absent like `max_absolute_error`.
    pub relative_error: Option<f64>,
    /// Elements that are NaN or infinite on one side and not the same on the other; in records
    /// before version 1.4 also those that are the same, and errors and cosines are then of the
    /// other elements.
    pub not_finite_count: u64,
    /// Kind of the output, by the reference's values and shape; absent in records before version
    /// 1.4.
    #[serde(default)]
    pub kind: Option<OutputKind>,
    /// Squares of the reference over squared differences, in decibels, for signals and images.
    /// Absent for other outputs, where nothing differs, and in records before version 1.4.
    #[serde(default)]
    pub signal_to_noise_db: Option<f64>,
}

/// Kind of an output's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutputKind {
    /// A score for each of several classes.
    Classes,
    /// A curve over time, such as a sound.
    Signal,
    /// Pixels.
    Image,
    /// A direction in space, such as an embedding.
    Vector,
    /// Integers, booleans or strings.
    Values,
    /// Any other numbers.
    Numbers,
}
