//! Which output of one session is compared with which of another.

use crate::inputs::Tensor;

/// Outputs with those of the reference: of the same name, or, where none has a name in common because a converter renamed
/// them, of the same place and shape.
pub(super) fn counterparts<'t>(outputs: &'t [Tensor], references: &'t [Tensor]) -> Vec<(&'t Tensor, &'t Tensor)> {
    let named = |output: &'t Tensor| Some((output, references.iter().find(|known| known.name == output.name)?));
    let by_name: Vec<_> = outputs.iter().filter_map(named).collect();
    if !by_name.is_empty() || outputs.len() != references.len() {
        return by_name;
    }
    let pairs = outputs.iter().zip(references);
    pairs.filter(|(output, reference)| output.data.shape() == reference.data.shape()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::TensorData;
    use ndarray::{ArrayD, IxDyn};

    fn output(name: &str, shape: &[usize]) -> Tensor {
        Tensor { name: name.into(), data: TensorData::Float(ArrayD::zeros(IxDyn(shape))) }
    }

    fn names(outputs: &[Tensor], references: &[Tensor]) -> Vec<(String, String)> {
        let pairs = counterparts(outputs, references).into_iter();
        pairs.map(|(output, reference)| (output.name.clone(), reference.name.clone())).collect()
    }

    #[test]
    fn outputs_are_compared_by_name_and_renamed_ones_by_place() {
        let (boxes, scores) = (output("boxes", &[1, 4]), output("scores", &[1, 2]));
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        let reference = [boxes.clone(), scores.clone()];
        let swapped = [scores.clone(), boxes.clone()];
        assert_eq!(names(&swapped, &reference), [pair("scores", "scores"), pair("boxes", "boxes")]);
        let renamed = [output("b", &[1, 4]), output("s", &[1, 3])];
        assert_eq!(names(&renamed, &reference), [pair("b", "boxes")]);
        assert_eq!(names(&[output("b", &[1, 4])], &reference), []);
        let half_renamed = [boxes, output("s", &[1, 2])];
        assert_eq!(names(&half_renamed, &reference), [pair("boxes", "boxes")]);
    }
}
