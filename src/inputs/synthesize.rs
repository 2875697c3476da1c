//! Values for each input when there is no data, and why those.

use super::dims::has_rank;
use super::narrow::largest;
use super::sequence;
use super::tensor::{element_bytes, is_unsigned};
use super::values::{Fill, Values};
use super::{InputError, Result};
use crate::plan::{ElementType, InputRequest, ValueRange};
use crate::record::{FillKind, TensorInfo, ValueType};

/// Ways to fill an input, the best first; there is at least one. A range that `request` has for it
/// is the only one.
pub(super) fn fills(
    info: &TensorInfo,
    values: &Values<'_>,
    request: &InputRequest,
) -> Result<Vec<Fill>> {
    let element_type = fed_type(info)?;
    if !has_rank(info) {
        return Err(InputError::UnknownRank(info.name.exact().to_owned()));
    }
    let sequence = info.value_type.as_sequence();
    let fill = match request.ranges.get(&info.name) {
        Some(&range) => Fill {
            kind: checked_range(info.name.exact(), element_type, range)?,
            reason: "asked for by --range".to_owned(),
            steers: values.steers(info, element_type),
        },
        None if sequence.is_some() => Values::plain(element_type),
        None => return Ok(values.fills(info, element_type)),
    };
    Ok(vec![fill; sequence.map_or(1, sequence::ways)])
}

/// An error where the input is no tensor, or of a type that no tensor is made of here.
pub(super) fn fed_type(info: &TensorInfo) -> Result<ElementType> {
    let Some(element_type) = info.value_type.element_type() else {
        let value_type = match &info.value_type {
            ValueType::Other(words) => words.exact().to_owned(),
            other => format!("{other:?}"),
        };
        return Err(InputError::UnsupportedType(
            info.name.exact().to_owned(),
            value_type,
        ));
    };
    if element_type != ElementType::String && element_bytes(element_type).is_none() {
        return Err(InputError::UnsupportedElements(
            info.name.exact().to_owned(),
            element_type,
        ));
    }
    Ok(element_type)
}

fn checked_range(input: &str, element_type: ElementType, range: ValueRange) -> Result<FillKind> {
    if element_type == ElementType::String {
        return Err(InputError::RangeType(input.to_owned(), element_type));
    }
    let (least, most) = limits(element_type);
    let (low, high) = if element_type.is_float() {
        (range.low, range.high)
    } else {
        (range.low.ceil(), range.high.floor())
    };
    if low > high || low < least || high > most {
        return Err(InputError::RangeEmpty {
            input: input.to_owned(),
            low: range.low,
            high: range.high,
            element_type,
        });
    }
    Ok(FillKind::Uniform(range))
}

/// Largest whole number up to which a range's ends are exact.
const EXACT: f64 = (1_u64 << 53) as f64;

pub(super) fn limits(element_type: ElementType) -> (f64, f64) {
    let most = match element_type {
        ElementType::Bool => return (0.0, 1.0),
        whole if whole.is_integer() => {
            let (least, most) = whole_limits(whole);
            return ((least as f64).max(-EXACT), (most as f64).min(EXACT));
        }
        // Powers of two alone.
        ElementType::Float8e8m0 => return (0.0, f64::from(f32::MAX)),
        ElementType::Float16 => half::f16::MAX.into(),
        ElementType::Bfloat16 => half::bf16::MAX.into(),
        ElementType::Float => f32::MAX.into(),
        other => largest(other).unwrap_or(f64::MAX),
    };
    (-most, most)
}

/// Smallest and largest whole number that a type of whole numbers or truth values holds, exactly.
pub(super) fn whole_limits(element_type: ElementType) -> (i128, i128) {
    let bits = element_type.bits().filter(|_| element_type.is_integer());
    match bits {
        None => (0, 1),
        Some(bits) if is_unsigned(element_type) => (0, (1 << bits) - 1),
        Some(bits) => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
    }
}
