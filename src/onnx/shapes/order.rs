//! Nodes in an order in which each comes after what it reads.

use std::collections::HashMap;

use crate::onnx::{Graph, Node};

/// The file's order where it is one, as the standard demands; converters that add nodes at the end do not keep it, and
/// ONNX Runtime does not mind. Nodes of a circle are left out.
pub(super) fn in_order(nodes: &[Node]) -> Vec<&Node> {
    let makers: HashMap<&str, usize> = nodes
        .iter()
        .enumerate()
        .flat_map(|(place, node)| node.outputs.iter().map(move |name| (name.as_str(), place)))
        .filter(|(name, _)| !name.is_empty())
        .collect();
    let read_from = |place: usize| -> Vec<usize> {
        let mut makers: Vec<usize> = reads(&nodes[place])
            .into_iter()
            .filter_map(|name| makers.get(name).copied())
            .collect();
        makers.sort_unstable();
        makers.dedup();
        makers
    };
    let sources: Vec<Vec<usize>> = (0..nodes.len()).map(read_from).collect();
    if sources
        .iter()
        .enumerate()
        .all(|(place, sources)| sources.iter().all(|&source| source < place))
    {
        return nodes.iter().collect();
    }
    sorted(&sources)
        .into_iter()
        .map(|place| &nodes[place])
        .collect()
}

fn sorted(sources: &[Vec<usize>]) -> Vec<usize> {
    let mut waiting: Vec<usize> = sources.iter().map(Vec::len).collect();
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); sources.len()];
    for (place, sources) in sources.iter().enumerate() {
        sources
            .iter()
            .for_each(|&source| readers[source].push(place));
    }
    let mut order: Vec<usize> = (0..sources.len())
        .filter(|&place| waiting[place] == 0)
        .collect();
    let mut next = 0;
    while let Some(&place) = order.get(next) {
        next += 1;
        for &reader in &readers[place] {
            waiting[reader] -= 1;
            if waiting[reader] == 0 {
                order.push(reader);
            }
        }
    }
    order
}

/// Values that a node reads, those that graphs within it take from around them included.
fn reads(node: &Node) -> Vec<&str> {
    let within = node
        .graphs()
        .flat_map(Graph::all_nodes)
        .flat_map(|inner| &inner.inputs);
    let handed_on = node
        .graphs()
        .flat_map(|graph| &graph.outputs)
        .map(|info| info.name.as_str());
    node.inputs
        .iter()
        .chain(within)
        .map(String::as_str)
        .chain(handed_on)
        .filter(|name| !name.is_empty())
        .collect()
}
