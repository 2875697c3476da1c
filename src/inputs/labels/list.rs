//! Labels as a list, and what can be said of them without an output to hold them against.

use std::ops::Range;

use ndarray::ArrayD;

use crate::inputs::array::Array;
use crate::inputs::{ClassNames, TensorData};

/// Elements that are looked at together.
const CHUNK: usize = 1 << 20;

/// Types and values of labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelFacts {
    /// They are text.
    pub is_text: bool,
    /// Their type is a floating-point one.
    pub is_float: bool,
    /// All of them are whole numbers.
    pub is_whole: bool,
    /// All of them are 0 or 1.
    pub is_binary: bool,
    /// Each sample has a 1 at one place, and 0 at the others, of which there is at least one.
    pub is_one_hot: bool,
    /// Smallest number; infinite where there are none.
    pub low: f64,
    /// Largest number; minus infinity where there are none.
    pub high: f64,
}

impl Default for LabelFacts {
    fn default() -> Self {
        LabelFacts {
            is_text: false,
            is_float: false,
            is_whole: true,
            is_binary: true,
            is_one_hot: true,
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
        }
    }
}

impl LabelFacts {
    fn of(labels: &Labels) -> Self {
        let elements = labels.shape().iter().skip(1).product::<usize>().max(1);
        let step = (CHUNK / elements).max(1);
        let mut facts = LabelFacts::default();
        for start in (0..labels.len()).step_by(step) {
            if let Some(rows) = labels.rows(start..(start + step).min(labels.len())) {
                facts.add(&rows, elements);
            }
        }
        facts.is_one_hot &= facts.is_binary && elements > 1;
        facts
    }

    fn add(&mut self, rows: &TensorData, elements: usize) {
        if matches!(rows, TensorData::String(_)) {
            self.add_text();
            return;
        }
        self.is_float = rows.element_type().is_float();
        let numbers = rows.first_f64(usize::MAX);
        for &number in &numbers {
            self.is_whole &= number.fract() == 0.0;
            self.is_binary &= number == 0.0 || number == 1.0;
            self.low = self.low.min(number);
            self.high = self.high.max(number);
        }
        self.is_one_hot &= numbers
            .chunks_exact(elements)
            .all(|row| row.iter().filter(|&&bit| bit == 1.0).count() == 1);
    }

    fn add_text(&mut self) {
        *self = LabelFacts {
            is_text: true,
            is_whole: false,
            is_binary: false,
            is_one_hot: false,
            ..*self
        };
    }
}

/// Labels, one for each sample: of any shape whose first dimension is the samples.
#[derive(Clone, Debug)]
pub struct Labels {
    rows: Rows,
    facts: LabelFacts,
    /// The column of a table that they are, where only what the columns hold says so.
    pub(in crate::inputs) guessed: Option<String>,
}

#[derive(Clone, Debug)]
enum Rows {
    Stored(Array),
    Made(TensorData),
}

impl Labels {
    /// Labels in memory.
    #[must_use]
    pub fn new(data: TensorData) -> Self {
        Labels::over(Rows::Made(data))
    }

    pub(in crate::inputs) fn stored(array: Array) -> Self {
        Labels::over(Rows::Stored(array))
    }

    fn over(rows: Rows) -> Self {
        let mut labels = Labels {
            rows,
            facts: LabelFacts::default(),
            guessed: None,
        };
        labels.facts = LabelFacts::of(&labels);
        labels
    }

    /// Their types and values.
    #[must_use]
    pub fn facts(&self) -> &LabelFacts {
        &self.facts
    }

