//! Values for each input when there is no data, and why those.

use super::InputError;
use super::narrow::largest;
use super::sequence;
use super::tensor::{element_bytes, is_unsigned};
use super::values::{Fill, Values};
use crate::plan::{ElementType, InputRequest, ValueRange};
use crate::record::{FedInput, FillKind, TensorInfo, ValueType};

pub(super) fn fed_input(
    info: &TensorInfo,
    element_type: ElementType,
    dims: Vec<Option<u64>>,
    fill: Fill,
) -> FedInput {
    let Fill {
        kind,
        reason,
        steers,
    } = fill;
    FedInput {
        reason: reason.into(),
        steers,
        ..FedInput::new(info.name.exact(), element_type, dims, kind)
    }
}

/// Ways to fill an input, the best first; there is at least one. A range that `request` has for it
/// is the only one.
pub(super) fn fills(
    info: &TensorInfo,
    values: &Values<'_>,
    request: &InputRequest,
) -> Result<Vec<Fill>, InputError> {
    let element_type = fed_type(info)?;
    let sequence = info.value_type.as_sequence();
    if matches!(info.value_type.as_tensor(), Some((_, None))) {
        return Err(InputError::UnknownRank(info.name.exact().to_owned()));
    }
    let ways = sequence.map_or(1, sequence::ways);
    match request.ranges.get(info.name.exact()) {
        Some(&range) => {
            let fill = asked_for(info, element_type, range, values)?;
            Ok(vec![fill; ways])
        }
        None if sequence.is_some() => Ok(vec![Values::plain(element_type); ways]),
        None => Ok(values.fills(info, element_type)),
    }
}

fn asked_for(
    info: &TensorInfo,
    element_type: ElementType,
    range: ValueRange,
    values: &Values<'_>,
) -> Result<Fill, InputError> {
    Ok(Fill {
        kind: checked_range(info.name.exact(), element_type, range)?,
        reason: "asked for by --range".to_owned(),
        steers: values.steers(info, element_type),
    })
}

/// An error where the input is no tensor, or of a type that no tensor is made of here.
pub(super) fn fed_type(info: &TensorInfo) -> Result<ElementType, InputError> {
    let input = info.name.exact().to_owned();
    let Some(element_type) = info.value_type.element_type() else {
        let value_type = match &info.value_type {
            ValueType::Other(words) => words.exact().to_owned(),
            other => format!("{other:?}"),
        };
        return Err(InputError::UnsupportedType(input, value_type));
    };
    let fed = element_type == ElementType::String || element_bytes(element_type).is_some();
    if fed {
        Ok(element_type)
    } else {
        Err(InputError::UnsupportedElements(input, element_type))
    }
}

fn checked_range(
    input: &str,
    element_type: ElementType,
    range: ValueRange,
) -> Result<FillKind, InputError> {
    if matches!(element_type, ElementType::String) {
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
    match element_type {
        ElementType::Bool => (0.0, 1.0),
        whole if whole.is_integer() => {
            let (least, most) = whole_limits(whole);
            ((least as f64).max(-EXACT), (most as f64).min(EXACT))
        }
        ElementType::Float16 => (f64::from(half::f16::MIN), f64::from(half::f16::MAX)),
        ElementType::Bfloat16 => (f64::from(half::bf16::MIN), f64::from(half::bf16::MAX)),
        ElementType::Float => (f64::from(f32::MIN), f64::from(f32::MAX)),
        // Powers of two alone.
        ElementType::Float8e8m0 => (0.0, f64::from(f32::MAX)),
        other => largest(other).map_or((f64::MIN, f64::MAX), |most| (-most, most)),
    }
}

/// Smallest and largest whole number that a type of whole numbers or truth values holds, exactly.
pub(super) fn whole_limits(element_type: ElementType) -> (i128, i128) {
    match element_type.bits() {
        Some(bits) if element_type.is_integer() && is_unsigned(element_type) => {
            (0, (1 << bits) - 1)
        }
        Some(bits) if element_type.is_integer() => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
        _ => (0, 1),
    }
}
