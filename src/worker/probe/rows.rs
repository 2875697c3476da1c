//! Rows of detectors that carry the index of their sample, on whichever axis they lie.

use super::told::{self, Parts, Told, Triple};
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
    let triples: Vec<Triple<'_>> = first
        .iter()
        .zip(second)
        .zip(both)
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

/// Rows that carry the index of their sample are taken by it, as are those of outputs that stand
/// beside it.
fn told_of(triples: &[Triple<'_>]) -> Vec<Told> {
    let indices: Vec<Option<Index>> = triples.iter().map(|&triple| Index::of(triple)).collect();
    triples
        .iter()
        .zip(&indices)
        .map(|(&triple, own)| told_of_one(triple, own.as_ref(), &indices))
        .collect()
}

fn told_of_one(triple: Triple<'_>, own: Option<&Index>, indices: &[Option<Index>]) -> Told {
    if let Some(told) = own.and_then(|index| index.told_of_others(triple)) {
        return told;
    }
    match indices
        .iter()
        .flatten()
        .find_map(|index| index.told_of_rows(triple))
    {
        Some(told) if !matches!(told, Told::Mixed(_)) => told,
        // Rows without an index may as well lie in the order of the samples.
        _ => told::told_of(triple),
    }
}

/// The axis of rows: the only one that is not the same in all runs, as long for both samples as for
/// each of them together.
fn rows_axis(triple: Triple<'_>) -> Option<usize> {
    let [alone, other, both] = [triple.first, triple.second, triple.both].map(TensorData::shape);
    if alone.len() != both.len() || other.len() != both.len() {
        return None;
    }
    let mut moving =
        (0..both.len()).filter(|&axis| alone[axis] != both[axis] || other[axis] != both[axis]);
    let axis = moving
        .next()
        .filter(|&axis| alone[axis] + other[axis] == both[axis])?;
    moving.next().is_none().then_some(axis)
}

fn column(data: &TensorData, at: usize) -> Vec<f64> {
    data.rows(1, at..at + 1).first_f64(usize::MAX)
}

fn is_zero(data: &TensorData, at: usize) -> bool {
    column(data, at).iter().all(|&value| value == 0.0)
}

/// Rows whose sample is this one, by the column that names it.
fn rows_of(sample: f64, column: &[f64]) -> Vec<usize> {
    (0..column.len())
        .filter(|&row| column[row] == sample)
        .collect()
}

/// Rows whose sample is named in a column of an output: in one place of all axes but that of the
/// rows.
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
        let width = triple
            .both
            .shape()
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != axis)
            .fold(1_usize, |width, (_, &size)| width.saturating_mul(size));
        if width > MOST_COLUMNS || triple.both.element_type() == ElementType::String {
            return None;
        }
        let [first, second, both] =
            [triple.first, triple.second, triple.both].map(|data| data.by_rows(axis));
        let first = first?;
        let second = second?;
        let both = both?;
        (0..width)
            .filter(|&at| is_zero(&first, at) && is_zero(&second, at))
            .find_map(|at| {
                let samples = column(&both, at);
                let index = Index {
                    column: at,
                    width,
                    rows: [rows_of(0.0, &samples), rows_of(1.0, &samples)],
                };
                index.has_rows_of(triple, axis).then_some(index)
            })
    }

    /// Whether it names as many rows of each sample as the sample has alone.
    fn has_rows_of(&self, triple: Triple<'_>, axis: usize) -> bool {
        let [first, second] = &self.rows;
        triple.first.shape()[axis] == first.len() && triple.second.shape()[axis] == second.len()
    }

    fn without_column(&self, data: &TensorData, axis: usize) -> Option<TensorData> {
        let others: Vec<usize> = (0..self.width)
            .filter(|&column| column != self.column)
            .collect();
        Some(data.by_rows(axis)?.selected(1, &others))
    }

    /// The parts of an output of both samples whose rows lie along this axis.
    fn parts(&self, both: &TensorData, axis: usize) -> Parts {
        let [first, second] = &self.rows;
        Parts {
            first: both.selected(axis, first),
            second: both.selected(axis, second),
        }
    }

    /// The evidence of the output that carries the index, without the index. Nothing, where there
    /// is nothing else: it agrees.
    fn told_of_others(&self, triple: Triple<'_>) -> Option<Told> {
        let axis = rows_axis(triple)?;
        Some(told::own(
            &self.without_column(triple.first, axis)?,
            &self.without_column(triple.second, axis)?,
            &self.parts(&self.without_column(triple.both, axis)?, 0),
            triple.floats,
        ))
    }

    /// The evidence of an output that has the rows that the index names; absent if it has others.
    fn told_of_rows(&self, triple: Triple<'_>) -> Option<Told> {
        let axis = rows_axis(triple)?;
        self.has_rows_of(triple, axis).then(|| {
            told::own(
                triple.first,
                triple.second,
                &self.parts(triple.both, axis),
                triple.floats,
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::super::outputs::tests::floats;
    use super::*;

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
        assert_eq!(
            told_by(&[[first, second, whole(&[3, 2], &[0, 7, 1, 8, 0, 8])]]),
            [Told::Mixed(Some(1.0 / 9.0))]
        );
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
        let found = told_by(&[
            [boxes(&[1.0, 2.0]), boxes(&[3.0]), boxes(&[1.0, 3.0, 2.0])],
            ids(),
        ]);
        assert_eq!(found[0], Told::Apart);
        assert!(!matches!(found[1], Told::Mixed(_)), "{found:?}");
        assert_eq!(
            told_by(&[
                [boxes(&[1.0, 2.0]), boxes(&[3.0]), boxes(&[1.0, 2.0, 3.0])],
                ids()
            ])[0],
            Told::Apart
        );
        // As many rows of each: the index has nothing to tell samples by.
        assert_eq!(
            told_by(&[[whole(&[1], &[0]), whole(&[1], &[0]), whole(&[2], &[0, 1])]]),
            [Told::Nothing]
        );
    }

    #[test]
    fn rows_may_lie_along_any_axis() {
        // Places as `NonZero` gives them: sample, column.
        assert_eq!(
            told_by(&[[
                whole(&[2, 2], &[0, 0, 1, 3]),
                whole(&[2, 1], &[0, 2]),
                whole(&[2, 3], &[0, 0, 1, 1, 3, 2]),
            ]]),
            [Told::Apart]
        );
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
        let found = told_by(&[
            [whole(&[0], &[]), whole(&[2], &[0, 0]), whole(&[2], &[1, 1])],
            [boxes(&[]), boxes(&[1.0, 2.0]), boxes(&[1.0, 2.0])],
        ]);
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
        assert!(matches!(
            told_by(&[
                [boxes(&[1.0, 2.0]), boxes(&[3.0]), boxes(&[1.0, 2.0, 3.0])],
                ids(&[0, 1, 1])
            ])[1],
            Told::Mixed(Some(_))
        ));
        // Best ones of both samples together are fewer than those of each.
        assert_eq!(
            told_by(&[[
                boxes(&[1.0, 2.0]),
                boxes(&[3.0, 4.0]),
                boxes(&[1.0, 3.0, 4.0]),
            ]]),
            [Told::Mixed(None)]
        );
    }
}
