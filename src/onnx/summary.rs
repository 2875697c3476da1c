//! Summary of a model that `inspect` shows and the record keeps.

use std::collections::{BTreeMap, HashMap};

use super::{Graph, Model, Node, inlined, precision, quantization, weights};
use crate::record::{BatchAxis, BatchProof, ModelSummary};
use crate::text::Plain;
use crate::units::Bytes;

/// The file's content as the record keeps it. Where samples of a batch lie is for those to add who
/// decide what is fed.
#[must_use]
pub fn summary(model: &Model) -> ModelSummary {
    let weights = weights::by_type(&model.graph);
    let external: Bytes = model.external_files.values().copied().sum();
    ModelSummary {
        ir_version: model.ir_version,
        opsets: model.opsets.clone(),
        producer: model.producer.clone().map(Plain::from),
        graph_name: Some(model.graph.name.clone())
            .filter(|name| !name.is_empty())
            .map(Plain::from),
        inputs: model.graph.inputs.clone(),
        outputs: model.graph.outputs.clone(),
        batch_axis: BatchAxis::none(BatchProof::Untried),
        operators: operators(model),
        side_by_side_count: Some(side_by_side(&model.graph)),
        precision: precision::precision(model, &weights),
        quantization: Some(quantization::quantization(model)),
        weights,
        model_file_bytes: model.model_file_bytes,
        external_files: model.external_files.clone(),
        file_size_bytes: [model.model_file_bytes, external].into_iter().sum(),
    }
}

/// Nodes by operator, those of inner graphs included, and those of the model's own functions once
/// for each call.
fn operators(model: &Model) -> BTreeMap<Plain, u64> {
    let mut counts = BTreeMap::new();
    for node in inlined(model).all_nodes() {
        *counts.entry(node.qualified_operator().into()).or_insert(0) += 1;
    }
    counts
}

/// Operators that make of a value what depends on its shape alone: not worth a thread, and known
/// before an inference.
const OF_SHAPES: [&str; 2] = ["Shape", "Size"];

/// The most nodes of a graph that are as many nodes away from its inputs as each other, so that
/// none waits for another; nodes that depend on weights and shapes alone are left out, and graphs
/// within nodes are not looked into.
fn side_by_side(graph: &Graph) -> u64 {
    // Distance from the inputs by value; a constant has none.
    let mut distances: HashMap<&str, Option<u64>> = graph
        .initializers
        .iter()
        .map(|tensor| (tensor.name.as_str(), None))
        .collect();
    let mut nodes_at: BTreeMap<u64, u64> = BTreeMap::new();
    for node in &graph.nodes {
        let distance = distance(node, &distances);
        if let Some(distance) = distance {
            *nodes_at.entry(distance).or_default() += 1;
        }
        let outputs = node.outputs.iter().filter(|name| !name.is_empty());
        distances.extend(outputs.map(|name| (name.as_str(), distance)));
    }
    nodes_at.into_values().max().unwrap_or(0)
}

/// How far a node is from the inputs; `None` if it depends on constants alone.
fn distance(node: &Node, distances: &HashMap<&str, Option<u64>>) -> Option<u64> {
    if node.is_standard() && OF_SHAPES.contains(&node.operator.as_str()) {
        return None;
    }
    let inputs = node.inputs.iter().filter(|name| !name.is_empty());
    // What no node makes is an input.
    inputs
        .filter_map(|name| distances.get(name.as_str()).copied().unwrap_or(Some(0)))
        .max()
        .map(|before| before + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::testing::{function, nodes, tensor};

    #[test]
    fn nodes_of_a_function_count_once_for_each_call() {
        let function = function("b = Soft a", nodes(&["b = Exp a"]));
        let calls = ["t = own.Soft x", "u = own.Soft t", "y = own.Soft u"];
        let model = Model {
            graph: graph(&[&calls[..], &["z = Neg y"]].concat()),
            functions: vec![function],
            ..Model::default()
        };
        assert_eq!(
            operators(&model),
            BTreeMap::from([("Exp".into(), 3), ("Neg".into(), 1)])
        );
    }

    fn graph(lines: &[&str]) -> Graph {
        Graph {
            nodes: nodes(lines),
            initializers: vec![tensor("w", &[1], None)],
            ..Graph::default()
        }
    }

    #[test]
    fn a_chain_has_nothing_beside_it() {
        let chain = ["a = Conv x w", "b = Relu a", "y = Add a b"];
        assert_eq!(side_by_side(&graph(&chain)), 1);
        assert_eq!(side_by_side(&graph(&[])), 0);
    }

    #[test]
    fn branches_count_and_constants_and_shapes_do_not() {
        let branches = [
            "v = DequantizeLinear w",
            "a = Conv x v",
            "s = Shape x",
            "g = Gather s w",
            "b = Conv x _ w",
            "c = Conv x w",
            "d = Concat a b c",
            "y = Reshape d g",
        ];
        assert_eq!(side_by_side(&graph(&branches)), 3);
    }
}
