//! What `inspect` shows and the record keeps of a model.

use std::collections::BTreeMap;

use super::{Model, branches, precision, quantization, weights};
use crate::record::{BatchAxis, BatchProof, ModelSummary};
use crate::units::Bytes;

/// What the file says, as the record keeps it. Where samples of a batch lie is for those to add who decide what is fed.
#[must_use]
pub fn summary(model: &Model) -> ModelSummary {
    let weights = weights::by_type(&model.graph);
    let external: u64 = model.external_files.values().map(|bytes| bytes.0).sum();
    ModelSummary {
        ir_version: model.ir_version,
        opsets: model.opsets.clone(),
        producer: model.producer.clone(),
        graph_name: Some(model.graph.name.clone()).filter(|name| !name.is_empty()),
        inputs: model.graph.inputs.clone(),
        outputs: model.graph.outputs.clone(),
        batch_axis: BatchAxis::none(BatchProof::Untried),
        operators: operators(model),
        side_by_side_count: Some(branches::side_by_side(&model.graph)),
        precision: precision::precision(model, &weights),
        quantization: Some(quantization::quantization(model)),
        weights,
        model_file_bytes: model.model_file_bytes,
        external_files: model.external_files.clone(),
        file_size_bytes: Bytes(model.model_file_bytes.0 + external),
    }
}

/// Nodes by operator, those of inner graphs and of the model's own functions included.
fn operators(model: &Model) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for graph in std::iter::once(&model.graph).chain(model.functions.iter().map(|function| &function.body)) {
        for node in graph.all_nodes() {
            *counts.entry(node.qualified_operator()).or_insert(0) += 1;
        }
    }
    counts
}
