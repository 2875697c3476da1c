//! What is fed to each input when there is no data, and why.

use super::InputError;
use super::array::element_bytes;
use super::dims::{Dims, dims_of};
use super::values::{self, Flow, IndexBound, Role};
use crate::onnx::Graph;
use crate::plan::{ElementType, InputRequest, ValueRange};
use crate::record::{FedInput, FillKind, TensorInfo, ValueType};

/// Range of floating-point values: valid for images, probabilities, logarithms and roots alike.
const FLOAT_RANGE: ValueRange = ValueRange { low: 0.0, high: 1.0 };
/// Range of integers that nothing is known of: valid in any vocabulary.
const INTEGER_RANGE: ValueRange = ValueRange { low: 0.0, high: 1.0 };
/// Range of bytes with the dimensions of an image.
const PIXEL_RANGE: ValueRange = ValueRange { low: 0.0, high: 255.0 };
/// Dimensions from which on bytes are taken for pixels.
const PIXEL_RANK: usize = 3;

/// What is fed to each input of `graph`.
///
/// # Errors
/// A type cannot be fed, or `request` asks for an impossible range.
pub(super) fn fed_inputs(graph: &Graph, dims: &Dims, request: &InputRequest) -> Result<Vec<FedInput>, InputError> {
    let flow = Flow::new(graph, dims);
    let feed = |info| fed_input(info, graph, &flow, (dims, request));
    graph.inputs.iter().map(feed).collect()
}

fn fed_input(
    info: &TensorInfo,
    graph: &Graph,
    flow: &Flow<'_>,
    (dims, request): (&Dims, &InputRequest),
) -> Result<FedInput, InputError> {
    let element_type = fed_type(info)?;
    let input = info.name.clone();
    if matches!(info.value_type, ValueType::Tensor { dims: None, .. }) {
        return Err(InputError::UnknownRank { input });
    }
    let (fill, reason) = match request.ranges.get(&info.name) {
        Some(&range) => (checked_range(&input, element_type, range)?, "asked for by --range".to_owned()),
        None => {
            let bound = values::bound(flow, &info.name, element_type).filter(|_| is_number(element_type));
            let role = values::role(info, &graph.inputs, dims);
            by_role(role, bound.as_ref(), element_type, &dims.shape(info))
                .or_else(|| bound.map(by_bound))
                .unwrap_or_else(|| by_type(element_type, dims_of(info).len()))
        }
    };
    Ok(FedInput {
        name: input,
        element_type,
        dims: dims.shape(info),
        rows_per_sample: Default::default(),
        sources: Vec::new(),
        fill,
        reason,
        steers: false,
    })
}

/// Type of the elements that an input is fed.
///
/// # Errors
/// The input is no tensor, or of a type that no tensor is made of here.
pub(super) fn fed_type(info: &TensorInfo) -> Result<ElementType, InputError> {
    let input = info.name.clone();
    match &info.value_type {
        ValueType::Other(value_type) => Err(InputError::UnsupportedType { input, value_type: value_type.clone() }),
        &ValueType::Tensor { element_type, .. } => {
            let fed = element_type == ElementType::String || element_bytes(element_type).is_some();
            if fed { Ok(element_type) } else { Err(InputError::UnsupportedElements { input, element_type }) }
        }
    }
}

fn checked_range(input: &str, element_type: ElementType, range: ValueRange) -> Result<FillKind, InputError> {
    if matches!(element_type, ElementType::String) {
        return Err(InputError::RangeType { input: input.to_owned(), element_type });
    }
    let (least, most) = limits(element_type);
    let (low, high) =
        if element_type.is_float() { (range.low, range.high) } else { (range.low.ceil(), range.high.floor()) };
    if low > high || low < least || high > most {
        return Err(InputError::RangeEmpty { input: input.to_owned(), low: range.low, high: range.high, element_type });
    }
    Ok(FillKind::Uniform(range))
}

/// Largest whole number up to which a range's ends are exact.
const EXACT: f64 = (1_u64 << 53) as f64;

/// Smallest and largest value that a range of a type may have.
fn limits(element_type: ElementType) -> (f64, f64) {
    match element_type {
        ElementType::Bool => (0.0, 1.0),
        ElementType::Int8 => (f64::from(i8::MIN), f64::from(i8::MAX)),
        ElementType::Int16 => (f64::from(i16::MIN), f64::from(i16::MAX)),
        ElementType::Int32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
        ElementType::Int64 => (-EXACT, EXACT),
        ElementType::Uint8 => (0.0, f64::from(u8::MAX)),
        ElementType::Uint16 => (0.0, f64::from(u16::MAX)),
        ElementType::Uint32 => (0.0, f64::from(u32::MAX)),
        ElementType::Uint64 => (0.0, EXACT),
        ElementType::Float16 => (f64::from(half::f16::MIN), f64::from(half::f16::MAX)),
        ElementType::Bfloat16 => (f64::from(half::bf16::MIN), f64::from(half::bf16::MAX)),
        ElementType::Float => (f64::from(f32::MIN), f64::from(f32::MAX)),
        _ => (f64::MIN, f64::MAX),
    }
}

fn is_number(element_type: ElementType) -> bool {
    element_type.is_integer() || element_type.is_float()
}

fn by_role(
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

fn by_bound(bound: IndexBound) -> (FillKind, String) {
    if bound.low > bound.high {
        return (FillKind::Constant(0.0), format!("{}, where no value is safe", bound.reason));
    }
    let fill = if bound.low == bound.high {
        FillKind::Constant(bound.low)
    } else {
        FillKind::Uniform(ValueRange { low: bound.low, high: bound.high })
    };
    (fill, bound.reason)
}

fn by_type(element_type: ElementType, rank: usize) -> (FillKind, String) {
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
