//! Which output of one session is compared with which of another.

use crate::inputs::{Tensor, TensorData};

/// By name, and those that are left, which a converter renamed, by kind and order where both sides
/// have as many of it.
pub(super) fn counterparts<'t>(
    outputs: &'t [Tensor],
    references: &'t [Tensor],
) -> Vec<(&'t Tensor, &'t Tensor)> {
    let mut pairs: Vec<_> = outputs
        .iter()
        .filter_map(|output| Some((output, named(references, &output.name)?)))
        .collect();
    for kind in [Kind::Scores, Kind::Numbers, Kind::Whole, Kind::Words] {
        let ours = unmatched(outputs, references, kind);
        let theirs = unmatched(references, outputs, kind);
        if ours.len() == theirs.len() {
            pairs.extend(ours.into_iter().zip(theirs));
        }
    }
    pairs
}

fn named<'t>(tensors: &'t [Tensor], name: &str) -> Option<&'t Tensor> {
    tensors.iter().find(|tensor| tensor.name == name)
}

/// Tensors of a kind that have no other one of their name.
fn unmatched<'t>(tensors: &'t [Tensor], others: &[Tensor], kind: Kind) -> Vec<&'t Tensor> {
    tensors
        .iter()
        .filter(|tensor| Kind::of(&tensor.data) == kind)
        .filter(|tensor| named(others, &tensor.name).is_none())
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Floating-point numbers, two dimensions.
    Scores,
    /// Other floating-point numbers.
    Numbers,
    /// Integers and booleans.
    Whole,
    Words,
}

impl Kind {
    fn of(data: &TensorData) -> Kind {
        match data {
            TensorData::String(_) => Kind::Words,
            data if !data.element_type().is_float() => Kind::Whole,
            data if data.shape().len() == 2 => Kind::Scores,
            _ => Kind::Numbers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{ArrayD, IxDyn};

    fn output(name: &str, shape: &[usize]) -> Tensor {
        Tensor {
            name: name.into(),
            data: TensorData::Float(ArrayD::zeros(IxDyn(shape))),
        }
    }

    fn names(outputs: &[Tensor], references: &[Tensor]) -> Vec<(String, String)> {
        counterparts(outputs, references)
            .into_iter()
            .map(|(output, reference)| (output.name.clone(), reference.name.clone()))
            .collect()
    }

    #[test]
    fn outputs_are_compared_by_name_and_renamed_ones_by_place() {
        let boxes = output("boxes", &[1, 4]);
        let scores = output("scores", &[1, 2]);
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        let reference = [boxes.clone(), scores.clone()];
        assert_eq!(
            names(&[scores.clone(), boxes.clone()], &reference),
            [pair("scores", "scores"), pair("boxes", "boxes")]
        );
        assert_eq!(
            names(&[output("b", &[1, 4]), output("s", &[1, 3])], &reference),
            [pair("b", "boxes"), pair("s", "scores")]
        );
        assert_eq!(
            names(&[output("b", &[1, 4])], &reference),
            [],
            "there is no telling which"
        );
        assert_eq!(
            names(&[boxes, output("s", &[1, 2])], &reference),
            [pair("boxes", "boxes"), pair("s", "scores")]
        );
        assert_eq!(
            names(&[output("b", &[1, 4]), output("s", &[2])], &reference),
            []
        );
    }
}
