//! The relation of labels to outputs, by types and sizes alone; names decide nothing.
//!
//! - One label for each sample. Whole numbers: of the first output that has a score for each of enough classes (`[N,
//!   C]`, and the same with dimensions of 1); else of the first integer output with one value for each sample, which is
//!   the predicted class; else of a string output, by the words that the file has for its classes. Where an output is
//!   one number for each sample, labels are numbers to predict, unless they are 0 and 1 and a sigmoid makes that
//!   number.
//! - Words: of a string output, or of scores where the file, its metadata or its configuration names the classes.
//! - `[N, C]` of 0 and 1 with scores `[N, C]`: one-hot where each sample has one 1, else several classes at once.
//! - A label for each token or pixel: of scores with one dimension more, the last or the second (`[N, T, C]`,
//!   `[N, C, H, W]`), of integers of the same shape, or, of 0 and 1, of floats of the same shape.
//! - Anything else of the size of a floating-point output: numbers to predict.

use super::classification::{BOUND, ClassScorer, Says};
use super::elements::{ElementScorer, Predicts, SeveralScorer};
use super::regression::ErrorScorer;
use super::{
    AccuracyError, Targets, Truth, classes, is_float, is_integer, no_output, numbers, per_sample,
};
use crate::inputs::{ClassNames, Labels, Tensor, TensorData};
use crate::plan::Task;

#[derive(Debug)]
pub(super) enum Against {
    Classes(ClassScorer),
    Several(SeveralScorer),
    Elements(ElementScorer),
    Targets(ErrorScorer),
}

pub(super) fn against(
    truth: Truth,
    outputs: &[Tensor],
    samples_count: usize,
) -> Result<Against, AccuracyError> {
    let seen = Seen {
        outputs,
        samples_count,
    };
    let facts = *truth.labels.facts();
    let of_sample = truth.labels.of_sample();
    let may_be_numbers = truth.task != Task::Classification;
    match of_sample.as_slice() {
        _ if truth.task == Task::Regression => seen.numbers(&truth),
        [] if facts.is_text => seen.words(truth),
        _ if facts.is_text => Err(seen.unknown(&truth.labels)),
        [] if facts.is_whole => seen.single(truth),
        [] if may_be_numbers => seen.numbers(&truth),
        sizes => match seen
            .several(&truth, sizes)
            .or_else(|| seen.elements(&truth.labels, sizes))
        {
            Some(found) => found,
            None if may_be_numbers && seen.first(is_float, &of_sample).is_some() => {
                seen.numbers(&truth)
            }
            None => Err(seen.unknown(&truth.labels)),
        },
    }
}

impl Against {
    /// How labels were taken, as a sentence; `None` where they are whole numbers of an integer
    /// type, one for each sample, and taken for classes.
    pub(super) fn in_words(&self, labels: &Labels) -> Option<String> {
        let facts = labels.facts();
        let output = self.output();
        let what = match self {
            Against::Classes(_) if facts.is_one_hot => "one-hot classes".to_owned(),
            Against::Classes(_) if facts.is_text => "classes that are words".to_owned(),
            Against::Classes(_) if facts.is_float => {
                "classes, because all of them are whole numbers".to_owned()
            }
            Against::Classes(_) => return None,
            Against::Several(scorer) => {
                format!(
                    "several classes at once, predicted from a score of {} on",
                    scorer.scores.threshold
                )
            }
            Against::Elements(_) if labels.of_sample().len() < 2 => {
                "a class for each token".to_owned()
            }
            Against::Elements(_) => "a class for each pixel".to_owned(),
            Against::Targets(_) => "numbers to predict".to_owned(),
        };
        Some(format!(
            "labels {:?} are taken for {what}, and held against output `{output}`",
            labels.shape()
        ))
    }

    fn output(&self) -> &str {
        match self {
            Against::Classes(scorer) => scorer.scores.output.exact(),
            Against::Several(scorer) => scorer.scores.output.exact(),
            Against::Elements(scorer) => scorer.scores.output.exact(),
            Against::Targets(scorer) => scorer.output.as_deref().unwrap_or_default(),
        }
    }
}

/// The outputs of the first batch.
#[derive(Clone, Copy)]
struct Seen<'t> {
    outputs: &'t [Tensor],
    samples_count: usize,
}

