//! The demands of an input, and the arrays that can be taken for it.

use std::collections::BTreeMap;

use super::argument::Form;
use super::dims::{dims_of, has_rank};
use super::narrow::is_narrow;
use super::synthesize::fed_type;
use super::tensor::casts;
use crate::plan::ElementType;
use crate::record::{BatchAxis, Dim, FedInput, TensorInfo};
use crate::text::Plain;

/// A model's inputs with what is known of their sizes.
pub(super) struct Expected<'a> {
    pub inputs: &'a [TensorInfo],
    pub batch: &'a BatchAxis,
    /// Sizes asked for by `--dim`.
    pub asked: &'a BTreeMap<Plain, u64>,
}

impl Expected<'_> {
    /// The demands of all inputs.
    pub fn wanted(&self) -> Vec<Wanted> {
        self.inputs
            .iter()
            .map(|info| Wanted::of(info, self))
            .collect()
    }

    pub fn is_batch(&self, info: &TensorInfo, axis: usize) -> bool {
        match &dims_of(info)[axis] {
            Dim::Symbolic(name) if self.batch.symbol.as_ref() == Some(name) => true,
            _ => self.batch.axes.get(&info.name) == Some(&(axis as u64)),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub name: Plain,
    /// The form in which files of the standard's tests hold it.
    pub form: Form,
    element_type: Option<ElementType>,
    /// Sizes of the dimensions, absent where any will do; absent as a whole where any number of
    /// them will do.
    dims: Option<Vec<Option<u64>>>,
    batch: Option<usize>,
}

/// How an array is taken that has one dimension less than its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is one sample: a batch of one.
    OneSample,
    /// Each of its numbers is a row of one column.
    Column,
}

impl Wanted {
    /// The demands of an input as the model's file declares it.
    pub fn of(info: &TensorInfo, expected: &Expected<'_>) -> Wanted {
        let sizes = dims_of(info)
            .iter()
            .enumerate()
            .map(|(axis, dim)| match dim {
                Dim::Fixed(size) if !expected.is_batch(info, axis) => Some(*size),
                _ => None,
            });
        Wanted {
            name: info.name.clone(),
            form: Form::of(&info.value_type),
            element_type: fed_type(info).ok(),
            dims: has_rank(info).then(|| sizes.collect()),
            batch: batch_of(&info.name, expected.batch),
        }
    }

    /// The demands of an input by a plan.
    pub fn fed(fed: &FedInput, form: Form, batch: &BatchAxis) -> Wanted {
        Wanted {
            name: fed.name.clone(),
            form,
            element_type: Some(fed.element_type),
            dims: Some(fed.dims.clone()),
            batch: batch_of(&fed.name, batch),
        }
    }

    /// The name as it came.
    pub fn exact_name(&self) -> String {
        self.name.exact().to_owned()
    }

    /// The type of the elements, where bytes without a type may be its codes.
    pub fn of_codes(&self) -> Option<ElementType> {
        self.element_type.filter(|&wanted| is_narrow(wanted))
    }

    /// Whether an array of that type and shape may be taken for the input whatever its name.
    pub fn takes(&self, element_type: Option<ElementType>, shape: &[usize]) -> bool {
        element_type
            .zip(self.element_type)
            .is_some_and(|(found, wanted)| casts(found, wanted))
            && (self.fits(shape) || self.completed(shape).is_some())
    }

    fn fits(&self, shape: &[usize]) -> bool {
        let Some(dims) = &self.dims else { return true };
        let mut sizes = dims.iter().zip(shape);
        dims.len() == shape.len()
            && sizes.all(|(dim, &size)| dim.is_none_or(|dim| dim == size as u64))
    }

    /// The shape with the dimension of 1 that it lacks; absent where that does not fit either, or
    /// nothing is lacking.
    pub fn completed(&self, shape: &[usize]) -> Option<(Vec<usize>, Taken)> {
        let dims = self
            .dims
            .as_ref()
            .filter(|dims| dims.len() == shape.len() + 1)?;
        let ends_in_one = dims.last() == Some(&Some(1)) && self.batch == Some(0);
        if ends_in_one && let Some(column) = self.with_one(shape, shape.len()) {
            return Some((column, Taken::Column));
        }
        Some((self.with_one(shape, self.batch?)?, Taken::OneSample))
    }

