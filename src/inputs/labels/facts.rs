//! What can be said of labels without an output to hold them against.

use super::Labels;
use crate::inputs::TensorData;

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
    /// Looks at all labels, a part at a time.
    pub(super) fn of(labels: &Labels) -> Self {
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
            *self = LabelFacts {
                is_text: true,
                is_whole: false,
                is_binary: false,
                is_one_hot: false,
                ..LabelFacts::default()
            };
            return;
        }
        self.is_float = rows.element_type().is_float();
        let numbers = rows.to_f64();
        for &number in &numbers {
            self.is_whole &= number.fract() == 0.0;
            self.is_binary &= number == 0.0 || number == 1.0;
            self.low = self.low.min(number);
            self.high = self.high.max(number);
        }
        let numbers: Vec<f64> = numbers.into_iter().collect();
        self.is_one_hot &= numbers.chunks_exact(elements).all(|row| row.iter().filter(|&&bit| bit == 1.0).count() == 1);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::*;

    fn facts<const N: usize>(shape: &[usize], values: [f64; N]) -> LabelFacts {
        *Labels::new(TensorData::Double(ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).unwrap())).facts()
    }

    #[test]
    fn ones_are_counted_in_each_sample() {
        assert!(facts(&[2, 3], [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]).is_one_hot);
        let several = facts(&[2, 3], [0.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
        assert!(several.is_binary && !several.is_one_hot);
        assert!(!facts(&[2], [1.0, 1.0]).is_one_hot, "one class of one is no choice");
    }

    #[test]
    fn numbers_with_fractions_are_not_whole() {
        let facts = facts(&[3], [0.5, -2.0, 7.0]);
        assert!(!facts.is_whole && !facts.is_binary && facts.is_float);
        assert_eq!((facts.low, facts.high), (-2.0, 7.0));
    }
}