impl<'t> Seen<'t> {
    /// Outputs with one value for each sample.
    fn ones(self) -> impl Iterator<Item = &'t Tensor> {
        self.outputs
            .iter()
            .filter(move |output| per_sample(&output.data, self.samples_count) == Some(1))
    }

    /// Outputs with a score for each class, and how many classes.
    fn scores(self) -> impl Iterator<Item = (&'t Tensor, usize)> {
        self.outputs
            .iter()
            .filter_map(move |output| Some((output, classes(&output.data, self.samples_count)?)))
    }

    /// The first output of a type whose samples have these sizes, but for dimensions of 1.
    fn first(self, is_type: fn(&TensorData) -> bool, sizes: &[usize]) -> Option<&'t Tensor> {
        self.outputs.iter().find(|output| {
            is_type(&output.data) && self.sizes(output).is_some_and(|own| own == sizes)
        })
    }

    /// Sizes of one sample of an output without dimensions of 1.
    fn sizes(self, output: &Tensor) -> Option<Vec<usize>> {
        let (&first, rest) = output.data.shape().split_first()?;
        (first == self.samples_count)
            .then(|| rest.iter().copied().filter(|&size| size != 1).collect())
    }

    /// The first output of one string for each sample.
    fn string(self) -> Option<&'t Tensor> {
        self.ones()
            .find(|output| matches!(output.data, TensorData::String(_)))
    }

    fn numbers(self, truth: &Truth) -> Result<Against, AccuracyError> {
        let numbers = truth
            .labels
            .numbers()
            .ok_or_else(|| AccuracyError::BadTargets(truth.labels.shape().to_vec()))?;
        let targets = Targets::new(&TensorData::Double(numbers))?;
        let mut any = self
            .outputs
            .iter()
            .filter(|output| is_float(&output.data) && self.sizes(output).is_some());
        let fitting = self
            .first(is_float, &truth.labels.of_sample())
            .or_else(|| any.next());
        let output = fitting.map(|output| output.name.clone());
        Ok(Against::Targets(ErrorScorer::new(targets, output)))
    }

    fn words(self, truth: Truth) -> Result<Against, AccuracyError> {
        let vocabulary = truth.labels.vocabulary();
        let (known, has_own) = (truth.names.known(), !truth.names.words.is_empty());
        let is_known = !known.is_empty() && vocabulary.iter().all(|word| known.contains(word));
        let by_scores = self
            .scores()
            .find(|(_, count)| is_known && *count == known.len());
        if let Some((output, count)) = by_scores {
            return match vocabulary
                .into_iter()
                .find(|word| is_ambiguous(word, known))
            {
                Some(word) => Err(AccuracyError::AmbiguousWord(word)),
                None => classify(truth, &output.name, Says::Scores(count)),
            };
        }
        match self.string() {
            Some(output) if is_known => {
                let words = known.to_vec();
                classify(truth, &output.name, Says::Word(words))
            }
            Some(output) if !has_own && !is_numbered(&truth.labels) => {
                classify(truth, &output.name, Says::Word(vocabulary))
            }
            _ if !has_own && is_numbered(&truth.labels) => self.single(truth),
            _ => match vocabulary.into_iter().find(|word| !known.contains(word)) {
                Some(word) => Err(AccuracyError::UnknownWord(word, known.to_vec())),
                None => Err(no_output("classes that there are words for", self.outputs)),
            },
        }
    }

    /// Whole numbers, one for each sample.
    fn single(self, truth: Truth) -> Result<Against, AccuracyError> {
        let labels = truth.labels.classes(&truth.names).unwrap_or_default();
        let facts = *truth.labels.facts();
        let one = self.ones().find(|output| is_float(&output.data));
        let may_be_number = truth.task == Task::Inferred && one.is_some() && !facts.is_binary;
        if may_be_number && facts.is_float {
            return self.numbers(&truth);
        }
        if let Some((output, says)) = self.saying(&LabelRange::of(&labels), &truth.names) {
            return classify(truth, &output.name, says);
        }
        if may_be_number {
            return self.numbers(&truth);
        }
        match (one, self.scores().next()) {
            (Some(output), _) if facts.is_binary && truth.names.sigmoids.contains(&output.name) => {
                classify(truth, &output.name, Says::Probability)
            }
            (_, Some((output, count))) => Err(out_of_range(&labels, &output.name, count)),
            (Some(output), None) => Err(AccuracyError::OneScore(output.name.clone())),
            (None, None) => Err(no_output("classes", self.outputs)),
        }
    }

    /// The output that says which class a sample is of, where labels are in this range, and how it
    /// does.
    fn saying(self, range: &LabelRange, names: &ClassNames) -> Option<(&'t Tensor, Says)> {
        let scores = self.scores().find(|(_, count)| range.is_within(*count));
        if let Some((output, count)) = scores {
            return Some((output, Says::Scores(count)));
        }
        if let Some(output) = self.ones().find(|output| is_integer(&output.data)) {
            return Some((output, Says::Number));
        }
        let output = self
            .string()
            .filter(|_| range.is_within(names.words.len()))?;
        Some((output, Says::Word(names.words.clone())))
    }

    /// A 0 or 1 for each class.
    fn several(self, truth: &Truth, sizes: &[usize]) -> Option<Result<Against, AccuracyError>> {
        let [count] = sizes else { return None };
        let facts = truth.labels.facts();
        let (output, _) = self
            .scores()
            .find(|(_, classes)| facts.is_binary && classes == count)?;
        if facts.is_one_hot {
            return Some(classify(truth.clone(), &output.name, Says::Scores(*count)));
        }
        let threshold = if truth.names.sigmoids.contains(&output.name) {
            BOUND
        } else {
            0.0
        };
        Some(Ok(Against::Several(SeveralScorer::new(
            truth.labels.clone(),
            &output.name,
            threshold,
        ))))
    }

    /// A class for each element.
    fn elements(self, labels: &Labels, sizes: &[usize]) -> Option<Result<Against, AccuracyError>> {
        let facts = labels.facts();
        if !facts.is_whole {
            return None;
        }
        let mut short = None;
        for output in self.outputs.iter().filter(|output| is_float(&output.data)) {
            let Some(axis) = class_axis(output.data.shape(), self.samples_count, sizes) else {
                continue;
            };
            let count = output.data.shape()[axis];
            if facts.high < count as f64 {
                return Some(Ok(by_element(labels, output, Predicts::Scores(axis))));
            }
            short.get_or_insert((output, count));
        }
        if let Some(output) = self.first(is_integer, sizes) {
            return Some(Ok(by_element(labels, output, Predicts::Class)));
        }
        if let Some((output, count)) = short {
            let classes: Vec<i64> = labels
                .numbers()?
                .iter()
                .map(|&label| label as i64)
                .collect();
            return Some(Err(out_of_range(&classes, &output.name, count)));
        }
        let same = self
            .first(is_float, sizes)
            .filter(|_| facts.is_binary && sizes.len() > 1)?;
        let predicts = Predicts::From(bound_of(&numbers(&same.data)?));
        Some(Ok(by_element(labels, same, predicts)))
    }

    fn unknown(self, labels: &Labels) -> AccuracyError {
        let found = super::error::found(self.outputs);
        AccuracyError::UnknownForm(labels.shape().to_vec(), found)
    }
}

