//! Outputs of a row for each token, box or the like, and whether each row holds a score for each class.

use super::differences::agree_in_class;
use super::kind::Signs;
use super::surroundings::Surroundings;
use crate::record::RightOf;

/// The rows of an output whose samples are tables.
#[derive(Debug)]
pub(super) struct Rows {
    /// Rows and columns of the first sample.
    shape: (usize, usize),
    signs: Signs,
    /// Rows of each sample whose largest element is at the same place as the reference's.
    agreeing: Vec<RightOf>,
}

impl Rows {
    /// The rows of samples of this shape; `None` where they are no tables of two columns at least.
    pub(super) fn of(shape: &[usize]) -> Option<Rows> {
        match *shape {
            [rows, columns] if columns > 1 => {
                Some(Rows { shape: (rows, columns), signs: Signs::default(), agreeing: Vec::new() })
            }
            _ => None,
        }
    }

    /// Adds a sample and the reference's, row by row.
    pub(super) fn add(&mut self, ours: &[f64], reference: &[f64]) {
        let columns = self.shape.1;
        let mut counts = RightOf { right_count: 0, elements_count: 0 };
        for (ours, reference) in ours.chunks_exact(columns).zip(reference.chunks_exact(columns)) {
            counts.elements_count += 1;
            counts.right_count += u64::from(agree_in_class(ours, reference));
            self.signs.add(reference);
        }
        self.agreeing.push(counts);
    }

    /// Whether there are as many as elements of a sequence that is fed.
    pub(super) fn are_of_sequence(&self, around: &Surroundings) -> bool {
        around.is_length(self.shape.0)
    }

    /// Whether each row holds a score for each class: shares of 1 always; else where there is a row for each element of a
    /// sequence, and the output's name or the product that makes it says so. A square of such a length is attention.
    pub(super) fn hold_classes(&self, output: &str, around: &Surroundings) -> bool {
        let (rows, columns) = self.shape;
        let is_along = self.are_of_sequence(around);
        if rows == columns && is_along {
            return false;
        }
        self.signs.are_shares() || (is_along && around.gives_scores(output) && !self.signs.are_directions(columns))
    }

    /// Rows that agree, sample by sample; empty where samples have one row.
    pub(super) fn agreeing(self) -> Vec<RightOf> {
        if self.shape.0 == 1 { Vec::new() } else { self.agreeing }
    }
}
