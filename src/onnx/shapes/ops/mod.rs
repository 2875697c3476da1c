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

pub(super) use slices::Cut;

use super::expr::{Expr, number};
use super::known::Side;
use super::value::{Call, Dims, Made, axes, axis, from_start, len, numbers, product, unknown};
use super::{DimRole, Relation};

const DOMAINS: [&str; 5] = [
    "",
    "ai.onnx",
    "com.microsoft",
    "com.microsoft.nchwc",
    "ai.onnx.ml",
];

/// Sizes of a node's outputs; absent for an operator that no family knows. Fewer than the node has:
/// the rest is unknown.
pub(super) fn dims(call: &Call<'_>) -> Made {
    if !is_domain_known(&call.node.domain) {
        return None;
    }
    if call.node.domain == "ai.onnx.ml" {
        return call.learned();
    }
    let families = [
        Call::elementwise,
        Call::reshaped,
        Call::picked,
        Call::cut,
        Call::multiplied,
        Call::reduced,
        Call::slid,
        Call::imaged,
        Call::stepped,
    ];
    families.iter().find_map(|family| family(call))
}

pub(super) fn is_domain_known(domain: &str) -> bool {
    DOMAINS.contains(&domain)
}
