//! Sizes of what operators make, family by family.
//!
//! Each family answers for its own operators and says nothing of others. What it cannot tell is
//! unknown, never a guess.

mod elementwise;
mod images;
mod learned;
mod places;
mod products;
mod reductions;
mod reshapes;
mod slices;
mod steps;
mod windows;

pub(super) use reshapes::shape_range;
pub(super) use slices::{Cut, cuts};

use super::known::{Known, Side};
use super::value::{Call, Dims, from_start, number, owned, product, unknown};
use super::{DimRole, Expr, Relation, roles};
use crate::onnx::AttributeValue;

const DOMAINS: [&str; 5] = [
    "",
    "ai.onnx",
    "com.microsoft",
    "com.microsoft.nchwc",
    "ai.onnx.ml",
];

/// Sizes of a node's outputs; absent for an operator that no family knows. Fewer than the node has:
/// the rest is unknown.
pub(super) fn dims(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    if !is_domain_known(&call.node.domain) {
        return None;
    }
    if call.node.domain == "ai.onnx.ml" {
        return learned::dims(call, known);
    }
    let families = [
        elementwise::dims,
        reshapes::dims,
        places::dims,
        slices::dims,
        products::dims,
        reductions::dims,
        windows::dims,
        images::dims,
        steps::dims,
    ];
    families.iter().find_map(|family| family(call, known))
}

pub(super) fn is_domain_known(domain: &str) -> bool {
    DOMAINS.contains(&domain)
}
