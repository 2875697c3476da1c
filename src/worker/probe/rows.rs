//! Rows of detectors that carry the index of their sample, on whichever axis they lie.

use super::outputs::{self, Told, Triple};
use crate::inputs::{Tensor, TensorData};
use crate::plan::{ElementType, FloatRounding};

/// Most numbers of a row among which the index of its sample is looked for.
const MOST_COLUMNS: usize = 4096;

pub(super) fn told(
    first: &[Tensor],
    second: &[Tensor],
    both: &[Tensor],
    floats: FloatRounding,
) -> Vec<(String, Told)> {
    let samples = first.iter().zip(second).zip(both);
    let triples: Vec<Triple<'_>> = samples
        .map(|((first, second), both)| Triple {
            first: &first.data,
            second: &second.data,
            both: &both.data,
            floats,
        })
        .collect();
    both.iter()
        .map(|both| both.name.clone())
        .zip(told_of(&triples))
        .collect()
}

/// Rows that carry the index of their sample are taken by it, as are those of outputs that stand beside it.
fn told_of(triples: &[Triple<'_>]) -> Vec<Told> {
    let indices: Vec<Option<Index>> = triples.iter().map(|&triple| Index::of(triple)).collect();
    let one = |(&triple, own): (&Triple<'_>, &Option<Index>)| {
        if let Some(told) = own.as_ref().and_then(|index| index.told_of_others(triple)) {
            return told;
        }
        let by_index = indices
            .iter()
            .flatten()
            .find_map(|index| index.told_of_rows(triple));
        match by_index {
            Some(told) if !matches!(told, Told::Mixed(_)) => told,
            // Rows without an index may as well lie in the order of the samples.
            _ => outputs::told_of(triple),
        }
    };
    triples.iter().zip(&indices).map(one).collect()
}

/// The axis of rows: the only one that is not the same in all runs, as long for both samples as for each of them together.
fn rows_axis(triple: Triple<'_>) -> Option<usize> {
    let [alone, other, both] = [triple.first, triple.second, triple.both].map(TensorData::shape);
    if alone.len() != both.len() || other.len() != both.len() {
        return None;
    }
    let moves = |axis: &usize| alone[*axis] != both[*axis] || other[*axis] != both[*axis];
    let mut moving = (0..both.len()).filter(moves);
    let axis = moving
        .next()
        .filter(|&axis| alone[axis] + other[axis] == both[axis])?;
    moving.next().is_none().then_some(axis)
}

/// Rows whose sample is named in a column of an output: in one place of all axes but that of the rows.
#[derive(Clone, Debug)]
struct Index {
    column: usize,
    /// Numbers of a row.
    width: usize,
    rows: [Vec<usize>; 2],
}

impl Index {
    /// The column of an output that is 0 for a sample alone, and 0 or 1 for both.
    fn of(triple: Triple<'_>) -> Option<Index> {
        let axis = rows_axis(triple)?;
        let others = triple
            .both
            .shape()
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != axis);
        let width = others.fold(1_usize, |width, (_, &size)| width.saturating_mul(size));
        if width > MOST_COLUMNS || triple.both.element_type() == ElementType::String {
            return None;
        }
        let counts = [triple.first, triple.second].map(|data| data.shape()[axis]);
        let [first, second, both] =
            [triple.first, triple.second, triple.both].map(|data| data.by_rows(axis));
        let (first, second, both) = (first?, second?, both?);
        let column = |data: &TensorData, at: usize| data.rows(1, at..at + 1).first_f64(usize::MAX);
        let is_zero =
            |data: &TensorData, at: usize| column(data, at).iter().all(|&value| value == 0.0);
        (0..width)
            .filter(|&at| is_zero(&first, at) && is_zero(&second, at))
            .find_map(|at| {
                let samples = column(&both, at);
                let of = |sample: f64| {
                    (0..samples.len())
                        .filter(|&row| samples[row] == sample)
                        .collect::<Vec<usize>>()
                };
                let rows = [of(0.0), of(1.0)];
                let fits = rows[0].len() == counts[0] && rows[1].len() == counts[1];
                fits.then_some(Index {
                    column: at,
                    width,
                    rows,
                })
            })
    }

    /// The evidence of the output that carries the index, without the index. Nothing, where there is nothing else: it agrees.
    fn told_of_others(&self, triple: Triple<'_>) -> Option<Told> {
        let axis = rows_axis(triple)?;
        let others: Vec<usize> = (0..self.width)
            .filter(|&column| column != self.column)
            .collect();
        let without = |data: &TensorData| Some(data.by_rows(axis)?.selected(1, &others));
        let both = without(triple.both)?;
        let parts = [&self.rows[0], &self.rows[1]].map(|rows| both.selected(0, rows));
        Some(outputs::own(
            &without(triple.first)?,
            &without(triple.second)?,
            &parts,
            triple.floats,
        ))
    }

    /// The evidence of an output that has the rows that the index names; absent if it has others.
    fn told_of_rows(&self, triple: Triple<'_>) -> Option<Told> {
        let axis = rows_axis(triple)?;
        let counts = [triple.first, triple.second].map(|data| data.shape()[axis]);
        if counts != [self.rows[0].len(), self.rows[1].len()] {
            return None;
        }
        let parts = [&self.rows[0], &self.rows[1]].map(|rows| triple.both.selected(axis, rows));
        Some(outputs::own(
            triple.first,
            triple.second,
            &parts,
            triple.floats,
        ))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::*;

    fn floats(shape: &[usize], values: &[f32]) -> TensorData {
        TensorData::Float(ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).unwrap())
    }

    fn whole(shape: &[usize], values: &[i64]) -> TensorData {
        TensorData::Int64(ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).unwrap())
    }

    fn told_by(outputs: &[[TensorData; 3]]) -> Vec<Told> {
        let triples: Vec<Triple<'_>> = outputs
            .iter()
            .map(|[first, second, both]| Triple {
                first,
                second,
                both,
                floats: FloatRounding::Full,
            })
            .collect();
        told_of(&triples)
    }

    /// Rows of boxes, each the same number twice.
    fn boxes(rows: &[f32]) -> TensorData {
        let values: Vec<f32> = rows.iter().flat_map(|&value| [value, value]).collect();
        floats(&[rows.len(), 2], &values)
    }

    #[test]
    fn rows_are_parted_by_the_index_of_their_sample_in_a_column() {
        let first = whole(&[2, 2], &[0, 7, 0, 9]);
        let second = whole(&[1, 2], &[0, 8]);
        let scores = [
            floats(&[2], &[0.5, 0.6]),
            floats(&[1], &[0.1]),
            floats(&[3], &[0.5, 0.1, 0.6]),
        ];
        let rows = [
            first.clone(),
            second.clone(),
            whole(&[3, 2], &[0, 7, 1, 8, 0, 9]),
        ];
        assert_eq!(told_by(&[rows, scores]), [Told::Apart, Told::Apart]);
        let mixed = [first, second, whole(&[3, 2], &[0, 7, 1, 8, 0, 8])];
        assert_eq!(told_by(&[mixed]), [Told::Mixed(Some(1.0 / 9.0))]);
    }

    #[test]
    fn index_may_be_an_output_of_its_own() {
        let ids = || {
            [
                whole(&[2], &[0, 0]),
                whole(&[1], &[0]),
                whole(&[3], &[0, 1, 0]),
            ]
        };
        let by_index = [boxes(&[1.0, 2.0]), boxes(&[3.0]), boxes(&[1.0, 3.0, 2.0])];
        let found = told_by(&[by_index, ids()]);
        assert_eq!(found[0], Told::Apart);
        assert!(!matches!(found[1], Told::Mixed(_)), "{found:?}");
        let in_order = [boxes(&[1.0, 2.0]), boxes(&[3.0]), boxes(&[1.0, 2.0, 3.0])];
        assert_eq!(told_by(&[in_order, ids()])[0], Told::Apart);
        // As many rows of each: the index has nothing to tell samples by.
        let alike = [whole(&[1], &[0]), whole(&[1], &[0]), whole(&[2], &[0, 1])];
        assert_eq!(told_by(&[alike]), [Told::Nothing]);
    }

    #[test]
    fn rows_may_lie_along_any_axis() {
        // Places as `NonZero` gives them: sample, column.
        let places = [
            whole(&[2, 2], &[0, 0, 1, 3]),
            whole(&[2, 1], &[0, 2]),
            whole(&[2, 3], &[0, 0, 1, 1, 3, 2]),
        ];
        assert_eq!(told_by(&[places]), [Told::Apart]);
        // Sample, class and score, four axes of which one has the rows.
        let first = floats(&[1, 1, 2, 3], &[0.0, 4.0, 0.9, 0.0, 5.0, 0.75]);
        let second = floats(&[1, 1, 1, 3], &[0.0, 6.0, 0.7]);
        let both = |last: f32| {
            floats(
                &[1, 1, 3, 3],
                &[0.0, 4.0, 0.9, 1.0, 6.0, 0.7, 0.0, 5.0, last],
            )
        };
        assert_eq!(
            told_by(&[[first.clone(), second.clone(), both(0.75)]]),
            [Told::Apart]
        );
        assert_eq!(
            told_by(&[[first, second, both(3.25)]]),
            [Told::Mixed(Some(0.5))]
        );
    }

    #[test]
    fn a_sample_without_rows_is_no_other_sample() {
        let ids = [whole(&[0], &[]), whole(&[2], &[0, 0]), whole(&[2], &[1, 1])];
        let found = told_by(&[ids, [boxes(&[]), boxes(&[1.0, 2.0]), boxes(&[1.0, 2.0])]]);
        assert!(found.iter().all(|told| *told == Told::Apart), "{found:?}");
    }

    #[test]
    fn a_detector_that_mixes_samples_is_found_out() {
        let ids = |both: &[i64]| [whole(&[2], &[0, 0]), whole(&[1], &[0]), whole(&[3], both)];
        let other_boxes = || [boxes(&[1.0, 2.0]), boxes(&[3.0]), boxes(&[1.0, 3.0, 9.0])];
        assert!(matches!(
            told_by(&[other_boxes(), ids(&[0, 1, 0])])[0],
            Told::Mixed(Some(_))
        ));
        // Rows of which more than its own are said to be those of the second sample.
        let own_boxes = [boxes(&[1.0, 2.0]), boxes(&[3.0]), boxes(&[1.0, 2.0, 3.0])];
        assert!(matches!(
            told_by(&[own_boxes, ids(&[0, 1, 1])])[1],
            Told::Mixed(Some(_))
        ));
        // Best ones of both samples together are fewer than those of each.
        let fewer = [
            boxes(&[1.0, 2.0]),
            boxes(&[3.0, 4.0]),
            boxes(&[1.0, 3.0, 4.0]),
        ];
        assert_eq!(told_by(&[fewer]), [Told::Mixed(None)]);
    }
}
