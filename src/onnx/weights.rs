//! Which stored tensors count as weights, and which files hold them.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use super::{ExternalRange, Graph, Model, Node, OnnxError, StoredTensor, inlined};
use crate::matrix_operator::MatrixOperator;
use crate::plan::ElementType;
use crate::record::WeightBytes;
use crate::units::Bytes;

/// A tensor made by a `Constant` node counts as a weight from this many elements on: smaller ones
/// are shapes, axes and scalars. (Files of IR version 3 and tests of the standard keep all their
/// weights in such nodes.)
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

/// Weights of at least two dimensions that convolutions, products, attention and recurrent layers
/// read, in the order of their inputs, by the name of the node; quantized ones behind the node that
/// dequantizes them too. Nodes whose name another node has are left out.
#[must_use]
pub fn of_nodes(model: &Model) -> BTreeMap<String, Vec<StoredTensor>> {
    let graph = inlined(model);
    let nodes = graph.all_nodes();
    let stored = stored(&graph);
    let mut tensors: HashMap<&str, &StoredTensor> = stored
        .iter()
        .map(|tensor| (tensor.name.as_str(), tensor))
        .collect();
    for node in &nodes {
        let input = node
            .inputs
            .first()
            .and_then(|name| tensors.get(name.as_str()));
        if let (Some(&tensor), Some(output)) = (input, node.outputs.first())
            && node.operator == "DequantizeLinear"
        {
            tensors.insert(output, tensor);
        }
    }
    let mut found: BTreeMap<&str, Option<Vec<StoredTensor>>> = BTreeMap::new();
    for node in nodes {
        let weights = weights_of(node, &tensors);
        found
            .entry(&node.name)
            .and_modify(|known| *known = None)
            .or_insert(Some(weights));
    }
    found
        .into_iter()
        .filter_map(|(name, weights)| Some((name.to_owned(), weights?)))
        .filter(|(name, weights)| !name.is_empty() && !weights.is_empty())
        .collect()
}

fn weights_of(node: &Node, tensors: &HashMap<&str, &StoredTensor>) -> Vec<StoredTensor> {
    if MatrixOperator::of(&node.operator).is_none() {
        return Vec::new();
    }
    node.inputs
        .iter()
        .filter_map(|name| tensors.get(name.as_str()).copied())
        .filter(|tensor| tensor.dims.len() > 1)
        .cloned()
        .collect()
}

/// The files that hold the model's weights outside its own, with their sizes.
pub(super) fn external_files(model: &Model) -> Result<BTreeMap<PathBuf, Bytes>, OnnxError> {
    let folder = model.path.parent().unwrap_or(Path::new(""));
    let mut files = BTreeMap::new();
    for weight in stored(&model.graph) {
        let Some(range) = &weight.external else {
            continue;
        };
        let file = folder.join(&range.location);
        let found = files
            .get(&file)
            .map_or_else(|| size(&file), |&size| Ok(size));
        let (path, end) = (model.path.clone(), end(&weight, range));
        match found {
            Ok(Bytes(size_bytes)) if end > size_bytes => {
                return Err(OnnxError::ExternalShort {
                    path,
                    weight: weight.name,
                    file,
                    end,
                    size_bytes,
                });
            }
            Ok(size) => drop(files.insert(file, size)),
            Err(source) => {
                return Err(OnnxError::ExternalFile {
                    path,
                    weight: weight.name,
                    file,
                    source,
                });
            }
        }
    }
    Ok(files)
}

fn size(file: &Path) -> io::Result<Bytes> {
    let found = std::fs::metadata(file)?;
    match found.is_file() {
        true => Ok(Bytes(found.len())),
        false => Err(io::Error::other("not a file")),
    }
}

/// Where a weight ends.
fn end(weight: &StoredTensor, range: &ExternalRange) -> u64 {
    let length = range.length.unwrap_or_else(|| weight.bytes());
    range.offset.saturating_add(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::testing::{nodes, stored, tensor};

    #[test]
    fn weights_of_a_node_are_found_by_its_name_also_behind_dequantizing() {
        let lines = [
            "v = DequantizeLinear q scale",
            "c = Conv x v bias",
            "y = LSTM c w r",
            "z = Relu w",
            "p = MatMul x y",
        ];
        let mut model = Model {
            graph: Graph {
                nodes: nodes(&lines),
                initializers: vec![
                    stored("q", ElementType::Int8, &[8, 3, 3, 3], None),
                    tensor("scale", &[], None),
                    tensor("bias", &[8], None),
                    tensor("w", &[1, 64, 8], None),
                    tensor("r", &[1, 64, 16], None),
                ],
                ..Graph::default()
            },
            ..Model::default()
        };
        let found: Vec<(String, Vec<u64>)> = of_nodes(&model)
            .into_iter()
            .map(|(name, weights)| (name, weights.iter().map(StoredTensor::bytes).collect()))
            .collect();
        let expected = [
            ("Conv_c".to_owned(), vec![216]),
            ("LSTM_y".to_owned(), vec![4 * 512, 4 * 1024]),
        ];
        assert_eq!(found, expected);
        for node in &mut model.graph.nodes {
            node.name = "same".into();
        }
        assert!(of_nodes(&model).is_empty());
    }
}