    /// Sizes of the dimensions.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        match &self.rows {
            Rows::Stored(array) => array.shape(),
            Rows::Made(data) => data.shape(),
        }
    }

    /// Samples that there is a label for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape().first().copied().unwrap_or(0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sizes of one sample's label without dimensions of 1; empty where it is one thing.
    #[must_use]
    pub fn of_sample(&self) -> Vec<usize> {
        self.shape()
            .iter()
            .skip(1)
            .copied()
            .filter(|&size| size != 1)
            .collect()
    }

    /// Labels of these samples; `None` if there are not so many, or their file can no longer be
    /// read.
    #[must_use]
    pub fn rows(&self, samples: Range<usize>) -> Option<TensorData> {
        match &self.rows {
            _ if samples.end > self.len() => None,
            Rows::Stored(array) => array.rows(0, samples).ok().flatten(),
            Rows::Made(data) => Some(data.rows(0, samples)),
        }
    }

    /// All of them as numbers, `None` if one is text that is no number.
    #[must_use]
    pub fn numbers(&self) -> Option<ArrayD<f64>> {
        match self.rows(0..self.len())? {
            TensorData::String(words) => parsed(&words),
            data => Some(data.to_f64()),
        }
    }

    /// The words; `None` unless they are text.
    #[must_use]
    pub fn words(&self) -> Option<Vec<String>> {
        match self.rows(0..self.len())? {
            TensorData::String(words) => Some(words.into_iter().collect()),
            _ => None,
        }
    }

    /// The class of each sample where there is one: counted from 0 by the order in which `names`
    /// has the classes, or, of words that `names` does not know, by their own. One-hot labels are
    /// the place of the 1.
    #[must_use]
    pub fn classes(&self, names: &ClassNames) -> Option<Vec<i64>> {
        match self.of_sample().as_slice() {
            [] if self.facts.is_text => self.classes_of_words(names),
            [] if self.facts.is_whole => Some(places_of(&self.numbers()?, names)),
            [classes] if self.facts.is_one_hot => self.classes_of_bits(*classes),
            _ => None,
        }
    }

    /// The place of the 1 in each row of so many.
    fn classes_of_bits(&self, classes: usize) -> Option<Vec<i64>> {
        self.numbers()?
            .as_slice()?
            .chunks_exact(classes)
            .map(|row| position(row, |&bit| bit == 1.0))
            .collect()
    }

    /// By the model's own words where it has all of these; else numbers as text are numbers, and
    /// words are in order.
    fn classes_of_words(&self, names: &ClassNames) -> Option<Vec<i64>> {
        let words = self.words()?;
        places_among(&words, names.known()).or_else(|| match self.numbers() {
            Some(numbers) if numbers.iter().all(|number| number.fract() == 0.0) => {
                Some(places_of(&numbers, names))
            }
            _ => places_among(&words, &self.vocabulary()),
        })
    }

    /// The words that occur, in alphabetical order; none where labels are numbers.
    #[must_use]
    pub fn vocabulary(&self) -> Vec<String> {
        let mut words = self.words().unwrap_or_default();
        words.sort_unstable();
        words.dedup();
        words
    }
}

fn parsed(words: &ArrayD<String>) -> Option<ArrayD<f64>> {
    let numbers = words.iter().map(|word| word.trim().parse().ok());
    ArrayD::from_shape_vec(words.raw_dim(), numbers.collect::<Option<_>>()?).ok()
}

fn places_of(labels: &ArrayD<f64>, names: &ClassNames) -> Vec<i64> {
    names.places_of(labels.iter().map(|&label| label as i64).collect())
}

/// The place of each word, where `order` has all of them.
fn places_among(words: &[String], order: &[String]) -> Option<Vec<i64>> {
    words
        .iter()
        .map(|word| position(order, |known| known == word))
        .collect()
}

fn position<T>(items: &[T], is_it: impl FnMut(&T) -> bool) -> Option<i64> {
    items.iter().position(is_it).map(|place| place as i64)
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::*;

    fn facts<const N: usize>(shape: &[usize], values: [f64; N]) -> LabelFacts {
        *Labels::new(TensorData::Double(
            ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).unwrap(),
        ))
        .facts()
    }

    #[test]
    fn ones_are_counted_in_each_sample() {
        assert!(facts(&[2, 3], [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]).is_one_hot);
        let several = facts(&[2, 3], [0.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
        assert!(several.is_binary && !several.is_one_hot);
        assert!(
            !facts(&[2], [1.0, 1.0]).is_one_hot,
            "one class of one is no choice"
        );
    }

    #[test]
    fn numbers_with_fractions_are_not_whole() {
        let facts = facts(&[3], [0.5, -2.0, 7.0]);
        assert!(!facts.is_whole && !facts.is_binary && facts.is_float);
        assert_eq!((facts.low, facts.high), (-2.0, 7.0));
    }
}
