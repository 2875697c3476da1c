//! Why outputs cannot be scored.

use super::describe;
use crate::inputs::Tensor;

/// Why outputs cannot be scored.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AccuracyError {
    /// Labels are not one integer a sample.
    #[error("labels of shape {0:?} are not one class index per sample: they are not whole numbers")]
    BadLabels(Vec<usize>),
    /// Labels of this shape fit no output, of those that there are, in any form that is known.
    #[error("labels of shape {0:?} fit no output; the model has {1}")]
    UnknownForm(Vec<usize>, String),
    /// A label is a word that is none of those for the model's classes.
    #[error("label `{}` is none of the model's classes: {}", .0, words(.1))]
    UnknownWord(String, Vec<String>),
    /// A label is a word that several of the model's classes have.
    #[error("label `{0}` is the name of several of the model's classes")]
    AmbiguousWord(String),
    /// Labels count from 1, and this output has so many classes.
    #[error("labels count from 1 to {1}, and output `{0}` has {1} classes, counted from 0")]
    FromOne(String, u64),
    /// Targets are not numbers with samples along their first dimension.
    #[error("targets of shape {0:?} are not numbers for each sample")]
    BadTargets(Vec<usize>),
    /// No output is what would be needed, of those that there are.
    #[error("no output can be scored as {0}; the model has {1}")]
    NoOutput(&'static str, String),
    /// The only candidate has one score per sample.
    #[error("output `{0}` has one score per sample, which may be a probability or a logit")]
    OneScore(String),
    /// This label of the sample of this index is no class of the output, which has so many.
    #[error("label {0} of sample {1} is not a class of output `{2}`, which has {3}")]
    LabelOutOfRange(i64, usize, String, u64),
    /// The output predicts this class, which is negative, for the sample of this index.
    #[error("output `{0}` predicts class {1} for sample {2}")]
    NegativeClass(String, i128, usize),
    /// There are fewer labels or targets than samples.
    #[error("there are labels or targets for {has} samples, but sample {sample} was scored")]
    TooFewLabels {
        /// Samples with a label or target.
        has: usize,
        /// The last sample of the batch.
        sample: usize,
    },
    /// A batch does not follow the one before it.
    #[error("batch starts at sample {got}, expected {expected}")]
    OutOfOrder {
        /// The next sample that was not yet scored.
        expected: usize,
        /// The first sample of the batch.
        got: usize,
    },
    /// An output has this shape in a batch of so many samples, and had another form in those
    /// before.
    #[error("output `{0}` has shape {1:?} for a batch of {2}, unlike in the batches before")]
    ShapeChanged(String, Vec<usize>, usize),
    /// Predictions and targets have different numbers of elements.
    #[error(
        "output `{output}` has {predicted_count} elements per sample, targets have {target_count}"
    )]
    ElementsDiffer {
        /// Name of the output.
        output: String,
        /// Elements per sample of the output.
        predicted_count: usize,
        /// Elements per sample of the targets.
        target_count: usize,
    },
}

impl AccuracyError {
    /// A remedy, if something can be done.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            AccuracyError::BadLabels(..) => {
                "give one class index, counted from 0, per sample; or use `--task regression` for numeric targets"
            }
            AccuracyError::UnknownForm(..) => FORMS,
            AccuracyError::UnknownWord(_, known) if !known.is_empty() => {
                "write labels as the model writes its classes"
            }
            AccuracyError::UnknownWord(..) | AccuracyError::AmbiguousWord(_) => {
                "give class numbers, counted from 0 in the order of the output's scores"
            }
            AccuracyError::FromOne(..) => "save `labels - 1`",
            AccuracyError::BadTargets(..) => {
                "give an array of numbers whose first dimension is the samples"
            }
            AccuracyError::NoOutput(..) => {
                "scoring needs one score per class and sample, a class index per sample, or `--task regression`"
            }
            AccuracyError::OneScore(..) => {
                "use `--task regression`, or export the model with one score for each of its two classes"
            }
            AccuracyError::LabelOutOfRange(..) => {
                "labels count classes from 0; check that the labels belong to this model"
            }
            AccuracyError::NegativeClass(..) => "only classes counted from 0 can be scored",
            AccuracyError::TooFewLabels { .. } => {
                "give one label or target for every sample of the data"
            }
            AccuracyError::ElementsDiffer { .. } => "give targets of the same shape as the output",
            AccuracyError::OutOfOrder { .. } | AccuracyError::ShapeChanged(..) => return None,
        })
    }
}

pub(super) type Result<T> = std::result::Result<T, AccuracyError>;

const FORMS: &str = "labels are one class for each sample [N] (numbers counted from 0, or words of the model), one-hot or several classes as 0 and 1 [N, C], one class for each token [N, T] or pixel [N, H, W], or numbers of an output's shape";

/// Classes that are named; there may be thousands.
const NAMED: usize = 20;

fn words(known: &[String]) -> String {
    if known.is_empty() {
        return "its file names no classes, and it has no output of words".to_owned();
    }
    let named = known.iter().take(NAMED);
    let mut words: Vec<String> = named.map(|word| format!("`{word}`")).collect();
    if known.len() > NAMED {
        words.push(format!("and {} more", known.len() - NAMED));
    }
    words.join(", ")
}

pub(super) fn found(outputs: &[Tensor]) -> String {
    if outputs.is_empty() {
        return "none".to_owned();
    }
    let found = outputs
        .iter()
        .map(|output| format!("`{}` ({})", output.name, describe(&output.data)));
    found.collect::<Vec<_>>().join(", ")
}
