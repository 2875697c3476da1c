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
        let mut counts = RightOf {
            right_count: 0,
            elements_count: 0,
        };
        for (ours, reference) in ours
            .chunks_exact(columns)
            .zip(reference.chunks_exact(columns))
        {
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

    /// The kind of an output of two samples, next to a sequence of four tokens that is fed.
    fn kind_of(name: &str, sample: &[usize], value: impl Fn(usize) -> f32) -> Agreement {
        let shape = [&[2], sample].concat();
        let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
        let mut scorer = AgreementScorer::new(Surroundings::of_tokens(4));
        scorer.add(
            0..2,
            &float(name, &shape, &values),
            &float(name, &shape, &values),
        );
        scorer.finish().0.remove(0)
    }

    #[test]
    fn scores_along_the_last_axis_agree_row_by_row() {
        let rough =
            |index: usize| ((index * 7919 + index * index * 31) % 2003) as f32 / 1001.5 - 1.0;
        let rows = |of: &Agreement| {
            of.top1_by_row
                .iter()
                .map(|sample| sample.elements_count)
                .collect::<Vec<_>>()
        };
        for (name, sample, count) in [
            ("logits", &[4, 90][..], 4),
            ("scores", &[4, 90], 4),
            ("logits", &[3, 4, 90], 12),
        ] {
            let found = kind_of(name, sample, rough);
            assert_eq!(
                (found.kind, rows(&found)),
                (Some(OutputKind::Classes), vec![count; 2]),
                "{name} {sample:?}"
            );
        }
        let shares = kind_of(
            "y",
            &[7, 5],
            |index| if index % 5 == 0 { 0.8 } else { 0.05 },
        );
        assert_eq!(
            (shares.kind, rows(&shares)),
            (Some(OutputKind::Classes), vec![7; 2]),
            "boxes or frames"
        );
        let logarithms = kind_of("y", &[7, 5], |index| {
            if index % 5 == 0 {
                0.8_f32.ln()
            } else {
                0.05_f32.ln()
            }
        });
        assert_eq!(logarithms.kind, Some(OutputKind::Classes));
        let last = kind_of("logits", &[1, 90], rough);
        assert_eq!(
            (last.kind, last.top1_agreeing_count),
            (Some(OutputKind::Classes), Some(2)),
            "one row"
        );
    }

    #[test]
    fn rows_of_other_numbers_have_no_classes() {
        let rough =
            |index: usize| ((index * 7919 + index * index * 31) % 2003) as f32 / 500.0 - 2.0;
        for (name, sample) in [
            ("hidden", &[4, 90][..]),
            ("y", &[4, 90]),
            ("boxes", &[7, 4]),
            ("attention", &[3, 4, 4]),
        ] {
            let found = kind_of(name, sample, rough);
            assert_eq!(
                (found.kind, found.top1_by_row.len()),
                (Some(OutputKind::Numbers), 0),
                "{name} {sample:?}"
            );
        }
        let attention = kind_of(
            "y",
            &[2, 4, 4],
            |index| if index % 4 == 0 { 0.7 } else { 0.1 },
        );
        assert_eq!(
            attention.kind,
            Some(OutputKind::Numbers),
            "shares of what is attended to"
        );
    }
}
