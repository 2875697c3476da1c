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
    AccuracyError, Batch, Result, Targets, Truth, classes, found, is_float, is_integer, numbers,
};
use crate::inputs::{ClassNames, LabelFacts, Labels, Tensor, TensorData};
use crate::plan::Task;
use crate::record::ElementUnit;

#[derive(Debug)]
pub(super) enum Against {
    Classes(ClassScorer),
    Several(SeveralScorer),
    Elements(ElementScorer),
    Targets(ErrorScorer),
}

pub(super) fn against(truth: Truth, batch: &Batch<'_>) -> Result<Against> {
    let facts = *truth.labels.facts();
    let may_be_numbers = truth.task != Task::Classification;
    match truth.labels.of_sample().as_slice() {
        _ if truth.task == Task::Regression => batch.numbers(&truth),
        [] if facts.is_text => batch.words(truth),
        [] if facts.is_whole => batch.single(truth),
        [] if may_be_numbers => batch.numbers(&truth),
        sizes => match batch
            .several(&truth, sizes)
            .or_else(|| batch.elements(&truth.labels, sizes))
        {
            Some(found) => found,
            None if may_be_numbers && !facts.is_text && batch.first(is_float, sizes).is_some() => {
                batch.numbers(&truth)
            }
            None => Err(batch.unknown(&truth.labels)),
        },
    }
}

impl Against {
    /// How labels were taken, as a sentence; `None` where they are whole numbers of an integer
    /// type, one for each sample, and taken for classes.
    pub(super) fn in_words(&self, labels: &Labels) -> Option<String> {
        let (what, output) = match self {
            Against::Classes(scorer) => (
                classes_in_words(labels.facts())?,
                scorer.scores.output.exact(),
            ),
            Against::Several(scorer) => {
                let threshold = scorer.scores.threshold;
                let what =
                    format!("several classes at once, predicted from a score of {threshold} on");
                (what, scorer.scores.output.exact())
            }
            Against::Elements(scorer) => {
                let element = match scorer.scores.unit {
                    ElementUnit::Token => "token",
                    ElementUnit::Pixel => "pixel",
                };
                let what = format!("a class for each {element}");
                (what, scorer.scores.output.exact())
            }
            Against::Targets(scorer) => {
                ("numbers to predict".to_owned(), scorer.output.as_deref()?)
            }
        };
        Some(format!(
            "labels {:?} are taken for {what}, and compared with output `{output}`",
            labels.shape()
        ))
    }
}

fn classes_in_words(facts: &LabelFacts) -> Option<String> {
    let what = if facts.is_one_hot {
        "one-hot classes"
    } else if facts.is_text {
        "classes that are words"
    } else if facts.is_float {
        "classes, because all of them are whole numbers"
    } else {
        return None;
    };
    Some(what.to_owned())
}

