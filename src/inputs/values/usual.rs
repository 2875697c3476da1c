//! Values by an input's name, bound and type.

use super::{ElementType, FillKind, IndexBound, Shapes, TensorInfo, dims_of, limits};
use crate::plan::ValueRange;
use crate::record::Dim;

/// Range of floating-point values: valid for images, probabilities, logarithms and roots alike.
const FLOAT_RANGE: ValueRange = ValueRange {
    low: 0.0,
    high: 1.0,
};
/// Range of integers that nothing is known of: valid in any vocabulary.
const INTEGER_RANGE: ValueRange = ValueRange {
    low: 0.0,
    high: 1.0,
};
const PIXEL_RANGE: ValueRange = ValueRange {
    low: 0.0,
    high: 255.0,
};
/// Dimensions from which on bytes are taken for pixels.
const PIXEL_RANK: usize = 3;

/// The meaning of an input's values, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Says which elements count.
    Mask,
    /// Says which of two texts a token belongs to.
    TokenType,
    Position,
    /// How many elements count; this many, which are all.
    Length(u64),
}

impl Role {
    pub fn steers(self) -> bool {
        matches!(self, Role::Mask | Role::Length(_))
    }
}

pub(super) fn role(info: &TensorInfo, inputs: &[TensorInfo], shapes: &Shapes) -> Option<Role> {
    let name = info.name.exact().to_lowercase();
    if has_any(&name, &["token_type", "segment_id"]) {
        return Some(Role::TokenType);
    }
    if has_any(&name, &["position_id", "pos_id", "positions"]) {
        return Some(Role::Position);
    }
    if has_any(&name, &["mask"]) {
        return Some(Role::Mask);
    }
    if is_named_length(&name) && is_one_a_sample(info) {
        length(info, inputs, shapes).map(Role::Length)
    } else {
        None
    }
}

fn has_any(name: &str, words: &[&str]) -> bool {
    words.iter().any(|word| name.contains(word))
}

fn is_named_length(name: &str) -> bool {
    ["length", "lengths", "len", "lens"]
        .iter()
        .any(|end| name.ends_with(end))
}

fn is_one_a_sample(info: &TensorInfo) -> bool {
    let mut others = dims_of(info).iter().skip(1);
    others.all(|dim| *dim == Dim::Fixed(1))
}

/// Size of the dimension that a length counts along: of the input that it is named after, else of
/// the first input that has an open dimension, else of the first that has any beside the batch.
pub(super) fn length(info: &TensorInfo, inputs: &[TensorInfo], shapes: &Shapes) -> Option<u64> {
    let others: Vec<&TensorInfo> = inputs
        .iter()
        .filter(|other| other.name != info.name)
        .collect();
    let stem = info.name.exact().rsplit_once('_').map(|(stem, _)| stem);
    let named = stem.and_then(|stem| others.iter().find(|other| other.name.starts_with(stem)));
    let of_named =
        named.and_then(|other| open_size(other, shapes).or_else(|| any_size(other, shapes)));
    of_named
        .or_else(|| others.iter().find_map(|other| open_size(other, shapes)))
        .or_else(|| others.iter().find_map(|other| any_size(other, shapes)))
}

fn open_size(info: &TensorInfo, shapes: &Shapes) -> Option<u64> {
    (0..dims_of(info).len())
        .filter(|&axis| !matches!(dims_of(info)[axis], Dim::Fixed(_)))
        .find_map(|axis| size(info, axis, shapes))
}

fn size(info: &TensorInfo, axis: usize, shapes: &Shapes) -> Option<u64> {
    shapes
        .get(info.name.exact())
        .and_then(|shape| *shape.get(axis)?)
}

fn any_size(info: &TensorInfo, shapes: &Shapes) -> Option<u64> {
    (0..dims_of(info).len()).find_map(|axis| size(info, axis, shapes))
}

pub(super) fn is_number(element_type: ElementType) -> bool {
    element_type.is_integer() || element_type.is_float()
}

pub(super) fn by_role(
    role: Option<Role>,
    bound: Option<&IndexBound>,
    element_type: ElementType,
    shape: &[Option<u64>],
) -> Option<(FillKind, String)> {
    let high = bound
        .map_or(f64::INFINITY, |bound| bound.high)
        .min(limits(element_type).1);
    let low = bound.map_or(f64::NEG_INFINITY, |bound| bound.low);
    let safe = low..=high;
    let places = shape.last().copied().flatten().unwrap_or(1) as f64;
    let whole = element_type.is_integer();
    match role? {
        _ if element_type == ElementType::String => None,
        Role::Mask if safe.contains(&1.0) => Some((
            FillKind::Constant(1.0),
            "a mask by its name: everything counts".to_owned(),
        )),
        Role::TokenType if whole && safe.contains(&0.0) => Some((
            FillKind::Constant(0.0),
            "token types by its name: all of the first text".to_owned(),
        )),
        Role::Position if whole && safe.contains(&0.0) && safe.contains(&(places - 1.0)) => {
            Some((FillKind::Ascending, "position ids by its name".to_owned()))
        }
        Role::Length(size) if whole && safe.contains(&(size as f64)) => {
            let reason = format!("a length by its name: the whole dimension of {size}");
            Some((FillKind::Constant(size as f64), reason))
        }
        _ => None,
    }
}

pub(super) fn by_bound(bound: &IndexBound) -> (FillKind, String) {
    let reason = bound.reason.clone();
    if bound.low > bound.high {
        return (
            FillKind::Constant(0.0),
            format!("{reason}, where no value is safe"),
        );
    }
    let fill = if bound.low == bound.high || !bound.indexes {
        FillKind::Constant(bound.high)
    } else {
        FillKind::Uniform(ValueRange {
            low: bound.low,
            high: bound.high,
        })
    };
    (fill, reason)
}

pub(super) fn by_type(element_type: ElementType, rank: usize) -> (FillKind, String) {
    match element_type {
        ElementType::String => (FillKind::Text, "strings of a few letters".to_owned()),
        ElementType::Bool => (
            FillKind::Constant(1.0),
            "truth values are true by default".to_owned(),
        ),
        ElementType::Uint8 if rank >= PIXEL_RANK => (
            FillKind::Uniform(PIXEL_RANGE),
            "bytes with the dimensions of an image: pixels".to_owned(),
        ),
        integer if integer.is_integer() => {
            let reason =
                "no operator that indexes by it was found: 0 and 1 are valid in any vocabulary"
                    .to_owned();
            (FillKind::Uniform(INTEGER_RANGE), reason)
        }
        _ => (
            FillKind::Uniform(FLOAT_RANGE),
            "floating-point values are uniform in 0..1 by default".to_owned(),
        ),
    }
}
