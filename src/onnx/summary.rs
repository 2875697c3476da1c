//! What `inspect` shows and the record keeps of a model.

use std::collections::BTreeMap;

use super::{Model, branches, inlined, precision, quantization, weights};
use crate::record::{BatchAxis, BatchProof, ModelSummary};
use crate::units::Bytes;

/// The file's content as the record keeps it. Where samples of a batch lie is for those to add who decide what is fed.
#[must_use]
pub fn summary(model: &Model) -> ModelSummary {
    let weights = weights::by_type(&model.graph);
    let external: Bytes = model.external_files.values().copied().sum();
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
        file_size_bytes: [model.model_file_bytes, external].into_iter().sum(),
    }
}

/// Nodes by operator, those of inner graphs included, and those of the model's own functions once for each call.
fn operators(model: &Model) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for node in inlined(model).all_nodes() {
        *counts.entry(node.qualified_operator()).or_insert(0) += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::super::{Function, Graph};
    use super::*;
    use crate::onnx::testing::node;

    #[test]
    fn nodes_of_a_function_count_once_for_each_call() {
        let body = Graph { name: "Soft".into(), nodes: vec![node("Exp", &["a"], "b")], ..Graph::default() };
        let (inputs, outputs) = (vec!["a".to_owned()], vec!["b".to_owned()]);
        let function = Function { domain: "own".into(), inputs, outputs, defaults: Vec::new(), body };
        let calls = [("x", "t"), ("t", "u"), ("u", "y")].map(|(from, to)| node("own.Soft", &[from], to));
        let graph = Graph { nodes: [&calls[..], &[node("Neg", &["y"], "z")]].concat(), ..Graph::default() };
        let model = Model { graph, functions: vec![function], ..Model::default() };
        assert_eq!(operators(&model), BTreeMap::from([("Exp".to_owned(), 3), ("Neg".to_owned(), 1)]));
    }
}