/// As the first batch shows what labels are to outputs.
impl<'o> Batch<'o> {
    /// Outputs with one value for each sample.
    fn ones(&self) -> impl Iterator<Item = &'o Tensor> {
        self.outputs
            .iter()
            .filter(|output| self.per_sample(output) == Some(1))
    }

    /// Outputs with a score for each class, and how many classes.
    fn scores(&self) -> impl Iterator<Item = (&'o Tensor, usize)> {
        self.outputs
            .iter()
            .filter_map(|output| Some((output, classes(&output.data, self.samples.len())?)))
    }

    /// The first output of a type whose samples have these sizes, but for dimensions of 1.
    fn first(&self, is_type: fn(&TensorData) -> bool, sizes: &[usize]) -> Option<&'o Tensor> {
        self.outputs.iter().find(|output| {
            let shape = output.data.shape();
            is_type(&output.data) && self.per_sample(output).is_some() && has_sizes(shape, 0, sizes)
        })
    }

    /// The first output of one string for each sample.
    fn string(&self) -> Option<&'o Tensor> {
        self.ones()
            .find(|output| matches!(output.data, TensorData::String(_)))
    }

    fn numbers(&self, truth: &Truth) -> Result<Against> {
        let targets = Targets::new(&truth.labels)?;
        let fitting = self
            .first(is_float, &truth.labels.of_sample())
            .or_else(|| self.floats().next());
        let output = fitting.map(|output| output.name.clone());
        Ok(Against::Targets(ErrorScorer::new(targets, output)))
    }

    fn words(&self, truth: Truth) -> Result<Against> {
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
                None => classify(truth, output, Says::Scores(count)),
            };
        }
        let by_number = !has_own && is_numbered(&truth.labels);
        match self.string() {
            Some(output) if is_known => {
                let words = known.to_vec();
                classify(truth, output, Says::Word(words))
            }
            Some(output) if !has_own && !by_number => {
                classify(truth, output, Says::Word(vocabulary))
            }
            _ if by_number => self.single(truth),
            _ => Err(
                match vocabulary.into_iter().find(|word| !known.contains(word)) {
                    Some(word) => AccuracyError::UnknownWord(word, known.to_vec()),
                    None => self.no_output("classes that there are words for"),
                },
            ),
        }
    }

    /// Whole numbers, one for each sample.
    fn single(&self, truth: Truth) -> Result<Against> {
        let labels = truth.labels.classes(&truth.names).unwrap_or_default();
        let facts = *truth.labels.facts();
        let one = self.ones().find(|output| is_float(&output.data));
        let may_be_number = truth.task == Task::Inferred && one.is_some() && !facts.is_binary;
        let said = self.saying(&labels, &truth.names);
        if may_be_number && (facts.is_float || said.is_none()) {
            return self.numbers(&truth);
        }
        match (said, one, self.scores().next()) {
            (Some((output, says)), ..) => classify(truth, output, says),
            (_, Some(output), _)
                if facts.is_binary && truth.names.sigmoids.contains(&output.name) =>
            {
                classify(truth, output, Says::Probability)
            }
            (.., Some((output, count))) => Err(out_of_range(&labels, output, count)),
            (_, Some(output), None) => Err(AccuracyError::OneScore(output.name.clone())),
            (_, None, None) => Err(self.no_output("classes")),
        }
    }

    /// The output that says which class a sample is of, and how it does.
    fn saying(&self, labels: &[i64], names: &ClassNames) -> Option<(&'o Tensor, Says)> {
        let scores = self.scores().find(|(_, count)| are_classes(labels, *count));
        if let Some((output, count)) = scores {
            return Some((output, Says::Scores(count)));
        }
        if let Some(output) = self.ones().find(|output| is_integer(&output.data)) {
            return Some((output, Says::Number));
        }
        let words = &names.words;
        let output = self.string().filter(|_| are_classes(labels, words.len()))?;
        Some((output, Says::Word(words.clone())))
    }

    /// A 0 or 1 for each class.
    fn several(&self, truth: &Truth, sizes: &[usize]) -> Option<Result<Against>> {
        let [count] = sizes else { return None };
        let facts = truth.labels.facts();
        let (output, _) = self
            .scores()
            .find(|(_, classes)| facts.is_binary && classes == count)?;
        if facts.is_one_hot {
            return Some(classify(truth.clone(), output, Says::Scores(*count)));
        }
        let is_sigmoid = truth.names.sigmoids.contains(&output.name);
        let threshold = if is_sigmoid { BOUND } else { 0.0 };
        let scorer = SeveralScorer::new(&truth.labels, output, threshold);
        Some(Ok(Against::Several(scorer)))
    }

    /// A class for each element.
    fn elements(&self, labels: &Labels, sizes: &[usize]) -> Option<Result<Against>> {
        let facts = Some(labels.facts()).filter(|facts| facts.is_whole)?;
        let mut short = None;
        for output in self.outputs.iter().filter(|output| is_float(&output.data)) {
            let shape = output.data.shape();
            let Some(axis) = class_axis(shape, self.samples.len(), sizes) else {
                continue;
            };
            if facts.high < shape[axis] as f64 {
                return Some(Ok(by_element(labels, output, Predicts::Scores(axis))));
            }
            short.get_or_insert((output, shape[axis]));
        }
        if let Some(output) = self.first(is_integer, sizes) {
            return Some(Ok(by_element(labels, output, Predicts::Class)));
        }
        if let Some((output, count)) = short {
            let classes = labels.numbers()?.mapv(|label| label as i64);
            let classes: Vec<i64> = classes.into_iter().collect();
            return Some(Err(out_of_range(&classes, output, count)));
        }
        let same = self
            .first(is_float, sizes)
            .filter(|_| facts.is_binary && sizes.len() > 1)?;
        let predicts = Predicts::From(bound_of(&numbers(&same.data)));
        Some(Ok(by_element(labels, same, predicts)))
    }

    fn unknown(&self, labels: &Labels) -> AccuracyError {
        AccuracyError::UnknownForm(labels.shape().to_vec(), found(self.outputs))
    }
}

/// Whether all labels are classes of so many, counted from 0.
fn are_classes(labels: &[i64], count: usize) -> bool {
    let classes = 0..count as i64;
    !classes.is_empty() && labels.iter().all(|label| classes.contains(label))
}

fn classify(truth: Truth, output: &Tensor, says: Says) -> Result<Against> {
    let Some(labels) = truth.labels.classes(&truth.names) else {
        return Err(AccuracyError::BadLabels(truth.labels.shape().to_vec()));
    };
    let scorer = ClassScorer::new(labels, truth.names, output, says);
    Ok(Against::Classes(scorer))
}

fn by_element(labels: &Labels, output: &Tensor, predicts: Predicts) -> Against {
    Against::Elements(ElementScorer::new(labels, output, predicts))
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
    let [first, _, .., _] = *shape else {
        return None;
    };
    let last = shape.len() - 1;
    let mut order = [1, last];
    if sizes.len() < 2 {
        order.reverse();
    }
    order
        .into_iter()
        .find(|&axis| first == samples_count && shape[axis] >= 2 && has_sizes(shape, axis, sizes))
}

/// Whether one sample has these sizes along all other axes, but for dimensions of 1.
fn has_sizes(shape: &[usize], axis: usize, sizes: &[usize]) -> bool {
    (1..shape.len())
        .filter(|&other| other != axis && shape[other] != 1)
        .map(|other| &shape[other])
        .eq(sizes)
}

/// The error of the first label that is no class; labels that count from 1 are told apart.
fn out_of_range(labels: &[i64], output: &Tensor, classes_count: usize) -> AccuracyError {
    let (output, count) = (output.name.clone(), classes_count as i64);
    if labels.contains(&count) && labels.iter().all(|label| (1..=count).contains(label)) {
        return AccuracyError::FromOne(output, classes_count as u64);
    }
    let mut labels = labels.iter().enumerate();
    let (sample, label) = labels
        .find(|(_, label)| !(0..count).contains(label))
        .unwrap_or((0, &0));
    AccuracyError::LabelOutOfRange(*label, sample, output, classes_count as u64)
}

#[cfg(test)]
mod tests;
