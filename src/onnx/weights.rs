//! Which stored tensors count as weights.

use std::collections::BTreeMap;

use super::{Graph, StoredTensor};
use crate::plan::ElementType;
use crate::record::WeightBytes;
use crate::units::Bytes;

/// A tensor made by a `Constant` node counts as a weight from this many elements on: smaller ones are shapes, axes and
/// scalars. (Files of IR version 3 and tests of the standard keep all their weights in such nodes.)
const CONSTANT_WEIGHT_ELEMENTS: u64 = 64;

/// Every stored tensor that counts as a weight, those of inner graphs included.
pub(super) fn stored(graph: &Graph) -> Vec<StoredTensor> {
    let mut weights = Vec::new();
    for graph in graph.all_graphs() {
        weights.extend(graph.initializers.iter().cloned());
        let constants = graph.nodes.iter().filter_map(|node| node.constant());
        weights.extend(constants.filter(|tensor| tensor.elements() >= CONSTANT_WEIGHT_ELEMENTS));
    }
    weights
}

/// Weights by element type, the largest share of bytes first.
pub(super) fn by_type(graph: &Graph) -> Vec<WeightBytes> {
    let mut totals: BTreeMap<ElementType, (u64, u64)> = BTreeMap::new();
    for weight in stored(graph) {
        let (elements, bytes) = totals.entry(weight.element_type).or_default();
        *elements = elements.saturating_add(weight.elements());
        *bytes = bytes.saturating_add(weight.bytes());
    }
    let mut rows: Vec<WeightBytes> = totals
        .into_iter()
        .map(|(element_type, (elements_count, bytes))| WeightBytes {
            element_type,
            elements_count,
            bytes: Bytes(bytes),
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.bytes));
    rows
}
