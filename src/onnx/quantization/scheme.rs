//! A scheme in which a weight or an activation is quantized.

use crate::onnx::StoredTensor;
use crate::plan::ElementType;
use crate::record::Granularity;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scheme {
    pub(super) element_type: ElementType,
    pub(super) granularity: Granularity,
    pub(super) symmetric: Option<bool>,
}

pub(super) fn scheme(
    element_type: ElementType,
    scale: Option<&StoredTensor>,
    zero_point: Option<&StoredTensor>,
    block_size: Option<i64>,
) -> Scheme {
    let granularity = match (block_size, scale.or(zero_point)) {
        (Some(1..), _) => Granularity::PerBlock,
        (_, Some(scale)) if scale.elements() > 1 => Granularity::PerChannel,
        _ => Granularity::PerTensor,
    };
    Scheme {
        element_type,
        granularity,
        symmetric: is_symmetric(element_type, zero_point),
    }
}

/// Whether zero points are those of a symmetric scheme; unknown where their values were not kept.
fn is_symmetric(element_type: ElementType, zero_point: Option<&StoredTensor>) -> Option<bool> {
    let middle = match element_type {
        ElementType::Uint2 => 2.0,
        ElementType::Uint4 => 8.0,
        ElementType::Uint8 => 128.0,
        ElementType::Uint16 => 32768.0,
        _ => 0.0,
    };
    let Some(zero_point) = zero_point else {
        return Some(middle == 0.0);
    };
    let mut values = zero_point.values.as_ref()?.iter();
    Some(values.all(|&value| value == middle))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::testing::stored;

    #[test]
    fn zero_points_of_unsigned_types_are_symmetric_in_the_middle() {
        let zero_point = |element_type, value| stored("", element_type, &[1], Some(&[value]));
        let is_symmetric = |element_type, value| {
            is_symmetric(element_type, Some(&zero_point(element_type, value)))
        };
        assert_eq!(is_symmetric(ElementType::Uint8, 128.0), Some(true));
        assert_eq!(is_symmetric(ElementType::Uint8, 0.0), Some(false));
        assert_eq!(is_symmetric(ElementType::Int8, 0.0), Some(true));
        assert_eq!(super::is_symmetric(ElementType::Int8, None), Some(true));
        assert_eq!(super::is_symmetric(ElementType::Uint8, None), Some(false));
    }
}
