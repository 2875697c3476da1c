//! What is found quantized, and what it sums up to.

use std::collections::BTreeMap;

use super::scheme::Scheme;
use crate::plan::ElementType;
use crate::record::{Granularity, Quantization, QuantizationFormat};

#[derive(Default)]
pub(super) struct Found {
    pub(super) weights: Vec<Scheme>,
    pub(super) activations: Vec<Scheme>,
    pub(super) pairs: u64,
    pub(super) qoperators: u64,
    pub(super) dynamic: u64,
    pub(super) qdq: u64,
    pub(super) weight_only: u64,
    pub(super) half: Vec<ElementType>,
    pub(super) full: u64,
    /// Matrix nodes in floating point without a weight, whose type is that of the others.
    pub(super) weightless: u64,
}

impl Found {
    pub(super) fn summed_up(self) -> Quantization {
        let format = self.format();
        let half = self.half.len() as u64 + self.weightless;
        let (half, full, weights) = match format {
            QuantizationFormat::Float16 => (half, self.full, commonest(self.half)),
            _ => (0, self.full + half, types(&self.weights)),
        };
        Quantization {
            format,
            weights,
            activations: types(&self.activations),
            granularity: granularity(&self.weights),
            weights_symmetric: symmetric(&self.weights),
            activations_symmetric: symmetric(&self.activations)
                .filter(|_| format != QuantizationFormat::Dynamic),
            reduced_matrix_nodes_count: self.qoperators
                + self.dynamic
                + self.qdq
                + self.weight_only
                + half,
            full_precision_matrix_nodes_count: full,
            qdq_pairs_count: self.pairs,
        }
    }

    /// The way in which most matrix nodes are quantized.
    fn format(&self) -> QuantizationFormat {
        let ways = [
            (self.qdq, QuantizationFormat::Qdq),
            (self.qoperators, QuantizationFormat::QOperator),
            (self.dynamic, QuantizationFormat::Dynamic),
            (self.weight_only, QuantizationFormat::WeightOnly),
        ];
        let most = ways.into_iter().rev().max_by_key(|(count, _)| *count);
        match most {
            Some((1.., format)) => format,
            _ if self.half.len() as u64 > self.full => QuantizationFormat::Float16,
            _ if self.pairs > 0 => QuantizationFormat::Qdq,
            _ => QuantizationFormat::None,
        }
    }
}

fn types(schemes: &[Scheme]) -> Option<ElementType> {
    commonest(schemes.iter().map(|scheme| scheme.element_type))
}

fn commonest(types: impl IntoIterator<Item = ElementType>) -> Option<ElementType> {
    let mut counts: BTreeMap<ElementType, u64> = BTreeMap::new();
    for element_type in types {
        *counts.entry(element_type).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(element_type, _)| element_type)
}

fn granularity(schemes: &[Scheme]) -> Option<Granularity> {
    let first = schemes.first()?.granularity;
    let same = schemes.iter().all(|scheme| scheme.granularity == first);
    Some(if same { first } else { Granularity::Mixed })
}

/// Whether all are symmetric; unknown where nothing is known to be asymmetric, and something is
/// unknown.
fn symmetric(schemes: &[Scheme]) -> Option<bool> {
    if schemes.iter().any(|scheme| scheme.symmetric == Some(false)) {
        return Some(false);
    }
    schemes.iter().map(|scheme| scheme.symmetric).min()?
}