    /// The shape with a size of 1 at an axis, where that fits.
    fn with_one(&self, shape: &[usize], axis: usize) -> Option<Vec<usize>> {
        let mut sizes = shape.to_vec();
        sizes.insert(axis, 1);
        self.fits(&sizes).then_some(sizes)
    }

    /// Whether the array would fit with its last dimension second, or its second one last.
    pub fn channels(&self, shape: &[usize]) -> Option<Channels> {
        if shape.len() < 3 || self.fits(shape) {
            return None;
        }
        let (mut first, mut last) = (shape.to_vec(), shape.to_vec());
        first[1..].rotate_right(1);
        last[1..].rotate_left(1);
        match (self.fits(&first), self.fits(&last)) {
            (true, _) => Some(Channels::AreLast),
            (false, true) => Some(Channels::AreSecond),
            (false, false) => None,
        }
    }
}

/// Where an array has the dimension that the model wants elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// As its last one; the model wants it after the batch.
    AreLast,
    /// After the batch; the model wants it as the last one.
    AreSecond,
}

fn batch_of(name: &Plain, batch: &BatchAxis) -> Option<usize> {
    batch.axes.get(name).map(|&axis| axis as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wish for floats; any size will do where 0 stands.
    fn wanted(dims: &[u64], batch: Option<usize>) -> Wanted {
        let dims = dims.iter().map(|&size| (size > 0).then_some(size));
        Wanted {
            name: "q".into(),
            form: Form::Tensor,
            element_type: Some(ElementType::Float),
            dims: Some(dims.collect()),
            batch,
        }
    }

    #[test]
    fn one_sample_and_a_column_get_the_dimension_that_they_lack() {
        let image = wanted(&[0, 3, 0, 0], Some(0));
        assert_eq!(
            image.completed(&[3, 8, 8]),
            Some((vec![1, 3, 8, 8], Taken::OneSample))
        );
        assert_eq!(image.completed(&[4, 8, 8]), None);
        assert_eq!(image.completed(&[2, 3, 8, 8]), None, "nothing is lacking");
        let column = wanted(&[0, 1], Some(0));
        assert_eq!(
            column.completed(&[300]),
            Some((vec![300, 1], Taken::Column))
        );
        let row = wanted(&[0, 12], Some(0));
        assert_eq!(row.completed(&[12]), Some((vec![1, 12], Taken::OneSample)));
        assert_eq!(row.completed(&[300]), None);
        let second = wanted(&[7, 0, 2], Some(1));
        assert_eq!(
            second.completed(&[7, 2]),
            Some((vec![7, 1, 2], Taken::OneSample))
        );
        assert_eq!(
            wanted(&[7, 0], None).completed(&[7]),
            None,
            "without a batch there is no sample"
        );
    }

    #[test]
    fn a_dimension_at_another_place_is_seen() {
        let first = wanted(&[0, 3, 0, 0], Some(0));
        assert_eq!(first.channels(&[5, 8, 8, 3]), Some(Channels::AreLast));
        assert_eq!(first.channels(&[5, 3, 8, 8]), None);
        assert_eq!(first.channels(&[5, 8, 8, 4]), None);
        let last = wanted(&[0, 8, 8, 3], Some(0));
        assert_eq!(last.channels(&[5, 3, 8, 8]), Some(Channels::AreSecond));
    }

    #[test]
    fn an_array_is_taken_by_type_and_shape() {
        let wanted = wanted(&[0, 3], Some(0));
        assert!(
            wanted.takes(Some(ElementType::Double), &[9, 3])
                && wanted.takes(Some(ElementType::Float), &[3])
        );
        assert!(!wanted.takes(Some(ElementType::Int64), &[9, 3]) && !wanted.takes(None, &[9, 3]));
        assert!(!wanted.takes(Some(ElementType::Float), &[9, 4]));
    }
}
