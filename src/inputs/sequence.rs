//! Sequences of tensors that are made up.

use crate::record::{Dim, ValueType};

const LENGTH: usize = 2;
/// Size of a dimension that nothing is known of.
const SIZE: u64 = 4;
/// Shapes of tensors that a model says nothing of, the most likely first.
const SHAPES: [&[u64]; 5] = [&[SIZE], &[2, SIZE], &[1, 3, SIZE], &[1, 3, 8, 8], &[]];

/// Ways to make up a sequence of such tensors: one where their dimensions are known.
pub(super) fn ways(tensor: &ValueType) -> usize {
    if dims(tensor).is_some() {
        1
    } else {
        SHAPES.len()
    }
}

/// Shapes of the tensors of a sequence that is made up in this way; `size` tells that of a
/// dimension with a name.
pub(super) fn shapes(
    tensor: &ValueType,
    way: usize,
    size: impl Fn(&str) -> Option<u64>,
) -> Vec<Vec<u64>> {
    let shape = match dims(tensor) {
        Some(dims) => dims.iter().map(|dim| size_of(dim, &size)).collect(),
        None => SHAPES[way.min(SHAPES.len() - 1)].to_vec(),
    };
    vec![shape; LENGTH]
}

fn size_of(dim: &Dim, size: impl Fn(&str) -> Option<u64>) -> u64 {
    match dim {
        Dim::Fixed(size) => *size,
        Dim::Symbolic(name) => size(name.exact()).unwrap_or(SIZE),
        Dim::Unknown => SIZE,
    }
}

fn dims(tensor: &ValueType) -> Option<&[Dim]> {
    tensor.as_tensor().and_then(|(_, dims)| dims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ElementType;

    #[test]
    fn tensors_have_the_dimensions_that_are_declared() {
        let tensor = |dims| ValueType::Tensor {
            element_type: ElementType::Float,
            dims,
        };
        let dims = vec![
            Dim::Fixed(3),
            Dim::Symbolic("n".into()),
            Dim::Symbolic("m".into()),
            Dim::Unknown,
        ];
        let size = |name: &str| (name == "n").then_some(7);
        assert_eq!(
            shapes(&tensor(Some(dims)), 0, size),
            vec![vec![3, 7, SIZE, SIZE]; LENGTH]
        );
        assert_eq!(ways(&tensor(Some(Vec::new()))), 1);
        let open = tensor(None);
        assert_eq!(shapes(&open, 1, size), vec![vec![2, SIZE]; LENGTH]);
        assert_eq!(
            shapes(&open, ways(&open) - 1, size),
            vec![Vec::<u64>::new(); LENGTH]
        );
    }
}
