//! Whether outputs are the same but for rounding.

use crate::inputs::{Tensor, TensorData};
use crate::plan::{ElementType, FloatRounding};

pub(super) const MOST_ELEMENTS: usize = 1 << 22;

#[derive(Clone, Copy)]
pub(super) struct Gap {
    /// Largest difference of two elements; infinite where one of them is not a number, or strings
    /// differ.
    pub largest: f64,
    pub scale: f64,
}

impl Gap {
    pub(super) fn relative(self) -> f64 {
        if self.largest == 0.0 {
            0.0
        } else {
            self.largest / self.scale.max(f64::MIN_POSITIVE)
        }
    }
}

/// The gap between outputs; `None` where their types or shapes differ.
pub(super) fn gap(one: &TensorData, other: &TensorData) -> Option<Gap> {
    if one.shape() != other.shape() || one.element_type() != other.element_type() {
        return None;
    }
    if let (TensorData::String(one), TensorData::String(other)) = (one, other) {
        let largest = if one == other { 0.0 } else { f64::INFINITY };
        return Some(Gap {
            largest,
            scale: 1.0,
        });
    }
    Some(gap_of_numbers(
        &one.first_f64(MOST_ELEMENTS),
        &other.first_f64(MOST_ELEMENTS),
    ))
}

fn gap_of_numbers(one: &[f64], other: &[f64]) -> Gap {
    let mut gap = Gap {
        largest: 0.0,
        scale: 0.0,
    };
    for (&one, &other) in one.iter().zip(other) {
        gap.largest = gap.largest.max(difference(one, other));
        let magnitude = one.abs().max(other.abs());
        if magnitude.is_finite() {
            gap.scale = gap.scale.max(magnitude);
        }
        if gap.largest.is_infinite() {
            break;
        }
    }
    gap
}

/// Infinite where one alone is not a number.
fn difference(one: f64, other: f64) -> f64 {
    if one == other || (one.is_nan() && other.is_nan()) {
        return 0.0;
    }
    let difference = (one - other).abs();
    if difference.is_nan() {
        f64::INFINITY
    } else {
        difference
    }
}

/// Batches are computed by other kernels than single samples. Relative to the magnitude; whole
/// numbers for integers.
pub(super) fn tolerance(element_type: ElementType, gap: Gap) -> f64 {
    match element_type {
        ElementType::Double => 1e-6 * gap.scale,
        ElementType::Float => 1e-3 * gap.scale,
        ElementType::Float16 | ElementType::Bfloat16 => 2e-2 * gap.scale,
        // Quantized values are rounded, and may fall on either side.
        ElementType::Int8 | ElementType::Uint8 | ElementType::Int4 | ElementType::Uint4 => 1.0,
        ElementType::Int2 | ElementType::Uint2 => 1.0,
        small => step(small) * gap.scale,
    }
}

/// Rounding, in the same terms.
pub(super) fn rounding(element_type: ElementType, gap: Gap) -> f64 {
    match element_type {
        ElementType::Double => 1e-10 * gap.scale,
        ElementType::Float => 2e-5 * gap.scale,
        ElementType::Float16 | ElementType::Bfloat16 => 5e-3 * gap.scale,
        small => step(small) * gap.scale,
    }
}

/// From one number of a small float type to the next, relative to it: rounding may fall on either
/// side.
fn step(element_type: ElementType) -> f64 {
    match element_type {
        ElementType::Float8e4m3fn | ElementType::Float8e4m3fnuz => 0.125,
        ElementType::Float8e5m2 | ElementType::Float8e5m2fnuz => 0.25,
        ElementType::Float4e2m1 | ElementType::Float8e8m0 => 0.5,
        _ => 0.0,
    }
}

/// The type that tells how far elements are rounded: floats that are computed with fewer bits are
/// no better than these.
pub(super) fn computed_as(element_type: ElementType, floats: FloatRounding) -> ElementType {
    match (element_type, floats) {
        (ElementType::Float, FloatRounding::Half) => ElementType::Float16,
        (as_stored, _) => as_stored,
    }
}

/// Whether outputs are the same but for rounding.
pub(in crate::worker) fn is_same(
    one: &TensorData,
    other: &TensorData,
    floats: FloatRounding,
) -> bool {
    gap(one, other)
        .is_some_and(|gap| gap.largest <= tolerance(computed_as(one.element_type(), floats), gap))
}

pub(super) fn random(one: &[Tensor], other: &[Tensor], floats: FloatRounding) -> Vec<String> {
    one.iter()
        .zip(other)
        .filter(|(one, other)| !is_same(&one.data, &other.data, floats))
        .map(|(one, _)| one.name.clone())
        .collect()
}

pub(super) fn with_nan(outputs: &[Tensor]) -> Vec<String> {
    outputs
        .iter()
        .filter(|output| has_nan(&output.data))
        .map(|output| output.name.clone())
        .collect()
}

fn has_nan(data: &TensorData) -> bool {
    data.element_type().is_float()
        && data
            .first_f64(MOST_ELEMENTS)
            .iter()
            .any(|value| value.is_nan())
}

#[cfg(test)]
pub(super) mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::*;

    pub(in crate::worker::probe) fn floats(shape: &[usize], values: &[f32]) -> TensorData {
        TensorData::Float(ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).unwrap())
    }

    pub(in crate::worker::probe) fn output(data: TensorData) -> Vec<Tensor> {
        vec![Tensor {
            name: "y".into(),
            data,
        }]
    }

    #[test]
    fn random_outputs_are_those_that_differ_by_more_than_rounding() {
        const NAN: f32 = f32::NAN;
        const INF: f32 = f32::INFINITY;
        let two = |values: [f32; 2]| output(floats(&[2], &values));
        let random = |one: &[Tensor], other: &[Tensor]| random(one, other, FloatRounding::Full);
        assert_eq!(
            random(&two([1.0, 1.0]), &output(floats(&[1], &[1.0]))),
            ["y"]
        );
        for (one, other, is_random) in [
            ([1.0, 100.0], [1.001, 100.0], false),
            ([1.0, 100.0], [2.0, 100.0], true),
            ([NAN, INF], [NAN, INF], false),
            ([NAN, INF], [1.0, INF], true),
            ([NAN, INF], [NAN, 1.0], true),
            ([NAN, INF], [NAN, -INF], true),
        ] {
            assert_eq!(
                !random(&two(one), &two(other)).is_empty(),
                is_random,
                "{one:?} and {other:?}"
            );
        }
        assert_eq!(with_nan(&two([NAN, 0.0])), ["y"]);
        assert!(with_nan(&two([INF, 0.0])).is_empty());
    }
}