/// The lowest and the highest label; 0 where there is none.
struct LabelRange {
    low: i64,
    high: i64,
}

impl LabelRange {
    fn of(labels: &[i64]) -> LabelRange {
        LabelRange {
            low: labels.iter().min().copied().unwrap_or(0),
            high: labels.iter().max().copied().unwrap_or(0),
        }
    }

    /// Whether all labels are classes of so many, counted from 0.
    fn is_within(&self, classes_count: usize) -> bool {
        self.low >= 0 && self.high < classes_count as i64
    }
}

fn classify(truth: Truth, output: &str, says: Says) -> Result<Against, AccuracyError> {
    let labels = truth
        .labels
        .classes(&truth.names)
        .ok_or_else(|| AccuracyError::BadLabels(truth.labels.shape().to_vec()))?;
    Ok(Against::Classes(ClassScorer::new(
        labels,
        truth.names,
        output,
        says,
    )))
}

fn by_element(labels: &Labels, output: &Tensor, predicts: Predicts) -> Against {
    let scorer = ElementScorer::new(labels.clone(), &output.name, predicts);
    Against::Elements(scorer)
}

/// The score from which on the second of two classes is predicted: that of a probability, or else
/// 0.
fn bound_of(scores: &[f64]) -> f64 {
    let are_probabilities = scores.iter().all(|score| (0.0..=1.0).contains(score));
    if are_probabilities { BOUND } else { 0.0 }
}

fn is_ambiguous(word: &str, known: &[String]) -> bool {
    known.iter().filter(|known| *known == word).count() > 1
}

/// Whether words are whole numbers that are written as text.
fn is_numbered(labels: &Labels) -> bool {
    labels
        .numbers()
        .is_some_and(|numbers| numbers.iter().all(|number| number.fract() == 0.0))
}

/// The axis whose size is the classes, where the others are those of labels with these sizes, but
/// for dimensions of 1: of sequences rather the last, of images rather the second.
fn class_axis(shape: &[usize], samples_count: usize, sizes: &[usize]) -> Option<usize> {
    let last = shape
        .len()
        .checked_sub(1)
        .filter(|&last| last >= 2 && shape[0] == samples_count)?;
    let order = if sizes.len() < 2 {
        [last, 1]
    } else {
        [1, last]
    };
    order
        .into_iter()
        .find(|&axis| shape[axis] >= 2 && others(shape, axis).eq(sizes.iter().copied()))
}

/// Sizes of one sample along all other axes, but for dimensions of 1.
fn others(shape: &[usize], axis: usize) -> impl Iterator<Item = usize> {
    let own = shape.iter().copied().enumerate().skip(1);
    own.filter(move |&(place, size)| place != axis && size != 1)
        .map(|(_, size)| size)
}

/// The error of the first label that is no class; labels that count from 1 are told apart.
fn out_of_range(labels: &[i64], output: &str, classes_count: usize) -> AccuracyError {
    let (output, classes_count) = (output.to_owned(), classes_count as u64);
    let LabelRange { low, high } = LabelRange::of(labels);
    if low >= 1 && high as u64 == classes_count {
        return AccuracyError::FromOne(output, classes_count);
    }
    let sample = labels
        .iter()
        .position(|&label| label < 0 || label as u64 >= classes_count)
        .unwrap_or(0);
    AccuracyError::LabelOutOfRange(
        labels.get(sample).copied().unwrap_or(0),
        sample,
        output,
        classes_count,
    )
}

#[cfg(test)]
mod tests;
