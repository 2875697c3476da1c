//! Weights of nodes as the model file has them, where a trace leaves them out.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::protocol::NodeWeight;
use crate::record::{NodeProfile, Profiled, TensorShape};
use crate::text::Plain;

/// The nodes with the weights of the file's node of the same name, as far as the trace lacks them:
/// a kernel that packed a weight for itself leaves it out. They stand second, where weights do.
pub(super) fn with_weights(
    operators: Profiled,
    of_file: &BTreeMap<Plain, Vec<NodeWeight>>,
) -> Profiled {
    let nodes = operators.nodes.into_iter().map(|mut node| {
        if let Some(weights) = of_file.get(&node.name) {
            add(&mut node, weights);
        }
        node
    });
    Profiled {
        nodes: nodes.collect(),
        ..operators
    }
}

fn add(node: &mut NodeProfile, weights: &[NodeWeight]) {
    let (Some(inputs), Some(bytes)) = (&mut node.inputs, &mut node.parameter_bytes) else {
        return;
    };
    if inputs.is_empty() {
        return;
    }
    let missing = missing(inputs, weights);
    for weight in missing.into_iter().rev() {
        inputs.insert(1, weight.shape.clone());
        bytes.0 = bytes.0.saturating_add(weight.bytes.0);
    }
}

/// The weights that no input beside the data is large enough to be: a kernel may have one in another
/// layout, filled up to whole blocks.
fn missing<'w>(inputs: &[TensorShape], weights: &'w [NodeWeight]) -> Vec<&'w NodeWeight> {
    let mut sizes: Vec<u64> = inputs
        .iter()
        .skip(1)
        .map(TensorShape::elements_count)
        .collect();
    sizes.sort_unstable();
    let mut places: Vec<usize> = (0..weights.len()).collect();
    places.sort_by_key(|&place| Reverse(weights[place].shape.elements_count()));
    places.retain(|&place| {
        let is_there = sizes
            .last()
            .is_some_and(|&size| size >= weights[place].shape.elements_count());
        if is_there {
            sizes.pop();
        }
        !is_there
    });
    places.sort_unstable();
    places.into_iter().map(|place| &weights[place]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    fn shape(element_type: &str, dims: &[u64]) -> TensorShape {
        TensorShape {
            element_type: element_type.into(),
            dims: dims.to_vec(),
        }
    }

    fn weight(element_type: &str, dims: &[u64], bytes: u64) -> NodeWeight {
        NodeWeight {
            shape: shape(element_type, dims),
            bytes: Bytes(bytes),
        }
    }

    fn filled(inputs: &[TensorShape], weights: Vec<NodeWeight>) -> NodeProfile {
        let node = NodeProfile {
            name: "cell".into(),
            inputs: Some(inputs.to_vec()),
            parameter_bytes: Some(Bytes(10)),
            ..NodeProfile::default()
        };
        let profiled = Profiled {
            nodes: vec![node],
            ..Profiled::default()
        };
        let filled = with_weights(profiled, &[("cell".into(), weights)].into());
        filled.nodes.into_iter().next().unwrap()
    }

    #[test]
    fn packed_weights_stand_behind_the_data_in_the_order_of_the_file() {
        let [data, state] = [&[10, 2, 8][..], &[1, 2, 16]].map(|dims| shape("float", dims));
        let weights = vec![
            weight("float", &[1, 64, 8], 2048),
            weight("float", &[1, 64, 16], 4096),
        ];
        let node = filled(&[data.clone(), state.clone()], weights.clone());
        let shapes = weights.iter().map(|weight| weight.shape.clone());
        let expected: Vec<_> = [data].into_iter().chain(shapes).chain([state]).collect();
        assert_eq!(node.inputs.as_ref(), Some(&expected));
        assert_eq!(node.parameter_bytes, Some(Bytes(10 + 2048 + 4096)));
        let [data, second] = [&expected[0], &expected[2]].map(TensorShape::clone);
        let node = filled(&[data, second], weights);
        assert_eq!(
            node.inputs.as_deref(),
            Some(&expected[..3]),
            "the first alone"
        );
    }

    #[test]
    fn weights_that_the_trace_tells_in_any_layout_are_not_added() {
        let inputs = [
            shape("float", &[1, 3, 8, 8]),
            shape("float", &[16, 16, 3, 3]),
        ];
        let node = filled(&inputs, vec![weight("float", &[16, 3, 3, 3], 1728)]);
        assert_eq!(node.inputs.as_deref(), Some(&inputs[..]));
        assert_eq!(node.parameter_bytes, Some(Bytes(10)));
    }
}
