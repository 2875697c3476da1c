//! Values by an input's name, bound and type.

use super::super::synthesize::limits;
use super::bound::IndexBound;
use super::names::Role;
use crate::plan::{ElementType, ValueRange};
use crate::record::FillKind;

/// Range of floating-point values: valid for images, probabilities, logarithms and roots alike.
const FLOAT_RANGE: ValueRange = ValueRange { low: 0.0, high: 1.0 };
/// Range of integers that nothing is known of: valid in any vocabulary.
const INTEGER_RANGE: ValueRange = ValueRange { low: 0.0, high: 1.0 };
/// Range of bytes with the dimensions of an image.
const PIXEL_RANGE: ValueRange = ValueRange { low: 0.0, high: 255.0 };
/// Dimensions from which on bytes are taken for pixels.
const PIXEL_RANK: usize = 3;

pub(super) fn is_number(element_type: ElementType) -> bool {
    element_type.is_integer() || element_type.is_float()
}

pub(super) fn by_role(
    role: Option<Role>,
    bound: Option<&IndexBound>,
    element_type: ElementType,
    shape: &[Option<u64>],
) -> Option<(FillKind, String)> {
    let high = bound.map_or(f64::INFINITY, |bound| bound.high).min(limits(element_type).1);
    let low = bound.map_or(f64::NEG_INFINITY, |bound| bound.low);
    let safe = |value: f64| (low..=high).contains(&value);
    let places = shape.last().copied().flatten().unwrap_or(1) as f64;
    let whole = element_type.is_integer();
    match role? {
        _ if element_type == ElementType::String => None,
        Role::Mask if safe(1.0) => Some((FillKind::Constant(1.0), "a mask by its name: everything counts".to_owned())),
        Role::TokenType if whole && safe(0.0) => {
            Some((FillKind::Constant(0.0), "token types by its name: all of the first text".to_owned()))
        }
        Role::Position if whole && safe(0.0) && safe(places - 1.0) => {
            Some((FillKind::Ascending, "position ids by its name".to_owned()))
        }
        Role::Length(size) if whole && safe(size as f64) => {
            let reason = format!("a length by its name: the whole dimension of {size}");
            Some((FillKind::Constant(size as f64), reason))
        }
        _ => None,
    }
}

pub(super) fn by_bound(bound: &IndexBound) -> (FillKind, String) {
    let reason = bound.reason.clone();
    if bound.low > bound.high {
        return (FillKind::Constant(0.0), format!("{reason}, where no value is safe"));
    }
    let fill = if bound.low == bound.high || !bound.indexes {
        FillKind::Constant(bound.high)
    } else {
        FillKind::Uniform(ValueRange { low: bound.low, high: bound.high })
    };
    (fill, reason)
}

pub(super) fn by_type(element_type: ElementType, rank: usize) -> (FillKind, String) {
    match element_type {
        ElementType::String => (FillKind::Text, "strings of a few letters".to_owned()),
        ElementType::Bool => (FillKind::Constant(1.0), "truth values are true by default".to_owned()),
        ElementType::Uint8 if rank >= PIXEL_RANK => {
            (FillKind::Uniform(PIXEL_RANGE), "bytes with the dimensions of an image: pixels".to_owned())
        }
        integer if integer.is_integer() => {
            let reason = "no operator that indexes by it was found: 0 and 1 are valid in any vocabulary".to_owned();
            (FillKind::Uniform(INTEGER_RANGE), reason)
        }
        _ => (FillKind::Uniform(FLOAT_RANGE), "floating-point values are uniform in 0..1 by default".to_owned()),
    }
}
