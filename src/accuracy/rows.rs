//! Outputs of a row for each token, box or the like, and whether each row holds a score for each
//! class.

use super::{Signs, Surroundings, agree_in_class};
use crate::record::RightOf;

#[derive(Debug)]
pub(super) struct Rows {
    /// Rows of the first sample, of each of its tables where it has several, and columns.
    shape: (usize, usize),
    has_several_tables: bool,
    signs: Signs,
    /// Rows of each sample whose largest element is at the same place as the reference's.
    agreeing: Vec<RightOf>,
}

impl Rows {
    /// The rows of samples of this shape; `None` where they are no tables of two columns at least,
    /// or several tables whose rows are not along a sequence that is fed.
    pub(super) fn of(shape: &[usize], around: &Surroundings) -> Option<Rows> {
        let (&columns, rest) = shape.split_last()?;
        let (&rows, tables) = rest.split_last()?;
        let has_several_tables = tables.iter().any(|&count| count != 1);
        if columns < 2 || (has_several_tables && !around.is_length(rows)) {
            return None;
        }
        Some(Rows {
            shape: (rows, columns),
            has_several_tables,
            signs: Signs::default(),
            agreeing: Vec::new(),
        })
    }

    pub(super) fn add(&mut self, ours: &[f64], reference: &[f64]) {
        let columns = self.shape.1;
        let mut counts = RightOf::default();
        let rows = reference.chunks_exact(columns);
        for (ours, reference) in ours.chunks_exact(columns).zip(rows) {
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

    /// Whether each row holds a score for each class: where they are shares of 1, or the output is
    /// named so; else where there is a row for each element of a sequence, and the product that
    /// makes it says so. A square of such a length is attention, and so may be several tables of
    /// shares.
    pub(super) fn hold_classes(&self, output: &str, around: &Surroundings) -> bool {
        let (rows, columns) = self.shape;
        let is_along = self.are_of_sequence(around);
        if rows == columns && is_along {
            return false;
        }
        let says_so =
            (is_along && around.gives_scores(output)) || Surroundings::names_scores(output);
        let are_shares = self.signs.are_shares() && !self.has_several_tables;
        are_shares || (says_so && !self.signs.are_directions(columns))
    }

    /// Rows that agree, sample by sample; empty where samples have one row.
    pub(super) fn agreeing(self) -> Vec<RightOf> {
        let has_one = self.shape.0 == 1 && !self.has_several_tables;
        if has_one { Vec::new() } else { self.agreeing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::AgreementScorer;
    use crate::accuracy::testing::float;
    use crate::record::{Agreement, OutputKind};

    /// The agreement with itself of an output of two samples, next to a sequence of four tokens that
    /// is fed.
    fn found(name: &str, sample: &[usize], value: impl Fn(usize) -> f32) -> Agreement {
        let shape = [&[2], sample].concat();
        let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
        let output = float(name, &shape, &values);
        let mut scorer = AgreementScorer::new(Surroundings::of_tokens(4));
        scorer.add(0..2, &output, &output);
        scorer.finish().0.remove(0)
    }

    /// A number from -1 to 1 that its neighbours say nothing of.
    fn rough(index: usize) -> f32 {
        ((index * 7919 + index * index * 31) % 2003) as f32 / 1001.5 - 1.0
    }

    fn wide(index: usize) -> f32 {
        2.0 * rough(index)
    }

    /// One high share in each row of so many columns.
    fn share(index: usize, columns: usize) -> f32 {
        match index % columns {
            0 => 0.8,
            _ => 0.2 / (columns - 1) as f32,
        }
    }

    #[test]
    fn scores_along_the_last_axis_agree_row_by_row() {
        for (found, count) in [
            (found("logits", &[4, 90], rough), 4),
            (found("scores", &[4, 90], rough), 4),
            (found("logits", &[3, 4, 90], rough), 12),
            (found("y", &[7, 5], |index| share(index, 5)), 7),
            (found("y", &[7, 5], |index| share(index, 5).ln()), 7),
        ] {
            assert_eq!(found.kind, Some(OutputKind::Classes), "{found:?}");
            let rows = found.top1_by_row.iter();
            let counts: Vec<u64> = rows.map(|sample| sample.elements_count).collect();
            assert_eq!(counts, [count; 2], "{}", found.output);
        }
        let one_row = found("logits", &[1, 90], rough);
        assert_eq!(one_row.kind, Some(OutputKind::Classes));
        assert_eq!(one_row.top1_agreeing_count, Some(2));
    }

    #[test]
    fn rows_of_other_numbers_have_no_classes() {
        for found in [
            found("hidden", &[4, 90], wide),
            found("y", &[4, 90], wide),
            found("boxes", &[7, 4], wide),
            found("attention", &[3, 4, 4], wide),
            // Shares of what is attended to.
            found("y", &[2, 4, 4], |index| share(index, 4)),
        ] {
            assert_eq!(found.kind, Some(OutputKind::Numbers), "{found:?}");
            assert!(found.top1_by_row.is_empty(), "{found:?}");
        }
    }
}
