//! Labels as they lie around: arrays of numpy's, columns of text, lists of JSON. They say what they hold; what they are
//! to an output is decided where outputs are scored.

mod facts;
mod file;

use std::ops::Range;

use ndarray::ArrayD;

use super::array::Array;
use super::{ClassNames, TensorData};

pub use facts::LabelFacts;
pub(super) use file::{beside, has_row_for_each, read};

/// Names under which labels are kept, the likeliest first.
pub(super) const NAMES: [&str; 9] =
    ["labels", "label", "y", "targets", "target", "y_true", "classes", "class", "y_test"];

/// Place of a name among [`NAMES`]; absent for any other name.
pub(super) fn place(name: &str) -> Option<usize> {
    NAMES.iter().position(|known| name.eq_ignore_ascii_case(known))
}

/// Labels, one for each sample: of any shape whose first dimension is the samples.
#[derive(Clone, Debug)]
pub struct Labels {
    rows: Rows,
    facts: LabelFacts,
    guessed: Option<String>,
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

    /// Labels whose elements may stay in their file.
    pub(super) fn stored(array: Array) -> Self {
        Labels::over(Rows::Stored(array))
    }

    fn over(rows: Rows) -> Self {
        let mut labels = Labels { rows, facts: LabelFacts::default(), guessed: None };
        labels.facts = LabelFacts::of(&labels);
        labels
    }

    /// Their types and values.
    #[must_use]
    pub fn facts(&self) -> &LabelFacts {
        &self.facts
    }

    /// The column of a table that they are, where it is not named as labels are.
    pub(super) fn guessed(&self) -> Option<&str> {
        self.guessed.as_deref()
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
        self.shape().iter().skip(1).copied().filter(|&size| size != 1).collect()
    }

    /// Labels of these samples; `None` if there are not so many, or their file can no longer be read.
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
            TensorData::String(words) => {
                let parsed: Option<Vec<f64>> = words.iter().map(|word| word.trim().parse().ok()).collect();
                ArrayD::from_shape_vec(words.raw_dim(), parsed?).ok()
            }
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

    /// The class of each sample where there is one: counted from 0 by the order in which `names` has the classes, or, of
    /// words that `names` does not know, by their own. One-hot labels are the place of the 1.
    #[must_use]
    pub fn classes(&self, names: &ClassNames) -> Option<Vec<i64>> {
        match self.of_sample().as_slice() {
            [] if self.facts.is_text => self.classes_of_words(names),
            [] if self.facts.is_whole => Some(names.places_of(self.numbers()?.iter().map(|&label| label as i64))),
            [classes] if self.facts.is_one_hot => {
                let numbers = self.numbers()?;
                let rows = numbers.as_slice()?.chunks_exact(*classes);
                rows.map(|row| row.iter().position(|&bit| bit == 1.0).map(|place| place as i64)).collect()
            }
            _ => None,
        }
    }

    /// By the model's own words where it has all of these; else numbers that are written as text are those numbers, and
    /// other words count in alphabetical order.
    fn classes_of_words(&self, names: &ClassNames) -> Option<Vec<i64>> {
        let words = self.words()?;
        let by = |order: &[String]| -> Option<Vec<i64>> {
            words.iter().map(|word| order.iter().position(|known| known == word).map(|place| place as i64)).collect()
        };
        by(names.known()).or_else(|| match self.numbers() {
            Some(numbers) if numbers.iter().all(|number| number.fract() == 0.0) => {
                Some(names.places_of(numbers.iter().map(|&number| number as i64)))
            }
            _ => by(&self.vocabulary()),
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
