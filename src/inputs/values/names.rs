//! What an input's name says about its values.

use super::super::dims::dims_of;
use super::Shapes;
use crate::record::{Dim, TensorInfo};

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
    let name = info.name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["token_type", "segment_id"]) {
        return Some(Role::TokenType);
    }
    if has(&["position_id", "pos_id", "positions"]) {
        return Some(Role::Position);
    }
    if has(&["mask"]) {
        return Some(Role::Mask);
    }
    let ends = ["length", "lengths", "len", "lens"].iter().any(|end| name.ends_with(end));
    let small = dims_of(info).iter().skip(1).all(|dim| *dim == Dim::Fixed(1));
    if ends && small { length(info, inputs, shapes).map(Role::Length) } else { None }
}

/// Size of the dimension that a length counts along: of the input that it is named after, else of the first input
/// that has an open dimension, else of the first that has any beside the batch.
pub(super) fn length(info: &TensorInfo, inputs: &[TensorInfo], shapes: &Shapes) -> Option<u64> {
    let others: Vec<&TensorInfo> = inputs.iter().filter(|other| other.name != info.name).collect();
    let stem = info.name.rsplit_once('_').map(|(stem, _)| stem);
    let named = stem.and_then(|stem| others.iter().find(|other| other.name.starts_with(stem)));
    if let Some(size) = named.and_then(|other| open_size(other, shapes).or_else(|| any_size(other, shapes))) {
        return Some(size);
    }
    others
        .iter()
        .find_map(|other| open_size(other, shapes))
        .or_else(|| others.iter().find_map(|other| any_size(other, shapes)))
}

fn open_size(info: &TensorInfo, shapes: &Shapes) -> Option<u64> {
    let open = |axis: &usize| !matches!(dims_of(info)[*axis], Dim::Fixed(_));
    (0..dims_of(info).len()).filter(open).find_map(|axis| size(info, axis, shapes))
}

fn size(info: &TensorInfo, axis: usize, shapes: &Shapes) -> Option<u64> {
    shapes.get(&info.name).and_then(|shape| *shape.get(axis)?)
}

fn any_size(info: &TensorInfo, shapes: &Shapes) -> Option<u64> {
    (0..dims_of(info).len()).find_map(|axis| size(info, axis, shapes))
}
